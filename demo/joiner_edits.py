"""What the joiner does to the scene while the host is at work in it too: see host_edits.py.

Run by `python -m mixer peer --run demo/joiner_edits.py`, which gives it `session`. In the demo's own scene it is a
stranger who comes by boat and stays; in any other scene the same edits take what they find there.
"""

import math
from typing import Any

import bmesh
import bpy
from mathutils import Matrix

from demo.blender import context, data, node_tree
from demo.edits import Edits

edits = Edits(session, "joiner")  # type: ignore[name-defined]  # noqa: F821
find, find_old = edits.find, edits.find_old


def is_mesh(thing: Any) -> object:
    return thing.type == "MESH"


def has_shader(material: Any) -> object:
    return material.node_tree and "Principled BSDF" in material.node_tree.nodes


# New things


@edits
def pitch_a_tent() -> None:
    """pitches a tent: a new object in a nested collection"""
    camp = data.collections.new("Camp")
    context.scene.collection.children.link(camp)
    camp.children.link(data.collections.new("Camp fire"))
    bm = bmesh.new()
    bmesh.ops.create_cone(bm, cap_ends=True, segments=6, radius1=0.7, radius2=0.02, depth=1.0)
    mesh = data.meshes.new("Tent")
    bm.to_mesh(mesh)
    bm.free()
    tent = data.objects.new("Tent", mesh)
    tent.location = (-5.6, -3.9, 0.8)
    camp.objects.link(tent)


@edits
def sew_the_tent() -> None:
    """gives a new object two materials, by face"""
    tent = data.objects["Tent"]
    for name, colour in (("Canvas", (0.70, 0.52, 0.28, 1)), ("Trim", (0.45, 0.10, 0.08, 1))):
        material = data.materials.new(name)
        node_tree(material).nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
        tent.data.materials.append(material)
    for face in tent.data.polygons:
        face.material_index = face.index % 2
    tent.data.update()


@edits
def light_a_fire() -> None:
    """adds a light"""
    lamp = data.lights.new("Fire", "POINT")
    lamp.energy, lamp.color, lamp.shadow_soft_size = 90, (1.0, 0.35, 0.08), 0.25
    thing = data.objects.new("Fire", lamp)
    thing.location = (-4.2, -4.9, 0.9)
    data.collections["Camp fire"].objects.link(thing)


@edits
def lay_the_logs() -> None:
    """adds three objects that share one mesh"""
    bm = bmesh.new()
    bmesh.ops.create_cone(bm, cap_ends=True, segments=7, radius1=0.07, radius2=0.05, depth=0.8)
    mesh = data.meshes.new("Log")
    bm.to_mesh(mesh)
    bm.free()
    for number in range(3):
        log = data.objects.new(f"Log {number}", mesh)
        log.location, log.rotation_euler = (-4.2, -4.9, 0.45), (1.2, 0, number * math.tau / 3)
        data.collections["Camp fire"].objects.link(log)


@edits
def hang_a_lantern() -> None:
    """hangs a lantern; the host makes one of the same name at the same time"""
    lamp = data.lights.new("Stranger's lantern", "POINT")
    lamp.energy, lamp.color = 40, (0.7, 0.8, 1.0)
    thing = data.objects.new("New lantern", lamp)
    thing.location = (-5.4, -5.2, 1.6)
    data.collections["Camp"].objects.link(thing)


@edits
def keep_a_snake() -> None:
    """makes an armature with bones, and a mesh skinned to it"""
    armature = data.armatures.new("Snake bones")
    rig = data.objects.new("Snake", armature)
    rig.location = (-3.3, -5.1, 0.4)
    data.collections["Camp"].objects.link(rig)
    context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    parent = None
    for number in range(3):
        bone = armature.edit_bones.new(f"Bone {number}")
        bone.head, bone.tail = (number * 0.3, 0, 0), (number * 0.3 + 0.3, 0, 0)
        bone.parent = parent
        parent = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    bm = bmesh.new()
    lie = Matrix.Translation((0.45, 0, 0)) @ Matrix.Rotation(math.pi / 2, 4, "Y")
    bmesh.ops.create_cone(bm, cap_ends=True, segments=8, radius1=0.08, radius2=0.04, depth=0.9, matrix=lie)
    bmesh.ops.subdivide_edges(bm, edges=[edge for edge in bm.edges if edge.calc_length() > 0.5], cuts=6)
    mesh = data.meshes.new("Snake")
    bm.to_mesh(mesh)
    bm.free()
    skin = data.objects.new("Snake skin", mesh)
    skin.parent = rig
    data.collections["Camp"].objects.link(skin)
    for number in range(3):
        near = [v.index for v in mesh.vertices if int(v.co.x / 0.301) == number]
        skin.vertex_groups.new(name=f"Bone {number}").add(near, 1.0, "REPLACE")
    skin.modifiers.new("Bones", "ARMATURE").object = rig


