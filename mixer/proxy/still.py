"""Whether the user is in the middle of something under which the scene must not be rebuilt."""

from __future__ import annotations

from typing import Final

import bpy

from ..rules import names
from .context import Datablock

# Modal operators that hold on to objects, meshes or nodes until they end. Others may run all day: navigation,
# add-ons that show what keys are pressed.
HOLDING: Final = names(
    "TRANSFORM MESH CURVE CURVES SURFACE ARMATURE POSE OBJECT SCULPT SCULPT_CURVES PAINT PAINTCURVE UV"
    " GPENCIL GREASE_PENCIL NODE GRAPH ACTION NLA MASK LATTICE MBALL PARTICLE BRUSH"
)
JOBS: Final = ("RENDER", "OBJECT_BAKE", "COMPOSITE")  # they read the scene from a thread of their own


def must_stand_still() -> bool:
    """Whether datablocks and their parts must neither come nor go now."""
    if any(bpy.app.is_job_running(job) for job in JOBS):  # type: ignore[func-returns-value]
        return True
    managers = bpy.data.window_managers
    return any(
        operator.bl_idname.partition("_OT_")[0] in HOLDING
        for manager in managers
        for window in manager.windows
        for operator in window.modal_operators
    )


def is_dragged(datablock: Datablock) -> bool:
    """Whether the user may hold it at this moment, while something must stand still."""
    return isinstance(datablock, bpy.types.Object) and (datablock.select_get() or datablock == bpy.context.object)
