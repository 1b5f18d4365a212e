"""The native port over streams in memory: who hears what, and what bad input costs whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import trio
import trio.testing

from broadcaster import protocol, wire
from broadcaster.errors import Refused, Unavailable
from broadcaster.limits import DEFAULTS, Limits
from broadcaster.member import Pending
from broadcaster.room import Entry, Room
from broadcaster.server import blobs as blobs_of_server
from broadcaster.server import host
from broadcaster.server.seat import Pace, Seat
from broadcaster.server.streams import AT_ONCE
from broadcaster.store import Log
from broadcaster.store.memory import MemoryLog, MemoryStore
from broadcaster.wire import Assembly, Message, Piece, sha_of

from .guests import CUBE, as_member, put, serving, tx

DATA = b"x" * 100_000
IMAGE = ["image", ["create", "images", {"file": {"$": "blob", "sha": sha_of(DATA), "size": len(DATA)}}]]


# Joining


async def test_rooms_are_listed_without_joining() -> None:  # SERVER1
    async with serving() as arena:
        ann = await arena.join()
        await ann.say(tx(1, CUBE))
        await ann.hear("ack")
        visitor = await arena.visit()
        await visitor.say({"type": "rooms"})
        (room,) = (await visitor.hear("rooms"))["rooms"]
        assert room["bytes"] > 0
        expected = {"name": "r", "revision": 1, "members": 1, "entities": 1, "frozen": False, "keep": True}
        assert room | {"bytes": 0} == expected | {"bytes": 0}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"room": "nowhere", "create": False}, "there is no room 'nowhere'"),
        ({"create": True}, "there is a room 'r' already"),
        ({"room": "a\tb"}, "cannot be the name of a room"),
    ],
)
async def test_a_join_that_cannot_be_is_refused_in_one_sentence(fields: Message, why: str) -> None:  # SERVER2
    async with serving() as arena:
        await arena.join("ann")
        with pytest.raises(Refused, match=why):
            await arena.join("bob", **fields)


async def test_rooms_are_bounded() -> None:  # SERVER3
    async with serving(limits=Limits(rooms=1)) as arena:
        await arena.join()
        with pytest.raises(Refused, match="all it can"):
            await arena.join(room="another")


async def test_connections_are_bounded() -> None:  # SERVER3
    async with serving(limits=Limits(connections=1)) as arena:
        await arena.join()
        with pytest.raises(Refused, match="no place left") as caught:
            await arena.visit()
        assert caught.value.retry


async def test_two_that_ask_for_the_same_new_room_get_one() -> None:  # SERVER4
    async with serving() as arena, trio.open_nursery() as nursery:
        nursery.start_soon(arena.join, "ann")
        nursery.start_soon(arena.join, "bob")
        await trio.sleep(1)
        assert len(arena.server.rooms.hosts["r"].room.present) == 2


async def test_who_says_nothing_in_the_lobby_is_cut_off() -> None:  # SERVER5
    async with serving() as arena:
        visitor = await arena.visit()
        with pytest.raises(EOFError):
            await visitor.next()


# Edits


async def test_a_transaction_reaches_all_others_and_its_sender_an_answer() -> None:  # SERVER6
    async with serving() as arena:
        ann, bob, cid = await arena.join("ann"), await arena.join("bob"), await arena.join("cid")
        await ann.quiet()
        await bob.quiet()
        await ann.say(tx(1, CUBE), tx(2, put(1)))
        assert [(one["seq"], one["revision"]) for one in (await ann.hear("ack"), await ann.hear("ack"))] == [
            (1, 1),
            (2, 2),
        ]
        for other in (bob, cid):
            assert (await other.hear("tx"))["deltas"] == [CUBE]
            assert (await other.hear("tx"))["revision"] == 2
        assert ann.heard[2:] == []


async def test_all_members_hear_one_order() -> None:  # SERVER7
    async with serving() as arena:
        guests = [await arena.join(name) for name in ("ann", "bob", "cid")]
        members = [as_member(guest) for guest in guests]
        for seq in range(1, 20):
            for guest, member in zip(guests, members, strict=True):
                message = member.edit(
                    [[f"{guest.id}{seq}", ["create", "objects", {}]], put(seq, uuid=f"{guests[0].id}1")]
                )
                await guest.say(message or {})
        for guest, member in zip(guests, members, strict=True):
            member.receive([one for one in await guest.quiet() if one["type"] in ("tx", "ack", "reject")])
            assert not member.pending
        assert {member.confirmed.digest() for member in members} == {arena.digest()}


async def test_presence_passes_by_what_waits() -> None:  # SERVER8
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, IMAGE), {"type": "presence", "state": {"at": 1}})
        assert (await bob.hear("presence"))["state"] == {"at": 1}
        late = await arena.join("cid")
        assert late.heard[0]["members"][0]["presence"] == {"at": 1}


async def test_a_ping_is_answered() -> None:  # SERVER9
    async with serving() as arena:
        visitor = await arena.visit()
        await visitor.say({"type": "ping", "id": 3})
        assert await visitor.hear("pong") == {"type": "pong", "id": 3}
        ann = await arena.join()
        await ann.say({"type": "ping", "id": 4})
        assert await ann.hear("pong") == {"type": "pong", "id": 4}


async def test_a_lease_runs_out_by_the_clock_alone() -> None:  # SERVER10
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say({"type": "lease", "op": "acquire", "key": "cube", "seconds": 20})
        assert (await bob.hear("lease"))["holder"] == ann.id
        await ann.vanish()
        assert (await bob.hear("members"))["left"] == [ann.id]
        before = trio.current_time()
        assert (await bob.hear("lease"))["holder"] is None
        assert 19 <= trio.current_time() - before <= 20


# Bad input: it costs its sender the connection, with the reason, and nobody else anything


def deep(levels: int) -> Any:
    tree: Any = 0
    for _ in range(levels):
        tree = {"a": tree}
    return tree


def raw(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + b"\0" + text


BAD = {
    "a frame that is too long": (b"\xff\xff\xff\xff\0", "longer than"),
    "what is not JSON": (raw(b"{"), "not JSON"),
    "a tree nested 10,000 deep": (raw(b'{"type":"tx","d":' + b'{"a":' * 10_000 + b"0" + b"}" * 10_001), "not JSON"),
    "a tree nested 500 deep": (wire.encode(tx(1, ["u", ["create", "k", deep(200)]])), "nested deeper"),
    "an unknown message": (wire.encode({"type": "dance"}), "unknown message 'dance'"),
    "a message out of place": (wire.encode({"type": "hello"}), "'hello' is not allowed in a room"),
    "a malformed transaction": (wire.encode(tx(1) | {"deltas": "all"}), "malformed 'tx'"),
    "a malformed delta": (wire.encode(tx(1, ["u", ["explode"]])), "malformed delta"),
    "a malformed array": (
        wire.encode(tx(1, ["u", ["create", "k", {"a": {"$": "array", "dtype": "<f4", "shape": [-1], "chunks": []}}]])),
        "malformed array",
    ),
    "a gap in the sequence": (wire.encode(tx(7, CUBE)), "came where 1 was due"),
    "a revision to come": (wire.encode(tx(1, CUBE, base=99)), "not there yet"),
    "a piece of a blob": (wire.encode_piece(Piece("0" * 64, 0, 1, b"x")), "'piece' is not allowed"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_costs_its_sender_the_connection_and_nobody_else_anything(name: str) -> None:  # SERVER11
    data, why = BAD[name]
    async with serving() as arena:
        ann, bob, mallory = await arena.join("ann"), await arena.join("bob"), await arena.join("mallory")
        await mallory.write(data)
        with pytest.raises(Refused, match=why) as caught:
            await mallory.quiet()
        assert not caught.value.retry
        await ann.say(tx(1, CUBE))
        assert (await bob.hear("tx"))["deltas"] == [CUBE]
        assert (await ann.hear("ack"))["revision"] == 1


async def test_what_was_said_before_the_bad_word_is_done() -> None:  # SERVER12
    async with serving() as arena:
        ann, mallory = await arena.join("ann"), await arena.join("mallory")
        await mallory.say(tx(1, CUBE), {"type": "dance"})
        assert (await ann.hear("tx"))["deltas"] == [CUBE]


async def test_a_room_that_fails_ends_alone(caplog: pytest.LogCaptureFixture) -> None:  # SERVER13
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob", room="bad")
        arena.server.rooms.find("bad").submit("bob", {"type": "dance"})  # checked by nobody, so it is in the log
        with pytest.raises(Refused, match="room 'bad' failed"):
            await bob.quiet()
        assert "unknown request 'dance'" in caplog.text
        await ann.say(tx(1, CUBE))
        assert (await ann.hear("ack"))["revision"] == 1


async def test_a_fault_in_one_connection_is_logged_and_ends_it_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:  # SERVER14
    async with serving() as arena:
        ann = await arena.join("ann")
        monkeypatch.setattr(Room, "set_presence", lambda *_: 1 / 0)
        await ann.say({"type": "presence", "state": {}})
        with pytest.raises((EOFError, trio.BrokenResourceError)):
            await ann.quiet()
        await trio.testing.wait_all_tasks_blocked()
        assert "ZeroDivisionError" in caplog.text
        monkeypatch.undo()
        await arena.join("bob")


# Coming back


async def test_who_comes_back_gets_what_changed_and_its_answers_again() -> None:  # SERVER15
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, CUBE))
        await ann.hear("ack")
        await ann.say(tx(2, put(1, name="a"), base=1))
        await bob.hear("tx")
        await bob.hear("tx")
        await ann.vanish()  # the second answer is lost with the connection
        await bob.hear("members")
        await bob.say(tx(1, put(2, name="b"), base=2))
        await bob.hear("ack")
        epoch = ann.heard[0]["epoch"]
        again = await arena.join("ann", secret=ann.secret, epoch=epoch, revision=1)
        joined, records, ready = again.heard
        assert (joined["since"], joined["answered"]) == ("changes", 2)
        assert records["entities"][0]["tree"] == {"name": "Cube", "x": 0, "a": 1, "b": 2}
        assert ready["revision"] == 3
        await again.say(tx(2, put(1, name="a"), base=1), tx(3, put(3), base=1))
        assert await again.hear("ack") == {"type": "ack", "seq": 2, "revision": 2}
        assert (await again.hear("ack"))["revision"] == 4


async def test_answers_come_after_the_records_that_hold_their_effect() -> None:  # SERVER16
    async with serving() as arena:
        ann = await arena.join("ann")
        await ann.say(tx(1, CUBE))
        await ann.hear("ack")
        again = await arena.visit(ann.secret)
        join = {"type": "join", "room": "r", "name": "ann", "secret": ann.secret}
        again.stop_reading()
        await again.say(join, tx(1, CUBE), tx(2, put(1), base=0))
        await trio.sleep(1)
        again.read_on()
        kinds = [message["type"] for message in await again.quiet()]
        assert kinds == ["joined", "records", "records", "ready", "members", "ack", "ack"]


async def test_who_joins_again_before_it_was_let_in_is_let_in_once() -> None:  # SERVER17
    async with serving() as arena:
        await arena.join("ann")
        here = arena.server.rooms.hosts["r"]
        older, newer = (Seat("eve", here.room, trio.current_time) for _ in range(2))
        for seat in (older, newer):
            here.enter(seat, {"type": "join", "name": "eve"})
        await trio.sleep(1)
        assert [b"".join(seat._frames).count(b'"type":"joined"') for seat in (older, newer)] == [0, 1]
        assert newer.pace is not Pace.JOINING


async def test_a_member_that_joins_again_ends_its_older_connection() -> None:  # SERVER17
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        again = await arena.join("ann", secret=ann.secret)
        with pytest.raises(Refused, match="joined again"):
            await ann.quiet()
        assert len(arena.server.rooms.hosts["r"].room.present) == 2
        assert [one["type"] for one in await bob.quiet()] == ["members"]
        await again.say(tx(1, CUBE))
        await again.hear("ack")


async def test_nobody_comes_back_in_the_name_of_another() -> None:  # SERVER18
    async with serving() as arena:
        ann = await arena.join("ann")
        mallory = await arena.join("ann", secret=ann.id + "x" * 22)
        assert mallory.heard[0]["member"] != ann.id
        with pytest.raises(Refused, match="the secret of a member"):
            await arena.join("ann", secret="short")


async def test_at_the_end_everybody_is_told_to_come_back() -> None:  # SERVER19
    async with serving() as arena:
        ann = await arena.join("ann")
        arena.server.close()
        with pytest.raises(Refused, match="closing") as caught:
            await ann.quiet()
        assert caught.value.retry
        await ann.vanish()
        await arena.server.wait_until_empty()


async def test_leaving_is_told_and_ends_the_connection() -> None:  # SERVER20
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say({"type": "leave"})
        with pytest.raises(EOFError):
            await ann.quiet()
        assert (await bob.hear("members"))["left"] == [ann.id]


# Rooms that come and go


async def test_a_room_begins_with_the_content_of_another() -> None:  # SERVER37
    async with serving() as arena:
        ann = await arena.join("ann")
        await ann.say(tx(1, CUBE))
        await ann.hear("ack")
        bob = await arena.join("bob", room="fork", **{"from": "r"})
        assert bob.heard[0]["role"] == "owner"
        assert bob.heard[0]["epoch"] != ann.heard[0]["epoch"]
        await bob.say(tx(1, put(1), base=1))
        assert (await bob.hear("ack"))["revision"] == 2
        await ann.say(tx(2, put(2), base=1))
        assert (await ann.hear("ack"))["revision"] == 2
        assert arena.digest() != arena.digest("fork")
        with pytest.raises(Refused, match="there is no room 'nowhere'"):
            await arena.join("cid", room="another", **{"from": "nowhere"})


async def test_a_frozen_room_stays_as_it_is() -> None:  # SERVER38
    async with serving() as arena:
        await (await arena.join("ann")).say(tx(1, CUBE))
        bob = await arena.join("bob", room="kept", frozen=True, **{"from": "r"})
        await bob.say(tx(1, put(1), base=1))
        assert (await bob.hear("reject"))["reason"] == "frozen"
        again = await arena.join("cid", room="on", **{"from": "kept"})
        await again.say(tx(1, put(1), base=1))
        await again.hear("ack")


async def test_a_room_that_is_not_kept_goes_after_its_last_member() -> None:  # SERVER39
    async with serving() as arena:
        ann = await arena.join("ann", keep=False)
        await arena.join("bob", room="kept")
        await trio.sleep(2 * DEFAULTS.empty_seconds)
        await ann.vanish()
        await trio.sleep(DEFAULTS.empty_seconds / 2)
        again = await arena.join("ann", secret=ann.secret)  # in time
        assert again.heard[0]["epoch"] == ann.heard[0]["epoch"]
        await again.vanish()
        await trio.sleep(2 * DEFAULTS.empty_seconds)
        assert list(arena.server.rooms.hosts) == ["kept"]


async def test_a_room_is_deleted() -> None:  # SERVER40
    async with serving() as arena:
        ann = await arena.join("ann")
        visitor = await arena.visit()
        await visitor.say({"type": "delete", "room": "r"})
        assert (await visitor.hear("deleted"))["room"] == "r"
        with pytest.raises(Refused, match="room 'r' is deleted"):
            await ann.quiet()
        bob = await arena.join("bob")
        assert bob.heard[0]["revision"] == 0
        await visitor.say({"type": "delete", "room": "nowhere"})
        with pytest.raises(Refused, match="there is no room 'nowhere'"):
            await visitor.next()


# Slow members


async def test_a_slow_member_is_served_what_changed_and_delays_nobody() -> None:  # SERVER21
    async with serving(limits=Limits(outbox_bytes=2000)) as arena:
        ann, bob, slow = await arena.join("ann"), await arena.join("bob"), await arena.join("slow")
        member = as_member(slow)
        slow.stop_reading()
        for seq in range(1, 200):
            await ann.say(tx(seq, put(seq) if seq > 1 else CUBE, base=seq - 1))
            assert (await ann.hear("ack"))["revision"] == seq
            await bob.hear("tx")
        await bob.vanish()
        await slow.say(tx(1, put("mine", name="y"), base=1))  # heard, though nothing reaches it
        await ann.hear("tx")
        slow.read_on()
        heard = await slow.quiet()
        kinds = [message["type"] for message in heard]
        assert kinds.count("tx") < 50
        assert kinds[kinds.index("records") :] == ["records", "ready", "members", "ack"]
        assert heard[-2]["left"] == [bob.id]
        member.pending.append(Pending(1, 1, [put("mine", name="y")]))
        member.receive([message for message in heard if message["type"] in ("records", "ready", "tx", "ack")])
        assert member.confirmed.digest() == arena.digest()


async def test_what_is_written_at_once_and_what_waits_come_in_one_order() -> None:  # SERVER51
    seat, (near, far) = Seat("ann", Room("r", "e"), trio.current_time), trio.socket.socketpair()
    said = [bytes([number % 256]) * 5000 for number in range(1000)]  # far more than a socket holds
    seat.pace = Pace.LIVE
    async with trio.SocketStream(near) as stream, trio.SocketStream(far) as reader, trio.open_nursery() as nursery:
        nursery.start_soon(seat.write, stream)
        await trio.testing.wait_all_tasks_blocked()
        heard = b""
        for number, frames in enumerate(said):
            seat.answer(frames, 0)
            if number % 100 == 99:
                heard += await reader.receive_some(1 << 20)
        while len(heard) < 1000 * 5000:
            heard += await reader.receive_some(1 << 20)
        seat.close()
    assert heard == b"".join(said)


async def test_who_asks_much_and_reads_no_answers_is_not_heard_on() -> None:  # SERVER22
    async with serving(limits=Limits(outbox_bytes=2000)) as arena:
        ann = await arena.join("ann")
        room = arena.server.rooms.hosts["r"].room
        ann.stop_reading()
        await ann.say(tx(1, CUBE))
        for seq in range(2, 500):
            await ann.say(tx(seq, put(seq)))
            await trio.testing.wait_all_tasks_blocked()
        assert room.revision < 100
        ann.read_on()
        assert sum(message["type"] == "ack" for message in await ann.quiet()) == 499


async def test_two_that_push_without_reading_do_not_block_each_other() -> None:  # SERVER23
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        ann.stop_reading()
        bob.stop_reading()
        for guest in (ann, bob):
            await guest.say(*(tx(seq, [f"{guest.id}{seq}", ["create", "objects", {}]]) for seq in range(1, 2000)))
        await trio.sleep(1)
        assert arena.server.rooms.hosts["r"].room.revision == 2 * 1999
        ann.read_on()
        bob.read_on()
        for guest in (ann, bob):
            assert sum(message["type"] == "ack" for message in await guest.quiet()) == 1999


# Blobs


async def test_a_transaction_waits_for_its_blobs_and_later_ones_behind_it() -> None:  # SERVER24
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, IMAGE), tx(2, CUBE))
        await bob.hear_nothing()
        blobs = await arena.attach(ann)
        await blobs.say({"type": "has", "shas": [sha_of(DATA), sha_of(b"")]})
        assert (await blobs.hear("missing"))["shas"] == [sha_of(DATA), sha_of(b"")]
        first, second = wire.pieces(sha_of(DATA), DATA)
        await blobs.write(wire.encode_piece(first))
        await bob.hear_nothing()
        await blobs.write(wire.encode_piece(second))
        assert (await bob.hear("tx"))["deltas"] == [IMAGE]
        assert (await bob.hear("tx"))["deltas"] == [CUBE]


async def test_a_blob_is_sent_once_and_read_by_all() -> None:  # SERVER25
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob", role="viewer")
        blobs = await arena.attach(ann)
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(sha_of(DATA), DATA))))
        await blobs.say({"type": "has", "shas": [sha_of(DATA)]})
        assert (await blobs.hear("missing"))["shas"] == []
        reader = await arena.attach(bob)
        await reader.say({"type": "get", "shas": ["0" * 64, sha_of(DATA)]})
        assert (await reader.hear("absent"))["shas"] == ["0" * 64]
        pieces = [await reader.next(), await reader.next()]
        assert b"".join(piece.data for piece in pieces) == DATA


async def test_a_blob_that_is_not_what_it_is_called_is_not_stored() -> None:  # SERVER26
    async with serving() as arena:
        ann = await arena.join("ann")
        blobs = await arena.attach(ann)
        await blobs.write(wire.encode_piece(Piece(sha_of(b"a"), 0, 1, b"b")))
        with pytest.raises(Refused, match="not what its name says"):
            await blobs.next()
        blobs = await arena.attach(ann)  # the member itself goes on
        await blobs.say({"type": "has", "shas": [sha_of(b"a"), sha_of(b"b")]})
        assert len((await blobs.hear("missing"))["shas"]) == 2


async def test_a_large_blob_comes_in_parts_with_others_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # SERVER43
    monkeypatch.setattr(blobs_of_server, "SPOOLED_BYTES", 100_000)
    monkeypatch.setattr(blobs_of_server, "PART_BYTES", 150_000)
    large = [bytes([value]) * 200_000 for value in (1, 2)]
    store = MemoryStore()
    async with serving(store) as arena:
        ann = await arena.join("ann")
        blobs = await arena.attach(ann)
        for data in (*large, DATA):
            for piece in wire.pieces(sha_of(data), data):
                await blobs.say({"type": "has", "shas": [sha_of(data)]})
                assert (await blobs.hear("missing"))["shas"] == [sha_of(data)]
                await blobs.write(wire.encode_piece(piece))
        await blobs.say({"type": "has", "shas": [sha_of(data) for data in (*large, DATA)]})
        assert (await blobs.hear("missing"))["shas"] == []
        assert [await store.blobs.get(sha_of(data)) for data in (*large, DATA)] == [*large, DATA]
        wrong = wire.encode_piece(Piece("0" * 64, 0, 120_000, b"x" * 65_536))
        await blobs.write(wrong + wire.encode_piece(Piece("0" * 64, 65_536, 120_000, b"x" * (120_000 - 65_536))))
        with pytest.raises(Refused, match="not what its name says"):
            await blobs.next()
        assert not store.blobs.has("0" * 64)


async def test_a_viewer_stores_nothing() -> None:  # SERVER27
    async with serving() as arena:
        await arena.join("ann")
        blobs = await arena.attach(await arena.join("vic", role="viewer"))
        await blobs.write(wire.encode_piece(Piece(sha_of(b"a"), 0, 1, b"a")))
        with pytest.raises(Refused, match="stores no blobs"):
            await blobs.next()


async def test_blobs_are_only_for_members() -> None:  # SERVER28
    async with serving() as arena:
        ann = await arena.join("ann")
        for room, secret in (("r", protocol.new_secret()), ("r", ann.id), ("nowhere", ann.secret)):
            visitor = await arena.visit()
            await visitor.say({"type": "attach", "room": room, "secret": secret})
            with pytest.raises(Refused, match="join room"):
                await visitor.hear("attached")
        blobs = await arena.attach(ann)
        await ann.vanish()
        with pytest.raises(EOFError):
            await blobs.next()


async def test_a_full_store_says_so() -> None:  # SERVER29
    async with serving(MemoryStore(Limits(blobs_bytes=10).blobs_bytes)) as arena:
        blobs = await arena.attach(await arena.join("ann"))
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(sha_of(DATA), DATA))))
        with pytest.raises(Refused, match="no space left"):
            await blobs.next()


async def test_what_nothing_names_is_removed_after_its_grace() -> None:  # STORE14
    async with serving(limits=Limits(blob_grace_seconds=100.0)) as arena:
        ann = await arena.join("ann")
        attached = await arena.attach(ann)
        blobs = arena.server._store.blobs
        for data in (DATA, b"asked for", b"forgotten"):
            await attached.write(b"".join(map(wire.encode_piece, wire.pieces(sha_of(data), data))))
        await ann.say(tx(1, IMAGE))
        await ann.hear("ack")
        for _ in range(10):
            await trio.sleep(50)
            await attached.say({"type": "has", "shas": [sha_of(b"asked for")]})
            assert (await attached.hear("missing"))["shas"] == []
        assert blobs.has(sha_of(DATA))
        assert not blobs.has(sha_of(b"forgotten"))
        await ann.say(tx(2, ["image", ["remove"]]))
        await ann.hear("ack")
        await trio.sleep(90)
        assert blobs.has(sha_of(DATA))  # whoever asks may want to name it again
        await trio.sleep(90)
        await ann.say(tx(3, IMAGE))
        await ann.hear("ack")
        await trio.sleep(1000)
        assert blobs.has(sha_of(DATA))
        await ann.say(tx(4, ["image", ["remove"]]))
        await trio.sleep(200)
        assert not blobs.has(sha_of(DATA))


async def test_what_waits_for_blobs_is_bounded() -> None:  # SERVER30
    async with serving(limits=Limits(waiting_bytes=0)) as arena:
        ann = await arena.join("ann")
        await ann.say(tx(1, IMAGE))
        await trio.testing.wait_all_tasks_blocked()
        await ann.say({"type": "ping", "id": 1})
        await ann.hear_nothing()  # nothing more is taken from it
        blobs = await arena.attach(ann)
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(sha_of(DATA), DATA))))
        await ann.hear("pong")


async def test_what_waited_when_the_connection_was_lost_is_not_done() -> None:  # SERVER31
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, IMAGE))
        await ann.vanish()
        await bob.hear("members")
        blobs = await arena.attach(bob)
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(sha_of(DATA), DATA))))
        await bob.hear_nothing()
        again = await arena.join("ann", secret=ann.secret)
        assert again.heard[0]["answered"] == 0
        await again.say(tx(1, IMAGE))
        assert (await again.hear("ack"))["revision"] == 1


# Durability


class SlowLog(MemoryLog):
    """A log whose disk is held by the test."""

    def __init__(self) -> None:
        self.disk = trio.Event()
        self.then: trio.Event | None = None  # what the next commit waits for
        self.failing: str | None = None
        self.appended: list[int] = []

    async def append(self, entries: Sequence[Entry]) -> None:
        await self.disk.wait()
        if self.then is not None:
            self.disk, self.then = self.then, None
        if self.failing:
            raise Unavailable(self.failing)
        self.appended.append(len(entries))


class SlowStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.log = SlowLog()

    async def create(self, name: str, epoch: str, parts: Iterable[bytes] = ()) -> Log:
        return self.log


async def test_nothing_leaves_before_its_log_entry_is_durable() -> None:  # SERVER32
    store = SlowStore()
    store.log.disk.set()
    async with serving(store) as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.quiet()
        store.log.disk = trio.Event()
        await ann.say(tx(1, CUBE))
        await ann.hear_nothing()
        await bob.hear_nothing()
        visitor = await arena.visit()
        await visitor.say({"type": "rooms"})
        assert (await visitor.hear("rooms"))["rooms"][0]["revision"] == 0
        store.log.disk.set()
        await bob.hear("tx")


async def test_folding_and_the_next_commit_go_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # SERVER42
    monkeypatch.setattr(host, "FOLDED_AT_ONCE", 1)
    store = SlowStore()
    store.log.disk.set()
    async with serving(store) as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        await ann.quiet()
        store.log.appended.clear()
        first = store.log.disk = trio.Event()
        await ann.say(tx(1, CUBE))
        await trio.testing.wait_all_tasks_blocked()
        await ann.say(tx(2, put(1)), tx(3, put(2)), tx(4, put(3)))
        await trio.testing.wait_all_tasks_blocked()
        second = store.log.then = trio.Event()  # after the first commit, the disk stops again
        first.set()
        assert (await bob.hear("tx"))["revision"] == 1
        await bob.hear_nothing()
        assert store.log.appended == [1]
        store.log.failing = "no disk"
        second.set()
        assert (await ann.hear("ack"))["seq"] == 1
        assert (await ann.hear("notice"))["reason"] == "no disk"
        store.log.failing = None
        assert [(await bob.hear("tx"))["revision"] for _ in range(3)] == [2, 3, 4]
        assert [(await ann.hear("ack"))["seq"] for _ in range(3)] == [2, 3, 4]


async def test_what_comes_while_the_disk_is_busy_is_committed_together() -> None:  # SERVER33
    store = SlowStore()
    store.log.disk.set()
    async with serving(store) as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        store.log.appended.clear()
        store.log.disk = trio.Event()
        await ann.say(tx(1, CUBE))
        await trio.sleep(1)
        await ann.say(tx(2, put(1)))
        await bob.say(tx(1, put(2)))
        await trio.sleep(1)
        store.log.disk.set()
        await ann.quiet()
        assert store.log.appended == [1, 2]


async def test_who_hears_what_does_not_depend_on_what_is_committed_together() -> None:  # SERVER36
    store = SlowStore()
    store.log.disk.set()
    async with serving(store) as arena:
        ann, bob, cid = await arena.join("ann"), await arena.join("bob"), await arena.join("cid")
        await ann.quiet()
        store.log.disk = trio.Event()
        await cid.say({"type": "lease", "op": "acquire", "key": "k", "seconds": 9})
        await trio.sleep(1)
        await ann.say(tx(1, CUBE))
        await trio.testing.wait_all_tasks_blocked()
        await bob.vanish()
        await trio.testing.wait_all_tasks_blocked()
        await cid.say(tx(1, ["lamp", ["create", "lights", {}]]))
        await trio.sleep(1)
        store.log.disk.set()
        assert [message["type"] for message in await ann.quiet()] == ["lease", "ack", "members", "tx"]
        assert [message["type"] for message in await cid.quiet()] == ["lease", "tx", "members", "ack"]


async def test_a_full_queue_for_the_log_stops_the_reading() -> None:  # SERVER34
    store = SlowStore()
    store.log.disk.set()
    async with serving(store, limits=Limits(queued=0)) as arena:
        ann = await arena.join("ann")
        store.log.disk = trio.Event()
        edits = [tx(seq, put(seq)) for seq in range(2, 2 * AT_ONCE + 1)]  # some on their way to the disk, some queued
        await ann.say(tx(1, CUBE), *edits, {"type": "ping", "id": 1})
        await ann.hear_nothing()
        store.log.disk.set()
        await ann.hear("pong")


async def test_a_large_blob_is_read_as_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:  # SERVER48
    store = MemoryStore(clock=trio.current_time)
    data = bytes(range(256)) * 4096 * 9 + b"the end"
    sha, read = sha_of(data), list[int]()
    head_of, part_of = store.blobs.head, store.blobs.read

    async def head(sha: str, length: int) -> tuple[int, bytes] | None:
        read.append(length)
        return await head_of(sha, length)

    async def part(sha: str, start: int, stop: int) -> bytes | None:
        read.append(stop - start)
        return await part_of(sha, start, stop)

    monkeypatch.setattr(store.blobs, "head", head)
    monkeypatch.setattr(store.blobs, "read", part)
    async with serving(store) as arena:
        ann = await arena.join("ann")
        blobs = await arena.attach(ann)
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(sha, data))))
        await blobs.say({"type": "has", "shas": [sha]})
        assert (await blobs.hear("missing"))["shas"] == []
        blobs.stop_reading()
        await blobs.say({"type": "get", "shas": [sha, sha]})
        await trio.testing.wait_all_tasks_blocked()
        assert sum(read) <= blobs_of_server.PART_BYTES  # nobody takes it: no more is read
        blobs.read_on()
        assembly = Assembly()
        for _ in range(2):
            while not isinstance(piece := await blobs.next(), Piece) or (whole := assembly.add(piece)) is None:
                pass
            assert whole == (sha, data)
        assert max(read) <= blobs_of_server.PART_BYTES
