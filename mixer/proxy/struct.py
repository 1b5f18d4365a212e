"""Proxies of structs: one child proxy per mirrored RNA property, planned once per RNA type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import bpy

from broadcaster.tree import Tree, same

from .. import rules
from ..rules.rule import Rule
from . import idprops, values
from .context import Busy, Context, Struct
from .fields import WRITE_ERRORS, Choice, Fields, Flags, Proxy, Reference, Scalar, Vector, Withheld
from .registered import Registered
from .reuse import reuse

CUSTOM: Final = "custom_properties"  # the field of a struct's ID properties; no RNA property bears this name
REGISTRABLE: Final = (bpy.types.ID, bpy.types.PropertyGroup)
SHIPPED: Final = "cycles."  # the add-on that comes with Blender: what it does when a value is set is known
PATHS: Final = {"FILE_PATH", "DIR_PATH", "FILE_NAME"}
SCALARS: Final = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
PLAIN: Final = {"BOOLEAN", "INT", "ENUM"}  # always values that JSON has


@dataclass(frozen=True, slots=True)
class Pointer:
    """A struct that is part of this one. Where it may be missing, `make` is a method or a switch that makes it.

    A switch is set to true, or as `switch=VALUE` says; what it should be it gets as all that a first writing moved.
    """

    name: str
    make: str = ""
    clear: str = ""

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        inner = getattr(struct, self.name)
        if inner is None:
            return None
        fields = read_struct(ctx, inner, prev)
        if not self.make or "name" not in fields:
            return fields
        # The name of a node tree that is part of its owner cannot be chosen.
        fields = {name: value for name, value in fields.items() if name != "name"}
        return reuse(prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if new is None:
            if self.clear and getattr(struct, self.name) is not None:
                getattr(struct, self.clear)()
            return
        if getattr(struct, self.name) is None and self.make:
            name, _, value = self.make.partition("=")
            make = getattr(struct, name)
            make() if callable(make) else setattr(struct, name, value or True)
        inner = getattr(struct, self.name)
        if inner is None:
            ctx.refuse(struct, self.name, "Blender has none here")
            return
        write_struct(ctx, inner, live if live is not None else read_struct(ctx, inner, new), new)


WRITE_ORDER: Final = {Scalar: 0, Choice: 0, Flags: 0, Vector: 0, Withheld: 0, Reference: 1, Pointer: 2}  # others last
SIMPLE: Final = (Scalar, Choice, Flags)  # all read in one call


# Plans --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """How the structs of one RNA type are read and written."""

    rule: Rule
    registered: frozenset[str]  # names of what add-ons registered: Blender keeps these beside the custom properties
    proxies: Mapping[str, Proxy]  # in the order of writing
    scalars: tuple[str, ...]  # read in one call
    encoded: tuple[str, ...]  # of these, those whose value may be one that JSON lacks
    vectors: tuple[str, ...]  # read in one call
    rest: tuple[str, ...]  # one by one, after the scalars
    get_scalars: Any
    get_vectors: Any
    custom: bool  # whether structs of this type take custom properties
    known: tuple[str, ...]  # what properties the type had
    missing: Mapping[str, str]  # "Type.property" -> why it is not mirrored, though it should be


_plans: Final[dict[type, Plan]] = {}  # a cache of what the RNA says: equal for everybody in this process


def plan_of(struct: Struct) -> Plan:
    """The plan of `struct`'s RNA type, made on first use."""
    kind = type(struct)
    if (plan := _plans.get(kind)) is None:
        plan = _plans[kind] = _make_plan(struct)
    return plan


def forget_changed_plans() -> None:
    """Drops the plans of types that an add-on has given properties, or taken them from, since they were made."""
    for kind, plan in list(_plans.items()):
        try:
            known = plan.known == tuple(kind.bl_rna.properties.keys())  # type: ignore[attr-defined]
        except (AttributeError, RuntimeError):  # the type itself is gone
            known = False
        if not known:
            del _plans[kind]


