"""Plain values of single RNA properties, and of what RNA does not show as properties."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from .tables import KEYS

UNREADABLE: Final = (AttributeError, RuntimeError, ReferenceError, UnicodeDecodeError, SystemError)
OURS: Final = ("mixer_uuid", "mixer_room", "mixer_held")


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer to what is compared elsewhere."""

    to: str

    def __str__(self) -> str:
        return f"<{self.to}>"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a property that Blender cannot give, with what it says."""

    why: str


def get(struct: Any, name: str) -> Any:
    """A property, or that it is unreadable."""
    try:
        return getattr(struct, name)
    except UNREADABLE as exc:
        return Unreadable(str(exc))


def plain(value: Any) -> Any:
    """A vector, a matrix or a set of flags as a tuple; a single value as it is."""
    if isinstance(value, set):
        return tuple(sorted(value))
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return value
    return tuple(plain(row) if hasattr(row, "__len__") else row for row in value)


def named(struct: Any) -> Reference:
    """A datablock by kind and name; any other struct by its datablock, type and name."""
    if isinstance(struct, bpy.types.ID):
        return Reference(f"{struct.id_type.lower()} {struct.name!r}")
    rna = struct.bl_rna
    name = repr(getattr(struct, rna.name_property.identifier)) if rna.name_property else ""
    home = named(struct.id_data).to if struct.id_data is not None else ""
    return Reference(f"{home} {rna.identifier} {name}".strip())


def keys(collection: Iterable[Any]) -> list[str]:
    """A key for each item: its name, numbered where several have it; its place where items have no names."""
    seen: Counter[str] = Counter()
    found = []
    for index, item in enumerate(collection):
        key = str(index) if item is None else _key(item, index)
        seen[key] += 1
        found.append(key if seen[key] == 1 else f"{key} #{seen[key]}")
    return found


def _key(item: Any, index: int) -> str:
    rna = item.bl_rna
    if (fields := KEYS.get(rna.identifier)) is not None:
        return " ".join(repr(attrgetter(one)(item)) for one in fields) or str(index)
    name = rna.name_property
    return repr(getattr(item, name.identifier)) if name is not None else str(index)


# Custom properties --------------------------------------------------------------------------------------------------


def takes_custom_properties(struct: Any) -> bool:
    """Whether structs of this type have properties that nobody registered."""
    if isinstance(struct, bpy.types.PropertyGroup):
        return False
    if isinstance(struct, bpy.types.NodesModifier):
        return True
    try:
        struct.keys()
    except TypeError:
        return False
    return True


def custom_properties(struct: Any) -> Iterator[tuple[str, Any]]:
    """Each custom property with its limits; those that are inputs of a node group by the socket's name."""
    if isinstance(struct, bpy.types.NodesModifier):
        yield from _inputs(struct)
        return
    registered, names = struct.bl_rna.properties, list(struct.keys())
    for name in names:
        if name not in registered and name not in OURS:
            yield f"[{name!r}]", _custom_value(struct[name])
            with contextlib.suppress(TypeError, KeyError):
                yield f"[{name!r}] limits", str(struct.id_properties_ui(name).as_dict())


def _inputs(modifier: Any) -> Iterator[tuple[str, Any]]:
    """By the socket's name: the number that Blender names them by every file has for itself."""
    if modifier.node_group is None:
        return
    sockets = [item for item in modifier.node_group.interface.items_tree if item.item_type == "SOCKET"]
    for key, socket in zip(keys(sockets), sockets, strict=True):
        if not hasattr(modifier, "properties"):  # up to Blender 5.1
            for suffix in ("", "_use_attribute", "_attribute_name"):
                if (name := socket.identifier + suffix) in modifier:
                    yield f"[{key}{suffix}]", _custom_value(modifier[name])
            continue
        end = modifier.properties.inputs if socket.in_out == "INPUT" else modifier.properties.outputs
        if (place := getattr(end, socket.identifier, None)) is not None:
            for name in set(place.bl_rna.properties.keys()) - {"rna_type", "name"}:
                yield f"[{key}]" if name == "value" else f"[{key} {name}]", _custom_value(getattr(place, name))


def _custom_value(value: Any) -> Any:
    if isinstance(value, bpy.types.ID):
        return named(value)
    if hasattr(value, "to_dict"):
        return tuple(sorted((name, _custom_value(inner)) for name, inner in value.items()))
    if hasattr(value, "to_list"):
        return tuple(value.to_list())
    if isinstance(value, list | bpy.types.bpy_prop_array):
        return tuple(map(_custom_value, value))
    return value


# What RNA does not show as properties, or not in a way that can be compared -----------------------------------------


def _weights(mesh: Any) -> Any:
    """Rows of (vertex, group, weight). One that nobody can set stands for the nearest; of no object none counts."""
    rows = [
        (v.index, g.group, min(max(g.weight, 0.0), 1.0))
        for v in mesh.vertices
        for g in sorted(v.groups, key=attrgetter("group"))
    ]
    if rows and not any(one.data == mesh for one in bpy.data.objects):  # which would have the groups
        rows = []
    return np.array(rows, np.float64).reshape(-1, 3)


def _image_bytes(image: Any) -> Any:
    if image.source == "TILED":
        return tuple(_hash(one.packed_file.data) for one in image.packed_files)
    if image.source == "GENERATED" and image.packed_file is None:
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        return _hash(pixels.tobytes())
    return _file_bytes(image)


def _file_bytes(datablock: Any) -> str:
    """The hash of the bytes that a datablock is made from, packed or on this machine's disk."""
    if datablock.packed_file is not None:
        return _hash(datablock.packed_file.data)
    path = Path(bpy.path.abspath(datablock.filepath, library=datablock.library))
    return _hash(path.read_bytes()) if datablock.filepath and path.is_file() else "no file"


def _hash(data: bytes) -> str:
    return f"sha256 {hashlib.sha256(data).hexdigest()}"


def _default_color(mesh: Any) -> str:
    name: str = mesh.attributes.default_color_name
    return name if name in mesh.attributes else ""  # it stays when the attribute goes


def _letters(curve: Any) -> str:
    return str(curve.body) if curve.font is not None else "a text without a font"  # of which Blender 4.2 dies


def _selected(layer: Any) -> tuple[str, ...]:
    return tuple(sorted(thing.name for thing in layer.objects if thing.select_get(view_layer=layer)))


def _hidden(layer: Any) -> tuple[str, ...]:
    return tuple(sorted(thing.name for thing in layer.objects if thing.hide_get(view_layer=layer)))


Extra = tuple[str, bool, Callable[[Any], Any]]  # a name, whether each person has their own, how it is read

EXTRA: Final[dict[str, tuple[Extra, ...]]] = {
    "Mesh": (
        ("vertex weights", False, _weights),
        ("default color", False, _default_color),
    ),
    "Image": (("bytes", False, _image_bytes),),
    "Sound": (("bytes", False, _file_bytes),),
    "VectorFont": (("bytes", False, _file_bytes),),
    "TextCurve": (("body", False, _letters),),
    "Text": (("text", False, lambda text: text.as_string()),),
    "ViewLayer": (("selected objects", True, _selected), ("hidden objects", True, _hidden)),
}
