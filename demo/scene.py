"""The scene of the demo: an island with a lighthouse at dusk.

    python -m demo.scene OUT.blend

Some 350 objects, with one of nearly everything that a room keeps in step: node materials, a skinned sea serpent, an
action, shape keys, an image, lights, a camera, a world, nested collections, modifiers, constraints, a driver,
geometry nodes, curves and texts. The same every time.
"""

from __future__ import annotations

import sys

import bpy

from demo.blender import context, data
from demo.island.creatures import make_balloon, make_gulls, make_serpent
from demo.island.harbour import make_boats, make_lanterns, make_pier
from demo.island.land import make_island, make_rocks, make_sea, make_trees
from demo.island.sky import make_camera, make_light, make_stars, make_world
from demo.island.tools import collection
from demo.island.village import make_houses, make_lighthouse


def main(path: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = context.scene
    scene.name = "Dusk"
    scene.sequence_editor_clear()  # an empty one comes with the factory's scene
    sea, island, harbour, sky = (collection(name) for name in ("Sea", "Island", "Harbour", "Sky"))
    make_sea(sea)
    make_island(island)
    make_trees(collection("Trees", island))
    make_rocks(collection("Rocks", island))
    make_houses(collection("Village", island))
    make_lighthouse(collection("Lighthouse", island))
    make_pier(harbour)
    make_boats(collection("Boats", harbour))
    make_lanterns(collection("Lanterns", harbour))
    make_serpent(collection("Serpent", sea))
    make_balloon(collection("Balloon", sky))
    make_gulls(collection("Gulls", sky))
    make_stars(collection("Stars", sky))
    make_light(sky)
    make_world(scene)
    make_camera(scene, sky)
    scene.frame_start, scene.frame_end = 1, 120
    scene.render.engine = "CYCLES"
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    data.texts.new("Logbook").write("First night on the island.\nThe lamp burns, the serpent is shy.\n")
    bpy.ops.wm.save_as_mainfile(filepath=path)


if __name__ == "__main__":
    main(sys.argv[1])
