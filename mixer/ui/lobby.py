"""What the panel knows outside of a room: the rooms there are, a broadcaster of our own, the last message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..host import Host
from ..rooms import Listing


@dataclass(slots=True)
class Lobby:
    """One per Blender."""

    listing: Listing | None = None
    rooms: list[dict[str, Any]] = field(default_factory=list)
    host: Host | None = None
    message: str = ""


lobby = Lobby()


def say(message: str) -> None:
    """A sentence for the person at this Blender."""
    lobby.message = message


def look(address: tuple[str, int]) -> None:
    """Asks a server for its rooms, in the background."""
    lobby.message = ""
    lobby.listing = Listing(*address)


def poll() -> bool:
    """Takes what the background brought, and whether it brought anything."""
    if lobby.listing is None or (answer := lobby.listing.answer()) is None:
        return False
    lobby.listing = None
    if isinstance(answer, str):
        lobby.rooms, lobby.message = [], answer
    else:
        lobby.rooms = answer
    return True


def start_hosting() -> str:
    """Starts a broadcaster on this machine; its HOST:PORT. Raises OSError or MixerError if it does not start."""
    lobby.host = Host.start()
    return lobby.host.address


def stop_hosting() -> None:
    if lobby.host is not None:
        lobby.host.stop()
        lobby.host = None
