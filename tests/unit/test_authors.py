"""What of an undo is ours: by who wrote each field last."""

from __future__ import annotations

import random
from typing import Any

import pytest

from broadcaster.document import Drop
from broadcaster.member import Overruled
from broadcaster.tree import Patcher, diff, items, link_set, ref
from mixer.authors import Authors, dropped_part

TREE: dict[str, Any] = {
    "x": 0,
    "y": 0,
    "mods": items({"a": {"width": 1, "on": True}, "b": {"width": 2, "on": True}, "c": {"width": 3, "on": True}}),
    "members": link_set({"one", "two"}),
    "target": ref("rock"),
}


def after(*changes: tuple[Any, bool]) -> Authors:
    """Authors that saw these deltas of one entity: (delta, whether it was theirs)."""
    authors = Authors()
    for delta, theirs in changes:
        authors.wrote([["u", delta]], theirs=theirs)
    return authors


def put(**fields: Any) -> Any:
    return ["patch", {name: ["put", value] for name, value in fields.items()}]


def test_what_nobody_else_wrote_is_ours() -> None:  # UNDO1
    assert Authors().mine("u", put(x=1), TREE) == put(x=1)
    assert not Authors().theirs("u")


def test_the_last_writer_of_a_field_has_it() -> None:  # UNDO1
    authors = after((put(x=1, y=1), True), (put(y=2), False))
    assert authors.mine("u", put(x=0, y=0), TREE) == put(y=0)
    authors = after((put(x=1), False), (put(x=2), True))
    assert authors.mine("u", put(x=0), TREE) is None


def test_what_we_wrote_as_a_whole_is_ours_with_all_its_parts() -> None:  # UNDO1
    inner = ["patch", {"mods": ["patch", {"a": put(width=5)}]}]
    authors = after((inner, True), (put(mods=TREE["mods"]), False))
    assert authors.mine("u", inner, TREE) == inner


def test_what_others_did_to_what_we_removed_comes_back_with_it() -> None:  # UNDO12
    authors = after((put(x=1), True), (put(y=1), False))
    authors.removes("u", TREE | {"x": 1, "y": 1, "target": ref("rock", strong=True)})
    authors.wrote([["u", ["remove"]]], theirs=False)
    assert not authors.theirs("u")
    back = authors.brought_back("u", TREE, lambda uuid: True)
    assert (back["x"], back["y"]) == (1, 0)
    authors.wrote([["u", ["create", "objects", back]]], theirs=False)
    authors.heard([{"type": "ack", "seq": 1}], {1: [["u", ["create", "objects", back]]]}, lambda uuid: back)
    assert authors.mine("u", put(x=0, y=5), back) == put(y=5)


def test_what_needs_what_is_gone_meanwhile_comes_back_as_it_is_here() -> None:  # UNDO12
    authors = after((put(target=ref("new", strong=True)), True))
    authors.removes("u", TREE | {"target": ref("new", strong=True)})
    assert authors.brought_back("u", TREE, lambda uuid: uuid != "new") is TREE
    assert authors.brought_back("u", TREE, lambda uuid: True)["target"]["to"] == "new"


def test_what_another_made_again_is_theirs() -> None:  # UNDO12
    authors = after((put(x=1), True))
    authors.removes("u", TREE | {"x": 1})
    authors.wrote([["u", ["create", "objects", TREE]]], theirs=True)
    assert authors.brought_back("u", TREE, lambda uuid: True) is TREE
    assert authors.theirs("u", ("y",))


def test_what_holds_anothers_work_is_not_ours_to_take_back() -> None:  # UNDO2
    authors = after((["patch", {"mods": ["patch", {"a": put(width=5)}]}], True))
    remove = ["patch", {"mods": ["patch", {"a": ["remove"], "b": ["remove"]}]}]
    assert authors.mine("u", remove, TREE) == ["patch", {"mods": ["patch", {"b": ["remove"]}]}]
    assert authors.theirs("u")
    assert authors.mine("u", put(mods=items({})), TREE) is None


def test_a_part_that_we_wrote_of_what_is_theirs_is_ours() -> None:  # UNDO1
    authors = after((["create", "objects", TREE], True), (put(x=1), False))
    assert authors.mine("u", put(x=0, y=0), TREE) == put(x=0)


def test_places_and_contents_of_items_are_told_apart() -> None:  # UNDO1
    move = ["patch", {"mods": ["patch", {"a": ["move", "b"]}]}]
    both = ["patch", {"mods": ["patch", {"a": ["move", "c", put(width=9)]}]}]
    assert after((move, True)).mine("u", both, TREE) == ["patch", {"mods": ["patch", {"a": put(width=9)}]}]
    content = ["patch", {"mods": ["patch", {"a": put(width=5)}]}]
    assert after((content, True)).mine("u", both, TREE) == ["patch", {"mods": ["patch", {"a": ["move", "c"]}]}]


