"""The extension in a real window: what people press, events as they make them, and another peer in the room."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.blender import inputs
from tests.peers.processes import At, Broadcaster, Ended, Peer

from .keeper import is_running, lock_of
from .window import AT_REST, ROOT, Window

GONE_SECONDS: Final = 60
LONG_SECONDS: Final = "900"  # fifty edits by mouse and keys, on a busy machine
SCENE_SECONDS: Final = 200  # to build the one of the demo
MOVE_CUBE: Final = ('event("MOUSEMOVE", "NOTHING")', 'tap("G")', 'tap("X")', "type_one()", 'tap("RET")')  # by 1
UNDO: Final = 'tap("Z", ctrl=True)'
LOOK: Final = "[*bpy.data.objects['Cube'].location, sorted(one.name for one in bpy.data.objects), {session}.digest()]"
LEFT_BEHIND: Final = """
import threading
ours = "bl_ext.user_default.mixer"
[
    *(name for name in dir(bpy.types) if name.startswith("MIXER_")),
    *(one.__name__ for group in bpy.app.handlers if isinstance(group, list) for one in group if ours in one.__module__),
    *(one.name for one in threading.enumerate() if one.name.startswith("mixer")),
    *["timer"] * bpy.app.timers.is_registered(timer._tick),
    *["property"] * hasattr(bpy.types.ID, "mixer_uuid"),
]
"""

StartPeer = Callable[..., Peer]


@pytest.fixture
def start_peer(tmp_path: Path) -> Iterator[StartPeer]:
    """Starts peers that end with the test."""
    peers: list[Peer] = []

    def start(server: At | Broadcaster, script: str, *arguments: str) -> Peer:
        peers.append(Peer(server, tmp_path, f"peer{len(peers)}", script, *arguments))
        return peers[-1]

    yield start
    for peer in peers:
        if peer.process.poll() is None:
            peer.process.kill()
            peer.process.wait()


def reach(window: Window, barrier: str) -> None:
    """Comes to a barrier, with all edits found and sent, and waits for the other there."""
    window.run("session.current().look_everywhere()")
    window.wait_for(AT_REST)
    window.run(f"session.current().reach({barrier!r})")
    window.wait_for(f"session.current().people.barriers[{barrier!r}] >= 2")


def ended_well(peer: Peer) -> Ended:
    ended = peer.wait()
    assert ended.code == 0, ended.error[-3000:]
    assert [ended.stats[name] for name in ("echoes", "drift")] == [0, 0]
    return ended


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + GONE_SECONDS
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def wait_until_gone(pid: int) -> None:
    wait_until(lambda: not is_running(pid), f"process {pid} still runs")


def test_a_window_and_a_peer_edit_one_scene(window: Window, start_peer: StartPeer) -> None:  # GUI1 GUI2
    script = f"""
        def look():
            session.settle()
            say({LOOK.format(session="session")})
        session.barrier("moved", 2)
        look()
        session.barrier("seen", 2)
        bpy.data.objects["Light"].location.z = 7
        bpy.ops.mesh.primitive_monkey_add()
        session.settle()
        session.barrier("edited", 2)
        session.barrier("undone", 2)
        look()
        session.barrier("end", 2)
    """
    look = LOOK.format(session="session.current()")
    peer = start_peer(window.host_and_share(), script)
    window.wait_for("len(session.current().people.members) == 2")

    window.steps(*MOVE_CUBE)
    window.wait_for('bpy.data.objects["Cube"].location.x == 1')
    reach(window, "moved")
    moved = window.run(look)

    reach(window, "seen")
    reach(window, "edited")
    assert window.run('bpy.data.objects["Light"].location.z') == 7
    window.run(UNDO)
    window.wait_for('bpy.data.objects["Cube"].location.x == 0')
    reach(window, "undone")
    undone = window.run(look)
    reach(window, "end")

    assert [moved[0], undone[0]] == [1, 0]
    assert "Suzanne" in undone[3]  # the undo step knows nothing of what the peer made; it stays
    assert ended_well(peer).said == [moved, undone]
    assert window.run("session.current().stats.echoes") == 0


MEASURE: Final = """
import bmesh, bpy
def measure():
    cube = bpy.data.objects["Cube"]
    points = bmesh.from_edit_mesh(cube.data).verts if cube.mode == "EDIT" else cube.data.vertices
    return round(cube.location.x + sum(point.co.z for point in points), 3)
