"""Removes the blobs that no room names any more, once nobody has asked for them for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio

from ..errors import Unavailable
from ..room import Room
from ..store import Blobs
from .belongings import SHA
from .host import Host

ENTITIES_AT_ONCE: Final = 256

log = logging.getLogger(__name__)


async def sweep(blobs: Blobs, hosts: Callable[[], list[Host] | None], grace_seconds: float) -> None:
    """Looks for them again and again, unless `hosts` knows only some of the rooms. Never returns."""
    while True:
        await trio.sleep(grace_seconds / 4)
        try:
            removed = await _sweep(blobs, hosts(), grace_seconds)
        except Unavailable as exc:
            log.warning("blobs that nothing names stay for now: %s", exc)
        else:
            if removed:
                log.info("%d blobs that nothing named are removed", removed)


async def _sweep(blobs: Blobs, hosts: list[Host] | None, grace_seconds: float) -> int:
    """A blob that is named while this looks elsewhere was asked for just then, so it is idle no more."""
    idle = blobs.idle(grace_seconds)
    if hosts is None or not idle or any(host.is_in_trouble for host in hosts):
        return 0
    for host in hosts:
        await _leave_out(idle, host.room)
    gone = await blobs.remove(idle, grace_seconds)
    for host in hosts:
        host.blobs.lost(gone)
    return len(gone)


async def _leave_out(idle: set[str], room: Room) -> None:
    """Takes out what `room` names."""
    for count, uuid in enumerate(list(room.document)):
        if (entity := room.document.get(uuid)) is not None:
            idle.difference_update(sha.decode() for sha in SHA.findall(entity.data))
        if count % ENTITIES_AT_ONCE == 0:
            await trio.lowlevel.checkpoint()
