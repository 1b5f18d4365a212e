"""`python -m broadcaster`, as people and programs run it."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster import archive, commands
from broadcaster.document import Document
from broadcaster.errors import Refused
from broadcaster.remote import RemoteRoom
from broadcaster.tree import ref
from broadcaster.wire import sha_of

from .processes import COMMAND_SECONDS, Broadcaster, broadcaster, command

DATA = bytes(range(256)) * 600
FILE = {"$": "blob", "sha": sha_of(DATA), "size": len(DATA)}


def one_line(text: str) -> str:
    """What standard error says must be one sentence."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


@pytest.fixture(scope="module")
def server() -> Iterator[Broadcaster]:
    with broadcaster() as running:
        yield running


def fill(server: Broadcaster, room: str) -> None:
    """A room whose entities name one another in a circle, and a blob."""
    with RemoteRoom((server.host, server.port), room, create=True, role="editor") as remote:
        remote.content()
        remote.blobs.store(DATA)
        made = [["image", ["create", "images", {"file": FILE}]], ["a", ["create", "objects", {}]]]
        circle = [["b", ["create", "objects", {"of": ref("a", strong=True), "image": ref("image")}]]]
        remote.edit([made, circle, [["a", ["patch", {"of": ["put", ref("b", strong=True)]}]]]])
        remote.leave()


def test_it_says_where_it_listens_and_is_well(server: Broadcaster) -> None:  # CLI1
    with urllib.request.urlopen(f"{server.http}/health") as answer:
        assert json.load(answer)["status"] == "ok"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_asked(ending: signal.Signals) -> None:  # CLI2
    with broadcaster() as running:
        fill(running, "r")
        running.process.send_signal(ending)
        assert running.process.wait(COMMAND_SECONDS) == 0


def test_it_ends_with_its_standard_input_if_that_is_asked() -> None:  # CLI3
    with broadcaster("--end-with-stdin") as running:
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.process.wait(COMMAND_SECONDS) == 0


def test_without_a_place_to_keep_rooms_it_says_so(server: Broadcaster) -> None:  # CLI4
    process = subprocess.Popen(
        [*server.process.args[:3], "serve", "--port", "0", "--http-port", "0", "--end-with-stdin"],  # type: ignore[index]
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _, said = process.communicate("", COMMAND_SECONDS)
    assert "in memory only" in one_line(said)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["serve", "--host", "0.0.0.0"], "--insecure"),
        (["serve", "--host", "no.such.host.invalid"], ""),
        (["serve", "--data", __file__], "cannot be kept in"),
        (["serve", "--store", "sqlite"], "needs a directory"),
        (["serve", "--store", "memory", "--data", "somewhere"], "leave out --data"),
        (["serve", "--store", "redis://somewhere"], "there is no store"),
        (["rooms", "--server", "127.0.0.1:1"], "no broadcaster at 127.0.0.1:1"),
        (["import", __file__, "r"], "is not a room"),
        (["import", "/nowhere.mixroom", "r"], "/nowhere.mixroom"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(arguments: list[str], why: str) -> None:  # CLI5
    done = command(*arguments)
    assert done.returncode == 1
    assert why in one_line(done.stderr)
    assert one_line(done.stderr).startswith("error: ")


def test_a_port_in_use_is_told(server: Broadcaster) -> None:  # CLI6
    done = command("serve", "--port", str(server.port), "--http-port", "0")
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{server.port}" in one_line(done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["serve", "--port", "70000"], ["serve", "--port", "x"], ["rooms", "--server", "nowhere"]],
)
def test_wrong_arguments_exit_with_2(arguments: list[str]) -> None:  # CLI7
    assert command(*arguments).returncode == 2


