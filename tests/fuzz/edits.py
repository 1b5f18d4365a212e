"""Random edits of every kind, of what a member sees and of what it does not."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from broadcaster.document import Deltas, Document
from broadcaster.tree import Delta, Tree, diff, items, link_set, ref

KINDS: Final = ("objects", "meshes", "lights")
FIELDS: Final = ("name", "x", "pose", "stack", "links", "mesh", "data", "to")
KEYS: Final = "abcdef"
MANY: Final = 40  # entities: where there are as many, as many go as come
GONE: Final = 200  # uuids that are remembered, to be edited and made again when they are gone
SHAS: Final = [digit * 64 for digit in "0123456789"]


class Edits:
    """Makes deltas that fit the document they are shown, most of the time."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._known: list[str] = []  # uuids that were made at some time
        self._made = 0

    def transaction(self, shown: Document) -> Deltas:
        """One to four deltas, or a few that belong together."""
        chance, entities = self.chance, [uuid for uuid in shown if not uuid.startswith("witness")]
        match chance.randrange(10) if entities else 0:
            case 0:
                return self._pair(entities)
            case 1 if len(entities) > MANY / 2:
                return [[uuid, ["remove"]] for uuid in chance.sample(entities, chance.randint(1, 4))]
            case 2:
                return self._ring(entities)
            case 3:
                return self._freed(shown, chance.choice(entities))
            case _:
                return [self._one(shown, entities) for _ in range(chance.choice((1, 1, 1, 2, 4)))]

    def _pair(self, entities: list[str]) -> Deltas:
        """What names, and what it names: never seen apart."""
        mesh, thing = self._uuid(), self._uuid()
        tree = self._tree(entities) | {"data": ref(mesh, strong=True)}
        return [[mesh, ["create", "meshes", self._tree(entities)]], [thing, ["create", "objects", tree]]]

    def _ring(self, entities: list[str]) -> Deltas:
        """Some that name one another strongly, in a circle."""
        some = self.chance.sample(entities, min(len(entities), self.chance.randint(1, 3)))
        return [
            [uuid, ["patch", {"data": ["put", ref(some[place - 1], strong=True)]}]] for place, uuid in enumerate(some)
        ]

    def _freed(self, shown: Document, uuid: str) -> Deltas:
        """An entity goes with all that name it strongly, or is dropped by them."""
        deltas: Deltas = [[uuid, ["remove"]]]
        for other in shown:
            entity = shown.get(other)
            if entity is not None and other != uuid and entity.tree.get("data") == ref(uuid, strong=True):
                drop: Delta = ["remove"] if self.chance.random() < 0.5 else ["patch", {"data": ["put", None]}]
                deltas.append([other, drop])
        self.chance.shuffle(deltas)
        return deltas

    def _one(self, shown: Document, entities: list[str]) -> list[Any]:
        chance = self.chance
        some = chance.choice(entities if chance.random() < 0.9 or not self._known else self._known)
        match chance.randrange(20):
            case 0 | 1 if len(entities) < MANY:
                return [self._uuid(), ["create", chance.choice(KINDS), self._tree(entities)]]
            case 2:
                return [some, ["remove"]]
            case 3:  # again, perhaps while it is there
                return [chance.choice(self._known or [some]), ["create", chance.choice(KINDS), self._tree(entities)]]
            case 4 | 5:  # as another one is
                one, other = shown.get(some), shown.get(chance.choice(entities))
                delta = diff(one.tree, other.tree) if one is not None and other is not None else None
                return [some, delta or ["patch", {"x": ["remove"]}]]
            case _:
                names = chance.sample(FIELDS, chance.choice((1, 1, 2)))
                entity = shown.get(some)
                tree = entity.tree if entity is not None else {}
                return [some, ["patch", {name: self._field(name, tree.get(name), entities) for name in names}]]

    def _field(self, name: str, value: Tree, entities: list[str]) -> Delta:
        chance = self.chance
        if chance.random() < 0.03:  # as if the field were another one
            name = chance.choice(FIELDS)
        if chance.random() < 0.05:
            return ["remove"]
        match name:
            case "pose" if chance.random() < 0.8:
                return ["patch", {chance.choice(KEYS): ["put", chance.randrange(100)], "deep": ["put", {"n": 1}]}]
            case "stack" if chance.random() < 0.9:
                return ["patch", self._items(value, entities)]
            case "links" if chance.random() < 0.9:
                pool = [*entities, *KEYS]
                return ["link", chance.sample(pool, 2), chance.sample(pool, 2)]
            case "mesh" if chance.random() < 0.8:
                layout = value["id"] if type(value) is dict and "id" in value else chance.choice("LMN")
                return ["arrays", layout if chance.random() < 0.9 else chance.choice("LMN"), self._arrays()]
            case _:
                return ["put", self._tree(entities)[name]]

    def _items(self, value: Tree, entities: list[str]) -> dict[str, Delta]:
        chance = self.chance
        order = value["order"] if type(value) is dict and "order" in value else []
        after = chance.choice([None, *order, *KEYS])
        self._made += 1
        key = f"i{self._made}" if chance.random() < 0.8 else chance.choice(KEYS)
        changes: dict[str, Delta] = {key: ["insert", after, self._item(entities)]}
        if order and chance.random() < 0.8:
            some = chance.choice(order)
            inner: Delta = ["patch", {"x": ["put", chance.randrange(100)]}]
            changes = {} if chance.random() < 0.7 else changes
            changes[some] = chance.choice(
                [["move", after], ["move", after, inner], inner, ["remove"], ["put", self._item(entities)]]
            )
        return changes

    def _item(self, entities: list[str]) -> Tree:
        strong = self.chance.random() < 0.2
        to = ref(self.chance.choice(entities), strong=strong) if entities and self.chance.random() < 0.4 else None
        return {"name": self.chance.choice("AB"), "x": 0, "of": to}

    def _arrays(self) -> dict[str, Delta]:
        chance = self.chance
        index, sha = str(chance.randrange(4)), chance.choice(SHAS)
        change = chance.choice([["chunks", {index: sha}], ["put", self._array()], ["remove"], ["chunks", {"0": sha}]])
        return {chance.choice("pqr"): change}

    def _array(self) -> Tree:
        if self.chance.random() < 0.3:
            return {"$": "array", "dtype": "|u1", "shape": [3], "data": self.chance.choice(["AAAA", "AQID"])}
        return {"$": "array", "dtype": "<f4", "shape": [49152], "chunks": self.chance.choices(SHAS, k=3)}

    def _tree(self, entities: list[str]) -> dict[str, Tree]:
        chance = self.chance
        names = chance.choice([*entities, *self._known]) if entities or self._known else None
        keys = chance.sample(KEYS, 2)
        return {
            "name": chance.choice(["Cube", "Lamp", "Mesh"]),
            "x": chance.choice([0, -0.0, 1.5, True, None, "é", {"$": "num", "of": "nan"}, 2**53]),
            "pose": {key: chance.randrange(9) for key in keys},
            "stack": items({key: self._item(entities) for key in keys}),
            "links": link_set(set(keys)),
            "mesh": {"$": "layout", "id": chance.choice("LMN"), "of": {name: self._array() for name in "pq"}},
            "data": ref(chance.choice(entities), strong=True) if entities and chance.random() < 0.5 else None,
            "to": ref(names) if names is not None and chance.random() < 0.5 else None,
        }

    def _uuid(self) -> str:
        self._made += 1
        self._known = [*self._known[-GONE:], f"u{self._made}"]
        return self._known[-1]
