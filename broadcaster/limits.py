"""What a broadcaster allows: every limit with its default, in one table. `--limit NAME=VALUE` sets one.

What both ends of a line must agree on is no limit but part of the protocol, and stands where it is spoken: the length
of a piece or a chunk, the transactions in flight, the names in one message.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any, Final

from . import wire
from .errors import Refused
from .wire import KIB, MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The unit is the end of the name; what has none is a number of things."""

    # What one message may be
    greeting_bytes: int = 64 * KIB  # before somebody has joined
    request_bytes: int = wire.MAX_REQUEST_BYTES  # from a member: a transaction, at most
    small_bytes: int = 16 * KIB  # presence, leases and other small requests
    deltas: int = 100_000  # in one transaction
    depth: int = 96  # of a tree

    # What one room may hold; these are of its log
    entities: int = 1_000_000
    entity_bytes: int = 16 * MIB  # of one, as JSON
    work: int = 10_000_000  # fields and items that one transaction may copy: small edits of large things are work, too
    members: int = 256  # present in one room
    leases: int = 1000  # of one member
    lease_seconds: float = 300.0
    remembered: int = 1024  # members whose answers are kept after they left
    remembered_bytes: int = 16 * MIB  # of these answers, in all
    banned: int = 1024
    drops_bytes: int = 64 * KIB  # of the list that tells a sender what did not take effect

    # What one room may take
    room_bytes: int = 4096 * MIB  # of its snapshot
    queued: int = 16384  # requests waiting for the log
    queued_bytes: int = 16 * MIB  # of transactions among them: past it nobody is read until they are written
    empty_seconds: float = 60.0  # one that is not to be kept goes so long after the last member

    # What one connection may take
    lobby_requests_per_second: float = 50.0  # of who has not joined
    requests_per_second: float = 500_000.0  # who is faster is read no faster
    greeting_seconds: float = 30.0  # for the greeting, and for each request of who has not joined
    idle_seconds: float = inf  # without a word of a member, however well its line holds
    stalled_seconds: float = 120.0  # for a part, either way: who is slower reads nothing, or is no longer there
    outbox_bytes: int = 8 * MIB  # waiting for one member; past it the member is served what changed since
    waiting_bytes: int = 64 * MIB  # transactions of one member that wait for blobs
    storing_bytes: int = 8 * MIB  # blobs of one connection on their way to the disk

    # What the HTTP port may take
    web_connections: int = 256
    web_connections_of_one: int = 64  # of one address, of IPv6 half a one; this machine's own are not counted
    web_seconds: float = 10.0  # for the head of a request, and from one request to the next
    web_head_bytes: int = 16 * KIB  # of a request
    uploads: int = 2  # of .mixroom files, at once
    upload_bytes: int = 16384 * MIB  # of one

    # What the broadcaster holds
    connections: int = 2048
    rooms: int = 1024
    blob_bytes: int = wire.MAX_BLOB_BYTES  # of one
    blobs_bytes: int = 8192 * MIB  # of all, in memory
    blob_grace_seconds: float = 24 * 3600.0  # one that nothing names is kept so long after it was last asked for
    attempts: int = 5  # failed ones from one address, within
    attempts_seconds: float = 60.0
    addresses: int = 10_000  # whose failures are remembered
    hashes: int = 2  # of passwords, at once
    invitation_seconds: float = 365 * 24 * 3600.0


DEFAULTS: Final = Limits()
MOST: Final[Mapping[str, Any]] = {
    "depth": 96,  # deeper ones are refused by members
    "request_bytes": wire.MAX_FRAME_BYTES // 2,  # JSON may grow when it is written anew
    "entity_bytes": wire.MAX_FRAME_BYTES // 2,  # a joiner gets it in one message
    "lease_seconds": 1e9,
}
OF_THE_LOG: Final = (
    "entities", "entity_bytes", "work", "members", "leases", "lease_seconds", "remembered", "remembered_bytes",
    "banned", "drops_bytes",
)  # fmt: skip


def read(file: bytes, settings: Iterable[str] = ()) -> Limits:
    """The limits of a TOML file of names and numbers, then of `NAME=VALUE` each. Raises Refused."""
    try:
        found: dict[str, Any] = tomllib.loads(file.decode())
        for setting in settings:
            found |= tomllib.loads(setting)
    except ValueError as exc:
        raise Refused(f"limits are NAME=NUMBER each: {exc}") from exc
    return changed(DEFAULTS, found)


def changed(limits: Limits, values: Mapping[str, Any]) -> Limits:
    """Raises Refused on what is no limit, or no value of one."""
    kinds = {field.name: type(field.default) for field in fields(Limits)}
    for name, value in values.items():
        if name not in kinds:
            raise Refused(f"there is no limit {name!r}")
        kind, most = kinds[name], MOST.get(name, inf)
        if type(value) not in (int, kind) or not 0 <= value <= most:
            raise Refused(f"limit {name} is {value!r}: it is a {kind.__name__} from 0 to {most:g}")
    return replace(limits, **values)
