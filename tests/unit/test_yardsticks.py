"""Cases that others found worth a test: tldraw's sync, Automerge's sync, Yjs's undo, the original Mixer's conflicts.

Told anew for our members and rooms; random stories are in tests/fuzz, lines in tests/server/test_weather.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster import wire
from broadcaster.document import fold
from broadcaster.tree import diff, link_set, ref

from .duo import Company


def put(uuid: str, **fields: Any) -> Any:
    return [uuid, ["patch", {name: ["put", value] for name, value in fields.items()}]]


def link(uuid: str, added: list[str], removed: list[str]) -> Any:
    return [uuid, ["patch", {"objects": ["link", added, removed]}]]


def create(uuid: str, **fields: Any) -> Any:
    return [uuid, ["create", "objects", {"name": uuid, **fields}]]


@pytest.fixture
def two() -> Company:
    company = Company("ann", "bob")
    company.edit(
        "ann", create("cube", x=0), create("group", objects=link_set({"cube"})), create("sub", parent=ref("group"))
    )
    company.settle()
    return company


# The original Mixer's conflicts. Each in both orders: what the room hears first.


@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")], ids=" before ".join)
@pytest.mark.parametrize(
    ("ann", "bob", "ends"),
    [
        pytest.param(
            [put("group", name="New")], [create("ball"), link("group", ["ball"], [])],
            {"group": {"name": "New", "objects": link_set({"ball", "cube"})}}, id="rename a collection, add to it",
        ),
        pytest.param(
            [put("cube", name="New")], [create("ball", data=ref("cube"))],
            {"cube": {"name": "New", "x": 0}, "ball": {"name": "ball", "data": ref("cube")}},
            id="rename a datablock, make another that names it",
        ),
        pytest.param(
            [link("group", [], ["cube"])], [put("cube", x=5)],
            {"cube": {"name": "cube", "x": 5}, "group": {"name": "group", "objects": link_set(set())}},
            id="unlink an object, update it",
        ),
        pytest.param(
            [["group", ["remove"]]], [create("leaf", parent=ref("group"))],
            {"group": None, "leaf": {"name": "leaf", "parent": ref("group")}}, id="remove a collection, add a child",
        ),
        pytest.param(
            [["group", ["remove"]], ["cube", ["remove"]]], [link("group", ["sub"], ["cube"]), put("sub", x=1)],
            {"group": None, "cube": None, "sub": {"name": "sub", "parent": ref("group"), "x": 1}},
            id="remove a collection with its objects, move objects into it",
        ),
        pytest.param(
            [put("cube", name="Same")], [put("sub", name="Same")],
            {"cube": {"name": "Same", "x": 0}, "sub": {"name": "Same", "parent": ref("group")}},
            id="rename two to the same name",
        ),
        pytest.param(
            [link("group", ["sub"], [])], [link("group", ["sub"], [])],
            {"group": {"name": "group", "objects": link_set({"cube", "sub"})}}, id="link the same object twice",
        ),
    ],
)  # fmt: skip
def test_conflicts_of_the_original(
    two: Company, ann: list[Any], bob: list[Any], ends: dict[str, Any], order: tuple[str, str]
) -> None:  # YARD1
    two.edit("ann", *ann)
    two.edit("bob", *bob)
    two.settle(*order)
    assert two.all_equal()
    assert {uuid: two.tree("bob", uuid) for uuid in ends} == ends


# tldraw: speculative edits over what the room decides


def test_a_patch_of_what_the_room_removed_is_taken_back(two: Company) -> None:  # YARD2
    two.edit("bob", ["cube", ["remove"]])
    two.resolve()
    two.edit("ann", put("cube", x=3))
    assert two.tree("ann", "cube")["x"] == 3
    two.deliver("ann")
    assert two.tree("ann", "cube") is None
    two.settle()
    assert two.all_equal()


@pytest.mark.skipif(wire.IS_COMPILED, reason="compiled, a constant stays what it is")
def test_pending_edits_outlive_tombstones_that_were_pruned(
    two: Company, monkeypatch: pytest.MonkeyPatch
) -> None:  # YARD2
    monkeypatch.setattr(fold, "MAX_TOMBSTONES", 2)
    two.lose("ann")
    two.edit("ann", put("group", name="Mine"))
    for number in range(5):
        two.edit("bob", create(f"brief {number}"))
        two.edit("bob", [f"brief {number}", ["remove"]])
    two.edit("bob", ["cube", ["remove"]])
    two.settle()
    assert two.room.document.since(two["ann"].revision) is None  # all of it is loaded anew
    two.join("ann")
    two.settle()
    assert two.all_equal()
    assert (two.tree("bob", "group")["name"], two.tree("ann", "cube")) == ("Mine", None)


def test_a_starved_queue_catches_up_in_one_go(two: Company) -> None:  # YARD2
    for number in range(300):
        two.edit("bob", put("cube", x=number), create(f"{number}"))
        two.edit("ann", put("cube", y=number))
        two.resolve()
        two.deliver("bob")
    assert len(two["ann"].pending) == 300
    two.settle()
    assert two.all_equal()
    assert two.tree("ann", "cube") == {"name": "cube", "x": 299, "y": 299}


def test_keys_with_a_meaning_elsewhere_are_keys(two: Company) -> None:  # YARD2
    two.edit("ann", put("cube", __proto__={"polluted": 1}, constructor="x", __class__=1))
    two.settle()
    assert two.tree("bob", "cube")["__proto__"] == {"polluted": 1}
    assert two.all_equal()


# Automerge: who has what


def test_who_has_everything_is_sent_nothing(two: Company) -> None:  # YARD3
    two.lose("bob")
    two.join("bob")
    assert two.down["bob"][0] == {"type": "records", "entities": [], "removed": []}
    two.settle()
    two.resolve()
    assert two.down == {"ann": [], "bob": []}  # idle is silent
    assert two.all_equal()


def test_who_crashed_and_lost_all_finds_its_edits_in_the_room(two: Company) -> None:  # YARD3
    two.edit("ann", put("cube", x=1))
    two.edit("bob", put("cube", y=1))
    two.settle()
    two.lose("ann")
    del two.members["ann"], two.down["ann"]
    two.join("anew")
    two.settle()
    assert two.all_equal()
    assert two.tree("anew", "cube") == {"name": "cube", "x": 1, "y": 1}


@pytest.mark.parametrize("lost", ["before the room heard it", "before the answer came"])
def test_what_is_in_flight_when_a_line_breaks(two: Company, lost: str) -> None:  # YARD3
    two.edit("ann", put("cube", x=1))
    two.edit("bob", put("cube", x=2))
    if lost == "before the answer came":
        two.resolve()
    two.lose("ann")
    two.edit("ann", put("cube", y=1))
    two.settle()
    two.join("ann")
    two.settle()
    assert two.all_equal()
    assert two.tree("bob", "cube") == {"name": "cube", "x": 1 if lost == "before the room heard it" else 2, "y": 1}


def test_messages_that_cross(two: Company) -> None:  # YARD3
    for number in range(20):
        two.edit("ann", put("cube", x=number))
        two.edit("bob", put("cube", x=-number))
        two.resolve(1)
        two.deliver("ann" if number % 3 else "bob")
    two.settle()
    assert two.all_equal()


def test_a_member_that_may_only_look_for_a_while(two: Company) -> None:  # YARD3
    two.lose("bob")
    two.edit("bob", put("cube", x=7))
    two.join("bob", role="viewer")
    two.settle()
    assert (two.told("bob"), two.tree("bob", "cube")["x"]) == (["role"], 0)
    two.edit("bob", put("cube", x=8))
    two.edit("ann", put("cube", y=1))
    two.settle()
    assert two.all_equal()
    two.join("bob")
    two.edit("bob", put("cube", x=9))
    two.settle()
    assert two.tree("ann", "cube") == {"name": "cube", "x": 9, "y": 1}
    assert two.told("bob") == ["role", "role"]


def test_data_lost_without_a_break_is_found_by_the_digest(two: Company) -> None:  # YARD3
    bob = two["bob"]
    bob.confirmed.apply([["cube", ["remove"]]], revision=bob.revision, sender="nobody")
    bob.receive([two.room.digest()])
    assert bob.drift == 1
    two.lose("bob")
    two.room.present.pop("bob", None)
    bob.begin({"type": "joined", "epoch": "epoch", "since": "snapshot", "revision": two.room.revision, "answered": 0})
    records = [entity for uuid in two.room.document if (entity := _record(two, uuid))]
    bob.receive(
        [{"type": "records", "entities": records, "removed": []}, {"type": "ready", "revision": two.room.revision}]
    )
    bob.receive([two.room.digest()])
    assert (bob.drift, two.all_equal()) == (1, True)


def _record(company: Company, uuid: str) -> Any:
    entity = company.room.document.get(uuid)
    return entity and entity.record(uuid) | {"tree": entity.tree}


# Yjs: an undo is an edit that takes one's own back. How Blender's undo is split is in test_authors.py.


def undo(company: Company, name: str, uuid: str, before: Any) -> None:
    """Takes back what `name` changed: of the fields that it had changed, by a delta against what is there now."""
    now = company.tree(name, uuid)
    fields = {field: before[field] for field in before if before[field] != now.get(field)}
    if (delta := diff({field: now[field] for field in fields}, fields)) is not None:
        company.edit(name, [uuid, delta])


def test_an_undo_leaves_what_others_did_since(two: Company) -> None:  # YARD4
    before = {"x": two.tree("ann", "cube")["x"]}
    two.edit("ann", put("cube", x=1))
    two.edit("bob", put("cube", y=2))
    two.settle()
    undo(two, "ann", "cube", before)
    two.settle()
    assert two.tree("bob", "cube") == {"name": "cube", "x": 0, "y": 2}


def test_undo_and_redo_of_many_come_back_to_the_present(two: Company) -> None:  # YARD4
    states = []
    for number in range(1, 21):
        states.append({"x": two.tree("ann", "cube")["x"]})
        two.edit("ann", put("cube", x=number))
        two.edit("bob", put("cube", y=number))
        two.settle()
    present = two.tree("ann", "cube")
    for state in [*reversed(states), *states[1:], {"x": 20}]:
        undo(two, "ann", "cube", state)
        two.settle()
        assert two.tree("bob", "cube")["x"] == state["x"]
    assert two.tree("bob", "cube") == present
    assert two.all_equal()


def test_a_deletion_that_is_undone_twice(two: Company) -> None:  # YARD4
    """Both undo the deletion that one of them made: the second is told that it is there already."""
    two.edit("ann", ["cube", ["remove"]])
    two.settle()
    for name in ("ann", "bob"):
        two.edit(name, create("cube", x=0))
    two.settle("ann", "bob")
    assert two.all_equal()
    assert two.told("bob") == ["exists"]


def test_an_undone_creation_that_others_have_edited_goes(two: Company) -> None:  # YARD4
    two.edit("ann", create("ball", x=0))
    two.settle()
    two.edit("bob", put("ball", x=1))
    two.edit("ann", ["ball", ["remove"]])
    two.settle("bob", "ann")
    assert two.tree("bob", "ball") is None
    assert two.all_equal()
