# ruff: noqa: E501 (lines of a table)
"""What one person does in a scene, edit by edit, over all that people work on: a table. No pytest, no peers here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit as lines of Python, and an expression that both sides evaluate: equal on both, and not as before.

    Both know `bpy`, `D` (its data), `O` (objects), `S` (the first scene), and the helpers of `BEGIN`.
    """

    domain: str
    do: str
    see: str
    since: tuple[int, int] = (4, 2)  # the first Blender that has what the edit needs
    until: tuple[int, int] = (9, 9)  # the first that has it no more
    why: str = ""  # of `since` and `until`


BEGIN: Final = """
import bmesh
from math import pi
D, O, S = bpy.data, bpy.data.objects, bpy.data.scenes[0]
def new(name, data=None, scene=None):
    thing = O.new(name, data)
    (scene or S).collection.objects.link(thing)
    return thing
def made(collection, name, *more, **settings):  # a datablock with settings
    thing = collection.new(name, *more)
    for field, value in settings.items():
        setattr(thing, field, value)
    return thing
def on(name, run, **more):  # an operator on one object
    bpy.context.view_layer.objects.active = O[name]
    for other in bpy.context.view_layer.objects:
        other.select_set(other.name == name)
    return run(**more)
def column(data, field, count=1):
    values = [0.0] * (len(data) * count)
    data.foreach_get(field, values)
    return values
def nodes_of(name):
    return D.materials[name].node_tree
def links(tree):
    return sorted([l.from_node.name, l.from_socket.name, l.to_node.name, l.to_socket.name] for l in tree.links)
def curves(action):
    if hasattr(action, "fcurves"):
        return action.fcurves
    return action.layers[0].strips[0].channelbags[0].fcurves
def curve(action, path, index=0):
    return curves(D.actions[action]).find(path, index=index)
def keys(curve):
    return [[*key.co, key.interpolation, *key.handle_right] for key in curve.keyframe_points]
def bones(name):
    return [[b.name, b.parent and b.parent.name, b.head_local, b.tail_local, b.use_deform] for b in D.armatures[name].bones]
def modes(name, work):  # on the edit bones
    on(name, bpy.ops.object.mode_set, mode="EDIT")
    work(O[name].data.edit_bones)
    bpy.ops.object.mode_set(mode="OBJECT")
def grown(mesh, work):
    bm = bmesh.new()
    bm.from_mesh(mesh)
    work(bm)
    bm.to_mesh(mesh)
    bm.free()
    mesh.update()
"""

OBJECTS: Final = (
    Edit(
        "object moved, turned, scaled",
        "O['Cube'].location = 1, 2, 3; O['Cube'].rotation_euler.z = 1; O['Cube'].scale.x = 2",
        "[O['Cube'].location, O['Cube'].rotation_euler, O['Cube'].scale]",
    ),
    Edit(
        "objects added",
        "new('Empty'); new('Child', D.meshes['Cube'].copy()).data.name = 'Child'; new('Gone', D.meshes['Child'])",
        "[O[n].type for n in ('Empty', 'Child', 'Gone')]",
    ),
    Edit(
        "parent set, keeping the place",
        "O['Child'].parent = O['Cube']; O['Child'].matrix_parent_inverse = O['Cube'].matrix_world.inverted()",
        "[O['Child'].parent, [list(r) for r in O['Child'].matrix_parent_inverse]]",
    ),
    Edit(
        "parented to a vertex",
        "O['Empty'].parent = O['Cube']; O['Empty'].parent_type = 'VERTEX'; O['Empty'].parent_vertices = 3, 0, 0",
        "[O['Empty'].parent_type, O['Empty'].parent_vertices]",
    ),
    Edit("parent cleared", "O['Empty'].parent = None", "O['Empty'].parent"),
    Edit("object renamed", "O['Empty'].name = 'Marker'", "sorted(O.keys())"),
    Edit(
        "hidden and not selectable",
        "o = O['Marker']; o.hide_viewport = o.hide_render = o.hide_select = True",
        "[O['Marker'].hide_viewport, O['Marker'].hide_render, O['Marker'].hide_select]",
    ),
    Edit("shown again", "O['Marker'].hide_viewport = O['Marker'].hide_render = False", "O['Marker'].hide_viewport"),
    Edit(
        "locked",
        "O['Cube'].lock_location = True, False, True; O['Cube'].lock_rotation_w = True",
        "[O['Cube'].lock_location, O['Cube'].lock_rotation_w]",
    ),
    Edit(
        "delta transform",
        "O['Cube'].delta_location.z = 2; O['Cube'].delta_scale.y = 3",
        "[O['Cube'].delta_location, O['Cube'].delta_scale]",
    ),
    Edit(
        "rotation by quaternion",
        "O['Child'].rotation_mode = 'QUATERNION'; O['Child'].rotation_quaternion = 0.5, 0.5, 0.5, 0.5",
        "[O['Child'].rotation_mode, O['Child'].rotation_quaternion]",
    ),
    Edit(
        "rotation by axis and angle",
        "O['Marker'].rotation_mode = 'AXIS_ANGLE'; O['Marker'].rotation_axis_angle = 2, 1, 0, 0",
        "[O['Marker'].rotation_mode, O['Marker'].rotation_axis_angle]",
    ),
    Edit(
        "how an empty shows",
        "O['Marker'].empty_display_type = 'CONE'; O['Marker'].empty_display_size = 3",
        "[O['Marker'].empty_display_type, O['Marker'].empty_display_size]",
    ),
    Edit(
        "how an object shows",
        "o = O['Cube']; o.display_type = 'WIRE'; o.show_name = True; o.show_in_front = True; o.color = 1, 0, 0, 0.5; o.display_bounds_type = 'SPHERE'",
        "[getattr(O['Cube'], n) for n in ('display_type', 'show_name', 'show_in_front', 'color', 'display_bounds_type')]",
    ),
    Edit(
        "what rays see",
        "o = O['Child']; o.visible_camera = False; o.is_holdout = True; o.pass_index = 7",
        "[O['Child'].visible_camera, O['Child'].is_holdout, O['Child'].pass_index]",
    ),
    Edit(
        "vertex groups painted",
        "g = O['Child'].vertex_groups.new(name='Top'); g.add([0, 1, 5], 0.5, 'REPLACE'); O['Child'].vertex_groups.new(name='Other').add([2], 1, 'ADD')",
        "[[g.name, [[i, v.groups[j].weight] for i, v in enumerate(O['Child'].data.vertices) for j in range(len(v.groups)) if v.groups[j].group == g.index]] for g in O['Child'].vertex_groups]",
    ),
    Edit(
        "vertex group renamed and locked",
        "O['Child'].vertex_groups['Top'].name = 'Up'; O['Child'].vertex_groups['Up'].lock_weight = True",
        "[[g.name, g.lock_weight] for g in O['Child'].vertex_groups]",
    ),
    Edit(
        "vertex group removed",
        "O['Child'].vertex_groups.remove(O['Child'].vertex_groups['Other'])",
        "O['Child'].vertex_groups.keys()",
    ),
    Edit(
        "linked duplicate",
        "O['Child'].copy().name = 'Twin'; S.collection.objects.link(O['Twin'])",
        "[O['Twin'].data, O['Twin'].vertex_groups.keys()]",
    ),
    Edit(
        "full duplicate",
        "O['Light'].copy().name = 'Lamp'; O['Lamp'].data = O['Light'].data.copy(); S.collection.objects.link(O['Lamp'])",
        "O['Lamp'].data",
    ),
    Edit("object deleted", "O.remove(O['Gone'])", "'Gone' in O"),
    Edit(
        "duplicated by an operator",
        "on('Twin', bpy.ops.object.duplicate)",
        "[O['Twin.001'].data, O['Twin.001'].parent]",
    ),
    Edit(
        "instances on faces",
        "O['Cube'].instance_type = 'FACES'; O['Cube'].use_instance_faces_scale = True; O['Cube'].instance_faces_scale = 2",
        "[O['Cube'].instance_type, O['Cube'].instance_faces_scale]",
    ),
    Edit(
        "axes, shadows, light groups",
        "o = O['Twin']; o.track_axis = 'POS_X'; o.up_axis = 'Y'; o.visible_shadow = False; o.show_axis = True",
        "[O['Twin'].track_axis, O['Twin'].up_axis, O['Twin'].visible_shadow, O['Twin'].show_axis]",
    ),
)