@edits
def write_a_name() -> None:
    """adds a text object"""
    words = data.curves.new("Camp name", "FONT")
    words.body, words.size, words.align_x, words.extrude = "CAMP", 0.35, "CENTER", 0.02
    thing = data.objects.new("Camp name", words)
    thing.location, thing.rotation_euler = (-5.6, -4.9, 0.75), (math.pi / 2, 0, 0)
    data.collections["Camp"].objects.link(thing)


@edits
def set_up_a_camera() -> None:
    """adds a second camera"""
    camera = data.objects.new("Camp view", data.cameras.new("Camp view"))
    camera.location, camera.rotation_euler = (-6, -12, 2.5), (1.45, 0, 0.05)
    camera.data.dof.use_dof, camera.data.dof.aperture_fstop = True, 2.0
    data.collections["Camp"].objects.link(camera)


# Objects


@edits
def moor_the_boat() -> None:
    """moves and turns an object"""
    boat = find(data.objects, "Boat 3", is_mesh)
    boat.location.x -= 0.9
    boat.rotation_euler.z -= 0.6


@edits
def fold_the_tent() -> None:
    """scales an object unevenly"""
    data.objects["Tent"].scale = (1.0, 0.85, 1.1)


@edits
def name_a_boat() -> None:
    """renames an object and its mesh"""
    boat = find_old(data.objects, "Boat 1", is_mesh)
    boat.name = "Swallow"
    boat.data.name = "Swallow hull"


@edits
def fell_a_pine() -> None:
    """deletes two objects"""
    crown = find_old(data.objects, "Pine 05", lambda thing: not thing.children)
    trunk = crown.parent
    data.objects.remove(crown)
    if trunk is not None and not trunk.children:
        data.objects.remove(trunk)


@edits
def seat_a_gull() -> None:
    """gives an object another parent"""
    gull = find(data.objects, "Gull 0", lambda thing: is_mesh(thing) and not thing.parent and not thing.children)
    gull.parent = data.objects["Tent"]


@edits
def keep_the_ropes_out_of_the_picture() -> None:
    """hides an object from the viewport"""
    find(data.objects, "Flight").hide_viewport = True


@edits
def note_the_owner() -> None:
    """sets custom properties on a mesh and a material"""
    data.meshes["Tent"]["sewn by"] = "the stranger"
    data.materials["Canvas"]["price"] = 12.5


@edits
def shift_a_star() -> None:
    """sets an object's delta transform"""
    find(data.objects, "Star 00", is_mesh).delta_location = (0, 0, 1.5)


@edits
def copy_the_camp() -> None:
    """adds an instance of a collection"""
    again = data.objects.new("Second fire", None)
    again.instance_type, again.instance_collection = "COLLECTION", data.collections["Camp fire"]
    again.location = (10.6, 2.4, 0.1)
    data.collections["Camp"].objects.link(again)


# Meshes


@edits
def open_the_tent() -> None:
    """deletes a face of a mesh"""
    mesh = data.meshes["Tent"]
    bm = bmesh.new()
    bm.from_mesh(mesh)
    front = min(bm.faces, key=lambda face: face.calc_center_median().y)
    bmesh.ops.delete(bm, geom=[front], context="FACES_ONLY")
    bm.to_mesh(mesh)
    bm.free()
    mesh.update()


@edits
def stripe_the_tent() -> None:
    """paints a colour attribute"""
    mesh = data.meshes["Tent"]
    paint = mesh.color_attributes.new("Stripes", "BYTE_COLOR", "CORNER")
    for corner in range(len(mesh.loops)):
        paint.data[corner].color = (1, 0.9, 0.7, 1) if corner % 2 else (0.6, 0.2, 0.1, 1)


