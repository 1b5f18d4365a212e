"""A document that drifted from the room's is found and loaded anew."""

from __future__ import annotations

from pathlib import Path

from .processes import Broadcaster, run_together

START = """
from mixer import session as sessions
from mixer.exchange import DIGEST_SECONDS
session.barrier("start", 2)
"""
HOST = """
bpy.data.objects["Cube"].location.x = 4
session.settle()
session.barrier("moved", 2)
session.barrier("repaired", 2)
bpy.data.objects["Cube"].location.y = 5
session.settle()
session.barrier("end", 2)
session.settle()
"""
JOINER = """
session.barrier("moved", 2)
session.settle()
confirmed = sessions.current().member.confirmed
cube = next(uuid for uuid in confirmed if confirmed.get(uuid).tree.get("name") == "Cube")
confirmed.apply([[cube, ["patch", {"location": ["put", [9.0, 9.0, 9.0]]}]]], revision=session.revision, sender="")
end = time.monotonic() + 60
while not session.stats()["drift"] and time.monotonic() < end:
    session.pump(0.1)
session.pump(DIGEST_SECONDS / 2)
session.settle()
session.barrier("repaired", 2)
session.settle()
session.barrier("end", 2)
session.settle()
say([round(value, 3) for value in bpy.data.objects["Cube"].location])
"""


def test_drift_is_found_and_repaired(tmp_path: Path) -> None:  # PEER11
    with Broadcaster() as server:
        host, joiner = run_together(server, tmp_path, START + HOST, START + JOINER)
    for peer in (host, joiner):
        assert peer.code == 0, peer.error[-3000:]
    assert host.stats["digest"] == joiner.stats["digest"]
    assert (host.stats["drift"], joiner.stats["drift"]) == (0, 1)
    assert joiner.said == [[4.0, 5.0, 0.0]]
