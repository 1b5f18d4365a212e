"""What an image shows beyond its settings: the bytes of its files, and what was painted on it since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, tag

from . import arrays, files, pictures, values
from .context import Context, Datablock, Struct
from .fields import Fields, Scalar
from .keying import name_of, structs_of
from .reuse import reuse
from .struct import read_struct, write_struct

FILE, PIXELS, TILES = "file", "pixels", "tiles"
OPENED: Final = "opened"
OF_FILES: Final = ("FILE", "TILED")
TODO: Final = {"MOVIE": "a video on this machine", "SEQUENCE": "many files on this machine"}
MAX_NEW_PIXELS: Final = 1 << 26  # of a generated image: 8,192 by 8,192
SIDE: Final = 1024  # of a new image whose tree does not say
FIRST_TILE, TILES_A_ROW = 1001, 10
PATTERN: Final = "tile.<UDIM>"  # Blender tells formats by their bytes


@dataclass(frozen=True, slots=True)
class ImageSize(Scalar):
    """The width or height of a generated image: one too large to be made is not written."""

    pseudo: bool = False

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if _generated_size(fields) is None:
            raise RemoteProtocolError("a generated image that is too large")
        setattr(struct, self.name, new)


@dataclass(frozen=True, slots=True)
class ImageProxy:
    """A struct: the file, unless there is none; the pixels, if they differ from what the file says; tiles by number."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before: Fields = prev if tag(prev) == "" else {}
        tree: Fields = {FILE: None, PIXELS: None, TILES: None}
        may_open = _may_open(ctx, struct)
        if struct.source in TODO:
            ctx.refuse(struct, "source", f"not mirrored: {TODO[struct.source]}")
        elif struct.source == "TILED":
            tree[TILES] = _read_tiles(ctx, struct, before.get(TILES), may_open=may_open)
        else:
            if struct.packed_file is not None:
                tree[FILE] = files.of_packed(ctx, FILE, struct.packed_file)
            elif may_open and struct.source == "FILE" and struct.filepath_raw:
                tree[FILE] = files.of_path(ctx, FILE, struct, struct.filepath_raw)
            if struct.is_dirty:
                tree[PIXELS] = _read_pixels(ctx, struct) if ctx.geometry else before.get(PIXELS)
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if tag(new) != "":
            raise RemoteProtocolError("malformed image")
        before: Fields = live if tag(live) == "" else {}
        if struct.source == "TILED":
            _write_tiles(ctx, struct, structs_of(before.get(TILES)), structs_of(new.get(TILES)))
            return
        if new.get(FILE) != before.get(FILE):
            _write_file(ctx, struct, new.get(FILE))
        elif before.get(PIXELS) is not None and new.get(PIXELS) is None:
            struct.buffers_free()  # what was painted is given up
        if new.get(PIXELS) is not None:
            _write_pixels(ctx, struct, new[PIXELS])


def _may_open(ctx: Context, image: Datablock) -> bool:
    """Whether the file that an image names may be read: only if it showed a file when that path was first seen.

    Else a member could make an image here show, and then share, a file that it merely names.
    """
    path, _ = known = ctx.handles().get(OPENED, (None, False))
    if path != image.filepath_raw:
        known = ctx.handles()[OPENED] = (image.filepath_raw, image.source in OF_FILES)
    return bool(known[1])


# Files --------------------------------------------------------------------------------------------------------------


def _write_file(ctx: Context, image: Datablock, node: Tree) -> None:
    if node is None:
        if image.packed_file is not None:
            image.unpack(method="REMOVE")
        return
    data = _picture(ctx, node)
    image.pack(data=data, data_len=len(data))
    image.buffers_free()  # or it goes on showing what it showed


def _picture(ctx: Context, node: Tree) -> bytes:
    """The bytes of a picture that is not too large to be decoded. Raises RemoteProtocolError if it is none."""
    data = files.received(ctx, node)
    size = pictures.size_of(data)
    if size is None and not ctx.trusted:
        raise RemoteProtocolError("a picture of a format that is only decoded once the room is trusted")
    if size is not None and not 0 < size[0] * size[1] <= pictures.MAX_PIXELS:
        raise RemoteProtocolError(f"a picture of {size[0]} by {size[1]} pixels")
    return data


# Pixels -------------------------------------------------------------------------------------------------------------


def _layout(image: Datablock) -> tuple[tuple[int, int, int], np.dtype[Any], str]:
    """Shape and dtype of an image's pixels, and the name under which they agree with what a member sends."""
    width, height = image.size
    shape, dtype = (height, width, image.channels), np.dtype(np.float32 if image.is_float else np.uint8)
    return shape, dtype, f"{width}x{height}x{image.channels} {dtype.str}"


