"""What the HTTP port wants of the broadcaster behind it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Protocol


class House(Protocol):
    """The rooms, their blobs and who may see them."""

    def figures(self) -> Mapping[str, float]:
        """What is to be told of all rooms together."""

    def network_of(self, address: str) -> str:
        """What callers are counted by; "" is this machine, from which anybody may come."""

    def admit(self, address: str, token: str, room: str | None = None) -> None:
        """Returns if `token` lets whoever calls from `address` read in `room`; if None, read the figures.

        Raises Unknown if nothing is known by that token, and Refused if it is for something else, or has to wait.
        """

    async def upload(self, room: str, parts: AsyncIterable[bytes]) -> int:
        """Makes a room of a .mixroom file; its revision. Raises MixerError if that cannot be."""

    async def blob_size(self, room: str, sha: str) -> int | None:
        """How long a blob of `room` is; None if it has none of that sha."""

    async def read_blob(self, room: str, sha: str, start: int, stop: int) -> bytes | None:
        """A part of a blob; None if it is gone."""
