"""Documents: what transactions do, and what they cannot."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.document import Deltas, Document, Outcome, Overlay, check_deltas
from broadcaster.errors import Rejected, RemoteProtocolError
from broadcaster.tree import Tree, diff, items, ref

from .trees import STRUCTS

MESH: Tree = {"name": "Mesh"}
LAYOUT: Tree = {"$": "layout", "id": "L", "of": {"p": {"$": "array", "dtype": "<f4", "shape": [1], "data": "AAAA"}}}


def apply(document: Document, *deltas: list[Any], sender: str = "a", base: int | None = None) -> Outcome:
    check_deltas(list(deltas))
    return document.apply(list(deltas), revision=document.revision + 1, sender=sender, base=base)


def create(uuid: str, tree: Tree, kind: str = "objects") -> list[Any]:
    return [uuid, ["create", kind, tree]]


def put(uuid: str, name: str, value: Tree) -> list[Any]:
    return [uuid, ["patch", {name: ["put", value]}]]


def scene() -> Document:
    """An object that names a mesh strongly."""
    document = Document()
    apply(document, create("mesh", MESH, "meshes"), create("cube", {"name": "Cube", "data": ref("mesh", strong=True)}))
    return document


def reasons(outcome: Outcome) -> list[str]:
    return [drop.reason for drop in outcome.dropped]


def test_a_transaction_is_one_revision() -> None:  # DOC1
    document = scene()
    assert document.revision == 1
    assert [document.get(uuid).changed for uuid in document] == [1, 1]  # type: ignore[union-attr]


def test_creating_what_exists_is_rejected_whole() -> None:  # DOC2
    document = scene()
    before = document.digest()
    with pytest.raises(Rejected, match="exists"):
        apply(document, put("cube", "name", "Ball"), create("mesh", MESH))
    assert document.digest() == before
    assert document.revision == 1


def test_nothing_deleted_comes_back_by_an_old_edit() -> None:  # DOC2
    document = scene()
    apply(document, ["cube", ["remove"]])
    outcome = apply(document, put("cube", "name", "Ball"))
    assert (outcome.effect, reasons(outcome)) == ([], ["gone"])
    assert "cube" not in document


def test_an_undone_deletion_is_another_incarnation() -> None:  # DOC3
    document = scene()
    apply(document, ["cube", ["remove"]], sender="a")
    apply(document, create("cube", {"name": "Cube"}), sender="a")
    assert reasons(apply(document, put("cube", "name", "Ball"), sender="b", base=1)) == ["old"]
    assert reasons(apply(document, put("cube", "name", "Ball"), sender="b", base=3)) == []


def test_ones_own_new_datablock_can_be_edited_before_the_answer() -> None:  # DOC3
    document = Document()
    apply(document, create("cube", {"name": "Cube"}), sender="a", base=0)
    assert reasons(apply(document, put("cube", "name", "Ball"), sender="a", base=0)) == []


def test_what_is_named_strongly_stays() -> None:  # DOC4
    document = scene()
    assert reasons(apply(document, ["mesh", ["remove"]])) == ["named"]
    assert "mesh" in document


@pytest.mark.parametrize("drop", [["cube", ["remove"]], put("cube", "data", None)])
@pytest.mark.parametrize("turned", [False, True])
def test_unless_the_same_transaction_drops_the_reference(drop: list[Any], turned: bool) -> None:  # DOC4
    document = scene()
    deltas = [drop, ["mesh", ["remove"]]]
    assert reasons(apply(document, *(reversed(deltas) if turned else deltas))) == []
    assert "mesh" not in document


def test_a_reference_dropped_earlier_frees_what_it_named() -> None:  # DOC4
    document = scene()
    apply(document, put("cube", "data", None))
    assert reasons(apply(document, ["mesh", ["remove"]])) == []


def test_a_ring_of_strong_references_goes_at_once() -> None:  # DOC14
    document = Document()
    apply(document, *(create(uuid, {}) for uuid in "abcd"))
    names = {"a": "b", "b": "c", "c": "a", "d": "b"}
    apply(document, *(put(uuid, "to", ref(name, strong=True)) for uuid, name in names.items()))
    outcome = apply(document, *([uuid, ["remove"]] for uuid in "abc"))
    assert (outcome.effect, reasons(outcome)) == ([], ["named"] * 3)
    assert reasons(apply(document, put("c", "to", None), *([uuid, ["remove"]] for uuid in "abc"))) == ["named", "named"]
    assert sorted(document) == ["b", "c", "d"]
    apply(document, put("c", "to", ref("c", strong=True)))
    assert reasons(apply(document, *([uuid, ["remove"]] for uuid in "cdb"))) == []
    assert list(document) == []


def test_a_strong_reference_to_what_is_gone_is_dropped() -> None:  # DOC5
    document = scene()
    apply(document, ["cube", ["remove"]], ["mesh", ["remove"]])
    twin = {"name": "Twin", "data": ref("mesh", strong=True)}
    outcome = apply(document, create("twin", twin), create("lamp", {"name": "Lamp"}, "lights"))
    assert reasons(outcome) == ["dangling"]
    assert list(document) == ["lamp"]


def test_a_weak_reference_to_what_is_gone_stands() -> None:  # DOC5
    document = Document()
    assert reasons(apply(document, create("cube", {"parent": ref("nobody")}))) == []


def test_an_edit_of_another_layout_is_dropped_whole() -> None:  # DOC6
    document = Document()
    apply(document, create("mesh", {"geometry": LAYOUT}, "meshes"))
    apply(document, put("mesh", "geometry", {**LAYOUT, "id": "M"}), sender="b")
    late = ["mesh", ["patch", {"geometry": ["arrays", "L", {"p": ["put", LAYOUT["of"]["p"]]}]}]]
    assert reasons(apply(document, late)) == ["layout"]
    assert document.get("mesh").tree["geometry"]["id"] == "M"  # type: ignore[union-attr]


def test_two_topologies_the_later_is_whole() -> None:  # DOC6
    document = Document()
    apply(document, create("mesh", {"geometry": LAYOUT}, "meshes"))
    for id in ("M", "N"):
        apply(document, put("mesh", "geometry", {**LAYOUT, "id": id}), sender=id)
    assert document.get("mesh").tree["geometry"]["id"] == "N"  # type: ignore[union-attr]


def test_same_names_are_two_entities() -> None:  # DOC7
    document = Document()
    apply(document, create("one", {"name": "Cube"}), sender="a")
    apply(document, create("two", {"name": "Cube"}), sender="b")
    assert [document.get(uuid).created for uuid in ("one", "two")] == [1, 2]  # type: ignore[union-attr]


def test_expected_versions_are_checked_first() -> None:  # DOC8
    document = scene()
    with pytest.raises(Rejected, match="expect"):
        document.apply([put("cube", "name", "x")], revision=2, sender="a", expect={"cube": 0})
    with pytest.raises(Rejected, match="expect"):
        document.apply([put("cube", "name", "x")], revision=2, sender="a", expect={"nobody": 1})
    document.apply([put("cube", "name", "x")], revision=2, sender="a", expect={"cube": 1, "nobody": 0})
    assert document.get("cube").changed == 2  # type: ignore[union-attr]


def test_the_digest_tells_documents_apart_and_not_their_history() -> None:  # DOC9
    one, two = scene(), Document()
    apply(two, create("mesh", {"name": "Other"}, "meshes"))
    apply(two, create("cube", {"data": ref("mesh", strong=True), "name": "Cube"}))
    assert one.digest() != two.digest()
    apply(two, put("mesh", "name", "Mesh"))
    assert one.digest() == two.digest()


def test_the_order_of_items_counts_for_the_digest() -> None:  # DOC9
    digests = set()
    for order in ("ab", "ba"):
        document = Document()
        apply(document, create("cube", {"m": items(dict.fromkeys(order, 1))}))
        digests.add(document.digest())
    assert len(digests) == 2


def wire(records: Any) -> Any:
    return orjson.loads(orjson.dumps(list(records)))


def test_a_snapshot_is_the_document() -> None:  # DOC10
    document, copy = scene(), Document()
    copy.load(wire(document.snapshot()))
    assert copy.digest() == document.digest()
    assert reasons(apply(copy, ["mesh", ["remove"]])) == ["named"]


def test_since_tells_what_changed_and_what_went() -> None:  # DOC10
    document, copy = scene(), scene()
    apply(document, put("cube", "name", "Ball"), create("lamp", {"name": "Lamp"}, "lights"))
    apply(document, ["lamp", ["remove"]])
    apply(document, create("sun", {"name": "Sun"}, "lights"))
    found = document.since(1)
    assert found is not None
    records, removed = wire(found[0]), found[1]
    assert ([record["uuid"] for record in records], removed) == (["cube", "sun"], ["lamp"])
    copy.load(records, removed)
    assert copy.digest() == document.digest()
    assert document.since(document.revision) == ([], [])


def test_an_overlay_leaves_its_base_alone() -> None:  # DOC11
    document = scene()
    before = document.digest()
    overlay = Overlay(document)
    overlay.apply([["cube", ["remove"]], ["mesh", ["remove"]], create("sun", {})], revision=1, sender="a")
    assert list(overlay) == ["sun"]
    assert (len(overlay), overlay.get("mesh")) == (1, None)
    assert document.digest() == before
    assert "cube" in document


@pytest.mark.parametrize(
    "deltas",
    [
        {},
        [[]],
        [["u", ["put", 1]]],
        [["u", ["create", "objects", 1]]],
        [["u", ["create", "objects", ref("u")]]],
        [["", ["remove"]]],
        [["u" * 100, ["remove"]]],
        [[1, ["remove"]]],
        [["u", ["remove", "more"]]],
    ],
)
def test_malformed_transactions_are_refused(deltas: Any) -> None:  # DOC12
    with pytest.raises(RemoteProtocolError):
        check_deltas(deltas)


@pytest.mark.parametrize(
    "record", [1, {}, {"uuid": "u", "kind": "k", "created": 1, "changed": 1, "creator": "c", "tree": 1}]
)
def test_malformed_records_are_refused(record: Any) -> None:  # DOC12
    with pytest.raises(RemoteProtocolError):
        Document().load([record])


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.none() | STRUCTS), max_size=12))
def test_who_folds_the_effects_holds_the_same(steps: list[tuple[str, Tree | None]]) -> None:  # DOC13
    """Random creates, edits and removals: the room resolves them, a member folds what took effect."""
    room, member = Document(), Document()
    for uuid, tree in steps:
        entity = room.get(uuid)
        deltas: Deltas
        if tree is None:
            deltas = [[uuid, ["remove"]]]
        elif entity is None:
            deltas = [create(uuid, tree)]
        elif (delta := diff(entity.tree, tree)) is not None:
            deltas = [[uuid, delta]]
        else:
            continue
        outcome = room.apply(deltas, revision=room.revision + 1, sender="a")
        assert member.apply(wire(outcome.effect), revision=room.revision, sender="a").dropped == []
        assert member.digest() == room.digest()
