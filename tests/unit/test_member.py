"""Confirmed and pending: what a member shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.document import Document, Overlay
from broadcaster.errors import Rejected, RemoteProtocolError
from broadcaster.member import Member, Message
from broadcaster.tree import ref

CUBE = ["cube", ["create", "objects", {"name": "Cube", "x": 0, "y": 0}]]


def put(name: str, value: Any, uuid: str = "cube") -> list[Any]:
    return [uuid, ["patch", {name: ["put", value]}]]


class Room:
    """A room's order without its network: sent messages wait in queues until they are delivered."""

    def __init__(self, *members: Member) -> None:
        self.document = Document()
        self.members = members
        self.inbox: list[tuple[Member, Message]] = []
        self.outbox: dict[str, list[Message]] = {member.id: [] for member in members}

    def send(self, member: Member, *deltas: Any) -> None:
        message = member.edit(list(deltas))
        assert message is not None
        self.inbox.append((member, message))

    def resolve(self) -> None:
        for sender, message in self.inbox:
            revision = self.document.revision + 1
            try:
                outcome = self.document.apply(
                    message["deltas"],
                    revision=revision,
                    sender=sender.id,
                    base=message["base"],
                    expect=message.get("expect"),
                )
            except Rejected as exc:
                self.outbox[sender.id].append({"type": "reject", "seq": message["seq"], "reason": exc.reason})
                continue
            dropped = [[drop.uuid, list(drop.path), drop.reason] for drop in outcome.dropped]
            answer = {"type": "ack", "seq": message["seq"], "revision": revision, "dropped": dropped}
            if outcome.effect is not message["deltas"]:
                answer["effect"] = outcome.effect
            for member in self.members:
                tx = {"type": "tx", "revision": revision, "member": sender.id, "deltas": outcome.effect}
                self.outbox[member.id].append(answer if member is sender else tx)
        self.inbox.clear()

    def deliver(self, *members: Member) -> dict[str, set[str]]:
        touched = {member.id: member.receive(self.outbox[member.id]) for member in members or self.members}
        for id in touched:
            self.outbox[id].clear()
        return touched

    def settle(self) -> None:
        self.resolve()
        self.deliver()


def shown(member: Member, uuid: str = "cube") -> Any:
    entity = member.shown.get(uuid)
    return entity and entity.tree


@pytest.fixture
def two() -> tuple[Room, Member, Member]:
    a, b = Member("a"), Member("b")
    room = Room(a, b)
    room.send(a, CUBE)
    room.settle()
    return room, a, b


def equal(*members: Member) -> bool:
    return len({member.confirmed.digest() for member in members}) == 1


def test_an_edit_shows_at_once_and_is_confirmed_later(two: tuple[Room, Member, Member]) -> None:  # MEMBER1
    room, a, b = two
    room.send(a, put("x", 1))
    assert (shown(a)["x"], a.confirmed.get("cube").tree["x"], shown(b)["x"]) == (1, 0, 0)  # type: ignore[union-attr]
    room.settle()
    assert (shown(a)["x"], shown(b)["x"], a.pending) == (1, 1, type(a.pending)())
    assert equal(a, b)


def test_one_property_set_by_two_ends_equal(two: tuple[Room, Member, Member]) -> None:  # MEMBER2
    room, a, b = two
    room.send(a, put("x", 1))
    room.send(b, put("x", 2))
    assert (shown(a)["x"], shown(b)["x"]) == (1, 2)
    room.settle()
    assert (shown(a)["x"], shown(b)["x"]) == (2, 2)
    assert equal(a, b)


def test_ones_own_pending_edit_is_not_overwritten(two: tuple[Room, Member, Member]) -> None:  # MEMBER2
    room, a, b = two
    room.send(b, put("x", 2))
    room.resolve()
    room.send(a, put("x", 1))
    room.deliver()
    assert shown(a)["x"] == 1
    room.settle()
    assert (shown(a)["x"], shown(b)["x"]) == (1, 1)


def test_what_the_room_rejects_is_taken_back_and_kept(two: tuple[Room, Member, Member]) -> None:  # MEMBER3
    room, a, b = two
    room.send(b, ["ball", ["create", "objects", {"name": "Ball"}]])
    room.send(a, ["ball", ["create", "objects", {"name": "Mine"}]], put("x", 1))
    room.settle()
    assert shown(a, "ball") == {"name": "Ball"}
    assert shown(a)["x"] == 0
    assert [(kept.reason, len(kept.deltas)) for kept in a.overruled] == [("exists", 2)]
    assert equal(a, b)


