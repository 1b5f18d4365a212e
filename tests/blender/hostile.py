"""A Blender in a room with a hostile member, whose transactions fit the grammar and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

import bpy

from broadcaster.document import Deltas, Document, check_deltas
from broadcaster.errors import RemoteProtocolError
from broadcaster.member import Member
from broadcaster.tree import Tree, items, new_uuid, ref, tag
from mixer.proxy import Mirror
from mixer.proxy.along import evaluate

from .roundtrip import MemoryBlobs


class Scene:
    """What Blender holds, shared, and a member to whom hostile transactions come."""

    def __init__(self, *, trusted: bool = False) -> None:
        self.mirror = Mirror(MemoryBlobs(), trusted=trusted)
        self.member = Member("me")
        self.document: Document = self.member.confirmed
        self.sent(self.mirror.scan())

    def uuid(self, datablock: Any) -> str:
        uuid = self.mirror.identity.uuid_of(datablock)
        assert uuid is not None
        return uuid

    def tree(self, uuid: str) -> Tree:
        entity = self.document.get(uuid)
        assert entity is not None
        return entity.tree

    def receive(self, *deltas: Any) -> None:
        """A transaction of another member comes: what the room lets through is shown."""
        check_deltas(list(deltas))
        self._take(list(deltas), "other")
        self.show({uuid for uuid, _ in deltas})

    def show(self, uuids: set[str]) -> None:
        """As a session does: found local edits are folded, and what Blender recomputed is looked at once."""
        self.mirror.looked_at.clear()
        for found in self.mirror.apply(uuids, self.member):
            self.sent(found)
        self.mirror.verify()

    def sent(self, deltas: Deltas) -> None:
        """These local edits are the document's now."""
        self._take(deltas, "me")
        self.mirror.sent(deltas, self.document)

    def put(self, datablock: Any, **fields: Tree) -> None:
        self.receive([self.uuid(datablock), ["patch", {name: ["put", tree] for name, tree in fields.items()}]])

    def create(self, kind: str, tree: Tree) -> Any:
        """The datablock that comes of it, if any."""
        uuid = new_uuid()
        self.receive([uuid, ["create", kind, tree]])
        return self.mirror.identity.find(uuid)

    def _take(self, deltas: Deltas, sender: str) -> None:
        if deltas:
            self.document.apply(deltas, revision=self.document.revision + 1, sender=sender)

    def local_edits(self) -> Deltas:
        """What would go out now."""
        evaluate()
        return self.mirror.scan() + self.mirror.collect(list(self.mirror.entries))

    def is_usable(self) -> None:
        """Asserts that edits still get through in both directions."""
        thing = bpy.data.objects.new("Probe", None)
        self.sent(self.mirror.scan())
        uuid = self.uuid(thing)
        self.put(thing, location=[1.0, 2.0, 3.0])
        assert list(thing.location) == [1.0, 2.0, 3.0]
        thing.location.x = 4.0
        assert [uuid, ["patch", {"location": ["put", [4.0, 2.0, 3.0]]}]] in self.mirror.collect([uuid])


# Values that no member of ours would send -------------------------------------------------------------------------


def nested(depth: int) -> Tree:
    tree: Tree = 1
    for _ in range(depth):
        tree = {"a": tree}
    return tree


ARRAY: Final = {"$": "array", "dtype": "<f4", "shape": [3], "data": "AAAAAAAAAAAAAAAA"}
GARBAGE: Final[tuple[Tree, ...]] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**62,
    0.5,
    -1e308,
    "",
    "x",
    "\0",
    "long" * 5_000,
    "../../../etc/passwd",
    "__class__",
    [],
    [None],
    [1, 2, 3],
    [0.0] * 4,
    [[1.0] * 4] * 4,
    [[[]]],
    ["a", 1, {}],
    [{"name": "x"}, 3, {"name": []}],
    {},
    {"name": "x"},
    {"name": None, "type": [], "bl_idname": {}},
    {"name": {"name": 1}},
    nested(90),
    {"$": "num", "of": "nan"},
    {"$": "num", "of": "inf"},
    {"$": "num", "of": "9" * 300},
    {"$": "num", "of": "many"},
    {"$": "bytes", "of": "//79"},
    {"$": "bytes", "of": "!"},
    ref("nobody"),
    ref("nobody", strong=True),
    items({}),
    items({"k": 1, "l": None, "m": "x"}),
    items({"k": {}, "l": [], "m": items({})}),
    items({"k": {"name": "x", "type": "x", "bl_idname": "x"}, "l": {"name": [], "type": {}}}),
    items({f"k{number}": {"name": "x"} for number in range(200)}),
    {"$": "set", "of": []},
    {"$": "set", "of": ["nobody", "x > y", "///"]},
    {"$": "layout", "id": "x", "of": {}},
    {"$": "layout", "id": "x", "of": {"topology/edges": ARRAY, "key": ARRAY}},
    ARRAY,
    {"$": "array", "dtype": "<i4", "shape": [0, 0, 0], "data": ""},
    {"$": "array", "dtype": "<i4", "shape": [1 << 39], "data": ""},
    {"$": "blob", "sha": "0" * 64, "size": 1 << 60},
)


