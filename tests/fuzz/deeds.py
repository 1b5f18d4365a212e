"""What people do to a scene, as tables: operators by the mode they work in, and edits by the API. Runs in a Blender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import bpy

from . import legal
from .anything import any_datablock, edit_anything, kinds
from .legal import NAMES


@dataclass(frozen=True, slots=True)
class Row:
    """Operators that work in one mode on objects of some types; each is called with random options."""

    mode: str
    types: str
    operators: str


EVERY: Final = "MESH CURVE SURFACE FONT META ARMATURE LATTICE EMPTY LIGHT CAMERA SPEAKER LIGHT_PROBE"
SHAPED: Final = "MESH CURVE SURFACE FONT META LATTICE"

OPERATORS: Final = {
    "add": Row(
        "OBJECT",
        "",
        """mesh.primitive_cube_add mesh.primitive_plane_add mesh.primitive_circle_add mesh.primitive_cone_add
        mesh.primitive_cylinder_add mesh.primitive_grid_add mesh.primitive_monkey_add mesh.primitive_torus_add
        mesh.primitive_uv_sphere_add curve.primitive_bezier_circle_add curve.primitive_bezier_curve_add
        curve.primitive_nurbs_circle_add curve.primitive_nurbs_path_add surface.primitive_nurbs_surface_sphere_add
        surface.primitive_nurbs_surface_torus_add object.armature_add object.text_add object.metaball_add
        object.empty_add object.light_add object.camera_add object.speaker_add object.lightprobe_add object.add
        object.curves_random_add object.collection_instance_add object.effector_add""",
    ),
    "object": Row(
        "OBJECT",
        EVERY,
        """object.delete object.delete object.duplicate object.join object.parent_set object.parent_clear object.convert
        object.make_single_user object.make_links_data object.origin_set object.transform_apply object.location_clear
        object.rotation_clear object.randomize_transform object.duplicates_make_real object.track_set object.track_clear
        object.hide_view_set object.hide_view_clear object.select_all object.constraints_copy
        object.visual_transform_apply object.transforms_to_deltas object.make_local object.material_slot_add
        object.material_slot_remove object.material_slot_copy object.shade_smooth object.shade_flat
        object.vertex_parent_set object.subdivision_set object.origin_clear object.scale_clear
        object.parent_no_inverse_set object.make_dupli_face object.quick_explode object.hook_add_newob
        transform.translate transform.rotate transform.resize transform.mirror""",
    ),
    "mesh": Row(
        "EDIT",
        "MESH",
        """mesh.subdivide mesh.delete mesh.extrude_region_move mesh.inset mesh.bevel mesh.duplicate mesh.merge
        mesh.dissolve_verts mesh.dissolve_faces mesh.poke mesh.spin mesh.separate mesh.split mesh.remove_doubles
        mesh.quads_convert_to_tris mesh.tris_convert_to_quads mesh.flip_normals mesh.mark_seam mesh.mark_sharp
        mesh.solidify mesh.wireframe mesh.vertices_smooth mesh.primitive_cube_add mesh.fill_holes mesh.symmetrize
        mesh.bisect mesh.sort_elements mesh.edge_split mesh.convex_hull mesh.bridge_edge_loops mesh.hide mesh.reveal
        mesh.customdata_custom_splitnormals_add mesh.faces_shade_smooth mesh.select_random mesh.decimate
        mesh.shape_propagate_to_all mesh.blend_from_shape mesh.unsubdivide mesh.mark_freestyle_edge uv.smart_project
        uv.cube_project uv.reset uv.unwrap transform.translate transform.resize transform.vertex_random
        transform.edge_crease transform.edge_bevelweight transform.shrink_fatten object.vertex_group_assign_new
        object.vertex_group_remove_from mesh.uvs_rotate""",
    ),
    "curve": Row(
        "EDIT",
        "CURVE SURFACE",
        """curve.subdivide curve.delete curve.duplicate curve.cyclic_toggle curve.spline_type_set curve.handle_type_set
        curve.switch_direction curve.extrude_move curve.smooth curve.separate curve.split curve.make_segment
        curve.radius_set curve.tilt_clear curve.decimate curve.spline_weight_set curve.dissolve_verts curve.hide
        curve.reveal transform.translate transform.tilt""",
    ),
    "armature": Row(
        "EDIT",
        "ARMATURE",
        """armature.bone_primitive_add armature.extrude_move armature.subdivide armature.delete armature.duplicate
        armature.parent_set armature.parent_clear armature.switch_direction armature.symmetrize armature.flip_names
        armature.autoside_names armature.calculate_roll armature.fill armature.split armature.dissolve
        armature.separate armature.hide armature.reveal armature.roll_clear transform.translate transform.rotate""",
    ),
    "bone collections": Row(
        "OBJECT",
        "ARMATURE",
        """armature.collection_add armature.collection_remove armature.collection_move
        armature.collection_remove_unused armature.collection_show_all""",
    ),
    "pose": Row(
        "POSE",
        "ARMATURE",
        """pose.constraint_add pose.constraints_clear pose.ik_add pose.ik_clear pose.rotation_mode_set
        pose.quaternions_flip pose.transforms_clear pose.armature_apply pose.hide pose.reveal pose.select_all
        pose.visual_transform_apply pose.push pose.flip_names pose.group_add transform.translate transform.rotate
        anim.keyframe_insert""",
    ),
    "lattice": Row("EDIT", "LATTICE", "lattice.flip lattice.make_regular transform.translate transform.resize"),
    "metaball": Row("EDIT", "META", "mball.delete_metaelems mball.duplicate_metaelems transform.translate"),
    "text": Row("EDIT", "FONT", "font.delete font.case_toggle font.style_toggle font.textbox_add font.text_insert"),
    "weights": Row(
        "WEIGHT_PAINT",
        "MESH",
        """paint.weight_set object.vertex_group_normalize object.vertex_group_invert object.vertex_group_levels
        object.vertex_group_smooth object.vertex_group_clean object.vertex_group_mirror""",
    ),
    "vertex groups": Row(
        "OBJECT",
        "MESH LATTICE",
        """object.vertex_group_add object.vertex_group_add object.vertex_group_remove object.vertex_group_copy
        object.vertex_group_move object.vertex_group_sort object.vertex_group_invert object.vertex_group_lock""",
    ),
    "shape keys": Row(
        "OBJECT",
        "MESH CURVE LATTICE SURFACE",
        """object.shape_key_add object.shape_key_add object.shape_key_remove object.shape_key_move
        object.shape_key_clear object.shape_key_mirror object.shape_key_retime object.join_shapes
        object.shape_key_transfer""",
    ),
    "modifiers": Row(
        "OBJECT",
        SHAPED,
        """object.modifier_add object.modifier_add object.modifier_apply object.modifier_remove object.modifier_copy
        object.modifier_move_up object.modifier_move_down object.modifier_apply_as_shapekey object.multires_subdivide
        object.geometry_nodes_move_to_nodes object.particle_system_add object.particle_system_remove
        object.skin_root_mark object.modifier_convert""",
    ),
    "collection": Row(
        "OBJECT",
        EVERY,
        """object.collection_add object.collection_link object.collection_remove object.move_to_collection
        object.collection_unlink collection.create collection.objects_remove collection.objects_remove_all
        collection.objects_add_active object.link_to_collection""",
    ),
    "scene": Row(
        "OBJECT",
        "",
        """scene.view_layer_add scene.view_layer_remove scene.view_layer_add_aov scene.view_layer_add_lightgroup
        scene.new scene.delete scene.render_view_add scene.render_view_remove scene.freestyle_lineset_add
        scene.freestyle_linestyle_new marker.add""",
    ),
    "animation": Row(
        "OBJECT",
        EVERY,
        """anim.keyframe_insert anim.keyframe_delete anim.keyframe_clear_v3d anim.keyframe_insert_by_name
        nla.bake object.paths_clear anim.channels_clean_empty""",
    ),
    "attributes": Row(
        "OBJECT",
        "MESH",
        """geometry.attribute_add geometry.attribute_remove geometry.attribute_convert geometry.color_attribute_add
        geometry.color_attribute_remove geometry.color_attribute_convert geometry.color_attribute_render_set
        mesh.uv_texture_add mesh.uv_texture_remove mesh.customdata_skin_add mesh.customdata_custom_splitnormals_clear
        mesh.customdata_custom_splitnormals_add""",
    ),
    "vertex paint": Row(
        "VERTEX_PAINT",
        "MESH",
        """paint.vertex_color_set paint.vertex_color_invert paint.vertex_color_smooth paint.vertex_color_from_weight
        paint.vertex_color_brightness_contrast""",
    ),
}

# Left out of the table: `sculpt.mesh_filter` crashes a Blender without a window, `mesh.knife_project` wants one,
# `object.data_transfer` crashes where it finds no faces to map, `object.quick_smoke` bakes for minutes,
# `object.voxel_remesh` may take all memory, `mesh.colors_rotate` crashes on any colors of corners.
OPTIONS_NEVER: Final = {  # option -> why it is never given
    "filepath": "no files",
    "directory": "no files",
    "orient_matrix": "must be a rotation",
    "align": "may want a window",
}
CONVERTED: Final = ("MESH", "CURVE")  # not to what is not mirrored
NEVER_MADE: Final = ("GPENCIL", "GREASEPENCIL")  # not mirrored


def pick(chance: Random, things: Any) -> Any:
    """One of them. Raises IndexError if there is none."""
    return chance.choice(list(things))


Tell = Callable[[str], object]


def call(chance: Random, kind: str, tell: Tell) -> str:
    """One operator of a kind, on something selected; what it did."""
    row = OPERATORS[kind]
    path = pick(chance, row.operators.split())
    if row.types:
        select(chance, row.types.split())
    if row.mode != "OBJECT":
        if not bpy.context.object.visible_get():
            raise LookupError("out of sight: windows offer no mode there, and to paint there ends Blender")
        bpy.ops.object.mode_set(mode=row.mode)
        _select_inside(chance, row)
    operator = legal.operator(path)
    chosen = legal.options(chance, operator, frozenset(OPTIONS_NEVER))
    if path == "object.convert":
        chosen["target"] = chance.choice(CONVERTED)
        if any(one.type == "META" for one in bpy.context.selected_objects):
            raise LookupError("Blender looks for the head of the family in the view layer, and ends where it is not")
    active = bpy.context.object
    if chosen.get("type") in NEVER_MADE:
        del chosen["type"]
    if path == "object.parent_set" and active.type != "ARMATURE":
        chosen.pop("type", None)  # Blender makes modifiers that point at what is no armature, which RNA refuses
    told = f"{path}({', '.join(f'{name}={value!r}' for name, value in chosen.items())}) on {active and active.name!r}"
    tell(told)  # it may be the last thing this Blender does
    try:
        done = operator("EXEC_DEFAULT", **chosen)
    except TypeError:  # an option that only the invoking interface can give
        done = operator("EXEC_DEFAULT")
    return str(sorted(done))


def select(chance: Random, types: list[str]) -> None:
    """Makes one object of the view layer active and selects it, and maybe some others."""
    here = bpy.context.view_layer.objects
    fitting = [one for one in here if one.type in types]
    active = pick(chance, fitting)
    for one in here:
        one.select_set(chance.random() < 0.1)
    active.hide_viewport = False
    active.hide_set(False)
    active.select_set(True)
    here.active = active


def _select_inside(chance: Random, row: Row) -> None:
    area = {"MESH": "mesh", "CURVE": "curve", "SURFACE": "curve", "ARMATURE": "armature", "LATTICE": "lattice"}
    area |= {"META": "mball"}
    name = area.get(bpy.context.object.type)
    if row.mode == "EDIT" and name is not None:
        getattr(bpy.ops, name).select_all(action=chance.choice(("SELECT", "SELECT", "INVERT")))
        if name == "mesh" and chance.random() < 0.5:
            bpy.ops.mesh.select_random(ratio=chance.random(), seed=chance.randrange(100))
    elif row.mode == "POSE":
        bpy.ops.pose.select_all(action="SELECT")


# By the API --------------------------------------------------------------------------------------------------------

Deed = Callable[[Random], Any]
DEEDS: Final[dict[str, list[Deed]]] = {}


def deed(*kinds_of_it: str) -> Callable[[Deed], Deed]:
    """A decorator: this is one of the edits of these kinds."""

    def note(function: Deed) -> Deed:
        for kind in kinds_of_it:
            DEEDS.setdefault(kind, []).append(function)
        return function

    return note


def objects(types: str = EVERY) -> list[Any]:
    return [one for one in bpy.data.objects if one.type in types.split()]


def name_of(chance: Random) -> str:
    return chance.choice(NAMES)


def vector(chance: Random, length: int = 3) -> list[float]:
    return [round(chance.uniform(-3, 3), 2) for _ in range(length)]


@deed("names")
def rename(chance: Random) -> str:
    one = any_datablock(chance)
    before = repr(one)
    one.name = name_of(chance)
    return f"{before} is {one.name!r}"


@deed("custom")
def custom(chance: Random) -> str:
    one = any_datablock(chance)
    if chance.random() < 0.2 and len(one.keys()):
        key = chance.choice([key for key in one.keys() if not key.startswith("mixer") and key != "cycles"])  # noqa: SIM118
        del one[key]
        return f"del {one!r}[{key!r}]"
    key = chance.choice("abc")
    value = chance.choice([1, 2.5, "text", [1, 2, 3], [0.5, 1.5], {"in": {"ner": 1}}, True, "", b"bytes"])
    if chance.random() < 0.2:
        value = any_datablock(chance)
        if isinstance(value, bpy.types.Key):
            raise LookupError("a part of its owner, which nothing can name")
    one[key] = value
    return f"{one!r}[{key!r}] = {value!r}"


@deed("move", "move", "move")
def move(chance: Random) -> str:
    one = pick(chance, bpy.data.objects)
    one.location = vector(chance)
    return f"{one.name} moved"


@deed("move")
def point(chance: Random) -> str:
    mesh = pick(chance, bpy.data.meshes)
    pick(chance, mesh.vertices).co = vector(chance)
    return f"a point of {mesh.name}"


@deed("remove")
def remove(chance: Random) -> str:
    some = [kind for kind in kinds() if len(getattr(bpy.data, kind)) > 1 and kind not in ("shape_keys", "fonts")]
    kind = chance.choice(some)
    one = pick(chance, getattr(bpy.data, kind))
    told = repr(one)
    getattr(bpy.data, kind).remove(one)
    return f"{told} removed"


@deed("purge")
def purge(chance: Random) -> str:
    return f"{bpy.data.orphans_purge(do_recursive=chance.random() < 0.5)} purged"


MAKERS: Final = """
    materials worlds cameras armatures metaballs actions collections texts lattices speakers palettes masks linestyles
    particles meshes"""


@deed("new")
def new(chance: Random) -> str:
    kind = pick(chance, MAKERS.split())
    return f"{getattr(bpy.data, kind).new(name_of(chance))!r} made"


@deed("new")
def new_typed(chance: Random) -> str:
    kind, types = chance.choice(
        (
            ("lights", "POINT SUN SPOT AREA"),
            ("lightprobes", "SPHERE PLANE VOLUME"),
            ("textures", "CLOUDS IMAGE WOOD VORONOI"),
            ("curves", "CURVE SURFACE FONT"),
            ("node_groups", "ShaderNodeTree GeometryNodeTree TextureNodeTree"),
        )
    )
    return f"{getattr(bpy.data, kind).new(name_of(chance), pick(chance, types.split()))!r} made"


@deed("new")
def copy(chance: Random) -> str:
    one = any_datablock(chance)
    if isinstance(one, bpy.types.Scene):
        return f"{bpy.ops.scene.new(type='FULL_COPY')}"  # a copy by the API has no user, and is not saved
    return f"{one.copy()!r} copied of {one!r}"


@deed("new", "collection")
def new_object(chance: Random) -> str:
    kind = pick(chance, ["meshes", "curves", "lights", "cameras", "armatures", "lattices", "metaballs", "speakers"])
    data = chance.choice([*getattr(bpy.data, kind), None])
    one = bpy.data.objects.new(name_of(chance), data)
    if chance.random() < 0.9:
        pick(chance, [*bpy.data.collections, bpy.context.scene.collection]).objects.link(one)
    return f"{one!r} made of {data!r}"


@deed("new", "mesh")
def new_mesh(chance: Random) -> str:
    mesh = bpy.data.meshes.new(name_of(chance))
    count = chance.randint(3, 6)
    mesh.from_pydata([vector(chance) for _ in range(count)], [], [tuple(range(count))])
    one = bpy.data.objects.new(name_of(chance), mesh)
    bpy.context.scene.collection.objects.link(one)
    return f"{mesh!r} on {one!r}"


@deed("collection")
def collection_tree(chance: Random) -> str:
    parent = pick(chance, [*bpy.data.collections, *(scene.collection for scene in bpy.data.scenes)])
    match chance.randrange(4):
        case 0:
            child = pick(chance, bpy.data.collections)
            parent.children.link(child)
        case 1:
            child = pick(chance, parent.children)
            parent.children.unlink(child)
        case 2:
            child = pick(chance, bpy.data.objects)
            parent.objects.link(child)
        case _:
            child = pick(chance, parent.objects)
            parent.objects.unlink(child)
    return f"{parent!r} {child!r}"


@deed("collection")
def exclude(chance: Random) -> str:
    layer = pick(chance, pick(chance, bpy.data.scenes).view_layers)
    one = pick(chance, layer.layer_collection.children)
    one.exclude = not one.exclude
    return f"{layer.name} {one.name} excluded: {one.exclude}"


@deed("parents")
def parent(chance: Random) -> str:
    one, other = pick(chance, bpy.data.objects), chance.choice([*bpy.data.objects, None])
    one.parent = other
    return f"{one!r} below {other!r}"


@deed("materials")
def slots(chance: Random) -> str:
    one = pick(chance, [one for one in bpy.data.objects if hasattr(one.data, "materials")])
    materials = one.data.materials
    match chance.randrange(5):
        case 0 | 1:
            materials.append(chance.choice([*bpy.data.materials, None]))
        case 2 if len(materials) > 1:  # the last one would leave the object a slot, which is Blender's fault
            materials.pop(index=chance.randrange(len(materials)))
        case 3:
            materials.clear()
        case _:
            slot = pick(chance, one.material_slots)
            slot.link = chance.choice(("OBJECT", "DATA"))
            slot.material = chance.choice([*bpy.data.materials, None])
    return f"slots of {one!r}"


@deed("materials")
def use_nodes(chance: Random) -> str:
    one = pick(chance, [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights])
    one.use_nodes = True
    return f"{one!r} uses nodes"


def trees() -> list[Any]:
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights]
    inside = [one.node_tree for one in owners if one.node_tree is not None]
    inside += [tree for scene in bpy.data.scenes if (tree := getattr(scene, "node_tree", None)) is not None]
    return [*inside, *bpy.data.node_groups]


NODES: Final = {
    "ShaderNodeTree": """ShaderNodeMath ShaderNodeMix ShaderNodeValToRGB ShaderNodeRGBCurve ShaderNodeTexNoise
        ShaderNodeTexImage ShaderNodeBsdfPrincipled ShaderNodeGroup NodeFrame NodeReroute ShaderNodeVectorMath
        ShaderNodeMapping ShaderNodeAttribute NodeGroupInput NodeGroupOutput ShaderNodeMapRange ShaderNodeTexCoord""",
    "GeometryNodeTree": """GeometryNodeMeshCube GeometryNodeTransform GeometryNodeJoinGeometry GeometryNodeGroup
        ShaderNodeMath NodeGroupInput NodeGroupOutput FunctionNodeCompare GeometryNodeSwitch GeometryNodeMenuSwitch
        GeometryNodeStoreNamedAttribute GeometryNodeObjectInfo GeometryNodeSetMaterial NodeFrame NodeReroute
        FunctionNodeInputVector GeometryNodeIndexSwitch GeometryNodeRepeatInput GeometryNodeRepeatOutput""",
    "CompositorNodeTree": """CompositorNodeBlur CompositorNodeRLayers CompositorNodeMixRGB CompositorNodeGroup
        CompositorNodeValToRGB NodeFrame NodeReroute""",
    "TextureNodeTree": "TextureNodeMath TextureNodeChecker TextureNodeOutput NodeFrame TextureNodeCurveRGB",
}


@deed("nodes", "nodes", "nodes")
def add_node(chance: Random) -> str:
    tree = pick(chance, trees())
    node = tree.nodes.new(pick(chance, NODES[tree.bl_idname].split()))
    node.location = vector(chance, 2)
    if hasattr(node, "node_tree") and len(bpy.data.node_groups):
        node.node_tree = pick(chance, [one for one in bpy.data.node_groups if one.bl_idname == tree.bl_idname])
    return f"{node!r} made"


@deed("nodes")
def remove_node(chance: Random) -> str:
    tree = pick(chance, trees())
    node = pick(chance, tree.nodes)
    told = repr(node)
    tree.nodes.remove(node)
    return f"{told} removed"


def real(sockets: Any) -> list[Any]:
    """Without the last one of a group's nodes: linked in a window it makes a socket, by the API something broken."""
    return [one for one in sockets if one.bl_idname != "NodeSocketVirtual"]


