"""The root proxy: bpy.data against a document.

For every datablock two trees are kept: `doc`, what the document says, and `live`, what Blender read back. Only where a
fresh read differs from `live` has somebody here edited something; only where the document differs from `doc`
is anything written.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import bpy

from broadcaster.document import Deltas, Document
from broadcaster.member import Member
from broadcaster.tree import Delta, Tree, diff, new_uuid

from ..rules import KINDS, NOT_MIRRORED
from . import animation, blind, interface, values
from .context import Blobs, Context, Datablock
from .create import create
from .fields import WRITE_ERRORS, Fields
from .identity import Identity
from .retype import retyped
from .still import is_dragged
from .struct import plan_of, read_struct, write_struct

ORDER: Final = {kind.name: place for place, kind in enumerate(KINDS)}
CLASS: Final = "class"  # a field of what is made with it
NO_NAME: Final = "mixer.moving"
MOVED_ALONG: Final = {  # kind -> another that changes with some of its fields
    "collections": ("scenes", ("name", "children")),  # which have a layer collection for each, of its name
    # Of a family, which Blender makes alike whenever one of them changes.
    "metaballs": ("metaballs", ("resolution", "render_resolution", "threshold", "update_method", "elements")),
}
OF_USERS: Final = ("materials", "skeleton")  # what is written of these, users get slots and pose bones for
RINGS: Final = {  # fields that Blender leaves as they were where they would close a ring
    "objects": ("parent", "instance_collection"),
    "collections": ("children",),
    "scenes": ("background_set",),
    "node_groups": ("nodes",),
}


@dataclass(slots=True)
class Entry:
    """One datablock: the document's tree and the one that Blender read back."""

    kind: str
    doc: Tree
    live: Fields


