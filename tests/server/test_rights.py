"""Governing a room: by its owner in the room, and on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from broadcaster import wire
from broadcaster.errors import Refused
from broadcaster.remote import RemoteRoom
from broadcaster.server.gate import Gate, Visitor

from .guests import CUBE, serving, tx
from .processes import Broadcaster, broadcaster, command
from .test_command_line import one_line

SECRET = "the secret of this broadcaster"


async def test_an_owner_governs_in_the_order_of_all_else() -> None:  # RIGHT2, RIGHT5
    async with serving() as arena:
        ann, bob = await arena.join("ann"), await arena.join("bob")
        blobs = await arena.attach(bob)
        await ann.say(
            {"type": "govern", "op": "frozen", "on": True},
            tx(1, CUBE),
            {"type": "govern", "op": "kick", "member": "bob"},
        )
        said = [one["type"] for one in await ann.quiet()]
        assert said == ["members", "governed", "reject", "members", "governed"]
        with pytest.raises(Refused, match="you are removed from room 'r'") as refusal:
            await bob.hear("nothing that comes")
        assert not refusal.value.retry
        with pytest.raises(EOFError):
            await blobs.next()


async def test_who_runs_the_broadcaster_governs_without_joining() -> None:  # RIGHT6
    async with serving(gate=Gate(trio.current_time, SECRET)) as arena:
        master = await arena.visit()
        await master.say(
            {"type": "authorize", "secret": SECRET},
            {"type": "join", "room": "r", "name": "m", "secret": "s" * 22, "create": True},
        )
        await master.hear("members")
        visitor = await arena.visit()
        await visitor.say({"type": "govern", "room": "r", "op": "keep", "on": False})
        with pytest.raises(Refused, match="to govern a room takes the secret"):
            await visitor.next()
        visitor = await arena.visit()
        await visitor.say(
            {"type": "authorize", "secret": SECRET}, {"type": "govern", "room": "r", "op": "kick", "member": "x"}
        )
        assert (await visitor.hear("governed"))["refused"] == "there are 0 members 'x' in room 'r'"
        await visitor.say({"type": "govern", "room": "r", "op": "owner", "member": "m"})
        assert (await visitor.hear("governed")).get("refused") is None
        await visitor.say({"type": "govern", "op": "keep", "on": False})
        with pytest.raises(Refused, match="which room"):
            await visitor.next()


@pytest.mark.parametrize(
    ("address", "origin"),
    [("127.0.0.1", ""), ("::1", ""), ("", ""), ("10.0.0.1", "10.0.0.1"), ("fe80::1%eth0", "fe80::1%eth0")],
)
def test_nobody_is_known_by_an_address_of_this_machine(address: str, origin: str) -> None:  # RIGHT3
    assert Visitor(address).origin == origin


def test_the_command_line_governs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # RIGHT6
    with broadcaster("--data", str(tmp_path)) as server, enter(server) as room:
        room.content()
        run(server, "owner", "r", "command line")
        monkeypatch.setenv("MIXER_NEW_PASSWORD", "")
        assert one_line(command("settings", "--server", server.address, "r", "--password", "new").stderr) == (
            "error: the new password is read from MIXER_NEW_PASSWORD, which is empty"
        )
        monkeypatch.setenv("MIXER_NEW_PASSWORD", "swordfish")
        run(server, "settings", "r", "--password", "new", "--frozen", "yes")
        with pytest.raises(Refused, match="takes a password"), enter(server):
            pass
        with enter(server, password="swordfish") as second:
            second.content()
            with pytest.raises(Refused, match="stays as it is"):
                second.edit([[CUBE]])
        run(server, "settings", "r", "--password", "none", "--frozen", "no", "--keep", "no")
        with enter(server) as second:
            second.content()
            second.edit([[CUBE]])
            second.leave()
        run(server, "ban", "r", "command line")
        with pytest.raises(Refused, match="you are banned from room 'r'"):
            room.hear("nothing that comes")
        assert "there are 0 members" in one_line(command("kick", "--server", server.address, "r", "nobody").stderr)


def enter(server: Broadcaster, **options: str) -> RemoteRoom:
    return RemoteRoom((server.host, server.port), "r", create="if-missing", role="editor", **options)  # type: ignore[arg-type]


def run(server: Broadcaster, name: str, *arguments: str) -> None:
    done = command(name, "--server", server.address, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("invited", [True, False])
async def test_a_worker_takes_a_job_and_leaves_all_else_alone(invited: bool) -> None:  # RIGHT8
    async with serving() as arena:
        ann = await arena.join("ann")
        await ann.say(tx(1, CUBE, ["job", ["create", "jobs", {"frame": 1}]]))
        await ann.hear("ack")
        shown: dict[str, Any] = {"role": "worker"}
        if invited:
            host = arena.server.rooms.find("r")
            shown = {"invitation": arena.server._gate.invite(host.room, "worker", 60.0)}
        wil = await arena.join("wil", **shown)
        await wil.say(
            tx(1, ["cube", ["remove"]], base=1),
            {"type": "lease", "op": "acquire", "key": "cube", "seconds": 10},
            {"type": "lease", "op": "acquire", "key": "job", "seconds": 10},
            tx(2, ["job", ["patch", {"frame": ["put", 2]}]], base=1),
        )
        said = [(one["type"], one.get("reason"), one.get("refused")) for one in await wil.quiet()]
        assert said == [("reject", "role", None), ("lease", None, True), ("lease", None, None), ("ack", None, None)]
        blobs = await arena.attach(wil)
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(wire.sha_of(b"frame"), b"frame"))))
        await blobs.say({"type": "has", "shas": [wire.sha_of(b"frame")]})
        assert (await blobs.hear("missing"))["shas"] == []
