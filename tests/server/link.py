"""A line with weather: latency, jitter, bandwidth, cuts. Seeded, and in the time of trio's clock, which may jump.

A line that is cut is cut in the middle of what was sent. The member notices at once, or after a while (half open); what
it had sent may still arrive, even when it is back on another line.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

import trio
import trio.testing

PACKET_BYTES: Final = 1400
BUFFER_PACKETS: Final = 48  # on their way, as many as kernels would hold
NOTICED_SECONDS: Final = 40.0  # until a member's kernel gives a silent line up
LATER_SECONDS: Final = 400.0  # until the broadcaster's does


@dataclass(frozen=True, slots=True)
class Weather:
    """What a line is like."""

    latency: float = 0.0  # seconds, one way
    jitter: float = 0.0  # seconds, at most, on top
    bytes_per_second: float = inf  # each way
    cut_after: int | None = None  # bytes, both ways together
    half_open: bool = False  # a cut line stays open, and silent
    late: float = 0.0  # seconds by which what was sent before a cut arrives after it


class Link:
    """One line, from `near`, the member's end, to the stream `far`, the broadcaster's."""

    def __init__(self, weather: Weather, chance: Random) -> None:
        self.near, self._end = trio.testing.memory_stream_pair()
        self.far, self._start = trio.testing.memory_stream_pair()
        self._weather = weather
        self._chance = chance
        self._left = inf if weather.cut_after is None else weather.cut_after
        self._cut = trio.Event()

    async def run(self) -> None:
        """Carries until one end closes or the line is cut."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._carry, self._end, self._start, True)
            nursery.start_soon(self._carry, self._start, self._end, False)
            await self._cut.wait()
            if self._weather.half_open:
                await trio.sleep(NOTICED_SECONDS)
            await trio.aclose_forcefully(self._end)
            if self._weather.half_open:
                await trio.sleep(LATER_SECONDS)
            await trio.sleep(self._weather.late * 2)
            await trio.aclose_forcefully(self._start)
            nursery.cancel_scope.cancel()

    async def _carry(self, source: trio.abc.Stream, target: trio.abc.Stream, up: bool) -> None:
        sender, receiver = trio.open_memory_channel[tuple[float, bytes]](BUFFER_PACKETS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._arrive, receiver, target, up)
            with sender:
                due = 0.0
                while data := await self._read(source):
                    weather = self._weather
                    due = max(due, trio.current_time() + weather.latency + self._chance.uniform(0, weather.jitter))
                    due += len(data) / weather.bytes_per_second
                    await sender.send((due, data))

    async def _read(self, source: trio.abc.Stream) -> bytes:
        """Nothing at the end of the line."""
        try:
            data = bytes(await source.receive_some(PACKET_BYTES))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        taken = data[: int(min(self._left, len(data)))]
        self._left -= len(taken)
        if len(taken) < len(data) or not data:
            self._cut.set()
        return taken

    async def _arrive(
        self, receiver: trio.MemoryReceiveChannel[tuple[float, bytes]], target: trio.abc.Stream, up: bool
    ) -> None:
        try:
            async for due, data in receiver:
                was_cut = self._cut.is_set()
                await trio.sleep_until(due)
                if self._cut.is_set() and not was_cut and up:
                    await trio.sleep(self._weather.late)
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            async for _ in receiver:  # what is sent to nobody is lost
                pass