MODIFIERS: Final = (
    Edit(
        "modifiers of every common type",
        """
o = new('Stack', D.meshes['Cube'].copy())
o.data.name = 'Stack'
for kind in ('ARRAY', 'BEVEL', 'BOOLEAN', 'BUILD', 'CAST', 'CURVE', 'DATA_TRANSFER', 'DECIMATE', 'DISPLACE', 'EDGE_SPLIT', 'HOOK',
             'LAPLACIANDEFORM', 'LAPLACIANSMOOTH', 'LATTICE', 'MASK', 'MESH_DEFORM', 'MIRROR', 'NORMAL_EDIT', 'REMESH', 'SCREW',
             'SHRINKWRAP', 'SIMPLE_DEFORM', 'SMOOTH', 'CORRECTIVE_SMOOTH', 'SOLIDIFY', 'SUBSURF', 'SURFACE_DEFORM', 'TRIANGULATE',
             'UV_PROJECT', 'UV_WARP', 'VERTEX_WEIGHT_EDIT', 'VERTEX_WEIGHT_MIX', 'VERTEX_WEIGHT_PROXIMITY', 'WARP', 'WAVE',
             'WEIGHTED_NORMAL', 'WELD', 'WIREFRAME', 'ARMATURE', 'VOLUME_TO_MESH', 'MESH_SEQUENCE_CACHE'):
    m = o.modifiers.new(kind.title(), kind)
    m.show_viewport = m.show_render = False
""",
        "[m.type for m in O['Stack'].modifiers]",
    ),
    Edit(
        "a bevel set",
        "m = O['Stack'].modifiers['Bevel']; m.width = 0.3; m.segments = 4; m.limit_method = 'WEIGHT'; m.profile_type = 'CUSTOM'; m.custom_profile.points.add(0.3, 0.7)",
        "[O['Stack'].modifiers['Bevel'].segments, [list(p.location) for p in O['Stack'].modifiers['Bevel'].custom_profile.points]]",
    ),
    Edit(
        "a subdivision set",
        "m = O['Stack'].modifiers['Subsurf']; m.levels = 3; m.render_levels = 4; m.uv_smooth = 'NONE'; m.show_viewport = True",
        "[O['Stack'].modifiers['Subsurf'].levels, O['Stack'].modifiers['Subsurf'].uv_smooth, O['Stack'].modifiers['Subsurf'].show_viewport]",
    ),
    Edit(
        "an array set",
        "m = O['Stack'].modifiers['Array']; m.count = 5; m.relative_offset_displace.y = 2; m.use_object_offset = True; m.offset_object = O['Marker']",
        "[O['Stack'].modifiers['Array'].count, O['Stack'].modifiers['Array'].relative_offset_displace, O['Stack'].modifiers['Array'].offset_object]",
    ),
    Edit(
        "a boolean with an operand",
        "m = O['Stack'].modifiers['Boolean']; m.object = O['Cube']; m.operation = 'UNION'; m.use_self = True",
        "[O['Stack'].modifiers['Boolean'].object, O['Stack'].modifiers['Boolean'].operation]",
    ),
    Edit(
        "a mirror set",
        "m = O['Stack'].modifiers['Mirror']; m.use_axis = False, True, True; m.mirror_object = O['Marker']; m.use_clip = True",
        "[O['Stack'].modifiers['Mirror'].use_axis, O['Stack'].modifiers['Mirror'].mirror_object]",
    ),
    Edit(
        "targets of modifiers",
        "o = O['Stack'].modifiers; o['Shrinkwrap'].target = O['Cube']; o['Data_Transfer'].object = O['Cube']; o['Warp'].object_from = O['Marker']; o['Warp'].object_to = O['Cube']; o['Mesh_Deform'].object = O['Cube']",
        "[O['Stack'].modifiers[n].target for n in ('Shrinkwrap',)] + [O['Stack'].modifiers['Warp'].object_to, O['Stack'].modifiers['Data_Transfer'].object]",
    ),
    Edit(
        "a falloff curve",
        "m = O['Stack'].modifiers['Hook']; m.falloff_type = 'CURVE'; m.falloff_curve.curves[0].points.new(0.4, 0.9); m.object = O['Marker']; m.strength = 0.5",
        "[list(p.location) for p in O['Stack'].modifiers['Hook'].falloff_curve.curves[0].points]",
    ),
    Edit(
        "a displacement with a texture",
        "D.textures.new('Bumps', 'CLOUDS').noise_scale = 2; m = O['Stack'].modifiers['Displace']; m.texture = D.textures['Bumps']; m.direction = 'X'; m.texture_coords = 'OBJECT'; m.texture_coords_object = O['Marker']",
        "[O['Stack'].modifiers['Displace'].texture, D.textures['Bumps'].noise_scale]",
    ),
    Edit(
        "projectors",
        "m = O['Stack'].modifiers['Uv_Project']; m.projector_count = 2; m.projectors[1].object = O['Camera']",
        "[p.object for p in O['Stack'].modifiers['Uv_Project'].projectors]",
    ),
    Edit(
        "modifiers reordered",
        "m = O['Stack'].modifiers; m.move(len(m) - 1, 0); m.move(3, 10)",
        "O['Stack'].modifiers.keys()",
    ),
    Edit("modifier renamed", "O['Stack'].modifiers['Wave'].name = 'Sea'", "O['Stack'].modifiers.keys()"),
    Edit(
        "modifiers removed",
        "m = O['Stack'].modifiers; m.remove(m['Cast']); m.remove(m['Weld'])",
        "O['Stack'].modifiers.keys()",
    ),
    Edit(
        "modifier applied",
        "o = new('Applied', D.meshes['Cube'].copy()); o.data.name = 'Applied'; o.modifiers.new('Array', 'ARRAY').count = 3; on('Applied', bpy.ops.object.modifier_apply, modifier='Array')",
        "[len(O['Applied'].data.vertices), len(O['Applied'].modifiers)]",
    ),
    Edit(
        "cloth and its settings",
        "m = O['Applied'].modifiers.new('Cloth', 'CLOTH'); m.settings.mass = 2; m.collision_settings.distance_min = 0.1; m.point_cache.frame_end = 100; m.show_viewport = False",
        "[O['Applied'].modifiers['Cloth'].settings.mass, O['Applied'].modifiers['Cloth'].point_cache.frame_end]",
    ),
    Edit(
        "soft body",
        "m = O['Twin'].modifiers.new('Softbody', 'SOFT_BODY'); m.settings.mass = 3; m.settings.use_goal = False; m.show_viewport = False",
        "[O['Twin'].modifiers['Softbody'].settings.mass, O['Twin'].modifiers['Softbody'].settings.use_goal]",
    ),
    Edit(
        "fluid domain",
        "m = O['Marker'] and new('Domain', D.meshes['Cube'].copy()).modifiers.new('Fluid', 'FLUID'); m.show_viewport = False; m.fluid_type = 'DOMAIN'; m.domain_settings.resolution_max = 16",
        "O['Domain'].modifiers['Fluid'].domain_settings.resolution_max",
    ),
    Edit(
        "particles",
        "o = new('Hairy', D.meshes['Cube'].copy()); o.modifiers.new('Hair', 'PARTICLE_SYSTEM').show_viewport = False; s = o.particle_systems[0].settings; s.name = 'Fur'; s.type = 'HAIR'; s.count = 11; s.hair_length = 2; s.render_type = 'OBJECT'; s.instance_object = O['Marker']",
        "[D.particles['Fur'].count, D.particles['Fur'].type, D.particles['Fur'].hair_length, D.particles['Fur'].instance_object]",
    ),
    Edit(
        "particle system's seed",
        "O['Hairy'].particle_systems[0].seed = 5; O['Hairy'].particle_systems[0].name = 'Mane'",
        "[[p.name, p.seed] for p in O['Hairy'].particle_systems]",
    ),
    Edit(
        "second particle system",
        "O['Hairy'].modifiers.new('More', 'PARTICLE_SYSTEM').show_viewport = False; O['Hairy'].particle_systems[1].settings = D.particles['Fur']",
        "[p.settings for p in O['Hairy'].particle_systems]",
    ),
    Edit(
        "particle system removed",
        "O['Hairy'].modifiers.remove(O['Hairy'].modifiers['More'])",
        "O['Hairy'].modifiers.keys()",
    ),
)

