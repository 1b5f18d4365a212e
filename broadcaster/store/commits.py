"""Group commit: what is asked for while a commit runs is committed together, after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import trio

from ..errors import Unavailable
from .turns import Turns

SMALL_BYTES: Final = 16 * 1024  # of a job
COMMIT_BYTES: Final = 256 * 1024  # about, of large jobs in one commit

Job = TypeVar("Job")


class _Ticket(Generic[Job]):
    """One job on its way into a commit."""

    __slots__ = ("called", "done", "error", "job", "size")

    def __init__(self, job: Job, size: int) -> None:
        self.job = job
        self.size = size
        self.called = trio.Event()  # it is done, or its owner is the one to commit
        self.done = False
        self.error: str | None = None


class Commits(ABC, Generic[Job]):
    """Commits jobs, large ones in the order in which they are asked for; small ones wait for none of these.

    Those of a log have `turns`.
    """

    def __init__(self, commit_bytes: int = COMMIT_BYTES, turns: Turns | None = None) -> None:
        self._commit_bytes = commit_bytes
        self._turn: Callable[[], AbstractContextManager[None]] = turns.of_log if turns else nullcontext
        self._waiting: list[_Ticket[Job]] = []
        self._leader: _Ticket[Job] | None = None  # whose owner commits

    @abstractmethod
    def _commit(self, jobs: list[Job]) -> str | None:
        """Does all of them, in a thread, or none; why it could not be, if it could not."""

    async def commit(self, job: Job, size: int = 0) -> None:
        """Returns once what `job` does is on the disk: it writes about `size` bytes.

        Raises Unavailable, with nothing done, if that cannot be.
        """
        ticket = _Ticket(job, size)
        self._waiting.append(ticket)
        self._leader = self._leader or ticket
        try:
            if self._leader is not ticket:
                await ticket.called.wait()
            while not ticket.done:  # whoever comes first commits for all who came meanwhile
                await self._commit_next()
        finally:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._leader is ticket:
                self._leader = self._waiting[0] if self._waiting else None
                if self._leader is not None:
                    self._leader.called.set()
        if ticket.error is not None:
            raise Unavailable(ticket.error)

    async def _commit_next(self) -> None:
        batch = self._take_next()
        try:
            with self._turn(), trio.CancelScope(shield=True):  # who leads may be given up, and those whom it leads not
                error = await _in_thread(partial(self._commit, [one.job for one in batch]))
        except BaseException:
            self._waiting[:0] = batch
            raise
        for one in batch:
            one.done, one.error = True, error
            one.called.set()

    def _take_next(self) -> list[_Ticket[Job]]:
        """All that is small, and of the rest what came first."""
        left, batch, later = self._commit_bytes, list[_Ticket[Job]](), list[_Ticket[Job]]()
        for ticket in self._waiting:
            if ticket.size > SMALL_BYTES:
                if left <= 0:
                    later.append(ticket)
                    continue
                left -= ticket.size
            batch.append(ticket)
        self._waiting = later
        return batch


async def _in_thread(work: Callable[[], str | None]) -> str | None:
    """As trio.to_thread.run_sync, which does more that nobody needs here, and asks for the interpreter to do it."""
    task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()

    def deliver(result: Any) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(trio.lowlevel.reschedule, task, result)

    trio.lowlevel.start_thread_soon(work, deliver)
    done: str | None = await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
    return done
