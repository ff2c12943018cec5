"""What commands run on."""

from dataclasses import dataclass, field

from db.definitions import Definitions
from db.lanes import Lanes
from db.runtime.limits import Limits
from db.session import Database


@dataclass(frozen=True, slots=True)
class Store:
    """A database, what is remembered of it, the bounds that hold, and who waits for which tree."""

    database: Database
    definitions: Definitions = field(default_factory=Definitions)
    limits: Limits = field(default_factory=Limits)
    lanes: Lanes = field(default_factory=Lanes)
