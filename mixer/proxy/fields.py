"""Proxies of single properties: numbers and texts, enums, vectors, references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import bpy
from mathutils import Matrix

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from . import values
from .context import Context, Struct
from .moment import MOMENT

Fields = dict[str, Tree]

# What Blender and a proxy raise where a member sent what does not fit. RecursionError is a RuntimeError.
WRITE_ERRORS: Final = (
    RemoteProtocolError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    ReferenceError,
    SystemError,  # a lookup by what is no text
    MemoryError,
)
C_INT: Final = range(-(2**31), 2**31)


class Proxy(Protocol):
    """Reads one property into a tree, and writes what differs from a tree back. Keeps nothing."""

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        """The property as a tree. `prev` is what was read last, `fields` what of `struct` has been read so far."""
        ...

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Makes the property `new`, where it stands at `live`. `fields` is the whole new struct."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number or a text."""

    name: str

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return values.encode(getattr(struct, self.name))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        setattr(struct, self.name, values.decode(new))


@dataclass(frozen=True, slots=True)
class Choice(Scalar):
    """An enum."""

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if new != "":  # what Blender itself reads where its value is none of the choices
            setattr(struct, self.name, new)


@dataclass(frozen=True, slots=True)
class Flags(Scalar):
    """An enum of which several can be set."""

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        setattr(struct, self.name, set(new))


@dataclass(frozen=True, slots=True)
class Vector(Scalar):
    """A fixed number of scalars, or of rows of them."""

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        value = values.decode(new)
        if any(type(one) is int and one not in C_INT for one in value):
            raise RemoteProtocolError("a number that is too large")  # Blender would raise that after its call returned
        # A matrix reads as rows and takes plain lists as columns.
        setattr(struct, self.name, Matrix(value) if value and type(value[0]) is list else value)


@dataclass(frozen=True, slots=True)
class TextureSpace(Vector):
    """Where textures lie on a shape: Blender's to compute, unless somebody has chosen it."""

    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return None if struct.use_auto_texspace else values.encode(getattr(struct, self.name)[:])

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if new is not None and not struct.use_auto_texspace:
            Vector.write(self, ctx, struct, live, new, fields)


BEYOND: Final = {  # what Blender takes and computes other properties from, past the limits that these have -> these
    "angle": ("lens",),
    "input_whitepoint": ("input_temperature", "input_tint"),
    "output_whitepoint": ("output_temperature", "output_tint"),
    "white_balance_whitepoint": ("white_balance_temperature", "white_balance_tint"),
}


@dataclass(frozen=True, slots=True)
class Beyond(Vector):
    """Another path to other properties, by which they got where nobody can set them to: read only then."""

    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        rna = struct.bl_rna.properties
        limits = [(getattr(struct, name), rna[name]) for name in BEYOND[self.name] if name in rna]
        # 0 is what Blender 4.5 gives a new scene: no white point is so cold.
        if all(found == 0 or one.hard_min <= found <= one.hard_max for found, one in limits):
            return None
        value = getattr(struct, self.name)
        return values.encode(value if type(value) is float else value[:])

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if new is not None:
            setattr(struct, self.name, values.decode(new))


@dataclass(frozen=True, slots=True)
class Constant(Scalar):
    """What is settled when the struct is made, as a modifier's type."""

    pseudo: bool = False

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Nothing: another value makes another item."""


@dataclass(frozen=True, slots=True)
class ClassName:
    """The RNA type of a struct, where no property tells it: kept for whoever makes one."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return type(struct).__name__

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Nothing: it is settled."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a datablock had users when it was shared, so that Blender saves it. Later its users tell."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return prev if type(prev) is bool else struct.users > struct.use_fake_user

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Nothing: the mirror sees to it once all is there that could use it."""


@dataclass(frozen=True, slots=True)
class FirstName(Scalar):
    """The name that a part of something was made with: Blender has it differ from others', so later it says nothing."""

    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return prev if prev is not None else Scalar.read(self, ctx, struct, prev, fields)


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer to another datablock."""

    name: str
    strong: bool

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return read_reference(ctx, getattr(struct, self.name), strong=self.strong)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        target = resolve(ctx, new)
        if target is None and self.strong:
            return  # Blender keeps what it has: an object never loses its data
        if getattr(struct, self.name) != target:  # setting an object's parent, even to none, undoes its inverse matrix
            setattr(struct, self.name, target)


@dataclass(frozen=True, slots=True)
class NeverNone(Reference):
    """The line style of a set of lines: there is none after its own was removed, and in no other way."""

    strong: bool = False
    pseudo: bool = False

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if (style := resolve(ctx, new)) is not None:
            setattr(struct, self.name, style)
        elif getattr(struct, self.name) is not None:
            passing = bpy.data.linestyles.new(MOMENT)
            setattr(struct, self.name, passing)
            bpy.data.linestyles.remove(passing)


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a member sent and only a trusting Blender takes; a path, which could be opened or written to, never."""

    name: str
    inner: Proxy
    never: bool

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return self.inner.read(ctx, struct, prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if ctx.trusted and not self.never:
            self.inner.write(ctx, struct, live, new, fields)
        elif new != live:
            ctx.withhold(struct, self.name)


def read_reference(ctx: Context, target: Any, *, strong: bool = False) -> Tree:
    """A reference to a datablock; None for none and for what is not mirrored."""
    if target is None:
        return None
    if (uuid := ctx.directory.uuid_of(target)) is None:
        ctx.meet(target)
        return None
    return {"$": "ref", "to": uuid, "strong": True} if strong else {"$": "ref", "to": uuid}


def resolve(ctx: Context, tree: Tree) -> Any:
    """The datablock that a reference names; None if it is gone."""
    return ctx.directory.find(tree["to"]) if type(tree) is dict and tree.get("$") == "ref" else None