CONSTRAINTS: Final = (
    Edit(
        "constraints of every common type",
        """
for kind in ('COPY_LOCATION', 'COPY_ROTATION', 'COPY_SCALE', 'COPY_TRANSFORMS', 'LIMIT_DISTANCE', 'LIMIT_LOCATION', 'LIMIT_ROTATION',
             'LIMIT_SCALE', 'MAINTAIN_VOLUME', 'TRANSFORM', 'CLAMP_TO', 'DAMPED_TRACK', 'LOCKED_TRACK', 'STRETCH_TO', 'TRACK_TO',
             'ACTION', 'ARMATURE', 'CHILD_OF', 'FLOOR', 'FOLLOW_PATH', 'PIVOT', 'SHRINKWRAP'):
    O['Twin'].constraints.new(kind).mute = True
""",
        "[c.type for c in O['Twin'].constraints]",
    ),
    Edit(
        "targets and spaces",
        "c = O['Twin'].constraints; c['Copy Location'].target = O['Marker']; c['Copy Location'].use_x = False; c['Copy Location'].owner_space = 'LOCAL'; c['Track To'].target = O['Camera']; c['Track To'].up_axis = 'UP_X'",
        "[O['Twin'].constraints['Copy Location'].target, O['Twin'].constraints['Copy Location'].owner_space, O['Twin'].constraints['Track To'].up_axis]",
    ),
    Edit(
        "limits and influence",
        "c = O['Twin'].constraints['Limit Location']; c.use_min_x = True; c.min_x = -2; c.influence = 0.25; c.mute = False",
        "[O['Twin'].constraints['Limit Location'].min_x, O['Twin'].constraints['Limit Location'].influence]",
    ),
    Edit("constraints reordered", "O['Twin'].constraints.move(5, 1)", "O['Twin'].constraints.keys()"),
    Edit("constraint renamed", "O['Twin'].constraints['Pivot'].name = 'Hinge'", "O['Twin'].constraints.keys()"),
    Edit("constraints removed", "c = O['Twin'].constraints; c.remove(c['Floor'])", "O['Twin'].constraints.keys()"),
    Edit(
        "constraint applied",
        "c = O['Twin.001'].constraints.new('LIMIT_LOCATION'); c.use_min_z = True; c.min_z = 9; on('Twin.001', bpy.ops.constraint.apply, constraint=c.name, owner='OBJECT')",
        "[len(O['Twin.001'].constraints), O['Twin.001'].location.z]",
    ),
)

MESHES: Final = (
    Edit(
        "a mesh made",
        """
m = D.meshes.new('Land')
m.from_pydata([(x, y, 0) for y in range(5) for x in range(5)], [], [(y*5+x, y*5+x+1, y*5+x+6, y*5+x+5) for y in range(4) for x in range(4)])
new('Land', m)
""",
        "[len(D.meshes['Land'].vertices), len(D.meshes['Land'].polygons)]",
    ),
    Edit(
        "vertices moved",
        "D.meshes['Land'].vertices[7].co.z = 2; D.meshes['Land'].update()",
        "column(D.meshes['Land'].vertices, 'co', 3)",
    ),
    Edit(
        "a face extruded",
        "grown(D.meshes['Land'], lambda bm: (bm.faces.ensure_lookup_table(), bmesh.ops.translate(bm, vec=(0, 0, 1), verts=[v for v in bmesh.ops.extrude_face_region(bm, geom=[bm.faces[5]])['geom'] if isinstance(v, bmesh.types.BMVert)])))",
        "[len(D.meshes['Land'].vertices), len(D.meshes['Land'].edges)]",
    ),
    Edit(
        "faces deleted",
        "grown(D.meshes['Land'], lambda bm: (bm.faces.ensure_lookup_table(), bmesh.ops.delete(bm, geom=[bm.faces[0]], context='FACES')))",
        "len(D.meshes['Land'].polygons)",
    ),
    Edit(
        "a UV map unwrapped",
        "u = D.meshes['Land'].uv_layers.new(name='Map'); u.data.foreach_set('uv', [i * 0.01 for i in range(len(u.data) * 2)])",
        "column(D.meshes['Land'].uv_layers['Map'].data, 'uv', 2)",
    ),
    Edit(
        "UV maps: a second, chosen",
        "m = D.meshes['Land']; m.uv_layers.new(name='Bake'); m.uv_layers['Bake'].active_render = True; m.uv_layers['Map'].name = 'First'",
        "[[u.name, u.active_render] for u in D.meshes['Land'].uv_layers]",
    ),
    Edit("UV map removed", "u = D.meshes['Land'].uv_layers; u.remove(u['First'])", "D.meshes['Land'].uv_layers.keys()"),
    Edit(
        "colours painted",
        "a = D.meshes['Land'].color_attributes.new('Paint', 'BYTE_COLOR', 'CORNER'); a.data.foreach_set('color', [0.5] * len(a.data) * 4); b = D.meshes['Land'].color_attributes.new('Glow', 'FLOAT_COLOR', 'POINT'); b.data[0].color = 1, 2, 3, 1",
        "[column(D.meshes['Land'].color_attributes['Paint'].data, 'color', 4), D.meshes['Land'].color_attributes['Glow'].data[0].color]",
    ),
    Edit(
        "the active colours",
        "D.meshes['Land'].color_attributes.active_color_name = 'Glow'; D.meshes['Land'].color_attributes.default_color_name = 'Glow'",
        "[D.meshes['Land'].attributes.active_color_name, D.meshes['Land'].attributes.default_color_name]",
    ),
    Edit(
        "attributes of every type",
        """
for kind in ('FLOAT', 'INT', 'FLOAT_VECTOR', 'BOOLEAN', 'FLOAT2', 'INT8', 'INT32_2D', 'QUATERNION'):
    for domain in ('POINT', 'EDGE', 'FACE', 'CORNER'):
        D.meshes['Land'].attributes.new(f'{kind}.{domain}', kind, domain)
D.meshes['Land'].attributes['FLOAT.POINT'].data[3].value = 0.25
D.meshes['Land'].attributes['QUATERNION.FACE'].data[2].value = 0.5, 0.5, 0.5, 0.5
D.meshes['Land'].attributes['INT8.CORNER'].data[5].value = -3
""",
        "[[a.name, a.data_type, a.domain] for a in D.meshes['Land'].attributes] + [D.meshes['Land'].attributes['QUATERNION.FACE'].data[2].value, D.meshes['Land'].attributes['INT8.CORNER'].data[5].value]",
    ),
    Edit(
        "attributes renamed and removed",
        "a = D.meshes['Land'].attributes; a['FLOAT.EDGE'].name = 'Wear'; a.remove(a['INT.CORNER'])",
        "D.meshes['Land'].attributes.keys()",
    ),
    Edit(
        "a matrix attribute",
        "D.meshes['Land'].attributes.new('Turn', 'FLOAT4X4', 'POINT')",
        "D.meshes['Land'].attributes['Turn'].data_type",
    ),
    Edit(
        "materials by face",
        "m = D.meshes['Land']; [m.materials.append(D.materials.new(n)) for n in ('Grass', 'Rock')]; m.polygons.foreach_set('material_index', [i % 2 for i in range(len(m.polygons))])",
        "[[m for m in D.meshes['Land'].materials], column(D.meshes['Land'].polygons, 'material_index')]",
    ),
    Edit(
        "a material slot removed", "D.meshes['Land'].materials.pop(index=0)", "[m for m in D.meshes['Land'].materials]"
    ),
    Edit(
        "a material on the object",
        "O['Land'].material_slots[0].link = 'OBJECT'; O['Land'].material_slots[0].material = D.materials['Grass']",
        "[[s.link, s.material] for s in O['Land'].material_slots]",
    ),
    Edit(
        "creases, seams, sharp edges",
        "m = D.meshes['Land']; m.edges[3].use_seam = True; m.edges[4].use_edge_sharp = True; a = m.attributes.new('crease_edge', 'FLOAT', 'EDGE'); a.data[5].value = 0.5; m.attributes.new('bevel_weight_vert', 'FLOAT', 'POINT').data[1].value = 0.75",
        "[D.meshes['Land'].edges[3].use_seam, D.meshes['Land'].edges[4].use_edge_sharp, column(D.meshes['Land'].attributes['crease_edge'].data, 'value')]",
    ),
    Edit(
        "flat and smooth faces",
        "m = D.meshes['Land']; m.polygons.foreach_set('use_smooth', [i % 3 == 0 for i in range(len(m.polygons))]); m.update()",
        "[p.use_smooth for p in D.meshes['Land'].polygons]",
    ),
    Edit(
        "normals of one's own",
        "m = D.meshes['Land']; m.normals_split_custom_set([(0.6, 0, 0.8)] * len(m.loops))",
        "[D.meshes['Land'].has_custom_normals, [list(l.normal) for l in list(D.meshes['Land'].corner_normals)[:0]]]",
    ),
    Edit(
        "shape keys",
        "o = O['Child']; o.shape_key_add(name='Basis'); k = o.shape_key_add(name='Smile'); k.data[0].co.z = 5; k.slider_max = 2; k.value = 1.5; o.shape_key_add(name='Frown').relative_key = k",
        "[[k.name, k.value, k.relative_key.name, column(k.data, 'co', 3)] for k in D.meshes['Child'].shape_keys.key_blocks]",
    ),
    Edit(
        "a shape key renamed and muted",
        "k = D.meshes['Child'].shape_keys.key_blocks['Frown']; k.name = 'Sad'; k.mute = True; k.vertex_group = 'Up'",
        "[[k.name, k.mute, k.vertex_group] for k in D.meshes['Child'].shape_keys.key_blocks]",
    ),
    Edit(
        "a shape key removed",
        "O['Child'].shape_key_remove(D.meshes['Child'].shape_keys.key_blocks['Sad'])",
        "D.meshes['Child'].shape_keys.key_blocks.keys()",
    ),
    Edit(
        "subdivided in edit mode",
        "on('Applied', bpy.ops.object.mode_set, mode='EDIT'); bpy.ops.mesh.select_all(action='SELECT'); bpy.ops.mesh.subdivide(); bpy.ops.object.mode_set(mode='OBJECT')",
        "len(D.meshes['Applied'].vertices)",
    ),
    Edit(
        "objects joined",
        "o = new('Joined', D.meshes['Cube'].copy()); p = new('Into', D.meshes['Cube'].copy()); p.location.x = 4; on('Into', bpy.ops.object.select_pattern, pattern='Joined'); O['Into'].select_set(True); bpy.ops.object.join()",
        "['Joined' in O, len(O['Into'].data.vertices)]",
    ),
    Edit(
        "a mesh's settings",
        "m = D.meshes['Land']; m.use_mirror_x = True; m.remesh_voxel_size = 0.3; m.name = 'Ground'",
        "[D.meshes['Ground'].use_mirror_x, D.meshes['Ground'].remesh_voxel_size]",
    ),
    Edit("another mesh in an object", "O['Domain'].data = D.meshes['Ground']", "O['Domain'].data"),
)