@deed("nodes", "nodes", "nodes")
def link_nodes(chance: Random) -> str:
    tree = pick(chance, trees())
    source, target = pick(chance, tree.nodes), pick(chance, tree.nodes)
    link = tree.links.new(pick(chance, real(target.inputs)), pick(chance, real(source.outputs)))
    return f"{tree!r}: {source.name} to {target.name}: {link is not None}"


@deed("nodes")
def unlink_nodes(chance: Random) -> str:
    tree = pick(chance, trees())
    tree.links.remove(pick(chance, tree.links))
    return f"{tree!r}: a link removed"


@deed("nodes", "nodes")
def set_socket(chance: Random) -> str:
    tree = pick(chance, trees())
    socket = pick(chance, pick(chance, tree.nodes).inputs)
    prop = socket.bl_rna.properties["default_value"]
    socket.default_value = legal.random_value(chance, prop)
    return f"{socket!r} set"


@deed("nodes")
def edit_node(chance: Random) -> str:
    node = pick(chance, pick(chance, trees()).nodes)
    match chance.randrange(5):
        case 0:
            node.name = name_of(chance)
        case 1:
            node.mute = not node.mute
        case 2:
            node.parent = pick(chance, [one for one in node.id_data.nodes if one.bl_idname == "NodeFrame"])
        case 3 if hasattr(node, "color_ramp"):
            node.color_ramp.elements.new(chance.random())
        case _:
            node.label = name_of(chance)
    return f"{node!r} edited"


