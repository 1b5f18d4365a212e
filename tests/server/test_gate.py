"""Nobody comes in without a secret: over streams in memory, and with real processes, TLS and the command line."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from broadcaster import invitation, pins, wire
from broadcaster.errors import Refused
from broadcaster.limits import DEFAULTS
from broadcaster.remote import Address, RemoteRoom
from broadcaster.server.gate import Gate, Visitor
from broadcaster.store import Store
from broadcaster.store.sqlite import SqliteStore
from mixer.client import Server as At
from mixer.network.line import list_rooms

from .guests import CUBE, Arena, Guest, serving, tx
from .processes import broadcaster, command, token_of
from .test_client import Peer
from .test_command_line import digest_of, fill, one_line

SECRET = "the secret of this broadcaster"
PASSWORD = "the password of this room"


def closed() -> Gate:
    return Gate(trio.current_time, SECRET)


async def master(arena: Arena, secret: str = SECRET) -> Guest:
    """A visitor that knows the server's secret."""
    visitor = await arena.visit()
    await visitor.say({"type": "authorize", "secret": secret})
    await visitor.hear("authorized")
    return visitor


async def enter(guest: Guest, **fields: Any) -> Any:
    """The answer to a join."""
    await guest.say({"type": "join", "room": "r", "name": "x", "secret": guest.secret} | fields)
    return await guest.hear("joined")


async def test_rooms_are_made_listed_and_deleted_only_with_the_secret() -> None:  # GATE1
    async with serving(gate=closed()) as arena:
        for message, what in [
            ({"type": "join", "room": "r", "name": "x", "secret": "s" * 22, "create": True}, "a new room"),
            ({"type": "rooms"}, "the list of rooms"),
            ({"type": "delete", "room": "r"}, "to delete a room"),
            ({"type": "invite", "room": "r", "role": "editor", "seconds": 10}, "an invitation"),
        ]:
            visitor = await arena.visit()
            await visitor.say(message)
            with pytest.raises(Refused, match=f"{what} takes the secret"):
                await visitor.next()
        known = await master(arena)
        await known.say({"type": "rooms"})
        assert (await known.hear("rooms"))["rooms"] == []
        assert (await enter(known, create=True))["role"] == "owner"


async def test_a_wrong_secret_is_refused_and_never_told() -> None:  # GATE1
    async with serving(gate=closed()) as arena:
        with pytest.raises(Refused, match="not the secret") as refusal:
            await master(arena, "another secret of a broadcaster")
        assert "another secret" not in str(refusal.value)
    async with serving() as arena:
        with pytest.raises(Refused, match="not the secret"):
            await master(arena, "")


async def test_a_room_without_a_password_takes_the_secret_or_an_invitation() -> None:  # GATE2
    async with serving(gate=closed()) as arena:
        await enter(await master(arena), create=True)
        with pytest.raises(Refused, match="takes a password or an invitation"):
            await enter(await arena.visit())
        await enter(await master(arena))


async def test_too_many_failures_from_one_address_have_to_wait() -> None:  # GATE3
    async with serving(gate=closed()) as arena:
        for _ in range(DEFAULTS.attempts):
            with pytest.raises(Refused, match="not the secret"):
                await master(arena, "wrong")
        with pytest.raises(Refused, match="too many failed attempts") as refusal:
            await master(arena)
        assert refusal.value.retry
        await trio.sleep(DEFAULTS.attempts_seconds + 1)
        await master(arena)


async def test_failures_of_one_address_are_not_those_of_another() -> None:  # GATE3
    gate = closed()
    for _ in range(DEFAULTS.attempts):
        with pytest.raises(Refused, match="not the secret"):
            gate.authorize(Visitor("10.0.0.1"), "wrong")
    with pytest.raises(Refused, match="too many"):
        gate.authorize(Visitor("10.0.0.1"), SECRET)
    gate.authorize(Visitor("10.0.0.2"), SECRET)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
    ],
)
async def test_addresses_that_one_machine_has_are_counted_together(
    one: str, other: str, together: bool
) -> None:  # GATE3
    gate = closed()
    for _ in range(DEFAULTS.attempts):
        with pytest.raises(Refused, match="not the secret"):
            gate.authorize(Visitor(one), "wrong")
    if together:
        with pytest.raises(Refused, match="too many"):
            gate.authorize(Visitor(other), SECRET)
    else:
        gate.authorize(Visitor(other), SECRET)


async def token_for(arena: Arena, role: str, seconds: float = 100.0, room: str = "r") -> str:
    visitor = await master(arena)
    await visitor.say({"type": "invite", "room": room, "role": role, "seconds": seconds})
    token: str = (await visitor.hear("invitation"))["token"]
    return token


