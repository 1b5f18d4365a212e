"""What a room has to say, on its way to the seats."""

from __future__ import annotations

from typing import Final

from .. import wire
from ..room import Done
from ..wire import Message
from .seat import Pace, Seat

RUN_BYTES: Final = 64 * wire.KIB  # of requests whose answers are one message, and their news another


class Mail:
    """Gathers what is to be sent: frames in a row with the same audience are joined once, and shared by all seats.

    Transactions of one member in a row, all done as they were sent, are told in one message, and answered in one.
    """

    def __init__(self, seats: dict[str, Seat], revision: int) -> None:
        self._seats = seats
        self._sender: str | None = None
        self._answers: list[bytes] = []  # to the sender
        self._news: list[bytes] = []  # to everybody else
        self._run: list[Done] = []
        self._run_bytes = 0
        self._delivered = revision  # the news of it, and of all before it, were posted
        self._gathered = revision

    def done(self, done: Done, size: int) -> None:
        """`size` is that of the request."""
        if done.member != self._sender:
            self.deliver()
            self._sender = done.member
        elif self._run_bytes + size > RUN_BYTES:
            self._end_run()
        self._run.append(done)
        self._run_bytes += size

    def answer(self, member: str, message: Message) -> None:
        if member != self._sender:
            self.deliver()
            self._sender = member
        self._end_run()
        self._answers.append(wire.encode(message))

    def tell(self, message: Message, but: str | None) -> None:
        if but != self._sender or but is None:
            self.deliver()
            self._sender = but
        self._end_run()
        self._news.append(wire.encode(message))
        self._gathered = message.get("revision", self._gathered)

    def _end_run(self) -> None:
        if not self._run:
            return
        first, more = self._run[0], [done.deltas for done in self._run[1:]]
        answer, news = first.answer().message, first.news().message
        self._answers.append(wire.encode(answer | {"more": len(more)} if more else answer))
        self._news.append(wire.encode(news | {"more": more} if more else news))
        self._gathered = self._run[-1].revision
        self._run.clear()
        self._run_bytes = 0

    def deliver(self) -> None:
        """Posts all that was gathered."""
        self._end_run()
        if self._answers and self._sender is not None and (seat := self._seats.get(self._sender)) is not None:
            seat.answer(b"".join(self._answers), self._delivered)
        if self._news:
            frames = b"".join(self._news)
            for member, seat in self._seats.items():
                if member != self._sender and seat.pace is Pace.LIVE:
                    seat.post(frames, self._delivered)
        self._answers.clear()
        self._news.clear()
        self._delivered = self._gathered