@deed("groups", "groups")
def edit_interface(chance: Random) -> str:
    group = pick(chance, bpy.data.node_groups)
    interface = group.interface
    kinds_of_sockets = "NodeSocketFloat NodeSocketColor NodeSocketVector NodeSocketInt NodeSocketBool NodeSocketShader"
    if group.bl_idname == "GeometryNodeTree":
        kinds_of_sockets = (
            "NodeSocketFloat NodeSocketGeometry NodeSocketObject NodeSocketInt NodeSocketMenu NodeSocketString"
        )
    match chance.randrange(7):
        case 0 | 1 | 2:
            interface.new_socket(
                name_of(chance),
                in_out=chance.choice(("INPUT", "OUTPUT")),
                socket_type=pick(chance, kinds_of_sockets.split()),
            )
        case 3:
            interface.new_panel(name_of(chance))
        case 4:
            interface.remove(pick(chance, interface.items_tree))
        case 5:
            interface.move(pick(chance, interface.items_tree), chance.randrange(4))
        case _:
            pick(chance, interface.items_tree).name = name_of(chance)
    return f"interface of {group!r}"


@deed("groups")
def nodes_modifier(chance: Random) -> str:
    one = pick(chance, objects("MESH CURVE"))
    modifier = one.modifiers.new(name_of(chance), "NODES")
    modifier.node_group = pick(chance, [one for one in bpy.data.node_groups if one.bl_idname == "GeometryNodeTree"])
    return f"{modifier!r} of {modifier.node_group!r}"


