"""Renders two files and puts the pictures side by side: the host's left, the joiner's right.

python -m demo.picture LEFT.blend RIGHT.blend OUT.png
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import bpy

# isort: split
import numpy as np
from mathutils import Vector

from demo.blender import context, data, open_file

SIZE: Final = (480, 384)  # pixels of one picture
GAP: Final = 6  # pixels between the two
SAMPLES: Final = 20
LIMIT_SECONDS: Final = 12.0  # for one picture: a heavy scene is left grainy


def main(left: str, right: str, out: str) -> None:
    pictures = [render(path, Path(out).with_name(f"{Path(path).stem}.png")) for path in (left, right)]
    gap = np.ones((SIZE[1], GAP, 4), np.float32)
    save(np.concatenate([pictures[0], gap, pictures[1]], axis=1), out)


def render(path: str, out: Path) -> Any:
    """One file as its camera sees it: float32[height, width, 4], the lowest row first."""
    open_file(path)
    scene = context.scene
    scene.frame_set(scene.frame_start)
    if scene.camera is None:
        scene.camera = overview(scene)
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples, scene.cycles.time_limit = SAMPLES, LIMIT_SECONDS
    scene.cycles.use_denoising, scene.cycles.seed = True, 0
    scene.cycles.max_bounces = 4
    for layer in scene.view_layers[1:]:
        layer.use = False
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = *SIZE, 100
    render.use_border = render.use_compositing = render.use_sequencer = False
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGB"
    render.filepath = str(out)
    bpy.ops.render.render(write_still=True)
    picture = data.images.load(str(out))
    pixels = np.empty(len(picture.pixels), np.float32)
    picture.pixels.foreach_get(pixels)
    return pixels.reshape(SIZE[1], SIZE[0], 4)


def overview(scene: Any) -> Any:
    """A camera that sees everything, and a sun beside it, for a scene that has no camera."""
    corners = [thing.matrix_world @ Vector(corner) for thing in scene.objects for corner in thing.bound_box]
    low, high = (
        Vector([pick(axis) for axis in zip(*corners, strict=True)]) if corners else Vector() for pick in (min, max)
    )
    camera = data.objects.new("Overview", data.cameras.new("Overview"))
    scene.collection.objects.link(camera)
    away = Vector((0.7, -1.0, 0.6)).normalized() * max(1.0, (high - low).length) * 1.3
    camera.location = (low + high) / 2 + away
    camera.rotation_euler = (-away).to_track_quat("-Z", "Y").to_euler()
    camera.data.clip_end = away.length * 4
    sun = data.objects.new("Overview sun", data.lights.new("Overview sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, camera.rotation_euler
    scene.collection.objects.link(sun)
    return camera


def save(pixels: Any, out: str) -> None:
    height, width, _ = pixels.shape
    image = data.images.new("Side by side", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.filepath_raw, image.file_format = out, "PNG"
    image.save()


if __name__ == "__main__":
    main(*sys.argv[1:4])
