"""A broadcaster, as its clients name it, and how a connection to one stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto


class Link(Enum):
    """How the connection stands."""

    CONNECTING = auto()
    JOINED = auto()
    LOST = auto()  # it will be tried again
    ENDED = auto()  # closed by us, or refused


@dataclass(frozen=True, slots=True)
class Server:
    """A broadcaster: where it is, and what there is to tell it and to expect of it."""

    host: str  # one that begins with tls:// is spoken to inside TLS
    port: int
    fingerprint: str | None = None  # of its certificate, if an invitation names it
    secret: str | None = field(default=None, repr=False)  # what making rooms takes

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
