"""A document: entities changed by transactions, one revision each. Deterministic; no I/O, no clock.

The room and every member fold the same accepted transactions, so documents of equal revision are equal. A transaction
is resolved against the document as it stands: what no longer fits (an edit of something removed, of another layout, a
removal of what is still named strongly) is dropped and reported, the rest takes effect, whole, at one revision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from .errors import Rejected, RemoteProtocolError
from .tree import Facts, Patcher, Tree, check_delta, check_tree, strong_refs

Deltas: TypeAlias = list[list[Any]]  # [[uuid, delta], ...]
Record: TypeAlias = dict[str, Any]

DIGEST_BYTES: Final = 16
DIGEST_MASK: Final = (1 << 8 * DIGEST_BYTES) - 1
HOT_ENTITIES: Final = 512  # kept decoded; the rest are bytes, six times smaller
MAX_DELTAS: Final = 100_000
MAX_UUID_CHARS: Final = 64
MAX_TOMBSTONES: Final = 100_000


class Drop(NamedTuple):
    """A part of a transaction that did not take effect, and why: gone, kind, layout, dangling, exists, named, old."""

    uuid: str
    path: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did. `effect` is the sent list itself where all of it took effect."""

    effect: Deltas
    dropped: list[Drop]
    named: Iterable[str] = ()  # whose strong references came or went


class Entity:
    """One datablock, job or note. Its tree is kept encoded and decoded on touch."""

    __slots__ = ("_data", "_tree", "changed", "created", "creator", "kind")

    def __init__(self, kind: str, tree: Tree, created: int, changed: int, creator: str) -> None:
        self.kind = kind
        self.created = created  # the revision of its latest creation: what was based on an earlier one is void
        self.changed = changed
        self.creator = creator
        self._tree: Tree = tree
        self._data: bytes | None = None

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            assert self._data is not None
            self._tree = orjson.loads(self._data)
        return self._tree

    @property
    def data(self) -> bytes:
        """The tree as canonical JSON: equal trees give equal bytes."""
        if self._data is None:
            # A copy: the buffer that orjson hands out is far larger than its text.
            self._data = bytes(bytearray(orjson.dumps(self._tree, option=orjson.OPT_SORT_KEYS)))
        return self._data

    def cool(self) -> None:
        """Keeps the bytes alone."""
        _ = self.data
        self._tree = None

    def hash(self, uuid: str, *, keep_data: bool) -> int:
        text = blake2b(f"{uuid}\0{self.kind}\0".encode(), digest_size=DIGEST_BYTES)
        text.update(self.data)
        if not keep_data and self._tree is not None:
            self._data = None
        return int.from_bytes(text.digest(), "big")

    def record(self, uuid: str) -> Record:
        """This entity for a snapshot, without decoding it."""
        return {
            "uuid": uuid,
            "kind": self.kind,
            "created": self.created,
            "changed": self.changed,
            "creator": self.creator,
            "tree": orjson.Fragment(self.data),
        }


def check_deltas(deltas: object) -> set[str]:
    """The blobs that `deltas` name. Raises RemoteProtocolError unless they are a well-formed transaction."""
    if type(deltas) is not list or len(deltas) > MAX_DELTAS:
        raise RemoteProtocolError(f"a transaction is a list of at most {MAX_DELTAS} deltas")
    facts = Facts()
    for pair in deltas:
        match pair:
            case [str(uuid), ["create", str(kind), dict(tree)]] if 0 < len(kind) <= MAX_UUID_CHARS and "$" not in tree:
                check_tree(tree, facts)
            case [str(uuid), ["patch", dict()] as delta]:
                check_delta(delta, facts)
            case [str(uuid), ["remove"]]:
                pass
            case _:
                raise RemoteProtocolError(f"malformed delta {str(pair)[:60]}")
        if not 0 < len(uuid) <= MAX_UUID_CHARS:
            raise RemoteProtocolError("malformed uuid")
    return facts.shas


@dataclass(slots=True)
class _Stage:
    """A transaction half done: nothing of the document is touched until it is whole."""

    entities: dict[str, Entity | None] = field(default_factory=dict)
    users: Counter[str] = field(default_factory=Counter)
    effect: Deltas = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)
    whole: bool = True


