"""An invitation as people hand it on: one line that says where a room is, what lets in, and whom one meets there."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from .errors import Refused

SCHEMES: Final = {"mixer": False, "mixer+tls": True}
TLS: Final = "tls://"
FINGERPRINT: Final = re.compile("[0-9a-f]{64}", re.ASCII)
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
HOST: Final = re.compile(r"[A-Za-z0-9_.:%-]+", re.ASCII)
MAX_CHARS: Final = 4096
NONE: Final = "that is no invitation: it is one line that begins with mixer:// or mixer+tls://"


class Invitation(NamedTuple):
    """`mixer+tls://HOST:PORT/ROOM?FINGERPRINT#TOKEN`, or `mixer://HOST:PORT/ROOM#TOKEN` where there is no TLS."""

    host: str
    port: int
    room: str
    token: str
    fingerprint: str | None = None  # of the certificate; with it there is TLS

    @property
    def server(self) -> str:
        """As people write it where they connect."""
        return f"{TLS if self.fingerprint else ''}{_bracketed(self.host)}:{self.port}"

    def __str__(self) -> str:
        scheme, proof = ("mixer+tls", f"?{self.fingerprint}") if self.fingerprint else ("mixer", "")
        return f"{scheme}://{_bracketed(self.host)}:{self.port}/{quote(self.room, safe='')}{proof}#{self.token}"


def read(text: str) -> Invitation | None:
    """What a line says that somebody was given; None if it is a token alone. Raises Refused if it is neither."""
    text = text.strip()
    if TOKEN.fullmatch(text):
        return None
    try:
        parts = urlsplit(text if len(text) <= MAX_CHARS else "")
        host, port, room = parts.hostname or "", parts.port or 0, unquote(parts.path[1:])
    except ValueError:
        raise Refused(NONE) from None  # not with what was shown
    tls = SCHEMES.get(parts.scheme)
    if tls is None or tls != bool(FINGERPRINT.fullmatch(parts.query)) or not TOKEN.fullmatch(parts.fragment):
        raise Refused(NONE)
    if not (HOST.fullmatch(host) and port and room and room.isprintable()):
        raise Refused(NONE)
    return Invitation(host, port, room, parts.fragment, parts.query or None)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