@deed("groups")
def modifier_input(chance: Random) -> str:
    found = [mod for one in bpy.data.objects for mod in one.modifiers if mod.type == "NODES" and mod.node_group]
    modifier = pick(chance, found)
    key = pick(chance, [key for key in modifier.keys() if not key.endswith(("_attribute_name", "_use_attribute"))])  # noqa: SIM118
    modifier[key] = type(modifier[key])(chance.randint(0, 3))
    return f"{modifier!r}[{key!r}]"


MODIFIERS: Final = (
    "ARRAY BEVEL BOOLEAN BUILD DECIMATE EDGE_SPLIT MASK MIRROR SCREW SOLIDIFY SUBSURF TRIANGULATE WELD WIREFRAME"
    " ARMATURE CAST CURVE DISPLACE HOOK LATTICE MESH_DEFORM SHRINKWRAP SIMPLE_DEFORM SMOOTH WARP WAVE CLOTH COLLISION"
    " PARTICLE_SYSTEM SOFT_BODY DATA_TRANSFER NORMAL_EDIT UV_PROJECT UV_WARP VERTEX_WEIGHT_EDIT SURFACE_DEFORM"
    " MULTIRES"
)


@deed("modifiers")
def new_modifier(chance: Random) -> str:
    one = pick(chance, objects(SHAPED))
    return f"{one.modifiers.new(name_of(chance), pick(chance, MODIFIERS.split()))!r} made on {one!r}"


