"""Each single edit that a person makes is seen on the other side as it was made, over all that people work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from mixer.compare import compare

from .domains import BEGIN
from .processes import Broadcaster, Peer, in_step

# What the README names as not mirrored, of Blender's first scene, and where each peer keeps what it bakes.
NOT_MIRRORED = (".sequence_editor: ", ".render.filepath: ", ".field: ", ".collision: ", ".cache_directory: ")

# The first makes the edits one by one and writes down what it sees then; the second waits until it sees the same.
SCRIPT = """
from pathlib import Path
from tests.peers.domains import EDITS
SECONDS = 15  # more than any edit takes; what nothing reports takes two
def plain(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, dict):
        return {key: plain(one) for key, one in sorted(value.items())}
    if isinstance(value, bpy.types.ID):
        return value.name
    return [plain(one) for one in value]
def look(edit):
    try:
        return plain(eval(edit.see, scene))
    except (KeyError, IndexError, AttributeError, TypeError) as exc:
        return f"nothing there: {exc}"
def make(edit):
    try:
        exec(edit.do, scene)
    except Exception as exc:
        raise RuntimeError(f"{edit.domain}: {exc!r}") from exc
scene = {"bpy": bpy}
exec(BEGIN, scene)
say("here")
session.barrier("here", 2)
session.settle()
for number, edit in enumerate(EDITS):
    if not edit.since <= bpy.app.version[:2] < edit.until:
        continue
    expected = Path(__file__).with_name(f"{number}.json")
    if os.environ["PEER"] == "first":
        before = look(edit)
        make(edit)
        bpy.context.view_layer.update()
        after = look(edit)
        if before == after or "nothing there" in str(after):
            say([edit.domain, "did nothing", after])
        expected.with_suffix(".part").write_text(json.dumps(after))
        expected.with_suffix(".part").rename(expected)
    else:
        while not expected.exists():
            session.pump(0.005)
        after = json.loads(expected.read_text())
        end = time.monotonic() + SECONDS
        while look(edit) != after and time.monotonic() < end:
            session.pump(0.005)
        if look(edit) != after:
            say([edit.domain, after, look(edit)])
    session.barrier(str(number), 2)
session.settle()
session.barrier("end", 2)
"""


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def test_each_edit_is_seen_by_the_other_as_it_was_made(server: Broadcaster, tmp_path: Path) -> None:  # PEER13
    files = [tmp_path / f"{name}.blend" for name in ("first", "second")]
    script = f"BEGIN = {BEGIN!r}\n{SCRIPT}"
    first = Peer(server, tmp_path, "first", script, "--save", str(files[0]))
    first.wait_for('"here"')
    second = Peer(server, tmp_path, "second", script, "--save", str(files[1]))
    ended = first.wait(), second.wait()
    in_step(*ended)
    assert [one.said[1:] for one in ended] == [[], []]
    told = [str(one) for one in compare(*files) if not one.per_user]
    assert [one for one in told if not any(name in one for name in NOT_MIRRORED)] == []
    bpy.ops.wm.read_factory_settings()
