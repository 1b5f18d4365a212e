"""What a peer is told when something is not as it should be: one clear sentence, an exit code, and nothing lost."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import pytest

from broadcaster import protocol, wire

from .processes import ROOT, Broadcaster, Ended, Peer, in_step
from .test_hostile import Stranger

SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


@pytest.fixture
def own() -> Iterator[Broadcaster]:
    """A broadcaster for one test, whose room is new."""
    with Broadcaster() as server:
        yield server


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:64]


def mixer(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m mixer` to its end."""
    command = [sys.executable, "-m", "mixer", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def peer(address: str, *arguments: str, room: str = "bad") -> subprocess.CompletedProcess[str]:
    return mixer("peer", "--server", address, "--room", room, "--timeout", "30", *arguments)


def complaint(done: subprocess.CompletedProcess[str] | Ended, code: int = 1) -> str:
    """The one line in which Mixer says what is wrong."""
    error = done.stderr if isinstance(done, subprocess.CompletedProcess) else done.error
    found = done.returncode if isinstance(done, subprocess.CompletedProcess) else done.code
    assert found == code, error
    lines = [line for line in error.splitlines() if line.startswith("mixer: ")]
    assert len(lines) == 1, error
    return lines[0]


@contextmanager
def answering(*frames: bytes) -> Iterator[str]:
    """A server that greets with these bytes, whatever it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    near, _ = listener.accept()
                    with near:
                        near.recv(65536)
                        near.sendall(b"".join(frames))
                        near.settimeout(5)
                        while near.recv(65536):
                            pass
            except OSError:
                return  # the listener is closed

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


# Files and arguments -------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(server: Broadcaster) -> None:  # INPUT1
    assert "/no/such.blend" in complaint(peer(server.address, "--open", "/no/such.blend"))


def test_a_file_that_is_no_blend(server: Broadcaster, tmp_path: Path) -> None:  # INPUT1
    file = tmp_path / "picture.blend"
    file.write_bytes(b"not a blend file")
    assert str(file) in complaint(peer(server.address, "--open", str(file)))


def test_a_place_where_nothing_can_be_saved(server: Broadcaster, tmp_path: Path, room: str) -> None:  # INPUT1
    file = tmp_path / "missing" / "end.blend"
    assert str(file) in complaint(peer(server.address, "--settle", "0", "--save", str(file), room=room))
    assert not file.exists()


def test_a_script_that_is_not_there(server: Broadcaster, room: str) -> None:  # INPUT1
    assert "/no/such.py" in complaint(peer(server.address, "--run", "/no/such.py", room=room))


@pytest.mark.parametrize("body", ["raise ValueError('no good')", "def (", "import no_such_module"])
def test_a_script_that_fails(server: Broadcaster, tmp_path: Path, room: str, body: str) -> None:  # INPUT2
    script = tmp_path / "script.py"
    script.write_text(f"import bpy\nbpy.data.objects['Cube'].name = 'Done'\nsession.settle()\n{body}\n")
    assert str(script) in complaint(peer(server.address, "--run", str(script), room=room))


def test_a_script_that_chooses_its_exit_code(server: Broadcaster, tmp_path: Path, room: str) -> None:  # INPUT2
    script = tmp_path / "script.py"
    script.write_text("import sys\nsys.exit(3)\n")
    assert peer(server.address, "--run", str(script), room=room).returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["peer"],
        ["peer", "--server", "nowhere", "--room", "r"],
        ["peer", "--server", "127.0.0.1:99999", "--room", "r"],
        ["peer", "--server", "127.0.0.1:1", "--room", "r", "--settle", "soon"],
        ["peer", "--server", "127.0.0.1:1", "--room", "r", "--dance"],
        ["compare"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:  # INPUT3
    done = mixer(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


# Servers and rooms ---------------------------------------------------------------------------------------------------


def test_no_server_there() -> None:  # INPUT4
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert f"127.0.0.1:{port}" in complaint(peer(f"127.0.0.1:{port}"))


def test_a_name_that_no_room_can_have(server: Broadcaster) -> None:  # INPUT5
    assert "cannot be the name of a room" in complaint(peer(server.address, room=" x\n"))


def test_a_server_of_another_version() -> None:  # INPUT6
    welcome = {"type": "welcome", "protocol": protocol.PROTOCOL + 1, "agent": "tomorrow", "capabilities": []}
    with answering(wire.encode(welcome)) as address:
        assert "update this side" in complaint(peer(address))


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        wire.encode({"type": "dance"}),
        wire.encode({"type": "welcome", "protocol": "new"}),
    ],
)
def test_a_server_that_speaks_something_else(frame: bytes) -> None:  # INPUT7
    with answering(frame) as address:
        assert complaint(peer(address))


OFFLINE = """
    session.settle()
    say("ready")
    while not os.path.exists({sign!r}):
        session.pump(0.05)
    bpy.data.objects["Cube"].name = "Kept"
    session.pump(0.5)
    say("edited")
    while True:
        session.pump(1)
"""


@contextmanager
def left_alone(tmp_path: Path) -> Iterator[tuple[Peer, str]]:
    """A peer whose server went, and which edited since; and the port of that server."""
    sign = tmp_path / "sign"
    with Broadcaster() as server:
        script = OFFLINE.format(sign=str(sign))
        one = Peer(server, tmp_path, "one", script, "--save", str(tmp_path / "end.blend"))
        one.wait_for('"ready"')
        server.stop()
    sign.touch()
    one.wait_for('"edited"')
    yield one, server.address.rpartition(":")[2]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "end.blend"))
    assert "Kept" in bpy.data.objects
    bpy.ops.wm.read_factory_settings()


def test_a_server_that_went_is_waited_for(tmp_path: Path) -> None:  # INPUT8
    with left_alone(tmp_path) as (one, _):
        one.process.send_signal(signal.SIGTERM)
        ended = one.wait()
        assert (ended.code, ended.error) == (0, "")


def test_a_server_that_comes_back_without_the_room(tmp_path: Path) -> None:  # INPUT8
    with left_alone(tmp_path) as (one, port), Broadcaster("--port", port):
        assert "there is no room 'room'" in complaint(one.wait())


def test_an_edit_of_what_is_gone_is_dropped(own: Broadcaster) -> None:  # INPUT9
    with Stranger(own, create=True) as one:
        one.send(["u", ["create", "objects", {"name": "x"}]])
        one.send(["u", ["remove"]])
        answer = one.send(["u", ["patch", {"name": ["put", "y"]}]])
        assert [reason for _, _, reason in answer["dropped"]] == ["gone"]


def test_what_this_blender_does_not_know_is_kept_and_named(own: Broadcaster, tmp_path: Path) -> None:  # INPUT10
    """A kind of datablock, and a property that an add-on or a new Blender brought and no rule names."""
    script = """
        class Fleet(bpy.types.PropertyGroup):
            size: bpy.props.IntProperty()
        bpy.utils.register_class(Fleet)
        bpy.types.Speaker.fleets = bpy.props.CollectionProperty(type=Fleet)
        bpy.data.speakers.new("Speaker")
        session.settle()
        say("ready")
        session.barrier("end", 2)
        session.settle()
    """
    first = Peer(own, tmp_path, "first", script)
    first.wait_for('"ready"')
    with Stranger(own) as stranger:
        assert "dropped" not in stranger.send(["dragon", ["create", "dragons", {"name": "Smaug", "teeth": [1, 2]}]])
        second = Peer(own, tmp_path, "second", script)
        ended = first.wait(), second.wait()
    in_step(*ended)
    with Stranger(own) as stranger:
        assert stranger.tree("dragon") == {"name": "Smaug", "teeth": [1, 2]}
    told = ended[0].stats["not_mirrored"]
    assert "Speaker.fleets" in told
    assert "no kind of this Blender" in told["dragons"]


def test_a_room_without_a_scene_is_joined_all_the_same(own: Broadcaster, tmp_path: Path) -> None:  # INPUT12
    """Somebody left while sharing, or it is a room of another program's."""
    with Stranger(own, create=True) as stranger:
        stranger.send(["dragon", ["create", "dragons", {"name": "Smaug"}]])
    script = "session.settle()\nsay(bpy.data.scenes.keys())\n"
    ended = Peer(own, tmp_path, "late", script).wait(), Peer(own, tmp_path, "later", script).wait()
    in_step(*ended)
    assert [one.said for one in ended] == [[["Scene"]], [["Scene"]]]


# The end -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_peer_that_is_asked_to_end_saves(own: Broadcaster, tmp_path: Path, ending: signal.Signals) -> None:  # INPUT11
    file = tmp_path / "end.blend"
    here = Peer(own, tmp_path, "here", "say('ready')\nwhile True:\n    session.pump(1)", "--save", str(file))
    here.wait_for('"ready"')
    here.process.send_signal(ending)
    assert here.wait().code == 0
    bpy.ops.wm.open_mainfile(filepath=str(file))
    assert "Cube" in bpy.data.objects
    bpy.ops.wm.read_factory_settings()
