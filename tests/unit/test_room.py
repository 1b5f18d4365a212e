"""The room as a fold of its log: no network, no clock."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import wire
from broadcaster.room import Admit, Broadcast, Effect, Entry, Expel, Room, Send
from broadcaster.room import fold as folding
from broadcaster.wire import Message
from tests.effects import apart

CUBE = ["cube", ["create", "objects", {"name": "Cube", "x": 0}]]


def put(value: Any, *, uuid: str = "cube", name: str = "x") -> list[Any]:
    return [uuid, ["patch", {name: ["put", value]}]]


class Log:
    """Writes a room's log line by line, as the shell around it does."""

    def __init__(self) -> None:
        self.room = Room("r", "epoch")
        self.entries: list[Entry] = []
        self.time = 0.0

    def __call__(self, member: str, kind: str, **fields: Any) -> list[Effect]:
        self.entries.append(Entry(len(self.entries), self.time, member, {"type": kind} | fields))
        return list(apart(self.room.fold(self.entries[-1])))

    def join(self, *members: str, **fields: Any) -> Admit:
        for member in members:
            effects = self(member, "join", name=member.title(), **fields)
        assert isinstance(effects[0], Admit)
        return effects[0]

    def tx(self, member: str, seq: int, *deltas: Any, base: int | None = None, **fields: Any) -> list[Effect]:
        known = self.room.revision if base is None else base
        return self(member, "tx", seq=seq, base=known, deltas=list(deltas), **fields)


def sent(effects: list[Effect], to: str) -> list[Message]:
    """What of `effects` reaches `to`."""
    got = []
    for effect in effects:
        match effect:
            case Send(member, message) if member == to:
                got.append(message)
            case Broadcast(message, but) if but != to:
                got.append(message)
    return got


@pytest.fixture
def log() -> Log:
    log = Log()
    log.join("ann", "bob")
    return log


# Order


def test_a_transaction_gets_the_next_revision_and_goes_to_all_others(log: Log) -> None:  # ROOM1
    effects = log.tx("ann", 1, CUBE)
    assert sent(effects, "ann") == [{"type": "ack", "seq": 1, "revision": 1}]
    assert sent(effects, "bob") == [{"type": "tx", "revision": 1, "member": "ann", "deltas": [CUBE]}]
    assert log.room.revision == 1


def test_the_sender_learns_what_took_no_effect_and_others_only_what_did(log: Log) -> None:  # ROOM2
    effects = log.tx("ann", 1, CUBE, put(1, uuid="ghost"))
    (ack,) = sent(effects, "ann")
    assert ack["dropped"] == [["ghost", (), "gone"]]
    assert ack["effect"] == [CUBE]
    assert sent(effects, "bob")[0]["deltas"] == [CUBE]


def test_what_takes_no_effect_uses_up_no_revision(log: Log) -> None:  # ROOM3
    log.tx("ann", 1, CUBE)
    effects = log.tx("bob", 1, put(1, uuid="ghost"))
    assert effects == [
        Send("bob", {"type": "ack", "seq": 1, "revision": 1, "dropped": [["ghost", (), "gone"]], "effect": []})
    ]
    assert log.room.revision == 1
    assert log.tx("bob", 2, put(2))[1] == Broadcast(
        {"type": "tx", "revision": 2, "member": "bob", "deltas": [put(2)]}, but="bob"
    )


def test_a_rejected_transaction_changes_nothing_and_only_its_sender_hears(log: Log) -> None:  # ROOM4
    log.tx("ann", 1, CUBE)
    effects = log.tx("bob", 1, put(9), CUBE)
    assert effects == [Send("bob", {"type": "reject", "seq": 1, "reason": "exists", "detail": "cube exists"})]
    entity = log.room.document.get("cube")
    assert entity is not None
    assert entity.tree["x"] == 0