"""
PREPARE: Final = """
with bpy.context.temp_override(object=bpy.data.objects["Cube"]):
    bpy.ops.object.modifier_add(type="SUBSURF")
    bpy.data.objects["Cube"].modifiers[0].levels = 4
    bpy.ops.object.modifier_apply(modifier=bpy.data.objects["Cube"].modifiers[0].name)
def mouse(type, value, right=0):
    area = view()
    x, y = area.x + area.width // 2 + right, area.y + area.height // 2
    bpy.context.window_manager.windows[0].event_simulate(type=type, value=value, x=x, y=y)
"""
STROKE: Final = (
    'mouse("MOUSEMOVE", "NOTHING")',
    'mouse("LEFTMOUSE", "PRESS")',
    *(f'mouse("MOUSEMOVE", "NOTHING", {right})' for right in (10, 20, 30)),
    'mouse("LEFTMOUSE", "RELEASE", 30)',
)
RAISE: Final = ('event("MOUSEMOVE", "NOTHING")', 'tap("G")', 'tap("Z")', "type_one()", 'tap("RET")')


@pytest.mark.parametrize(("mode", "edit"), [("OBJECT", MOVE_CUBE), ("EDIT", RAISE), ("SCULPT", STROKE)])
def test_ctrl_z_in_each_mode_leaves_the_work_of_others(  # GUI2
    window: Window, start_peer: StartPeer, mode: str, edit: tuple[str, ...]
) -> None:
    """Both edit in turns; the window undoes its own two edits, then redoes one."""
    script = """
session.settle()
for turn in ("first", "second"):
    session.barrier(turn, 2)
    bpy.data.objects["Light"].location.z += 1
    next(one for one in bpy.data.objects if one.type == "CAMERA").name = turn
    session.settle()
    session.barrier(turn + " answered", 2)
session.barrier("undone", 2)
session.settle()
say([measure(), round(bpy.data.objects["Light"].location.z, 3), sorted(bpy.data.objects.keys()), session.digest()])
session.barrier("end", 2)
"""
    look = """
[measure(), round(bpy.data.objects["Light"].location.z, 3), sorted(bpy.data.objects.keys()), session.current().digest()]
"""
    window.run(MEASURE + PREPARE)
    peer = start_peer(window.host_and_share(), MEASURE + script)
    light = window.run('bpy.data.objects["Light"].location.z')
    window.run(f'bpy.ops.object.mode_set(mode="{mode}")')
    if mode == "EDIT":
        window.run('bpy.ops.mesh.select_all(action="SELECT")')
    window.run(f'bpy.ops.ed.undo_push(message="{mode}")')
    stages = [window.run("measure()")]
    for turn in ("first", "second"):
        window.steps(*edit)
        window.wait_for(f"measure() not in {stages} and not bpy.context.window.modal_operators")
        stages.append(window.run("measure()"))
        reach(window, turn)
        reach(window, f"{turn} answered")
    for stage in (stages[1], stages[0]):
        window.run(UNDO)
        window.wait_for(f"measure() == {stage}")
    window.run('tap("Z", ctrl=True, shift=True)')
    window.wait_for(f"measure() == {stages[1]}")
    window.run('bpy.ops.object.mode_set(mode="OBJECT")')
    reach(window, "undone")
    undone = window.run(look)
    reach(window, "end")
    assert undone[:3] == [stages[1], round(light + 2, 3), ["Cube", "Light", "second"]]
    assert ended_well(peer).said == [undone]
    assert window.run("session.current().stats.echoes") == 0


@pytest.mark.parametrize(("mode", "edit"), [("OBJECT", MOVE_CUBE), ("EDIT", RAISE), ("SCULPT", STROKE)])
def test_of_fifty_edits_in_turns_twenty_are_undone_and_ten_redone(  # GUI2 UNDO4
    window: Window, start_peer: StartPeer, mode: str, edit: tuple[str, ...]
) -> None:
    """The other edits the same object and another one."""
    look = """
