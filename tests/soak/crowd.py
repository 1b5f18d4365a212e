"""`python -m tests.soak.crowd HOST PORT SECONDS`: guests that come, go, flood, stall and lie; prints their counts.

What they do they do in the rooms whose names begin with STORM. How a connection of theirs ends is counted.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final, TypeAlias

import orjson
import trio

from broadcaster import wire
from broadcaster.errors import MixerError, Refused, RemoteProtocolError
from broadcaster.protocol import new_secret
from broadcaster.tree import link_set
from tests.server.line import line

STORM: Final = "storm"
ROOMS: Final = 3
THINGS: Final = 200  # entities of a room, at most: it comes to no more
WIDE: Final = 20_000
BLOBS: Final = 20
Address: TypeAlias = tuple[str, int]


class Guests:
    """What they all need."""

    def __init__(self, address: Address, counts: Counter[str], seed: int) -> None:
        self.address = address
        self.counts = counts
        self.chance = Random(seed)

    @property
    def room(self) -> str:
        return f"{STORM}{self.chance.randrange(ROOMS)}"

    def tx(self, seq: int, *deltas: Any, base: int = 0) -> dict[str, Any]:
        self.counts["transactions"] += 1
        return {"type": "tx", "seq": seq, "base": base, "deltas": list(deltas)}

    def edit(self) -> Any:
        uuid = f"thing{self.chance.randrange(THINGS)}"
        if self.chance.randrange(4) == 0:
            return [uuid, self.chance.choice((["remove"], ["create", "things", {"text": ""}]))]
        return [uuid, ["patch", {"text": ["put", "x" * self.chance.choice((5, 50, 5000))]}]]


async def come_and_go(guests: Guests) -> None:
    """Joins, edits a little, leaves or vanishes; the room may be one that goes with its last member."""
    chance = guests.chance
    room = {"room": f"{STORM} for now {chance.randrange(8)}", "keep": False} if chance.randrange(4) == 0 else {}
    async with line(guests.address) as one:
        joined = await one.join(**({"room": guests.room} | room))
        await one.hear("ready")
        for seq in range(1, chance.randrange(2, 20)):
            await one.say(guests.tx(seq, guests.edit(), base=joined["revision"]))
        if chance.randrange(2):
            await one.say({"type": "leave"})
            await one.next()


async def come_back(guests: Guests) -> None:
    """The same member on several lines after another, and on two at once."""
    secret, room = new_secret(), guests.room
    async with line(guests.address, secret) as one:
        await one.join(room)
        async with line(guests.address, secret) as another:
            await another.join(room)
            await one.hear("nothing more")


async def flood(guests: Guests) -> None:
    """Asks as fast as it can, and reads what is answered."""
    async with line(guests.address) as one, trio.open_nursery() as nursery:
        joined = await one.join(guests.room)
        nursery.start_soon(one.hear, "nothing of that kind")
        with trio.move_on_after(10):
            for start in range(1, 100_000, 50):
                many = range(start, start + 50)
                await one.say(*(guests.tx(seq, guests.edit(), base=joined["revision"]) for seq in many))
        nursery.cancel_scope.cancel()


async def flood_deaf(guests: Guests) -> None:
    """Asks as fast as it can, and reads nothing."""
    async with line(guests.address) as one:
        await one.join(guests.room)
        small = [{"type": "digest"}, {"type": "ping", "id": 1}, {"type": "presence", "state": {"x": "y" * 1000}}]
        lease = [{"type": "lease", "op": "acquire", "key": str(key), "seconds": 5} for key in range(50)]
        with trio.move_on_after(10):
            while True:
                await one.say(*small * 20, *lease)


async def work_hard(guests: Guests) -> None:
    """Small edits of a large thing, as many as go into a transaction."""
    async with line(guests.address) as one:
        joined = await one.join(guests.room)
        wide = link_set({str(number) for number in range(WIDE)})
        await one.say(guests.tx(1, ["wide", ["create", "things", {"of": wide}]], base=joined["revision"]))
        for seq in range(2, 12):
            links = [["wide", ["patch", {"of": ["link", ["a"], ["a"]]}]]] * guests.chance.choice((1, 20, 5000))
            await one.say(guests.tx(seq, *links, base=joined["revision"]))
            if (await one.hear("ack" if len(links) < 100 else "reject"))["type"] == "reject":
                guests.counts["too much work, refused"] += 1
        await one.say(guests.tx(12, ["wide", ["remove"]], base=joined["revision"]))
        await one.hear("ack")


async def stall(guests: Guests) -> None:
    """Is half open: a member that neither speaks nor reads, a piece of a frame, or nothing at all."""
    kind = guests.chance.randrange(4)
    if kind == 0:
        stream = await trio.open_tcp_stream(*guests.address)
        with trio.move_on_after(20):
            await stream.receive_some(1)
        await trio.aclose_forcefully(stream)
        return
    async with line(guests.address) as one:
        if kind == 1:
            await one.write((60_000).to_bytes(4, "big") + b"\0" + b"x" * 30_000)
        elif kind == 2:
            await one.join(guests.room)
            await one.write((10_000_000).to_bytes(4, "big") + b"\0" + b"x" * 1_000_000)
        else:
            await one.join(guests.room)
        await trio.sleep(guests.chance.uniform(5, 20))


async def babble(guests: Guests) -> None:
    """Says what nobody understands, before or after it has joined."""
    chance = guests.chance
    async with line(guests.address) as one:
        if chance.randrange(2):
            await one.join(guests.room)
        match chance.randrange(5):
            case 0:
                await one.write(chance.randbytes(chance.choice((10, 1000, 100_000))))
            case 1:
                await one.write((2**31).to_bytes(4, "big") + b"\0")
            case 2:
                await one.say({"type": "tx", "seq": chance.choice((1, 0, 7)), "base": 0, "deltas": [["a", ["dance"]]]})
            case 3:
                await one.say({"type": "presence", "state": {"x": "y" * 100_000}})
            case 4:
                await one.say(guests.tx(9, ["a", ["remove"]]))
        await one.hear("nothing of that kind")


async def ask_in_vain(guests: Guests) -> None:
    """Asks for what it does not get."""
    asked: dict[str, Any] = guests.chance.choice(
        (
            {"room": "no such room", "create": False},
            {"room": "", "create": True},
            {"room": f"{STORM}0", "create": True},
            {"room": "locked", "password": "guessed"},
            {"room": f"{STORM}0", "epoch": "none", "revision": -1, "role": "owner", "color": "red"},
        )
    )
    async with line(guests.address) as one:
        await one.join(**asked)


async def store(guests: Guests) -> None:
    """Sends blobs, whole ones, halves and false ones, and names some."""
    async with line(guests.address) as one, line(guests.address, one.secret) as blobs:
        joined = await one.join(room := guests.room)
        await one.hear("ready")
        await blobs.say({"type": "attach", "room": room, "secret": one.secret})
        await blobs.hear("attached")
        for seq in range(1, BLOBS):
            data = guests.chance.randbytes(guests.chance.choice((100, 10_000, 300_000)))
            sha = wire.sha_of(data)
            blob = {"$": "blob", "sha": sha, "size": len(data)}
            await one.say(guests.tx(seq, ["blob", ["create", "things", {"of": blob}]], base=joined["revision"]))
            frames = list(map(wire.encode_piece, wire.pieces(sha, data)))
            match guests.chance.randrange(10):
                case 0:
                    await blobs.write(frames[-1][:-1] + b"!")
                case 1:
                    await blobs.write(frames[0])
                    return
            await blobs.write(b"".join(frames))
            await blobs.say({"type": "has", "shas": [sha]})
            await blobs.hear("missing")
            guests.counts["blobs"] += 1


Guest: TypeAlias = Callable[[Guests], Awaitable[None]]
CROWD: Final[dict[Guest, int]] = {  # and how many of each at once
    come_and_go: 4, come_back: 1, flood: 2, flood_deaf: 1, work_hard: 1, stall: 12, babble: 3, ask_in_vain: 2, store: 2,
}  # fmt: skip


async def keep_coming(guest: Guest, guests: Guests) -> None:
    """One of a kind after another."""
    while True:
        guests.counts[guest.__name__] += 1
        try:
            await guest(guests)
        except* (Refused, RemoteProtocolError) as group:
            guests.counts["told why" if any(map(_is_told, group.exceptions)) else "not understood"] += 1
        except* (EOFError, trio.BrokenResourceError, trio.ClosedResourceError):
            guests.counts["cut off"] += 1
        except* MixerError:
            guests.counts["misunderstood"] += 1
        await trio.sleep(guests.chance.uniform(0.0, 0.2))


def _is_told(exc: BaseException) -> bool:
    return isinstance(exc, Refused) or (isinstance(exc, BaseExceptionGroup) and any(map(_is_told, exc.exceptions)))


async def main(address: Address, seconds: float) -> None:
    counts: Counter[str] = Counter()
    async with line(address) as one:
        await one.join("locked", password="nobody knows it")
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for guest, many in CROWD.items():
                for number in range(many):
                    nursery.start_soon(keep_coming, guest, Guests(address, counts, number))
    print(orjson.dumps(counts).decode())


if __name__ == "__main__":
    trio.run(main, (sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
