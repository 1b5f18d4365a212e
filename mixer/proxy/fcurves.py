"""F-curves, of actions and of drivers: each known by a key, its keyframes as a few arrays."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import INLINE_BYTES, Tree, items, tag

from . import values
from .arrays import Array, Hashes, decode, encode
from .context import Context, Struct
from .fields import WRITE_ERRORS, Fields
from .keying import recognised, structs_of
from .reuse import reuse
from .struct import read_struct

KEYFRAMES: Final = "keyframe_points"
POINTS: Final = ("handle_left", "co", "handle_right")  # two float32 each: frame and value
SHAPES: Final = ("back", "amplitude", "period")  # a float32 each
KINDS: Final = ("interpolation", "easing", "handle_left_type", "handle_right_type", "type")  # an enum each
ARRAYS: Final = {
    "points": (6, np.float32),
    "shapes": (3, np.float32),
    "kinds": (5, np.uint8),
}  # a row each
ENUMS: Final = {
    name: {item.value for item in bpy.types.Keyframe.bl_rna.properties[name].enum_items}  # type: ignore[attr-defined]
    for name in KINDS
}

WriteCurve = Callable[[Context, Struct, Fields, Fields], None]


@dataclass(frozen=True, slots=True)
class Keyframes:
    """The keyframes of one curve: arrays that agree, replaced together when their number changes; None for no keys."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        keys = getattr(struct, self.name)
        if not len(keys):
            return None
        place = f"{fields['data_path']}[{fields['array_index']}]"
        of = {name: _encode(ctx, array, f"{name} of {place}") for name, array in _read_arrays(keys).items()}
        same = tag(prev) == "layout" and prev["of"].keys() == of.keys()
        same = same and all(prev["of"][name]["shape"] == of[name]["shape"] for name in of)
        tree = {"$": "layout", "id": prev["id"] if same else secrets.token_urlsafe(8), "of": of}
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        keys = getattr(struct, self.name)
        if new is None:
            keys.clear()
        else:
            _write_arrays(keys, *_decode(new, ctx))
        struct.mute = struct.mute  # tells Blender what foreach_set does not: something changed


def _encode(ctx: Context, array: Array, name: str) -> Tree:
    if array.nbytes <= INLINE_BYTES:
        return encode(array, ctx.blobs)
    hashes: dict[str, Hashes] = ctx.handles().setdefault(KEYFRAMES, {})
    return encode(array, ctx.blobs, hashes.setdefault(name, Hashes()))


def _read_arrays(keys: Any) -> dict[str, Array]:
    count = len(keys)
    points = np.empty((len(POINTS), 2 * count), np.float32)
    shapes = np.empty((len(SHAPES), count), np.float32)
    kinds = np.empty((len(KINDS), count), np.int32)
    for names, columns in ((POINTS, points), (SHAPES, shapes), (KINDS, kinds)):
        for name, column in zip(names, columns, strict=True):
            keys.foreach_get(name, column)
    return {
        "points": points.reshape(-1, count, 2).swapaxes(0, 1).reshape(count, -1),
        "shapes": np.ascontiguousarray(shapes.T),
        "kinds": kinds.T.astype(np.uint8, order="C"),
    }


def _decode(new: Tree, ctx: Context) -> tuple[Array, Array, Array]:
    """The arrays that another member sent, checked, in the order of time.

    Raises RemoteProtocolError if they do not agree or are no keyframes.
    """
    if tag(new) != "layout" or new["of"].keys() != ARRAYS.keys():
        raise RemoteProtocolError("malformed keyframes")
    points, shapes, kinds = (decode(new["of"][name], ctx.blobs) for name in ARRAYS)
    for array, (width, dtype) in zip((points, shapes, kinds), ARRAYS.values(), strict=True):
        if array.dtype != dtype or array.shape != (*points.shape[:1], width):
            raise RemoteProtocolError("the arrays of keyframes do not agree")
    if not (np.isfinite(points).all() and np.isfinite(shapes).all()):
        raise RemoteProtocolError("a keyframe stands nowhere")
    frames = points[:, 2]
    if (frames[1:] < frames[:-1]).any():  # two members moved different keys past each other
        order = np.argsort(frames, kind="stable")
        points, shapes, kinds = points[order], shapes[order], kinds[order]
    return points, shapes, kinds


def _write_arrays(keys: Any, points: Array, shapes: Array, kinds: Array) -> None:
    """Kinds come first: setting one may move handles. What this Blender has no name for becomes the plainest kind."""
    if len(keys) > len(points):
        keys.clear()
    if len(keys) < len(points):
        keys.add(len(points) - len(keys))
    for name, kind in zip(KINDS, kinds.T.astype(np.int32, order="C"), strict=True):
        known = ENUMS[name].issuperset(kind.tolist())
        keys.foreach_set(name, kind if known else np.where(np.isin(kind, list(ENUMS[name])), kind, 0))
    for name, shape in zip(SHAPES, np.ascontiguousarray(shapes.T), strict=True):
        keys.foreach_set(name, shape)
    for name, point in zip(POINTS, points.reshape(-1, len(POINTS), 2).swapaxes(0, 1), strict=True):
        keys.foreach_set(name, point.reshape(-1))


