"""Two who cannot hear each other add to the same things: in the end all of it is there."""

from __future__ import annotations

from pathlib import Path

from .processes import Broadcaster, in_step, run_together

BEGIN = """
D = bpy.data
def meet(step):  # by files: the room cannot tell them while they are away
    mine, other = ("host", "joiner") if os.environ["PEER"] == "host" else ("joiner", "host")
    open(os.path.join({folder!r}, mine + step), "w").close()
    while not os.path.exists(os.path.join({folder!r}, other + step)):
        session.pump(0.05)
if os.environ["PEER"] == "host":
    cube = D.objects["Cube"]
    for name in "ABC":
        cube.modifiers.new(name, "BEVEL")
    cube.keyframe_insert("location", frame=1)
    bpy.context.scene.collection.children.link(D.collections.new("Group"))
session.settle()
session.barrier("made", 2)
session.settle()
meet("made")
session.disconnect()
session.pump(0.3)
meet("away")
cube, group, tree = D.objects["Cube"], D.collections["Group"], D.materials["Material"].node_tree
"""
EACH = """
mine = os.environ["PEER"]
cube.modifiers.new(mine, "SUBSURF")
cube.constraints.new("COPY_LOCATION").name = mine
cube.vertex_groups.new(name=mine)
cube[mine] = 1
for name in (mine, "Same"):
    tree.nodes.new("ShaderNodeMath").name = name
group.objects.link(D.objects.new(mine, None))
group.children.link(D.collections.new(mine))
"""
END = """
session.pump(0.3)
meet("done")
session.reconnect()
session.settle()
session.barrier("back", 2)
session.pump(3)  # names that clash are settled
session.settle()
session.barrier("end", 2)
session.settle()
def curves_of(action):
    return action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves
curves = curves_of(cube.animation_data.action)
say([
    [one.name for one in cube.modifiers],
    sorted(one.name for one in cube.constraints),
    sorted(one.name for one in cube.vertex_groups),
    sorted(name for name in cube.keys() if name in ("host", "joiner")),
    sorted(one.name for one in tree.nodes if one.type == "MATH"),
    sorted(group.objects.keys()),
    sorted(group.children.keys()),
    sorted({one.data_path for one in curves}),
    [len(one.keyframe_points) for one in curves if one.data_path == "location"],
    sorted({one.data_path for one in curves_of(D.objects["Light"].animation_data.action)}),
])
"""
HOST = """
D.objects["Light"].keyframe_insert("location", frame=1)
cube.modifiers.move(0, 2)
cube.keyframe_insert("rotation_euler", frame=5)
for frame in (20, 30):
    cube.keyframe_insert("location", frame=frame)
"""
JOINER = """
D.objects["Light"].keyframe_insert("scale", frame=1)
cube.modifiers.move(2, 0)
cube.keyframe_insert("scale", frame=5)
cube.keyframe_insert("location", frame=40)
"""


def test_what_two_add_to_the_same_things_at_once_is_all_there(tmp_path: Path) -> None:  # PEER15
    begin = BEGIN.format(folder=str(tmp_path))
    with Broadcaster() as server:
        ended = run_together(
            server, tmp_path, *(begin + own + EACH + END for own in (HOST, JOINER)), "--timeout", "120"
        )
    in_step(*ended)
    assert ended[0].said[-1] == ended[1].said[-1]
    modifiers, *named, curves, keys, first = ended[0].said[-1]
    assert sorted(modifiers) == ["A", "B", "C", "host", "joiner"]
    assert modifiers.index("C") < modifiers.index("B")  # moved by the joiner, to the front
    both = ["host", "joiner"]
    assert named == [both, both, both, ["Same", "Same.001", *both], both, both]
    assert curves == ["location", "rotation_euler", "scale"]
    assert keys in ([3, 3, 3], [2, 2, 2])  # of one curve the later one's, whole
    assert first in (["location"], ["scale"])  # and of two actions for one thing
