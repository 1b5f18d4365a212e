"""What others' edits cost a window while its user drags."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from tests.gui.window import AT_REST, Window, install
from tests.peers.processes import Peer

from .figures import Figure, show

MAKE: Final = """
for number in range(1000):
    thing = bpy.data.objects.new(f"Thing {number}", bpy.data.meshes["Cube"])
    bpy.context.scene.collection.objects.link(thing)
"""
EDITS: Final = """
session.settle()
session.barrier("dragging", 2)
things = [one for one in bpy.data.objects if one.name.startswith("Thing")]
for step in range(200):
    things[step * 7 % 1000].location.z = step + 1
    session.pump(0.03)
session.settle()
session.barrier("edited", 2)
session.barrier("end", 2)
"""
DRAG: Final = ('event("MOUSEMOVE", "NOTHING")', 'tap("G")', 'tap("X")')
TICKS: Final = "session.current().stats.tick.samples"


def run() -> None:
    """Prints how long those ticks took that showed another's edit, or says that there is no window."""
    if not os.environ.get("MIXER_BLENDER_GUI"):
        print("edits of others while the user drags: left out, because MIXER_BLENDER_GUI names no Blender", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        install(home, Path(folder, "dist"))
        with Window(home) as window:
            window.show_mixer()
            window.run(MAKE)
            peer = Peer(window.host_and_share(), Path(folder), "peer", EDITS)
            window.wait_for("len(session.current().people.members) == 2")
            window.wait_for(AT_REST)
            window.steps(*DRAG)
            window.wait_for("len(bpy.context.window.modal_operators) > 0")
            window.run(f"{TICKS}.clear(); session.current().reach('dragging')")
            window.wait_for("session.current().people.barriers['edited'] >= 1")
            ticks = sorted(seconds * 1000 for seconds in window.run(TICKS))
            window.run("tap('ESC')")
            for barrier in ("edited", "end"):
                window.run(f"session.current().reach({barrier!r})")
            peer.wait()
    what = "an edit of another while the user drags, 1,000 objects: "
    show(
        Figure(what + f"median of {len(ticks)}", median(ticks), "ms", 2.0),
        Figure(what + "99 of 100", ticks[int(len(ticks) * 0.99)], "ms"),
    )
