"""Two or more members and the room's order between them, without a line: what was said waits until it is delivered."""

from __future__ import annotations

from typing import Any

import orjson

from broadcaster.member import Member
from broadcaster.room import Admit, Broadcast, Entry, Expel, Room, Send
from broadcaster.wire import Message
from tests.effects import apart

FOLDED = ("tx", "ack", "reject", "digest")


class Company:
    """Members by name, each as the room sees it. Roles are asked for by name: "viewer ann"."""

    def __init__(self, *names: str) -> None:
        self.room = Room("r", "epoch")
        self.members = {name: Member(name) for name in names}
        self.up: list[tuple[str, Message]] = []
        self.down: dict[str, list[Message]] = {name: [] for name in names}
        self.online: set[str] = set()
        self._number = 0
        for name in names:
            self.join(name)
        self.settle()

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def edit(self, name: str, *deltas: Any, **options: Any) -> None:
        message = self.members[name].edit(list(deltas), **options)
        if message is not None and name in self.online:
            self.up.append((name, message))

    def tree(self, name: str, uuid: str) -> Any:
        """What that member shows of an entity."""
        entity = self.members[name].shown.get(uuid)
        return None if entity is None else entity.tree

    def told(self, name: str) -> list[str]:
        """Why edits of that member gave way, in order."""
        return [
            reason
            for kept in self.members[name].overruled
            for reason in ([drop.reason for drop in kept.dropped] or [kept.reason])
        ]

    # The line

    def join(self, name: str, role: str | None = None) -> None:
        member = self.members.setdefault(name, Member(name))
        self.down.setdefault(name, [])
        known = {"epoch": "epoch", "revision": member.revision} if member.ready else {}
        self.online.add(name)
        self._fold(name, {"type": "join", "name": name, "role": role} | known)

    def lose(self, name: str) -> None:
        """What is on its way, in both directions, is lost."""
        self.online.discard(name)
        self.up = [said for said in self.up if said[0] != name]
        self.down[name].clear()
        self._fold(name, {"type": "lost"})

    def resolve(self, most: int | None = None) -> None:
        """The room takes what was said."""
        said, self.up = self.up[:most], self.up[len(self.up) if most is None else most :]
        for name, message in said:
            self._fold(name, message)

    def deliver(self, *names: str) -> None:
        """Members take what the room said."""
        for name in names or self.members:
            batch, self.down[name] = self.down[name], []
            self.members[name].receive(batch)

    def settle(self, *order: str) -> None:
        """All that was said comes to its end; the room hears those in `order` first."""
        self.up.sort(key=lambda said: order.index(said[0]) if said[0] in order else len(order))
        while self.up:
            self.resolve()
            self.deliver()
        self.deliver()

    def all_equal(self) -> bool:
        """Whether nobody waits for anything and all show the room's document."""
        digests = {member.shown.digest() for member in self.members.values()} | {self.room.document.digest()}
        return len(digests) == 1 and not any(member.pending for member in self.members.values())

    def _fold(self, name: str, request: Message) -> None:
        entry = Entry(self._number, 0.0, name, _plain(request))
        self._number += 1
        for effect in apart(self.room.fold(entry)):
            match effect:
                case Send(to, message):
                    self._send(to, message)
                case Broadcast(message, but):
                    for to in self.online - {but}:
                        self._send(to, message)
                case Admit(to, message, records, removed):
                    for again in self.members[to].begin(_plain(message)):
                        self.up.append((to, again))
                    self.down[to].append(_plain({"type": "records", "entities": records, "removed": removed}))
                    self.down[to].append({"type": "ready", "revision": message["revision"]})
                case Expel(to, reason):
                    raise AssertionError(f"{to} is expelled: {reason}")

    def _send(self, to: str, message: Message) -> None:
        if to in self.online and message["type"] in FOLDED:
            self.down[to].append(_plain(message))


def _plain(message: Message) -> Message:
    plain: Message = orjson.loads(orjson.dumps(message))
    return plain
