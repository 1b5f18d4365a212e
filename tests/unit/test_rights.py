"""What an owner may ask of a room, and who runs the broadcaster."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster import snapshot
from broadcaster.errors import RemoteProtocolError
from broadcaster.limits import Limits
from broadcaster.protocol.check import check_govern
from broadcaster.room import ROLES, Broadcast, Entry, Expel, Room, Send
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


# Roles

CUBE = ["cube", ["create", "objects", {"x": 0}]]
JOB = ["job", ["create", "jobs", {"frame": 1}]]
MOVE = ["cube", ["patch", {"x": ["put", 1]}]]


def log_of(role: str) -> Log:
    """Ann's room with a cube, a job, and wil in that role."""
    log = Log()
    log("ann", "tx", seq=1, base=0, deltas=[CUBE, JOB])
    log("wil", "join", name="Wil", role=role, invited=role, bound=True)
    assert log.room.present["wil"].role == role
    return log


def answer(log: Log, *deltas: Any) -> tuple[str, Any]:
    """What wil is answered to its next transaction."""
    seq = log.room._answers["wil"].last + 1
    effects = log("wil", "tx", seq=seq, base=log.room.revision, deltas=list(deltas))
    (told,) = [one.message for one in effects if isinstance(one, Send) and one.member == "wil"]
    return told["type"], told.get("reason")


def leases(log: Log, key: str) -> bool:
    log("wil", "lease", op="acquire", key=key, seconds=10)
    return log.room._leases.holder(key) == "wil"


# role: edits others' work, makes things, leases a job, leases anything else, stores blobs, governs
MAY = {
    "owner": (True, True, True, True, True, True),
    "editor": (True, True, True, True, True, False),
    "worker": (False, True, True, False, True, False),
    "viewer": (False, False, False, False, False, False),
}


def test_there_is_a_row_for_each_role() -> None:  # RIGHT7
    assert MAY.keys() == ROLES.keys()


@pytest.mark.parametrize("role", MAY)
def test_each_role_does_what_its_row_says(role: str) -> None:  # RIGHT7
    rights = (
        answer(log_of(role), MOVE)[0] == "ack",
        answer(log_of(role), ["new", ["create", "objects", {"x": 0}]])[0] == "ack",
        leases(log_of(role), "job"),
        leases(log_of(role), "cube"),
        log_of(role).room.present["wil"].may.store,
        log_of(role).govern("wil", "keep", on=False)[1] is None,
    )
    assert rights == MAY[role]


def test_a_worker_changes_what_it_made_and_the_jobs_it_holds() -> None:  # RIGHT8
    log = log_of("worker")
    frame = ["frame", ["create", "images", {"n": 1}]]
    assert answer(log, frame, ["frame", ["patch", {"n": ["put", 2]}]]) == ("ack", None)
    assert answer(log, ["frame", ["patch", {"n": ["put", 3]}]]) == ("ack", None)
    done = ["job", ["patch", {"frame": ["put", 2]}]]
    assert answer(log, done) == ("reject", "role")
    assert leases(log, "job")
    assert answer(log, done, ["frame", ["remove"]]) == ("ack", None)
    log("wil", "lease", op="release", key="job")
    assert answer(log, done) == ("reject", "role")


@pytest.mark.parametrize(
    "deltas",
    [
        [MOVE],
        [["cube", ["remove"]]],
        [["cube", ["remove"]], CUBE],
        [["own", ["create", "objects", {}]], MOVE],  # the whole of it, then
        [["cube", ["patch", {"on": ["link", ["own"], []]}]]],
    ],
)
def test_a_worker_spoils_nobody_elses_work(deltas: list[Any]) -> None:  # RIGHT8
    log = log_of("worker")
    before = log.room.document.digest()
    assert answer(log, *deltas) == ("reject", "role")
    assert log.room.document.digest() == before


def test_a_worker_does_not_lease_what_is_no_job_nor_what_another_holds() -> None:  # RIGHT8
    log = log_of("worker")
    assert not any(leases(log, key) for key in ("cube", "nothing", ""))
    log("ann", "lease", op="acquire", key="job", seconds=10)
    assert not leases(log, "job")


def test_what_a_worker_may_outlives_a_snapshot_and_old_logs_are_folded_as_they_were() -> None:  # RIGHT9
    log = log_of("worker")
    again = Room("r", "e")
    snapshot.restore(again, snapshot.parts(log.room))
    log.room = again
    assert answer(log, MOVE) == ("reject", "role")
    log("old", "join", name="Old", role="worker")  # as it was logged once
    log("old", "tx", seq=1, base=log.room.revision, deltas=[MOVE])
    cube = log.room.document.get("cube")
    assert cube is not None
    assert cube.tree["x"] == 1
