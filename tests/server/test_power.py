"""The power goes: whatever is left of the files, it opens, says what is gone, and gets back what members still have.

The files are put back, cut anew and opened again many times, in one process; tests/server/test_durable.py cuts those of
real ones. Disks take real time, so the clock is real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import pytest
import trio

from broadcaster import wire
from broadcaster.member import Member
from broadcaster.protocol import member_id
from broadcaster.store import blobs, packs
from broadcaster.store.sqlite import SqliteStore
from broadcaster.wire import Assembly, Message, Piece, sha_of

from .guests import Arena, serving

CUTS: Final = 30  # for each test
EARLY: Final = 30  # edits that are older than what members offer again
LATE: Final = 30
NOW: Final = 1000.0  # s; late edits are a moment old then, early ones an hour
SECRETS: Final = ("a secret of ann's own words", "a secret of bob's own words")
ROOMS: Final = ("rooms.db", "rooms.db-wal")
KINDS: Final = ("packs", "blobs")
GONE: Final = ("room 'r' is gone", "a room whose name cannot be read is gone", "all rooms are gone")
SECTOR_BYTES: Final = 512
SIZES: Final = (0, 100, 20_000, 200_000)
PLAIN: Final = pytest.mark.skipif(
    wire.IS_COMPILED, reason="people of before are deep copies, which compiled objects refuse"
)


@dataclass
class Person:
    """A member with all that it keeps over a lost connection."""

    secret: str
    time: float = NOW - 3600
    blobs: dict[str, bytes] = field(default_factory=dict)
    joined: Message = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.member = Member(member_id(self.secret), clock=self.clock)

    def clock(self) -> float:
        return self.time

    async def come(self, arena: Arena) -> None:
        """Joins, or joins again, and offers what it has; returns when all is answered."""
        self.guest = await arena.visit(self.secret)
        known = {"epoch": self.joined["epoch"], "revision": self.member.revision} if self.joined else {}
        join = {"type": "join", "room": "r", "name": "someone", "secret": self.secret, "create": "if-missing"}
        await self.guest.say(join | known)
        self.joined = await self.guest.hear("joined")
        again = self.member.begin(self.joined)
        self.line = await arena.attach(self.guest)
        await self._offer(again)
        await self.settle()

    async def edit(self, name: str, data: bytes | None) -> None:
        tree: dict[str, Any] = {"text": name * 20}
        if data is not None:
            self.blobs[sha_of(data)] = data
            tree["of"] = {"$": "blob", "sha": sha_of(data), "size": len(data)}
        message = self.member.edit([[name, ["create", "notes", tree]]])
        assert message is not None
        await self._offer([message])
        await self.settle()

    async def _offer(self, messages: list[Message]) -> None:
        text = str(messages)
        await self.line.say({"type": "has", "shas": [sha for sha in self.blobs if sha in text]})
        for sha in (await self.line.hear("missing"))["shas"]:
            await self.line.write(b"".join(map(wire.encode_piece, wire.pieces(sha, self.blobs[sha]))))
        await self.guest.say(*messages)

    async def settle(self, revision: int = 0) -> None:
        while self.member.pending or not self.member.ready or self.member.revision < revision:
            message = await self.guest.next()
            if message["type"] in ("records", "ready", "tx", "ack", "reject"):
                self.member.receive([message])


@dataclass(frozen=True)
class Left:
    """What is there when the power goes: files, and the members with what they hold."""

    directory: Path
    files: dict[Path, bytes]
    people: list[Person]
    early: frozenset[str]
    late: frozenset[str]
    shas: dict[str, str]  # of the blobs that edits name

    def lay(self, *, believed: bool) -> None:
        """Puts everything back. Unless it is `believed`, the machine was started anew meanwhile."""
        for file in self.directory.rglob("*"):
            if file.is_file() and file not in self.files:
                file.unlink()
        for file, data in self.files.items():  # in place: the head is known by its inode
            file.write_bytes(data if believed or file.name != "head" else b"")


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    directory = tmp_path_factory.mktemp("power") / "data"
    monkeypatch = pytest.MonkeyPatch()
    people, chance = [Person(secret) for secret in SECRETS], Random(1)

    shas: dict[str, str] = {}

    async def live(names: list[str]) -> dict[Path, bytes]:
        monkeypatch.setattr(packs, "PACK_BYTES", 30_000)
        monkeypatch.setattr(packs, "AHEAD_BYTES", 1000)
        monkeypatch.setattr(blobs, "LARGE_BYTES", 100_000)
        store = SqliteStore(directory)
        async with serving(store) as arena:
            for one in people:
                await one.come(arena)
            for place, name in enumerate(names):
                data = chance.randbytes(chance.choice(SIZES)) if place % 3 == 0 else None
                await people[place % 2].edit(name, data)
                if data is not None:
                    shas[name] = sha_of(data)
            files = {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()}
        store.close()
        return files

    early, late = ([f"{when}{number}" for number in range(many)] for when, many in (("early", EARLY), ("late", LATE)))
    run(live, early)
    for one in people:
        one.time = NOW - 10
    files = run(live, late)
    monkeypatch.undo()
    for one in people:
        one.time = NOW
    return Left(directory, files, people, frozenset(early), frozenset(late), shas)


def run(main: Any, *arguments: Any) -> Any:
    async def within_limit() -> Any:
        with trio.fail_after(300):
            return await main(*arguments)

    return trio.run(within_limit)


def cuts(chance: Random, names: tuple[str, ...], left: Left) -> Iterator[tuple[Path, int]]:
    """Cuts some of these files: which, and how much is left of each."""
    for name in chance.sample(names, chance.randint(1, len(names))):
        file = left.directory / name
        size = chance.randrange(len(left.files[file]))
        file.write_bytes(left.files[file][:size])
        yield file, size


def spoils(chance: Random, names: tuple[str, ...], left: Left) -> Iterator[tuple[Path, int]]:
    """Writes something else, or nothing, over sectors of some of these files: which, and where."""
    for name in chance.sample(names, chance.randint(1, len(names))):
        file = left.directory / name
        data = left.files[file]
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data) // SECTOR_BYTES) * SECTOR_BYTES
            sector = chance.choice((bytes(SECTOR_BYTES), chance.randbytes(SECTOR_BYTES)))
            data = data[:place] + sector + data[place + SECTOR_BYTES :]
            yield file, place
        file.write_bytes(data)


Harm: TypeAlias = Callable[[Random, tuple[str, ...], Left], Iterator[tuple[Path, int]]]


async def open_again(left: Left, people: list[Person]) -> tuple[list[str], set[str], dict[str, str]]:
    """What it says, what the room holds once everybody is back, and the blobs that it has of what it names."""
    store = SqliteStore(left.directory)
    async with serving(store) as arena:
        held: set[str] = set()
        if "r" in arena.server.rooms.hosts:
            held = set(arena.server.rooms.hosts["r"].room.document)
        for one in people:
            await one.come(arena)
        room = arena.server.rooms.hosts["r"].room
        for one in people:
            await one.settle(room.revision)
        there = set(room.document)
        shas = {
            uuid: entity.tree["of"]["sha"]
            for uuid in there
            if (entity := room.document.get(uuid)) and "of" in entity.tree
        }
        blobs = {uuid: sha for uuid, sha in shas.items() if await verified(arena, people[0], sha)}
        assert not held - there
    store.close()
    return list(store.findings), there, blobs


async def verified(arena: Arena, person: Person, sha: str) -> bool:
    await person.line.say({"type": "get", "shas": [sha]})
    assembly = Assembly()
    while isinstance(message := await person.line.next(), Piece):
        if (blob := assembly.add(message)) is not None:
            return blob[0] == sha
    return False


@PLAIN
@pytest.mark.parametrize("believed", [True, False])
@pytest.mark.parametrize("harm", [cuts, spoils])
def test_rooms_that_are_cut_anywhere_get_back_the_last_minute(
    left: Left, believed: bool, harm: Harm
) -> None:  # STORE17
    chance, whole = Random(believed), 0
    for _ in range(CUTS):
        left.lay(believed=believed)
        made = list(harm(chance, ROOMS, left))
        people = deepcopy(left.people)
        epoch = people[0].joined["epoch"]
        findings, there, blobs = run(open_again, left, people)
        if people[0].joined["epoch"] == epoch:
            assert (findings, there) == ([], left.early | left.late), made
        elif any(one.endswith(GONE) for one in findings):
            assert there == set()  # to whom it is a room of the same name, no more
        else:
            assert left.late <= there, (made, findings)
            assert "new epoch" in findings[-1], made
            assert there >= left.early or any("is read up to" in one for one in findings), made
            whole += 1
        assert len({one.member.confirmed.digest() for one in people}) == 1
        assert not [one for one in people if one.member.overruled]
        assert blobs == {uuid: sha for uuid, sha in left.shas.items() if uuid in there}
        again, still, _ = run(open_again, left, people)
        assert (again, still) == ([], there), made
    assert whole > CUTS / 4  # most cuts leave something


@PLAIN
def test_blobs_that_are_cut_anywhere_are_gone_or_whole(left: Left) -> None:  # STORE17
    chance = Random(3)
    files = {
        kind: [str(file.relative_to(left.directory)) for file in left.files if kind in file.parts] for kind in KINDS
    }
    newest = max(files["packs"], key=lambda name: int(Path(name).name))
    for _ in range(CUTS):
        left.lay(believed=False)
        made = list(cuts(chance, (*files["packs"], *files["blobs"]), left))
        people = deepcopy(left.people)
        findings, there, found = run(open_again, left, people)
        assert there == left.early | left.late, made
        for uuid, sha in left.shas.items():
            assert found.get(uuid, sha) == sha
        spoilt = {str(file.relative_to(left.directory)) for file, _ in made}
        whole = {uuid: sha for uuid, sha in left.shas.items() if f"blobs/{sha[:2]}/{sha}" not in spoilt}
        if not spoilt & set(files["packs"]):
            assert found == whole, made
        elif len(found) < len(whole):
            assert any("is damaged" in one for one in findings) or newest in spoilt, made
