"""The grammar of trees and deltas."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import (
    MAX_DEPTH,
    Delta,
    Facts,
    Patcher,
    Tree,
    check_delta,
    check_tree,
    diff,
    items,
    link_set,
    names_one_of,
    ref,
    shas,
    strong_refs,
)
from broadcaster.tree.order import Order
from broadcaster.tree.patch import FEW

from .trees import NAMES, STRUCTS

SHA = "ab" * 32


def patched(tree: Tree, delta: Delta) -> tuple[Tree, Delta | None, list[Any]]:
    patcher = Patcher(lambda uuid: uuid != "missing")
    new, effect = patcher.patch(tree, delta)
    return new, effect, patcher.dropped


def array(*chunks: str) -> Tree:
    return {"$": "array", "dtype": "<f4", "shape": [16384 * len(chunks)], "chunks": list(chunks)}


@given(STRUCTS, STRUCTS)
def test_a_diff_makes_one_tree_of_the_other(old: Tree, new: Tree) -> None:  # TREE1
    delta = diff(old, new)
    if delta is None:
        assert old == new
        return
    check_delta(delta, Facts())
    result, effect, dropped = patched(old, orjson.loads(orjson.dumps(delta)))
    assert orjson.dumps(result, option=orjson.OPT_SORT_KEYS) == orjson.dumps(new, option=orjson.OPT_SORT_KEYS)
    assert effect is not None
    assert dropped == []


STEPS = st.lists(st.tuples(st.sampled_from(["place", "remove"]), NAMES, st.none() | NAMES), max_size=20)


@given(STEPS)
def test_an_order_is_that_of_a_list(steps: list[tuple[str, str, str | None]]) -> None:  # TREE5
    order, row = Order([]), list[str]()
    for what, key, after in steps:
        if key in row:
            order.remove(key)
            row.remove(key)
        if what == "place":
            stands = after if after is None or after in row else row[-1] if row else None
            row.insert(0 if stands is None else row.index(stands) + 1, key)
            assert order.place(key, after) == stands
        assert order.keys() == row


def test_items_come_and_go_in_any_number() -> None:  # TREE10
    """Were each looked for from the start, this would take hours."""
    keys = [str(number) for number in range(300_000)]
    inserts = {key: ["insert", keys[place - 1] if place else None, 1] for place, key in enumerate(keys)}
    full, _, dropped = patched(items({}), ["patch", inserts])
    assert (full["order"], dropped) == (keys, [])
    empty, _, dropped = patched(full, ["patch", {key: ["remove"] for key in reversed(keys)}])
    assert (empty["order"], empty["of"], dropped) == ([], {}, [])


@given(STRUCTS)
def test_equal_trees_have_no_diff(tree: Tree) -> None:  # TREE1
    assert diff(tree, orjson.loads(orjson.dumps(tree))) is None


@given(STRUCTS, STRUCTS)
def test_patching_leaves_the_old_tree_alone(old: Tree, new: Tree) -> None:  # TREE2
    before = orjson.dumps(old)
    if (delta := diff(old, new)) is not None:
        patched(old, delta)
    assert orjson.dumps(old) == before


@given(STRUCTS, STRUCTS)
def test_what_took_effect_has_the_same_effect_again(old: Tree, other: Tree) -> None:  # TREE3
    """An effect is what other members fold: they must end where the room did, with nothing dropped."""
    if (delta := diff(other, {**other, "z": 1})) is None or (mixed := diff(old, other)) is None:
        return
    for one in (delta, mixed):
        tree, effect, _ = patched(other, one)
        if effect is not None:
            again, _, dropped = patched(other, effect)
            assert again == tree
            assert dropped == []


def test_unchanged_subtrees_stay_the_same_objects() -> None:  # TREE2
    old = {"a": {"x": 1}, "b": {"y": [1, 2]}}
    new, _, _ = patched(old, ["patch", {"a": ["patch", {"x": ["put", 2]}]}])
    assert new["b"] is old["b"]


@pytest.mark.parametrize(
    ("tree", "delta", "reason"),
    [
        ({"a": 1}, ["patch", {"b": ["remove"]}], "gone"),
        ({"a": 1}, ["patch", {"b": ["patch", {"c": ["put", 1]}]}], "gone"),
        ({"a": 1}, ["patch", {"a": ["patch", {"c": ["put", 1]}]}], "kind"),
        ({"a": 1}, ["patch", {"a": ["link", ["x"], []]}], "kind"),
        ({"a": 1}, ["patch", {"a": ["put", ref("missing", strong=True)]}], "dangling"),
        ({"a": items({})}, ["patch", {"a": ["patch", {"k": ["put", 1]}]}], "gone"),
        ({"a": items({})}, ["patch", {"a": ["patch", {"k": ["move", None]}]}], "gone"),
        ({"a": items({"k": 1})}, ["patch", {"a": ["patch", {"k": ["insert", None, 2]}]}], "exists"),
        ({"a": {"$": "layout", "id": "L", "of": {}}}, ["patch", {"a": ["arrays", "M", {"p": ["remove"]}]}], "layout"),
        ({"a": {"$": "layout", "id": "L", "of": {}}}, ["patch", {"a": ["arrays", "L", {"p": ["remove"]}]}], "gone"),
        (
            {"a": {"$": "layout", "id": "L", "of": {"p": array(SHA)}}},
            ["patch", {"a": ["arrays", "L", {"p": ["chunks", {"1": SHA}]}]}],
            "gone",
        ),
    ],
)
def test_what_does_not_fit_is_dropped_and_said(tree: Tree, delta: Delta, reason: str) -> None:  # TREE4
    check_delta(delta, Facts())
    new, effect, dropped = patched(tree, delta)
    assert new is tree or new == tree
    assert effect is None
    assert [why for _, why in dropped] == [reason]


def test_half_of_a_delta_can_take_effect() -> None:  # TREE4
    delta = ["patch", {"a": ["put", 2], "b": ["put", ref("missing", strong=True)]}]
    new, effect, dropped = patched({"a": 1}, delta)
    assert new == {"a": 2}
    assert effect == ["patch", {"a": ["put", 2]}]
    assert dropped == [(("b",), "dangling")]


def test_two_who_add_the_same_name_make_two_items() -> None:  # TREE5
    tree = {"nodes": items({})}
    for key in ("k1", "k2"):
        tree, _, _ = patched(tree, ["patch", {"nodes": ["patch", {key: ["insert", None, {"name": "Math"}]}]}])
    assert tree["nodes"]["order"] == ["k2", "k1"]


def test_an_item_behind_one_that_is_gone_comes_last_and_is_normalised() -> None:  # TREE5
    tree = {"m": items({"a": 1, "b": 2})}
    new, effect, _ = patched(tree, ["patch", {"m": ["patch", {"c": ["insert", "gone", 3]}]}])
    assert new["m"]["order"] == ["a", "b", "c"]
    assert effect == ["patch", {"m": ["patch", {"c": ["insert", "b", 3]}]}]


def test_moving_one_item_is_one_delta() -> None:  # TREE5
    old, new = items(dict.fromkeys("abcde", 0)), items(dict.fromkeys("bcdea", 0))
    assert diff(old, new) == ["patch", {"a": ["move", "e"]}]


def test_a_moved_item_can_change_too() -> None:  # TREE5
    old, new = (
        items({"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}}),
        items({"b": {"x": 2}, "c": {"x": 3}, "a": {"x": 9}}),
    )
    delta = diff(old, new)
    assert delta == ["patch", {"a": ["move", "c", ["patch", {"x": ["put", 9]}]]}]
    assert patched(old, delta)[0] == new


def test_links_of_two_commute() -> None:  # TREE6
    tree, one, two = {"s": link_set({"a"})}, ["link", ["b"], []], ["link", ["c"], ["a"]]
    first = patched(patched(tree, ["patch", {"s": one}])[0], ["patch", {"s": two}])[0]
    second = patched(patched(tree, ["patch", {"s": two}])[0], ["patch", {"s": one}])[0]
    assert first == second == {"s": link_set({"b", "c"})}


WORDS = st.lists(st.text("ab\u20ac", min_size=1, max_size=6), unique=True, max_size=2 * FEW)


@given(WORDS, WORDS, WORDS)
def test_few_links_and_many_do_the_same(members: list[str], added: list[str], removed: list[str]) -> None:  # TREE6
    unsorted = {"$": "set", "of": members}  # as only somebody else's program would have it
    linked, _ = Patcher(lambda uuid: True).patch(unsorted, ["link", added, removed])
    assert linked == link_set(set(members).difference(removed).union(added))


def test_one_changed_chunk_travels_alone() -> None:  # TREE7
    old = {"$": "layout", "id": "L", "of": {"p": array("a" * 64, "b" * 64)}}
    new = {"$": "layout", "id": "L", "of": {"p": array("a" * 64, "c" * 64)}}
    assert diff(old, new) == ["arrays", "L", {"p": ["chunks", {"1": "c" * 64}, "<f4[32768]"]}]


def test_another_layout_replaces_the_whole_set() -> None:  # TREE7
    new = {"$": "layout", "id": "M", "of": {"p": array("a" * 64)}}
    assert diff({"$": "layout", "id": "L", "of": {}}, new) == ["put", new]


def test_what_a_tree_names() -> None:  # TREE8
    tree = {"a": ref("u", strong=True), "b": ref("w"), "c": [{"d": ref("v", strong=True)}], "m": array(SHA)}
    assert list(strong_refs(tree)) == ["u", "v"]
    assert list(shas({**tree, "i": {"$": "blob", "sha": SHA, "size": 1}})) == [SHA, SHA]


def test_where_a_tree_names_one_of_some() -> None:  # TREE8
    weak, member, deep = {"a": [ref("u")]}, {"a": link_set({"u", "v"})}, items({"k": {"a": ref("u")}})
    assert [names_one_of(tree, {"u"}) for tree in (weak, member, deep)] == [True, True, True]
    assert not names_one_of({"u": "u", "a": [1, "u"], "m": array(SHA), "r": ref("v")}, {"u", SHA})


def nested(depth: int) -> Tree:
    tree: Tree = 0
    for _ in range(depth):
        tree = {"a": tree}
    return tree


@pytest.mark.parametrize(
    "tree",
    [
        nested(MAX_DEPTH + 2),
        {"$": "code", "of": "x"},
        {"$": "ref"},
        {"$": "ref", "to": 1},
        {"$": "ref", "to": "u", "strong": False},
        {"$": "items", "order": ["a"], "of": {}},
        {"$": "items", "order": ["a", "a"], "of": {"a": 1, "b": 2}},
        {"$": "set", "of": ["a", "a"]},
        {"$": "set", "of": [1]},
        {"$": "array", "dtype": "<f4", "shape": [-1], "chunks": []},
        {"$": "array", "dtype": "<f4", "shape": [1.5], "chunks": []},
        {"$": "array", "dtype": "<f4", "shape": [1], "data": "A" * 9000},
        {"$": "array", "dtype": "<f4", "shape": [1], "chunks": ["../../etc/passwd"]},
        {"$": "layout", "id": "L", "of": {"p": 1}},
        {"$": "blob", "sha": SHA.upper(), "size": 1},
        {"$": "blob", "sha": SHA, "size": -1},
        {"$": ["unhashable"]},
        {"": 1},
        {"x" * 2000: 1},
        object(),
    ],
)
def test_malformed_trees_are_refused(tree: Tree) -> None:  # TREE9
    with pytest.raises(RemoteProtocolError):
        check_tree({"field": tree}, Facts())


@pytest.mark.parametrize(
    "delta",
    [
        None,
        [],
        ["put"],
        ["exec", "x"],
        ["patch", []],
        ["patch", {"$": ["put", 1]}],
        ["insert", 1, {}],
        ["link", "ab", []],
        ["arrays", "L", {"p": ["put", 1]}],
        ["arrays", "L", {"p": ["chunks", {"-1": SHA}]}],
        ["arrays", "L", {"p": ["chunks", {"9" * 30: SHA}]}],
        ["arrays", "L", {"p": ["chunks", {"0": "x"}]}],
    ],
)
def test_malformed_deltas_are_refused(delta: object) -> None:  # TREE9
    with pytest.raises(RemoteProtocolError):
        check_delta(delta, Facts())