class Mutations:
    """Trees made worse at random, always in the same way for one seed."""

    def __init__(self, seed: int, document: Document) -> None:
        self._random = random.Random(seed)
        self._document = document

    def transaction(self) -> Deltas:
        """A well-formed transaction that changes, makes or removes something."""
        while True:
            deltas = [self._delta() for _ in range(self._random.randint(1, 3))]
            try:
                check_deltas(deltas)
            except RemoteProtocolError:
                continue
            return deltas

    def _entity(self) -> tuple[str, Any]:
        uuid = self._random.choice(list(self._document))
        return uuid, self._document.get(uuid)

    def _delta(self) -> Any:
        uuid, entity = self._entity()
        fields = sorted(entity.tree)
        chance = self._random.random()
        if chance < 0.15:
            return [new_uuid(), ["create", entity.kind, self._struct(entity.tree, 0)]]
        if chance < 0.18:
            return [uuid, ["remove"]]
        if chance < 0.2 or not fields:
            return [uuid, ["patch", {"name": ["put", self._garbage()]}]]
        name = self._random.choice(fields)
        if chance < 0.25:
            return [uuid, ["patch", {name: ["remove"]}]]
        return [uuid, ["patch", {name: ["put", self._worse(entity.tree[name])]}]]

    def _garbage(self) -> Tree:
        chance = self._random.random()
        if chance < 0.1:
            return ref(self._entity()[0], strong=chance < 0.02)
        if chance < 0.2:
            return self._random.choice(list(self._entity()[1].tree.values()) or [None])
        return self._random.choice(GARBAGE)

    def _worse(self, tree: Tree, depth: int = 0) -> Tree:
        if self._random.random() < 0.2:
            return self._garbage()
        match tag(tree):
            case "":
                return self._struct(tree, depth)
            case "items" if tree["order"]:
                of = dict(tree["of"])
                key = self._random.choice(tree["order"])
                made = self._worse(of[key], depth + 1)
                if self._random.random() < 0.3:
                    of = dict(self._random.sample(list(of.items()), len(of)))
                    key = new_uuid()
                return items({**of, key: made})
            case "layout" if tree["of"]:
                name = self._random.choice(sorted(tree["of"]))
                other = self._random.choice([*tree["of"].values(), ARRAY])
                return {**tree, "of": {**tree["of"], name: self._worse_array(other)}}
            case "array":
                return self._worse_array(tree)
            case "set":
                return {**tree, "of": sorted({*tree["of"][1:], self._entity()[0]})}
            case "ref":
                return {**tree, "to": self._entity()[0]}
        if type(tree) is list and tree:
            place = self._random.randrange(len(tree))
            return [*tree[:place], self._worse(tree[place], depth + 1), *tree[place + self._random.randint(0, 1) :]]
        return self._garbage()

    def _struct(self, tree: Tree, depth: int) -> Tree:
        if not tree:
            return self._garbage() if depth else tree
        changed = dict(tree)
        for name in self._random.sample(sorted(tree), min(len(tree), self._random.randint(1, 3))):
            if self._random.random() < 0.15:
                del changed[name]
            else:
                changed[name] = self._worse(tree[name], depth + 1)
        return changed

    def _worse_array(self, array: Tree) -> Tree:
        match self._random.randrange(4):
            case 0:
                return {**array, "dtype": self._random.choice(["<f4", "<i4", "|u1", "|b1"])}
            case 1:
                return {**array, "shape": [*array["shape"][:-1], 7]}
            case 2:
                return {**array, "shape": array["shape"][::-1]}
        return ARRAY