@deed("modifiers")
def edit_modifier(chance: Random) -> str:
    one = pick(chance, [one for one in bpy.data.objects if len(one.modifiers)])
    modifier = pick(chance, one.modifiers)
    told = repr(modifier)
    match chance.randrange(4):
        case 0:
            one.modifiers.remove(modifier)
        case 1:
            one.modifiers.move(chance.randrange(len(one.modifiers)), chance.randrange(len(one.modifiers)))
        case 2:
            modifier.name = name_of(chance)
        case _:
            modifier.show_viewport = not modifier.show_viewport
    return f"{told} edited"


def constrained() -> list[Any]:
    bones = [bone for one in objects("ARMATURE") if one.pose for bone in one.pose.bones]
    return [*bpy.data.objects, *bones]


@deed("constraints", "constraints")
def new_constraint(chance: Random) -> str:
    one = pick(chance, constrained())
    types = one.constraints.bl_rna.functions["new"].parameters["type"].enum_items
    constraint = one.constraints.new(pick(chance, [one.identifier for one in types]))
    if hasattr(constraint, "target"):
        constraint.target = pick(chance, bpy.data.objects)
    return f"{constraint!r} made"


@deed("constraints")
def edit_constraint(chance: Random) -> str:
    one = pick(chance, [one for one in constrained() if len(one.constraints)])
    constraint = pick(chance, one.constraints)
    told = repr(constraint)
    match chance.randrange(3):
        case 0:
            one.constraints.remove(constraint)
        case 1:
            one.constraints.move(chance.randrange(len(one.constraints)), chance.randrange(len(one.constraints)))
        case _:
            constraint.name = name_of(chance)
    return f"{told} edited"


