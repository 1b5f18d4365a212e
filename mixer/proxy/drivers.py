"""Drivers. What one computes came from another member: a scripted one runs only where it is harmless or trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import bl_math
import bpy

from broadcaster.tree import Tree, tag

from .. import trust
from .context import Context, Struct
from .fcurves import label_of, read_curves, write_curves
from .fields import Fields, Scalar, read_reference, resolve
from .keying import structs_of
from .struct import write_struct

PARTS: Final[Mapping[str, str]] = {"KEY": "shape_keys", "NODETREE": "node_tree"}  # id_type -> part of its owner


@dataclass(frozen=True, slots=True)
class Drivers:
    """The drivers of one datablock, each known by a key.

    One that must not run here is muted before its expression is set, and stays so: that is no edit of anybody's.
    """

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return read_curves(ctx, getattr(struct, self.name), prev)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        write_curves(ctx, getattr(struct, self.name), live, new, _write_driver)


@dataclass(frozen=True, slots=True)
class Target:
    """The datablock that a driver looks at. Shape keys and embedded node trees are named by their owner."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return read_reference(ctx, getattr(struct, self.name))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        target = resolve(ctx, new)
        part = PARTS.get(struct.id_type, "")
        setattr(struct, self.name, getattr(target, part, target) if part and target is not None else target)


PROXIES: Final[Mapping[str, Any]] = {"drivers": Drivers, "expression": Scalar, "id": Target}


def proxy(name: str) -> Drivers | Scalar | Target:
    """The proxy of a property of animation data, drivers and their targets."""
    made: Drivers | Scalar | Target = PROXIES[name](name)
    return made


def may_run(ctx: Context, driver: Any) -> bool:
    """Whether what Blender now holds as this driver's expression may be evaluated here."""
    if ctx.trusted or driver.type != "SCRIPTED":
        return True
    redefined = trust.redefined_in(bpy.app.driver_namespace, vars(bl_math))
    return trust.is_safe_expression(driver.expression, {one.name for one in driver.variables}, redefined)


def _write_driver(ctx: Context, curve: Struct, before: Fields, after: Fields) -> None:
    """Muted while its code changes; whether it then runs is told by what Blender holds, not by what was sent."""
    wanted = after.get("mute") is True
    if _code_of(before) != _code_of(after):
        curve.mute = True
    write_struct(ctx, curve, {**before, "mute": wanted}, {**after, "mute": wanted})
    if curve.mute == wanted:
        return
    if wanted or may_run(ctx, curve.driver):
        curve.mute = wanted
    else:
        path, index = label_of(after)
        ctx.withhold(curve, f"{path}[{index}]")


def _code_of(curve: Fields) -> Tree:
    """What of a driver decides which code runs."""
    driver: Tree = curve.get("driver")
    if tag(driver) != "":
        return None
    names = [one.get("name") for one in structs_of(driver.get("variables")).values()]
    return driver.get("type"), driver.get("expression"), driver.get("use_self"), names
