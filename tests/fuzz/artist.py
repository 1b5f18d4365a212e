"""One of several people at work, by chance: what they do, step by step. Runs in a peer of a room."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from random import Random
from typing import Any, Final

import bpy

from mixer import session as sessions
from mixer.proxy.mirror import Mirror
from tests.blender.roundtrip import mismatches

from . import deeds, legal
from .deeds import animation, data, datablocks, nodes, operators, register

# What an edit that does not fit raises: nothing was there to be edited, or Blender refused.
REFUSED: Final = (RuntimeError, TypeError, ValueError, AttributeError, LookupError, ReferenceError)
PUMPS: Final = (0.0, 0.0, 0.0, 0.0, 0.02, 0.05, 0.1)
MANY: Final = 80  # objects: where there are as many, none are made
LEAVING: Final = frozenset({"collection", "object", "purge", "remove", "scene"})  # or one is in a mode out of sight
MAKING: Final = frozenset({"add", "new"})
REST_SECONDS: Final = 3.0  # longer than names that clash take to be settled by another
TOLD: Final = 20
STARTING: Final = (
    datablocks.new,
    datablocks.new_typed,
    nodes.use_nodes,
    nodes.add_node,
    animation.keyframe,
    data.image,
)


class Artist:
    """What `peer` of `peers` does in a story is settled by seed, peer and step alone."""

    def __init__(self, session: Any, folder: Path, *, seed: int, peer: int, peers: int, edits: int, only: str) -> None:
        self.session = session
        self.folder = folder
        self.seed, self.peer, self.peers = seed, peer, peers
        self.edits = edits
        self.kinds = [kind for kind in deeds.KINDS if kind in only.split(",") or not only]
        self.journal = (folder / f"{peer}.journal").open("w", buffering=1)
        self.done = self.refused = 0
        self.away = 0  # steps until the connection is there again

    def play(self) -> dict[str, Any]:
        """The whole story; what became of it."""
        if self.peer == 0:
            self.begin()
        self.together("begun")
        bpy.ops.ed.undo_push(message="begin")
        for step in range(self.edits):
            self.step(step, Random(f"{self.seed} {self.peer} {step}"))
        self.tell("end", "", "")
        if self.away:
            self.session.reconnect()
        self.object_mode()
        return self.end()

    def begin(self) -> None:
        """Something of everything, so that there is something to edit."""
        chance = Random(f"{self.seed} begin")
        for path in operators.OPERATORS["add"].operators.split():
            with contextlib.suppress(*REFUSED):
                legal.operator(path)("EXEC_DEFAULT", location=register.vector(chance))
        for name in STARTING:
            for _ in range(8):
                with contextlib.suppress(*REFUSED):
                    name(chance)

    def together(self, moment: str) -> None:
        self.session.settle(timeout=300)
        self.session.barrier(moment, self.peers, timeout=600)
        self.session.settle(timeout=300)

    def step(self, step: int, chance: Random) -> None:
        kind = chance.choices(self.kinds, [deeds.WEIGHTS.get(kind, 1.0) for kind in self.kinds])[0]
        pump, push, travel, leave_mode = chance.choice(PUMPS), chance.random(), chance.random(), chance.random()
        if kind in MAKING and len(bpy.data.objects) > MANY:
            kind = "remove"
        if leave_mode < 0.8 or kind in LEAVING or bpy.context.mode == "OBJECT":
            self.object_mode()
        self.note(f"{step} {kind}:")
        try:
            told = deeds.do(chance, kind, self.note)
            self.done += 1
        except REFUSED as exc:
            told = f"refused: {' '.join(str(exc).split())[:120]}"
            self.refused += 1
        self.journal.write(f"{told}\n")
        if push < 0.3:
            self.object_mode()
            bpy.ops.ed.undo_push(message=f"step {step}")
        elif push < 0.34:
            self.undo(chance)
        if self.away:
            self.away -= 1
            if not self.away:
                self.tell(step, "reconnect", "")
                self.session.reconnect()
        elif travel < 0.01:
            self.away = chance.randint(1, 10)
            self.tell(step, "disconnect", "")
            self.session.disconnect()
        if pump:
            self.session.pump(pump)

    def undo(self, chance: Random) -> None:
        self.object_mode()
        for _ in range(chance.randint(1, 4)):
            name = chance.choice(("undo", "undo", "redo"))
            self.note(f"  {name}:")
            try:
                getattr(bpy.ops.ed, name)()
                self.journal.write("done\n")
            except RuntimeError as exc:
                self.journal.write(f"refused {exc}\n")
            if chance.random() < 0.5:
                self.session.pump(0.02)

    def object_mode(self) -> None:
        """Leaves every mode, also of objects that are out of sight: by the API one gets there."""
        if bpy.context.mode != "OBJECT":
            with contextlib.suppress(RuntimeError):
                bpy.ops.object.mode_set(mode="OBJECT")
        for scene in bpy.data.scenes:
            for layer in scene.view_layers:
                active = layer.objects.active
                for one in [one for one in layer.objects if one is not None and one.mode != "OBJECT"]:
                    layer.objects.active = one  # the operator asks the layer, whatever the context says
                    here = bpy.context.temp_override(scene=scene, view_layer=layer, active_object=one, object=one)
                    with here, contextlib.suppress(RuntimeError):
                        bpy.ops.object.mode_set(mode="OBJECT")
                layer.objects.active = active
        for one in [one for one in bpy.data.objects if one.mode != "OBJECT"]:
            self.leave_elsewhere(one)

    def leave_elsewhere(self, one: Any) -> None:
        """Leaves the mode of an object that no view layer has, or that is hidden there."""
        scene = bpy.data.scenes.new("leaving")
        scene.collection.objects.link(one)
        layer = scene.view_layers[0]
        layer.objects.active = one
        here = bpy.context.temp_override(scene=scene, view_layer=layer, object=one, active_object=one)
        with bpy.context.temp_override(window=None), here, contextlib.suppress(RuntimeError):
            bpy.ops.object.mode_set(mode="OBJECT")
        bpy.data.scenes.remove(scene)

    def note(self, text: str) -> None:
        self.journal.write(f"{text} ")
        self.journal.flush()

    def tell(self, *words: object) -> None:
        self.journal.write(" ".join(map(str, words)) + "\n")

    def end(self) -> dict[str, Any]:
        """All comes to rest; what the mirror is like then."""
        self.together("played")
        self.session.pump(REST_SECONDS)
        self.together("rested")
        self.session.pump(0.5)
        self.together("ended")
        here = sessions.current()
        assert here is not None
        unsent = dirt(here.mirror)
        (self.folder / f"{self.peer}.document.json").write_text(json.dumps(documents(here), indent=1, sort_keys=True))
        return {
            "digest": self.session.digest(),
            "unsent": unsent[:TOLD],
            "done": self.done,
            "refused": self.refused,
            "not_shown": mismatches(here.mirror, here.member.confirmed)[:200],
        }


def dirt(mirror: Mirror) -> list[str]:
    """What a full look finds that nobody edited: it should be nothing."""
    return [str(delta)[:300] for delta in (*mirror.scan(), *mirror.collect(list(mirror.entries)))]


def documents(here: sessions.Session) -> dict[str, Any]:
    confirmed = here.member.confirmed
    return {uuid: entity.tree for uuid in confirmed if (entity := confirmed.get(uuid)) is not None}


def play(session: Any) -> None:
    """What the script of a peer calls: the story is told in the environment."""
    told = json.loads(os.environ["STORY"])
    folder = Path(told.pop("folder"))
    if told["peer"] == 0:
        print("SHARING", flush=True)
    session.barrier("here", told["peers"], timeout=300)
    artist = Artist(session, folder, **told)
    started = time.monotonic()
    ended = artist.play() | {"seconds": round(time.monotonic() - started, 1)}
    (folder / f"{told['peer']}.end.json").write_text(json.dumps(ended, indent=1))