def test_members_of_link_sets_are_told_apart() -> None:  # UNDO1
    authors = after((["patch", {"members": ["link", ["theirs"], ["old"]]}], True))
    undo = ["patch", {"members": ["link", ["old", "older"], ["theirs", "mine"]]}]
    assert authors.mine("u", undo, TREE) == ["patch", {"members": ["link", ["older"], ["mine"]]}]


def test_chunks_are_told_apart_and_layouts_are_whole() -> None:  # UNDO1 UNDO2
    def arrays(**changes: Any) -> Any:
        return ["patch", {"geometry": ["arrays", "layout", changes]}]

    authors = after((arrays(position=["chunks", {"3": "a"}], uv=["put", 1]), True))
    undo = arrays(position=["chunks", {"3": "b", "4": "c"}], uv=["put", 0], crease=["put", 0])
    assert authors.mine("u", undo, None) == arrays(position=["chunks", {"4": "c"}], crease=["put", 0])
    assert authors.mine("u", put(geometry={"$": "layout", "id": "new", "of": {}}), None) is None


def test_a_reference_to_what_the_undo_took_went_by_nobodys_wish() -> None:  # UNDO3
    undo = ["patch", {"target": ["put", None], "members": ["link", [], ["one", "two"]], "x": ["put", 1]}]
    mine = Authors().mine("u", undo, TREE, lost={"rock", "two"})
    assert mine == ["patch", {"members": ["link", [], ["one"]], "x": ["put", 1]}]


@pytest.mark.parametrize("seed", range(50))
def test_ours_and_theirs_together_are_the_whole(seed: int) -> None:  # UNDO1
    """What is kept of an undo gives, with what is left put back, the document as the others know it."""
    rng = random.Random(seed)
    now = {**TREE, "mods": items(dict(TREE["mods"]["of"]))}
    authors = Authors()
    wishes: dict[str, int] = {}
    for step in range(20):
        field, theirs = rng.choice(["x", "y"]), rng.random() < 0.5
        authors.wrote([["u", put(**{field: step + 1})]], theirs=theirs)
        now[field] = step + 1
        wishes[field] = 0 if not theirs else step + 1
    undo = diff(now, TREE)
    assert undo is not None
    mine = authors.mine("u", undo, now)
    end = now if mine is None else Patcher(lambda uuid: True).patch(now, mine)[0]
    assert {name: end[name] for name in wishes} == wishes


def test_the_dropped_part_of_an_edit_is_told_apart() -> None:  # LOCK4
    edit = Overruled(
        [["u", put(x=1, y=2)], ["v", put(x=3)], ["w", put(z=1)]],
        "dropped",
        [Drop("u", ("y",), "kind"), Drop("w", (), "gone")],
    )
    assert dropped_part(edit) == [["u", put(y=2)], ["w", put(z=1)]]
    assert dropped_part(Overruled(edit.deltas, "leased")) == edit.deltas


MODS: dict[str, Any] = {
    "mods": items({"a": {"name": "Bevel", "type": "BEVEL"}, "b": {"name": "Wave", "type": "WAVE"}}),
    "links": link_set({"a/1>b/2"}),
}


def heard(delta: Any) -> Authors:
    """Authors that heard another's transaction where MODS was."""
    authors = Authors()
    authors.heard([{"type": "tx", "revision": 1, "member": "m", "deltas": [["u", delta]]}], {}, lambda _: MODS)
    return authors


def back(key: str, name: str = "Bevel") -> Any:
    """An undo brings this back: it has a new key, and so have its links."""
    changes: dict[str, Any] = {key: ["insert", None, {"name": name, "type": name.upper()}]}
    return ["patch", {"mods": ["patch", changes], "links": ["link", [f"{key}/1>b/2"], []]}]


REMOVED: Any = ["patch", {"mods": ["patch", {"a": ["remove"]}], "links": ["link", [], ["a/1>b/2"]]}]


def test_what_another_removed_is_not_brought_back() -> None:  # UNDO11
    assert heard(REMOVED).mine("u", back("new"), MODS) is None
    assert heard(REMOVED).mine("u", back("new", "Wave"), MODS) == back("new", "Wave")
    assert heard(put(x=1)).mine("u", back("new"), MODS) == back("new")


def test_what_was_made_here_under_that_name_since_is_ours() -> None:  # UNDO11
    authors = heard(REMOVED)
    authors.wrote([["u", back("ours")]], theirs=False)
    assert authors.mine("u", back("new"), MODS) == back("new")
