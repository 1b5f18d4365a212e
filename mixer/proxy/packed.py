"""Sounds and fonts: a file's bytes, and for the font that is part of Blender a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, tag

from . import files
from .context import Context, Datablock, Struct
from .fields import Fields
from .reuse import reuse

FILE: Final = "packed_file"
BUILTIN: Final = "<builtin>"  # the path of the font that is part of Blender

# By the first bytes, as Blender's own decoders tell them apart; offset, magic, extension.
MAGICS: Final = {
    "sounds": (
        (0, b"fLaC", ".flac"),
        (0, b"OggS", ".ogg"),
        (8, b"WAVE", ".wav"),
        (8, b"AIFF", ".aiff"),
        (8, b"AIFC", ".aiff"),
        (4, b"ftyp", ".m4a"),
        (0, b"ID3", ".mp3"),
        (0, b"\xff", ".mp3"),
        (0, b".snd", ".au"),
    ),
    "fonts": (
        (0, b"\0\1\0\0", ".ttf"),
        (0, b"true", ".ttf"),
        (0, b"ttcf", ".ttc"),
        (0, b"OTTO", ".otf"),
        (0, b"wOFF", ".woff"),
        (0, b"wOF2", ".woff2"),
        (0, b"%!", ".pfa"),
        (0, b"\x80\1", ".pfb"),
    ),
}


@dataclass(frozen=True, slots=True)
class PackedProxy:
    """The bytes of a sound or font, wherever they lie here. What was received is always packed."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        if struct.filepath == BUILTIN:
            return BUILTIN
        packed = getattr(struct, self.name)
        if packed is not None:
            tree = files.of_packed(ctx, self.name, packed)
        else:
            tree = files.of_path(ctx, self.name, struct, struct.filepath)
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if tag(new) != "blob" or struct.filepath == BUILTIN:
            ctx.refuse(struct, self.name, "not a file's bytes")
            return
        kind = "fonts" if isinstance(struct, bpy.types.VectorFont) else "sounds"
        data = files.received(ctx, new)
        name = _name(kind, data)
        with files.for_the_moment({name: data}) as folder:
            if getattr(struct, self.name) is not None:
                struct.unpack(method="REMOVE")
            struct.filepath = str(folder / name)
            _pack(struct, name)


def _pack(datablock: Datablock, name: str) -> None:
    """Packs what was loaded from a path of the moment, and leaves a path that says nothing and leads nowhere."""
    datablock.pack()
    datablock.filepath = f"//{name}"


def _name(kind: str, data: bytes) -> str:
    """A file name of our own making. Raises RemoteProtocolError if the bytes are of no format that is loaded here."""
    for offset, magic, extension in MAGICS[kind]:
        if data[offset : offset + len(magic)] == magic:
            return sha256(data).hexdigest() + extension
    raise RemoteProtocolError(f"not of a format that is loaded as one of the {kind}")


def sound(ctx: Context, tree: Tree) -> Datablock | None:
    """A new sound of received bytes."""
    return _load(ctx, "sounds", tree)


def font(ctx: Context, tree: Tree) -> Datablock | None:
    """A new font of received bytes, or the one that is part of Blender."""
    if tree.get(FILE) == BUILTIN:
        return bpy.data.fonts.load(BUILTIN)
    return _load(ctx, "fonts", tree)


def _load(ctx: Context, kind: str, tree: Tree) -> Datablock | None:
    if tag(tree.get(FILE)) != "blob":
        ctx.refused[f"bpy.data.{kind}"] = "its file was missing where it was shared"
        return None
    data = files.received(ctx, tree[FILE])
    name = _name(kind, data)
    with files.for_the_moment({name: data}) as folder:
        collection: Any = getattr(bpy.data, kind)
        made = collection.load(str(folder / name))
        _pack(made, name)
    return made


CREATORS: Final[dict[str, Callable[[Context, Tree], Datablock | None]]] = {"sounds": sound, "fonts": font}
