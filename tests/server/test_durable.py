"""What was acknowledged is kept: real processes that are killed, whose files are cut, whose disk is full."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from broadcaster.errors import Refused
from broadcaster.remote import RemoteRoom
from broadcaster.wire import sha_of

from .processes import COMMAND_SECONDS, Broadcaster, broadcaster
from .writers import Artist, Writer, content, writing

KILLS: Final = 20  # in one story
STORIES: Final = int(os.environ.get("MIXER_KILL_STORIES", "1"))


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


@pytest.mark.parametrize("story", range(STORIES))
def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path, story: int) -> None:  # STORE1
    chance = random.Random(story)
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


@pytest.fixture
def artist() -> Iterator[Callable[[], Artist]]:
    """Makes members of room "r", whose connections are closed at the end."""
    with ExitStack() as stack:

        def made() -> Artist:
            one = Artist("r")
            stack.callback(one.leave)
            return one

        yield made


def make(name: str, text: str = "") -> list[Any]:
    return [name, ["create", "notes", {"text": text}]]


@contextmanager
def kept(directory: Path) -> Iterator[tuple[Broadcaster, list[str]]]:
    """A broadcaster on `directory`, and what it said of it when it started."""
    said = directory.with_name("said")
    with broadcaster("--data", str(directory), said=said) as server:
        yield server, [line for line in said.read_text().splitlines() if line.startswith("found: ")]


def test_members_go_on_after_a_restart_as_if_nothing_had_been(
    artist: Callable[[], Artist], tmp_path: Path
) -> None:  # STORE2
    ann, bob = artist(), artist()
    with kept(tmp_path / "data") as (server, _):
        for one in (ann, bob):
            one.join(server)
        ann.edit(make("a"))
        ann.settle()
        bob.hear_until(lambda: "a" in bob.member.confirmed)
        ann.edit(make("unanswered"))
        bob.hear_until(lambda: "unanswered" in bob.member.confirmed)  # ann has not read the answer
        kill(server)
    epoch = ann.joined["epoch"]
    with kept(tmp_path / "data") as (server, said):
        assert said == []
        bob.join(server)
        bob.edit(make("b"))
        bob.settle()
        assert len(ann.join(server)) == 1
        assert (ann.joined["epoch"], ann.joined["since"], ann.joined["answered"]) == (epoch, "changes", 2)
        ann.settle()
        assert sorted(ann.member.confirmed) == ["a", "b", "unanswered"]
        assert ann.member.revision == bob.member.revision == 3
        assert not ann.member.overruled
        for one in (ann, bob):
            one.leave()
        assert server.stop() == 0


def cut(file: Path, chance: random.Random) -> int:
    """Takes a random part off the end of a file; how much."""
    size = file.stat().st_size
    left = chance.randrange(size)
    os.truncate(file, left)
    return size - left


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["rooms.db-wal", "rooms.db"])
def test_a_room_whose_end_is_cut_off_says_so_and_gets_it_back(
    artist: Callable[[], Artist], tmp_path: Path, name: str, seed: int
) -> None:  # STORE10
    data = tmp_path / "data"
    ann = artist()
    with kept(data) as (server, _):
        ann.join(server)
        for number in range(20):
            ann.edit(make(f"early{number}", "x" * 500))
        ann.settle()
        ann.leave()
        assert server.stop() == 0
    with kept(data) as (server, _):
        ann.join(server)
        for number in range(20):
            ann.edit(make(f"late{number}", "x" * 500))
            ann.settle()
        kill(server)
    cut(data / name, random.Random(seed))
    before = ann.member.confirmed.digest()
    epoch = ann.joined["epoch"]
    with kept(data) as (server, said):
        gone = any(" gone" in line for line in said)
        ann.join(server)
        ann.settle()
        if ann.joined["epoch"] == epoch:
            assert said == []  # the log held all that was cut off
        else:
            assert any("new epoch" in line for line in said)
        if not gone:
            assert ann.member.confirmed.digest() == before  # all it sent was of the last minute
            assert not ann.member.overruled
        kill(server)
    with kept(data) as (server, said):  # and from now on all is well
        assert said == []
        late = artist()
        late.join(server)
        assert late.member.confirmed.digest() == ann.member.confirmed.digest()


@pytest.mark.parametrize("seed", range(3))
def test_blobs_whose_file_is_cut_are_gone_and_the_others_are_there(tmp_path: Path, seed: int) -> None:  # STORE11
    data = tmp_path / "data"
    writer = Writer("r", seed)
    with kept(data) as (server, _):
        with writing(server, [writer]):
            while len(writer.acknowledged) < 100:
                time.sleep(0.01)
        assert server.stop() == 0
    (pack,) = (data / "packs").iterdir()
    cut(pack, random.Random(seed))
    with kept(data) as (server, said):
        assert any("packs/1 is damaged" in line for line in said)
        assert not any("epoch" in line for line in said)
        with RemoteRoom((server.host, server.port), "r", create=False, role="editor") as room:
            missing = list(room.blobs.missing(sorted(set(writer.shas.values()))))
            whole = sorted(set(writer.shas.values()) - set(missing))
            assert [sha for sha, _ in room.blobs.fetch(whole)] == whole
            room.leave()


def test_a_copy_of_a_directory_goes_on_in_a_new_epoch(artist: Callable[[], Artist], tmp_path: Path) -> None:  # STORE12
    ann = artist()
    with kept(tmp_path / "data") as (server, _):
        ann.join(server)
        ann.edit(make("a"))
        ann.settle()
        ann.leave()
        assert server.stop() == 0
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    with kept(tmp_path / "copy") as (server, said):
        assert any("new epoch" in line for line in said)
        assert ann.join(server) == []  # nothing is missing there
        assert sorted(ann.member.confirmed) == ["a"]


def test_on_a_full_disk_rooms_are_read_only_until_there_is_space(
    artist: Callable[[], Artist], tmp_path: Path
) -> None:  # STORE13
    data = tmp_path / "data"
    ann, bob, cid = artist(), artist(), artist()
    with kept(data) as (server, _):
        ann.join(server)
        bob.join(server)
        ann.edit(make("a"))
        ann.settle()
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, ((data / "rooms.db-wal").stat().st_size, limits[1]))
        ann.edit(make("b", "x" * 100_000))
        for one in (ann, bob):
            one.hear_until(lambda one=one: one.notices)
            assert "cannot write to its disk" in str(one.notices[0])
        with pytest.raises(Refused, match="cannot write to its disk") as refusal:
            cid.join(server)
        assert refusal.value.retry
        assert ann.member.pending
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        ann.settle()
        bob.hear_until(lambda: "b" in bob.member.confirmed)
        assert ann.notices[1:] == bob.notices[1:] == [None]
        cid.join(server)
        assert sorted(cid.member.confirmed) == ["a", "b"]
        kill(server)
    with kept(data) as (server, said):
        assert said == []
        ann.join(server)
        assert sorted(ann.member.confirmed) == ["a", "b"]


def test_on_a_full_disk_blobs_wait_until_there_is_space(tmp_path: Path) -> None:  # STORE13
    blob = os.urandom(300_000)
    with (
        kept(tmp_path / "data") as (server, _),
        RemoteRoom((server.host, server.port), "r", create=True, role="editor") as room,
    ):
        room.content()
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (100_000, limits[1]))
        room.blobs.store(blob)
        assert "cannot write to its disk" in room.hear("notice")["reason"]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        assert room.hear("notice")["reason"] is None
        assert list(room.blobs.missing([sha_of(blob)])) == []