def test_what_was_dropped_is_taken_back_and_kept(two: tuple[Room, Member, Member]) -> None:  # MEMBER3
    room, a, b = two
    room.send(b, ["cube", ["remove"]])
    room.send(a, put("x", 5), ["lamp", ["create", "lights", {"name": "Lamp"}]])
    room.settle()
    assert shown(a) is None
    assert shown(b, "lamp") == {"name": "Lamp"}
    assert [drop.reason for drop in a.overruled[0].dropped] == ["gone"]
    assert equal(a, b)


def test_a_removal_that_did_not_hold_comes_back(two: tuple[Room, Member, Member]) -> None:  # MEMBER3
    room, a, b = two
    room.send(a, ["mesh", ["create", "meshes", {"name": "Mesh"}]])
    room.settle()
    room.send(b, ["twin", ["create", "objects", {"data": ref("mesh", strong=True)}]])
    room.send(a, ["mesh", ["remove"]])
    assert shown(a, "mesh") is None
    room.resolve()
    assert "mesh" in room.deliver()["a"]
    assert shown(a, "mesh") == {"name": "Mesh"}
    assert equal(a, b)


def test_many_pending_edits_stay_in_order(two: tuple[Room, Member, Member]) -> None:  # MEMBER4
    room, a, b = two
    for value in range(5):
        room.send(a, put("x", value))
        room.send(b, put("y", value))
    room.resolve()
    room.send(a, put("x", 99))
    room.deliver()
    assert (shown(a)["x"], shown(a)["y"], len(a.pending)) == (99, 4, 1)
    room.settle()
    assert equal(a, b)


def test_after_a_rejoin_everything_pending_goes_again(two: tuple[Room, Member, Member]) -> None:  # MEMBER5
    room, a, b = two
    room.send(a, put("x", 1))
    room.send(a, put("y", 1))
    room.resolve()  # the answers get lost with the connection
    answers = room.outbox["a"][:]
    room.outbox["a"].clear()
    again = a.begin({"epoch": "e", "since": "changes", "answered": 3})
    assert [message["seq"] for message in again] == [2, 3]
    found = room.document.since(1)
    assert found is not None
    entities = [{**record, "tree": room.document.get(record["uuid"]).tree} for record in found[0]]  # type: ignore[union-attr]
    a.receive([{"type": "records", "entities": entities, "removed": []}, {"type": "ready", "revision": 3}, *answers])
    room.deliver()
    assert (a.ready, len(a.pending)) == (True, 0)
    assert equal(a, b)


def test_a_room_that_forgot_us_gets_our_edits_numbered_anew(two: tuple[Room, Member, Member]) -> None:  # MEMBER5
    room, a, _ = two
    room.send(a, put("x", 1))
    assert [
        message["seq"] for message in a.begin({"epoch": "e", "since": "snapshot", "answered": 0, "revision": 0})
    ] == [1]


def test_what_a_snapshot_no_longer_holds_is_touched(two: tuple[Room, Member, Member]) -> None:  # MEMBER5
    _, a, _ = two
    a.begin({"epoch": "e", "since": "snapshot", "answered": 0, "revision": 1})
    sun = {"uuid": "sun", "kind": "lights", "created": 1, "changed": 1, "creator": "c", "tree": {}}
    records = {"type": "records", "entities": [sun], "removed": []}
    assert a.receive([records, {"type": "ready", "revision": 1}]) == {"cube", "sun"}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ack", "seq": 7, "revision": 9},
        {"type": "tx", "revision": 9, "member": "b", "deltas": [put("x", 1, "nobody")]},
        {"type": "tx", "revision": 9, "member": "b", "deltas": [CUBE]},
        {"type": "tx", "revision": 9, "member": "b", "deltas": "x"},
        {"type": "news"},
    ],
)
def test_a_room_that_contradicts_itself_is_not_believed(
    two: tuple[Room, Member, Member], message: Message
) -> None:  # MEMBER6
    _, a, _ = two
    with pytest.raises(RemoteProtocolError):
        a.receive([message])


# The content of a room