class Document:
    """Entities by uuid, in the order in which they last changed.

    With `compact` all but the latest are kept as bytes. A member that shows the trees holds them anyway.
    """

    def __init__(self, *, compact: bool = True) -> None:
        self.revision = 0
        self._entities: dict[str, Entity] = {}
        self._users: Counter[str] = Counter()  # uuid -> how many strong references name it
        self._tombstones: dict[str, int] = {}  # uuid -> the revision of its removal
        self._forgotten = 0  # removals up to this revision are no longer known
        self._compact = compact
        self._hot: dict[str, None] = {}
        self._sum = 0
        self._hashes: dict[str, int] = {}
        self._unhashed: set[str] = set()

    # Reading

    def get(self, uuid: str) -> Entity | None:
        return self._entities.get(uuid)

    def users(self, uuid: str) -> int:
        """How many strong references name `uuid`."""
        return self._users[uuid]

    def __contains__(self, uuid: str) -> bool:
        return self.get(uuid) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entities)

    def __len__(self) -> int:
        return len(self._entities)

    def digest(self) -> str:
        """32 hex digits, equal for equal documents: the sum of the entities' hashes."""
        self.hash_some(len(self._unhashed))
        return f"{self._sum:032x}"

    def hash_some(self, most: int) -> bool:
        """Hashes at most so many of the entities that changed; whether a digest would cost nothing now."""
        for _ in range(min(most, len(self._unhashed))):
            uuid = self._unhashed.pop()
            self._sum -= self._hashes.pop(uuid, 0)
            if (entity := self._entities.get(uuid)) is not None:
                self._hashes[uuid] = entity.hash(uuid, keep_data=self._compact)
                self._sum += self._hashes[uuid]
        self._sum &= DIGEST_MASK
        return not self._unhashed

    def snapshot(self) -> Iterator[Record]:
        """Every entity, what others name first before those that name it only where they changed in that order."""
        return (entity.record(uuid) for uuid, entity in self._entities.items())

    def since(self, revision: int) -> tuple[list[Record], list[str]] | None:
        """What changed and what was removed after `revision`; None if that is too long ago to tell."""
        if revision < self._forgotten:
            return None
        records = []
        for uuid in reversed(self._entities):
            entity = self._entities[uuid]
            if entity.changed <= revision:
                break
            records.append(entity.record(uuid))
        removed = [uuid for uuid, gone in self._tombstones.items() if gone > revision]
        return records[::-1], removed

    def copy(self) -> Document:
        """Another document of the same content; entities never change, so they are shared."""
        other = Document(compact=self._compact)
        other.revision, other._forgotten, other._sum = self.revision, self._forgotten, self._sum
        other._entities, other._users = dict(self._entities), Counter(self._users)
        other._tombstones, other._hot = dict(self._tombstones), dict(self._hot)
        other._hashes, other._unhashed = dict(self._hashes), set(self._unhashed)
        return other

    def state(self) -> dict[str, Any]:
        """What a snapshot to go on with needs besides the records."""
        return {"revision": self.revision, "forgotten": self._forgotten, "tombstones": dict(self._tombstones)}

    # Changing

    def restore(self, state: dict[str, Any], records: Iterable[Record]) -> None:
        """Makes an empty document what it was when its `state` and records were taken."""
        self.load(records)
        self.revision, self._forgotten = state["revision"], state["forgotten"]
        self._tombstones = dict(state["tombstones"])

    def load(self, records: Iterable[Record], removed: Iterable[str] = ()) -> set[str]:
        """Takes over a part of a snapshot; the uuids that it touched.

        Raises RemoteProtocolError if a record is malformed.
        """
        touched = set()
        for uuid in removed:
            self._set(uuid, None)
            touched.add(uuid)
        for record in records:
            match record:
                case {
                    "uuid": str(uuid),
                    "kind": str(kind),
                    "created": int(created),
                    "changed": int(changed),
                    "creator": str(creator),
                    "tree": dict(tree),
                }:
                    check_tree(tree, Facts())
                case _:
                    raise RemoteProtocolError("malformed record")
            self._set(uuid, Entity(kind, tree, created, changed, creator))
            touched.add(uuid)
        return touched

    def apply(
        self,
        deltas: Deltas,
        *,
        revision: int,
        sender: str,
        base: int | None = None,
        expect: dict[str, int] | None = None,
    ) -> Outcome:
        """Resolves a checked transaction, whole or not at all, and makes it `revision`.

        `base` is the revision the sender knew: an edit of what somebody else created anew since is dropped.
        Raises Rejected, with nothing changed, if it creates what exists or an entity of `expect` has another version.
        """
        if expect and (others := self._other_versions(expect)):
            uuid, version = next(iter(others.items()))
            raise Rejected("expect", f"{uuid} is at {version}, not at {expect[uuid]}", versions=others)
        stage = _Stage()
        removals = []
        for pair in deltas:
            uuid, delta = pair
            if delta[0] == "remove":
                removals.append(pair)
            elif delta[0] == "create":
                self._create(stage, pair, revision, sender)
            else:
                self._patch(stage, pair, revision, sender, base)
        self._remove(stage, removals, sender, base)
        if stage.effect:
            self.revision = max(self.revision, revision)
        for uuid, entity in stage.entities.items():
            self._commit(uuid, entity, revision)
        if stage.users:
            self._count(stage.users)
        return Outcome(deltas if stage.whole and not removals else stage.effect, stage.dropped, stage.users)

    def _other_versions(self, expect: dict[str, int]) -> dict[str, int]:
        """The versions of those that are not at the expected one; 0 is that of what is not there."""
        versions = {uuid: entity.changed if (entity := self.get(uuid)) else 0 for uuid in expect}
        return {uuid: version for uuid, version in versions.items() if version != expect[uuid]}

    def _count(self, users: Counter[str]) -> None:
        """Takes over how many more, or fewer, strong references name each."""
        self._users.update(users)
        for uuid in users:
            if not self._users[uuid]:
                del self._users[uuid]

    def _staged(self, stage: _Stage, uuid: str) -> Entity | None:
        return stage.entities[uuid] if uuid in stage.entities else self.get(uuid)

    def _patcher(self, stage: _Stage) -> Patcher:
        return Patcher(lambda uuid: self._staged(stage, uuid) is not None)

    def _create(self, stage: _Stage, pair: list[Any], revision: int, sender: str) -> None:
        uuid, (_, kind, tree) = pair
        if self._staged(stage, uuid) is not None:
            raise Rejected("exists", f"{uuid} exists")
        strong = list(strong_refs(tree))
        if any(self._staged(stage, name) is None for name in strong):
            stage.dropped.append(Drop(uuid, (), "dangling"))
            stage.whole = False
            return
        stage.users.update(strong)
        stage.entities[uuid] = Entity(kind, tree, revision, revision, sender)
        stage.effect.append(pair)

    def _is_old(self, entity: Entity, sender: str, base: int | None) -> bool:
        return base is not None and entity.created > base and entity.creator != sender

    def _patch(self, stage: _Stage, pair: list[Any], revision: int, sender: str, base: int | None) -> None:
        uuid, delta = pair
        entity = self._staged(stage, uuid)
        if entity is None or self._is_old(entity, sender, base):
            stage.dropped.append(Drop(uuid, (), "gone" if entity is None else "old"))
            stage.whole = False
            return
        patcher = self._patcher(stage)
        tree, effect = patcher.patch(entity.tree, delta)
        stage.dropped += (Drop(uuid, path, reason) for path, reason in patcher.dropped)
        stage.whole = stage.whole and effect is delta
        if effect is not None:
            if patcher.gained or patcher.lost:
                stage.users.update(patcher.gained)
                stage.users.subtract(patcher.lost)
            stage.entities[uuid] = Entity(entity.kind, tree, entity.created, revision, entity.creator)
            stage.effect.append(pair if effect is delta else [uuid, effect])

    def _remove(self, stage: _Stage, removals: list[Any], sender: str, base: int | None) -> None:
        """Removals come last, so that one transaction can drop references and what they name, rings too."""
        going: dict[str, tuple[list[Any], list[str]]] = {}  # uuid -> its delta, what it names strongly
        for pair in removals:
            uuid = pair[0]
            entity = self._staged(stage, uuid)
            if entity is None or uuid in going or self._is_old(entity, sender, base):
                stage.dropped.append(Drop(uuid, (), "gone" if entity is None or uuid in going else "old"))
            else:
                going[uuid] = pair, list(strong_refs(entity.tree))
                stage.users.subtract(going[uuid][1])
        named = [uuid for uuid in going if self.users(uuid) + stage.users[uuid] > 0]
        while named:
            uuid = named.pop()
            if uuid in going:  # it stays, and so does what it names
                _, names = going.pop(uuid)
                stage.users.update(names)
                named += names
                stage.dropped.append(Drop(uuid, (), "named"))
        for uuid, (pair, _) in going.items():
            stage.entities[uuid] = None
            stage.effect.append(pair)

    def _commit(self, uuid: str, entity: Entity | None, revision: int) -> None:
        """Puts one entity in place; its strong references are counted by the caller."""
        self._entities.pop(uuid, None)
        self._unhashed.add(uuid)
        self._hot.pop(uuid, None)
        self._tombstones.pop(uuid, None)
        if entity is None:
            self._tombstones[uuid] = revision
            if len(self._tombstones) > MAX_TOMBSTONES:
                oldest = next(iter(self._tombstones))
                self._forgotten = self._tombstones.pop(oldest)
            return
        self._entities[uuid] = entity
        if not self._compact:
            return
        self._hot[uuid] = None
        if len(self._hot) > HOT_ENTITIES:
            cold = next(iter(self._hot))
            del self._hot[cold]
            self._entities[cold].cool()

    def _set(self, uuid: str, entity: Entity | None) -> None:
        if (old := self._entities.get(uuid)) is not None:
            self._users.subtract(strong_refs(old.tree))
        if entity is not None:
            self._users.update(strong_refs(entity.tree))
        self._commit(uuid, entity, entity.changed if entity else self.revision)

    def overlay(self) -> Overlay:
        """A document on top of this one, to fold pending edits into. It is void once this one changes."""
        return Overlay(self)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one edit depends on and did: while none of `looked` changes beneath, folding it again does the same."""

    looked: frozenset[str]  # uuids of entities
    users: Counter[str]


class Overlay(Document):
    """A document that differs from its base in a few entities."""

    def __init__(self, base: Document) -> None:
        super().__init__()
        self._base = base
        self._removed: set[str] = set()
        self._looked: set[str] = set()
        self._counted: Counter[str] = Counter()
        self.revision = base.revision

    def get(self, uuid: str) -> Entity | None:
        if uuid in self._removed:
            return None
        return self._entities.get(uuid) or self._base.get(uuid)

    def users(self, uuid: str) -> int:
        return self._base.users(uuid) + self._users[uuid]

    def __iter__(self) -> Iterator[str]:
        yield from (uuid for uuid in self._base if uuid not in self._removed and uuid not in self._entities)
        yield from self._entities

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def fold(self, deltas: Deltas, sender: str, base: int | None) -> tuple[Footprint, Rejected | None]:
        """Applies a pending edit; what it rests on, and why nothing of it did take effect, if so."""
        self._looked, self._counted = set(), Counter()
        rejected = None
        self.revision = self._base.revision
        try:
            self.apply(deltas, revision=self.revision, sender=sender, base=base)
        except Rejected as exc:
            rejected = exc
        return Footprint(frozenset(self._looked), self._counted), rejected

    def take_back(self, footprints: Iterable[Footprint]) -> None:
        """Undoes edits that were folded, and all others that looked at what they did."""
        for footprint in footprints:
            self._users.subtract(footprint.users)
            for uuid in footprint.looked:
                self._entities.pop(uuid, None)
                self._removed.discard(uuid)

    def _staged(self, stage: _Stage, uuid: str) -> Entity | None:
        self._looked.add(uuid)
        return super()._staged(stage, uuid)

    def _count(self, users: Counter[str]) -> None:
        self._counted = users
        super()._count(users)

    def _commit(self, uuid: str, entity: Entity | None, revision: int) -> None:
        self._entities.pop(uuid, None)
        self._removed.discard(uuid)
        if entity is None:
            self._removed.add(uuid)
        else:
            self._entities[uuid] = entity