@edits
def round_a_rock() -> None:
    """moves the vertices of a mesh and smooths its faces"""
    mesh = find(data.objects, "Rock 03", is_mesh).data
    for vertex in mesh.vertices:
        vertex.co *= 1.08
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.update()


@edits
def mark_a_seam() -> None:
    """marks seams and sharp edges"""
    mesh = data.meshes["Tent"]
    for edge in mesh.edges:
        edge.use_seam = edge.index % 3 == 0
        edge.use_edge_sharp = edge.index % 2 == 0
    mesh.update()


@edits
def thin_the_serpents_tail() -> None:
    """changes weights"""

    def is_weighted(thing: Any) -> object:
        return is_mesh(thing) and len(thing.vertex_groups) and thing.name != "Well"

    body = find(data.objects, "Serpent body", is_weighted)
    body.vertex_groups[0].add(range(min(12, len(body.data.vertices))), 0.5, "REPLACE")


@edits
def make_a_mesh_its_own() -> None:
    """gives an object its own copy of a mesh it shared"""
    lantern = find(data.objects, "Lantern 00", is_mesh)
    lantern.data = lantern.data.copy()
    lantern.data.name = "Great lantern"
    for vertex in lantern.data.vertices:
        vertex.co *= 1.5
    lantern.data.update()


# Modifiers, constraints, animation, bones


@edits
def thicken_the_tent() -> None:
    """adds a modifier"""
    data.objects["Tent"].modifiers.new("Thick", "SOLIDIFY").thickness = 0.04


@edits
def round_the_houses() -> None:
    """sets a modifier's values"""
    house = find(data.objects, "Walls 0", lambda thing: is_mesh(thing) and thing.modifiers)
    modifier = house.modifiers[0]
    modifier.show_render = modifier.show_viewport = True
    if modifier.type == "BEVEL":
        modifier.width, modifier.segments = 0.08, 3


@edits
def multiply_a_plank() -> None:
    """repeats an object with an array modifier, bent by a lattice"""
    lattice = data.lattices.new("Bend")
    cage = data.objects.new("Bend", lattice)
    lattice.points_u, lattice.points_v, lattice.points_w = 3, 2, 2
    lattice.points[1].co_deform.z += 0.4
    cage.location, cage.scale = (-6.6, -2.9, 0.6), (2, 1, 1)
    fence = data.objects.new("Fence", data.meshes["Log"])
    fence.location = (-6.9, -2.9, 0.6)
    for thing in (cage, fence):
        data.collections["Camp"].objects.link(thing)
    fence.modifiers.new("Row", "ARRAY").count = 6
    fence.modifiers.new("Bend", "LATTICE").object = cage


@edits
def look_at_the_lighthouse() -> None:
    """adds a constraint"""
    look = data.objects["Camp name"].constraints.new("LOCKED_TRACK")
    look.target = data.objects["Camp view"]
    look.track_axis, look.lock_axis = "TRACK_Z", "LOCK_Y"


@edits
def flicker() -> None:
    """animates a light"""
    lamp = data.lights["Fire"]
    for frame, energy in ((1, 90), (7, 120), (13, 80), (20, 90)):
        lamp.energy = energy
        lamp.keyframe_insert("energy", frame=frame)


@edits
def coil_the_snake() -> None:
    """poses bones of a new armature"""
    for number, bone in enumerate(data.objects["Snake"].pose.bones):
        bone.rotation_mode = "XYZ"
        bone.rotation_euler.x = 0.3 * number


@edits
def hold_the_snake() -> None:
    """adds a constraint to a bone"""
    limit = data.objects["Snake"].pose.bones[0].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x, limit.max_x = True, 0.5


@edits
def rename_an_action() -> None:
    """renames an action and keeps it even if nobody uses it"""
    action = data.lights["Fire"].animation_data.action
    action.name = "Flicker"
    action.use_fake_user = True


@edits
def breathe() -> None:
    """adds a driver that reads a property of a light"""
    driver = data.objects["Second fire"].driver_add("scale", 2).driver
    variable = driver.variables.new()
    variable.name = "heat"
    variable.targets[0].id_type = "LIGHT"
    variable.targets[0].id = data.lights["Fire"]
    variable.targets[0].data_path = "energy"
    driver.expression = "0.5 + heat / 200"


