"""Resolves transactions against the entities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from ..errors import Rejected, RemoteProtocolError
from ..limits import Limits
from ..tree import Facts, Patcher, Tree, check_tree, strong_refs
from .entity import DIGEST_BYTES, MAX_UUID_CHARS, Deltas, Drop, Entity, Outcome, Record

DIGEST_MASK: Final = (1 << 8 * DIGEST_BYTES) - 1
HOT_ENTITIES: Final = 512  # kept decoded; the rest are bytes, six times smaller
HOT_BYTES: Final = 4 << 20  # of those, or one that is larger
MAX_TOMBSTONES: Final = 100_000


class Stage:
    """A transaction half done: nothing of the document is touched until it is whole."""

    __slots__ = ("_look", "dropped", "effect", "entities", "users", "whole", "work")

    def __init__(self, look: Callable[[str], Entity | None]) -> None:
        self._look = look  # at the document
        self.entities: dict[str, Entity | None] = {}
        self.users: dict[str, int] = {}  # how many more strong references name each
        self.effect: Deltas = []
        self.dropped: list[Drop] = []
        self.whole = True
        self.work = 0  # how many children were copied

    def find(self, uuid: str) -> Entity | None:
        return self.entities[uuid] if uuid in self.entities else self._look(uuid)

    def exists(self, uuid: str) -> bool:
        return self.find(uuid) is not None

    def count(self, names: Iterable[str], by: int) -> None:
        for name in names:
            self.users[name] = self.users.get(name, 0) + by


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
        self._hot: dict[str, int] = {}  # uuid -> about how many bytes, the latest last
        self._hot_bytes = 0
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
        other._tombstones = dict(self._tombstones)
        other._hot, other._hot_bytes = dict(self._hot), self._hot_bytes
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

    def load(self, records: Iterable[Any], removed: Iterable[str] = ()) -> set[str]:
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
                } if 0 < len(uuid) <= MAX_UUID_CHARS and 0 < len(kind) <= MAX_UUID_CHARS and "$" not in tree:
                    check_tree(tree, Facts())
                case _:
                    raise RemoteProtocolError("malformed record")
            self._set(uuid, Entity(kind, tree, created, changed, creator))
            self._cool_some()
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
        limits: Limits | None = None,
    ) -> Outcome:
        """Resolves a checked transaction, whole or not at all, and makes it `revision`.

        `base` is the revision the sender knew: an edit of what somebody else created anew since is dropped.
        Raises Rejected, with nothing changed, if it creates what exists, an entity of `expect` has another version,
        or it takes more than `limits` allow.
        """
        if expect and (others := self._other_versions(expect)):
            uuid, version = next(iter(others.items()))
            raise Rejected("expect", f"{uuid} is at {version}, not at {expect[uuid]}", versions=others)
        stage = Stage(self._look)
        removals = []
        for pair in deltas:
            verb = pair[1][0]
            if verb == "patch":
                self._patch(stage, pair, revision, sender, base)
                if limits is not None and stage.work > limits.work:
                    raise Rejected("full", f"a transaction may copy {limits.work} fields and items")
            elif verb == "create":
                self._create(stage, pair, revision, sender)
            else:
                removals.append(pair)
        if removals:
            self._remove(stage, removals, sender, base)
        if limits is not None:
            for uuid, entity in stage.entities.items():
                if entity is not None and entity.is_larger_than(limits.entity_bytes):
                    raise Rejected("full", f"{uuid} may take {limits.entity_bytes} bytes")
        if stage.effect:
            self.revision = max(self.revision, revision)
        for uuid, entity in stage.entities.items():
            self._commit(uuid, entity, revision)
        if len(self._hot) > HOT_ENTITIES or self._hot_bytes > HOT_BYTES:
            self._cool_some()
        if stage.users:
            self._count(stage.users)
        return Outcome(deltas if stage.whole and not removals else stage.effect, stage.dropped, stage.users)

    def _other_versions(self, expect: dict[str, int]) -> dict[str, int]:
        """The versions of those that are not at the expected one; 0 is that of what is not there."""
        versions = {uuid: entity.changed if (entity := self.get(uuid)) else 0 for uuid in expect}
        return {uuid: version for uuid, version in versions.items() if version != expect[uuid]}

    def _count(self, users: dict[str, int]) -> None:
        """Takes over how many more, or fewer, strong references name each."""
        self._users.update(users)
        for uuid in users:
            if not self._users[uuid]:
                del self._users[uuid]

    def _look(self, uuid: str) -> Entity | None:
        """As `get`, for what is to be applied."""
        return self._entities.get(uuid)

    def _create(self, stage: Stage, pair: list[Any], revision: int, sender: str) -> None:
        uuid, (_, kind, tree) = pair
        if stage.exists(uuid):
            raise Rejected("exists", f"{uuid} exists")
        strong = list(strong_refs(tree))
        if not all(map(stage.exists, strong)):
            stage.dropped.append(Drop(uuid, (), "dangling"))
            stage.whole = False
            return
        stage.count(strong, 1)
        stage.entities[uuid] = Entity(kind, tree, revision, revision, sender)
        stage.effect.append(pair)

    def _is_old(self, entity: Entity, sender: str, base: int | None) -> bool:
        return base is not None and entity.created > base and entity.creator != sender

    def _patch(self, stage: Stage, pair: list[Any], revision: int, sender: str, base: int | None) -> None:
        uuid, delta = pair[0], pair[1]
        entity = stage.find(uuid)
        if entity is None or self._is_old(entity, sender, base):
            stage.dropped.append(Drop(uuid, (), "gone" if entity is None else "old"))
            stage.whole = False
            return
        patcher = Patcher(stage.exists)
        tree, effect = patcher.patch(self._decoded(uuid, entity), delta)
        if patcher.dropped:
            stage.dropped += (Drop(uuid, path, reason) for path, reason in patcher.dropped)
        if effect is not delta:
            stage.whole = False
        stage.work += patcher.work
        if effect is not None:
            if patcher.gained or patcher.lost:
                stage.count(patcher.gained, 1)
                stage.count(patcher.lost, -1)
            stage.entities[uuid] = entity.changed_to(tree, revision, effect)
            stage.effect.append(pair if effect is delta else [uuid, effect])

    def _remove(self, stage: Stage, removals: list[Any], sender: str, base: int | None) -> None:
        """Removals come last, so that one transaction can drop references and what they name, rings too."""
        going: dict[str, tuple[list[Any], list[str]]] = {}  # uuid -> its delta, what it names strongly
        for pair in removals:
            uuid = pair[0]
            entity = stage.find(uuid)
            if entity is None or uuid in going or self._is_old(entity, sender, base):
                stage.dropped.append(Drop(uuid, (), "gone" if entity is None or uuid in going else "old"))
            else:
                going[uuid] = pair, list(strong_refs(self._decoded(uuid, entity)))
                stage.count(going[uuid][1], -1)
        named = [uuid for uuid in going if self.users(uuid) + stage.users.get(uuid, 0) > 0]
        while named:
            uuid = named.pop()
            if uuid in going:  # it stays, and so does what it names
                _, names = going.pop(uuid)
                stage.count(names, 1)
                named += names
                stage.dropped.append(Drop(uuid, (), "named"))
        for uuid, (pair, _) in going.items():
            stage.entities[uuid] = None
            stage.effect.append(pair)

    def _commit(self, uuid: str, entity: Entity | None, revision: int) -> None:
        """Puts one entity in place; its strong references are counted by the caller."""
        if uuid in self._entities:
            del self._entities[uuid]
        self._unhashed.add(uuid)
        if (heat := self._hot.get(uuid)) is not None:
            self._hot_bytes -= heat
            del self._hot[uuid]
        if uuid in self._tombstones:
            del self._tombstones[uuid]
        if entity is None:
            self._tombstones[uuid] = revision
            if len(self._tombstones) > MAX_TOMBSTONES:
                oldest = next(iter(self._tombstones))
                self._forgotten = self._tombstones.pop(oldest)
            return
        self._entities[uuid] = entity
        self._heat(uuid, entity)

    def _decoded(self, uuid: str, entity: Entity) -> Tree:
        """Its tree, which it keeps for now, also where the transaction then does nothing to it."""
        if uuid not in self._hot and self._entities.get(uuid) is entity:
            self._heat(uuid, entity)
        return entity.tree

    def _heat(self, uuid: str, entity: Entity) -> None:
        if self._compact:
            self._hot[uuid] = weight = entity.weight
            self._hot_bytes += weight

    def _cool_some(self) -> None:
        while len(self._hot) > HOT_ENTITIES or (self._hot_bytes > HOT_BYTES and len(self._hot) > 1):
            cold = next(iter(self._hot))
            self._hot_bytes -= self._hot.pop(cold)
            self._entities[cold].cool()

    def _set(self, uuid: str, entity: Entity | None) -> None:
        if (old := self._entities.get(uuid)) is not None:
            self._users.subtract(strong_refs(old.tree))
        if entity is not None:
            self._users.update(strong_refs(entity.tree))
        self._commit(uuid, entity, entity.changed if entity else self.revision)