[measure(), *(round(bpy.data.objects[name].scale.z, 3) for name in ("Cube", "Light")), len(bpy.data.objects)]
"""
    script = f"""
session.settle()
session.barrier("begun", 2)
for step in range(25):
    for name in ("Cube", "Light"):
        bpy.data.objects[name].scale.z += 0.02
    session.pump(0.4)
session.barrier("edited", 2, 600)
session.barrier("undone", 2, 600)
session.settle()
say([{look.strip()}, session.digest()])
session.barrier("end", 2)
"""
    window.run(MEASURE + PREPARE)
    peer = start_peer(window.host_and_share(), MEASURE + script, "--timeout", LONG_SECONDS)
    window.wait_for("len(session.current().people.members) == 2")
    window.run(f'bpy.ops.object.mode_set(mode="{mode}")')
    if mode == "EDIT":
        window.run('bpy.ops.mesh.select_all(action="SELECT")')
    window.run(f'bpy.ops.ed.undo_push(message="{mode}")')
    stages = [window.run("measure()")]
    reach(window, "begun")
    for _ in range(25):
        window.steps(*edit)
        window.wait_for(f"measure() != {stages[-1]} and not bpy.context.window.modal_operators")
        stages.append(window.run("measure()"))
    reach(window, "edited")
    for stage in reversed(stages[5:25]):
        window.run(UNDO)
        window.wait_for(f"measure() == {stage}")
    for stage in stages[6:16]:
        window.run('tap("Z", ctrl=True, shift=True)')
        window.wait_for(f"measure() == {stage}")
    window.run('bpy.ops.object.mode_set(mode="OBJECT")')
    reach(window, "undone")
    undone = [window.run(look), window.run("session.current().digest()")]
    reach(window, "end")
    assert undone[0] == [stages[15], 1.5, 1.5, 3]
    assert ended_well(peer).said == [undone]
    assert window.run("session.current().stats.echoes") == 0


SELECT: Final = """
bpy.ops.object.select_all(action="DESELECT")
bpy.data.objects["{name}"].select_set(True)
bpy.context.view_layer.objects.active = bpy.data.objects["{name}"]
"""
MADE: Final = "sorted(one.name for one in bpy.data.objects)"
MAKES: Final = (  # what it is called, how it is done, with the things that are there then
    ("add", ('bpy.ops.mesh.primitive_cone_add("EXEC_DEFAULT", True)',), ["Cone", "Cube", "Lamp"]),
    (
        "rename",
        ('bpy.data.objects["Cone"].name = "Hat"; bpy.ops.ed.undo_push(message="Rename")',),
        ["Cube", "Hat", "Lamp"],
    ),
    (
        "duplicate",
        (SELECT.format(name="Hat"), 'event("MOUSEMOVE", "NOTHING")', 'tap("D", shift=True)', 'tap("RET")'),
        ["Cube", "Hat", "Hat.001", "Lamp"],
    ),
    (
        "delete",
        (SELECT.format(name="Cube"), 'event("MOUSEMOVE", "NOTHING")', 'tap("DEL")'),
        ["Hat", "Hat.001", "Lamp"],
    ),
)


def test_what_was_made_renamed_copied_and_removed_is_undone(  # GUI2 UNDO4
    window: Window, start_peer: StartPeer
) -> None:
    """The other edits in turns what the window does not make: what another has worked on no undo would remove."""
    script = f"""
session.settle()
bpy.data.objects["Light"].name = "Lamp"
bpy.data.objects.remove(bpy.data.objects["Camera"])
session.settle()
session.barrier("begun", 2)
for turn in ("add", "rename", "duplicate", "delete"):
    session.barrier(turn, 2)
    for name in {{"Cube", "Lamp"}} & {{*bpy.data.objects.keys()}}:
        bpy.data.objects[name].scale.z += 0.5
    session.settle()
    session.barrier(turn + " answered", 2)
