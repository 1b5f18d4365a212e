"""What the host does to the scene while the joiner is at work in it too: see joiner_edits.py.

Run by `python -m mixer peer --run demo/host_edits.py`, which gives it `session`. In the demo's own scene it is the
keeper of the lighthouse who edits; in any other scene the same edits take what they find there.
"""

import math
from typing import Any

import bmesh
from mathutils import Vector

from demo.blender import context, data, fcurves, node_tree, set_input
from demo.edits import Edits

edits = Edits(session, "host")  # type: ignore[name-defined]  # noqa: F821
find, find_old = edits.find, edits.find_old


def is_mesh(thing: Any) -> object:
    return thing.type == "MESH"


def has_shader(material: Any) -> object:
    return material.node_tree and "Principled BSDF" in material.node_tree.nodes


def is_animated(thing: Any) -> object:
    return thing.animation_data and thing.animation_data.action


# New things


@edits
def build_a_well() -> None:
    """builds a well: object, mesh and material in a collection of their own"""
    well = data.collections.new("Well")
    context.scene.collection.children.link(well)
    bm = bmesh.new()
    bmesh.ops.create_cone(bm, cap_ends=True, segments=12, radius1=0.42, radius2=0.38, depth=0.6)
    mesh = data.meshes.new("Well")
    bm.to_mesh(mesh)
    bm.free()
    stone = data.materials.new("Well stone")
    node_tree(stone).nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.25, 0.22, 0.24, 1)
    mesh.materials.append(stone)
    thing = data.objects.new("Well", mesh)
    thing.location = (2.2, -3.4, 1.2)
    well.objects.link(thing)


@edits
def give_the_well_a_roof() -> None:
    """adds a child to the well"""
    bm = bmesh.new()
    bmesh.ops.create_cone(bm, cap_ends=True, segments=4, radius1=0.62, radius2=0, depth=0.45)
    mesh = data.meshes.new("Well roof")
    bm.to_mesh(mesh)
    bm.free()
    roof = data.objects.new("Well roof", mesh)
    roof.parent, roof.location = data.objects["Well"], (0, 0, 1.1)
    roof.rotation_euler.z = math.pi / 4
    data.collections["Well"].objects.link(roof)


@edits
def hang_a_lantern() -> None:
    """hangs a lantern; the joiner makes one of the same name at the same time"""
    lamp = data.lights.new("Keeper's lantern", "POINT")
    lamp.energy, lamp.color = 60, (1, 0.6, 0.25)
    thing = data.objects.new("New lantern", lamp)
    thing.location = (2.2, -4.2, 2.2)
    data.collections["Well"].objects.link(thing)


@edits
def launch_a_boat() -> None:
    """copies an object that shares its mesh"""
    boat = find(data.objects, "Boat 1", is_mesh).copy()
    boat.name = "Skiff"
    boat.location = (-3.6, -8.9, 0.12)
    boat.rotation_euler.z = 0.9
    data.collections["Well"].objects.link(boat)