def test_expected_versions_that_differ_reject_the_whole(log: Log) -> None:  # ROOM5
    log.tx("ann", 1, CUBE)
    log.tx("ann", 2, put(1))
    (answer,) = sent(log.tx("bob", 1, put(5), expect={"cube": 1}), "bob")
    assert answer["reason"] == "expect"
    (answer,) = sent(log.tx("bob", 2, put(5), expect={"cube": 2}), "bob")
    assert answer["type"] == "ack"


def test_a_transaction_is_done_once_and_answered_as_often_as_it_is_sent(log: Log) -> None:  # ROOM6
    first = log.tx("ann", 1, CUBE)[0]
    log.tx("ann", 2, put(1))
    log.join("ann")
    assert log.tx("ann", 1, CUBE) == [first]
    log.tx("ann", 2, put(1))
    assert log.room.revision == 2
    rejected = log.tx("ann", 3, CUBE)
    log.join("ann")
    assert log.tx("ann", 3, CUBE) == rejected


def test_an_effect_is_not_told_twice(log: Log) -> None:  # ROOM6
    (ack,) = sent(log.tx("ann", 1, CUBE, put(1, uuid="ghost")), "ann")
    log.join("ann")
    (again,) = sent(log.tx("ann", 1, CUBE, put(1, uuid="ghost")), "ann")
    assert orjson.dumps(again) == orjson.dumps({name: value for name, value in ack.items() if name != "effect"})


@pytest.mark.parametrize(
    ("seq", "base", "why"),
    [
        (3, 0, "came where 2 was due"),
        (1, 0, "came where 2 was due"),
        (0, 0, "came where 2 was due"),
        (2, 9, "not there yet"),
        (2, -1, "not there yet"),
    ],
)
def test_a_gap_or_an_unknown_revision_ends_the_connection(log: Log, seq: int, base: int, why: str) -> None:  # ROOM7
    log.tx("ann", 1, CUBE)
    (effect,) = log.tx("ann", seq, put(1), base=base)
    assert isinstance(effect, Expel)
    assert effect.member == "ann"
    assert why in effect.reason
    assert log.room.revision == 1


def test_answers_are_kept_for_as_many_as_may_be_in_flight(log: Log) -> None:  # ROOM8
    log.tx("ann", 1, CUBE)
    for seq in range(2, wire.MAX_IN_FLIGHT + 2):
        log.tx("ann", seq, put(seq))
    log.join("ann")
    assert isinstance(log.tx("ann", 2, put(2))[0], Send)
    log.join("ann")
    assert isinstance(log.tx("ann", 1, CUBE)[0], Expel)


def test_what_is_said_again_goes_on_from_where_it_began(log: Log) -> None:  # ROOM7
    for seq in range(1, 6):
        log.tx("ann", seq, CUBE if seq == 1 else put(seq))
    log.join("ann")
    assert isinstance(log.tx("ann", 3, put(3))[0], Send)
    (effect,) = log.tx("ann", 5, put(5))
    assert isinstance(effect, Expel)
    assert "came where 4 was due" in effect.reason


def test_the_list_of_what_was_dropped_is_bounded(log: Log) -> None:  # ROOM9
    name = "n" * 1000
    ghosts = [[f"ghost{number}", ["patch", {name: ["put", 1]}]] for number in range(5000)]
    (ack,) = sent(log.tx("ann", 1, CUBE, *ghosts), "ann")
    assert 0 < len(ack["dropped"]) < 5000
    assert ack["effect"] == [CUBE]
    log.join("ann")
    (again,) = sent(log.tx("ann", 1, CUBE, *ghosts), "ann")
    assert 0 < len(again["dropped"]) < 50  # answers are kept for many


def test_a_rejection_tells_the_versions_of_now(log: Log) -> None:  # ROOM5
    log.tx("ann", 1, CUBE, ["lamp", ["create", "lights", {}]])
    log.tx("ann", 2, put(1))
    (answer,) = sent(log.tx("bob", 1, put(5), expect={"cube": 1, "lamp": 1, "sun": 3}), "bob")
    assert (answer["reason"], answer["versions"]) == ("expect", {"cube": 2, "sun": 0})
    (answer,) = sent(log.tx("bob", 2, put(5), expect=answer["versions"]), "bob")
    assert answer["type"] == "ack"


