"""What the comparator does not look at, and why; what is each person's own; what tells items without names apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Reason -> "RnaType.property" (of that type and all that derive from it), "*." for every type.
LEFT_OUT: Final[Mapping[str, str]] = {
    "names things within one run of Blender or one file": """
        ID.session_uid ID.mixer_uuid Scene.mixer_room Scene.mixer_held ID.tag ID.original ID.is_evaluated
        ID.is_runtime_data ID.is_editable ID.library_weak_reference
        Modifier.persistent_uid NodeTreeInterfacePanel.persistent_uid NodeTreeInterfacePanel.identifier
        NodeTreeInterfaceSocket.identifier NodePanelState.identifier NodeTreeInterfaceItem.index
        NodeSocket.identifier ActionSlot.handle ActionChannelbag.slot_handle
        AnimData.action_slot_handle AnimData.action_slot_handle_tweak_storage NlaStrip.action_slot_handle
        ActionConstraint.action_slot_handle
        AnimData.last_slot_identifier NlaStrip.last_slot_identifier ActionConstraint.last_slot_identifier
        Text.is_dirty Text.is_modified Text.is_in_memory Image.is_dirty Image.bindcode Image.has_data""",
    "says where a file lies or whether it is packed: the bytes themselves are compared": """
        Image.filepath Image.filepath_raw Image.packed_file Image.packed_files Sound.filepath Sound.packed_file
        VectorFont.filepath VectorFont.packed_file Text.filepath""",
    "is a simulation's result, and Blender crashes where there is none yet": """
        FluidDomainSettings.density_grid FluidDomainSettings.color_grid FluidDomainSettings.flame_grid
        FluidDomainSettings.heat_grid FluidDomainSettings.temperature_grid FluidDomainSettings.velocity_grid""",
    "follows from other values": """
        ID.users ID.name_full ID.preview ID.is_embedded_data ID.is_missing ID.is_library_indirect ID.is_linked_packed
        Object.matrix_local Object.matrix_basis Object.bound_box Object.dimensions Object.is_from_instancer
        Object.is_from_set Object.is_instancer Bone.length PoseBone.matrix PoseBone.matrix_channel PoseBone.head
        PoseBone.tail PoseBone.length Constraint.error_location Constraint.error_rotation Constraint.is_valid
        MeshVertex.normal MeshVertex.undeformed_co MeshPolygon.normal MeshPolygon.center MeshPolygon.area
        MeshLoop.normal MeshLoop.tangent MeshLoop.bitangent MeshLoop.bitangent_sign Mesh.vertex_normals
        Mesh.polygon_normals Mesh.corner_normals Mesh.loop_triangles Mesh.loop_triangle_polygons Curves.normals
        Material.texture_paint_images Material.texture_paint_slots ParticleSystem.particles
        ParticleSystem.child_particles ViewLayer.depsgraph LayerCollection.is_visible NodeLink.is_valid
        NodeSocket.is_linked
        Node.internal_links Node.dimensions Node.location_absolute Modifier.execution_time NodesModifier.node_warnings
        ColorManagedInputColorspaceSettings.is_data
        Object.motion_path ID.use_extra_user Material.is_grease_pencil UDIMTile.is_generated_tile
        FCurve.is_valid FCurve.is_empty Driver.is_valid PointCache.info PointCacheItem.info PointCache.is_baked
        PointCache.is_frame_skip PointCacheItem.is_frame_skip Image.depth PointCache.is_outdated
        PointCacheItem.is_outdated BoneCollection.is_visible_effectively
        *.is_editmode""",
    "is computed as curves are drawn, unless somebody chose it": "FCurve.color",
    "is another path to what is compared elsewhere": """
        Scene.objects Scene.keying_sets_all ViewLayer.objects Collection.all_objects Text.lines Image.pixels
        Mesh.vertex_colors Mesh.skin_vertices Mesh.uv_layer_clone Mesh.uv_layer_stencil Mesh.color_attributes
        MeshVertex.groups MeshPolygon.vertices MeshUVLoopLayer.uv MeshUVLoopLayer.pin MeshUVLoopLayer.edge_selection
        MeshUVLoopLayer.vertex_selection ByteColorAttributeValue.color_srgb Armature.edit_bones Bone.children
        BoneCollection.bones PoseBone.bone CurveSlice.points Curves.curve_offset_data Curves.position_data
        NlaStrip.action_slot ShapeKey.points AnimData.action_suitable_slots NlaStrip.action_suitable_slots
        ActionConstraint.action_suitable_slots NodesModifier.properties Camera.angle Camera.angle_x Camera.angle_y
        ColorManagedViewSettings.white_balance_whitepoint CompositorNodeColorBalance.input_whitepoint
        CompositorNodeColorBalance.output_whitepoint""",
    "crashes Blender 4.2 when it is read": "ToolSettings.uv_sculpt TextCurve.body",
}

# What Blender computes at some moment of its own, if at all, while the switch beside it is on.
AUTOMATIC: Final[Mapping[str, str]] = {
    "texspace_location": "use_auto_texspace",
    "texspace_size": "use_auto_texspace",
}

# Collections of bpy.data that are not walked.
KINDS_LEFT_OUT: Final[Mapping[str, str]] = {
    "screens": "windows, not the scene",
    "workspaces": "windows, not the scene",
    "window_managers": "windows, not the scene",
    "libraries": "where files lie; what is linked from them is compared",
    "brushes": "a person's tools",
    "paint_curves": "a person's tools",
    "shape_keys": "compared as part of the mesh, curve or lattice that has them",
    "all_ids": "compared each in the collection of its type",
}

# What each person has for themselves, or each machine: compared too, and reported apart from differences of the scene.
PER_USER: Final = _words("""
    Scene.tool_settings Scene.frame_current Scene.frame_current_final Scene.frame_float Scene.frame_subframe
    Scene.frame_preview_start Scene.frame_preview_end Scene.use_preview_range Scene.cursor Scene.is_nla_tweakmode
    Scene.transform_orientation_slots Object.mode NodeTree.view_center Mesh.total_vert_sel Mesh.total_edge_sel
    Mesh.total_face_sel Mesh.uv_layer_clone_index
    Mesh.uv_layer_stencil_index Object.animation_visualization Pose.animation_visualization Pose.use_auto_ik
    Pose.use_mirror_x Pose.use_mirror_relative FCurve.hide ActionGroup.use_pin AnimData.use_pin BoneCollection.is_solo
    ActionGroup.show_expanded_graph
    Node.panel_states NodeTreeInterfaceItem.select Node.show_preview Node.show_texture
    Material.paint_active_slot Material.paint_clone_slot
    Material.preview_render_type Material.use_preview_world Scene.sync_mode Scene.use_audio Scene.use_audio_scrub
    Scene.show_subframe Scene.show_keys_from_selected_only Scene.lock_frame_selection_to_range Scene.time_jump_delta
    Scene.time_jump_unit SceneDisplay.viewport_aa RenderSettings.threads RenderSettings.threads_mode
    RenderSettings.preview_pixel_size RenderSettings.sequencer_gl_preview RenderSettings.use_lock_interface
    RenderSettings.compositor_device RenderSettings.compositor_denoise_device CyclesRenderSettings.device
    ChildOfConstraint.set_inverse_pending
    View3DShading.cycles FreestyleLineStyle.panel Text.current_line Text.current_line_index Text.current_character