@pytest.mark.parametrize("role", ["editor", "viewer", "worker", "owner"])
async def test_an_invitation_lets_in_with_its_role(role: str) -> None:  # GATE4
    async with serving(gate=closed()) as arena:
        await enter(await master(arena), create=True)
        guest = await arena.visit()
        assert (await enter(guest, invitation=await token_for(arena, role), role="worker"))["role"] == role
        await guest.say(tx(1, CUBE))
        assert (await guest.hear("reject" if role == "viewer" else "ack"))["seq"] == 1


async def test_an_invitation_that_is_altered_old_or_for_another_room_lets_nobody_in() -> None:  # GATE5
    async with serving(gate=closed()) as arena:
        await enter(await master(arena), create=True)
        await enter(await master(arena), create=True, room="other")
        viewer, owner = await token_for(arena, "viewer"), await token_for(arena, "owner")
        forged = owner.split(".")[0] + "." + viewer.split(".")[1]
        elsewhere = await token_for(arena, "editor", room="other")
        for token, why in [
            (forged, "no invitation"),
            ("nonsense", "no invitation"),
            (elsewhere, "another room"),
        ]:
            with pytest.raises(Refused, match=why):
                await enter(await arena.visit(), invitation=token)
        short = await token_for(arena, "editor", 10.0)
        await trio.sleep(11)
        with pytest.raises(Refused, match="expired"):
            await enter(await arena.visit(), invitation=short)
        await trio.sleep(DEFAULTS.attempts_seconds)
        visitor = await master(arena)
        await visitor.say({"type": "invite", "room": "r", "role": "king", "seconds": 10})
        with pytest.raises(Refused, match="no role 'king'"):
            await visitor.next()


async def test_an_invitation_does_not_outlive_its_room() -> None:  # GATE5
    async with serving(gate=closed()) as arena:
        await enter(await master(arena), create=True)
        token = await token_for(arena, "editor")
        visitor = await master(arena)
        await visitor.say({"type": "delete", "room": "r"})
        await visitor.hear("deleted")
        await enter(await master(arena), create=True)
        with pytest.raises(Refused, match="another room"):
            await enter(await arena.visit(), invitation=token)


def real(test: Callable[[Arena], Awaitable[None]], store: Store | None = None) -> None:
    """Runs `test` on the real clock: to hash a password takes real time."""

    async def within_limit() -> None:
        with trio.fail_after(60):
            async with serving(store) as arena:
                await test(arena)

    trio.run(within_limit)


def test_a_room_has_a_password() -> None:  # GATE6
    async def test(arena: Arena) -> None:
        ann = await arena.visit()
        await enter(ann, create=True, password=PASSWORD)
        assert PASSWORD not in str(arena.server.rooms.hosts["r"].room.state())
        for shown, why in [({}, "takes a password"), ({"password": "wrong"}, "not the password")]:
            with pytest.raises(Refused, match=why):
                await enter(await arena.visit(), **shown)
        await enter(await arena.visit(), password=PASSWORD)
        with pytest.raises(Refused, match="takes a password"):  # nor by a copy of it
            await enter(await arena.visit(), room="copy", create=True, **{"from": "r"})
        with pytest.raises(Refused, match="takes a password"):  # nor by coming back
            await enter(await arena.visit(ann.secret))
        with pytest.raises(Refused, match="too long"):
            await enter(await arena.visit(), password="x" * 2000)

    real(test)


def test_a_password_is_kept_over_a_restart(tmp_path: Path) -> None:  # GATE6
    async def make(arena: Arena) -> None:
        await enter(await arena.visit(), create=True, password=PASSWORD)

    async def come(arena: Arena) -> None:
        with pytest.raises(Refused, match="not the password"):
            await enter(await arena.visit(), password="wrong")
        await enter(await arena.visit(), password=PASSWORD)

    for step in (make, come):
        store = SqliteStore(tmp_path)
        real(step, store)
        store.close()


