"""What was acknowledged is kept: real processes that are killed, whose files are cut, whose disk is full."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Final

from .processes import COMMAND_SECONDS, Broadcaster, broadcaster
from .writers import Writer, content, writing

KILLS: Final = int(os.environ.get("MIXER_KILLS", "20"))


def kill(server: Broadcaster) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(COMMAND_SECONDS)


def check(server: Broadcaster, writers: list[Writer]) -> None:
    """Every acknowledged transaction is there, at its revision, and nothing else but what is not answered yet."""
    found, shas = content(server, "r")
    told = {uuid: revision for writer in writers for uuid, revision in writer.acknowledged.items()}
    assert told.items() <= found.items()
    asked = {message["deltas"][0][0] for writer in writers for message in writer.pending}
    assert found.keys() - told.keys() <= asked
    assert sorted(found.values()) == list(range(1, len(found) + 1))  # each transaction once, none in between
    assert {
        uuid: sha for writer in writers for uuid, sha in writer.shas.items() if uuid in told
    }.items() <= shas.items()


def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:  # STORE1
    chance = random.Random(1)
    writers = [Writer("r", seed) for seed in range(3)]
    for _ in range(KILLS):
        with broadcaster("--data", str(tmp_path)) as server:
            if any(writer.acknowledged for writer in writers):
                check(server, writers)
            before = sum(len(writer.acknowledged) for writer in writers)
            with writing(server, writers) as ending:
                while sum(len(writer.acknowledged) for writer in writers) == before:
                    time.sleep(0.001)  # at least something is under way
                time.sleep(chance.uniform(0.0, 0.3))
                ending.set()
                kill(server)
    with broadcaster("--data", str(tmp_path)) as server:
        check(server, writers)
