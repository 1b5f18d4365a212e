"""Two people change one thing at once: what becomes of it, whoever is first."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster.tree import diff, items, link_set, ref

from .duo import Company

ORDERS = [("ann", "bob"), ("bob", "ann")]


def array(digit: str) -> Any:
    return {"$": "array", "dtype": "<f4", "shape": [49152], "chunks": [digit * 64] * 3}


def layout(id: str, digit: str = "0") -> Any:
    return {"$": "layout", "id": id, "of": {"position": array(digit), "uv": array(digit)}}


def put(uuid: str, **fields: Any) -> Any:
    return [uuid, ["patch", {name: ["put", value] for name, value in fields.items()}]]


def patch(uuid: str, name: str, delta: Any) -> Any:
    return [uuid, ["patch", {name: delta}]]


@pytest.fixture(params=ORDERS, ids=" before ".join)
def two(request: pytest.FixtureRequest) -> tuple[Company, str, str]:
    """Ann and Bob in a room with a small scene, and who of them is heard first."""
    company = Company("ann", "bob")
    stack = items({key: {"name": key} for key in "abcd"})
    company.edit(
        "ann",
        ["mesh", ["create", "meshes", {"name": "Mesh", "geometry": layout("L")}]],
        ["cube", ["create", "objects", {"name": "Cube", "data": ref("mesh", strong=True), "stack": stack}]],
        [
            "group",
            ["create", "collections", {"name": "Group", "objects": link_set({"cube"}), "children": link_set(set())}],
        ],
    )
    company.settle()
    first, second = request.param
    return company, first, second


def order(company: Company) -> str:
    assert company.all_equal()
    return "".join(company.tree("ann", "cube")["stack"]["order"])


def test_one_field_the_later_wins(two: tuple[Company, str, str]) -> None:  # CONFLICT1
    company, first, second = two
    company.edit("ann", put("cube", name="ann"))
    company.edit("bob", put("cube", name="bob"))
    company.settle(first, second)
    assert company.tree("ann", "cube")["name"] == second
    assert company.all_equal()
    assert company.told("ann") + company.told("bob") == []


def test_two_fields_of_one_thing_both_stand(two: tuple[Company, str, str]) -> None:  # CONFLICT1
    company, first, second = two
    company.edit("ann", put("cube", x=1))
    company.edit("bob", put("cube", y=2))
    company.settle(first, second)
    assert (company.tree("bob", "cube")["x"], company.tree("ann", "cube")["y"]) == (1, 2)
    assert company.all_equal()


def test_two_that_reorder_a_stack_move_what_they_moved(two: tuple[Company, str, str]) -> None:  # CONFLICT2
    company, first, second = two
    company.edit("ann", patch("cube", "stack", ["patch", {"a": ["move", "c"]}]))  # b c a d
    company.edit("bob", patch("cube", "stack", ["patch", {"d": ["move", None]}]))  # d a b c
    company.settle(first, second)
    assert order(company) == "dbca"


def test_of_two_moves_of_one_item_the_later_stands(two: tuple[Company, str, str]) -> None:  # CONFLICT2
    company, first, second = two
    company.edit("ann", patch("cube", "stack", ["patch", {"a": ["move", "b"]}]))
    company.edit("bob", patch("cube", "stack", ["patch", {"a": ["move", "d"]}]))
    company.settle(first, second)
    assert order(company) == ("bacd" if second == "ann" else "bcda")


def test_moved_behind_what_the_other_removed_comes_last(two: tuple[Company, str, str]) -> None:  # CONFLICT2
    company, first, second = two
    company.edit("ann", patch("cube", "stack", ["patch", {"a": ["move", "b"]}]))
    company.edit("bob", patch("cube", "stack", ["patch", {"b": ["remove"]}]))
    company.settle(first, second)
    assert order(company) == ("acd" if first == "ann" else "cda")


@pytest.mark.parametrize("after", [None, "b", "d"])
def test_items_added_at_once_are_two(two: tuple[Company, str, str], after: str | None) -> None:  # CONFLICT3
    company, first, second = two
    for name in ("ann", "bob"):
        company.edit(name, patch("cube", "stack", ["patch", {f"{name}1": ["insert", after, {"name": "Math"}]}]))
    company.settle(first, second)
    assert company.all_equal()
    place = company.tree("ann", "cube")["stack"]["order"]
    assert len(place) == 6
    assert place.index(f"{second}1") == place.index(f"{first}1") - 1  # the later one right behind what it named


def test_members_of_a_set_are_added_and_removed_by_both(two: tuple[Company, str, str]) -> None:  # CONFLICT3
    company, first, second = two
    company.edit("ann", patch("group", "objects", ["link", ["lamp"], ["cube"]]))
    company.edit("bob", patch("group", "objects", ["link", ["camera"], ["cube"]]))
    company.settle(first, second)
    assert company.tree("bob", "group")["objects"]["of"] == ["camera", "lamp"]
    assert company.all_equal()


def test_deletion_wins_over_an_edit(two: tuple[Company, str, str]) -> None:  # CONFLICT4
    company, first, second = two
    company.edit("ann", ["cube", ["remove"]])
    company.edit("bob", put("cube", x=1))
    company.settle(first, second)
    assert company.tree("bob", "cube") is None
    assert company.all_equal()
    assert company.told("bob") == (["gone"] if second == "bob" else [])


def test_an_item_that_one_removes_and_the_other_edits_is_gone(two: tuple[Company, str, str]) -> None:  # CONFLICT4
    company, first, second = two
    company.edit("ann", patch("cube", "stack", ["patch", {"b": ["remove"]}]))
    company.edit("bob", patch("cube", "stack", ["patch", {"b": ["patch", {"name": ["put", "mine"]}]}]))
    company.settle(first, second)
    assert order(company) == "acd"
    assert company.told("bob") == (["gone"] if second == "bob" else [])


def test_what_one_deletes_and_the_other_begins_to_use(two: tuple[Company, str, str]) -> None:  # CONFLICT5
    company, first, second = two
    company.edit("ann", put("cube", data=None), ["mesh", ["remove"]])
    company.edit("bob", ["twin", ["create", "objects", {"name": "Twin", "data": ref("mesh", strong=True)}]])
    company.settle(first, second)
    assert company.all_equal()
    if first == "ann":
        assert (company.tree("bob", "twin"), company.told("bob")) == (None, ["dangling"])
    else:  # the removal gives way; the rest of it stands
        assert (company.tree("ann", "mesh")["name"], company.told("ann")) == ("Mesh", ["named"])
        assert company.tree("bob", "cube")["data"] is None


def test_both_delete_the_same(two: tuple[Company, str, str]) -> None:  # CONFLICT4
    company, first, second = two
    for name in ("ann", "bob"):
        company.edit(name, ["cube", ["remove"]], ["mesh", ["remove"]])
    company.settle(first, second)
    assert company.all_equal()
    assert company.told(second) == ["gone", "gone"]


def test_a_deletion_undone_takes_no_edit_of_before(two: tuple[Company, str, str]) -> None:  # CONFLICT6
    company, _, _ = two
    company.edit("ann", ["group", ["remove"]])
    company.edit("ann", ["group", ["create", "collections", {"name": "Group"}]])
    company.edit("bob", put("group", name="Bob's"))
    company.settle("ann", "bob")
    assert company.tree("bob", "group") == {"name": "Group"}
    assert company.told("bob") == ["old"]
    company.edit("bob", put("group", name="Bob's"))
    company.settle()
    assert company.tree("ann", "group") == {"name": "Bob's"}


def test_of_two_topologies_the_later_stands_whole(two: tuple[Company, str, str]) -> None:  # CONFLICT7
    company, first, second = two
    company.edit("ann", put("mesh", geometry=layout("A", "a")))
    company.edit("bob", put("mesh", geometry=layout("B", "b")))
    company.settle(first, second)
    assert company.tree("ann", "mesh")["geometry"] == (layout("A", "a") if second == "ann" else layout("B", "b"))
    assert company.all_equal()


def test_a_vertex_moved_while_the_topology_changes(two: tuple[Company, str, str]) -> None:  # CONFLICT7
    company, first, second = two
    company.edit("ann", put("mesh", geometry=layout("A", "a")))
    company.edit("bob", patch("mesh", "geometry", ["arrays", "L", {"position": ["chunks", {"1": "f" * 64}]}]))
    company.settle(first, second)
    assert company.tree("bob", "mesh")["geometry"] == layout("A", "a")
    assert company.told("bob") == (["layout"] if second == "bob" else [])
    assert company.all_equal()


def test_vertices_moved_by_both_of_other_chunks_all_stand(two: tuple[Company, str, str]) -> None:  # CONFLICT7
    company, first, second = two
    for name, index, digit in (("ann", "0", "a"), ("bob", "2", "b")):
        change = ["arrays", "L", {"position": ["chunks", {index: digit * 64, "1": digit * 64}]}]
        company.edit(name, patch("mesh", "geometry", change))
    company.settle(first, second)
    last = "a" if second == "ann" else "b"
    assert company.tree("ann", "mesh")["geometry"]["of"]["position"]["chunks"] == ["a" * 64, last * 64, "b" * 64]


def test_a_chunk_made_for_an_array_of_another_type_is_dropped(two: tuple[Company, str, str]) -> None:  # CONFLICT7
    company, first, second = two
    old = company.tree("bob", "mesh")["geometry"]
    moved = {**old, "of": {**old["of"], "uv": {**array("0"), "chunks": ["0" * 64, "b" * 64, "0" * 64]}}}
    retyped = {"$": "array", "dtype": "|u1", "shape": [196608], "chunks": ["a" * 64] * 3}
    company.edit("ann", patch("mesh", "geometry", ["arrays", "L", {"uv": ["put", retyped]}]))
    company.edit("bob", patch("mesh", "geometry", diff(old, moved)))
    company.settle(first, second)
    assert company.tree("bob", "mesh")["geometry"]["of"]["uv"] == retyped
    assert company.told("bob") == (["gone"] if second == "bob" else [])


def test_a_new_datablock_shows_with_all_that_it_names(two: tuple[Company, str, str]) -> None:  # CONFLICT8
    """Half of a transaction is never there: not while it is pending, on its way, rejected or taken back."""
    company, first, second = two
    pair = [
        ["new", ["create", "meshes", {"name": "New"}]],
        ["thing", ["create", "objects", {"data": ref("new", strong=True)}]],
    ]
    company.edit("ann", *pair, put("cube", data=ref("new", strong=True)))
    company.edit("bob", ["thing", ["create", "objects", {"name": "Bob's"}]])
    for _ in range(4):
        for name in ("ann", "bob"):
            data = company.tree(name, "cube")["data"]["to"]
            assert company.tree(name, data) is not None
            assert (company.tree(name, "new") is None) == (data == "mesh")
        company.up.sort(key=lambda said: said[0] != first)
        company.resolve(1)
        company.deliver("bob")
        company.deliver("ann")
    assert company.all_equal()
    assert company.told(second) == ["exists"]
    assert (company.tree("bob", "new") is None) == (first == "bob")


def test_two_of_one_name_are_two(two: tuple[Company, str, str]) -> None:  # CONFLICT9
    company, first, second = two
    for name in ("ann", "bob"):
        company.edit(name, [f"{name}'s", ["create", "objects", {"name": "Ball"}]])
    company.settle(first, second)
    assert company.all_equal()
    one, other = (company["ann"].confirmed.get(f"{name}'s") for name in (first, second))
    assert one is not None
    assert other is not None
    assert one.created < other.created  # so that all know which came later