# The command line


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Set for every process that the test starts."""
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return SECRET


def test_beyond_loopback_takes_tls_and_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # GATE7
    beyond = ["serve", "--host", "0.0.0.0", "--port", "0", "--http-port", "0", "--data", str(tmp_path)]
    for options in ([], ["--tls", "self-signed"]):
        assert "--tls and a secret, or --insecure" in one_line(command(*beyond, *options).stderr)
    monkeypatch.setenv("MIXER_SERVER_SECRET", "short")
    assert "at least 16 characters" in one_line(command(*beyond).stderr)
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    assert "--tls and a secret, or --insecure" in one_line(command(*beyond).stderr)


def test_secrets_come_from_the_environment_or_a_file(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # GATE8
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n")
    said = tmp_path / "said"
    monkeypatch.delenv("MIXER_SERVER_SECRET")
    with broadcaster("--secret-file", str(file), said=said) as server:
        assert "takes the secret" in one_line(command("rooms", "--server", server.address).stderr)
        monkeypatch.setenv("MIXER_SERVER_SECRET", secret)
        assert command("rooms", "--server", server.address).returncode == 0
        monkeypatch.setenv("MIXER_SERVER_SECRET", "another secret, a wrong one")
        done = command("rooms", "--server", server.address)
        assert "not the secret" in one_line(done.stderr)
        assert server.process.args[-2:] == ["--secret-file", str(file)]  # type: ignore[index]
    assert secret not in said.read_text()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_tls_is_known_by_its_fingerprint(secret: str, tmp_path: Path) -> None:  # GATE9
    said = tmp_path / "said"
    options = ("--data", str(tmp_path / "data"), "--tls", "self-signed")
    with broadcaster(*options, said=said) as server:
        address = f"tls://{server.address}"
        (line,) = [line for line in said.read_text().splitlines() if "fingerprint" in line]
        fingerprint = line.split()[-1]
        assert oct((tmp_path / "data" / "tls" / "key.pem").stat().st_mode & 0o777) == "0o600"
        assert command("rooms", "--server", address).stderr == ""
        assert fingerprint in pins.default_file().read_text()
        assert server.http.startswith("https://")
        context = ssl.create_default_context(cafile=str(tmp_path / "data" / "tls" / "certificate.pem"))
        context.check_hostname = False
        with urllib.request.urlopen(f"{server.http}/health", context=context) as answer:
            assert answer.status == 200
        assert command("rooms", "--server", server.address).returncode == 1  # without TLS
        port = server.port
        assert server.stop() == 0
    shutil.rmtree(tmp_path / "data" / "tls")
    with broadcaster(*options, port=port) as server:  # another certificate at the same address
        done = command("rooms", "--server", address)
        assert "another certificate than before" in one_line(done.stderr)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_everything_works_inside_tls(secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # GATE9
    file = tmp_path / "r.mixroom"
    with broadcaster("--data", str(tmp_path / "data"), "--tls", "self-signed") as server:
        address = f"tls://{server.address}"
        monkeypatch.delenv("MIXER_SERVER_SECRET")
        with broadcaster() as plain:
            fill(plain, "r")
            assert command("export", "--server", plain.address, "r", str(file)).returncode == 0
        monkeypatch.setenv("MIXER_SERVER_SECRET", secret)
        assert command("import", "--server", address, str(file), "r").stderr == ""
        invited = command("invite", "--server", address, "r", "--role", "viewer").stdout.strip()
        monkeypatch.delenv("MIXER_SERVER_SECRET")
        again = tmp_path / "again.mixroom"
        assert "password or an invitation" in one_line(command("export", "--server", address, "r", str(again)).stderr)
        for shown in (invited, token_of(invited)):
            monkeypatch.setenv("MIXER_INVITATION", shown)
            assert command("export", "--server", address, "r", str(again)).stderr == ""
            assert digest_of(again) == digest_of(file)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_who_speaks_no_tls_disturbs_nobody(secret: str, tmp_path: Path) -> None:  # GATE9
    with (
        broadcaster("--data", str(tmp_path / "data"), "--tls", "self-signed") as server,
        socket.create_connection((server.host, server.port)),
        socket.create_connection((server.host, server.port)) as noisy,
    ):
        noisy.sendall(os.urandom(1000))
        assert command("rooms", "--server", f"tls://{server.address}").returncode == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_a_client_comes_in_by_tls_and_an_invitation(secret: str, tmp_path: Path) -> None:  # CLIENT18
    blob = os.urandom(300_000)
    image = ["image", ["create", "images", {"file": {"$": "blob", "sha": wire.sha_of(blob), "size": len(blob)}}]]
    options = ("--data", str(tmp_path / "data"), "--tls", "self-signed")
    with broadcaster(*options) as server, ExitStack() as stack:
        address = Address(server.host, server.port, tls=True)
        with RemoteRoom(address, "r", create=True, role="editor", server_secret=secret) as room:
            room.leave()
        token = token_of(command("invite", "--server", str(address), "r").stdout)
        over_tls = replace(server, host=f"tls://{server.host}")

        def peer(**shown: Any) -> Peer:
            one = Peer(over_tls, "r", **shown)
            stack.callback(one.client.close)
            return one

        ann, bob, mallory = peer(invitation=token), peer(invitation=token), peer()
        mallory.until(lambda: mallory.heard("error"))
        assert "takes a password or an invitation" in mallory.heard("error")[0]["reason"]
        ann.until(lambda: ann.member.ready)
        ann.client.blobs.put(blob)
        ann.edit(image)
        ann.settle()
        bob.until(lambda: "image" in bob.member.confirmed)
        assert bob.client.blobs.get(wire.sha_of(blob)) == blob
        pins.default_file().write_text(json.dumps({server.address: "0" * 64}))
        cid = peer(invitation=token)
        cid.until(lambda: cid.heard("error"))
        assert "another certificate than before" in cid.heard("error")[0]["reason"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_an_invitation_names_the_certificate(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # GATE11
    file, said = tmp_path / "r.mixroom", tmp_path / "said"
    with (
        broadcaster("--data", str(tmp_path / "data"), "--tls", "self-signed", said=said) as server,
        ExitStack() as stack,
    ):
        address = Address(server.host, server.port, tls=True)
        with RemoteRoom(address, "r", create=True, role="editor", server_secret=secret) as room:
            room.leave()
        line = command("invite", "--server", str(address), "r").stdout.strip()
        invited = invitation.read(line)
        assert invited is not None
        assert f"certificate fingerprint {invited.fingerprint}" in said.read_text()
        assert invited[:3] == (server.host, server.port, "r")
        there = command("invite", "--server", str(address), "r", "--address", "rooms.example:1234").stdout
        assert there.startswith(f"mixer+tls://rooms.example:1234/r?{invited.fingerprint}#")

        pins.default_file().unlink()  # a first use, with somebody in between
        other = invited._replace(fingerprint="0" * 64)
        over_tls = replace(server, host=f"tls://{server.host}")
        one = Peer(over_tls, "r", invitation=invited.token, fingerprint=other.fingerprint)
        stack.callback(one.client.close)
        one.until(lambda: one.heard("error"))
        assert "another certificate than the invitation names" in one.heard("error")[0]["reason"]
        monkeypatch.delenv("MIXER_SERVER_SECRET")
        monkeypatch.setenv("MIXER_INVITATION", str(other))
        done = command("export", "--server", server.address, "r", str(file))
        assert "another certificate than the invitation names" in one_line(done.stderr)
        assert invited.token not in done.stderr
        assert not pins.default_file().exists()
        monkeypatch.setenv("MIXER_INVITATION", line)
        assert command("export", "--server", server.address, "r", str(file)).stderr == ""  # the invitation knows of TLS
        assert str(invited.fingerprint) in pins.default_file().read_text()


def test_a_client_makes_rooms_and_lists_them_with_the_servers_secret(secret: str) -> None:  # CLIENT19
    with broadcaster() as server, ExitStack() as stack:
        for shown, comes_in in [(secret, True), (secret, True), ("a secret, a wrong one", False), (None, False)]:
            one = Peer(server, "r", server_secret=shown)
            stack.callback(one.client.close)
            one.until(lambda one=one: one.member.ready or one.heard("error"))  # type: ignore[misc]
            assert one.member.ready == comes_in
        assert [room["name"] for room in list_rooms(At(server.host, server.port, secret=secret), 30)] == ["r"]
        with pytest.raises(Refused, match="takes the secret"):
            list_rooms(At(server.host, server.port), 30)
        assert secret not in repr(At(server.host, server.port, secret=secret))


def test_a_client_comes_in_by_a_password() -> None:  # CLIENT18
    with broadcaster() as server, ExitStack() as stack:
        for password, comes_in in [(PASSWORD, True), (PASSWORD, True), ("wrong", False)]:
            one = Peer(server, "r", password=password)
            stack.callback(one.client.close)
            one.until(lambda one=one: one.member.ready or one.heard("error"))  # type: ignore[misc]
            assert one.member.ready == comes_in


def test_a_pin_file_that_is_damaged_is_told(tmp_path: Path) -> None:  # GATE10
    file = tmp_path / "folder" / "pins.json"
    assert pins.check("a:1", "f" * 64, file)
    assert not pins.check("a:1", "f" * 64, file)
    with pytest.raises(Refused, match="another certificate"):
        pins.check("a:1", "e" * 64, file)
    file.write_text("{")
    with pytest.raises(Refused, match="cannot be read"):
        pins.check("a:1", "f" * 64, file)
