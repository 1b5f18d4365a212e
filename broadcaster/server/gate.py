"""Who may come in: the server's secret, passwords of rooms, invitations. Wrong ones are counted by address.

Nothing here is ever logged or told back. Secrets are compared in constant time; passwords are kept as scrypt hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

import orjson
import trio

from ..errors import Refused, Unknown
from ..limits import DEFAULTS, Limits
from ..room import ROLES, Room
from ..wire import Message

SCRYPT: Final[dict[str, int]] = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # 16 MiB, about 50 ms
SALT_BYTES: Final = 16


@dataclass(slots=True)
class Visitor:
    """One connection that has not joined."""

    address: str = ""
    authorized: bool = False  # it said the server's secret

    @property
    def network(self) -> str:
        """What failures are counted by: who has one address of IPv6 has all that share its first half."""
        try:
            address = ipaddress.ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address  # not of a network
        if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
            return str(ipaddress.IPv6Network((address, 64), strict=False))
        return str(getattr(address, "ipv4_mapped", None) or address)

    @property
    def origin(self) -> str:
        """The address, unless it is this machine's own, from which anybody may come."""
        try:
            local = ipaddress.ip_address(self.address.partition("%")[0]).is_loopback
        except ValueError:
            return ""  # no network address
        return "" if local else self.address


class Grant(NamedTuple):
    """What the token of an invitation says."""

    room: str
    birth: str  # of the room: a later one of that name is another
    role: str
    until: float


class Gate:
    """Without a secret everybody makes rooms, and enters those that have no password."""

    def __init__(
        self,
        clock: Callable[[], float],
        secret: str | None = None,
        key: bytes | None = None,
        limits: Limits = DEFAULTS,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._secret = secret.encode() if secret else None
        self._key = key or os.urandom(32)  # signs invitations
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._threads: trio.CapacityLimiter | None = None

    @property
    def is_open(self) -> bool:
        return self._secret is None

    def authorize(self, visitor: Visitor, secret: str) -> None:
        """Raises Refused unless that is the server's secret."""
        self.check_attempts(visitor)
        if not self.knows(secret):
            self.fail(visitor, "that is not the secret of this broadcaster")
        visitor.authorized = True

    def knows(self, secret: str) -> bool:
        """Whether that is the server's secret. Who asks has to count the wrong ones."""
        return self._secret is not None and hmac.compare_digest(self._secret, secret.encode())

    def check_authority(self, visitor: Visitor, what: str) -> None:
        """Raises Refused unless `visitor` may do what only the server's secret allows."""
        if not (self.is_open or visitor.authorized):
            self.fail(visitor, f"{what} takes the secret of this broadcaster")

    async def admit(self, visitor: Visitor, room: Room, join: Message) -> str | None:
        """Lets a visitor into a room that is there: the role that it was invited to, if it was.

        Raises Refused if it shows nothing that lets it in.
        """
        if (token := join.get("invitation")) is not None:
            self.check_attempts(visitor)
            if (invitation := self.read_invitation(token)) is None:
                self.fail(visitor, "that is no invitation of this broadcaster")
            if (fault := self.fault_of(invitation, room)) is not None:
                self.fail(visitor, fault)
            return invitation.role
        if visitor.authorized or (self.is_open and room.lock is None):
            return None
        if (password := join.get("password")) is None or room.lock is None:
            self.fail(visitor, f"room {room.name!r} takes a password or an invitation")
        self.check_attempts(visitor)
        salt, wanted = map(bytes.fromhex, room.lock)
        if not hmac.compare_digest(await self._scrypt(password, salt), wanted):
            self.fail(visitor, f"that is not the password of room {room.name!r}")
        return None

    async def lock(self, password: str) -> list[str]:
        """What is kept of a password."""
        salt = os.urandom(SALT_BYTES)
        return [salt.hex(), (await self._scrypt(password, salt)).hex()]

    def invite(self, room: Room, role: str, seconds: float) -> str:
        """A token that lets into `room`, as it is called now, with that role, for so long. Raises Refused."""
        if role not in ROLES:
            raise Refused(f"there is no role {role!r}")
        until = self._clock() + min(max(seconds, 1.0), self._limits.invitation_seconds)
        data = orjson.dumps(list(Grant(room.name, room.birth, role, until)))
        return _text(data) + "." + _text(self._sign(data))

    def read_invitation(self, token: str) -> Grant | None:
        """What an invitation of this broadcaster says; None if it is none."""
        data, signature = map(_bytes, (token.partition(".")[0], token.partition(".")[2]))
        if not hmac.compare_digest(self._sign(data), signature):
            return None
        return Grant(*orjson.loads(data))

    def fault_of(self, invitation: Grant, room: Room) -> str | None:
        """Why an invitation does not let into `room`; None if it does."""
        if (invitation.room, invitation.birth) != (room.name, room.birth):
            return f"that is an invitation to another room than {room.name!r}"
        return "that invitation has expired" if self._clock() > invitation.until else None

    def _sign(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")

    async def _scrypt(self, password: str, salt: bytes) -> bytes:
        self._threads = self._threads or trio.CapacityLimiter(max(self._limits.hashes, 1))
        hashed: bytes = await trio.to_thread.run_sync(_scrypt, password, salt, limiter=self._threads)
        return hashed

    # Attempts

    def check_attempts(self, visitor: Visitor) -> None:
        """Raises Refused, whatever is shown, after too many failures from one address."""
        failures = self._failures.get(visitor.network, deque())
        while failures and failures[0] <= self._clock() - self._limits.attempts_seconds:
            failures.popleft()
        if len(failures) >= self._limits.attempts:
            raise Refused("too many failed attempts from this address: wait", retry=True)

    def fail(self, visitor: Visitor, reason: str) -> NoReturn:
        self.check_attempts(visitor)
        self._failures.setdefault(visitor.network, deque()).append(self._clock())
        self._failures.move_to_end(visitor.network)
        if len(self._failures) > self._limits.addresses:
            self._failures.popitem(last=False)
        raise Unknown(reason)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **SCRYPT)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Whatever is no base64 is no bytes."""
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