@pytest.mark.parametrize("arguments", [[], ["serve"], *([name] for name in commands.COMMANDS)])
def test_every_command_has_help(arguments: list[str]) -> None:  # CLI8
    done = command(*arguments, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage:" in done.stdout


def test_rooms_are_listed_for_people_and_programs(server: Broadcaster) -> None:  # CLI9
    fill(server, "listed")
    people = command("rooms", "--server", server.address)
    assert people.stdout.splitlines()[0].split() == ["name", "revision", "members", "entities", "bytes"]
    rooms = json.loads(command("rooms", "--server", server.address, "--json").stdout)
    (room,) = [room for room in rooms if room["name"] == "listed"]
    assert (room["revision"], room["members"], room["entities"]) == (3, 0, 3)


def digest_of(file: Path) -> str:
    with archive.Archive(file) as read:
        document = Document()
        document.load(read.records)
        return document.digest()


def test_a_room_goes_to_a_file_and_comes_back(server: Broadcaster, tmp_path: Path) -> None:  # CLI10
    fill(server, "there")
    one, two = tmp_path / "one.mixroom", tmp_path / "two.mixroom"
    assert command("export", "--server", server.address, "there", str(one)).returncode == 0
    with broadcaster() as another:
        done = command("import", "--server", another.address, str(one), "back")
        assert (done.returncode, done.stderr) == (0, "")
        assert command("export", "--server", another.address, "back", str(two)).returncode == 0
    assert digest_of(one) == digest_of(two)
    with archive.Archive(two) as file:
        assert file.blob(FILE["sha"]) == DATA  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.mixroom", "two.mixroom"]


def test_a_room_is_never_imported_over_another(server: Broadcaster, tmp_path: Path) -> None:  # CLI11
    fill(server, "taken")
    file = tmp_path / "file.mixroom"
    command("export", "--server", server.address, "taken", str(file))
    done = command("import", "--server", server.address, str(file), "taken")
    assert (done.returncode, one_line(done.stderr)) == (1, "error: there is a room 'taken' already")


def test_a_room_that_is_not_there_is_not_exported(server: Broadcaster, tmp_path: Path) -> None:  # CLI12
    done = command("export", "--server", server.address, "nowhere", str(tmp_path / "file.mixroom"))
    assert (done.returncode, one_line(done.stderr)) == (1, "error: there is no room 'nowhere'")
    assert list(tmp_path.iterdir()) == []


def rooms_of(server: Broadcaster) -> dict[str, Any]:
    done = command("rooms", "--server", server.address, "--json")
    return {room["name"]: room for room in json.loads(done.stdout)}


def test_a_room_goes_back_to_a_checkpoint_by_an_ordinary_edit(server: Broadcaster) -> None:  # CLI15
    fill(server, "made")
    assert command("checkpoint", "--server", server.address, "made", "first").returncode == 0
    kept = rooms_of(server)["made@first"]
    assert (kept["frozen"], kept["revision"], kept["entities"]) == (True, 3, 3)
    with RemoteRoom((server.host, server.port), "made", create=False, role="editor") as remote:
        remote.content()
        remote.edit(
            [
                [["a", ["patch", {"of": ["remove"]}]], ["b", ["remove"]], ["c", ["create", "objects", {}]]],
                [["image", ["patch", {"name": ["put", "another"]}]]],
            ]
        )
        remote.leave()
    assert command("back", "--server", server.address, "made", "first").returncode == 0
    assert rooms_of(server)["made"]["revision"] == 6
    digests = set()
    for room in ("made", "made@first"):
        with RemoteRoom((server.host, server.port), room, create=False, role="viewer") as remote:
            document = Document()
            document.load(remote.content()[1])
            digests.add(document.digest())
            remote.leave()
    assert len(digests) == 1
    assert command("back", "--server", server.address, "made", "first").returncode == 0
    assert rooms_of(server)["made"]["revision"] == 6  # nothing to do
    done = command("back", "--server", server.address, "made", "second")
    assert one_line(done.stderr) == "error: there is no room 'made@second'"


def test_a_room_is_forked_and_deleted(server: Broadcaster) -> None:  # CLI16
    fill(server, "source")
    for options in ([], ["--frozen"], ["--temporary"]):
        name = f"fork{options}"
        assert command("fork", "--server", server.address, "source", name, *options).returncode == 0
        made = rooms_of(server)[name]
        assert (made["revision"], made["frozen"], made["keep"]) == (
            3,
            "--frozen" in options,
            "--temporary" not in options,
        )
    done = command("fork", "--server", server.address, "source", "fork[]")
    assert one_line(done.stderr) == "error: there is a room 'fork[]' already"
    assert command("delete", "--server", server.address, "fork[]").returncode == 0
    assert "fork[]" not in rooms_of(server)
    done = command("delete", "--server", server.address, "fork[]")
    assert one_line(done.stderr) == "error: there is no room 'fork[]'"


# The file


def changed(file: Path, name: str, data: bytes | None) -> Path:
    """A copy of `file` with one member replaced or left out."""
    copy = file.with_name("changed.mixroom")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for info in old.infolist():
            content = data if info.filename == name else old.read(info)
            if content is not None:
                new.writestr(info.filename, content)
    return copy


RECORD: dict[str, Any] = {"uuid": "u", "kind": "k", "created": 1, "changed": 1, "creator": "c", "tree": {"file": FILE}}


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("room.json", None, "room.json is missing"),
        ("room.json", b"{", "is not a room"),
        ("room.json", b'{"format": 2}', "of a format that this version does not read"),
        ("room.json", b"x" * 20_000, "20000 bytes long"),
        ("records.jsonl", b"{}\n", "is not a room"),
        ("records.jsonl", b"", "is damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, data: bytes | None, why: str) -> None:  # CLI13
    file = tmp_path / "file.mixroom"
    archive.write(file, "r", 1, [RECORD], [(FILE["sha"], DATA)])  # type: ignore[list-item]
    with pytest.raises(Refused, match=why):
        archive.Archive(changed(file, name, data))


def test_a_damaged_blob_is_refused(tmp_path: Path) -> None:  # CLI13
    file = tmp_path / "file.mixroom"
    archive.write(file, "r", 1, [RECORD], [(FILE["sha"], b"torn")])  # type: ignore[list-item]
    with archive.Archive(file) as read, pytest.raises(Refused, match="not what its name says"):
        read.blob(FILE["sha"])  # type: ignore[arg-type]


def test_entities_are_made_in_transactions_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:  # CLI14
    monkeypatch.setattr(archive, "TRANSACTION_BYTES", 200)
    records = [
        RECORD | {"uuid": str(number), "tree": {"next": ref(str((number + 1) % 50), strong=True), "n": number}}
        for number in range(50)
    ]
    wanted, got = Document(), Document()
    wanted.load(records)
    made = list(archive.transactions(records))
    assert len(made) > 3
    for revision, deltas in enumerate(made, start=1):
        assert not got.apply(deltas, revision=revision, sender="c").dropped
    assert got.digest() == wanted.digest()