def test_the_digest_is_told_when_it_costs_little(log: Log) -> None:  # ROOM27
    count = 2 * folding.HASHED_AT_ONCE + 1
    log.tx("ann", 1, *([f"u{number}", ["create", "objects", {}]] for number in range(count)))
    told = [log.room.digest() for _ in range(3)]
    assert [message["digest"] for message in told] == [None, None, log.room.document.digest()]
    assert {message["revision"] for message in told} == {1}


# Members


def test_a_joiner_gets_all_there_is(log: Log) -> None:  # ROOM10
    log.tx("ann", 1, CUBE)
    admitted = log.join("cid", color="#ff8800")
    assert [record["uuid"] for record in admitted.records] == ["cube"]
    joined = admitted.message
    assert (joined["since"], joined["revision"], joined["answered"]) == ("snapshot", 1, 0)
    assert [one["name"] for one in joined["members"]] == ["Ann", "Bob", "Cid"]


def test_who_comes_back_gets_what_changed_and_hears_its_last_answer(log: Log) -> None:  # ROOM11
    log.tx("ann", 1, CUBE)
    log.tx("ann", 2, ["lamp", ["create", "lights", {}]])
    log("bob", "lost")
    log.tx("ann", 3, put(1))
    log.tx("ann", 4, ["lamp", ["remove"]])
    admitted = log.join("bob", epoch="epoch", revision=2)
    assert admitted.message["since"] == "changes"
    assert [record["uuid"] for record in admitted.records] == ["cube"]
    assert admitted.removed == ["lamp"]
    log("ann", "lost")
    assert log.join("ann", epoch="epoch", revision=4).message["answered"] == 4


@pytest.mark.parametrize(
    "fields", [{"epoch": "another", "revision": 1}, {"epoch": "another", "revision": 7}, {"revision": 1}]
)
def test_who_holds_revisions_of_another_room_gets_a_snapshot(log: Log, fields: Message) -> None:  # ROOM12
    log.tx("ann", 1, CUBE)
    assert log.join("cid", **fields).message["since"] == "snapshot"


def test_a_revision_to_come_ends_the_connection(log: Log) -> None:  # ROOM28
    log.tx("ann", 1, CUBE)
    (effect,) = log("cid", "join", name="Cid", epoch="epoch", revision=2)
    assert effect == Expel("cid", "revision 2 of this epoch is not there yet")
    assert "cid" not in log.room.present


def test_others_are_told_who_comes_and_goes(log: Log) -> None:  # ROOM13
    (news,) = sent(log("cid", "join", name="Cid"), "ann")
    assert news["joined"] == [{"id": "cid", "name": "Cid", "color": "", "role": "editor", "presence": {}}]
    assert sent(log("cid", "lost"), "ann") == [{"type": "members", "joined": [], "left": ["cid"]}]
    assert log("cid", "lost") == []


def test_a_room_is_full_at_its_limit(log: Log) -> None:  # ROOM14, LIMIT2
    log("", "limits", limits={"members": 2})
    (effect,) = log("cid", "join", name="Cid")
    assert effect == Expel("cid", "room 'r' is full: 2 members")
    log.join("ann")  # who is in may come again


def test_presence_is_the_latest_value_and_dies_with_its_member(log: Log) -> None:  # ROOM15
    assert log.room.set_presence("ann", {"at": 1}) == [
        Broadcast({"type": "presence", "member": "ann", "state": {"at": 1}}, but="ann")
    ]
    log.room.set_presence("ann", {"at": 2})
    assert log.join("cid").message["members"][0]["presence"] == {"at": 2}
    log("ann", "lost")
    assert log.join("ann").message["members"][-1]["presence"] == {}
    assert log.room.set_presence("ghost", {}) == []


# Roles


