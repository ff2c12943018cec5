"""A feed over which nothing is heard but what a test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.live.followers import Follower, Followers


class ToldFeed:
    """Tells followers what the test says."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self.followers = Followers()

    @asynccontextmanager
    async def follow(self, tenant: str) -> AsyncIterator[Follower]:
        with self.followers.following(tenant) as follower:
            yield follower

    def tell(self, *ids: str) -> None:
        self.followers.tell(self._tenant, ids)