session.barrier("undone", 2)
session.settle()
say([{MADE}, session.digest()])
session.barrier("end", 2)
"""
    peer = start_peer(window.host_and_share(), script)
    reach(window, "begun")
    window.run('bpy.ops.ed.undo_push(message="begin")')
    stages = [["Cube", "Lamp"]]
    for turn, codes, names in MAKES:
        window.steps(*codes)
        window.wait_for(f"{MADE} == {names} and not bpy.context.window.modal_operators")
        stages.append(names)
        reach(window, turn)
        reach(window, f"{turn} answered")
    for names in (*reversed(stages[:-1]),):
        window.run(UNDO)
        window.wait_for(f"{MADE} == {names}")
    assert window.run('[round(bpy.data.objects[name].scale.z, 1) for name in ("Cube", "Lamp")]') == [2.5, 3.0]
    for names in stages[1:3]:
        window.run('tap("Z", ctrl=True, shift=True)')
        window.wait_for(f"{MADE} == {names}")
    reach(window, "undone")
    undone = window.run(f"[{MADE}, session.current().digest()]")
    reach(window, "end")
    assert undone[0] == stages[2]
    assert ended_well(peer).said == [undone]
    assert window.run("session.current().stats.echoes") == 0


DRAG: Final = ('event("MOUSEMOVE", "NOTHING")', 'tap("G")', 'tap("X")', "type_one()")  # by 1, not confirmed yet
DRAGS: Final = 'any(one.bl_idname.startswith("TRANSFORM_OT") for one in bpy.context.window.modal_operators)'


@pytest.mark.parametrize(("key", "there"), [("RET", 1.0), ("ESC", 0.0)])
def test_a_drag_is_left_alone_and_what_waits_for_it_comes_at_its_end(  # GUI13 MIRROR13
    window: Window, start_peer: StartPeer, key: str, there: float
) -> None:
    """Meanwhile another moves things, the dragged one too, makes some and removes others, its material among them."""
    script = f"""
        session.settle()
        session.barrier("dragging", 2)
        bpy.data.objects["Light"].location.z = 7
        bpy.data.objects["Cube"].scale.y = 3
        bpy.data.objects.remove(bpy.data.objects["Camera"])
        bpy.data.materials.remove(bpy.data.materials["Material"])
        bpy.ops.mesh.primitive_monkey_add()
        session.settle()
        session.barrier("edited", 2)
        session.barrier("dropped", 2)
        session.settle()
        say({LOOK.format(session="session")})
        session.barrier("end", 2)
    """
    peer = start_peer(window.host_and_share(), script)
    window.wait_for("len(session.current().people.members) == 2")
    window.steps(*DRAG)
    window.wait_for(f'bpy.data.objects["Cube"].location.x == 1 and {DRAGS}')
    window.run('session.current().reach("dragging")')
    window.wait_for('session.current().people.barriers["edited"] >= 2 or session.current().reach("edited")')
    window.wait_for('bpy.data.objects["Light"].location.z == 7')
    held = window.run(
        f'cube = bpy.data.objects["Cube"]; [{DRAGS}, cube.location.x, cube.scale.y, "Camera" in bpy.data.objects, '
        '"Material" in bpy.data.materials, "Suzanne" in bpy.data.objects]'
    )
    assert held == [True, 1, 1, True, True, False]

    window.run(f'tap("{key}")')
    window.wait_for(f'"Suzanne" in bpy.data.objects and bpy.data.objects["Cube"].scale.y == 3 and not {DRAGS}')
    reach(window, "dropped")
    dropped = window.run(LOOK.format(session="session.current()"))
    reach(window, "end")
    assert dropped[:4] == [there, 0, 0, ["Cube", "Light", "Suzanne"]]
    assert ended_well(peer).said == [dropped]
    assert window.run("session.current().stats.echoes") == 0


SLOW_ENGINE: Final = """
import threading
rendered = threading.Event()
class Slow(bpy.types.RenderEngine):
    bl_idname, bl_label = "SLOW", "Slow"
    def render(self, depsgraph):
        while not rendered.wait(0.05):
            pass
