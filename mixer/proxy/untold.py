"""What Blender made here along with something else, and the document lacks as nobody has told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broadcaster.tree import Delta, Path, Tree, diff, parts, tag

from ..rules import RULES
from . import keying
from .bone_keys import BONES
from .fields import Fields
from .keying import structs_of
from .poses import POSE

MODIFIERS: Final = "modifiers"  # field of an object
INPUTS: Final = "modifier_inputs"  # of a modifier: a group got a socket while another made the modifier
CONSTRAINTS: Final = "constraints"  # field of an object and of each bone in its pose
NAMED_APART: Final = sorted({name for rule in RULES.values() for name, one in rule.items.items() if one.named_apart})
MEASURED: Final = ("distance", "rest_length")  # of a constraint: where it is 0, Blender measures as it evaluates it

LASTING: Final = {  # parts that Blender makes and only an undo takes away: others could not follow
    ("bevel_profile",),
    ("clump_curve",),
    ("color_ramp",),
    ("node_tree",),
    ("roughness_curve",),
    ("twist_curve",),
    ("render", "image_settings", "view_settings", "curve_mapping"),
    ("view_settings", "curve_mapping"),
}


def told_whole(delta: Delta, live: Tree, doc: Tree) -> Delta:
    """A delta of what is `live`, as the document can take it: a struct that it lacks goes whole."""
    if delta[0] != "patch" or live is doc:
        return delta
    if tag(doc) != tag(live):
        return ["put", live] if tag(live) == "" else delta
    here, known = parts(live), parts(doc)
    items = tag(doc) == "items"
    changes = {
        name: told_whole(change, here[name], known.get(name))
        if name in here and (name in known or not items)
        else change
        for name, change in delta[1].items()
    }
    return ["patch", changes]


def untold_inputs(live: Fields, doc: Fields) -> Delta | None:
    """The inputs of modifiers that the document lacks."""
    before, changes = structs_of(doc.get(MODIFIERS)), dict[str, Delta]()
    for key, modifier in structs_of(live.get(MODIFIERS)).items():
        inputs, known = modifier.get(INPUTS), before.get(key, modifier).get(INPUTS)
        if inputs and inputs is not known and (told := _missing(inputs, known)) is not None:
            changes[key] = ["patch", {INPUTS: told}]
    return ["patch", {MODIFIERS: ["patch", changes]}] if changes else None


def _missing(here: Fields, known: Tree) -> Delta | None:
    """What of a struct of structs is only here."""
    if tag(known) != "":
        return ["put", here]
    changes: dict[str, Delta] = {}
    for name, value in here.items():
        if name not in known:
            changes[name] = ["put", value]
        elif tag(value) == "" and (inner := _missing(value, known[name])) is not None:
            changes[name] = inner
    return ["patch", changes] if changes else None


def untold_measures(live: Fields, doc: Fields) -> Delta | None:
    """What the document leaves to be measured, on an object or on bones in its pose, as it was measured here.

    Each Blender measures where things are as it gets there, and one that shows it not measures nothing.
    """
    return _with_bones(_measures, live, doc)


def untold_names(live: Fields, doc: Fields) -> Delta | None:
    """The names here of items that have that of another in the document, of a datablock and of bones in its pose."""
    return _with_bones(_names, live, doc)


def _with_bones(ask: Callable[[Fields, Fields], dict[str, Delta]], live: Fields, doc: Fields) -> Delta | None:
    """What is untold of a datablock, and of the bones in its pose."""
    changes = ask(live, doc)
    known = _bones(doc)
    bones = {name: ask(bone, known[name]) for name, bone in _bones(live).items() if known.get(name, bone) is not bone}
    if told := {name: ["patch", one] for name, one in bones.items() if one}:
        changes[POSE] = ["patch", {BONES: ["patch", told]}]
    return ["patch", changes] if changes else None


def _bones(tree: Fields) -> dict[str, Fields]:
    pose: Tree = tree.get(POSE)
    return structs_of(pose.get(BONES)) if tag(pose) == "" else {}


def _measures(live: Fields, doc: Fields) -> dict[str, Delta]:
    known, changes = structs_of(doc.get(CONSTRAINTS)), dict[str, Delta]()
    if live.get(CONSTRAINTS) is doc.get(CONSTRAINTS):
        return {}
    for key, here in structs_of(live.get(CONSTRAINTS)).items():
        there = known.get(key, here)
        if told := {name: ["put", here[name]] for name in MEASURED if here.get(name) and there.get(name) == 0}:
            changes[key] = ["patch", told]
    return {CONSTRAINTS: ["patch", changes]} if changes else {}


def _names(live: Fields, doc: Fields) -> dict[str, Delta]:
    unlike = [field for field in NAMED_APART if live.get(field) is not doc.get(field)]
    told = {field: keying.names_to_tell(structs_of(live.get(field)), structs_of(doc.get(field))) for field in unlike}
    return {field: ["patch", names] for field, names in told.items() if names}


def untold_parts(live: Fields, doc: Fields) -> Delta | None:
    """The parts that the document lacks and nobody can take away here, where these alone are between the two."""
    delta = diff(doc, live)
    return delta if delta is not None and _adds_parts(delta, doc, ()) else None


def _adds_parts(delta: Delta, doc: Tree, path: Path) -> bool:
    if path in LASTING:
        return bool(delta[0] == "put" and doc is None)
    changes = delta[1].items() if delta[0] == "patch" and tag(doc) == "" else ()
    return bool(changes) and all(_adds_parts(change, doc.get(name), (*path, name)) for name, change in changes)