def test_the_first_member_owns_the_room_and_nobody_else_can(log: Log) -> None:  # ROOM16
    assert log.room.present["ann"].role == "owner"
    assert log.join("cid", role="owner").message["role"] == "editor"
    assert log.join("dee", role="worker").message["role"] == "worker"


def test_a_viewer_changes_nothing_and_leases_nothing(log: Log) -> None:  # ROOM17
    log.tx("ann", 1, CUBE)
    log.join("vic", role="viewer")
    (answer,) = log.tx("vic", 1, put(1))
    assert isinstance(answer, Send)
    assert (answer.message["type"], answer.message["reason"]) == ("reject", "role")
    (answer,) = log("vic", "lease", op="acquire", key="cube", seconds=10)
    assert isinstance(answer, Send)
    assert answer.message["refused"]


# Leases


def test_a_lease_rejects_edits_of_others_and_says_whose_it_is(log: Log) -> None:  # ROOM18
    log.tx("ann", 1, CUBE)
    (granted,) = sent(log("ann", "lease", op="acquire", key="cube", seconds=10), "bob")
    assert (granted["holder"], granted["fencing"], granted["seconds"]) == ("ann", 1, 10)
    (answer,) = sent(log.tx("bob", 1, put(1)), "bob")
    assert (answer["reason"], answer["detail"]) == ("leased", "Ann holds cube")
    assert sent(log.tx("ann", 2, put(2)), "ann")[0]["type"] == "ack"


def test_a_held_lease_is_refused_and_a_free_one_is_fenced_anew(log: Log) -> None:  # ROOM19
    log("ann", "lease", op="acquire", key="k", seconds=10)
    (refused,) = log("bob", "lease", op="acquire", key="k", seconds=10)
    assert isinstance(refused, Send)
    assert refused.message == {
        "type": "lease", "key": "k", "holder": "ann", "fencing": 1, "seconds": 10.0, "refused": True
    }  # fmt: skip
    (free,) = sent(log("ann", "lease", op="release", key="k"), "bob")
    assert free["holder"] is None
    (granted,) = sent(log("bob", "lease", op="acquire", key="k", seconds=10), "ann")
    assert (granted["holder"], granted["fencing"]) == ("bob", 2)


def test_a_stale_fencing_number_neither_renews_nor_releases(log: Log) -> None:  # ROOM20
    log("ann", "lease", op="acquire", key="k", seconds=10)
    for op in ("renew", "release"):
        (effect,) = log("ann", "lease", op=op, key="k", seconds=10, fencing=7)
        assert isinstance(effect, Send)
        assert effect.message["refused"]
    assert sent(log("ann", "lease", op="renew", key="k", seconds=60, fencing=1), "bob")[0]["seconds"] == 60


@pytest.mark.parametrize("op", ["renew", "release", "steal"])
def test_what_nobody_holds_is_not_renewed_or_released(log: Log, op: str) -> None:  # ROOM20
    (effect,) = log("ann", "lease", op=op, key="k", seconds=10)
    assert isinstance(effect, Send)
    assert effect.message["refused"]


def test_a_lease_ends_at_its_deadline_and_not_with_the_connection(log: Log) -> None:  # ROOM21
    log.tx("ann", 1, CUBE)
    log("ann", "lease", op="acquire", key="cube", seconds=10)
    log("ann", "lost")
    assert log.room.next_deadline == 10
    log.time = 9.9
    assert sent(log.tx("bob", 1, put(1)), "bob")[0]["reason"] == "leased"
    log.time = 10.0
    (free,) = sent(log("", "tick"), "bob")
    assert (free["key"], free["holder"]) == ("cube", None)
    assert sent(log.tx("bob", 2, put(1)), "bob")[0]["type"] == "ack"
    assert log.room.next_deadline is None


def test_an_edit_after_the_deadline_is_free_even_before_the_tick(log: Log) -> None:  # ROOM21
    log.tx("ann", 1, CUBE)
    log("ann", "lease", op="acquire", key="cube", seconds=10)
    log.time = 11.0
    news = sent(log.tx("bob", 1, put(1)), "bob")
    assert [message["type"] for message in news] == ["lease", "ack"]