class Mirror:
    """Finds local edits and writes remote ones. Main thread only."""

    def __init__(self, blobs: Blobs, *, trusted: bool = False) -> None:
        self.identity = Identity()
        self.entries: dict[str, Entry] = {}
        self.ctx = Context(self.identity, blobs, trusted, items_of=self._live)
        self.looked_at: set[str] = set()  # what was collected in this tick, in which nobody can have edited since
        self.deferred: set[str] = set()  # what could not be written because of the user's mode
        self.clashing: set[str] = set()  # whose name in the document another bears here
        self.made = False  # whether datablocks of others came about since somebody last set this back
        self.still = False  # whether datablocks and their parts must neither come nor go: see `still.py`
        self.waiting: set[str] = set()  # what could not be shown because of that
        self.ringed: set[str] = set()  # what may close a ring in the document, which Blender refused
        self.following: set[str] = set()  # what Blender changed along with what `apply` wrote
        self.written: set[str] = set()  # what `apply` wrote and `verify` has not seen

    def _live(self, uuid: str) -> Tree | None:
        entry = self.entries.get(uuid)
        return entry.live if entry else None

    # Local edits

    def scan(self) -> Deltas:
        """Deltas for the datablocks that came and went, in an order in which what is named comes first."""
        came, went = self.identity.scan()
        deltas: Deltas = []
        for kind, datablock, uuid in in_order(came):
            deltas += self.collect([uuid]) if uuid in self.entries else [self.admit(kind, datablock, uuid)]
        for _, uuid in went:
            self.dismiss(uuid)
            deltas.append([uuid, ["remove"]])
        return deltas

    def admit(self, kind: str, datablock: Datablock, uuid: str) -> Delta:
        """Mirrors a datablock that is new; the delta that tells of it."""
        live = self._read(uuid, datablock, None)
        self.entries[uuid] = Entry(kind, None, live)
        return [uuid, ["create", kind, live]]

    def dismiss(self, uuid: str) -> None:
        """Forgets a datablock that is gone."""
        del self.entries[uuid]
        self.ctx.local.pop(uuid, None)

    def collect(self, uuids: Iterable[str], *, geometry: bool = True) -> Deltas:
        """Deltas for what was edited here and not noticed yet."""
        deltas: Deltas = []
        for uuid in uuids:
            entry = self.entries.get(uuid)
            if entry is None or (datablock := self.identity.find(uuid)) is None:
                continue
            if CLASS in entry.live and entry.live[CLASS] != type(datablock).__name__:
                deltas += self._replace(uuid, entry.kind, datablock)
                continue
            live = self._read(uuid, datablock, entry.live, geometry=geometry)
            if live is not entry.live:
                delta = diff(entry.live, live)
                entry.live = live
                if delta is not None:
                    deltas.append([uuid, delta])
        return deltas

    def _replace(self, uuid: str, kind: str, datablock: Datablock) -> Deltas:
        """Deltas for a datablock that was converted in its place, as a text to a curve: to others it is another one."""
        self.identity.drop(uuid, kind)
        self.dismiss(uuid)
        other = new_uuid()
        self.identity.adopt(datablock, kind, other)
        return [self.admit(kind, datablock, other), *self.collect(self._users_of([other])), [uuid, ["remove"]]]

    def introduce(self) -> Deltas:
        """Deltas for new datablocks that were met under a name of another before they were scanned, and for that."""
        if not self.ctx.unknown:
            return []
        met, self.ctx.unknown = self.ctx.unknown, {}
        deltas = self.scan()
        new = {uid for uid in met if self.identity.uuid_of_uid(uid) is not None}
        self.ctx.strangers.update(met.keys() - new)
        deltas += self.collect({met[uid] for uid in new})
        return deltas

    def glance(self, uuid: str, reported: Container[int]) -> Deltas:
        """As `collect`, of what no handler tells: all of what is not `reported`, else only the blind properties."""
        entry, datablock = self.entries.get(uuid), self.identity.find(uuid)
        if entry is None or datablock is None:
            return []
        if datablock.session_uid in reported:
            self.ctx.uuid, self.ctx.geometry = uuid, blind.reads_arrays(datablock)
            self.ctx.derived = animation.derived(datablock)
            if not blind.has_changed(self.ctx, datablock, entry.live):
                return []
        return self.look(uuid)

    def look(self, uuid: str) -> Deltas:
        """As `collect`, but for arrays that take long to read."""
        datablock = self.identity.find(uuid)
        return self.collect([uuid], geometry=datablock is not None and blind.is_small(datablock))

    def unsaved(self) -> set[str]:
        """What a file would not hold if it were saved now: datablocks that nothing uses."""
        found = ((uuid, self.identity.find(uuid)) for uuid in self.entries)
        return {uuid for uuid, datablock in found if datablock is not None and not datablock.users}

    def sent(self, deltas: Deltas, shown: Document) -> None:
        """The edits just collected are now part of what is shown: they are not to be written."""
        for uuid, _ in deltas:
            entity, entry = shown.get(uuid), self.entries.get(uuid)
            if entity is not None and entry is not None:
                if uuid not in self.waiting:  # there is more in it that is still to be written
                    entry.doc = entity.tree
            elif entity is not None:
                self.waiting.add(uuid)  # went here, and stays in the room: something there cannot do without it

    def _read(self, uuid: str, datablock: Datablock, prev: Tree, *, geometry: bool = True) -> Fields:
        self.ctx.uuid = uuid
        self.ctx.geometry = geometry
        self.ctx.derived = animation.derived(datablock)
        return read_struct(self.ctx, datablock, prev)

    # Remote edits

    def apply(self, uuids: Iterable[str], member: Member) -> Iterator[Deltas]:
        """Makes Blender show what `member` shows of `uuids`, a step at a time; the caller runs it to its end.

        Yields local edits that were found where a remote one is about to be written, mostly none: they
        are to become pending before the next step, so that nothing is lost.
        """
        created, changed, removed = self._sort(uuids, member.shown)
        if self.still:
            self._apply_values(changed, member.shown)
            self.waiting.update(created, removed)
            yield []
            return
        for uuid in created:
            if uuid not in self.entries:  # nobody has brought it back meanwhile
                self._create(uuid, member.shown)
            yield []
        self.made |= bool(created)
        fresh = set(created)
        todo = sorted(created + changed, key=lambda uuid: ORDER[self.entries[uuid].kind] if uuid in self.entries else 0)
        for place, uuid in enumerate(todo):
            if uuid not in self.entries:
                continue  # gone since this began
            if uuid not in fresh and self._write_plain(uuid, member.shown):
                yield []
                continue
            if uuid in fresh and (along := self._moved_along(uuid, member.shown)):
                found = self.collect(along)
                self.following.update(along)
                yield found
            if uuid not in fresh and uuid not in self.looked_at:
                # All at once: writing one (a skeleton) changes others (its poses).
                rest = [other for other in todo[place:] if other not in fresh and other in self.entries]
                followers = [user for other in rest for user in self._followers(other, member.shown)]
                found = self.collect([*rest, *followers])
                self.looked_at.update(rest)
                self.written.update(rest)  # first, so that `edited_since` looks at them should the next step wait
                self.following.update(followers)
                yield found
            self._write(uuid, member.shown)
            yield []
        self._drop_by_products()
        if late := [*created, *(uuid for uuid in changed if self._lacks_pose(uuid))]:
            evaluate()  # makes what follows from others: a rig's pose
            for uuid in late:
                if (entry := self.entries.get(uuid)) is not None and entry.live is not entry.doc:
                    self._write(uuid, member.shown)
                yield []
        if created:
            missed = self._missed(created)
            found = self.collect(missed)
            self.following.update(missed)
            yield found
            for uuid in missed:
                self._write(uuid, member.shown)
                yield []
        for uuid in created + changed:
            self.settle_name(uuid)
        self._keep(created)
        if removed:
            users = self._users_of(removed)
            found = self.collect(users)
            self.following |= users
            yield found
            self._remove(removed)

    def _apply_values(self, uuids: list[str], shown: Document) -> None:
        """Shows what can be shown while the scene must stand still; the rest waits."""
        for uuid in uuids:
            datablock = self.identity.find(uuid)
            if datablock is None or is_dragged(datablock) or not self._write_plain(uuid, shown):
                self.waiting.add(uuid)

    def show_waiting(self, member: Member) -> Iterator[Deltas]:
        """Shows what waited; runs like `apply`."""
        waiting, self.waiting = self.waiting, set()
        return self.apply(waiting, member)

    def restore(self, uuids: set[str], member: Member) -> Iterator[Deltas]:
        """Puts back what an undo took from others; runs like `apply`."""
        for uuid in uuids & self.entries.keys():
            self.entries[uuid].doc = None  # not what stands there
        yield from self.apply(uuids, member)

    def retry(self, member: Member) -> Iterator[Deltas]:
        """Writes what was deferred, if the user has left that mode by now; runs like `apply`."""
        deferred, self.deferred = self.deferred, set()
        for uuid in deferred & self.entries.keys():
            yield self.collect([uuid])
            self._write(uuid, member.shown)
            self.ringed.discard(uuid)  # or it would be tried for ever

    def verify(self, *, done: bool = True) -> Deltas:
        """Where datablocks just written read differently by now, with nobody having edited them.

        That is Blender's doing (it recomputed something), so it becomes what was read back and never goes out. To be
        called before anybody can have edited; unless `done` there is more to come, which may move these again.
        """
        if self.following:
            evaluate()  # makes the rest of what follows
        self.collect(self.following)  # as they must
        moved = self.collect(self.written)
        if done:
            self.following.clear()
            self.written.clear()
        return moved

    def edited_since(self) -> Deltas:
        """Local edits of what `apply` has written so far, made while it waited for its next step."""
        return self.collect({*self.written, *self.following})

    def _sort(self, uuids: Iterable[str], shown: Document) -> tuple[list[str], list[str], list[str]]:
        created, changed, removed = [], [], []
        for uuid in uuids:
            entity, entry = shown.get(uuid), self.entries.get(uuid)
            if entity is None:
                if entry is not None:
                    removed.append(uuid)
            elif entry is None:
                if entity.kind in ORDER:
                    created.append(uuid)
            elif entry.doc is not entity.tree:
                if entry.doc == entity.tree:
                    entry.doc = entity.tree
                else:
                    changed.append(uuid)
        created.sort(key=lambda uuid: ORDER[shown.get(uuid).kind])  # type: ignore[union-attr]
        return created, changed, removed

    def _followers(self, uuid: str, shown: Document) -> Iterable[str]:
        """Whose sockets, material slots or pose bones Blender makes and removes as it writes this one."""
        entity, entry = shown.get(uuid), self.entries[uuid]
        if entity is None or (datablock := self.identity.find(uuid)) is None:
            return []
        if along := self._moved_along(uuid, shown):
            return along
        if entry.kind == "node_groups" and entry.live.get(interface.INTERFACE) != entity.tree.get(interface.INTERFACE):
            return interface.users_of(self.ctx, datablock)
        moved = any(entry.live.get(name) != entity.tree.get(name) for name in OF_USERS)
        return self._users_of([uuid]) if moved else []

    def _lacks_pose(self, uuid: str) -> bool:
        """Whether an object has another pose than it should: Blender makes its bones as it evaluates."""
        entry = self.entries.get(uuid)
        return entry is not None and entry.kind == "objects" and entry.live.get("pose") != entry.doc.get("pose")

    def _moved_along(self, uuid: str, shown: Document) -> list[str]:
        """What Blender changes along with this one, though it names it not."""
        entity, entry = shown.get(uuid), self.entries[uuid]
        kind, names = MOVED_ALONG.get(entry.kind, ("", ()))
        if entity is None or all(entry.live.get(name) == entity.tree.get(name) for name in names):
            return []
        return [other for other, one in self.entries.items() if one.kind == kind]

    def _missed(self, created: list[str]) -> list[str]:
        """Who names one of these in the document and could not do so here before they were made."""
        new = set(created)
        rest = ((uuid, entry) for uuid, entry in self.entries.items() if entry.live is not entry.doc)
        return [uuid for uuid, entry in rest if uuid not in new and names_one_of(entry.doc, new)]

    def _users_of(self, uuids: list[str]) -> set[str]:
        """Who names one of these: Blender drops such names along with what they name."""
        named = {datablock for uuid in uuids if (datablock := self.identity.find(uuid)) is not None}
        users = set().union(*bpy.data.user_map(subset=named).values()) if named else set()
        return {uuid for user in users if (uuid := self.identity.uuid_of(user)) is not None}.difference(uuids)

    def _create(self, uuid: str, shown: Document) -> None:
        entity = shown.get(uuid)
        assert entity is not None
        self.ctx.uuid = uuid
        datablock = create(self.ctx, entity.kind, entity.tree)
        if datablock is None:
            return
        self.identity.adopt(datablock, entity.kind, uuid)
        # Read against the document, so that what Blender made along with it (a first node, a view layer) gets its keys.
        self.entries[uuid] = Entry(entity.kind, None, self._read(uuid, datablock, entity.tree))

    def _write_plain(self, uuid: str, shown: Document) -> bool:
        """The quick way for properties whose writing moves nothing else, as a dragged object's: only they are read.

        False, with nothing written, where more has changed, here or there.
        """
        entity, entry, datablock = shown.get(uuid), self.entries[uuid], self.identity.find(uuid)
        if entity is None or datablock is None or getattr(datablock, "animation_data", None) is not None:
            return False
        plan, live, tree = plan_of(datablock), entry.live, entity.tree
        changed = [name for name, value in tree.items() if live.get(name) is not value and live.get(name) != value]
        if not plan.rule.plain.issuperset(changed) or len(live) > len(tree):
            return False
        proxies = [(name, plan.proxies[name]) for name in changed if name in live]
        if len(proxies) < len(changed):
            return False
        if any(proxy.read(self.ctx, datablock, live[name], live) != live[name] for name, proxy in proxies):
            return False  # edited here, and not noticed yet
        try:
            for name, proxy in proxies:
                proxy.write(self.ctx, datablock, live[name], tree[name], tree)
        except WRITE_ERRORS:
            # What is written already is no edit of anybody here.
            entry.live = {
                **live,
                **{name: proxy.read(self.ctx, datablock, live[name], live) for name, proxy in proxies},
            }
            return False
        now = {**live, **{name: proxy.read(self.ctx, datablock, tree[name], tree) for name, proxy in proxies}}
        entry.doc, entry.live = tree, tree if now == tree else now
        return True

    def _write(self, uuid: str, shown: Document) -> None:
        """Writes what differs, reads back, and writes once more what the first writing moved."""
        entity, entry = shown.get(uuid), self.entries.get(uuid)
        if entity is None or entry is None:
            return
        entry.doc = entity.tree
        for _ in range(2):
            # Found anew each time: the class of some changes as they are written.
            if entry.live is entry.doc or (datablock := self.identity.find(uuid)) is None:
                return
            self.ctx.uuid = uuid
            self.ctx.geometry, self.ctx.busy = True, False
            if entry.kind == "objects" and (other := retyped(self.ctx, datablock, entry.live, entry.doc)) is not None:
                self.identity.drop(uuid, entry.kind)
                self.identity.adopt(other, entry.kind, uuid)
                datablock, entry.live = other, self._read(uuid, other, entry.doc)
            write_struct(self.ctx, datablock, entry.live, entry.doc)
            del datablock
            if (datablock := self.identity.find(uuid)) is None:
                return
            if self.ctx.busy:
                self.deferred.add(uuid)
                entry.live = self._read(uuid, datablock, entry.live)
                return
            before, entry.live = entry.live, self._read(uuid, datablock, entry.doc)  # new items get the document's keys
            if entry.live == before:
                break  # it does not move
        if any(entry.live.get(name) != entry.doc.get(name) for name in RINGS.get(entry.kind, ())):
            self.ringed.add(uuid)

    def settle_name(self, uuid: str) -> None:
        """Writes a name that was taken once more: by now it may be free. `clashing` holds those whose is not.

        Whoever bears it here and another one in the document is set aside, and gets that next.
        """
        unsettled: str | None = uuid
        while unsettled is not None:
            unsettled = self._settle_one(unsettled)

    def _settle_one(self, uuid: str) -> str | None:
        """Whose name is to be settled next, having been set aside."""
        entry, datablock = self.entries.get(uuid), self.identity.find(uuid)
        self.clashing.discard(uuid)
        if entry is None or datablock is None or entry.live.get("name") == entry.doc.get("name"):
            return None
        aside = self._set_aside(entry)
        try:
            datablock.name = values.decode(entry.doc.get("name"))
        except WRITE_ERRORS as exc:
            self.ctx.refuse(datablock, "name", exc)
        entry.live = {**entry.live, "name": values.encode(datablock.name)}
        if entry.live["name"] != entry.doc.get("name") and _bearer(entry) is not None:
            self.clashing.add(uuid)
        return aside

    def _set_aside(self, entry: Entry) -> str | None:
        """Frees the name that the document gives to `entry`, if who bears it here has another one there."""
        holder = _bearer(entry)
        uuid = None if holder is None else self.identity.uuid_of(holder)
        other = None if uuid is None else self.entries.get(uuid)
        if holder is None or other is None or not other.doc or other.doc.get("name") == entry.doc.get("name"):
            return None
        if other.live.get("name") != values.encode(holder.name):
            return None  # renamed here, and not noticed yet
        holder.name = NO_NAME
        other.live = {**other.live, "name": values.encode(holder.name)}
        return uuid

    def holder_of_name(self, uuid: str) -> str | None:
        """Who bears the name here that the document gives to `uuid`."""
        entry = self.entries.get(uuid)
        holder = _bearer(entry) if entry is not None else None
        return None if holder is None else self.identity.uuid_of(holder)

    def rename_later(self, later: str, first: str) -> Deltas:
        """Lets `first` have the name that both bear in the document; `later` gets a free one, which the delta tells."""
        named, renamed = self.identity.find(first), self.identity.find(later)
        if named is None or renamed is None:
            return []
        renamed.name = NO_NAME
        self.settle_name(first)
        renamed.name = self.entries[later].doc["name"]
        self.clashing.discard(later)
        entry = self.entries[later]
        entry.live = {**entry.live, "name": renamed.name}
        return [[later, ["patch", {"name": ["put", renamed.name]}]]]

    def _keep(self, uuids: list[str]) -> None:
        """Sees to it that saving does not drop what only something uses that is not mirrored."""
        for uuid in uuids:
            entry, datablock = self.entries.get(uuid), self.identity.find(uuid)
            if entry is None or datablock is None or entry.doc.get("kept") is not True:
                continue
            if datablock.users <= datablock.use_fake_user:  # which somebody may take back
                datablock.use_extra_user = True

    def _drop_by_products(self) -> None:
        """Removes what Blender made along with an item: the document has its own, or none, in that place."""
        for kind, uid in self.ctx.by_products:
            for datablock in getattr(bpy.data, kind):
                if datablock.session_uid == uid:
                    getattr(bpy.data, kind).remove(datablock)
                    break
        self.ctx.by_products.clear()

    def _remove(self, uuids: list[str]) -> None:
        doomed = [uuid for uuid in uuids if uuid in self.entries]  # not what went meanwhile
        self.discard([(self.entries.pop(uuid).kind, uuid) for uuid in doomed])

    def discard(self, doomed: list[tuple[str, str]]) -> None:
        """Removes datablocks of these kinds and uuids from Blender."""
        found = [datablock for _, uuid in doomed if (datablock := self.identity.find(uuid)) is not None]
        for kind, uuid in doomed:
            self.ctx.local.pop(uuid, None)
            self.identity.drop(uuid, kind)
        if found:
            self.identity.forget()
            remove_datablocks(found)

    # The whole

    def left_out(self, document: Document) -> dict[str, str]:
        """Which kinds of datablocks are here, or in the document, and are not mirrored, and why."""
        told: dict[str, str] = {}
        for name, prop in bpy.data.bl_rna.properties.items():
            if prop.type == "COLLECTION" and name not in ORDER and len(getattr(bpy.data, name)):
                told[name] = NOT_MIRRORED.get(name, "a kind that is new: no rule names it")
        for uuid in document:
            if (entity := document.get(uuid)) is not None and entity.kind not in ORDER:
                told[entity.kind] = "in the room, and no kind of this Blender"
        return told

    def trust(self, member: Member) -> Iterator[Deltas]:
        """Takes what was withheld from now on; runs like `apply`."""
        self.ctx.trusted = True
        self.ctx.withheld.clear()
        for uuid, entry in list(self.entries.items()):
            if entry.live is not entry.doc:
                yield self.collect([uuid])
                self._write(uuid, member.shown)

    def clear(self) -> None:
        """Removes everything that is mirrored, to make room for a room's content; one empty scene stays."""
        keep = bpy.data.scenes[0]
        keep.name = NO_NAME
        _show(keep)
        self.identity.forget()
        self.entries.clear()
        mirrored = [
            datablock
            for kind in KINDS
            if hasattr(bpy.data, kind.name)
            for datablock in getattr(bpy.data, kind.name)
            if datablock != keep
        ]
        bpy.data.batch_remove(mirrored)
        self.identity = self.ctx.directory = Identity()

    def drop_placeholder(self) -> None:
        """Removes the scene that `clear` left, once another one is there."""
        placeholder = bpy.data.scenes.get(NO_NAME)
        if placeholder is not None and len(bpy.data.scenes) > 1:
            remove_datablocks([placeholder])
        elif placeholder is not None:  # a room without a scene gets this one
            placeholder.name = "Scene"


