"""The numbers of `security.md` A4. What each of them refuses is tested where it is refused."""

from schema.projection.arguments import MAX_PAGE
from schema.projection.paging import DEFAULT_PAGE
from schema.projection.where_checks import MAX_LEVELS
from server.operations.limits import OperationLimits
from server.operations.limits.sizes import UNSIZED_LIST
from server.transports.http import HTTPLimits


def test_a4_an_operation_may_ask_for_so_much() -> None:
    assert OperationLimits() == OperationLimits(
        tokens=2_000,
        depth=12,
        introspection_depth=15,
        aliases=30,
        directives=50,
        root_fields=10,
        nodes=10_000,
        seconds=10,
    )


def test_a4_lists_filters_and_bodies_are_at_most_so_large() -> None:
    assert (MAX_PAGE, DEFAULT_PAGE, UNSIZED_LIST) == (500, 50, 10)
    assert MAX_LEVELS == 3
    assert HTTPLimits().body == 2 * 1024 * 1024
