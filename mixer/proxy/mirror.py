"""The root proxy: bpy.data against a document.

For every datablock two trees are kept: `doc`, what the document says, and `live`, what Blender read back. Only where a
fresh read differs from `live` has somebody here edited something; only where the document differs from `doc`
is anything written.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from typing import Final

import bpy

from broadcaster.document import Deltas, Document
from broadcaster.member import Member
from broadcaster.tree import Delta, Tree, diff, new_uuid, same, tag

from ..rules import KINDS, NOT_MIRRORED
from . import animation, blind, poses
from .along import FAMILIES, Along, evaluate
from .context import Blobs, Context, Datablock
from .create import create
from .editing import leave_out_of_sight
from .entries import ORDER, Entry, in_order
from .fields import Fields
from .identity import Identity
from .naming import ASIDE, Naming
from .plain import write_plain
from .removal import remove_datablocks, show_scene
from .retype import retyped
from .still import is_dragged
from .struct import read_struct, write_struct
from .untold import told_whole

CLASS: Final = "class"  # a field of what is made with it
RINGS: Final = {  # fields that Blender leaves as they were where they would close a ring
    "objects": ("parent", "instance_collection"),
    "collections": ("children",),
    "scenes": ("background_set",),
    "node_groups": ("nodes",),
}


class Mirror:
    """Finds local edits and writes remote ones. Main thread only."""

    def __init__(self, blobs: Blobs, *, trusted: bool = False) -> None:
        self.identity = Identity()
        self.entries: dict[str, Entry] = {}
        self.ctx = Context(self.identity, blobs, trusted, items_of=self._live)
        self.naming = Naming(self.identity, self.entries, self.ctx)
        self.along = Along(self.identity, self.entries, self.ctx)
        self.looked_at: set[str] = set()  # what was collected in this tick, in which nobody can have edited since
        self.deferred: set[str] = set()  # what could not be written because of the user's mode
        self.made = False  # whether datablocks of others came about since somebody last set this back
        self.still = False  # whether datablocks and their parts must neither come nor go: see `still.py`
        self.waiting: set[str] = set()  # what could not be shown because of that
        self.doubted: set[str] = set()  # what may not stand here as the document has it, to be written
        self.ringed: set[str] = set()  # what may close a ring in the document, which Blender refused
        self.following: set[str] = set()  # what Blender changed along with what `apply` wrote
        self.written: set[str] = set()  # what `apply` wrote and `verify` has not seen
        self._held: set[str] = set()  # what is saved though nothing here uses it

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
                before, entry.live = entry.live, live
                if (delta := diff(before, live)) is not None:
                    deltas += self._with_poses(uuid, delta)
        return deltas

    def _with_poses(self, uuid: str, delta: Delta) -> Deltas:
        """A delta, and with it what it goes along with: poses where bones come and go, and bones where poses do."""
        entry = self.entries[uuid]
        if tag(entry.doc) == "":
            delta = told_whole(delta, entry.live, entry.doc)
        if entry.kind == "armatures" and poses.come_or_go(delta[1].get(poses.SKELETON), but="name"):
            return [[uuid, delta], *self.collect(self.along.users_of([uuid]))]
        if entry.kind != "objects" or poses.POSE not in delta[1]:
            return [[uuid, delta]]
        bones = self.collect([poses.armature_of(entry.live)]) if poses.come_or_go(delta[1][poses.POSE]) else []
        told = poses.told_whole(delta, entry.live, entry.doc)
        return bones if told is None else [*bones, [uuid, told]]

    def _replace(self, uuid: str, kind: str, datablock: Datablock) -> Deltas:
        """Deltas for a datablock that was converted in its place, as a text to a curve: to others it is another one."""
        self.identity.drop(uuid, kind)
        self.dismiss(uuid)
        other = new_uuid()
        self.identity.adopt(datablock, kind, other)
        return [self.admit(kind, datablock, other), *self.collect(self.along.users_of([other])), [uuid, ["remove"]]]

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
                return self.along.untold(uuid)
        return self.look(uuid) or self.along.untold(uuid)

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
        fresh, posed = set(created), set[str]()
        todo = sorted(created + changed, key=lambda uuid: ORDER[self.entries[uuid].kind] if uuid in self.entries else 0)
        for place, uuid in enumerate(todo):
            if uuid not in self.entries:
                continue  # gone since this began
            if uuid not in fresh and self._write_plain(uuid, member.shown):
                yield []
                continue
            if uuid in fresh and (along := self.along.moved(uuid, member.shown)):
                found = self.collect(along)
                self.following.update(along)
                yield found
            if uuid not in fresh and uuid not in self.looked_at:
                # All at once: writing one (a skeleton) changes others (its poses).
                rest = [other for other in todo[place:] if other not in fresh and other in self.entries]
                followers = [user for other in rest for user in self.along.followers(other, member.shown)]
                found = self.collect([*rest, *followers])
                self.looked_at.update(rest)
                self.written.update(rest)  # first, so that `edited_since` looks at them should the next step wait
                self.following.update(followers)
                posed.update(user for user in followers if self.along.has_pose(user))
                yield found
            self._write(uuid, member.shown)
            yield []
        self._drop_by_products()
        posed.update(uuid for uuid in changed if self.along.lacks_pose(uuid))
        self.following.update(posed)
        if late := [*created, *sorted(posed - fresh)]:
            self.along.evaluate(late)  # makes what follows from others: a rig's pose
            self.collect(posed)  # it may be another than was written, if the bones were made anew
            for uuid in late:
                if (entry := self.entries.get(uuid)) is not None and entry.live is not entry.doc:
                    self._write(uuid, member.shown)
                yield []
        if created:
            missed = self.along.missed(created)
            found = self.collect(missed)
            self.following.update(missed)
            yield found
            for uuid in missed:
                self._write(uuid, member.shown)
                yield []
        for uuid in created + changed:
            self.naming.settle(uuid)
        self._keep(created)
        if removed:
            users = self.along.users_of(removed)
            found = self.collect(users)
            self.following |= users
            yield found
            self._remove(removed)
            self.collect(users)
            for uuid in users:  # what a removed action had made of their values
                self._write(uuid, member.shown)

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
        self.doubt(uuids)
        yield from self.apply(uuids, member)

    def doubt(self, uuids: Collection[str]) -> set[str]:
        """What of `uuids` `apply` is to write, though the document has not moved: it may not be what stands here."""
        self.doubted |= self.entries.keys() & uuids
        return self.doubted & set(uuids)

    def retry(self, member: Member) -> Iterator[Deltas]:
        """Writes what was deferred, if the user has left that mode by now; runs like `apply`."""
        deferred, self.deferred = self.deferred & self.entries.keys(), set()
        if deferred:
            leave_out_of_sight()
        yield from self.restore(deferred, member)
        self.ringed -= deferred  # or it would be tried for ever

    def verify(self, *, done: bool = True) -> Deltas:
        """Where datablocks just written do not come to rest, with nobody having edited them.

        What Blender computes as it evaluates them is its doing: it becomes what was read back and never goes out. To be
        called before anybody can have edited; unless `done` there is more to come, which may move these again.
        """
        if self.following or (done and self.written):
            evaluate()
        followed = [uuid for uuid, _ in self.collect(self.following)]  # as they must
        self._write_again([one for one in followed if one in self.entries and self.entries[one].kind not in FAMILIES])
        moved: Deltas = []
        if computed := self.collect(self.written):
            self._write_again([uuid for uuid, _ in computed])
            self.collect(self.written)
            evaluate()
            moved = self.collect(self.written)
        if done:
            self.following.clear()
            self.written.clear()
        return moved

    def _write_again(self, uuids: list[str]) -> None:
        """What moved: what a curve controlled until a moment ago, or what Blender made anew, then is as it should."""
        for uuid in uuids:
            if (entry := self.entries.get(uuid)) is not None and entry.doc is not None:
                self._write_tree(uuid, entry, entry.doc)
        if uuids:
            evaluate()
            self.collect(uuids)

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
            elif uuid in self.doubted:
                changed.append(uuid)
            elif entry.doc is not entity.tree:
                if same(entry.doc, entity.tree):
                    entry.doc = entity.tree
                else:
                    changed.append(uuid)
        created.sort(key=lambda uuid: ORDER[shown.get(uuid).kind])  # type: ignore[union-attr]
        return created, changed, removed

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
        entity, datablock = shown.get(uuid), self.identity.find(uuid)
        if entity is None or datablock is None:
            return False
        if written := write_plain(self.ctx, datablock, self.entries[uuid], entity.tree):
            self.doubted.discard(uuid)
        return written

    def _write(self, uuid: str, shown: Document) -> None:
        """Writes what differs, reads back, and writes once more what the first writing moved."""
        entity, entry = shown.get(uuid), self.entries.get(uuid)
        if entity is not None and entry is not None:
            self._write_tree(uuid, entry, entity.tree)

    def _write_tree(self, uuid: str, entry: Entry, tree: Tree) -> None:
        entry.doc = tree
        self.doubted.discard(uuid)
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
            if same(entry.live, before):
                break  # it does not move
        if any(entry.live.get(name) != entry.doc.get(name) for name in RINGS.get(entry.kind, ())):
            self.ringed.add(uuid)

    def _keep(self, uuids: Iterable[str]) -> None:
        """Sees to it that saving does not drop what only something uses that is not mirrored. Not longer than that."""
        held, self._held = self._held, set()
        for uuid in {*uuids, *held}:
            entry, datablock = self.entries.get(uuid), self.identity.find(uuid)
            if entry is None or datablock is None or entry.doc.get("kept") is not True:
                continue
            if uuid in held:
                datablock.use_extra_user = False  # or it counts as a user, if there is no other
            if datablock.users <= datablock.use_fake_user:  # which somebody may take back
                datablock.use_extra_user = True
                self._held.add(uuid)

    def _drop_by_products(self) -> None:
        """Removes what Blender made along with an item: the document has its own, or none, in that place."""
        if not self.ctx.by_products:
            return
        everything = {one.session_uid: one for kind, _ in self.ctx.by_products for one in getattr(bpy.data, kind)}
        if doomed := [everything[uid] for _, uid in self.ctx.by_products if uid in everything]:
            remove_datablocks(doomed)  # but what is in use for want of the document's: it would take its user along
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
        keep.name = ASIDE
        show_scene(keep)
        self.entries.clear()
        mirrored = [
            datablock
            for kind in KINDS
            if hasattr(bpy.data, kind.name)
            for datablock in getattr(bpy.data, kind.name)
            if datablock != keep
        ]
        self.identity.clear()
        bpy.data.batch_remove(mirrored)

    def drop_placeholder(self) -> None:
        """Removes the scene that `clear` left, once another one is there."""
        placeholder = bpy.data.scenes.get(ASIDE)
        if placeholder is not None and len(bpy.data.scenes) > 1:
            remove_datablocks([placeholder])
        elif placeholder is not None:  # a room without a scene gets this one
            placeholder.name = "Scene"