SCENES: Final = (
    Edit(
        "a collection, linked",
        "c = D.collections.new('Props'); S.collection.children.link(c); c.objects.link(O['Marker'])",
        "[S.collection.children.keys(), D.collections['Props'].objects.keys()]",
    ),
    Edit(
        "a collection in another",
        "c = D.collections.new('Small'); D.collections['Props'].children.link(c); c.objects.link(O['Twin'])",
        "D.collections['Props'].children.keys()",
    ),
    Edit("an object unlinked", "S.collection.objects.unlink(O['Marker'])", "sorted(S.collection.objects.keys())"),
    Edit(
        "a collection's settings",
        "c = D.collections['Props']; c.color_tag = 'COLOR_03'; c.hide_render = True; c.instance_offset.x = 2; c.lineart_usage = 'EXCLUDE'; c.name = 'Things'",
        "[D.collections['Things'].color_tag, D.collections['Things'].hide_render, D.collections['Things'].instance_offset]",
    ),
    Edit(
        "an instance of a collection",
        "o = new('Copies'); o.instance_type = 'COLLECTION'; o.instance_collection = D.collections['Small']",
        "O['Copies'].instance_collection",
    ),
    Edit(
        "a collection left out",
        "S.view_layers[0].layer_collection.children['Things'].children['Small'].exclude = True",
        "S.view_layers[0].layer_collection.children['Things'].children['Small'].exclude",
    ),
    Edit(
        "a collection as holdout",
        "l = S.view_layers[0].layer_collection.children['Things']; l.holdout = True; l.indirect_only = True; l.hide_viewport = True",
        "[getattr(S.view_layers[0].layer_collection.children['Things'], n) for n in ('holdout', 'indirect_only', 'hide_viewport')]",
    ),
    Edit(
        "a view layer",
        "v = S.view_layers.new('Depth'); v.use_pass_z = True; v.samples = 3; v.layer_collection.children['Things'].exclude = True",
        "[[v.name, v.use_pass_z, v.layer_collection.children['Things'].exclude] for v in S.view_layers]",
    ),
    Edit(
        "passes and AOVs",
        "v = S.view_layers['Depth']; v.use_pass_mist = True; v.aovs.add().name = 'Mask'; v.lightgroups.add(name='Key'); v.use_pass_cryptomatte_object = True",
        "[S.view_layers['Depth'].use_pass_mist, [a.name for a in S.view_layers['Depth'].aovs], S.view_layers['Depth'].lightgroups.keys()]",
    ),
    Edit("a light group used", "O['Lamp'].lightgroup = 'Key'", "O['Lamp'].lightgroup"),
    Edit("a collection unlinked and gone", "D.collections.remove(D.collections['Small'])", "D.collections.keys()"),
    Edit(
        "a second scene",
        "s = D.scenes.new('Other'); s.collection.objects.link(O['Cube']); new('There', D.meshes['Ground'], s); s.frame_end = 77; s.background_set = S",
        "[sorted(D.scenes['Other'].collection.objects.keys()), D.scenes['Other'].frame_end, D.scenes['Other'].background_set]",
    ),
    Edit(
        "a scene removed",
        "D.scenes.new('Third'); D.scenes['Other'].background_set = None; D.scenes.remove(D.scenes['Other'])",
        "[s.name for s in D.scenes]",
    ),
    Edit("a view layer removed", "S.view_layers.remove(S.view_layers['Depth'])", "S.view_layers.keys()"),
    Edit(
        "the camera and frames",
        "S.camera = new('Shot', D.cameras.new('Shot')); S.frame_start = 10; S.frame_end = 500; S.frame_step = 2",
        "[S.camera, S.frame_start, S.frame_end, S.frame_step]",
    ),
    Edit(
        "markers",
        "m = S.timeline_markers.new('Cut', frame=20); m.camera = O['Shot']; S.timeline_markers.new('End', frame=90)",
        "[[m.name, m.frame, m.camera] for m in S.timeline_markers]",
    ),
    Edit(
        "a marker moved, one removed",
        "S.timeline_markers['Cut'].frame = 33; S.timeline_markers.remove(S.timeline_markers['End'])",
        "[[m.name, m.frame] for m in S.timeline_markers]",
    ),
    Edit(
        "units",
        "u = S.unit_settings; u.system = 'IMPERIAL'; u.scale_length = 0.5; u.length_unit = 'FEET'; u.system_rotation = 'RADIANS'",
        "[S.unit_settings.system, S.unit_settings.scale_length, S.unit_settings.length_unit]",
    ),
    Edit(
        "gravity and audio",
        "S.gravity.z = -1; S.use_gravity = False; S.audio_volume = 0.5; S.audio_distance_model = 'LINEAR'",
        "[S.gravity, S.use_gravity, S.audio_volume]",
    ),
    Edit(
        "the render's size and format",
        "r = S.render; r.resolution_x = 640; r.resolution_percentage = 50; r.fps = 30; r.fps_base = 1.001; r.image_settings.file_format = 'OPEN_EXR'; r.image_settings.color_depth = '32'",
        "[S.render.resolution_x, S.render.fps, S.render.image_settings.file_format, S.render.image_settings.color_depth]",
    ),
    Edit(
        "the render's engine and switches",
        "r = S.render; r.engine = 'CYCLES'; r.film_transparent = True; r.use_border = True; r.border_max_x = 0.5; r.use_motion_blur = True; r.motion_blur_shutter = 0.7; r.use_stamp_note = True; r.stamp_note_text = 'By us'; S.cycles.samples = 17",
        "[S.render.engine, S.render.film_transparent, S.render.border_max_x, S.render.stamp_note_text, S.cycles.samples]",
    ),
    Edit(
        "colour management",
        "S.view_settings.view_transform = 'Standard'; S.view_settings.exposure = 1.5; S.view_settings.gamma = 1.2; S.view_settings.use_curve_mapping = True; S.view_settings.curve_mapping.curves[3].points.new(0.3, 0.6)",
        "[S.view_settings.view_transform, S.view_settings.exposure, [list(p.location) for p in S.view_settings.curve_mapping.curves[3].points]]",
    ),
    Edit(
        "how the scene shows in Eevee and Workbench",
        "S.eevee.taa_render_samples = 9; S.display.shading.light = 'MATCAP'; S.display.shading.show_cavity = True; S.display.shadow_focus = 0.5",
        "[S.eevee.taa_render_samples, S.display.shading.light, S.display.shadow_focus]",
    ),
    Edit(
        "stereo and its views",
        "S.render.use_multiview = True; S.render.views_format = 'MULTIVIEW'; S.render.views.new('Middle')",
        "[v.name for v in S.render.views]",
    ),
    Edit(
        "lines by Freestyle",
        "S.render.use_freestyle = True; v = S.view_layers[0]; v.use_freestyle = True; l = v.freestyle_settings.linesets.new('Ink'); l.select_crease = False; l.linestyle.thickness = 5; l.linestyle.color = 1, 0, 0",
        "[[l.name, l.select_crease, l.linestyle.thickness] for l in S.view_layers[0].freestyle_settings.linesets]",
    ),
)

