"""What commands run on."""

from dataclasses import dataclass, field

from db.definitions import Definitions
from db.runtime.limits import Limits
from db.session import Database


@dataclass(frozen=True, slots=True)
class Store:
    """A database, what is remembered of it, and the bounds that hold."""

    database: Database
    definitions: Definitions = field(default_factory=Definitions)
    limits: Limits = field(default_factory=Limits)