def record(uuid: str, tree: Any, changed: int = 1, creator: str = "c") -> Message:
    return {"uuid": uuid, "kind": "k", "created": changed, "changed": changed, "creator": creator, "tree": tree}


def records(*entities: Message, removed: tuple[str, ...] = ()) -> Message:
    return {"type": "records", "entities": list(entities), "removed": list(removed)}


def test_content_shows_when_all_of_it_is_here(two: tuple[Room, Member, Member]) -> None:  # MEMBER7
    _, a, _ = two
    a.edit([put("x", 5)])
    a.begin({"epoch": "e", "since": "snapshot", "answered": 0, "revision": 9})
    assert a.receive([records(record("cube", {"x": 0, "y": 7}, 9, "b"))]) == set()
    assert shown(a) == {"name": "Cube", "x": 5, "y": 0}
    assert a.receive([records(record("sun", {})), {"type": "ready", "revision": 9}]) == {"cube", "sun"}
    assert (shown(a), shown(a, "sun")) == ({"x": 0, "y": 7}, {})  # ours was made for another cube
    assert a.revision == 9


def test_records_of_a_lost_connection_are_forgotten(two: tuple[Room, Member, Member]) -> None:  # MEMBER7
    _, a, b = two
    a.receive([records(record("half", {}))])
    a.begin({"epoch": "e", "since": "changes", "answered": 1, "revision": 1})
    a.receive([{"type": "ready", "revision": 1}])
    assert equal(a, b)


def test_an_edit_made_while_a_snapshot_comes_is_based_on_what_is_there(
    two: tuple[Room, Member, Member],
) -> None:  # MEMBER7
    room, a, _ = two
    room.send(a, put("x", 1))
    room.settle()
    a.begin({"epoch": "another", "since": "snapshot", "answered": 0, "revision": 1})
    message = a.edit([put("y", 1)])
    assert message is not None
    assert (message["seq"], message["base"]) == (1, 1)


# Strictness


def count_up(read: Any) -> Any:
    return [put("x", read("cube").tree["x"] + 1)]


def test_an_attempt_is_made_anew_until_it_fits(two: tuple[Room, Member, Member]) -> None:  # MEMBER8
    room, a, b = two
    for member in (a, b):
        message = member.attempt(count_up)
        assert message is not None
        assert message["expect"] == {"cube": 1}
        room.inbox.append((member, message))
    room.settle()
    (again,) = b.outgoing
    assert (again["expect"], shown(b)["x"], a.outgoing) == ({"cube": 2}, 2, [])
    room.inbox.append((b, again))
    room.settle()
    assert (shown(a)["x"], shown(b)["x"], b.overruled) == (2, 2, [])


def test_an_attempt_behind_ones_own_edit_comes_through(two: tuple[Room, Member, Member]) -> None:  # MEMBER8
    room, a, _ = two
    room.send(a, put("y", 3))
    message = a.attempt(count_up)
    assert message is not None
    room.inbox.append((a, message))
    room.settle()
    room.inbox.append((a, a.outgoing.pop()))
    room.settle()
    assert shown(a) == {"name": "Cube", "x": 1, "y": 3}


def test_an_attempt_is_given_up(two: tuple[Room, Member, Member]) -> None:  # MEMBER8
    room, a, b = two
    message = a.attempt(count_up, tries=2)
    while message is not None:
        room.send(b, put("x", 50))
        room.inbox.append((a, message))
        room.settle()
        message = a.outgoing.pop() if a.outgoing else None
    assert [kept.reason for kept in a.overruled] == ["expect"]
    assert shown(a)["x"] == 50
    assert a.attempt(lambda read: []) is None


# Comparing with the room


def test_another_digest_is_drift(two: tuple[Room, Member, Member]) -> None:  # MEMBER9
    room, a, _ = two
    assert a.ask_digest(10) is None  # nothing has come yet
    a.receive([{"type": "ready", "revision": 1}])
    a.receive([records(*(record(f"u{number}", {}) for number in range(10))), {"type": "ready", "revision": 2}])
    assert [a.ask_digest(5) for _ in range(3)] == [None, None, {"type": "digest"}]
    for revision, digest in [(2, a.confirmed.digest()), (1, "old"), (3, "new"), (2, None)]:
        a.receive([{"type": "digest", "revision": revision, "digest": digest}])
    assert a.drift == 0
    a.receive([{"type": "digest", "revision": 2, "digest": room.document.digest()}])
    assert a.drift == 1


