"""Limits that take a server to go over: time, pace, memory. The others are in unit/test_limits.py."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from broadcaster import wire
from broadcaster.errors import Refused
from broadcaster.limits import Limits
from broadcaster.remote import RemoteRoom
from broadcaster.room import Entry, Room
from broadcaster.server.gate import Gate, Visitor
from broadcaster.server.streams import AT_ONCE_BYTES
from broadcaster.store import Log
from broadcaster.store.memory import MemoryStore
from broadcaster.wire import sha_of

from .guests import CUBE, put, serving, tx
from .processes import Broadcaster, broadcaster, command

SECRET = "the secret of this broadcaster"
TEXT = "x" * 1000


async def test_who_says_nothing_before_joining_is_cut_off_after_as_long_as_is_allowed() -> None:  # SERVER5, LIMIT5
    async with serving(limits=Limits(greeting_seconds=5.0)) as arena:
        visitor, began = await arena.visit(), trio.current_time()
        with pytest.raises(EOFError):
            await visitor.next()
        assert math.isclose(trio.current_time() - began, 5.0)


async def test_a_member_that_says_nothing_is_asked_to_come_back() -> None:  # LIMIT5
    async with serving(limits=Limits(idle_seconds=60.0)) as arena:
        ann = await arena.join("ann")
        await trio.sleep(50)
        await ann.say({"type": "ping", "id": 1})
        await trio.sleep(50)
        assert (await ann.hear("pong"))["id"] == 1
        with pytest.raises(Refused, match="nothing was said for 60 s") as refusal:
            await ann.next()
        assert refusal.value.retry


async def test_who_takes_nothing_is_cut_off() -> None:  # LIMIT5
    async with serving(limits=Limits(stalled_seconds=10.0)) as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        ann.stop_reading()
        await bob.say(tx(1, CUBE))
        await bob.hear("ack")
        began = trio.current_time()
        assert (await bob.hear("members"))["left"] == [ann.id]
        assert math.isclose(trio.current_time() - began, 10.0)


async def test_who_stops_amid_a_message_is_asked_to_come_back() -> None:  # LIMIT5
    async with serving(limits=Limits(stalled_seconds=10.0)) as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        blobs, began = await arena.attach(bob), trio.current_time()
        for guest in (ann, blobs):
            await guest.write((1000).to_bytes(4, "big") + b"\0" + b"x" * 500)
            await trio.sleep(9)
            await guest.write(b"x")
        for guest in (ann, blobs):
            with pytest.raises(Refused, match="the rest of a message did not come for 10 s") as refusal:
                await guest.hear("nothing")
            assert refusal.value.retry
        assert trio.current_time() - began < 40
        await bob.say({"type": "ping", "id": 1})
        await bob.hear("pong")


async def test_who_is_faster_than_allowed_is_read_no_faster() -> None:  # LIMIT6
    async with serving(limits=Limits(requests_per_second=10.0)) as arena:
        ann, began = await arena.join("ann"), trio.current_time()
        await ann.say(*({"type": "ping", "id": number} for number in range(110)))
        for number in range(110):
            assert (await ann.hear("pong"))["id"] == number
        assert 9.0 < trio.current_time() - began < 11.0  # ten come at once


async def test_who_has_not_joined_is_read_no_faster_either() -> None:  # LIMIT6, SERVER49
    async with serving(limits=Limits(lobby_requests_per_second=10.0)) as arena:
        await arena.join("ann")
        visitor, began = await arena.visit(), trio.current_time()
        await visitor.say(*[{"type": "rooms"}, {"type": "ping", "id": 1}] * 55)
        for _ in range(55):
            assert [room["name"] for room in (await visitor.hear("rooms"))["rooms"]] == ["r"]
            await visitor.hear("pong")
        assert 9.0 < trio.current_time() - began < 11.0  # ten come at once


class SlowLog(MemoryStore):
    """Takes a second for whatever is appended, and says how much that was at most."""

    def __init__(self) -> None:
        super().__init__(clock=trio.current_time)
        self.most = 0

    async def create(self, name: str, epoch: str, parts: Iterable[bytes] = ()) -> Log:
        log = await super().create(name, epoch, parts)
        append = log.append

        async def slowly(entries: Sequence[Entry]) -> None:
            self.most = max(self.most, sum(len(wire.encode(entry.request)) for entry in entries))
            await trio.sleep(1)
            await append(entries)

        log.append = slowly  # type: ignore[method-assign]
        return log


async def test_what_waits_for_the_log_is_bounded_in_bytes() -> None:  # LIMIT6, SERVER34
    store = SlowLog()
    async with serving(store, limits=Limits(queued_bytes=3 * AT_ONCE_BYTES)) as arena:
        guests = [await arena.join(name) for name in ("ann", "bob")]
        for seq in range(1, 21):
            for guest in guests:
                edit = ["create", "notes", {"text": "x" * AT_ONCE_BYTES}]
                await guest.say(tx(seq, [f"{guest.id}{seq}", edit]))
        for guest in guests:
            while (await guest.hear("ack"))["seq"] < 20:
                pass
    assert 3 * AT_ONCE_BYTES < store.most < 3 * AT_ONCE_BYTES + 2 * (AT_ONCE_BYTES + 300)


async def test_a_room_that_is_as_large_as_it_may_be_only_shrinks() -> None:  # LIMIT3
    async with serving(limits=Limits(room_bytes=5000)) as arena:
        ann = await arena.join("ann")
        for seq in range(1, 10):  # what is sent is more than the room, which stays small
            await ann.say(tx(seq, put(TEXT) if seq > 1 else CUBE, base=seq - 1))
            assert (await ann.hear("ack"))["seq"] == seq
        await ann.say(*(tx(10 + one, [f"e{one}", ["create", "objects", {"x": TEXT}]], base=1) for one in range(5)))
        answers = [message for message in await ann.quiet() if message["type"] in ("ack", "reject")]
        assert [one["type"] for one in answers] == ["ack"] * 3 + ["reject"] * 2
        assert answers[-1]["reason"] == "full"
        await ann.say(tx(15, ["cube", ["remove"]], base=4))
        await ann.hear("ack")
        await ann.say(tx(16, ["e9", ["create", "objects", {"x": TEXT}]], base=4))
        await ann.hear("ack")


class SlowBlobs(MemoryStore):
    """Says how many bytes were being stored at once."""

    def __init__(self) -> None:
        super().__init__(clock=trio.current_time)
        self.most = self._now = 0
        self._put, self.blobs.put = self.blobs.put, self._count  # type: ignore[method-assign]

    async def _count(self, blobs: Mapping[str, bytes]) -> None:
        size = sum(map(len, blobs.values()))
        self._now += size
        self.most = max(self.most, self._now)
        await trio.sleep(1)
        await self._put(blobs)
        self._now -= size


async def test_what_is_on_its_way_to_the_disk_is_bounded() -> None:  # LIMIT6
    store = SlowBlobs()
    async with serving(store, limits=Limits(storing_bytes=25)) as arena:
        blobs = await arena.attach(await arena.join("ann"))
        parts = [bytes([number]) * 10 for number in range(7)]
        frames = [wire.encode_piece(piece) for data in parts for piece in wire.pieces(sha_of(data), data)]
        await blobs.write(b"".join(frames))
        await blobs.say({"type": "has", "shas": [sha_of(data) for data in parts]})
        assert (await blobs.hear("missing"))["shas"] == []
    assert store.most == 20


async def test_a_blob_is_bounded() -> None:  # LIMIT4
    async with serving(limits=Limits(blob_bytes=9)) as arena:
        blobs = await arena.attach(await arena.join("ann"))
        data = b"0123456789"
        await blobs.write(wire.encode_piece(next(wire.pieces(sha_of(data), data))))
        with pytest.raises(Refused, match="longer than the 9 allowed"):
            await blobs.next()


async def test_attempts_and_those_who_are_remembered_are_bounded() -> None:  # GATE3, LIMIT6
    gate = Gate(trio.current_time, SECRET, limits=Limits(attempts=2, attempts_seconds=30.0, addresses=1))
    for address in ("one", "one"):
        with pytest.raises(Refused, match="not the secret"):
            gate.authorize(Visitor(address), "wrong")
    with pytest.raises(Refused, match="too many"):
        gate.authorize(Visitor("one"), SECRET)
    await trio.sleep(31)
    gate.authorize(Visitor("one"), SECRET)
    for address in ("one", "one", "another"):
        with pytest.raises(Refused, match="not the secret"):
            gate.authorize(Visitor(address), "wrong")
    gate.authorize(Visitor("one"), SECRET)  # forgotten for the other


async def test_invitations_are_bounded_in_time() -> None:  # GATE5, LIMIT6
    gate = Gate(trio.current_time, SECRET, limits=Limits(invitation_seconds=30.0))
    room = Room("r", "e")
    join = {"invitation": gate.invite(room, "viewer", 1e9)}
    await trio.sleep(29)
    assert await gate.admit(Visitor(), room, join) == "viewer"
    await trio.sleep(2)
    with pytest.raises(Refused, match="expired"):
        await gate.admit(Visitor(), room, join)


def test_passwords_are_hashed_a_few_at_once() -> None:  # LIMIT6
    async def hash_three() -> tuple[float, int]:
        gate = Gate(trio.current_time, SECRET, limits=Limits(hashes=1))
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(gate.lock, "a password")
            while gate._threads is None or gate._threads.statistics().tasks_waiting < 2:
                await trio.lowlevel.checkpoint()
            return gate._threads.borrowed_tokens, gate._threads.statistics().tasks_waiting

    assert trio.run(hash_three) == (1, 2)  # threads take real time


async def test_an_empty_room_goes_after_as_long_as_is_allowed() -> None:  # SERVER39, LIMIT5
    async with serving(limits=Limits(empty_seconds=5.0)) as arena:
        await (await arena.join("ann", keep=False)).vanish()
        await trio.sleep(4)
        assert list(arena.server.rooms.hosts) == ["r"]
        await trio.sleep(2)
        assert not arena.server.rooms.hosts


def test_limits_are_set_on_the_command_line_for_rooms_that_are_there_too(tmp_path: Path) -> None:  # LIMIT1, LIMIT2
    data, file = ("--data", str(tmp_path / "data")), tmp_path / "limits.toml"
    with broadcaster(*data) as server, enter(server) as first, enter(server) as second:
        first.content(), second.content()
        server.stop()
    file.write_text("members = 1  # present in one room\n")
    with broadcaster(*data, "--limits", str(file), "--limit", "rooms=1") as server, enter(server) as first:
        first.content()
        with pytest.raises(Refused, match="room 'r' is full: 1 members"), enter(server) as second:
            second.content()
        with pytest.raises(Refused, match="holds 1 rooms"), enter(server, "another"):
            pass


def enter(server: Broadcaster, room: str = "r") -> RemoteRoom:
    return RemoteRoom((server.host, server.port), room, create="if-missing", role="editor")  # type: ignore[arg-type]


def test_a_limit_that_is_none_is_told() -> None:  # LIMIT1
    done = command("serve", "--port", "0", "--http-port", "0", "--limit", "houses=1")
    assert (done.returncode, done.stderr) == (1, "error: there is no limit 'houses'\n")
