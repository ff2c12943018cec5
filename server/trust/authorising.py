"""What a viewer may run (`security.md` A2). The rules are `schema/scopes.py`."""

from schema.scopes import refusal
from server.operations.operations import Forbidden, Operation, Viewer


def authorise(operation: Operation, viewer: Viewer) -> None:
    """An `Authorise`: every root field of the operation must be allowed. Raises `Forbidden`."""
    reason = refusal(operation.measure.root_fields, viewer.scopes)
    if reason is not None:
        raise Forbidden(reason)
