"""A large room streams into this Blender: what a tick of its window would cost."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path

import bpy

from mixer import session, watch
from mixer.arrival import State
from mixer.client import Client
from mixer.proxy import identity
from tests.peers.processes import Broadcaster, Peer

from .bench_peers import made_thousand
from .figures import Figure, show

HOST = "session.settle()\nprint('SHARED', flush=True)\nsession.barrier('end', 2)\n"


def run() -> None:
    """Prints how long ticks took, of 100 the second longest, and how many were too long."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    identity.register()
    watch.register()
    with tempfile.TemporaryDirectory() as folder, Broadcaster() as server:
        host = Peer(server, Path(folder), "host", HOST, "--open", str(made_thousand(Path(folder))))
        host.wait_for("SHARED")
        address, _, port = server.address.rpartition(":")
        here = session.join(lambda: Client(address, int(port), room="room", name="bench"))
        ticks = []
        while here.state is not State.IN_STEP:
            start = time.perf_counter()
            busy = here.tick()
            if busy:
                ticks.append((time.perf_counter() - start) * 1000)
            else:
                time.sleep(0.002)
        here.reach("end")
        while host.process.poll() is None:
            here.tick()
            time.sleep(0.01)
        host.wait()
        session.leave()
    watch.unregister()
    gc.collect()
    ticks.sort()
    what = "1,000 objects stream in: "
    show(
        Figure(what + f"99 of 100 of {len(ticks)} ticks", ticks[int(len(ticks) * 0.99)], "ms", 8.0),
        Figure(what + "the longest tick", ticks[-1], "ms"),
    )
