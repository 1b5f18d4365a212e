"""What a room has to say, on its way to the seats."""

from __future__ import annotations

from .seat import Pace, Seat


class Mail:
    """Gathers what is to be sent: frames in a row with the same audience are joined once, and shared by all seats."""

    def __init__(self, seats: dict[str, Seat], revision: int) -> None:
        self._seats = seats
        self._sender: str | None = None
        self._answers: list[bytes] = []  # to the sender
        self._news: list[bytes] = []  # to everybody else
        self._delivered = revision  # the news of it, and of all before it, were posted
        self._gathered = revision

    def answer(self, member: str, frame: bytes) -> None:
        if member != self._sender:
            self.deliver()
            self._sender = member
        self._answers.append(frame)

    def tell(self, frame: bytes, but: str | None, revision: int | None) -> None:
        """`revision` is the one that this news makes, if it makes one."""
        if but != self._sender or but is None:
            self.deliver()
            self._sender = but
        self._news.append(frame)
        if revision is not None:
            self._gathered = revision

    def deliver(self) -> None:
        """Posts all that was gathered."""
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