def in_order(came: Iterable[tuple[str, Datablock, str]]) -> list[tuple[str, Datablock, str]]:
    """[(kind, datablock, uuid)] as they are to be made: what others name first."""
    return sorted(came, key=lambda one: ORDER[one[0]])


def names_one_of(tree: Tree, uuids: Container[str]) -> bool:
    """Whether a reference to one of `uuids` stands anywhere in `tree`, or one is a member of a link set there."""
    if type(tree) is list:
        return any(names_one_of(one, uuids) for one in tree)
    if type(tree) is not dict:
        return False
    match tree.get("$"):
        case "ref":
            return tree.get("to") in uuids
        case "set":
            return any(uuid in uuids for uuid in tree["of"])
        case "array" | "layout":
            return False
    return any(names_one_of(one, uuids) for one in tree.values())


def _bearer(entry: Entry) -> Datablock | None:
    """Who bears the name here that the document gives to this one."""
    name = entry.doc.get("name")
    return getattr(bpy.data, entry.kind).get(name) if type(name) is str else None


def evaluate() -> None:
    """Has Blender work out what follows from what was written; handlers are called."""
    if bpy.context.view_layer is not None:
        bpy.context.view_layer.update()


def remove_datablocks(datablocks: list[Datablock]) -> None:
    """Removes exactly these: users of a removed mesh that are not on the list are not taken along."""
    doomed = set(datablocks)
    if any(not isinstance(one, bpy.types.Object) for one in doomed):
        for thing in bpy.data.objects:
            if thing not in doomed:
                doomed.discard(thing.data)
                doomed.difference_update(system.settings for system in thing.particle_systems)
    scenes = [one for one in doomed if isinstance(one, bpy.types.Scene)]
    if scenes and len(scenes) == len(bpy.data.scenes):
        doomed.discard(scenes[0])  # Blender needs one
    if scenes:
        _show(next(scene for scene in bpy.data.scenes if scene not in doomed), instead_of=doomed)
    bpy.data.batch_remove(doomed)


def _show(scene: Datablock, *, instead_of: Collection[Datablock] | None = None) -> None:
    """Has windows show `scene`: Blender would crash with one whose scene is removed in a batch."""
    for manager in bpy.data.window_managers:
        for window in manager.windows:
            if instead_of is None or window.scene in instead_of:
                window.scene = scene
