"""A room: who is in it, the order of their transactions, leases. A deterministic state machine, without I/O or clock.

`fold` takes the entries of the room's log one after another and returns what is to be sent. Whoever folds the same log
holds the same room. Presence is not of the log: it is never stored, and dies with its member.
"""

from __future__ import annotations

from .entries import Admit, Broadcast, Done, Effect, Entry, Expel, Send
from .fold import Room
from .present import Knowledge
from .rights import ROLES

__all__ = ["ROLES", "Admit", "Broadcast", "Done", "Effect", "Entry", "Expel", "Knowledge", "Room", "Send"]
