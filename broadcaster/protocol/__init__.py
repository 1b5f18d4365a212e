"""One byte stream between a member and the broadcaster as a state machine, on either side. No I/O.

A member holds two connections: one for edits (`hello`, then `join`), one for blobs (`hello`, then `attach`). What may
be said when, and with which fields, is in the tables below. A member is known by an id that is made of a secret only it
holds, so nobody else can come back in its name.
"""

from __future__ import annotations

from .check import check_name
from .connection import (
    CAPABILITIES,
    PROTOCOL,
    ClientConnection,
    Connection,
    Heard,
    ServerConnection,
    error,
    member_id,
    new_secret,
)
from .tables import CLIENT_FIELDS, FROM_CLIENT, FROM_SERVER, SERVER_FIELDS, State

__all__ = [
    "CAPABILITIES",
    "CLIENT_FIELDS",
    "FROM_CLIENT",
    "FROM_SERVER",
    "PROTOCOL",
    "SERVER_FIELDS",
    "ClientConnection",
    "Connection",
    "Heard",
    "ServerConnection",
    "State",
    "check_name",
    "error",
    "member_id",
    "new_secret",
]