bpy.utils.register_class(Slow)
bpy.context.scene.render.engine = "SLOW"
bpy.context.preferences.view.render_display_type = "NONE"
"""
RENDERS: Final = 'bpy.app.is_job_running("RENDER")'


def test_what_comes_and_goes_while_a_render_runs_waits_for_its_end(  # GUI13 MIRROR13
    window: Window, start_peer: StartPeer
) -> None:
    script = f"""
        session.settle()
        session.barrier("rendering", 2)
        bpy.data.objects["Light"].location.z = 7
        bpy.data.materials.remove(bpy.data.materials["Material"])
        bpy.ops.mesh.primitive_monkey_add()
        session.settle()
        session.barrier("edited", 2)
        session.barrier("ended", 2)
        session.settle()
        say({LOOK.format(session="session")})
        session.barrier("end", 2)
    """
    peer = start_peer(window.host_and_share(), script)
    window.wait_for("len(session.current().people.members) == 2")
    window.run(SLOW_ENGINE)
    window.run('bpy.ops.render.render("INVOKE_DEFAULT")')
    window.wait_for(RENDERS)
    window.run('session.current().reach("rendering")')
    window.wait_for('session.current().people.barriers["edited"] >= 1')
    window.wait_for('bpy.data.objects["Light"].location.z == 7')
    held = window.run(f'[{RENDERS}, "Material" in bpy.data.materials, "Suzanne" in bpy.data.objects]')
    assert held == [True, True, False]

    window.run("rendered.set()")
    window.wait_for(f'not {RENDERS} and "Suzanne" in bpy.data.objects and "Material" not in bpy.data.materials')
    window.run('session.current().reach("edited")')
    reach(window, "ended")
    ended = window.run(LOOK.format(session="session.current()"))
    reach(window, "end")
    assert ended[3] == ["Camera", "Cube", "Light", "Suzanne"]
    assert ended_well(peer).said == [ended]
    assert window.run("session.current().stats.echoes") == 0


def test_a_whole_scene_crosses_versions(window: Window, start_peer: StartPeer, tmp_path: Path) -> None:  # GUI3
    """The window is another Blender than the peer: what both know must be the same in both."""
    scene = tmp_path / "dusk.blend"
    subprocess.run([sys.executable, "-m", "demo.scene", str(scene)], cwd=ROOT, check=True, timeout=SCENE_SECONDS)
    window.run(f"bpy.ops.wm.open_mainfile(filepath={str(scene)!r}, load_ui=False)")
    window.run("show_tab()")
    peer = start_peer(
        window.host_and_share(),
        """
        session.settle()
        names = sorted(bpy.data.objects.keys())
        for name in names:
            bpy.data.objects[name].location.z += 0.5
        session.settle()
        session.barrier("moved", 2)
        session.settle()
        say([names, session.digest()])
        session.barrier("end", 2)
        """,
    )
    names = window.run("sorted(bpy.data.objects.keys())")
    reach(window, "moved")
    digest = window.run("session.current().digest()")
    reach(window, "end")
    assert len(names) > 200
    assert ended_well(peer).said == [[names, digest]]
    assert window.run("session.current().stats.echoes") == 0


INPUTS: Final = f"""
import sys, types, bpy
inputs = types.ModuleType("inputs")
exec({Path(inputs.__file__).read_text()!r}, inputs.__dict__)
def look():
    modifier = bpy.data.objects["Cube"].modifiers["Nodes"]
    sizes = [inputs.get(modifier, name) for name in ("Size", "Count", "Way")]
    return [*sizes, *(inputs.get(modifier, "Count", part) for part in ("type", "attribute_name"))]
"""
MAKE_INPUTS: Final = """
group = bpy.data.node_groups.new("Group", "GeometryNodeTree")
for name, kind in (("Geometry", "Geometry"), ("Size", "Float"), ("Count", "Int"), ("Way", "Vector")):
    group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocket" + kind)