def transactions(seed: int, count: int, document: Document) -> Iterator[Deltas]:
    mutations = Mutations(seed, document)
    for _ in range(count):
        yield mutations.transaction()


# A scene with something of everything ------------------------------------------------------------------------------


def build() -> None:
    """A small scene that meets each special proxy."""
    bpy.ops.wm.read_factory_settings()
    scene: Any = bpy.context.scene
    cube: Any = bpy.data.objects["Cube"]
    link = scene.collection.objects.link
    cube.shape_key_add(name="Basis")
    cube.shape_key_add(name="Bent").data[0].co.x = 2
    cube.vertex_groups.new(name="Group").add([0, 1], 0.5, "REPLACE")
    cube.data.attributes.new("mark", "FLOAT", "POINT")
    cube.data.uv_layers.new(name="Second")
    for kind in ("SUBSURF", "ARRAY", "NODES", "PARTICLE_SYSTEM", "HOOK"):
        cube.modifiers.new(kind.title(), kind)
    cube.modifiers["Nodes"].node_group = group()
    for kind in ("COPY_LOCATION", "ARMATURE", "CHILD_OF"):
        cube.constraints.new(kind).name = kind.title()
    cube.constraints["Armature"].targets.new()
    cube["price"] = {"coins": [1, 2], "name": "x"}
    animate(cube)
    nodes: Any = bpy.data.materials["Material"].node_tree
    math = nodes.nodes.new("ShaderNodeMath")
    nodes.links.new(math.outputs[0], nodes.nodes["Principled BSDF"].inputs["Roughness"])
    nodes.nodes.new("ShaderNodeValToRGB")
    for name, data in {
        "Rig": bpy.data.armatures.new("Rig"),
        "Path": bpy.data.curves.new("Path", "CURVE"),
        "Text": bpy.data.curves.new("Text", "FONT"),
        "Cage": bpy.data.lattices.new("Cage"),
        "Balls": bpy.data.metaballs.new("Balls"),
    }.items():
        link(bpy.data.objects.new(name, data))
    rig(bpy.data.objects["Rig"])
    path: Any = bpy.data.curves["Path"]
    for kind in ("BEZIER", "NURBS"):
        path.splines.new(kind).points.add(3) if kind == "NURBS" else path.splines.new(kind).bezier_points.add(3)
    bpy.data.metaballs["Balls"].elements.new()
    bpy.data.texts.new("Notes").write("hello")
    bpy.data.images.new("Picture", 4, 4)
    bpy.data.palettes.new("Palette").colors.new()
    bpy.data.textures.new("Clouds", "CLOUDS")
    bpy.data.speakers.new("Speaker")
    inner = bpy.data.collections.new("Inner")
    scene.collection.children.link(inner)
    inner.objects.link(cube)
    scene.timeline_markers.new("Here", frame=3)
    scene.view_layers.new("Second")


def group() -> Any:
    """A node group with an input and a zone."""
    made: Any = bpy.data.node_groups.new("Grow", "GeometryNodeTree")
    made.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    made.interface.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat")
    made.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    begin, end = made.nodes.new("GeometryNodeRepeatInput"), made.nodes.new("GeometryNodeRepeatOutput")
    begin.pair_with_output(end)
    frame = made.nodes.new("NodeFrame")
    first, last = made.nodes.new("NodeGroupInput"), made.nodes.new("NodeGroupOutput")
    first.parent = frame
    made.links.new(first.outputs[0], last.inputs[0])
    return made


def animate(cube: Any) -> None:
    """A key, a driver with a variable, an NLA strip."""
    cube.keyframe_insert("location", frame=1)
    cube.location.x = 3
    cube.keyframe_insert("location", frame=10)
    driver = cube.driver_add("scale", 0).driver
    driver.expression = "var + frame"
    variable = driver.variables.new()
    variable.targets[0].id = bpy.data.objects["Camera"]
    variable.targets[0].data_path = "location.x"
    track = cube.animation_data.nla_tracks.new()
    track.strips.new("Strip", 20, cube.animation_data.action)


def rig(thing: Any) -> None:
    """Three bones in a row, in a collection, one with a constraint on its pose."""
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    above = None
    for number in range(3):
        bone = thing.data.edit_bones.new(f"Bone {number}")
        bone.head, bone.tail, bone.parent = (0, 0, number), (0, 0, number + 1), above
        above = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    thing.data.collections.new("Spine").assign(thing.data.bones[0])
    thing.pose.bones[0].constraints.new("COPY_ROTATION")
