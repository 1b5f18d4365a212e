"""What an owner may ask of a room, and who runs the broadcaster."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.limits import Limits
from broadcaster.protocol.check import check_govern
from broadcaster.room import Broadcast, Entry, Expel, Room, Send
from tests.effects import apart


class Log:
    """A room with ann, who owns it, bob, and a second bob from elsewhere."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.room = Room("r", "e", limits or Limits())
        self.number = 0
        for id, name in (("ann", "Ann"), ("bob", "Bob"), ("rob", "Bob")):
            self(id, "join", name=name, address="" if id == "ann" else f"10.0.0.{len(self.room.present)}")

    def __call__(self, member: str, kind: str, /, **fields: Any) -> list[Any]:
        self.number += 1
        return list(apart(self.room.fold(Entry(self.number, 0.0, member, {"type": kind} | fields))))

    def govern(self, member: str, op: str, /, **fields: Any) -> tuple[list[Any], str | None]:
        """What follows, and why it was refused, if it was."""
        *effects, answer = self(member, "govern", op=op, **fields)
        assert isinstance(answer, Send)
        assert (answer.member, answer.message["op"]) == (member, op)
        return effects, answer.message.get("refused")


@pytest.mark.parametrize("op", ["kick", "ban", "unban", "owner", "keep", "frozen", "password"])
def test_only_owners_govern(op: str) -> None:  # RIGHT1
    log = Log()
    before = log.room.state()
    for member in ("bob", "nobody"):
        assert log.govern(member, op, member="ann", on=True, lock=None) == ([], "only an owner of the room does that")
    assert log.room.state() == before


@pytest.mark.parametrize("who", ["ann", ""])
def test_who_is_kicked_is_gone_with_its_leases_and_may_come_back(who: str) -> None:  # RIGHT2
    log = Log()
    log("bob", "lease", op="acquire", key="k", seconds=10)
    (expelled, free, left), refused = log.govern(who, "kick", member="bob")
    assert expelled == Expel("bob", "you are removed from room 'r'")
    assert (free.message["holder"], left.message["left"], refused) == (None, ["bob"], None)
    assert log("bob", "lost") == []
    log("bob", "join", name="Bob")
    assert "bob" in log.room.present


def test_a_name_that_two_have_names_nobody() -> None:  # RIGHT2
    assert Log().govern("ann", "kick", member="Bob") == ([], "there are 2 members 'Bob' in room 'r'")
    assert Log().govern("ann", "kick", member="Eve") == ([], "there are 0 members 'Eve' in room 'r'")


def test_who_is_banned_does_not_come_back_nor_anybody_from_there() -> None:  # RIGHT3
    log = Log()
    log.govern("ann", "ban", member="bob")
    again = Room("r", "e")
    again.restore(log.room.state())
    log.room = again  # after a restart, too
    away = [Expel("bob", "you are banned from room 'r'")]
    assert log("bob", "join", name="Bob", address="10.9.9.9") == away
    assert log("new", "join", name="New", address="10.0.0.1") == [Expel("new", "you are banned from room 'r'")]
    assert "rob" in again.present
    assert log.govern("ann", "unban", member="eve") == ([], "nobody is banned as 'eve'")
    assert log.govern("ann", "unban", member="10.0.0.1") == ([], None)
    log("bob", "join", name="Bob", address="10.0.0.1")
    assert "bob" in again.present


def test_a_ban_of_somebody_on_this_machine_bans_no_others_there() -> None:  # RIGHT3
    log = Log()
    log("eve", "join", name="Eve")
    log.govern("ann", "ban", member="Eve")
    log("dan", "join", name="Dan")
    assert "dan" in log.room.present


def test_bans_are_bounded() -> None:  # RIGHT3, LIMIT2
    log = Log(Limits(banned=1))
    log.govern("ann", "ban", member="bob")
    assert log.govern("ann", "ban", member="rob") == ([], "1 members are banned, which is all that are kept in mind")
    assert "rob" in log.room.present


def test_a_room_is_handed_over() -> None:  # RIGHT4
    log = Log()
    ((news,), refused) = log.govern("ann", "owner", member="bob")
    assert isinstance(news, Broadcast)
    assert {one["id"]: one["role"] for one in news.message["joined"]} == {"bob": "owner", "ann": "editor"}
    assert refused is None
    for member in ("ann", "bob"):
        log(member, "lost")
        log(member, "join", name=member)
    assert {id: one.role for id, one in log.room.present.items()} == {"rob": "editor", "ann": "editor", "bob": "owner"}
    assert log.govern("ann", "keep", on=False)[1] is not None
    assert log.govern("bob", "owner", member="bob")[1] is None
    assert log.room.present["bob"].role == "owner"


def test_settings_stay_over_a_restart() -> None:  # RIGHT5
    log, again = Log(), Room("r", "e")
    log.govern("ann", "keep", on=False)
    log.govern("ann", "frozen", on=True)
    log.govern("ann", "password", lock=["salt", "hash"])
    again.restore(log.room.state())
    assert (again.keep, again.frozen, again.lock) == (False, True, ["salt", "hash"])
    answer = log("ann", "tx", seq=1, base=0, deltas=[["a", ["create", "objects", {}]]])[0]
    assert answer.message["reason"] == "frozen"
    log.govern("", "frozen", on=False)
    log.govern("", "password", lock=None)
    assert (log.room.frozen, log.room.lock) == (False, None)


@pytest.mark.parametrize("fields", [{"op": "crown"}, {"op": "kick"}, {"op": "keep", "member": "ann"}, {"op": ""}])
def test_what_says_too_little_is_refused(fields: dict[str, Any]) -> None:  # RIGHT1
    with pytest.raises(RemoteProtocolError, match="malformed 'govern'"):
        check_govern({"type": "govern"} | fields)