def _make_plan(struct: Struct) -> Plan:
    rna = struct.bl_rna
    bases = [rna.identifier]
    base = rna.base
    while base is not None:
        bases.append(base.identifier)
        base = base.base
    rule = rules.merged(bases)
    # What Blender itself makes at run time, as the properties of nodes, looks the same and is written as all else.
    foreign = isinstance(struct, REGISTRABLE) and not type(struct).__module__.startswith(SHIPPED)
    proxies: dict[str, Proxy] = {}
    missing: dict[str, str] = {}
    for prop in rna.properties:
        name = prop.identifier
        if name in rule.todo:
            missing[_home(rna, name)] = "not mirrored yet"
        if (
            name == "rna_type"
            or name in idprops.OURS
            or name in rule.skipped()
            or getattr(prop, "is_deprecated", False)
        ):
            continue
        found = _proxy_of(prop, rule)
        if isinstance(found, str):
            if found:
                missing[_home(rna, name)] = found
            continue
        is_path = getattr(prop, "subtype", "") in PATHS
        withheld = name in rule.withheld
        if prop.is_runtime and foreign and isinstance(found, Scalar | Reference):
            found, withheld = Registered(name, found), withheld or is_path
        proxies[name] = Withheld(name, found, never=is_path) if withheld else found
    for pseudo, by in rule.by.items():
        if pseudo not in rna.properties and by in SPECIAL and SPECIAL[by](pseudo).pseudo:
            proxies[pseudo] = SPECIAL[by](pseudo)
    return _assemble(struct, rule, proxies, missing)


def _home(rna: Any, name: str) -> str:
    """ "Type.property", with the type that brings the property, of which others derive."""
    while rna.base is not None and name in rna.base.properties:
        rna = rna.base
    return f"{rna.identifier}.{name}"


def _shown(proxy: Proxy) -> Proxy:
    """What reads a property, whoever writes it."""
    return proxy.inner if isinstance(proxy, Registered) else proxy


def _assemble(struct: Struct, rule: Rule, proxies: dict[str, Proxy], missing: dict[str, str]) -> Plan:
    scalars = tuple(name for name, proxy in proxies.items() if type(_shown(proxy)) in SIMPLE)
    vectors = tuple(name for name, proxy in proxies.items() if type(_shown(proxy)) is Vector)
    late = [name for name, proxy in proxies.items() if type(_shown(proxy)) not in (*SIMPLE, Vector)]
    late.sort(key=lambda name: name in rule.by)  # special proxies look at the fields that were read before
    order = sorted(proxies, key=lambda name: WRITE_ORDER.get(type(_shown(proxies[name])), len(WRITE_ORDER)))
    types = struct.bl_rna.properties
    return Plan(
        rule,
        frozenset(name for name, prop in types.items() if prop.is_runtime),
        {name: proxies[name] for name in order},
        scalars,
        tuple(name for name in scalars if types[name].type not in PLAIN or type(_shown(proxies[name])) is Flags),
        vectors,
        tuple(late),
        _getter(scalars),
        _getter(vectors),
        idprops.supported(struct),
        tuple(struct.bl_rna.properties.keys()),
        missing,
    )


def _getter(names: tuple[str, ...]) -> Any:
    match names:
        case ():
            return lambda struct: ()
        case (name,):
            return lambda struct: (getattr(struct, name),)
    return attrgetter(*names)


def _proxy_of(prop: Any, rule: Rule) -> Proxy | str:
    """The proxy of an RNA property; a reason instead where there is none, empty for a derived one."""
    name = prop.identifier
    if name in rule.by:
        special: Proxy | str = SPECIAL[rule.by[name]](name) if rule.by[name] in SPECIAL else "no proxy"
        return special
    if prop.type in SCALARS:
        if prop.is_readonly:
            return ""
        if prop.type == "ENUM":
            return Flags(name) if prop.is_enum_flag else Choice(name)
        if getattr(prop, "is_array", False):
            return Vector(name)
        return Scalar(name)
    if prop.type == "POINTER":
        return _pointer_proxy(prop, rule)
    if name in rule.items:
        made: Proxy = COLLECTIONS["rows" if rule.items[name].rows else "items"](name, rule.items[name])
        return made
    return "a collection without a rule"


def _pointer_proxy(prop: Any, rule: Rule) -> Proxy | str:
    name = prop.identifier
    if name in rule.make:
        make, clear = rule.make[name]
        return Pointer(name, make, clear)
    if name in rule.embedded:
        return Pointer(name)
    fixed = prop.fixed_type
    while fixed.base is not None:
        fixed = fixed.base
    if fixed.identifier == "ID":
        return "" if prop.is_readonly else Reference(name, name in rule.strong)
    return Pointer(name) if prop.is_readonly or fixed.identifier == "PropertyGroup" else "a choice among structs"


SPECIAL: Final[dict[str, Any]] = {}  # filled by the package: name in Rule.by -> what makes the proxy of a property name
COLLECTIONS: Final[dict[str, Any]] = {}  # filled by the package: "items" and "rows"
AFTER: Final[dict[str, Any]] = {}  # filled by the package: name in Rule.after -> what is to be done to a struct


# Reading and writing ------------------------------------------------------------------------------------------------


