"""Node trees, nodes and sockets, of all four kinds."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

# A new node of these has items already: a group of them is made equal, not made anew.
_SOCKETS: Final = Items(new="new", args=("socket_type", "name"), kind="socket_type", move="move")
_FIELDS: Final = Items(new="new", args=("socket_type:FLOAT", "name=name"), move="move")  # data_type is set after
_NAMED: Final = Items(new="new", args=("name",), move="move")

NODE_TREE: Final = {"node_tree": ("use_nodes", "")}  # a part of its owner, made by a switch

_ITEMS: Final = {
    "FunctionNodeFormatString": {"format_items": _SOCKETS},
    "GeometryNodeBake": {"bake_items": _SOCKETS},
    "GeometryNodeCaptureAttribute": {"capture_items": _FIELDS},
    "GeometryNodeClosureOutput": {"input_items": _SOCKETS, "output_items": _SOCKETS},  # 4.5
    "GeometryNodeClosureToList": {"list_items": _SOCKETS},  # 5.2, as the next with such items
    "GeometryNodeCombineBundle": {"bundle_items": _SOCKETS},  # 4.5
    "GeometryNodeEvaluateClosure": {"input_items": _SOCKETS, "output_items": _SOCKETS},  # 4.5
    "GeometryNodeFieldToGrid": {"grid_items": _FIELDS},
    "GeometryNodeFieldToList": {"list_items": _SOCKETS},
    "GeometryNodeForeachGeometryElementOutput": {
        "input_items": _SOCKETS,
        "main_items": _SOCKETS,
        "generation_items": _SOCKETS,
    },
    "GeometryNodeIndexSwitch": {"index_switch_items": Items(new="new", name="", move="move")},
    "GeometryNodeMenuSwitch": {"enum_items": _NAMED},
    "GeometryNodeRepeatOutput": {"repeat_items": _SOCKETS},
    "GeometryNodeSeparateBundle": {"bundle_items": _SOCKETS},  # 4.5
    "GeometryNodeSimulationOutput": {"state_items": _SOCKETS},
    "GeometryNodeViewer": {"viewer_items": _SOCKETS},
    "NodeClosureOutput": {"input_items": _SOCKETS, "output_items": _SOCKETS},
    "NodeCombineBundle": {"bundle_items": _SOCKETS},
    "NodeEvaluateClosure": {"input_items": _SOCKETS, "output_items": _SOCKETS},
    "NodeSeparateBundle": {"bundle_items": _SOCKETS},
    "ShaderNodeRaycast": {"sample_attribute_items": _FIELDS},  # 5.2
}

_PAIRED: Final = names(  # the first node of a zone; pair_with_output() makes the pair
    "GeometryNodeClosureInput GeometryNodeForeachGeometryElementInput GeometryNodeRepeatInput"
    " GeometryNodeSimulationInput NodeClosureInput"
)

_READS_FILES: Final = names(
    "GeometryNodeImportCSV GeometryNodeImportOBJ GeometryNodeImportPLY GeometryNodeImportSTL GeometryNodeImportText"
    " GeometryNodeImportVDB"
)

# Nodes of another member that are made only once the room is trusted: they run code, or open a path given by a link.
WITHHELD_NODES: Final = _READS_FILES | names("ShaderNodeScript")

NODES: Final = {
    "NodeTree": Rule(
        derived=names("bl_description bl_icon bl_label bl_use_group_interface"),
        todo=names("annotation grease_pencil"),
        write_first=("interface", "nodes", "links"),  # nodes have the sockets that their group's interface names
        by={"bl_idname": "constant", "interface": "interface", "links": "node_links", "nodes": "nodes"},
    ),
    "CompositorNodeTree": Rule(per_user=names("use_viewer_border")),
    "Node": Rule(
        derived=names(
            "bl_description bl_height_default bl_height_max bl_height_min bl_icon bl_label bl_width_default"
            " bl_width_max bl_width_min"
        ),
        view=names("internal_links location_absolute"),
        per_user=names(
            "active_generation_index active_index active_input_index active_item active_item_index active_main_index"
            " active_output_index panel_states select show_preview show_texture ui_shortcut"
        ),
        plain=names("color height hide label location mute show_options use_custom_color width"),
        by={"bl_idname": "constant", "inputs": "sockets", "outputs": "sockets", "parent": "node"},
    ),
    **{name: Rule(write_first=tuple(items), items=items) for name, items in _ITEMS.items()},
    **{name: Rule(by={"paired_output": "node"}) for name in sorted(_PAIRED)},
    "GeometryNodeMenuSwitch": Rule(
        view=names("enum_definition"), write_first=("enum_items",), items=_ITEMS["GeometryNodeMenuSwitch"]
    ),
    "NodeEnumItem": Rule(plain=names("description")),
    "NodeSocket": Rule(
        derived=names(
            "bl_idname bl_label bl_subtype_label description display_shape enabled hide_value link_limit name type"
        ),
        view=names("node"),
        per_user=names("show_expanded"),
        plain=names("default_value hide pin_gizmo"),
    ),
    "NodeSocketStringFilePath": Rule(withheld=names("default_value")),
    "NodeTreeInterfaceSocketStringFilePath": Rule(withheld=names("default_value")),
    "NodeTreeInterface": Rule(
        view=names("items_tree"),
        per_user=names("active active_index"),
    ),
    "NodeTreeInterfaceItem": Rule(view=names("interface_items parent"), per_user=names("select")),
    "NodeTreeInterfaceSocket": Rule(derived=names("bl_socket_idname"), write_first=("socket_type", "subtype")),
    "CompositorNodeColorBalance": Rule(
        view=names("offset power slope"),  # of lift, gamma and gain, or of sockets
        by={"input_whitepoint": "beyond", "output_whitepoint": "beyond"},
    ),
    "CompositorNodeCryptomatteV2": Rule(
        derived=names("add remove"),
        view=names("entries"),  # of matte_id
        write_first=("source", "scene", "image"),
    ),
    "CompositorNodeCryptomatte": Rule(derived=names("add remove")),
    "CompositorNodeImage": Rule(write_first=("image",)),
    "CompositorNodeRLayers": Rule(write_first=("scene",)),
    "CompositorNodeOutputFile": Rule(
        # writes to where it says; without items it writes nothing
        withheld=names("base_path directory file_name file_output_items file_slots layer_slots"),
        write_first=("format", "file_slots", "layer_slots", "file_output_items"),
        items={
            "file_output_items": _SOCKETS,
            "file_slots": Items(new="new", args=("path",), name="path", move="move"),
            "layer_slots": _NAMED,
        },
    ),
    "NodeOutputFileSlotFile": Rule(withheld=names("path")),
    "ShaderNodeScript": Rule(
        derived=names("bytecode bytecode_hash"), withheld=names("filepath mode script use_auto_update")
    ),
    "ShaderNodeTexIES": Rule(withheld=names("filepath"), write_first=("mode",)),
    "ShaderNodeTexPointDensity": Rule(todo=names("particle_system")),
    "TexMapping": Rule(write_first=("vector_type",)),
}