@edits
def bend_the_flag() -> None:
    """moves points of a shape key"""
    keys = find(data.shape_keys, "Key", lambda keys: len(keys.key_blocks) > 1)
    for point in keys.key_blocks[1].data:
        point.co.z += 0.02


# Materials and node trees


@edits
def paint_the_stripes() -> None:
    """sets a colour of a material; the host paints the same at the same time"""
    nodes = find(data.materials, "Stripe red", has_shader).node_tree.nodes
    nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.04, 0.25, 0.32, 1)


@edits
def group_some_nodes() -> None:
    """makes a node group and uses it in a material"""
    group = data.node_groups.new("Faded", "ShaderNodeTree")
    group.interface.new_socket("Color", in_out="INPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    start, fade, end = (group.nodes.new(f"Node{kind}") for kind in ("GroupInput", "Reroute", "GroupOutput"))
    group.links.new(start.outputs[0], fade.inputs[0])
    group.links.new(fade.outputs[0], end.inputs[0])
    tree = data.materials["Canvas"].node_tree
    use = tree.nodes.new("ShaderNodeGroup")
    use.node_tree = group
    use.inputs[0].default_value = (0.75, 0.58, 0.34, 1)
    tree.links.new(use.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])


@edits
def mute_a_node() -> None:
    """mutes, labels and moves a node"""
    node = data.materials["Canvas"].node_tree.nodes[-1]
    node.mute, node.label = True, "off by day"
    node.location = (-300, 120)


@edits
def print_the_canvas() -> None:
    """makes an image and puts it into a material"""
    image = data.images.new("Print", 32, 32)
    image.pixels = [
        part for at in range(32 * 32) for part in ((0.5, 0.2, 0.1, 1) if at // 4 % 2 else (0.8, 0.7, 0.5, 1))
    ]
    image.pack()
    tree = data.materials["Trim"].node_tree
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    tree.links.new(texture.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])


@edits
def light_the_windows() -> None:
    """makes a material glow more"""
    window = find(data.materials, "Window", has_shader)
    window.node_tree.nodes["Principled BSDF"].inputs["Emission Strength"].default_value = 12


@edits
def swap_a_roof() -> None:
    """puts another material into a slot"""
    roof = find(data.objects, "Roof 0", lambda thing: is_mesh(thing) and len(thing.material_slots))
    roof.material_slots[0].link = "OBJECT"
    roof.material_slots[0].material = data.materials["Trim"]


# Light, camera, scene, collections


@edits
def raise_the_lantern_light() -> None:
    """sets a light's strength and size"""
    lamp = find(data.lights, "Lantern light 0")
    lamp.energy *= 1.2
    if hasattr(lamp, "shadow_soft_size"):
        lamp.shadow_soft_size = 0.8


@edits
def paint_the_sky() -> None:
    """adds a stop to the sky's colours"""
    world = find(data.worlds, "Dusk")
    nodes = node_tree(world).nodes
    if "Color Ramp" in nodes:
        nodes["Color Ramp"].color_ramp.elements.new(0.2).color = (0.30, 0.11, 0.27, 1)
    else:
        nodes.new("ShaderNodeValToRGB")


@edits
def share_the_tent() -> None:
    """puts an object into a second collection"""
    data.collections["Camp fire"].objects.link(data.objects["Tent"])


@edits
def hide_the_camp_from_clicks() -> None:
    """sets a collection's restrictions and colour"""
    camp = data.collections["Camp"]
    camp.hide_select, camp.color_tag = True, "COLOR_02"


@edits
def add_a_view_layer() -> None:
    """adds a view layer without the camp fire"""
    layer = context.scene.view_layers.new("Without fire")
    layer.layer_collection.children["Camp"].children["Camp fire"].exclude = True
    layer.use_pass_z = True


@edits
def rehearse() -> None:
    """makes a second scene that shows the camp"""
    scene = data.scenes.new("Rehearsal")
    scene.collection.children.link(data.collections["Camp"])
    scene.camera = data.objects["Camp view"]
    scene.world = data.worlds.get("Dusk")


@edits
def leave_a_note() -> None:
    """adds a text"""
    data.texts.new("Note").write("Thank you for the light.\n")


edits.run()