def read_struct(ctx: Context, struct: Struct, prev: Tree) -> Fields:
    """The mirrored properties of `struct`. What equals `prev` is `prev` itself, so that comparing is quick."""
    try:
        return _read_fields(ctx, plan_of(struct), struct, prev)
    except AttributeError:  # an add-on has taken its properties away
        _plans.pop(type(struct), None)
        return _read_fields(ctx, plan_of(struct), struct, prev)


def _read_fields(ctx: Context, plan: Plan, struct: Struct, prev: Tree) -> Fields:
    before: Fields = prev if type(prev) is dict else {}
    fields = read_values(plan, struct)
    if ctx.derived:
        _keep_derived(ctx, struct, before, fields)
    for name in plan.rest:
        fields[name] = _read_late(ctx, plan, struct, name, before.get(name), fields)
    if plan.custom:
        custom = idprops.read(ctx, struct, before.get(CUSTOM), plan.registered)
        # A datablock has the field from its beginning: two may hang their first ones on it at once.
        if custom or CUSTOM in before or (prev is None and isinstance(struct, bpy.types.ID)):
            fields[CUSTOM] = custom
    return reuse(before, fields)  # type: ignore[no-any-return]


def read_values(plan: Plan, struct: Struct) -> Fields:
    """The numbers, texts and vectors of `struct`."""
    fields: Fields = dict(zip(plan.scalars, plan.get_scalars(struct), strict=True))
    for name in plan.encoded:
        value = fields[name]
        if type(value) is float:
            if value - value != 0.0:
                fields[name] = values.encode(value)
        elif type(value) is not str or not value.isascii():
            fields[name] = values.encode(value)
    if plan.vectors:
        fields.update(zip(plan.vectors, map(_read_vector, plan.get_vectors(struct)), strict=True))
    return fields


def _read_late(ctx: Context, plan: Plan, struct: Struct, name: str, prev: Tree, fields: Fields) -> Tree:
    """One property by its proxy. What stood there last may be another member's, and nothing that the proxy can use."""
    try:
        return plan.proxies[name].read(ctx, struct, prev, fields)
    except WRITE_ERRORS as exc:
        if prev is None:
            raise
        ctx.refuse(struct, name, exc)
        return plan.proxies[name].read(ctx, struct, None, fields)


def _read_vector(vector: Any) -> Tree:
    elements = list(vector[:])
    first = elements[0] if elements else 0
    if type(first) is float:
        total = sum(elements)
        return elements if total - total == 0.0 else values.encode(elements)
    if type(first) is bool or type(first) is int:
        return elements
    return values.encode(elements)


def _keep_derived(ctx: Context, struct: Struct, before: Fields, fields: Fields) -> None:
    """What a curve or driver controls stays as it was read before: it is not ours to send."""
    pointer = struct.as_pointer()
    for name in fields:
        if (indices := ctx.derived.get((pointer, name))) is None or name not in before:
            continue
        old = before[name]
        if type(fields[name]) is list and type(old) is list and len(old) == len(fields[name]):
            fields[name] = [old[i] if i in indices else value for i, value in enumerate(fields[name])]
        else:
            fields[name] = old


def write_struct(ctx: Context, struct: Struct, live: Fields, new: Fields) -> None:
    """Writes those fields of `new` that differ from `live`. What Blender refuses is noted, the rest is written."""
    plan = plan_of(struct)
    changed = {name for name, tree in new.items() if name not in live or not same(live[name], tree)}
    custom = CUSTOM in changed or (CUSTOM in live and CUSTOM not in new)  # where there are none, there is no field
    if not changed and not custom:
        return
    for name in plan.rule.write_first:
        if name in changed and name in plan.proxies:
            changed.discard(name)
            _write_field(ctx, plan, struct, name, live, new)
    for name in plan.proxies:
        if name in changed:
            _write_field(ctx, plan, struct, name, live, new)
    for name in plan.rule.after:
        AFTER[name](struct)
    if custom:
        idprops.write(ctx, struct, live.get(CUSTOM), new.get(CUSTOM))


def _write_field(ctx: Context, plan: Plan, struct: Struct, name: str, live: Fields, new: Fields) -> None:
    try:
        plan.proxies[name].write(ctx, struct, live.get(name), new[name], new)
    except Busy:
        ctx.busy = True
    except WRITE_ERRORS as exc:
        ctx.refuse(struct, name, exc)


def not_mirrored() -> dict[str, str]:
    """ "Type.property" -> why, for the RNA types met so far: what a new Blender brought and no rule names."""
    return {where: reason for plan in _plans.values() for where, reason in plan.missing.items()}