@deed("vertex groups", "weights")
def weigh(chance: Random) -> str:
    one = pick(chance, objects("MESH"))
    match chance.randrange(4):
        case 0:
            group = one.vertex_groups.new(name=name_of(chance))
        case 1:
            group = pick(chance, one.vertex_groups)
            group.name = name_of(chance)
        case _:
            group = pick(chance, one.vertex_groups)
    some = [index for index in range(len(one.data.vertices)) if chance.random() < 0.3]
    group.add(some, chance.random(), chance.choice(("REPLACE", "ADD", "SUBTRACT")))
    return f"{one.name} {group.name}: {len(some)} weights"


@deed("shape keys", "shape keys")
def edit_shape_key(chance: Random) -> str:
    key = pick(chance, bpy.data.shape_keys)
    block = pick(chance, key.key_blocks)
    match chance.randrange(5):
        case 0:
            block.name = name_of(chance)
        case 1:
            block.value = chance.random()
        case 2:
            block.relative_key = pick(chance, key.key_blocks)
        case 3:
            block.mute = not block.mute
        case _:
            pick(chance, block.data).co = vector(chance)
    return f"{block!r} edited"


PATHS_OF: Final = {
    "objects": "location rotation_euler scale hide_render color",
    "materials": "diffuse_color roughness metallic",
    "lights": "energy color",
    "cameras": "lens shift_x",
    "scenes": "frame_step",
}


