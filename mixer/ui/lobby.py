"""What the panel knows outside of a room: the rooms there are, a broadcaster of our own, the last message."""

from __future__ import annotations

import ipaddress
from typing import Any

import bpy

from broadcaster import pins
from broadcaster.errors import MixerError
from broadcaster.invitation import TLS, Invitation
from broadcaster.invitation import read as read_invitation

from ..client import Server
from ..host import DEFAULT_PORT, Host
from ..rooms import Listing
from ..session import Session
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
        self.secrets: dict[str, str] = {}  # what was typed or pasted; nowhere else, so in no file
        self.invited: Invitation | None = None
        self.pinned: str | None = None  # the fingerprint of the certificate of `server`
        self.stay: Session | None = None  # in the room that we entered and did not leave
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
        self.message = ""
        self.exit()
        self.secrets, self.invited = {}, None
        self.told = (None, "")

    def enter(self, stay: Session, server: Address) -> None:
        """We are in a room from now on; back here, its server is looked at again."""
        self.say("")
        self.stay = stay
        self.server = server
        self._is_ours = self.host is not None

    def exit(self) -> None:
        """We are in no room any more."""
        self.stay = None

    @property
    def is_orphaned(self) -> bool:
        """Whether our own host, on which the room is, has ended."""
        return self.stay is not None and self._is_ours and self.host is None

    @property
    def is_asking(self) -> bool:
        return self._listing is not None

    def say(self, message: str) -> None:
        """Shows a sentence until the next."""
        self.message = message[:1].upper() + message[1:]

    def look(self, server: Address) -> None:
        """Asks a server for its rooms. Raises MixerError if Blender may not."""
        require_network(server[0])
        self._asked, self._listing = server, Listing(self.server_at(server))

    # Secrets

    def take_secret(self, name: str, text: str) -> None:
        """Keeps what was typed while Blender runs; an invitation is understood, or said not to be."""
        self.secrets[name] = text = text.strip()
        if name != "invitation":
            return
        self.invited = None
        try:
            if text:
                self.invited = read_invitation(text)
            self.say("")
        except MixerError as exc:
            self.say(str(exc))

    @property
    def may_list(self) -> bool:
        """Whether to ask for the rooms unasked: who is let in by a password or an invitation is told of no others."""
        return bool(self.secrets.get("secret")) or not any(self.secrets.values())

    def server_at(self, where: Address) -> Server:
        """That broadcaster, with what we know to tell it and to expect of it."""
        invited = self.invited if self.invited and address(self.invited.server) == where else None
        secret = None if self.host is not None else self.secrets.get("secret") or None
        return Server(*where, invited.fingerprint if invited else None, secret)

    def shown_to(self, where: Address, room: str, typed_for: Address) -> dict[str, str | None]:
        """What a client shows there to enter that room: nothing that is for another server or room."""
        if self.host is not None:
            return {}
        server, shown = self.server_at(where), self.secrets if where == typed_for else {}
        token = shown.get("invitation") or None
        if (invited := self.invited) is not None:
            token = invited.token if (address(invited.server), invited.room) == (where, room) else None
        return {
            "invitation": token,
            "password": shown.get("password") or None,
            "server_secret": shown.get("secret") or None,
            "fingerprint": server.fingerprint,
        }

    def change_server(self) -> None:
        """What was typed for one server is not shown to another."""
        self.secrets = {name: text for name, text in self.secrets.items() if name == "invitation" and self.invited}
        self.forget_rooms()

    def _look_at_pin_of_asked(self) -> None:
        if self._asked is not None:
            self.look_at_pin(self._asked)

    def look_at_pin(self, where: Address) -> None:
        """Finds the certificate that is pinned for that server. Raises MixerError if that cannot be read."""
        host, port = where
        tls, expected = host.startswith(TLS), self.server_at(where).fingerprint
        self.pinned = expected
        if tls and expected is None:
            self.pinned = pins.known(f"{host.removeprefix(TLS)}:{port}", pins.default_file())

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
            self._look_at_pin_of_asked()
            raise
        if rooms is None:
            return False
        self.server, self._listing = self._asked, None
        self._look_at_pin_of_asked()
        self.rooms = sorted(rooms, key=lambda room: str(room["name"]).lower())
        return True

    def forget_rooms(self) -> None:
        self.server, self.rooms, self._listing, self.pinned = None, [], None, None

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
    """HOST:PORT or HOST, maybe behind tls://. Raises MixerError."""
    text = text.strip()
    tls = TLS if text.startswith(TLS) else ""
    host, colon, port = text.removeprefix(TLS).rpartition(":")
    if not colon:
        host, port = port, str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise MixerError(f"{text!r} is no address: write a computer, a colon and a number, like studio:{DEFAULT_PORT}")
    return tls + host.strip("[]"), int(port)


def require_network(host: str) -> None:
    """Raises MixerError where the user forbids Blender to talk to other machines."""
    host = host.removeprefix(TLS)
    if not bpy.app.online_access and not _is_here(host):
        raise MixerError(f'{host} is another computer: switch on "Allow Online Access" in Preferences > System first')


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