MATERIALS: Final = (
    Edit(
        "a material with nodes",
        "m = D.materials.new('Steel'); m.use_nodes = True; D.meshes['Cube'].materials.append(m); b = m.node_tree.nodes['Principled BSDF'].inputs; b['Metallic'].default_value = 1; b['Base Color'].default_value = 0.1, 0.2, 0.3, 1",
        "[nodes_of('Steel').nodes['Principled BSDF'].inputs['Base Color'].default_value, D.meshes['Cube'].materials.keys()]",
    ),
    Edit(
        "nodes added and linked",
        "t = nodes_of('Steel'); n = t.nodes.new('ShaderNodeTexNoise'); r = t.nodes.new('ShaderNodeValToRGB'); n.location = -400, 20; t.links.new(n.outputs[0], r.inputs[0]); t.links.new(r.outputs[0], t.nodes['Principled BSDF'].inputs['Base Color'])",
        "links(nodes_of('Steel'))",
    ),
    Edit(
        "a colour ramp",
        "r = nodes_of('Steel').nodes['Color Ramp'].color_ramp; r.elements.new(0.3).color = 1, 0, 0, 1; r.interpolation = 'CONSTANT'; r.elements[0].position = 0.1",
        "[[e.position, list(e.color)] for e in nodes_of('Steel').nodes['Color Ramp'].color_ramp.elements]",
        why="",
    ),
    Edit(
        "a ramp's stop removed",
        "r = nodes_of('Steel').nodes['Color Ramp'].color_ramp; r.elements.remove(r.elements[1]); nodes_of('Steel').update_tag()",
        "len(nodes_of('Steel').nodes['Color Ramp'].color_ramp.elements)",
    ),
    Edit(
        "curves in a node",
        "n = nodes_of('Steel').nodes.new('ShaderNodeRGBCurve'); n.name = 'Tone'; n.mapping.curves[3].points.new(0.25, 0.75); n.mapping.update()",
        "[list(p.location) for p in nodes_of('Steel').nodes['Tone'].mapping.curves[3].points]",
    ),
    Edit(
        "a node's type of maths, muted, named",
        "n = nodes_of('Steel').nodes.new('ShaderNodeMath'); n.name = 'Sum'; n.operation = 'POWER'; n.inputs[1].default_value = 3; n.mute = True; n.label = 'Power'; n.use_custom_color = True; n.color = 1, 0, 1",
        "[getattr(nodes_of('Steel').nodes['Sum'], n) for n in ('operation', 'mute', 'label', 'color')]",
    ),
    Edit(
        "a link cut",
        "t = nodes_of('Steel'); t.links.remove(t.nodes['Color Ramp'].outputs[0].links[0])",
        "links(nodes_of('Steel'))",
    ),
    Edit(
        "a node removed",
        "t = nodes_of('Steel'); t.nodes.remove(t.nodes['Color Ramp'])",
        "sorted(nodes_of('Steel').nodes.keys())",
    ),
    Edit(
        "nodes in a frame",
        "t = nodes_of('Steel'); f = t.nodes.new('NodeFrame'); f.label = 'Look'; t.nodes['Tone'].parent = f; t.nodes['Sum'].parent = f; t.nodes['Sum'].location = 10, 20",
        "[nodes_of('Steel').nodes['Tone'].parent.label, nodes_of('Steel').nodes['Sum'].location]",
    ),
    Edit(
        "a node out of its frame",
        "n = nodes_of('Steel').nodes['Sum']; n.parent = None; n.location = 30, 40",
        "nodes_of('Steel').nodes['Sum'].parent is None",
    ),
    Edit(
        "a reroute",
        "t = nodes_of('Steel'); r = t.nodes.new('NodeReroute'); t.links.new(t.nodes['Noise Texture'].outputs[0], r.inputs[0]); t.links.new(r.outputs[0], t.nodes['Principled BSDF'].inputs['Roughness'])",
        "links(nodes_of('Steel'))",
    ),
    Edit(
        "an image in a node",
        "i = D.images.new('Paint', 4, 4, alpha=True); i.pixels = [0.5] * 64; n = nodes_of('Steel').nodes.new('ShaderNodeTexImage'); n.image = i; n.interpolation = 'Closest'; n.extension = 'CLIP'",
        "[nodes_of('Steel').nodes['Image Texture'].image, nodes_of('Steel').nodes['Image Texture'].extension]",
    ),
    Edit(
        "a group of nodes",
        """
g = D.node_groups.new('Shade', 'ShaderNodeTree')
g.interface.new_socket('Amount', in_out='INPUT', socket_type='NodeSocketFloat').default_value = 0.5
g.interface.new_socket('Out', in_out='OUTPUT', socket_type='NodeSocketColor')
i, o, m = (g.nodes.new(k) for k in ('NodeGroupInput', 'NodeGroupOutput', 'ShaderNodeMath'))
g.links.new(i.outputs[0], m.inputs[0])
g.links.new(m.outputs[0], o.inputs[0])
n = nodes_of('Steel').nodes.new('ShaderNodeGroup')
n.node_tree, n.name = g, 'Shade'
n.inputs[0].default_value = 0.9
""",
        "[links(D.node_groups['Shade']), nodes_of('Steel').nodes['Shade'].inputs.keys(), nodes_of('Steel').nodes['Shade'].inputs[0].default_value]",
    ),
    Edit(
        "a group's sockets",
        "i = D.node_groups['Shade'].interface; p = i.new_panel('More'); i.new_socket('Tint', in_out='INPUT', socket_type='NodeSocketColor', parent=p); i.items_tree['Amount'].name = 'Strength'; i.items_tree['Strength'].max_value = 2",
        "[[s.item_type, s.name] for s in D.node_groups['Shade'].interface.items_tree] + nodes_of('Steel').nodes['Shade'].inputs.keys()",
    ),
    Edit(
        "a group's socket removed",
        "i = D.node_groups['Shade'].interface; i.remove(i.items_tree['Strength'])",
        "nodes_of('Steel').nodes['Shade'].inputs.keys()",
    ),
    Edit(
        "a material's settings",
        "m = D.materials['Steel']; m.use_backface_culling = True; m.diffuse_color = 1, 0, 0, 1; m.surface_render_method = 'BLENDED'; m.pass_index = 3; m.displacement_method = 'BOTH'",
        "[D.materials['Steel'].use_backface_culling, D.materials['Steel'].diffuse_color, D.materials['Steel'].surface_render_method]",
    ),
    Edit("a material renamed", "D.materials['Steel'].name = 'Iron'", "D.materials.keys()"),
    Edit(
        "a material deleted",
        "D.materials.remove(D.materials['Rock'])",
        "[D.materials.keys(), [m for m in D.meshes['Ground'].materials]]",
    ),
    Edit(
        "the world's nodes",
        "w = D.worlds.new('Sky'); w.use_nodes = True; S.world = w; w.node_tree.nodes['Background'].inputs[0].default_value = 0, 0, 1, 1; w.mist_settings.start = 3; w.color = 1, 1, 0",
        "[S.world, D.worlds['Sky'].node_tree.nodes['Background'].inputs[0].default_value, D.worlds['Sky'].mist_settings.start]",
    ),
    Edit(
        "a compositor",
        "S.use_nodes = True; t = S.node_tree; b = t.nodes.new('CompositorNodeBlur'); b.size_x = 5; t.links.new(t.nodes['Render Layers'].outputs[0], b.inputs[0])",
        "links(S.node_tree)",
        until=(5, 0),
        why="a scene's own compositing tree went with 5.0",
    ),
    Edit(
        "a compositor group",
        "g = D.node_groups.new('Comp', 'CompositorNodeTree'); g.nodes.new('CompositorNodeBlur').name = 'Soft'; S.compositing_node_group = g",
        "[S.compositing_node_group, D.node_groups['Comp'].nodes.keys()]",
        since=(5, 0),
        why="compositing groups came with 5.0",
    ),
    Edit(
        "a texture's nodes and ramp",
        "t = D.textures.new('Ramp', 'BLEND'); t.use_color_ramp = True; t.color_ramp.elements[1].position = 0.5; t.progression = 'RADIAL'; t.contrast = 2",
        "[D.textures['Ramp'].progression, D.textures['Ramp'].color_ramp.elements[1].position]",
    ),
)