modifier = bpy.data.objects["Cube"].modifiers.new("Nodes", "NODES")
modifier.node_group = group
inputs.put(modifier, "Size", 0.5)
inputs.put(modifier, "Way", [1, 2, 3])
inputs.put(modifier, "Count", "ATTRIBUTE", "type")
inputs.put(modifier, "Count", "thing", "attribute_name")
"""


def test_inputs_of_geometry_nodes_cross_versions(window: Window, start_peer: StartPeer) -> None:  # GUI3 NODE5
    """Blender 5.2 keeps them elsewhere than those before."""
    window.run(INPUTS)
    window.run(MAKE_INPUTS)
    peer = start_peer(
        window.host_and_share(),
        INPUTS
        + """
session.settle()
say(look())
modifier = bpy.data.objects["Cube"].modifiers["Nodes"]
inputs.put(modifier, "Count", "VALUE", "type")
inputs.put(modifier, "Count", 7)
session.settle()
session.barrier("edited", 2)
session.barrier("set", 2)
session.settle()
say([look(), session.digest()])
session.barrier("end", 2)
""",
    )
    reach(window, "edited")
    window.wait_for("look()[1] == 7")
    window.run('inputs.put(bpy.data.objects["Cube"].modifiers["Nodes"], "Size", 2.5)')
    reach(window, "set")
    found = window.run("[look(), session.current().digest()]")
    reach(window, "end")
    assert found[0] == [2.5, 7, [1, 2, 3], "VALUE", "thing"]
    ended = ended_well(peer)
    assert ended.said[0] == [0.5, 0, [1, 2, 3], "ATTRIBUTE", "thing"]
    assert ended.said[1] == found
    assert window.run("session.current().stats.echoes") == 0


def test_no_undo_leads_back_to_the_scene_before_the_room(window: Window, start_peer: StartPeer) -> None:  # GUI4
    with Broadcaster() as server:
        peer = start_peer(
            server,
            """
            bpy.ops.mesh.primitive_monkey_add()
            session.settle()
            say("shared")
            session.barrier("undone", 2)
            """,
        )
        peer.wait_for('SAID "shared"')
        window.run('bpy.ops.mesh.primitive_cone_add(); bpy.ops.ed.undo_push(message="Add Cone")')
        window.run(
            f'bpy.context.preferences.addons["bl_ext.user_default.mixer"].preferences.server = "{server.address}"'
        )
        assert window.run('bpy.ops.mixer.join_room(room="room")') == ["FINISHED"]
        window.wait_for(f"session.current() is not None and {AT_REST}")
        window.run('bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]')
        window.run('bpy.ops.object.select_all(action="DESELECT"); bpy.data.objects["Cube"].select_set(True)')
        window.steps(*MOVE_CUBE)
        window.wait_for('bpy.data.objects["Cube"].location.x == 1')
        window.steps(*[UNDO] * 8)
        window.wait_for('bpy.data.objects["Cube"].location.x == 0')
        reach(window, "undone")
        assert sorted(window.run("bpy.data.objects.keys()")) == ["Camera", "Cube", "Light", "Suzanne"]
        assert window.run("bpy.context.preferences.edit.undo_steps") > 2
        ended_well(peer)


def test_an_undo_after_a_rest_leaves_what_others_made(window: Window, start_peer: StartPeer) -> None:  # GUI12
    script = """
        session.settle()
        bpy.ops.mesh.primitive_monkey_add()
        session.settle()
        session.barrier("made", 2)
        session.barrier("end", 2)
    """
    peer = start_peer(window.host_and_share(), script)
    window.steps(*MOVE_CUBE)
    window.wait_for('bpy.data.objects["Cube"].location.x == 1')
    reach(window, "made")
    made = window.run('bpy.data.objects["Suzanne"].session_uid')
    window.wait_for("not session.current().mirror.made")
    window.steps(*MOVE_CUBE)
    window.wait_for('bpy.data.objects["Cube"].location.x == 2')
    window.run(UNDO)
    window.wait_for('bpy.data.objects["Cube"].location.x == 1')
    assert window.run('bpy.data.objects["Suzanne"].session_uid') == made
    window.run("session.current().look_everywhere()")
    assert window.run('bpy.data.objects["Suzanne"].session_uid') == made  # it was never taken away and made again
    reach(window, "end")
    ended_well(peer)


def test_a_host_ends_when_told_and_with_its_blender(window: Window) -> None:  # GUI5
    window.host_and_share()
    first = window.run("lobby.host.pid")
    assert is_running(first)
    assert window.run("bpy.ops.mixer.stop_hosting()") == ["FINISHED"]
    wait_until_gone(first)
    assert window.run("session.current()") is None

    window.host_and_share()
    os.kill(window.run("lobby.host.pid"), signal.SIGKILL)
    window.wait_for("session.current() is None and lobby.host is None")
    assert window.run("lobby.rooms") == []
    assert "server on this computer ended" in window.run("lobby.message")

    window.host_and_share()
    second, blender = window.run("[lobby.host.pid, __import__('os').getpid()]")
    assert is_running(second)
    os.kill(blender, signal.SIGKILL)
    wait_until_gone(second)


def test_disabled_it_leaves_nothing_behind(window: Window) -> None:  # GUI6
    module = '"bl_ext.user_default.mixer"'
    there = window.run(LEFT_BEHIND)
    for _ in range(3):
        window.host_and_share()
        host = window.run("lobby.host.pid")
        window.run(f"bpy.ops.preferences.addon_disable(module={module})")
        assert window.run(LEFT_BEHIND) == []
        wait_until_gone(host)
        window.run(f"bpy.ops.preferences.addon_enable(module={module})")
        assert window.run(LEFT_BEHIND) == there


PREFERENCES: Final = 'bpy.context.preferences.addons["bl_ext.user_default.mixer"].preferences'


def test_preferences_are_kept(home: Path, tmp_path: Path) -> None:  # GUI8
    user = tmp_path / "home"
    shutil.copytree(home, user, symlinks=True)
    with Window(user) as window:
        window.run(f"mine = {PREFERENCES}; mine.name, mine.server = 'Zoë', 'studio:12'; mine.color = (0, 0.5, 1)")
        assert window.run("bpy.ops.wm.save_userpref()") == ["FINISHED"]
    with Window(user) as window:
        assert window.run(f"mine = {PREFERENCES}; [mine.name, mine.server, *mine.color]") == [
            "Zoë",
            "studio:12",
            0,
            0.5,
            1,
        ]


def test_more_windows_and_scenes_are_no_hindrance(window: Window, start_peer: StartPeer) -> None:  # GUI9
    script = """
        session.settle()
        session.barrier("made", 2)
        session.settle()
        say([sorted(bpy.data.scenes.keys()), bpy.data.objects["Cube"].location.x])
        bpy.data.objects["Cube"].location.y = 5
        session.settle()
        session.barrier("moved", 2)
        session.barrier("end", 2)
    """
    peer = start_peer(window.host_and_share(), script)
    window.run("bpy.ops.wm.window_new()")
    window.run('bpy.context.window_manager.windows[-1].scene = bpy.data.scenes.new("Other")')
    window.wait_for("len(bpy.context.window_manager.windows) == 2")
    window.run('bpy.data.objects["Cube"].location.x = 2')
    reach(window, "made")
    window.wait_for('bpy.data.objects["Cube"].location.y == 5')
    reach(window, "moved")
    with_window = "window=bpy.context.window_manager.windows[-1]"
    window.run(f"with bpy.context.temp_override({with_window}):\n    bpy.ops.wm.window_close()")
    window.run('bpy.data.objects["Cube"].location.x = 3')
    reach(window, "end")
    assert ended_well(peer).said == [[["Other", "Scene"], 2]]
    assert window.run("session.current().stats.echoes") == 0


@pytest.mark.parametrize("way", ["new", "open", "revert"])
def test_another_file_leaves_the_room_and_asks_whether_to_go_back(  # GUI10
    window: Window, start_peer: StartPeer, tmp_path: Path, way: str
) -> None:
    path = str(tmp_path / "mine.blend")
    codes = {
        "new": "bpy.ops.wm.read_homefile()",
        "open": f"bpy.ops.wm.open_mainfile(filepath={path!r}, load_ui=False)",
        "revert": "bpy.ops.wm.revert_mainfile()",
    }
    window.run(f'bpy.data.objects["Light"].name = "Mine"; bpy.ops.wm.save_as_mainfile(filepath={path!r})')
    script = """
        session.settle()
        session.barrier("there", 2)
        while len(session.members) > 1:
            session.pump(0.1)
        session.settle()
        say([sorted(bpy.data.objects.keys()), bpy.data.objects["Cube"].location.x])
        while len(session.members) < 2:
            session.pump(0.1)
        session.barrier("back", 2)
        session.settle()
        say(session.digest())
        session.barrier("end", 2)
    """
    with Broadcaster() as server:
        window.run(f'{PREFERENCES}.server = "{server.address}"; bpy.ops.mixer.create_room(room="room")')
        window.wait_for(f"session.current() is not None and {AT_REST}")
        peer = start_peer(server, script)
        reach(window, "there")
        window.run(f'bpy.data.objects["Cube"].location.x = 7; {codes[way]}')  # nobody has seen that yet
        window.wait_for("session.current() is None and lobby.stay is None")
        assert "because another file was opened" in window.run("lobby.message")
        peer.wait_for('"Mine"')
        window.run('tap("RET")')
        window.wait_for(f"session.current() is not None and {AT_REST}")
        reach(window, "back")
        digest = window.run("session.current().digest()")
        assert window.run('bpy.data.objects["Cube"].location.x') == 7
        reach(window, "end")
        assert ended_well(peer).said == [[["Camera", "Cube", "Mine"], 7], digest]


def test_a_file_goes_on_in_the_room_it_was_saved_in(window: Window, start_peer: StartPeer, tmp_path: Path) -> None:
    path = str(tmp_path / "home.blend")  # GUI11
    script = """
        session.settle()
        session.barrier("saved", 2)
        while len(session.members) > 1:
            session.pump(0.1)
        bpy.data.objects["Light"].location.z = 9
        session.settle()
        say("edited")
        session.barrier("back", 2)
        session.settle()
        say([bpy.data.objects["Cube"].location.x, bpy.data.objects["Light"].location.z, session.digest()])
        session.barrier("end", 2)
    """
    with Broadcaster() as server:
        window.run(f'{PREFERENCES}.server = "{server.address}"; bpy.ops.mixer.create_room(room="room")')
        window.wait_for(f"session.current() is not None and {AT_REST}")
        peer = start_peer(server, script)
        reach(window, "saved")
        window.run(f"bpy.ops.wm.save_as_mainfile(filepath={path!r}); bpy.ops.mixer.leave_room()")
        window.run('bpy.data.objects["Cube"].location.x = 4; bpy.ops.wm.save_mainfile()')
        peer.wait_for('"edited"')
        window.run(f"bpy.ops.wm.open_mainfile(filepath={path!r}, load_ui=False)")
        window.run("show_tab()")
        assert window.run("__import__('bl_ext.user_default.mixer.resume',fromlist=['x']).carried().room") == "room"
        assert window.run("bpy.ops.mixer.go_on()") == ["FINISHED"]
        window.wait_for(f"session.current() is not None and {AT_REST}")
        reach(window, "back")
        placed = "[bpy.data.objects['Cube'].location.x, bpy.data.objects['Light'].location.z]"
        seen = [*window.run(placed), window.run("session.current().digest()")]
        assert window.run("session.current().stats.echoes") == 0
        reach(window, "end")
        assert ended_well(peer).said == ["edited", seen]
        assert seen[:2] == [4, 9]


KILLED: Final = """
import os, sys
from pathlib import Path
from tests.gui.window import Window
with Window(Path(sys.argv[1])) as window:
    print(window.display, window.run("__import__('os').getpid()"), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_window_ends_with_its_tests_also_when_they_are_killed(home: Path) -> None:  # GUI7
    tests = subprocess.run([sys.executable, "-c", KILLED, str(home)], cwd=ROOT, capture_output=True, text=True)
    display, blender = map(int, tests.stdout.split())
    assert tests.returncode == -signal.SIGKILL
    wait_until_gone(blender)
    wait_until(lambda: not lock_of(display).exists(), "the display is still there")
