"""Status of a template version (`runtime.md` D1)."""

from enum import StrEnum
from types import MappingProxyType


class VersionStatus(StrEnum):
    """DRAFT is editable, PUBLISHED frozen and runnable, DEPRECATED runs on but is not started."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"


VERSION_TRANSITIONS = MappingProxyType(
    {
        VersionStatus.DRAFT: (VersionStatus.PUBLISHED,),
        VersionStatus.PUBLISHED: (VersionStatus.DEPRECATED,),
        VersionStatus.DEPRECATED: (),
    }
)
