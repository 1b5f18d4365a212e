"""The table of limits: every one can be set, and has a test that goes over it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from itertools import count
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from broadcaster.document import Document, check_deltas
from broadcaster.document.fold import HOT_BYTES
from broadcaster.errors import Refused, RemoteProtocolError
from broadcaster.limits import DEFAULTS, MOST, OF_THE_LOG, Limits, read
from broadcaster.protocol import ServerConnection
from broadcaster.room import Entry, Room, Send
from broadcaster.tree import items, link_set
from tests.effects import apart

TESTS: Final = Path(__file__).parents[1]
LONG: Final = "a name of a dozen "
NEW: Final = ["a", ["create", "objects", {"of": {"of": {}}}]]


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_every_limit_can_be_set(name: str) -> None:  # LIMIT1
    value = type(getattr(DEFAULTS, name))(7)
    assert getattr(read(b"", [f"{name}={value}"]), name) == value
    assert getattr(read(f"{name} = {value}".encode()), name) == value


def test_every_limit_is_gone_over_by_a_test() -> None:  # LIMIT1
    """Each test that goes over a limit sets a small one, as `Limits(name=...)` or `limits={"name": ...}`."""
    gone_over: set[str] = set()
    for file in [*TESTS.glob("unit/test_*.py"), *TESTS.glob("server/test_*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                gone_over |= set(_limits_in(node))
    assert gone_over == {field.name for field in fields(Limits)}


def _limits_in(test: ast.AST) -> Iterator[str]:
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Name("Limits"), keywords=keywords):
                yield from (keyword.arg for keyword in keywords if keyword.arg)
            case ast.keyword(arg="limits", value=ast.Dict(keys=keys)):
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (["rooms"], "NAME=NUMBER"),
        (["rooms=x"], "NAME=NUMBER"),
        (["houses=1"], "no limit 'houses'"),
        (["rooms=1.5"], "limit rooms is 1.5"),
        (["rooms=-1"], "limit rooms is -1"),
        (["rooms=true"], "limit rooms is True"),
        (["empty_seconds=nan"], "limit empty_seconds is nan"),
        (["depth=97"], "from 0 to 96"),
    ],
)
def test_what_is_no_limit_is_refused(settings: list[str], why: str) -> None:  # LIMIT1
    with pytest.raises(Refused, match=why):
        read(b"", settings)


def test_a_setting_goes_before_the_file() -> None:  # LIMIT1
    limits = read(b"rooms = 3\nmembers = 4", ["rooms=5", "idle_seconds=1e3"])
    assert (limits.rooms, limits.members, limits.idle_seconds) == (5, 4, 1000.0)


def test_what_is_of_the_log_is_finite() -> None:  # LIMIT2
    for name in OF_THE_LOG:
        if isinstance(getattr(DEFAULTS, name), float):
            assert name in MOST


def answers(room: Room, *requests: dict[str, Any]) -> list[Any]:
    """What one member that joins is answered."""
    said: list[Any] = [{"type": "join", "name": "Ann"}, *requests]
    entries = [Entry(number, 0.0, "ann", one) for number, one in enumerate(said)]
    return [effect.message for one in entries for effect in apart(room.fold(one)) if isinstance(effect, Send)]


def tx(seq: int, *deltas: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "tx", "seq": seq, "base": 0, "deltas": list(deltas), **fields}


def test_entities_are_bounded() -> None:  # LIMIT3
    full = Room("r", "e", Limits(entities=1))
    first, second, third, fourth = answers(
        full, tx(1, NEW), tx(2, ["b", NEW[1]]), tx(3, ["a", ["remove"]]), tx(4, ["b", NEW[1]])
    )
    assert (first["type"], second["reason"], third["type"], fourth["type"]) == ("ack", "full", "ack", "ack")


def test_an_entity_is_bounded_however_it_grows() -> None:  # LIMIT3
    full = Room("r", "e", Limits(entity_bytes=200))
    first, second, third, fourth, fifth = answers(
        full,
        tx(1, ["b", ["create", "notes", {"of": "x" * 200}]]),
        tx(2, ["a", ["create", "notes", {"of": items({})}]]),
        *(tx(seq, ["a", ["patch", {"of": ["patch", {LONG * seq: ["insert", None, 1]}]}]]) for seq in (3, 4)),
        tx(5, ["a", ["patch", {"of": ["patch", {LONG * 3: ["remove"]}]}]]),
    )
    assert (first["reason"], second["type"], third["type"], fourth["reason"]) == ("full", "ack", "ack", "full")
    assert fifth["type"] == "ack"
    assert "b" not in full.document


def test_what_was_kept_before_there_was_a_limit_is_folded_without_it() -> None:  # LIMIT2
    room, again = Room("r", "e"), Room("r", "e", Limits(entity_bytes=100))
    state = room.state()
    state["limits"] = {name: value for name, value in state["limits"].items() if name != "entity_bytes"}
    again.restore(state)
    assert answers(again, tx(1, ["a", ["create", "notes", {"of": "x" * 100}]]))[0]["type"] == "ack"


def test_the_work_of_a_transaction_is_bounded() -> None:  # LIMIT7
    wide = {
        "of": link_set(set("abcdefgh")),
        "fields": dict.fromkeys("abcdefgh"),
        "items": items(dict.fromkeys("abcdefgh")),
    }
    edits: list[tuple[Any, int]] = [
        ({"fields": ["patch", {"a": ["put", 1]}]}, 11),
        ({"items": ["patch", {"a": ["put", 1]}]}, 11),
        ({"of": ["link", ["a"], []]}, 83),  # sets cost more
    ]
    for edit, work in edits:
        room = Room("r", "e", Limits(work=3 * work))
        few, many, again = answers(
            room,
            tx(1, ["a", ["create", "objects", wide]], *[["a", ["patch", edit]]] * 3),
            tx(2, *[["a", ["patch", edit]]] * 4),
            tx(3, ["a", ["patch", edit]]),
        )
        assert (few["type"], many["reason"], again["type"]) == ("ack", "full", "ack")
        assert room.revision == 2


def test_only_few_bytes_are_kept_decoded() -> None:  # DOC15
    document = Document()
    document.apply(
        [[str(n), ["create", "notes", {"of": ["x" * 1000] * 1000}]] for n in range(20)],
        revision=1,
        sender="a",
        limits=DEFAULTS,
    )
    assert len(document._hot) == HOT_BYTES // 1_000_000
    for n in range(20):  # what takes no effect leaves nothing behind
        document.apply([[str(n), ["patch", {"of": ["link", ["a"], []]}]]], revision=2, sender="a", limits=DEFAULTS)
    decoded = [uuid for uuid in document if (entity := document.get(uuid)) and entity._tree is not None]
    assert decoded == list(document._hot) == ["16", "17", "18", "19"]


def test_small_edits_do_not_make_a_thing_look_large() -> None:  # DOC15
    document = Document()
    document.apply([[str(n), ["create", "notes", {}]] for n in range(300)], revision=1, sender="a", limits=DEFAULTS)
    for n in range(30_000):
        edit = [str(n % 300), ["patch", {"text": ["put", f"{n:050}"]}]]
        document.apply([edit], revision=n + 2, sender="a", limits=DEFAULTS)
    assert len(document._hot) == 300


def test_in_a_full_room_things_may_only_go() -> None:  # LIMIT3
    first, second, third = answers(
        Room("r", "e"),
        tx(1, NEW),
        tx(2, ["a", ["patch", {"x": ["put", 1]}]], full=True),
        tx(3, ["a", ["remove"]], full=True),
    )
    assert (first["type"], second["reason"], third["type"]) == ("ack", "full", "ack")


def test_what_a_sender_is_told_of_drops_is_bounded() -> None:  # ROOM9
    drops = [[f"ghost{number}", ["patch", {"x": ["put", 1]}]] for number in range(99)]
    (answer,) = answers(Room("r", "e", Limits(drops_bytes=320)), tx(1, *drops))
    assert len(answer["dropped"]) == 10


def test_answers_of_members_that_left_are_bounded() -> None:  # LIMIT2
    room = Room("r", "e", Limits(remembered=1))
    for number, who in enumerate(["ann", "bob", "cid", "dan"]):
        room.fold(Entry(2 * number, 0.0, who, {"type": "join", "name": who}))
        room.fold(Entry(2 * number + 1, 0.0, who, {"type": "leave"}))
    assert [one[0] for one in room.state()["answers"]] == ["cid", "dan"]


def test_the_bytes_of_their_answers_are_bounded() -> None:  # LIMIT2
    room, number = Room("r", "e", Limits(remembered_bytes=300)), count()
    for who in ["ann", "bob", "cid", "dan"]:
        said: list[Any] = [
            {"type": "join", "name": who},
            *(tx(seq, ["a", ["remove"]]) for seq in (1, 2)),
            {"type": "leave"},
        ]
        for one in said:
            room.fold(Entry(next(number), 0.0, who, one))
    kept = {member: len(orjson.dumps(answers)) for member, _, answers in room.state()["answers"]}
    assert list(kept) == ["bob", "cid", "dan"]  # the oldest are looked at when somebody comes
    assert kept["bob"] + kept["cid"] < 400 < sum(kept.values())


def test_a_room_keeps_the_limits_of_its_log() -> None:  # LIMIT2
    room, again = Room("r", "e", Limits(members=2, rooms=9)), Room("r", "e")
    room.fold(Entry(0, 0.0, "", {"type": "limits", "limits": {"entities": 5}}))
    again.restore(room.state())
    assert again.limits == room.limits
    assert (again.limits["members"], again.limits["entities"]) == (2, 5)


def test_deltas_and_depth_are_bounded() -> None:  # LIMIT4
    check_deltas([NEW])
    with pytest.raises(RemoteProtocolError, match="at most 0 deltas"):
        check_deltas([NEW], Limits(deltas=0))
    with pytest.raises(RemoteProtocolError, match="deeper than 1 levels"):
        check_deltas([NEW], Limits(depth=1))


HELLO: Final = b'{"type":"hello","protocol":1,"agent":"a","capabilities":["blobs-1","document-1"]}'


@pytest.mark.parametrize(
    ("limits", "messages", "why"),
    [
        (Limits(greeting_bytes=50), [HELLO], "longer than the 50 allowed"),
        (Limits(small_bytes=200), [HELLO, b'{"type":"ping","id":1%s}' % (b" " * 200)], "is too long"),
        (
            Limits(request_bytes=100),
            [HELLO, b'{"type":"attach","room":"r","secret":"s"}', b" " * 101],
            "the 100 allowed",
        ),
    ],
)
def test_messages_are_bounded(limits: Limits, messages: list[bytes], why: str) -> None:  # PROTO6, LIMIT4
    connection = ServerConnection(limits)
    connection.receive_data(b"".join(len(one).to_bytes(4, "big") + b"\0" + one for one in messages))
    with pytest.raises(RemoteProtocolError, match=why):
        list(iter(connection.next_message, None))
