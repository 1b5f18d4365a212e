"""Actions: slots with their F-curves and groups, in one shape for every Blender; and who uses which slot.

Before 4.4 an action is one slot without a name; since then its slots lie in one strip of one layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, new_uuid, tag

from . import values
from .context import Busy, Context, Datablock, Struct
from .curve_groups import GROUPS, GroupOfCurve, Groups, read_groups
from .fcurves import EnvelopePoints, Keyframes, read_curves, write_curves
from .fields import WRITE_ERRORS, Fields, Proxy, read_reference, resolve
from .keying import name_of, recognised, structs_of
from .reuse import reuse
from .struct import write_struct

LAYERED: Final = hasattr(bpy.types, "ActionSlot")
SLOTS: Final = "slots"  # handle: local number of a slot -> key
IDENTITY: Final = ("id_type", "name")
CURVES: Final = "fcurves"
NO_SLOT: Final = 0  # Blender's number of none
ONLY: Final = 0  # the number of the slot of an action that has no slots
NAME: Final = "Legacy Slot"  # what later Blenders name it
LAYER: Final = "Layer"


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot as this Blender has it; `bag` holds its curves and groups, None while there are none."""

    handle: int
    name: str
    id_type: str
    bag: Any


@dataclass(frozen=True, slots=True)
class ActionProxy:
    """All slots of an action, each known by a key. What this Blender has no room for stays as it was."""

    name: str
    pseudo: bool = True

    # Reading

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before: Fields = prev if tag(prev) == "" else {}
        old = structs_of(before.get(SLOTS))
        slots = list(_slots(struct, old))
        keys = _slot_keys(ctx, slots, old)
        ctx.handles()[SLOTS] = {slot.handle: key for key, slot in zip(keys, slots, strict=True)}
        found = {key: _read_slot(ctx, slot, old.get(key)) for key, slot in zip(keys, slots, strict=True)}
        if not LAYERED:
            found = old | found
        of = {key: found[key] for key in old if key in found} | found
        layer = _layer_name(struct) if LAYERED else before.get("layer")
        return reuse(prev, {"layer": layer, SLOTS: reuse(before.get(SLOTS), items(of))})

    # Writing

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if tag(new) != "":
            raise RemoteProtocolError("malformed action")
        before = structs_of(live[SLOTS]) if live is not None else {}
        after = structs_of(new.get(SLOTS))
        arrange = _arrange if LAYERED else _the_only_one
        bags = arrange(ctx, struct, before, after, new.get("layer"))
        for key, bag in bags.items():
            old = before.get(key) or {}
            if old is not after[key]:
                _write_bag(ctx, bag, old, after[key])


@dataclass(frozen=True, slots=True)
class AnimatedBy:
    """The action of animation data. To write it while a strip's action is tweaked in its place raises Busy."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return read_reference(ctx, action_of(struct))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if in_tweak_mode(struct):
            raise Busy("a strip's action is tweaked")
        struct.action = resolve(ctx, new)


def in_tweak_mode(struct: Struct) -> bool:
    """Whether this person tweaks the action of a strip, which then stands where the struct's own was."""
    return isinstance(struct, bpy.types.AnimData) and struct.use_tweak_mode


def action_of(struct: Struct) -> Any:
    """The action of a struct, for everybody."""
    return struct.action_tweak_storage if in_tweak_mode(struct) else struct.action


