"""The material of an object's material slot: its own only where the slot is linked to the object."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.tree import Tree

from .context import Context, Struct
from .fields import Fields, read_reference, resolve


@dataclass(frozen=True, slots=True)
class SlotMaterial:
    """Elsewhere the material is the mesh's, which mirrors it for all its objects."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return read_reference(ctx, struct.material) if struct.link == "OBJECT" else None

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if fields.get("link") == "OBJECT":
            struct.link = "OBJECT"
            struct.material = resolve(ctx, new)
