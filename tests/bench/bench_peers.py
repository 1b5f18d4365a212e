"""Whole peers over a real broadcaster: share, join, many edits at once, latency."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from mixer.headless import IDLE_SECONDS
from tests.peers.processes import PRELUDE, ROOT, At, Broadcaster, Ended, Peer
from tests.server.link import Weather

from .figures import Figure, show
from .slow_line import slow_line

SCENES: Final = (
    "gltf_blender_io/RobotExpressive.blend",
    "morse_tum_kitchen/tum_kitchen.blend",
    "gdquest_mannequiny/mannequiny.blend",
    "armory_examples/physics_ragdoll/physics_ragdoll.blend",
    "vrm_addon/mesh_convertibles.blend",
)
MEGABYTE: Final = 1_000_000
LINE_SECONDS: Final = 0.05

THOUSAND: Final = """
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
material = bpy.data.materials.new("Pattern")
material.use_nodes = True
tree = material.node_tree
noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
bsdf = next(n for n in tree.nodes if n.bl_idname == "ShaderNodeBsdfPrincipled")
tree.nodes.new("ShaderNodeBump")
tree.links.new(noise.outputs[0], ramp.inputs[0])
tree.links.new(ramp.outputs[0], bsdf.inputs["Base Color"])
for i in range(1000):
    x = i % 40
    mesh = bpy.data.meshes.new(f"Mesh.{i:04}")
    mesh.from_pydata([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1 + i / 1000)], [],
        [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    own = material.copy()
    own.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = i / 1000
    mesh.materials.append(own)
    thing = bpy.data.objects.new(f"Thing.{i:04}", mesh)
    thing.location = (i % 40 * 3, i // 40 * 3, 0)
    bpy.context.scene.collection.objects.link(thing)
bpy.data.materials.remove(material)
"""

LATENCY: Final = """
session.settle()
session.barrier("start", 2)
cube = bpy.data.objects[0]
if os.environ["PEER"] == "host":
    for step in range(1, 101):
        cube["at"] = time.time()
        cube.location.x = step
        session.pump(0.05)
else:
    late, seen = [], cube.location.x
    end = time.time() + 8
    while time.time() < end and seen < 100:
        session.pump(0.001)
        if cube.location.x != seen:
            seen = cube.location.x
            late.append((time.time() - cube.get("at", time.time())) * 1000)
    late.sort()
    say([late[len(late) // 2], late[int(len(late) * 0.99)], len(late)])
session.barrier("end", 2)
"""

IDLE: Final = """
session.settle()
session.barrier("start", 2)
session.settle()
cube = bpy.data.objects[0]
late, seen = [], cube.location.x
for step in range(1, 41):
    if os.environ["PEER"] == "host":
        session.pump(0.2 + step % 7 / 1000)
        cube["at"] = time.time()
        cube.location.x = step
        session.pump(0.1)
    else:
        end = time.time() + 5
        while cube.location.x == seen and time.time() < end:
            session.pump(0.001)
        seen = cube.location.x
        late.append((time.time() - cube.get("at", time.time())) * 1000)
say(late)
session.barrier("end", 2)
"""

MANY: Final = """
session.settle()
things = [o for o in bpy.data.objects if o.name.startswith("Thing.")]
session.barrier("start", 2)
for turn in range(3):
    session.settle()
    session.barrier(f"turn {turn}", 2)
    if os.environ["PEER"] == "host":
        session.pump(0.2)
        start = time.time()
        for thing in things:
            thing.location.z = turn + 1
        say(start)
        session.pump(3)
    else:
        end = time.time() + 6
        while time.time() < end and not all(thing.location.z == turn + 1 for thing in things):
            session.pump(0.001)
        say(time.time())
session.barrier("end", 2)
"""


TEN_THOUSAND: Final = """
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
for i in range(10000):
    thing = bpy.data.objects.new(f"Thing.{i:05}", bpy.data.meshes.new("Own"))
    bpy.context.scene.collection.objects.link(thing)
"""

HIDDEN: Final = """
session.settle()
session.barrier("start", 2)
for turn in range(5):
    thing = bpy.data.objects[f"Thing.{turn * 2000:05}"]
    if os.environ["PEER"] == "host":
        session.pump(1.0 + turn / 5)
        thing["at"] = time.time()
    end = time.time() + 10
    while "at" not in thing and time.time() < end:
        session.pump(0.01)
    if os.environ["PEER"] != "host":
        say(time.time() - thing.get("at", 0.0))
    session.barrier(f"turn {turn}", 2)
session.barrier("end", 2)
"""


def run() -> None:
    """Prints the figures of whole peers."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        host, joiner = _pair(here, MANY, made_thousand(here))
        show(
            Figure("1,000 objects, own mesh and node material: share", host.stats["share_seconds"], "s"),
            Figure(
                "1,000 objects, own mesh and node material: join",
                joiner.stats["join_seconds"],
                "s",
                2.0,
                "Multi-User 10.3, the original 11.6",
            ),
        )
        moved = sorted(seen - start for start, seen in zip(host.said, joiner.said, strict=True))
        show(Figure("1,000 objects moved at once, until the last is applied", moved[1], "s", 0.3, "Multi-User 2.8"))
        host, joiner = _pair(here, LATENCY, None)
        p50, p99, count = joiner.said[-1]
        show(
            Figure(f"edit on A to value on B, p50 of {count}", p50, "ms", reference="Multi-User 55"),
            Figure(f"edit on A to value on B, p99 of {count}", p99, "ms", reference="Multi-User 101"),
        )
        latencies(here)
        ten_thousand = here / "ten_thousand.blend"
        _blender(TEN_THOUSAND + f"bpy.ops.wm.save_as_mainfile(filepath={str(ten_thousand)!r})")
        host, joiner = _pair(here, HIDDEN, ten_thousand)
        found = sorted(joiner.said)
        show(Figure("a custom property of one of 10,000, until it is seen", found[len(found) // 2], "s", 2.0))
        corpus = os.environ.get("MIXER_CORPUS")
        for scene in SCENES if corpus else ():
            _scene(here, Path(corpus or "") / scene)


def latencies(here: Path) -> None:
    """An edit now and then, both idle before it: over loopback, and with a long line to the one who sees it."""
    _, joiner = _pair(here, IDLE, None)
    ticks = 2 * IDLE_SECONDS * 1000
    show(
        Figure("edit on A to value on B, both idle, median", median(joiner.said[-1]), "ms", 1.5 * ticks, "of two ticks")
    )
    _, joiner = _pair(here, IDLE, None, Weather(latency=LINE_SECONDS))
    on_top = median(joiner.said[-1]) - LINE_SECONDS * 1000
    show(Figure(f"the same on top of a line of {LINE_SECONDS * 1000:g} ms, median", on_top, "ms", 10.0))


def made_thousand(here: Path) -> Path:
    """A file of 1,000 objects, each with its own mesh and node material."""
    path = here / "thousand.blend"
    _blender(THOUSAND + f"bpy.ops.wm.save_as_mainfile(filepath={str(path)!r})")
    return path


def _scene(here: Path, scene: Path) -> None:
    """Share and join of a real scene beside Blender's own save and open of it."""
    saved = here / "own.blend"
    own = _blender(
        f"""
import time
bpy.ops.wm.open_mainfile(filepath={str(scene)!r})
times = [[], []]
for _ in range(3):
    start = time.perf_counter()
    bpy.ops.wm.save_as_mainfile(filepath={str(saved)!r}, copy=True)
    times[0].append(time.perf_counter() - start)
    start = time.perf_counter()
    bpy.ops.wm.open_mainfile(filepath={str(saved)!r})
    times[1].append(time.perf_counter() - start)
say([sorted(one)[1] for one in times])
"""
    )
    save, open_ = own.said[-1]
    host, joiner = _pair(here, "session.settle()\nsession.barrier('end', 2)\n", scene)
    budget = 3.0 if scene.stat().st_size > MEGABYTE else None
    share, join = host.stats["share_seconds"], joiner.stats["join_seconds"]
    show(
        Figure(
            f"{scene.stem}: share, times Blender's save", share / save, "x", budget, f"{share:.2f} s to {save:.2f} s"
        ),
        Figure(
            f"{scene.stem}: join, times Blender's open", join / open_, "x", budget, f"{join:.2f} s to {open_:.2f} s"
        ),
    )


def _pair(here: Path, script: str, scene: Path | None, weather: Weather | None = None) -> tuple[Ended, Ended]:
    """The same script on a host with `scene` and on a joiner that comes once the room is filled, in that weather."""
    opened = ["--open", str(scene)] if scene else []
    with Broadcaster() as server, slow_line(server.address, weather or Weather()) as line:
        first = Peer(server, here, "host", "session.settle()\nprint('SHARED', flush=True)\n" + script, *opened)
        first.wait_for("SHARED")
        second = Peer(server if weather is None else At(line), here, "joiner", script)
        ended = first.wait(), second.wait()
    for one in ended:
        if one.code:
            raise RuntimeError(one.error[-2000:])
    return ended


def _blender(script: str) -> Ended:
    """Runs a script in a Blender of its own."""
    code = PRELUDE + script + "\nimport sys, os\nsys.stdout.flush()\nos._exit(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("SAID ")]
    return Ended(0, done.stdout, done.stderr, {}, said)