@dataclass(frozen=True, slots=True)
class SlotReference:
    """Which slot of its action a struct uses, by the slot's key."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        action = action_of(struct)
        handle = self._handle(struct) if LAYERED and action is not None else ONLY
        if action is None or (LAYERED and handle == NO_SLOT):
            return None
        if (known := slots_of(ctx, action)) is None:
            return None
        if not (LAYERED or _has_curves(action)):  # nor a slot, for others, unless it had one
            return known.get(handle)
        return known.setdefault(handle, new_uuid())

    def _handle(self, struct: Struct) -> int:
        if in_tweak_mode(struct):
            waiting: int = struct.action_slot_handle_tweak_storage
            return waiting
        slot = getattr(struct, self.name)
        return slot.handle if slot is not None else NO_SLOT

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if in_tweak_mode(struct):
            raise Busy("a strip's action is tweaked")
        if not LAYERED or struct.action is None:
            return
        slot = None
        if new is not None:
            known = slots_of(ctx, struct.action) or {}
            slot = next((slot for slot in struct.action.slots if known.get(slot.handle) == new), None)
        setattr(struct, self.name, slot)
        if slot is None and new is not None:  # nor the one that Blender chose: each might have another
            raise ValueError("the action has no such slot")


PROXIES: Final[Mapping[str, Any]] = {
    "control_points": EnvelopePoints,
    "group": GroupOfCurve,
    "keyframe_points": Keyframes,
}


def proxy(name: str) -> Proxy:
    """The proxy of a property of actions, curves and their modifiers."""
    made: Proxy = PROXIES.get(name, ActionProxy)(name)
    return made


def slots_of(ctx: Context, action: Datablock) -> dict[int, str] | None:
    """The keys of an action's slots by their local numbers; None if the action is not mirrored.

    A key noted here for a slot that was not read yet is the one it will be read with.
    """
    uuid = ctx.directory.uuid_of(action)
    return None if uuid is None else ctx.local.setdefault(uuid, {}).setdefault(SLOTS, {})


# Reading --------------------------------------------------------------------------------------------------------------


def _slots(action: Datablock, old: dict[str, Fields]) -> Iterator[Slot]:
    if LAYERED:
        strip = _strip(action)
        for slot in action.slots:
            bag = strip.channelbag(slot) if strip is not None else None
            yield Slot(slot.handle, slot.name_display, slot.target_id_type, bag)
    elif old or _has_curves(action):
        known: Fields = next(iter(old.values()), {})
        id_type = action.id_root if len(action.fcurves) else ""  # reading an unset one is reported as an error
        yield Slot(ONLY, known.get("name", NAME), id_type or known.get("id_type", ""), action)


def _has_curves(action: Datablock) -> bool:
    return bool(len(action.fcurves) or len(action.groups))


def _strip(action: Datablock) -> Any:
    return next((strip for layer in action.layers for strip in layer.strips), None)


def _layer_name(action: Datablock) -> Tree:
    return next((values.encode(layer.name) for layer in action.layers), None)


def _slot_keys(ctx: Context, slots: list[Slot], old: dict[str, Fields]) -> list[str]:
    """By their numbers, which hold on this peer only; else by type and name."""
    numbers = {key: handle for handle, key in ctx.handles().get(SLOTS, {}).items()}
    if not LAYERED:
        numbers = numbers or dict.fromkeys(list(old)[:1], ONLY)
    ways = (
        (lambda i: slots[i].handle, numbers.get),
        (lambda i: repr(_identity(slots[i])), lambda key: repr([old.get(key, {}).get(part) for part in IDENTITY])),
    )
    return recognised(len(slots), [*old, *(key for key in numbers if key not in old)], ways)


def _identity(slot: Slot) -> list[Tree]:
    return [slot.id_type, values.encode(slot.name)]


def _read_slot(ctx: Context, slot: Slot, prev: Fields | None) -> Fields:
    before: Fields = prev or {}
    groups = read_groups(ctx, slot.bag, before.get(GROUPS))
    tree = {
        **dict(zip(IDENTITY, _identity(slot), strict=True)),
        GROUPS: groups,
        CURVES: read_curves(ctx, slot.bag.fcurves if slot.bag is not None else (), before.get(CURVES)),
    }
    return reuse(prev, tree)  # type: ignore[no-any-return]


# Writing --------------------------------------------------------------------------------------------------------------


def _the_only_one(
    ctx: Context, action: Datablock, before: dict[str, Fields], after: dict[str, Fields], layer: Tree
) -> dict[str, Any]:
    """Which of the slots this Blender shows: the one it showed, else the first."""
    known = ctx.handles().setdefault(SLOTS, {})
    if not after:
        action.fcurves.clear()
        return {}
    if known.get(ONLY) not in after:
        known[ONLY] = next(iter(after))
    if len(after) > 1:
        ctx.refuse(action, SLOTS, "this Blender has one slot for each action")
    key = known[ONLY]
    id_type = after[key].get("id_type")
    if id_type and before.get(key, {}).get("id_type") != id_type:
        action.id_root = id_type
    return {key: action}


def _arrange(
    ctx: Context, action: Datablock, before: dict[str, Fields], after: dict[str, Fields], layer: Tree
) -> dict[str, Any]:
    """Makes slots what they are to be by number and name; the bags of those that hold anything."""
    known: dict[int, str] = ctx.handles().setdefault(SLOTS, {})
    for slot in list(action.slots):
        if known.get(slot.handle) not in after:
            known.pop(slot.handle, None)
            action.slots.remove(slot)
    here = {known[slot.handle]: slot for slot in action.slots}
    for key, tree in after.items():
        try:
            if key not in here:
                here[key] = action.slots.new(tree.get("id_type"), name_of(tree))
                known[here[key].handle] = key
            elif here[key].name_display != name_of(tree):
                here[key].name_display = name_of(tree)
        except WRITE_ERRORS as exc:
            ctx.refuse(action, SLOTS, exc)
    filled = {key for key, tree in after.items() if structs_of(tree.get(GROUPS)) or structs_of(tree.get(CURVES))}
    if not filled and layer is None:
        return {}
    strip = _ensure_strip(action, layer)
    bags = {key: strip.channelbag(slot, ensure=key in filled) for key, slot in here.items()}
    return {key: bag for key, bag in bags.items() if bag is not None}


def _ensure_strip(action: Datablock, name: Tree) -> Any:
    wanted = name if type(name) is str else LAYER
    layer = action.layers[0] if len(action.layers) else action.layers.new(wanted)
    if layer.name != wanted:
        layer.name = wanted
    return layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")


def _write_bag(ctx: Context, bag: Any, before: Fields, after: Fields) -> None:
    groups = Groups(ctx, bag, structs_of(before.get(GROUPS)), structs_of(after.get(GROUPS)))
    curves = write_curves(ctx, bag.fcurves, before.get(CURVES), after.get(CURVES), write_struct)
    wanted = structs_of(after.get(CURVES))
    last: tuple[str, Any] = "", None  # mostly curves of one group stand together
    for key, curve in curves.items():
        group = wanted[key].get("group")
        if type(group) is str and group in groups.after and groups.key_of(curve.group) != group:
            if last[0] != group:
                last = group, groups.get(group)
            curve.group = last[1]
    groups.finish()