@dataclass(frozen=True, slots=True)
class EnvelopePoints:
    """The control points of an envelope, as one value: rows of frame, minimum and maximum, in the order of time."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        rows = values.encode((point.frame, point.min, point.max) for point in getattr(struct, self.name))
        return reuse(prev, rows)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        rows = np.array(new, np.float32).reshape(-1, 3)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        points = getattr(struct, self.name)
        while len(points):
            points.remove(points[-1])
        for frame in rows[:, 0].tolist():
            points.add(frame)
        for place, name in ((1, "min"), (2, "max")):  # to set one of a point alone lets Blender read beyond its end
            points.foreach_set(name, np.ascontiguousarray(rows[:, place]))
        struct.mute = struct.mute


# Collections of curves ------------------------------------------------------------------------------------------------

Label = tuple[str, int]  # what a curve animates: Blender holds one for each


def label_of(tree: Mapping[str, Tree]) -> Label:
    """What the curve of a tree animates."""
    path, index = tree.get("data_path"), tree.get("array_index")
    return path if type(path) is str else repr(path), index if type(index) is int else -1


def _label_of_live(curve: Struct) -> Label:
    return label_of({"data_path": values.encode(curve.data_path), "array_index": curve.array_index})


def _standing(curves: Any) -> dict[Label, Struct]:
    """The curves by what they animate. To set an index or a path makes a second of one: Blender makes none, and none
    is mirrored."""
    found: dict[Label, Struct] = {}
    for curve in curves:
        found.setdefault(_label_of_live(curve), curve)
    return found


def shown(of: Mapping[str, Fields]) -> dict[str, Fields]:
    """The curves that Blender can hold: where two members made one for the same property, the first."""
    first: dict[Label, str] = {}
    for key, tree in of.items():
        first.setdefault(label_of(tree), key)
    return {key: of[key] for key in first.values()}


def read_curves(ctx: Context, curves: Any, prev: Tree) -> Tree:
    """The items of a collection of curves. A twin that Blender cannot hold stays for as long as what it animates is."""
    before = structs_of(prev)
    known, standing = shown(before), _standing(curves)
    labels, elements = list(standing), list(standing.values())
    ways = (
        (lambda i: labels[i], lambda key: label_of(known[key])),
        (lambda i: _content(read_curve(ctx, elements[i], None)), lambda key: _content(known[key])),
    )
    keys = recognised(len(elements), list(known), ways)
    found = {key: read_curve(ctx, curve, known.get(key)) for key, curve in zip(keys, elements, strict=True)}
    held = set(labels)
    found |= {key: tree for key, tree in before.items() if key not in known and label_of(tree) in held}
    # Blender orders curves by their groups: no order of anybody's making, so nothing is said to move.
    of = {key: found[key] for key in before if key in found} | found
    tree = items(of)
    return reuse(prev, tree)


def read_curve(ctx: Context, curve: Struct, prev: Fields | None) -> Fields:
    """One curve. Its colour is somebody's only where it is chosen: else whoever looks at the curve sets it."""
    tree = read_struct(ctx, curve, prev)
    if tree["color_mode"] != "CUSTOM" and "color" in tree:
        tree = {name: value for name, value in tree.items() if name != "color"}
    return reuse(prev, tree)  # type: ignore[no-any-return]


def _content(tree: Fields) -> str:
    """What a curve is recognised by when its path changed, as that of a renamed bone does."""
    keys: Tree = tree.get(KEYFRAMES)
    driver: Tree = tree.get("driver")
    arrays = keys["of"] if tag(keys) == "layout" else None
    rule = (driver.get("type"), driver.get("expression")) if tag(driver) == "" else None
    path, index = label_of(tree)
    return repr((path.rpartition(".")[2], index, arrays, rule))


def write_curves(ctx: Context, curves: Any, live: Tree, new: Tree, write: WriteCurve) -> dict[str, Struct]:
    """Makes the curves `new`, where they stand at `live`; the curves by key, to be used at once."""
    before, after = shown(structs_of(live)), shown(structs_of(new))
    standing = _standing(curves)
    here = {key: standing[label_of(tree)] for key, tree in before.items() if label_of(tree) in standing}
    for key in list(here):
        if key not in after or _must_be_remade(here[key], after[key]):
            curves.remove(here.pop(key))
    for key, curve in here.items():  # before new ones are made, which may take the place of these
        if label_of(before[key]) != label_of(after[key]):
            _animate(ctx, curve, label_of(after[key]))
    fresh: Fields | None = None  # what a new curve is: read once, as there may be thousands
    for key, tree in after.items():
        if key not in here:
            try:
                path, index = label_of(tree)
                here[key] = curves.new(path, index=index)
            except WRITE_ERRORS as exc:
                ctx.refuse(curves, "new", exc)
                continue
            fresh = fresh or read_curve(ctx, here[key], None)
            write(ctx, here[key], {**fresh, "data_path": path, "array_index": index}, tree)
        elif before[key] is not tree:
            write(ctx, here[key], before[key], tree)
    return here


def _animate(ctx: Context, curve: Struct, label: Label) -> None:
    try:
        curve.data_path, curve.array_index = label
    except WRITE_ERRORS as exc:
        ctx.refuse(curve, "data_path", exc)


def _must_be_remade(curve: Struct, tree: Fields) -> bool:
    """Whether a curve is to leave its group: Blender takes it to another one only."""
    return curve.group is not None and tree.get("group") is None
