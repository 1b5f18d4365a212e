"""What the panel knows outside of a room: the rooms there are, a broadcaster of our own, the last message."""

from __future__ import annotations

import ipaddress
from typing import Any

import bpy

from broadcaster.errors import MixerError

from ..host import DEFAULT_PORT, Host
from ..rooms import Listing
from .colors import Swatches
from .status import Status

Address = tuple[str, int]


class Lobby:
    """One per Blender. What takes long runs in the background, `poll` takes what it brought."""

    def __init__(self) -> None:
        self.swatches: Swatches | None = None  # while registered
        self.host: Host | None = None
        self.server: Address | None = None  # whose rooms these are
        self.rooms: list[dict[str, Any]] = []
        self.message = ""  # a sentence for the person at this Blender
        self.room = ""  # the room we entered and did not leave
        self._is_ours = False  # whether that is on our own host
        self.told: tuple[Status | None, str] = (None, "")  # what the panel was last drawn for
        self._listing: Listing | None = None
        self._asked: Address | None = None

    def open(self) -> None:
        self.swatches = Swatches()

    def close(self) -> None:
        """Ends what runs, and forgets all."""
        self.stop_hosting()
        self.forget_rooms()
        if self.swatches is not None:
            self.swatches.close()
        self.swatches = None
        self.message = self.room = ""
        self.told = (None, "")

    def enter(self, room: str, server: Address) -> None:
        """We are in a room from now on; back here, its server is looked at again."""
        self.say("")
        self.server = server
        self.room, self._is_ours = room, self.host is not None

    @property
    def is_orphaned(self) -> bool:
        """Whether our own host, on which the room is, has ended."""
        return bool(self.room) and self._is_ours and self.host is None

    @property
    def is_asking(self) -> bool:
        return self._listing is not None

    def say(self, message: str) -> None:
        """Shows a sentence until the next."""
        self.message = message[:1].upper() + message[1:]

    def look(self, server: Address) -> None:
        """Asks a server for its rooms. Raises MixerError if Blender may not."""
        require_network(server[0])
        self._asked, self._listing = server, Listing(*server)

    def poll(self) -> bool:
        """Takes what the background brought, and whether it brought anything."""
        try:
            return self._poll_host() | self._poll_listing()
        except MixerError as exc:
            self.say(str(exc))
            return True

    def _poll_host(self) -> bool:
        if self.host is None:
            return False
        try:
            began = self.host.poll()
        except MixerError:
            self.host = None
            self.forget_rooms()
            raise
        if began:
            self.look(address(self.host.address))
        return began

    def _poll_listing(self) -> bool:
        if self._listing is None:
            return False
        try:
            rooms = self._listing.answer()
        except MixerError:
            self.forget_rooms()
            raise
        if rooms is None:
            return False
        self.server, self._listing = self._asked, None
        self.rooms = sorted(rooms, key=lambda room: str(room["name"]).lower())
        return True

    def forget_rooms(self) -> None:
        self.server, self.rooms, self._listing = None, [], None

    def start_hosting(self) -> None:
        """Starts a broadcaster on this machine. Raises OSError."""
        self.say("")
        self.host = Host()

    def stop_hosting(self) -> None:
        """Ends it, and with it its rooms."""
        if self.host is not None:
            self.host.stop()
            self.host = None
            self.forget_rooms()


lobby = Lobby()


def address(text: str) -> Address:
    """HOST:PORT or HOST. Raises MixerError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        host, port = port, str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise MixerError(f"{text!r} is no address: write a computer, a colon and a number, like studio:{DEFAULT_PORT}")
    return host.strip("[]"), int(port)


def require_network(host: str) -> None:
    """Raises MixerError where the user forbids Blender to talk to other machines."""
    if not bpy.app.online_access and not _is_here(host):
        raise MixerError(f'{host} is another computer: switch on "Allow Online Access" in Preferences > System first')


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
