"""The operations of one socket: which of them the client still wants, and which only may end."""

import asyncio


class RunningOperation:
    """An operation of a socket, wanted until the client completes it or goes."""

    __slots__ = ("_unwanted", "id", "is_subscription", "task")

    def __init__(self, operation_id: str, *, is_subscription: bool) -> None:
        self.id = operation_id
        self.is_subscription = is_subscription
        self.task: asyncio.Task[None] | None = None
        self._unwanted = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """Whether the client waits for what comes of it."""
        return not self._unwanted.is_set()

    async def unwanted(self) -> None:
        """Return once it is not wanted any more."""
        await self._unwanted.wait()

    def abandon(self) -> None:
        """The client wants no more of it: a subscription ends; what may have begun to write does not."""
        self._unwanted.set()
        if self.is_subscription and self.task is not None:
            self.task.cancel()


class RunningOperations:
    """By the client's id, which is free again once nobody wants the operation."""

    __slots__ = ("_unwanted", "_wanted")

    def __init__(self) -> None:
        self._wanted: dict[str, RunningOperation] = {}
        self._unwanted: set[RunningOperation] = set()

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._wanted

    def __len__(self) -> int:
        """How many run, wanted or not."""
        return len(self._wanted) + len(self._unwanted)

    def add(self, operation_id: str, *, is_subscription: bool) -> RunningOperation:
        """An operation that begins, whose task is the caller's."""
        running = self._wanted[operation_id] = RunningOperation(operation_id, is_subscription=is_subscription)
        return running

    def abandon(self, operation_id: str) -> None:
        """The client wants no more of an operation, or has never begun it."""
        running = self._wanted.pop(operation_id, None)
        if running is None:
            return
        running.abandon()
        if not running.is_subscription:
            self._unwanted.add(running)

    def forget(self, running: RunningOperation) -> None:
        """It ends. Before its last message: with that the client may use the id again."""
        self._unwanted.discard(running)
        if self._wanted.get(running.id) is running:
            del self._wanted[running.id]

    def release(self, unfinished: set[asyncio.Task[None]]) -> None:
        """The socket has gone: what may end goes on among the unfinished."""
        for operation_id in tuple(self._wanted):
            self.abandon(operation_id)
        for running in self._unwanted:
            if running.task is not None:
                unfinished.add(running.task)
                running.task.add_done_callback(unfinished.discard)