@deed("animation", "animation", "animation")
def keyframe(chance: Random) -> str:
    kind = pick(chance, PATHS_OF)
    one = pick(chance, getattr(bpy.data, kind))
    path = pick(chance, PATHS_OF[kind].split())
    frame = chance.randint(1, 40)
    done = one.keyframe_insert(path, frame=frame) if chance.random() < 0.7 else one.keyframe_delete(path, frame=frame)
    return f"{one!r} {path} at {frame}: {done}"


def curves_of() -> list[Any]:
    return [
        curve
        for action in bpy.data.actions
        for curve in (
            action.fcurves
            if hasattr(action, "fcurves")
            else [
                c for layer in action.layers for strip in layer.strips for bag in strip.channelbags for c in bag.fcurves
            ]
        )
    ]


@deed("animation")
def edit_curve(chance: Random) -> str:
    curve = pick(chance, curves_of())
    match chance.randrange(5):
        case 0:
            curve.modifiers.new(pick(chance, ["CYCLES", "NOISE", "LIMITS", "STEPPED", "GENERATOR"]))
        case 1:
            curve.modifiers.remove(pick(chance, curve.modifiers))
        case 2:
            curve.mute = not curve.mute
        case 3:
            curve.keyframe_points.remove(pick(chance, curve.keyframe_points))
        case _:
            point = pick(chance, curve.keyframe_points)
            point.co = (chance.randint(1, 40), chance.uniform(-3, 3))
            point.interpolation = chance.choice(("BEZIER", "LINEAR", "CONSTANT", "BOUNCE"))
            curve.update()
    return f"{curve!r} edited"


@deed("animation")
def animation_data(chance: Random) -> str:
    one = pick(chance, [*bpy.data.objects, *bpy.data.materials, *bpy.data.armatures])
    match chance.randrange(5):
        case 0:
            one.animation_data_clear()
        case 1:
            one.animation_data_create().action = pick(chance, bpy.data.actions)
        case 2:
            track = one.animation_data_create().nla_tracks.new()
            track.strips.new(name_of(chance), chance.randint(1, 50), pick(chance, bpy.data.actions))
        case 3:
            one.animation_data.nla_tracks.remove(pick(chance, one.animation_data.nla_tracks))
        case _:
            one.animation_data.action = None
    return f"{one!r} animated"


@deed("drivers")
def drive(chance: Random) -> str:
    one = pick(chance, bpy.data.objects)
    if chance.random() < 0.3:
        return f"{one!r} undriven: {one.driver_remove('location', chance.randrange(3))}"
    driver = one.driver_add("location", chance.randrange(3)).driver
    driver.expression = chance.choice(("frame * 0.1", "var + 1", "sin(frame)"))
    variable = driver.variables.new()
    variable.targets[0].id = pick(chance, bpy.data.objects)
    variable.targets[0].data_path = "location.x"
    return f"{one!r} driven"


@deed("pose", "pose")
def pose(chance: Random) -> str:
    bone = pick(chance, [bone for one in objects("ARMATURE") if one.pose for bone in one.pose.bones])
    match chance.randrange(3):
        case 0:
            bone.location = vector(chance)
        case 1:
            bone.rotation_mode = chance.choice(("XYZ", "QUATERNION", "AXIS_ANGLE"))
        case _:
            bone.bone.name = name_of(chance)
    return f"{bone!r} posed"


@deed("curve")
def splines(chance: Random) -> str:
    curves = [one for one in bpy.data.curves if type(one).__name__ == "Curve"]
    curve = pick(chance, [one for one in curves if one.shape_keys is None])  # which would be of other points then
    if chance.random() < 0.3:
        curve.splines.remove(pick(chance, curve.splines))
        return f"{curve!r} lost a spline"
    spline = curve.splines.new(chance.choice(("BEZIER", "POLY", "NURBS")))
    (spline.bezier_points if spline.type == "BEZIER" else spline.points).add(chance.randint(1, 4))
    return f"{curve!r} got a spline"


