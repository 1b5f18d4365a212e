"""Bytes of files: what Blender holds packed, or what lies where the local Blender says, as blobs.

No path comes from a document and none goes into one. Where Blender takes received bytes from a path only, it is of our
own making, and gone a moment later.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, tag
from broadcaster.wire import MAX_BLOB_BYTES

from .context import Context, Datablock

BLOBS: Final = "blobs"


def of_packed(ctx: Context, part: str, packed: Any) -> Tree:
    """The node of a packed file; its bytes are read only when they are others than last time."""
    return _node(ctx, part, (packed.as_pointer(), packed.size), lambda: bytes(packed.data))


def of_path(ctx: Context, part: str, datablock: Datablock, path: str) -> Tree:
    """The node of a file that this Blender itself names; None, and noted, if there is none to be read."""
    absolute = bpy.path.abspath(path, library=datablock.library)
    try:
        found = os.stat(absolute)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BLOB_BYTES:
            ctx.refuse(datablock, "filepath", "not a file of a size that is shared")
            return None
        signature = (absolute, found.st_mtime_ns, found.st_size)
        return _node(ctx, part, signature, Path(absolute).read_bytes)
    except (OSError, ValueError) as exc:  # ValueError: a name that no system has
        ctx.refuse(datablock, "filepath", f"{path}: {getattr(exc, 'strerror', exc)}")
        return None


def _node(ctx: Context, part: str, signature: Hashable, load: Callable[[], bytes]) -> Tree:
    known: dict[str, tuple[Hashable, Tree]] = ctx.handles().setdefault(BLOBS, {})
    if part not in known or known[part][0] != signature:
        data = load()
        known[part] = (signature, {"$": "blob", "sha": ctx.blobs.put(data), "size": len(data)})
    return known[part][1]


def received(ctx: Context, node: Tree) -> bytes:
    """The bytes of a node that another member sent.

    Raises RemoteProtocolError if it is none, too large, or of another size than it says; KeyError if they are not here.
    """
    if tag(node) != "blob" or node["size"] > MAX_BLOB_BYTES:
        raise RemoteProtocolError(f"not a file: {str(node)[:60]}")
    data = ctx.blobs.get(node["sha"])
    if len(data) != node["size"]:
        raise RemoteProtocolError(f"a file of {node['size']} bytes holds {len(data)}")
    return data


@contextmanager
def for_the_moment(contents: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder with these files, gone afterwards. Their names are the caller's own."""
    with tempfile.TemporaryDirectory(prefix="mixer-") as folder:
        for name, data in contents.items():
            Path(folder, name).write_bytes(data)
        yield Path(folder)