# A room that lost its end


def rejoin(member: Member, kept: int, *, epoch: str = "two", answered: int = 0) -> list[list[Any]]:
    """The deltas that `member` offers to a room that began a new epoch at revision `kept`."""
    joined = {"epoch": epoch, "before": [["none", 1], ["one", kept]], "since": "snapshot"}
    return [message["deltas"] for message in member.begin(joined | {"answered": answered, "revision": kept})]


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def told(now: list[float]) -> Member:
    """One whose three edits were acknowledged, at ten seconds' distance."""
    member = Member("a", clock=lambda: now[0])
    member.begin({"epoch": "one", "before": [], "since": "snapshot", "answered": 0, "revision": 0})
    member.receive([{"type": "ready", "revision": 0}])
    for seq, deltas in enumerate([[CUBE], [put("x", 1)], [put("x", 2)]], start=1):
        now[0] += 10.0
        member.edit(deltas)
        member.receive([{"type": "ack", "seq": seq, "revision": seq}])
    return member


@pytest.mark.parametrize(("kept", "count"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_what_a_room_lost_is_offered_again(told: Member, kept: int, count: int) -> None:  # MEMBER11
    assert rejoin(told, kept) == [[CUBE], [put("x", 1)], [put("x", 2)]][3 - count :]
    assert [pending.seq for pending in told.pending] == list(range(1, count + 1))


def test_what_was_offered_again_comes_before_what_is_pending(told: Member) -> None:  # MEMBER11
    told.edit([put("y", 5)])
    assert rejoin(told, 2) == [[put("x", 2)], [put("y", 5)]]


def test_what_is_older_than_a_minute_is_not_offered(told: Member, now: list[float]) -> None:  # MEMBER11
    now[0] = 75.0
    assert rejoin(told, 0) == [[put("x", 1)], [put("x", 2)]]


def test_the_same_epoch_or_an_unknown_one_is_offered_nothing(told: Member) -> None:  # MEMBER11
    assert rejoin(told, 0, epoch="one", answered=3) == []
    assert told.begin({"epoch": "two", "since": "snapshot", "answered": 0, "revision": 0}) == []
    assert rejoin(told, 0, epoch="three") == []  # what was of the first epoch is told no more


def test_a_malformed_history_is_not_believed(told: Member) -> None:  # MEMBER11
    joined = {"epoch": "two", "before": ["one", ["one"], ["one", "x"], 7], "since": "snapshot"}
    assert told.begin(joined | {"answered": 0, "revision": 0}) == []


# What is shown

UUIDS = st.sampled_from("abcd")
EDITS = st.one_of(
    st.builds(lambda uuid: [uuid, ["create", "k", {"x": 0}]], UUIDS),
    st.builds(lambda uuid: [uuid, ["remove"]], UUIDS),
    st.builds(lambda uuid, value: put("x", value, uuid), UUIDS, st.integers(0, 9)),
    st.builds(lambda uuid, name: put("to", ref(name, strong=True), uuid), UUIDS, UUIDS),
    st.builds(lambda uuid: put("to", None, uuid), UUIDS),
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["a", "b"]), st.lists(EDITS, min_size=1, max_size=3)),
    st.sampled_from(["resolve", "a", "b"]),
)


@given(st.lists(STEPS, max_size=40))
def test_what_is_shown_is_what_is_pending_on_top_of_what_is_confirmed(steps: list[Any]) -> None:  # MEMBER10
    members = {"a": Member("a"), "b": Member("b")}
    room = Room(*members.values())
    for step in steps:
        match step:
            case "resolve":
                room.resolve()
            case str(name):
                room.deliver(members[name])
            case name, deltas:
                if (message := members[name].edit(deltas)) is not None:
                    room.inbox.append((members[name], message))
        for member in members.values():
            anew = Overlay(member.confirmed)
            for pending in member.pending:
                anew.fold(pending.deltas, member.id, pending.base)
            assert {uuid: shown(member, uuid) for uuid in member.shown} == {
                uuid: entity.tree for uuid in anew if (entity := anew.get(uuid))
            }
    room.settle()
    room.settle()
    assert equal(*members.values())