@edits
def stretch_a_rope() -> None:
    """draws a new curve"""
    curve = data.curves.new("Mooring", "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", 0.03
    spline = curve.splines.new("BEZIER")
    spline.bezier_points.add(2)
    for point, at in zip(spline.bezier_points, ((3.7, -8, 0.5), (4.3, -8.6, 0.15), (4.9, -9.2, 0.35)), strict=True):
        point.co = at
        point.handle_left_type = point.handle_right_type = "AUTO"
    data.collections["Well"].objects.link(data.objects.new("Mooring", curve))


# Objects


@edits
def move_a_boat() -> None:
    """moves an object"""
    find(data.objects, "Boat 0", is_mesh).location.x += 0.7


@edits
def turn_a_boat() -> None:
    """turns an object"""
    find(data.objects, "Boat 2", is_mesh).rotation_euler.z += 0.5


@edits
def grow_the_moon() -> None:
    """scales an object"""
    find(data.objects, "Moon", is_mesh).scale *= 1.15


@edits
def rename_the_sign() -> None:
    """renames an object"""
    find_old(data.objects, "Sign").name = "Signboard"


@edits
def count_the_gulls() -> None:
    """sets custom properties, nested ones too"""
    thing = find(data.objects, "Lighthouse")
    thing["gulls"] = 9
    thing["keeper"] = {"name": "Ada", "watches": [1, 4, 9]}


@edits
def scare_a_gull() -> None:
    """deletes an object"""
    gull = find_old(data.objects, "Gull 8", lambda thing: not thing.children)
    data.objects.remove(gull)


@edits
def lock_the_island() -> None:
    """locks an object, and shows its name"""
    thing = find(data.objects, "Island", is_mesh)
    thing.lock_location = (True, True, True)
    thing.show_name = True


@edits
def spin_the_well() -> None:
    """turns an object by a quaternion"""
    well = data.objects["Well"]
    well.rotation_mode = "QUATERNION"
    well.rotation_quaternion = (0.966, 0, 0, 0.259)


@edits
def leave_no_shadow() -> None:
    """sets how an object takes part in a render"""
    thing = find(data.objects, "Sea", is_mesh)
    thing.visible_shadow = False
    thing.color = (0.1, 0.4, 0.5, 1)


# Meshes


@edits
def raise_a_dune() -> None:
    """moves vertices"""
    mesh = find(data.objects, "Island", is_mesh).data
    peak = mesh.vertices[len(mesh.vertices) // 3].co.copy()
    for vertex in mesh.vertices:
        vertex.co.z += 0.25 * math.exp(-((vertex.co - peak).length_squared))
    mesh.update()


@edits
def dig_the_well() -> None:
    """changes a mesh's topology: insets and sinks a face"""
    mesh = data.meshes["Well"]
    bm = bmesh.new()
    bm.from_mesh(mesh)
    top = max(bm.faces, key=lambda face: face.calc_center_median().z)
    bmesh.ops.inset_region(bm, faces=[top], thickness=0.1)
    bmesh.ops.translate(bm, verts=list(top.verts), vec=(0, 0, -0.45))
    bm.to_mesh(mesh)
    bm.free()
    mesh.update()


@edits
def unwrap_the_well() -> None:
    """adds a UV map"""
    mesh = data.meshes["Well"]
    uv = mesh.uv_layers.new(name="Stones").data
    for loop in mesh.loops:
        co = mesh.vertices[loop.vertex_index].co
        uv[loop.index].uv = (math.atan2(co.y, co.x), co.z)


@edits
def slide_the_flag_picture() -> None:
    """moves UVs"""
    mesh = find(data.meshes, "Flag", lambda mesh: mesh.uv_layers)
    for corner in mesh.uv_layers[0].data:
        corner.uv.x += 0.05


@edits
def wet_the_well() -> None:
    """adds an attribute to a mesh"""
    mesh = data.meshes["Well"]
    wet = mesh.attributes.new("wet", "FLOAT", "POINT")
    for vertex in mesh.vertices:
        wet.data[vertex.index].value = max(0.0, -vertex.co.z)


@edits
def weigh_the_well() -> None:
    """adds a vertex group with weights"""
    thing = data.objects["Well"]
    group = thing.vertex_groups.new(name="Rim")
    for vertex in thing.data.vertices:
        group.add([vertex.index], (vertex.co.z + 0.3) / 0.6, "REPLACE")


# Shape keys, animation, drivers, constraints, bones


@edits
def shape_the_well() -> None:
    """adds shape keys"""
    thing = data.objects["Well"]
    thing.shape_key_add(name="Basis")
    lean = thing.shape_key_add(name="Lean")
    for point in lean.data:
        point.co.x += point.co.z * 0.3
    lean.value = 0.4


@edits
def let_the_wind_rise() -> None:
    """sets a shape key's value"""
    keys = find(data.shape_keys, "Key", lambda keys: len(keys.key_blocks) > 1).key_blocks
    keys[-1].value = 0.55


@edits
def let_the_well_creak() -> None:
    """animates a new object"""
    thing = data.objects["Well roof"]
    for frame, turn in ((1, 0.0), (40, 0.12), (80, 0.0)):
        thing.rotation_euler.x = turn
        thing.keyframe_insert("rotation_euler", index=0, frame=frame)


@edits
def let_the_balloon_climb() -> None:
    """moves a key of an animation"""
    thing = find(data.objects, "Balloon", lambda thing: is_animated(thing) and len(fcurves(thing)))
    curve = fcurves(thing)[len(fcurves(thing)) - 1]
    curve.keyframe_points[len(curve.keyframe_points) // 2].co.y += 0.5
    curve.update()


@edits
def rock_the_skiff() -> None:
    """adds a driver that reads another object"""
    driver = data.objects["Skiff"].driver_add("rotation_euler", 0).driver
    variable = driver.variables.new()
    variable.name, variable.type = "high", "TRANSFORMS"
    variable.targets[0].id = data.objects["Well"]
    variable.targets[0].transform_type = "LOC_Z"
    driver.expression = "high * 0.05"


@edits
def slow_the_lamp() -> None:
    """changes a driver"""
    thing = find(data.objects, "Turner", lambda thing: thing.animation_data and thing.animation_data.drivers)
    thing.animation_data.drivers[0].driver.expression = "frame * 0.04 - 0.84"


@edits
def hold_the_skiff() -> None:
    """adds a constraint with a target"""
    hold = data.objects["Skiff"].constraints.new("LIMIT_DISTANCE")
    hold.target, hold.distance, hold.limit_mode = data.objects["Well"], 12, "LIMITDIST_INSIDE"


@edits
def calm_the_boats() -> None:
    """sets a constraint's influence"""
    find(data.objects, "Boat 1", lambda thing: thing.constraints).constraints[0].influence = 0.35


@edits
def raise_the_serpents_head() -> None:
    """poses a bone"""
    rig = find(data.objects, "Serpent", lambda thing: thing.type == "ARMATURE")
    bone = rig.pose.bones[-1]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler = (-0.35, 0, 0.1)


# Modifiers


@edits
def soften_the_well() -> None:
    """adds two modifiers"""
    well = data.objects["Well"]
    well.modifiers.new("Bevel", "BEVEL").width = 0.02
    well.modifiers.new("Smooth", "SUBSURF").levels = 1


@edits
def sharpen_the_well() -> None:
    """swaps two modifiers"""
    data.objects["Well"].modifiers.move(0, 1)


@edits
def let_the_grass_grow() -> None:
    """sets an input of a geometry nodes modifier"""
    island = find(data.objects, "Island", lambda thing: "Tufts" in thing.modifiers)
    set_input(island.modifiers["Tufts"], "Density", 9.0)


# Materials and node trees


@edits
def paint_the_stripes() -> None:
    """sets a colour of a material; the joiner paints the same at the same time"""
    nodes = find(data.materials, "Stripe red", has_shader).node_tree.nodes
    nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.62, 0.05, 0.08, 1)


@edits
def weather_the_stone() -> None:
    """adds nodes and links to a material"""
    tree = data.materials["Well stone"].node_tree
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value = 8
    ramp.color_ramp.elements[0].color = (0.10, 0.09, 0.11, 1)
    ramp.color_ramp.elements[1].color = (0.36, 0.33, 0.34, 1)
    tree.links.new(noise.outputs[0], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])


@edits
def warm_the_shallows() -> None:
    """moves and paints a stop of a colour ramp"""

    def has_ramp(material: Any) -> object:
        return material.node_tree and "Color Ramp" in material.node_tree.nodes

    ramp = find(data.materials, "Water", has_ramp).node_tree.nodes["Color Ramp"].color_ramp
    ramp.elements[-1].color = (0.04, 0.36, 0.33, 1)
    ramp.elements[-1].position = 0.55


@edits
def polish_the_sea() -> None:
    """sets a value of a material, and how it looks in the viewport"""
    water = find(data.materials, "Water", has_shader)
    water.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.09
    water.diffuse_color = (0.02, 0.2, 0.25, 1)


# Light, camera, scene


@edits
def dim_the_sun() -> None:
    """sets a light's strength and colour"""
    sun = find(data.lights, "Last sun")
    sun.energy *= 0.9
    sun.color = (1.0, 0.46, 0.26)


@edits
def step_back() -> None:
    """changes the camera's lens"""
    find(data.cameras, "Camera").lens *= 0.97


@edits
def deepen_the_sky() -> None:
    """sets a value of the world"""
    world = find(data.worlds, "Dusk")
    world.color = (0.02, 0.02, 0.06)
    world.use_fake_user = True


@edits
def expose_a_little_more() -> None:
    """sets the scene's exposure and last frame"""
    scene = context.scene
    scene.view_settings.exposure = 0.1
    scene.frame_end = 150


@edits
def mark_the_hour() -> None:
    """sets timeline markers"""
    for name, frame in (("Dusk", 1), ("Moonrise", 60)):
        context.scene.timeline_markers.new(name, frame=frame)


@edits
def choose_a_size() -> None:
    """sets the size and rate of renders"""
    render = context.scene.render
    render.resolution_x, render.resolution_y, render.fps = 1280, 1024, 25


# Collections, images, texts


@edits
def put_the_skiff_to_the_boats() -> None:
    """moves an object from one collection to another"""
    skiff = data.objects["Skiff"]
    boats = data.collections.get("Boats") or context.scene.collection
    boats.objects.link(skiff)
    data.collections["Well"].objects.unlink(skiff)


@edits
def colour_a_collection() -> None:
    """gives a collection a colour"""
    find(data.collections, "Island").color_tag = "COLOR_04"


@edits
def paint_the_flag() -> None:
    """paints on an image"""
    image = find(data.images, "Flag", lambda image: image.packed_file and 0 < max(image.size) <= 256)
    width = image.size[0]
    pixels = list(image.pixels)
    pixels[: width * 4 * 4] = [0.85, 0.1, 0.1, 1.0] * width * 4
    image.pixels = pixels
    image.pack()


@edits
def write_the_log() -> None:
    """writes into a text"""
    text = data.texts.get("Logbook") or data.texts.new("Logbook")
    text.write("Second night. Dug a well; a stranger lands.\n")


@edits
def cut_larger_letters() -> None:
    """changes a text object"""
    letters = find(data.curves, "Welcome", lambda curve: hasattr(curve, "body"))
    letters.extrude = 0.05
    letters.size *= 1.06


@edits
def tauten_the_string() -> None:
    """moves a point of a curve"""

    def has_points(curve: Any) -> object:
        return len(curve.splines) and len(curve.splines[0].bezier_points) > 2

    point = find(data.curves, "String", has_points).splines[0].bezier_points[1]
    for part in ("handle_left", "co", "handle_right"):
        setattr(point, part, getattr(point, part) + Vector((0, 0, 0.12)))


edits.run()