@deed("text")
def text(chance: Random) -> str:
    if chance.random() < 0.5:
        one = pick(chance, bpy.data.texts)
        one.from_string(f"{name_of(chance)}\n{chance.random()}")
    else:
        one = pick(chance, [one for one in bpy.data.curves if type(one).__name__ == "TextCurve"])
        one.body = name_of(chance)
    return f"{one!r} written"


@deed("metaball")
def elements(chance: Random) -> str:
    ball = pick(chance, bpy.data.metaballs)
    if chance.random() < 0.3:
        ball.elements.remove(pick(chance, ball.elements))
    else:
        ball.elements.new(type=chance.choice(("BALL", "CUBE", "CAPSULE"))).co = vector(chance)
    return f"{ball!r}: {len(ball.elements)} elements"


@deed("lattice")
def lattice(chance: Random) -> str:
    one = pick(chance, bpy.data.lattices)
    one.points_u = chance.randint(1, 4)
    pick(chance, one.points).co_deform = vector(chance)
    return f"{one!r} bent"


@deed("images")
def image(chance: Random) -> str:
    match chance.randrange(6):
        case 0 | 1:
            one = bpy.data.images.new(
                name_of(chance), chance.randint(1, 40), chance.randint(1, 40), float_buffer=chance.random() < 0.3
            )
        case 2:
            one = pick(chance, bpy.data.images)
            one.pack()
        case 3:
            one = pick(chance, bpy.data.images)
            one.scale(chance.randint(1, 20), chance.randint(1, 20))
        case 4:
            one = pick(chance, bpy.data.images)
            one.generated_type = chance.choice(("BLANK", "UV_GRID", "COLOR_GRID"))
        case _:
            one = pick(chance, bpy.data.images)
            count = len(one.pixels)
            one.pixels.foreach_set([chance.random()] * count)
            one.update()
    return f"{one!r} painted"


@deed("scene")
def scenes(chance: Random) -> str:
    match chance.randrange(6):
        case 0:
            one = bpy.data.scenes.new(name_of(chance))
        case 1 if len(bpy.data.scenes) > 1:
            one = bpy.context.scene
            bpy.data.scenes.remove(pick(chance, bpy.data.scenes))
            return "a scene removed"
        case 2:
            one = pick(chance, bpy.data.scenes)
            bpy.context.window.scene = one
        case 3:
            one = pick(chance, bpy.data.scenes).view_layers.new(name_of(chance))
        case 4:
            one = pick(chance, bpy.data.scenes)
            one.timeline_markers.new(name_of(chance), frame=chance.randint(1, 40))
        case _:
            one = pick(chance, bpy.data.scenes)
            one.frame_set(chance.randint(1, 40))
    return f"{one!r}"


ATTRIBUTES: Final = "FLOAT INT BOOLEAN FLOAT_VECTOR FLOAT_COLOR BYTE_COLOR FLOAT2 INT8 QUATERNION STRING"


@deed("attributes")
def attribute(chance: Random) -> str:
    mesh = pick(chance, bpy.data.meshes)
    match chance.randrange(3):
        case 0:
            mesh.attributes.new(
                name_of(chance),
                pick(
                    chance,
                    [
                        "FLOAT",
                        "INT",
                        "BOOLEAN",
                        "FLOAT_VECTOR",
                        "FLOAT_COLOR",
                        "BYTE_COLOR",
                        "FLOAT2",
                        "INT8",
                        "QUATERNION",
                        "STRING",
                    ],
                ),
                pick(chance, ["POINT", "EDGE", "FACE", "CORNER"]),
            )
        case 1:
            mesh.attributes.remove(pick(chance, [one for one in mesh.attributes if not one.is_required]))
        case _:
            pick(chance, mesh.attributes).name = name_of(chance)
    return f"attributes of {mesh!r}"


ANYTHING: Final = "anything"
KINDS: Final = tuple(sorted(OPERATORS.keys() | DEEDS.keys() | {ANYTHING}))
WEIGHTS: Final = {
    ANYTHING: 12,
    "add": 2,
    "object": 3,
    "remove": 1,
    "mesh": 3,
    "move": 3,
    "nodes": 3,
    "purge": 0.2,
    "scene": 0.7,
}


def do(chance: Random, kind: str, tell: Tell) -> str:
    """One edit of a kind; what it did. Raises what Blender raises where there is nothing to do it to."""
    if kind == ANYTHING:
        return edit_anything(chance, tell)
    by_api = DEEDS.get(kind, [])
    if kind in OPERATORS and (not by_api or chance.random() < 0.5):
        return call(chance, kind, tell)
    function = pick(chance, by_api)
    tell(f"{function.__name__}: ")
    return str(function(chance))