def _read_pixels(ctx: Context, image: Datablock) -> Tree:
    shape, dtype, name = _layout(image)
    count = len(image.pixels)
    if count != np.prod(shape) or not 0 < count <= arrays.MAX_ELEMENTS:
        ctx.refuse(image, "pixels", f"{name} pixels are not mirrored")
        return None
    flat = np.empty(count, np.float32)
    image.pixels.foreach_get(flat)
    if dtype != flat.dtype:
        flat *= 255
        flat = np.rint(flat, out=flat).astype(dtype)
    hashes = ctx.handles().setdefault(PIXELS, arrays.Hashes())
    return {"$": "layout", "id": name, "of": {PIXELS: arrays.encode(flat.reshape(shape), ctx.blobs, hashes)}}


def _write_pixels(ctx: Context, image: Datablock, tree: Tree) -> None:
    node = tree["of"].get(PIXELS) if tag(tree) == "layout" else None
    if image.source == "GENERATED" and node is not None:
        _scale(image, arrays.header(node)[1])
    shape, dtype, name = _layout(image)
    if node is None or arrays.header(node)[:2] != (dtype, shape):
        raise RemoteProtocolError(f"pixels that do not fit an image of {name}")
    array = arrays.decode(node, ctx.blobs).reshape(-1)
    image.pixels.foreach_set(array if array.dtype == np.float32 else array.astype(np.float32) / 255)
    image.update()


def _scale(image: Datablock, shape: tuple[int, ...]) -> None:
    """Scaled by its editor it is no more as large as it was generated."""
    height, width, *_ = *shape, 0, 0
    if 0 < width * height <= MAX_NEW_PIXELS and (width, height) != tuple(image.size):
        image.scale(width, height)


# Tiles --------------------------------------------------------------------------------------------------------------


def _read_tiles(ctx: Context, image: Datablock, prev: Tree, *, may_open: bool) -> Tree:
    packed = {one.tile_number: one.packed_file for one in image.packed_files if one.packed_file is not None}
    before = structs_of(prev)
    of = {}
    for tile in sorted(image.tiles, key=lambda tile: tile.number):
        number, key = tile.number, str(tile.number)
        node = None
        if number in packed:
            node = files.of_packed(ctx, key, packed[number])
        elif may_open and image.filepath_raw:
            node = files.of_path(ctx, key, image, _path_of(image.filepath_raw, number))
        tree = {**read_struct(ctx, tile, before.get(key)), FILE: node}
        of[key] = reuse(before.get(key), tree)
    if image.is_dirty:
        ctx.refuse(image, TILES, "what is painted on tiles is shared once it is saved")
    return reuse(prev, items(of))


def _path_of(pattern: str, number: int) -> str:
    """The path of one tile."""
    row, column = divmod(number - FIRST_TILE, TILES_A_ROW)
    return pattern.replace("<UDIM>", str(number)).replace("<UVTILE>", f"u{column + 1}_v{row + 1}")


def _write_tiles(ctx: Context, image: Datablock, before: Mapping[str, Fields], wanted: Mapping[str, Fields]) -> None:
    numbers = {key: int(key) for key in wanted if key.isascii() and key.isdigit() and len(key) < 5}
    here = {tile.number for tile in image.tiles}
    for key, number in numbers.items():
        if number not in here and image.tiles.new(number) is None:
            ctx.refuse(image, TILES, f"Blender makes no tile {key}")
    for number in sorted(here - set(numbers.values())):
        image.tiles.remove(image.tiles.get(number))
    for tile in image.tiles:
        if (tree := wanted.get(str(tile.number))) is not None:
            write_struct(ctx, tile, read_struct(ctx, tile, tree), tree)
    nodes = {key: wanted[key].get(FILE) for key in numbers}
    if any(node is not None and node != before.get(key, {}).get(FILE) for key, node in nodes.items()):
        pictures_of = {key: _picture(ctx, node) for key, node in nodes.items() if node is not None}
        _pack_tiles(image, {_path_of(PATTERN, numbers[key]): data for key, data in pictures_of.items()})


def _pack_tiles(image: Datablock, contents: Mapping[str, bytes]) -> None:
    """Gives an image the files of its tiles, which Blender packs only from a folder."""
    path = image.filepath_raw
    with files.for_the_moment(contents) as folder:
        image.filepath_raw = str(folder / PATTERN)
        image.reload()  # a tile that was generated is one no longer
        image.pack()
    image.filepath_raw = path
    for packed in image.packed_files:
        packed.filepath = ""
    image.buffers_free()


# New images ---------------------------------------------------------------------------------------------------------


def _generated_size(tree: Fields) -> tuple[int, int] | None:
    """The size of a generated image; None if it is none or too large."""
    width, height = tree.get("generated_width", SIDE), tree.get("generated_height", SIDE)
    if type(width) is not int or type(height) is not int or not 0 < width * height <= MAX_NEW_PIXELS:
        return None
    return width, height


def image(ctx: Context, tree: Tree) -> Datablock:
    """A new image, as yet without a file. One too large to be made is made small."""
    width, height = _generated_size(tree) or (1, 1)
    return bpy.data.images.new(
        name_of(tree),
        width,
        height,
        alpha=True,
        float_buffer=tree.get("use_generated_float") is True,
        tiled=values.decode(tree.get("source")) == "TILED",
    )


CREATORS: Final[dict[str, Callable[[Context, Tree], Datablock | None]]] = {"images": image}