def test_leaving_gives_leases_back(log: Log) -> None:  # ROOM22
    log("ann", "lease", op="acquire", key="k", seconds=10)
    news = sent(log("ann", "leave"), "bob")
    assert news[0]["holder"] is None
    assert news[1]["left"] == ["ann"]


def test_leases_are_bounded_in_time_and_number(log: Log) -> None:  # ROOM23, LIMIT2
    log("", "limits", limits={"leases": 1, "lease_seconds": 20.0})
    (granted,) = sent(log("ann", "lease", op="acquire", key="k", seconds=1e9), "bob")
    assert granted["seconds"] == 20.0
    (refused,) = log("ann", "lease", op="acquire", key="l", seconds=1)
    assert isinstance(refused, Send)


def test_one_who_was_behind_hears_what_it_missed_of_the_others(log: Log) -> None:  # ROOM24
    log("ann", "lease", op="acquire", key="k", seconds=10)
    known = log.room.knowledge()
    log("ann", "leave")
    log.join("cid")
    log("cid", "lease", op="acquire", key="l", seconds=10)
    members, *leases = log.room.news_since(known, 0.0)
    assert [one["id"] for one in members["joined"]] == ["bob", "cid"]
    assert members["left"] == ["ann"]
    assert [(lease["key"], lease["holder"]) for lease in leases] == [("k", None), ("l", "cid")]


# The fold

MEMBERS = st.sampled_from(["ann", "bob", "cid"])
UUIDS = st.sampled_from(["cube", "lamp", "k"])
DELTAS = st.one_of(
    st.builds(lambda uuid: [uuid, ["create", "objects", {"x": 0}]], UUIDS),
    st.builds(lambda uuid, value: put(value, uuid=uuid), UUIDS, st.integers(0, 9)),
    st.builds(lambda uuid: [uuid, ["remove"]], UUIDS),
)
REQUESTS = st.one_of(
    st.builds(lambda: {"type": "join", "name": "Someone"}),
    st.sampled_from([{"type": "lost"}, {"type": "leave"}, {"type": "tick"}]),
    st.builds(
        lambda op, key: {"type": "lease", "op": op, "key": key, "seconds": 3},
        st.sampled_from(["acquire", "renew", "release"]),
        UUIDS,
    ),
    st.builds(
        lambda seq, deltas: {"type": "tx", "seq": seq, "base": 0, "deltas": deltas},
        st.integers(1, 6),
        st.lists(DELTAS, min_size=1, max_size=3),
    ),
)


@given(st.lists(st.tuples(MEMBERS, REQUESTS), max_size=40))
def test_whoever_folds_the_log_holds_the_same_room(requests: list[tuple[str, Message]]) -> None:  # ROOM25
    rooms = Room("r", "epoch"), Room("r", "epoch")
    entries = [Entry(index, index / 2, *request) for index, request in enumerate(requests)]
    for entry in entries:
        effects = [list(apart(room.fold(entry))) for room in rooms]
        assert orjson.dumps(effects[0], default=tuple) == orjson.dumps(effects[1], default=tuple)
    assert rooms[0].document.digest() == rooms[1].document.digest()
    assert rooms[0].knowledge() == rooms[1].knowledge()


@given(st.lists(st.tuples(MEMBERS, REQUESTS), max_size=40))
def test_revisions_are_given_one_by_one_and_only_to_what_is_told(requests: list[tuple[str, Message]]) -> None:  # ROOM26
    room, told = Room("r", "epoch"), []
    for index, request in enumerate(requests):
        effects = apart(room.fold(Entry(index, index / 2, *request)))
        news = [effect.message for effect in effects if isinstance(effect, Broadcast)]
        told += [message["revision"] for message in news if message["type"] == "tx"]
    assert told == list(range(1, room.revision + 1))
