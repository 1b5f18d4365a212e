"""What may be said when, and with which fields."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias


class State(Enum):
    GREETING = "before the greeting"
    LOBBY = "before joining"
    EDITS = "in a room"
    BLOBS = "on a blob connection"
    CLOSED = "after the end"

    __hash__ = object.__hash__  # an Enum's own is slow, and states are looked up for every message


Transitions: TypeAlias = dict[State, dict[str, State]]

FROM_CLIENT: Final[Transitions] = {
    State.GREETING: {"hello": State.LOBBY},
    State.LOBBY: {
        "rooms": State.LOBBY,
        "authorize": State.LOBBY,
        "delete": State.LOBBY,
        "invite": State.LOBBY,
        "govern": State.LOBBY,
        "ping": State.LOBBY,
        "join": State.EDITS,
        "attach": State.BLOBS,
        "leave": State.CLOSED,
    },
    State.EDITS: {
        "tx": State.EDITS,
        "presence": State.EDITS,
        "lease": State.EDITS,
        "digest": State.EDITS,
        "govern": State.EDITS,
        "ping": State.EDITS,
        "leave": State.CLOSED,
    },
    State.BLOBS: {"has": State.BLOBS, "get": State.BLOBS, "piece": State.BLOBS, "leave": State.CLOSED},
    State.CLOSED: {},
}

FROM_SERVER: Final[Transitions] = {
    State.GREETING: {"welcome": State.LOBBY, "error": State.CLOSED},
    State.LOBBY: {
        "rooms": State.LOBBY,
        "authorized": State.LOBBY,
        "deleted": State.LOBBY,
        "invitation": State.LOBBY,
        "governed": State.LOBBY,
        "pong": State.LOBBY,
        "joined": State.EDITS,
        "attached": State.BLOBS,
        "error": State.CLOSED,
    },
    State.EDITS: {
        "records": State.EDITS,
        "ready": State.EDITS,
        "tx": State.EDITS,
        "ack": State.EDITS,
        "reject": State.EDITS,
        "notice": State.EDITS,
        "presence": State.EDITS,
        "members": State.EDITS,
        "lease": State.EDITS,
        "digest": State.EDITS,
        "governed": State.EDITS,
        "pong": State.EDITS,
        "error": State.CLOSED,
    },
    State.BLOBS: {"missing": State.BLOBS, "absent": State.BLOBS, "piece": State.BLOBS, "error": State.CLOSED},
    State.CLOSED: {},
}

Kinds: TypeAlias = tuple[type, ...]
Fields: TypeAlias = dict[str, dict[str, Kinds]]

TEXT: Final[Kinds] = (str,)
WHOLE: Final[Kinds] = (int,)
LIST: Final[Kinds] = (list,)
STRUCT: Final[Kinds] = (dict,)
ABSENT: Final = type(None)  # in a row: the field may be missing, or null

CLIENT_FIELDS: Final[Fields] = {
    "hello": {"protocol": WHOLE, "agent": TEXT, "capabilities": LIST},
    "rooms": {},
    "authorize": {"secret": TEXT},  # the server's
    "delete": {"room": TEXT},
    "invite": {"room": TEXT, "role": TEXT, "seconds": (int, float)},
    "join": {
        "room": TEXT,
        "name": TEXT,
        "secret": TEXT,
        "create": (bool, str, ABSENT),  # true: a new room; "if-missing"; else only one that exists
        "password": (str, ABSENT),  # of the room; a new one gets it
        "invitation": (str, ABSENT),
        "from": (str, ABSENT),  # the room whose content a new one begins with
        "keep": (bool, ABSENT),  # false: a new room goes soon after its last member
        "frozen": (bool, ABSENT),  # true: nobody changes a new room
        "color": (str, ABSENT),
        "role": (str, ABSENT),
        "epoch": (str, ABSENT),  # with `revision`: what a member that comes back holds
        "revision": (int, ABSENT),
    },
    "attach": {"room": TEXT, "secret": TEXT},
    "tx": {"seq": WHOLE, "base": WHOLE, "deltas": LIST, "expect": (dict, ABSENT)},
    "presence": {"state": STRUCT},
    "lease": {"op": TEXT, "key": TEXT, "seconds": (int, float, ABSENT), "fencing": (int, ABSENT)},
    "govern": {
        "op": TEXT,
        "room": (str, ABSENT),  # by who has not joined it
        "member": (str, ABSENT),  # kick, ban, owner: an id or a name; unban: an id or an address
        "on": (bool, ABSENT),  # keep, frozen
        "password": (str, ABSENT),  # null: none
    },
    "digest": {},
    "ping": {"id": WHOLE},
    "leave": {},
    "has": {"shas": LIST},
    "get": {"shas": LIST},
}

SERVER_FIELDS: Final[Fields] = {
    "welcome": {"protocol": WHOLE, "agent": TEXT, "capabilities": LIST},
    "rooms": {"rooms": LIST},
    "authorized": {},
    "deleted": {"room": TEXT},
    "invitation": {"token": TEXT},
    "governed": {"op": TEXT, "refused": (str, ABSENT)},
    "joined": {
        "member": TEXT,
        "epoch": TEXT,
        "before": (list, ABSENT),  # [epoch, revision] each: up to there all of an earlier epoch is here
        "revision": WHOLE,
        "role": TEXT,
        "since": TEXT,  # "snapshot": the records are everything; "changes": since the revision that the join named
        "answered": WHOLE,  # the last sequence number of this member that the room answered
        "members": LIST,
        "leases": LIST,
    },
    "attached": {},
    "records": {"entities": LIST, "removed": LIST},
    "ready": {"revision": WHOLE},
    "tx": {
        "revision": WHOLE,
        "member": TEXT,
        "deltas": LIST,
        "more": (list, ABSENT),  # the deltas of its next transactions, which make the next revisions
    },
    "ack": {
        "seq": WHOLE,
        "revision": WHOLE,
        "dropped": (list, ABSENT),
        "effect": (list, ABSENT),
        "more": (int, ABSENT),  # so many that follow are answered likewise
    },
    "reject": {
        "seq": WHOLE,
        "reason": TEXT,
        "detail": TEXT,
        "versions": (dict, ABSENT),  # "expect": uuid -> version of what is at another than the expected one
    },
    "notice": {"reason": (str, ABSENT)},  # why nothing can be changed now; null: it can be again
    "presence": {"member": TEXT, "state": STRUCT},
    "members": {"joined": LIST, "left": LIST},
    "lease": {
        "key": TEXT,
        "holder": (str, ABSENT),  # null: free
        "fencing": WHOLE,
        "seconds": (int, float),
        "refused": (bool, ABSENT),
    },
    "digest": {"revision": WHOLE, "digest": (str, ABSENT)},  # null: not known yet, ask again later
    "pong": {"id": WHOLE},
    "missing": {"shas": LIST},
    "absent": {"shas": LIST},
    "error": {"reason": TEXT, "retry": (bool, ABSENT)},
}
