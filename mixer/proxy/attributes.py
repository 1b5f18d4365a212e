"""The attributes of a mesh or of hair, each as one array, and what stands in for them in older Blenders."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from .arrays import Array, header
from .moment import MOMENT


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of one data type are read: the property, and the dtype and shape of one value."""

    value: str
    dtype: str
    shape: tuple[int, ...] = ()


FORMS: Final = {
    "FLOAT": Form("value", "<f4"),
    "INT": Form("value", "<i4"),
    "FLOAT_VECTOR": Form("vector", "<f4", (3,)),
    "FLOAT_COLOR": Form("color", "<f4", (4,)),
    "BYTE_COLOR": Form("color_srgb", "|u1", (4,)),  # Blender shows the bytes as numbers up to 1
    "BOOLEAN": Form("value", "|b1"),
    "FLOAT2": Form("vector", "<f4", (2,)),
    "INT8": Form("value", "|i1"),
    "INT16_2D": Form("value", "<i2", (2,)),
    "INT32_2D": Form("value", "<i4", (2,)),
    "QUATERNION": Form("value", "<f4", (4,)),
    "FLOAT4X4": Form("value", "<f4", (4, 4)),
    "STRING": Form("value", "|u1"),  # the bytes of all, each ended by a zero
}
TOPOLOGY: Final = frozenset({".edge_verts", ".corner_vert", ".corner_edge"})
PER_USER: Final = (".select", ".vs.", ".es.", ".uv_select_")  # selections, of UV maps too
POSITION: Final = "POINT/FLOAT_VECTOR/position"
UV_MAP: Final = "CORNER/FLOAT2/"
UV_PINS: Final = "CORNER/BOOLEAN/.pn."
SHARP_EDGE: Final = "EDGE/BOOLEAN/sharp_edge"
BYTE: Final = np.float32(255)

VERSION: Final = bpy.app.version
RENAMED: Final = {".uv_seam": "uv_seam"} if VERSION < (4, 5) else {}  # here -> on all peers
# Two kinds of data are attributes in a newer Blender only: key -> collection of the mesh, property
MARKS: Final = {
    "EDGE/BOOLEAN/freestyle_edge": ("edges", "use_freestyle_mark"),
    "FACE/BOOLEAN/freestyle_face": ("polygons", "use_freestyle_mark"),
}
HAS_MARKS: Final = VERSION < (5, 0)
MARKED_ELEMENTS: Final = 100_000  # of larger meshes, marks are read only where Freestyle is in use: it takes long
NORMALS: Final = "CORNER/FLOAT_VECTOR/custom_normal"
HAS_NORMALS: Final = VERSION < (4, 5)


def key_of(attribute: Any) -> str | None:
    """What an attribute is called among the arrays; None for topology, selections and what is not mirrored."""
    name = RENAMED.get(attribute.name, attribute.name)
    if name in TOPOLOGY or name.startswith(PER_USER) or attribute.data_type not in FORMS or not _is_text(name):
        return None
    return f"{attribute.domain}/{attribute.data_type}/{name}"


def _is_text(name: str) -> bool:
    """Whether a name can be the name of a field: Blender's may be any bytes."""
    return bool(name) and name.encode(errors="ignore").decode() == name


def keys_of(mesh: Any) -> dict[str, str]:
    """The attributes of a mesh, by what they are called among the arrays. Of one name the first: to join makes more."""
    named: dict[str, str | None] = {}
    for attribute in mesh.attributes:
        named.setdefault(attribute.name, key_of(attribute))
    return {key: name for name, key in named.items() if key is not None}


def parts_of(key: str) -> tuple[str, str, str]:
    """The domain, data type and name in a key. Raises RemoteProtocolError if it is none."""
    domain, data_type, name = (*key.split("/", 2), "", "")[:3]
    if data_type not in FORMS or not name or name in TOPOLOGY or name.startswith(PER_USER):
        raise RemoteProtocolError(f"{key[:60]!r} is no attribute of a mesh")
    return domain, data_type, name


def of_one_name(keys: Collection[str]) -> frozenset[str]:
    """Of attributes that bear one name, as two members may each have made one: all but the first, which is shown."""
    first: dict[str, str] = {POSITION.split("/", 2)[-1]: POSITION}
    for key in sorted(keys):
        first.setdefault(key.split("/", 2)[-1], key)
    return frozenset(keys) - frozenset(first.values())


def is_supported(key: str) -> bool:
    """Whether this Blender has attributes of such a data type."""
    declared: Any = bpy.types.Attribute.bl_rna.properties["data_type"]
    return key.split("/", 2)[1] in declared.enum_items


def check(key: str, node: Tree, counts: dict[str, int]) -> None:
    """Raises RemoteProtocolError unless an array is of its data type and as long as its domain."""
    domain, data_type, _ = parts_of(key)
    form = FORMS[data_type]
    dtype, shape, _ = header(node)
    fits = len(shape) == 1 if data_type == "STRING" else shape == (counts.get(domain, -1), *form.shape)
    if domain not in counts or dtype != np.dtype(form.dtype) or not fits:
        raise RemoteProtocolError(f"{key[:60]!r} does not fit the mesh")


