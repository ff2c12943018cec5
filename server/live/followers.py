"""Who wants to hear of every change of a tenant, by the executions that changed (`live.md` H1, H6)."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager

MOST_IDS = 10_000


class Follower:
    """Collects the ids of changed executions until they are asked for; more than `MOST_IDS` are "anything"."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._may_be_any = False
        self._flag = asyncio.Event()

    async def changed(self) -> frozenset[str] | None:
        """The executions that changed since the last return, when there are some; None: it may be any."""
        await self._flag.wait()
        self._flag.clear()
        found = None if self._may_be_any else frozenset(self._ids)
        self._ids, self._may_be_any = set(), False
        return found

    def tell(self, execution_ids: Collection[str]) -> None:
        """These executions changed."""
        self._ids.update(execution_ids)
        if len(self._ids) > MOST_IDS:
            self.tell_any()
        self._flag.set()

    def tell_any(self) -> None:
        """Any execution may have changed."""
        self._ids.clear()
        self._may_be_any = True
        self._flag.set()


class Followers:
    """The followers of each tenant."""

    def __init__(self) -> None:
        self._of_tenant: dict[str, set[Follower]] = {}

    def __bool__(self) -> bool:
        return bool(self._of_tenant)

    @contextmanager
    def following(self, tenant: str) -> Iterator[Follower]:
        """A follower of the tenant's changes from now on."""
        follower = Follower()
        self._of_tenant.setdefault(tenant, set()).add(follower)
        try:
            yield follower
        finally:
            followers = self._of_tenant[tenant]
            followers.discard(follower)
            if not followers:
                del self._of_tenant[tenant]

    def tell(self, tenant: str, execution_ids: Collection[str]) -> None:
        """Tell the tenant's followers which executions changed."""
        for follower in self._of_tenant.get(tenant, ()):
            follower.tell(execution_ids)

    def tell_any(self, tenant: str) -> None:
        """Tell the tenant's followers that any execution may have changed."""
        for follower in self._of_tenant.get(tenant, ()):
            follower.tell_any()