DATA: Final = (
    Edit(
        "a light's settings",
        "l = O['Light'].data; l.energy = 55; l.color = 1, 0.5, 0; l.use_shadow = False; l.shadow_soft_size = 2",
        "[O['Light'].data.energy, O['Light'].data.color, O['Light'].data.use_shadow]",
    ),
    Edit(
        "another type of light",
        "O['Lamp'].data.type = 'SPOT'; O['Lamp'].data.spot_size = 1; O['Lamp'].data.spot_blend = 0.5",
        "[O['Lamp'].data.type, O['Lamp'].data.spot_size]",
    ),
    Edit(
        "an area light",
        "l = D.lights.new('Panel', 'AREA'); l.shape = 'RECTANGLE'; l.size_y = 3; new('Panel', l)",
        "[D.lights['Panel'].shape, D.lights['Panel'].size_y]",
    ),
    Edit(
        "a light with nodes",
        "l = D.lights['Panel']; l.use_nodes = True; l.node_tree.nodes['Emission'].inputs['Strength'].default_value = 4",
        "D.lights['Panel'].node_tree.nodes['Emission'].inputs['Strength'].default_value",
    ),
    Edit(
        "a camera's lens and depth of field",
        "c = D.cameras['Camera']; c.lens = 85; c.dof.use_dof = True; c.dof.focus_object = O['Marker']; c.dof.aperture_fstop = 1.4; c.shift_x = 0.1; c.clip_end = 99; c.sensor_width = 20",
        "[D.cameras['Camera'].lens, D.cameras['Camera'].dof.focus_object, D.cameras['Camera'].shift_x]",
    ),
    Edit(
        "an orthographic camera",
        "c = D.cameras['Shot']; c.type = 'ORTHO'; c.ortho_scale = 9; c.show_passepartout = False",
        "[D.cameras['Shot'].type, D.cameras['Shot'].ortho_scale]",
    ),
    Edit(
        "a camera's background",
        "b = D.cameras['Shot'].background_images.new(); b.image = D.images['Paint']; b.alpha = 0.3; D.cameras['Shot'].show_background_images = True",
        "[[b.image, b.alpha] for b in D.cameras['Shot'].background_images]",
    ),
    Edit(
        "a probe and a speaker",
        "new('Probe', D.lightprobes.new('Probe', 'SPHERE')).data.influence_distance = 4; new('Speaker', D.speakers.new('Speaker')).data.volume = 0.5",
        "[D.lightprobes['Probe'].influence_distance, D.speakers['Speaker'].volume]",
    ),
    Edit(
        "a generated image",
        "i = D.images.new('Grid', 64, 32, alpha=True); i.generated_type = 'UV_GRID'; i.generated_color = 1, 0, 0, 1",
        "[D.images['Grid'].size, D.images['Grid'].generated_type]",
    ),
    Edit(
        "painted pixels",
        "p = list(D.images['Paint'].pixels); p[0:4] = 1, 0, 0, 1; D.images['Paint'].pixels = p; D.images['Paint'].update()",
        "list(D.images['Paint'].pixels)[:8]",
    ),
    Edit(
        "a packed image",
        "i = D.images.new('Packed', 8, 8, alpha=True); i.pixels = [0.25] * 256; i.pack()",
        "[D.images['Packed'].size, D.images['Packed'].packed_file is not None, list(D.images['Packed'].pixels)[:4]]",
    ),
    Edit(
        "an image's settings",
        "i = D.images['Packed']; i.alpha_mode = 'CHANNEL_PACKED'; i.colorspace_settings.name = 'Non-Color'; i.name = 'Normals'",
        "[D.images['Normals'].alpha_mode, D.images['Normals'].colorspace_settings.name]",
    ),
    Edit("an image scaled", "D.images['Paint'].scale(8, 8)", "D.images['Paint'].size"),
    Edit(
        "an image in an empty",
        "o = O['Marker']; o.empty_display_type = 'IMAGE'; o.data = D.images['Grid']; o.empty_image_depth = 'FRONT'; o.empty_image_offset = 0, 1",
        "[O['Marker'].data, O['Marker'].empty_image_depth, O['Marker'].empty_image_offset]",
    ),
    Edit("an image deleted", "D.images.remove(D.images['Normals'])", "'Normals' in D.images"),
    Edit("a text written", "D.texts.new('Notes').write('one\\ntwo')", "D.texts['Notes'].as_string()"),
    Edit(
        "a text typed on",
        "D.texts['Notes'].write('\\nthr\\u00e9e'); D.texts['Notes'].indentation = 'SPACES'",
        "D.texts['Notes'].as_string()",
    ),
    Edit(
        "a text object",
        "c = D.curves.new('Title', 'FONT'); c.body = 'Hello'; c.size = 2; c.align_x = 'CENTER'; c.extrude = 0.1; new('Title', c)",
        "[D.curves['Title'].body, D.curves['Title'].size, D.curves['Title'].align_x]",
    ),
    Edit(
        "a text object's letters and boxes",
        "c = D.curves['Title']; c.body = 'Hi there'; c.body_format[1].use_bold = True; c.text_boxes[0].width = 4; c.space_line = 1.5; c.body_format[2].use_underline = True",
        "[D.curves['Title'].body, [f.use_bold for f in D.curves['Title'].body_format], D.curves['Title'].text_boxes[0].width]",
    ),
    Edit(
        "a Bezier curve",
        "c = D.curves.new('Path', 'CURVE'); c.dimensions = '3D'; s = c.splines.new('BEZIER'); s.bezier_points.add(2); s.bezier_points[1].co = 1, 0, 1; s.bezier_points[1].handle_left_type = 'VECTOR'; c.bevel_depth = 0.1; new('Path', c)",
        "[[list(p.co), p.handle_left_type] for p in D.curves['Path'].splines[0].bezier_points]",
    ),
    Edit(
        "a curve's point moved, tilted",
        "p = D.curves['Path'].splines[0].bezier_points[2]; p.co = 2, 2, 0; p.tilt = 1; p.radius = 2; p.handle_right_type = 'FREE'; p.handle_right = 3, 3, 3",
        "[[list(p.co), p.tilt, list(p.handle_right)] for p in D.curves['Path'].splines[0].bezier_points]",
    ),
    Edit(
        "more splines",
        "s = D.curves['Path'].splines.new('NURBS'); s.points.add(4); s.points[3].co = 1, 2, 3, 1; s.order_u = 3; s.use_endpoint_u = True; D.curves['Path'].splines.new('POLY').points[0].co.x = 2",
        "[[s.type, len(s.points), s.order_u] for s in D.curves['Path'].splines]",
    ),
    Edit(
        "a spline closed, one removed",
        "s = D.curves['Path'].splines; s[0].use_cyclic_u = True; s.remove(s[2])",
        "[[s.type, s.use_cyclic_u] for s in D.curves['Path'].splines]",
    ),
    Edit(
        "a curve's settings",
        "c = D.curves['Path']; c.resolution_u = 4; c.twist_mode = 'TANGENT'; c.bevel_mode = 'OBJECT'; c.bevel_object = O['Title'] and new('Profile', D.curves.new('Profile', 'CURVE')); c.use_path = False; c.taper_object = O['Profile']",
        "[D.curves['Path'].resolution_u, D.curves['Path'].bevel_object, D.curves['Path'].twist_mode]",
    ),
    Edit(
        "a surface",
        "bpy.ops.surface.primitive_nurbs_surface_surface_add(); bpy.context.object.name = 'Cloth'; O['Cloth'].data.splines[0].points[5].co.z = 4",
        "[[s.point_count_u, s.point_count_v, s.points[5].co] for s in O['Cloth'].data.splines]",
    ),
    Edit(
        "a lattice",
        "l = D.lattices.new('Cage'); new('Cage', l); l.points_u = 3; l.points_v = 4; l.points[2].co_deform.z = 2; l.interpolation_type_u = 'KEY_LINEAR'; O['Stack'].modifiers['Lattice'].object = O['Cage']",
        "[D.lattices['Cage'].points_u, D.lattices['Cage'].points[2].co_deform, O['Stack'].modifiers['Lattice'].object]",
    ),
    Edit(
        "metaballs",
        "m = D.metaballs.new('Goo'); e = m.elements.new(type='ELLIPSOID'); e.co.x = 2; e.size_y = 3; m.elements.new().radius = 1; m.threshold = 0.3; new('Goo', m)",
        "[[e.type, list(e.co), e.size_y, e.radius] for e in D.metaballs['Goo'].elements]",
    ),
    Edit(
        "a metaball removed",
        "e = D.metaballs['Goo'].elements; e.remove(e[0]); e[0].use_negative = True",
        "[[e.type, e.use_negative] for e in D.metaballs['Goo'].elements]",
    ),
    Edit(
        "a palette and a mask",
        "p = D.palettes.new('Warm'); p.colors.new().color = 1, 0.5, 0; D.masks.new('Cut').layers.new(name='One').alpha = 0.5",
        "[[list(c.color) for c in D.palettes['Warm'].colors], [[l.name, l.alpha] for l in D.masks['Cut'].layers]]",
    ),
    Edit("a lamp's data deleted", "D.speakers.remove(D.speakers['Speaker'])", "'Speaker' in O"),
)

