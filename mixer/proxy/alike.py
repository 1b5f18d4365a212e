"""Makes datablocks with nodes: all at once where that is cheaper than node by node.

Each node, link or value written costs Blender an update of its node tree; a copy of a like tree costs a hundredth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import bpy

from broadcaster.tree import Tree, items, tag

from . import interface, values
from .context import Context, Datablock
from .fields import Fields
from .keying import name_of, structs_of
from .node_links import parse
from .nodes import END, FRAME
from .struct import write_struct

TEMPLATES: Final = "alike"  # of no datablock, so kept beside their handles: signature -> uuid
STRUCTURE: Final = ("use_nodes", "node_tree")


def material(ctx: Context, tree: Tree) -> Datablock:
    """A new material: a copy of one whose nodes have the same names, types and links if there is one."""
    signature = signature_of(tree)
    templates: dict[str, str] = ctx.local.setdefault(TEMPLATES, {})
    if signature is not None:
        uuid = templates.get(signature, "")
        template, live = ctx.directory.find(uuid), ctx.items_of(uuid)
        if template is not None and live is not None and signature_of(live) == signature:
            made = template.copy()
            write_struct(ctx, made, {**live, "node_tree": _renamed(live["node_tree"], tree["node_tree"])}, tree)
            return made
        templates[signature] = ctx.uuid
    made = bpy.data.materials.new(name_of(tree))
    write_struct(ctx, made, {}, {name: tree[name] for name in STRUCTURE if name in tree})
    return made


def _renamed(live: Fields, wanted: Fields) -> Fields:
    """A node tree with the keys that another one, which has the same signature, gives to nodes of the same names."""
    keys = {name_of(node): key for key, node in structs_of(wanted["nodes"]).items()}
    new = {key: keys[name_of(node)] for key, node in structs_of(live["nodes"]).items()}
    of = {
        new[key]: {**node, **{name: new.get(node[name]) for name in (FRAME, END) if name in node}}
        for key, node in structs_of(live["nodes"]).items()
    }
    return {**live, "nodes": items({key: of[key] for key in sorted(of)}), "links": wanted["links"]}


def node_group(ctx: Context, tree: Tree) -> Datablock:
    """A new node group with its interface, as others that are made with it have nodes with these sockets."""
    made = bpy.data.node_groups.new(name_of(tree), values.decode(tree.get("bl_idname")))
    part = interface.INTERFACE
    if part in tree:
        write_struct(ctx, made, {}, {part: tree[part]})
    return made


def signature_of(tree: Tree) -> str | None:
    """What makes two datablocks with nodes alike; None where there is nothing to copy."""
    inner: Tree = tree.get("node_tree") if tag(tree) == "" else None
    nodes = structs_of(inner.get("nodes")) if tag(inner) == "" else {}
    if not nodes:
        return None
    names = {key: name_of(node) for key, node in nodes.items()}
    said = [f"{names[key]} {node.get('bl_idname')}" for key, node in nodes.items()]
    for text in inner["links"]["of"] if tag(inner.get("links")) == "set" else ():
        if (link := parse(text)) is not None:
            start, output, end, into = link.ends
            said.append(f"{names.get(start)} {output} {names.get(end)} {into} {link.place} {link.muted}")
    return "\n".join(sorted(said))


CREATORS: Final[dict[str, Callable[[Context, Tree], Datablock | None]]] = {
    "materials": material,
    "node_groups": node_group,
}
