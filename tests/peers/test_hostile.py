"""A hostile member, raw on the wire, in a room with real peers: they go on, stay equal, and nothing of it runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from broadcaster.document import Deltas
from broadcaster.errors import Refused
from broadcaster.protocol import new_secret
from broadcaster.remote import Remote
from broadcaster.tree import new_uuid
from broadcaster.wire import Message

from .processes import Broadcaster, Peer, in_step

DEEP = 10_000
TEN_GIGABYTES = 10_000_000_000


class Stranger:
    """A member that says whatever it likes."""

    def __init__(self, server: Broadcaster, *, create: bool = False) -> None:
        host, _, port = server.address.rpartition(":")
        self._remote = Remote((host, int(port)))
        self._seqs = itertools.count(1)
        join = {"type": "join", "room": "room", "name": "stranger", "secret": new_secret(), "create": create}
        self._remote.send(join)
        self.records: list[Any] = []
        while (message := self._next())["type"] != "ready":
            self.records += message.get("entities", [])
        self.revision = message["revision"]

    def _next(self) -> Message:
        message = self._remote.next()
        assert isinstance(message, dict)
        return message

    def uuid(self, kind: str, name: str) -> str:
        return next(one["uuid"] for one in self.records if (one["kind"], one["tree"]["name"]) == (kind, name))

    def tree(self, uuid: str) -> Any:
        return next(one["tree"] for one in self.records if one["uuid"] == uuid)

    def send(self, *deltas: Any) -> Message:
        """A transaction; the room's answer."""
        self._remote.send({"type": "tx", "seq": next(self._seqs), "base": self.revision, "deltas": list(deltas)})
        while (answer := self._next())["type"] not in ("ack", "reject"):
            pass
        return answer

    def say(self, message: Message) -> None:
        self._remote.send(message)

    def write(self, frame: bytes) -> str:
        """Bytes as they are; the reason with which the room ends the connection."""
        self._remote._socket.sendall(frame)
        while True:
            try:
                self._next()
            except Refused as exc:
                return str(exc)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._remote.__exit__(None, None, None)


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def frame(payload: bytes) -> bytes:
    """The bytes of a message that the encoder would not make."""
    return len(payload).to_bytes(4, "big") + b"\0" + payload


def attacks(stranger: Stranger, ran: Path) -> Iterator[Deltas]:
    """Well-formed transactions, none of which is meant well."""
    cube = stranger.uuid("objects", "Cube")
    mesh = stranger.uuid("meshes", "Cube")
    command = f"[open({str(ran)!r}, 'w').close(), 1.0][1]"
    driver = {"type": "SCRIPTED", "expression": command, "use_self": True, "variables": None}
    curve = {"data_path": "location", "array_index": 2, "mute": False, "driver": driver}
    drivers = {"$": "items", "order": ["d"], "of": {"d": curve}}
    yield [[cube, ["patch", {"animation_data": ["put", {"drivers": drivers}]}]]]
    yield [[new_uuid(), ["create", "texts", {"name": "evil.py", "lines": command, "use_module": True}]]]
    path = "/etc/passwd"
    yield [
        [
            new_uuid(),
            ["create", "images", {"name": "Evil", "source": "FILE", "filepath": path, "image": {"file": path}}],
        ]
    ]
    geometry = stranger.tree(mesh)["geometry"]
    huge = {"$": "array", "dtype": "<f4", "shape": [TEN_GIGABYTES], "data": ""}
    of = {**geometry["arrays"]["of"], "POINT/FLOAT_VECTOR/position": huge}
    layout = {"$": "layout", "id": "evil", "of": of}
    yield [[new_uuid(), ["create", "meshes", {"name": "Huge", "geometry": {**geometry, "arrays": layout}}]]]
    for garbage in (None, 1, "x", [], {}, {"$": "items", "order": ["k"], "of": {"k": 1}}, {"$": "num", "of": "many"}):
        yield [
            [new_uuid(), ["create", kind, {"name": garbage}]] for kind in ("objects", "materials", "scenes", "dragons")
        ]
        fields = ("location", "modifiers", "constraints", "custom_properties", "animation_data", "rotation_mode")
        yield [[cube, ["patch", {name: ["put", garbage] for name in fields}]]]
        yield [[mesh, ["patch", {name: ["put", garbage] for name in ("geometry", "shape_keys", "materials")}]]]


def test_peers_go_on_beside_a_hostile_member(server: Broadcaster, tmp_path: Path) -> None:  # TRUST30
    script = """
        bpy.context.preferences.filepaths.use_scripts_auto_execute = True
        session.settle()
        say("ready")
        session.barrier("start", 2)
        end = time.monotonic() + 60
        while time.monotonic() < end and "Done" not in bpy.data.objects:
            session.pump(0.05)
            bpy.context.scene.frame_set(bpy.context.scene.frame_current % 50 + 1)
        bpy.data.objects["{mine}"].location.x = 5
        bpy.context.scene["from"] = os.environ["PEER"]
        session.settle()
        session.barrier("end", 2)
        session.settle()
        say([[bpy.data.objects[name].location.x for name in ("Light", "Camera")], bpy.context.scene["from"]])
    """
    first = Peer(server, tmp_path, "first", script.format(mine="Light"))
    first.wait_for('"ready"')
    with Stranger(server) as stranger:
        second = Peer(server, tmp_path, "second", script.format(mine="Camera"))
        second.wait_for('"ready"')
        for deltas in attacks(stranger, tmp_path / "ran"):
            stranger.send(*deltas)
        for state in ({"barriers": 1}, {"barriers": [{}, []]}, {"barriers": {"start": 1}}, {"camera": "x"}):
            stranger.say({"type": "presence", "state": state})
        stranger.send([new_uuid(), ["create", "objects", {"name": "Done", "data": None}]])
        ended = first.wait(), second.wait()
    in_step(*ended)
    assert ended[0].said[-1] == ended[1].said[-1]
    assert ended[0].said[-1][0] == [5.0, 5.0]
    assert not (tmp_path / "ran").exists()
    assert any("evil.py" in what for what in ended[0].stats["not_mirrored"])


def nested(depth: int) -> bytes:
    return b'{"type":"tx","seq":1,"base":0,"deltas":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    "payload",
    [
        nested(DEEP),
        b'{"type":"tx","seq":1,"base":0,"deltas":[["u",["create","objects",'
        + b'{"a":' * DEEP
        + b"1"
        + b"}" * (DEEP + 4),
        b'{"type":"presence","state":' + b'{"a":' * 500 + b"1" + b"}" * 501,
        b'{"type":"dance"}',
        b'{"type":"tx","seq":"1","base":0,"deltas":[]}',
        b'{"type":"tx","seq":1,"base":0,"deltas":[["u",["create","objects",{"a":{"$":"dragon"}}]]]}',
        b"{",
    ],
)
def test_what_breaks_the_grammar_costs_its_sender_the_connection(
    server: Broadcaster, payload: bytes
) -> None:  # TRUST31
    with Stranger(server, create=True) as other, Stranger(server) as hostile:
        reason = hostile.write(frame(payload))
        assert reason
        assert "\n" not in reason
        assert other.send(["u", ["create", "objects", {"name": "x"}]])["revision"] == 1