""")
PER_USER_NAMES: Final = re.compile(
    r"active|active_(?!render|smooth_factor)\w+|is_active|select|is_select_\w+"
    r"|select_(edge|left_handle|right_handle|control_point|head|tail|end_\w+)|(is_|show_)?expanded"
)
PER_USER_ITEMS: Final = re.compile(r"'\.select_(vert|edge|poly)'|'\.(vs|es|pn)\..*'")  # of Mesh.attributes

# What Blender computes anew whenever a file is opened or a mode is left, not to the last bit the same: a bone's roll is
# worked out of its matrix, a tint of a white point. Equal within TOLERANCE; all other numbers are equal exactly or not
# at all.
COMPUTED: Final = _words("""
    Bone.matrix Bone.matrix_local Bone.head Bone.tail Object.matrix_world ColorManagedViewSettings.white_balance_tint
    CompositorNodeColorBalance.input_tint CompositorNodeColorBalance.output_tint
""")
TOLERANCE: Final = 1e-4

# Collections whose order says nothing.
UNORDERED: Final = _words("""
    Collection.objects Collection.children LayerCollection.children NodeTree.nodes NodeTree.links Mesh.attributes
    Curves.attributes Armature.bones Pose.bones
    Action.fcurves Action.groups ActionChannelbag.fcurves ActionChannelbag.groups AnimData.drivers
""")

# Items to which RNA gives no name of their own: the fields that tell one from another; none where only the place does.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "FCurve": ("data_path", "array_index"),
    "NodeLink": ("from_node.name", "from_socket.name", "to_node.name", "to_socket.name"),
    "ActionChannelbag": ("slot.identifier",),
    "MaterialSlot": (),
}