ARMATURES: Final = (
    Edit(
        "a rig",
        """
a = D.armatures.new('Rig')
new('Rig', a)
def work(e):
    root = e.new('Root'); root.head = 0, 0, 0; root.tail = 0, 0, 1
    arm = e.new('Arm'); arm.head = 0, 0, 1; arm.tail = 1, 0, 1; arm.parent = root; arm.use_connect = True
    hand = e.new('Hand'); hand.head = 1, 0, 1; hand.tail = 2, 0, 1; hand.parent = arm
modes('Rig', work)
""",
        "bones('Rig')",
    ),
    Edit(
        "a bone's roll and place",
        "modes('Rig', lambda e: (setattr(e['Hand'], 'roll', 1), setattr(e['Hand'], 'tail', (2, 1, 1))))",
        "[bones('Rig'), [list(r) for r in D.armatures['Rig'].bones['Hand'].matrix_local]]",
    ),
    Edit("a bone renamed", "D.armatures['Rig'].bones['Hand'].name = 'Fist'", "bones('Rig')"),
    Edit(
        "a bone parented elsewhere", "modes('Rig', lambda e: setattr(e['Fist'], 'parent', e['Root']))", "bones('Rig')"
    ),
    Edit(
        "a bone's settings",
        "b = D.armatures['Rig'].bones['Arm']; b.use_deform = False; b.bbone_segments = 4; b.inherit_scale = 'NONE'; b.envelope_distance = 0.5; b.use_inherit_rotation = False; b.color.palette = 'THEME03'",
        "[D.armatures['Rig'].bones['Arm'].bbone_segments, D.armatures['Rig'].bones['Arm'].inherit_scale, D.armatures['Rig'].bones['Arm'].color.palette]",
    ),
    Edit(
        "bone collections",
        "a = D.armatures['Rig']; c = a.collections.new('Main'); c.assign(a.bones['Arm']); a.collections.new('Sub', parent=c).assign(a.bones['Fist']); a.collections['Main'].is_visible = False",
        "[[c.name, c.is_visible, sorted(b.name for b in c.bones)] for c in D.armatures['Rig'].collections_all]",
    ),
    Edit(
        "a pose",
        "p = O['Rig'].pose.bones; p['Arm'].rotation_mode = 'XYZ'; p['Arm'].rotation_euler.z = 1; p['Root'].location.x = 2; p['Fist'].scale.y = 3",
        "[O['Rig'].pose.bones['Arm'].rotation_euler, O['Rig'].pose.bones['Root'].location, O['Rig'].pose.bones['Fist'].scale]",
    ),
    Edit(
        "a bone's constraints",
        "c = O['Rig'].pose.bones['Fist'].constraints.new('IK'); c.target = O['Marker']; c.chain_count = 2; k = O['Rig'].pose.bones['Arm'].constraints.new('COPY_ROTATION'); k.target = O['Rig']; k.subtarget = 'Root'",
        "[[c.type, c.target, c.subtarget] for b in O['Rig'].pose.bones for c in b.constraints]",
    ),
    Edit(
        "a pose bone's properties",
        "b = O['Rig'].pose.bones['Arm']; b['grip'] = 0.5; b.lock_rotation = True, False, True; b.ik_stiffness_x = 0.5; b.custom_shape = O['Marker']; b.custom_shape_scale_xyz.x = 2",
        "[O['Rig'].pose.bones['Arm']['grip'], O['Rig'].pose.bones['Arm'].custom_shape, O['Rig'].pose.bones['Arm'].lock_rotation]",
    ),
    Edit(
        "an armature's settings",
        "a = D.armatures['Rig']; a.display_type = 'STICK'; a.show_names = True; a.pose_position = 'REST'; O['Stack'].modifiers['Armature'].object = O['Rig']",
        "[D.armatures['Rig'].display_type, D.armatures['Rig'].pose_position, O['Stack'].modifiers['Armature'].object]",
    ),
    Edit("back to the pose", "D.armatures['Rig'].pose_position = 'POSE'", "D.armatures['Rig'].pose_position"),
    Edit(
        "an object on a bone",
        "O['Panel'].parent = O['Rig']; O['Panel'].parent_type = 'BONE'; O['Panel'].parent_bone = 'Root'",
        "[O['Panel'].parent_type, O['Panel'].parent_bone]",
    ),
    Edit(
        "a constraint with several targets",
        "c = O['Panel'].constraints.new('ARMATURE'); t = c.targets.new(); t.target = O['Rig']; t.subtarget = 'Arm'; t.weight = 0.5; c.mute = True",
        "[[t.target, t.subtarget, t.weight] for t in O['Panel'].constraints[0].targets]",
    ),
    Edit("a bone removed", "modes('Rig', lambda e: e.remove(e['Fist']))", "bones('Rig')"),
)