# Reading ------------------------------------------------------------------------------------------------------------


def read_all(mesh: Any) -> Iterator[tuple[str, Array]]:
    """All attributes of a mesh but its topology."""
    for key, name in keys_of(mesh).items():
        yield key, read(mesh.attributes[name])
    if not isinstance(mesh, bpy.types.Mesh):
        return
    if HAS_MARKS:
        yield from _read_marks(mesh)
    if HAS_NORMALS and mesh.has_custom_normals:
        normals = np.empty((len(mesh.loops), 3), np.float32)
        mesh.corner_normals.foreach_get("vector", normals.reshape(-1))
        yield NORMALS, normals


def read(attribute: Any) -> Array:
    """The values of an attribute: (elements, ...), of a STRING the bytes."""
    data = attribute.data
    form = FORMS[attribute.data_type]
    if attribute.data_type == "STRING":
        return np.frombuffer(b"".join([one.value + b"\0" for one in data]), np.uint8)
    shape = (len(data), *form.shape)
    if attribute.data_type == "BYTE_COLOR":
        colors = np.empty(shape, np.float32)
        data.foreach_get(form.value, colors.reshape(-1))
        return np.rint(colors * BYTE).astype(np.uint8)  # type: ignore[no-any-return]
    array = np.empty(shape, form.dtype)
    data.foreach_get(form.value, array.reshape(-1))
    if attribute.data_type == "BOOLEAN":
        array = array.view(np.uint8) != 0  # Blender leaves some without a value: whatever was in its memory
    return array


def _read_marks(mesh: Any) -> Iterator[tuple[str, Array]]:
    freestyle = any(scene.render.use_freestyle for scene in bpy.data.scenes)
    for key, (collection, name) in MARKS.items():
        elements = getattr(mesh, collection)
        if freestyle or len(elements) <= MARKED_ELEMENTS:
            marks = np.empty(len(elements), np.bool_)
            elements.foreach_get(name, marks)
            if marks.any():
                yield key, marks


# Writing ------------------------------------------------------------------------------------------------------------


def remove(mesh: Any, key: str) -> None:
    """Removes an attribute, if it is there."""
    if HAS_MARKS and key in MARKS:
        collection, name = MARKS[key]
        elements = getattr(mesh, collection)
        elements.foreach_set(name, np.zeros(len(elements), np.bool_))
    elif HAS_NORMALS and key == NORMALS:
        if mesh.has_custom_normals:
            mesh.normals_split_custom_set([(0.0, 0.0, 0.0)] * len(mesh.loops))  # as good as none: RNA has no way
    elif (attribute := find(mesh, key)) is not None and not attribute.is_required:
        mesh.attributes.remove(attribute)


def find(mesh: Any, key: str) -> Any:
    """The attribute of that key; None if there is none."""
    name = key.split("/", 2)[2]
    here = next((old for old, new in RENAMED.items() if new == name), name)
    attribute = mesh.attributes.get(here)
    return attribute if attribute is not None and key_of(attribute) == key else None


def write(mesh: Any, key: str, array: Array) -> bool:
    """Makes an attribute what `array` says, which was checked; False if Blender does not make it."""
    if HAS_MARKS and key in MARKS:
        collection, name = MARKS[key]
        getattr(mesh, collection).foreach_set(name, array)
        return True
    if HAS_NORMALS and key == NORMALS:
        mesh.normals_split_custom_set(array.tolist())
        return True
    attribute = find(mesh, key) or _make(mesh, key)
    if attribute is None:
        return False
    form = FORMS[attribute.data_type]
    if attribute.data_type == "STRING":
        _write_texts(attribute, key, array)
    elif attribute.data_type == "BYTE_COLOR":
        attribute.data.foreach_set(form.value, (array / BYTE).reshape(-1))
    else:
        attribute.data.foreach_set(form.value, array.reshape(-1))
    return True


def _write_texts(attribute: Any, key: str, array: Array) -> None:
    texts = array.tobytes().split(b"\0")
    if len(texts) != len(attribute.data) + 1 or texts[-1]:
        raise RemoteProtocolError(f"{key[:60]!r} does not fit the mesh")
    for one, text in zip(attribute.data, texts, strict=False):
        one.value = text


def _make(mesh: Any, key: str) -> Any:
    domain, data_type, name = parts_of(key)
    here = next((old for old, new in RENAMED.items() if new == name), name)
    old = mesh.attributes.get(here)
    if old is not None and not old.is_required:  # the same name with another type
        mesh.attributes.remove(old)
    before = set(mesh.attributes.keys())
    for first in (here, MOMENT):
        made = mesh.attributes.new(first, data_type, domain)
        if made is not None and first == MOMENT:  # so it gets a name that a vertex group has, too
            made.name = here
        if made is not None and key_of(made) == key:
            return made
        for other in set(mesh.attributes.keys()) - before:  # of a name that is too long Blender makes another
            mesh.attributes.remove(mesh.attributes[other])
    return None