ANIMATION: Final = (
    Edit(
        "keyframes",
        "o = O['Camera']; o.location.x = 1; o.keyframe_insert('location', frame=10); o.location.x = 5; o.keyframe_insert('location', frame=40); o.animation_data.action.name = 'Pan'",
        "[keys(c) for c in curves(D.actions['Pan'])]",
    ),
    Edit(
        "a keyframe moved",
        "c = curve('Pan', 'location'); c.keyframe_points[1].co = 50, 7; c.keyframe_points[0].interpolation = 'LINEAR'; c.update()",
        "keys(curve('Pan', 'location'))",
    ),
    Edit(
        "a keyframe added and one removed",
        "c = curve('Pan', 'location', 1); c.keyframe_points.insert(25, 3); c.keyframe_points.remove(c.keyframe_points[0]); c.update()",
        "keys(curve('Pan', 'location', 1))",
    ),
    Edit(
        "modifiers of a curve",
        "c = curve('Pan', 'location', 2); m = c.modifiers.new('NOISE'); m.strength = 2; m.use_restricted_range = True; m.frame_end = 30; curve('Pan', 'location').modifiers.new('CYCLES').mode_after = 'MIRROR'",
        "[[[m.type, m.frame_end] for m in c.modifiers] for c in curves(D.actions['Pan'])]",
    ),
    Edit(
        "a curve muted and extrapolated",
        "c = curve('Pan', 'location', 1); c.mute = True; c.extrapolation = 'LINEAR'",
        "[curve('Pan', 'location', 1).mute, curve('Pan', 'location', 1).extrapolation]",
    ),
    Edit(
        "a curve removed",
        "curves(D.actions['Pan']).remove(curve('Pan', 'location', 1))",
        "[[c.data_path, c.array_index] for c in curves(D.actions['Pan'])]",
    ),
    Edit(
        "a driver",
        "f = O['Child'].driver_add('location', 2); f.driver.expression = 'a * 2 + frame'; v = f.driver.variables.new(); v.name = 'a'; v.targets[0].id = O['Cube']; v.targets[0].data_path = 'location.x'",
        "[[f.data_path, f.driver.expression, f.driver.variables[0].targets[0].id] for f in O['Child'].animation_data.drivers]",
    ),
    Edit(
        "a driver changed",
        "d = O['Child'].animation_data.drivers[0].driver; d.type = 'AVERAGE'; v = d.variables.new(); v.type = 'LOC_DIFF'; v.targets[0].id = O['Cube']; v.targets[1].id = O['Marker']",
        "[[v.name, v.type] for v in O['Child'].animation_data.drivers[0].driver.variables]",
    ),
    Edit(
        "a driver removed",
        "O['Light'].driver_add('hide_render'); O['Child'].driver_remove('location', 2)",
        "[len(O['Child'].animation_data.drivers), len(O['Light'].animation_data.drivers)]",
    ),
    Edit(
        "a strip in the NLA",
        "t = O['Twin'].animation_data_create().nla_tracks.new(); t.name = 'Base'; s = t.strips.new('Move', 20, D.actions['Pan']); s.repeat = 2; s.blend_in = 3; s.blend_type = 'ADD'; t.mute = True",
        "[[t.name, t.mute, [[s.name, s.frame_start, s.frame_end, s.blend_type] for s in t.strips]] for t in O['Twin'].animation_data.nla_tracks]",
    ),
    Edit(
        "another track, a strip removed",
        "a = O['Twin'].animation_data; a.nla_tracks.new().strips.new('Again', 100, D.actions['Pan']); t = a.nla_tracks['Base']; t.strips.remove(t.strips[0])",
        "[len(t.strips) for t in O['Twin'].animation_data.nla_tracks]",
    ),
    Edit(
        "keys of a shape key, a material, a node",
        "k = D.meshes['Child'].shape_keys; k.key_blocks['Smile'].keyframe_insert('value', frame=1); nodes_of('Iron').nodes['Sum'].inputs[1].keyframe_insert('default_value', frame=3)",
        "[[c.data_path for c in curves(k.animation_data.action)] for k in (D.meshes['Child'].shape_keys, nodes_of('Iron'))]",
    ),
    Edit(
        "keys of a pose",
        "O['Rig'].pose.bones['Arm'].keyframe_insert('rotation_euler', frame=5, group='Arm')",
        "[[c.data_path, c.group.name] for c in curves(O['Rig'].animation_data.action)]",
    ),
    Edit(
        "an action let go",
        "O['Camera'].animation_data.action = None; D.actions['Pan'].use_fake_user = True",
        "[O['Camera'].animation_data.action, D.actions['Pan'].use_fake_user]",
    ),
    Edit(
        "an action's range",
        "a = D.actions['Pan']; a.use_frame_range = True; a.frame_start = 5; a.frame_end = 60; a.use_cyclic = True",
        "[D.actions['Pan'].frame_range, D.actions['Pan'].use_cyclic]",
    ),
)

MORE: Final = (
    Edit(
        "geometry nodes",
        """
g = D.node_groups.new('Scatter', 'GeometryNodeTree')
g.interface.new_socket('Geometry', in_out='INPUT', socket_type='NodeSocketGeometry')
g.interface.new_socket('Density', in_out='INPUT', socket_type='NodeSocketFloat').default_value = 2
g.interface.new_socket('What', in_out='INPUT', socket_type='NodeSocketObject')
g.interface.new_socket('Geometry', in_out='OUTPUT', socket_type='NodeSocketGeometry')
i, o = g.nodes.new('NodeGroupInput'), g.nodes.new('NodeGroupOutput')
g.links.new(i.outputs[0], o.inputs[0])
m = O['Cube'].modifiers.new('Scatter', 'NODES')
m.node_group = g
""",
        "[O['Cube'].modifiers['Scatter'].node_group, links(D.node_groups['Scatter'])]",
    ),
    Edit(
        "inputs of geometry nodes",
        "m = O['Cube'].modifiers['Scatter']; m['Socket_1'] = 7.5; m['Socket_2'] = O['Marker']; O['Cube'].update_tag()",
        "[O['Cube'].modifiers['Scatter'][n] for n in ('Socket_1', 'Socket_2')]",
        until=(5, 2),
        why="from 5.2 on the inputs are properties",
    ),
    Edit(
        "an input taken from an attribute",
        "m = O['Cube'].modifiers['Scatter']; m['Socket_1_use_attribute'] = True; m['Socket_1_attribute_name'] = 'weight'",
        "[O['Cube'].modifiers['Scatter']['Socket_1_attribute_name']]",
        until=(5, 2),
        why="from 5.2 on the inputs are properties",
    ),
    Edit(
        "a zone",
        "g = D.node_groups['Scatter']; a, b = g.nodes.new('GeometryNodeRepeatInput'), g.nodes.new('GeometryNodeRepeatOutput'); a.pair_with_output(b); b.repeat_items.new('FLOAT', 'Size'); a.inputs[0].default_value = 4",
        "[g.keys() for n in ('Repeat Output',) for g in (D.node_groups['Scatter'].nodes[n].inputs,)]",
    ),
    Edit(
        "custom properties of each kind",
        "c = O['Cube']; c['i'] = 3; c['f'] = 0.5; c['s'] = 'text'; c['b'] = True; c['ints'] = [1, 2]; c['floats'] = [0.5, 1.5]; c['group'] = {'a': 1, 'b': {'c': 'd'}}; c['id'] = O['Marker']; c['list'] = ['x', 'y']",
        "[O['Cube'][n] for n in ('i', 'f', 's', 'b', 'ints', 'floats')] + [O['Cube']['group'].to_dict(), O['Cube']['id'], list(O['Cube']['list'])]",
    ),
    Edit(
        "custom properties changed and removed",
        "c = O['Cube']; c['i'] = 4; c['ints'][0] = 9; c['group']['a'] = 2; del c['s']",
        "[O['Cube']['i'], O['Cube']['ints'], O['Cube']['group'].to_dict(), 's' in O['Cube']]",
    ),
    Edit("custom properties of a scene and a world", "S['shot'] = 12; S.world['w'] = 2", "[S['shot'], S.world['w']]"),
    Edit(
        "custom properties of a collection",
        "D.collections['Things']['shelf'] = 'x'",
        "D.collections['Things']['shelf']",
    ),
    Edit(
        "custom properties of a material and a mesh",
        "D.materials['Iron']['cost'] = 1.5; D.meshes['Ground']['m'] = 'y'",
        "[D.materials['Iron']['cost'], D.meshes['Ground']['m']]",
    ),
    Edit("custom properties of a view layer", "S.view_layers[0]['v'] = 1", "S.view_layers[0]['v']"),
    Edit(
        "custom properties of a bone",
        "D.armatures['Rig'].bones['Arm']['twist'] = 1; O['Rig'].pose.bones['Root']['p'] = 2; D.armatures['Rig'].update_tag()",
        "[D.armatures['Rig'].bones['Arm']['twist'], O['Rig'].pose.bones['Root']['p']]",
    ),
    Edit(
        "what is kept without users",
        "D.materials.new('Unused').use_fake_user = True; D.meshes['Ground'].use_fake_user = True",
        "[D.materials['Unused'].use_fake_user, D.meshes['Ground'].use_fake_user]",
    ),
    Edit("a deletion by an operator", "on('Into', bpy.ops.object.delete)", "'Into' in O"),
    Edit(
        "transforms applied",
        "on('Cube', lambda: None); O['Applied'].scale = 2, 2, 2; on('Applied', bpy.ops.object.transform_apply)",
        "[O['Applied'].scale, column(D.meshes['Applied'].vertices, 'co', 3)[:3]]",
    ),
    Edit(
        "an object made single",
        "O['Domain'].data = O['Domain'].data.copy(); O['Domain'].data.name = 'Own'",
        "O['Domain'].data",
    ),
)

EDITS: Final = (*OBJECTS, *MODIFIERS, *CONSTRAINTS, *MESHES, *SCENES, *MATERIALS, *DATA, *ARMATURES, *ANIMATION, *MORE)
