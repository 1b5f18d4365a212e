"""Secrets, right and wrong ones, stand in no line of the log, no error and no file; certificates of files are used."""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Final

import pytest

from broadcaster.errors import MixerError, Refused
from broadcaster.protocol import new_secret
from broadcaster.remote import Address, Remote, RemoteRoom

from .guests import serving
from .processes import Broadcaster, broadcaster, command, token_of
from .test_command_line import one_line

SECRET: Final = "the secret of a broadcaster: 5f0e19c2"
PASSWORD: Final = "the password of a room: 77ab01d3"
NEW_PASSWORD: Final = "the next password of a room: 4be98a51"
WRONG: Final = (
    "a wrong secret of a broadcaster",
    "a wrong password",
    "d3JvbmctdG9rZW4.d3Jvbmctc2lnbmF0dXJl",
    "p" * 5000,
)


def show_everything(server: Broadcaster, errors: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Shows each secret where it belongs and each wrong one everywhere; all that must not be found again."""
    address = (server.host, server.port)
    shown = [SECRET, PASSWORD, NEW_PASSWORD, *WRONG]
    with RemoteRoom(address, "r", create=True, role="editor", server_secret=SECRET, password=PASSWORD) as room:
        shown.append(room.secret)
        room.content()
        monkeypatch.setenv("MIXER_NEW_PASSWORD", NEW_PASSWORD)
        done = command("settings", "--server", server.address, "r", "--password", "new")
        assert (done.returncode, done.stderr) == (0, "")
        invited = command("invite", "--server", server.address, "r").stdout
        token = token_of(invited)
        shown.append(token)
        RemoteRoom(address, "r", create=False, role="editor", invitation=token).__exit__(None, None, None)
        line = http.client.HTTPConnection(server.http.removeprefix("http://"))
        for one in (SECRET, room.secret, token, *WRONG, new_secret()):
            for path in ("/metrics", "/rooms/r/blobs/" + "0" * 64, f"/rooms/r/blobs/{'0' * 64}?token={'t' * 40}"):
                line.request("GET", path, headers={"Authorization": f"Bearer {one}"})
                errors.append(line.getresponse().read().decode())
        line.close()
        room.leave()
    for one in WRONG:
        for field in ("server_secret", "password", "invitation"):
            with pytest.raises(MixerError) as failed:
                RemoteRoom(address, "r", create=False, role="editor", **{field: one})  # type: ignore[arg-type]
            errors.append(str(failed.value))
        with Remote(address) as remote:
            remote.send({"type": "authorize", "secret": [one]})  # not even well formed
            with pytest.raises(MixerError) as failed:
                remote.next()
        errors.append(str(failed.value))
    for variable, one in zip(("MIXER_SERVER_SECRET", "MIXER_PASSWORD", "MIXER_INVITATION"), WRONG, strict=False):
        with monkeypatch.context() as inner:
            inner.setenv(variable, one)
            done = command("export", "--server", server.address, "r", os.devnull)
            errors.append(done.stdout + done.stderr)
    return shown


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_secret_is_in_any_line_error_or_file(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # GATE12
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    said, data, errors = tmp_path / "said", tmp_path / "data", list[str]()
    options = ("--data", str(data), "--log-format", style, "--limit", "attempts=1000")
    with broadcaster(*options, said=said, verbose=2) as server:
        shown = show_everything(server, errors, monkeypatch)
        arguments = Path(f"/proc/{server.process.pid}/cmdline")
        errors.append(arguments.read_text() if arguments.exists() else "")
        assert server.stop() == 0
    lines = said.read_text()
    assert "that is not the secret" in lines  # it does tell
    assert "an HTTP request is refused" in lines
    files = [file for file in data.rglob("*") if file.is_file()]
    assert {"rooms.db", "invitation-key"} <= {file.name for file in files}
    held = b"\n".join(file.read_bytes() for file in files) + "\n".join([lines, *errors]).encode()
    assert [one for one in shown if one.encode() in held] == []


async def test_who_is_banned_reads_no_blobs_by_an_invitation() -> None:  # WEB7
    async with serving() as arena:
        owner = await arena.join("ann")
        outside, room = arena.server.outside, arena.server.rooms.hosts["r"].room
        visitor = await arena.visit()
        await visitor.say({"type": "invite", "room": "r", "role": "viewer", "seconds": 100})
        token = (await visitor.hear("invitation"))["token"]
        outside.admit("10.0.0.9", token, "r")
        room.rights.ban("somebody", "10.0.0.9", 10)
        with pytest.raises(Refused, match="does not let in here"):
            outside.admit("10.0.0.9", token, "r")
        outside.admit("10.0.0.8", token, "r")
        outside.admit("10.0.0.8", owner.secret, "r")


# Certificates from files


def make(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch"
    made = ["openssl", *new.split(), *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificates")
def test_certificates_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # GATE9
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (first, first_key), (second, second_key) = make(tmp_path, "first"), make(tmp_path, "second")
    chain = tmp_path / "chain.pem"
    chain.write_text(first.read_text() + second.read_text())  # a chain begins with the server's own
    said = tmp_path / "said"
    with broadcaster("--tls", str(chain), str(first_key), said=said) as server:
        fingerprint = said.read_text().split("fingerprint ")[1].split()[0]
        with Remote(Address(server.host, server.port, tls=True)) as remote:
            assert remote.fingerprint == fingerprint
        host, port = server.http.removeprefix("https://").split(":")
        context = ssl.create_default_context(cafile=str(first))
        context.check_hostname = False
        line = http.client.HTTPSConnection(host, int(port), context=context)
        line.request("GET", "/health")
        assert line.getresponse().status == 200
        line.close()
    ports = ("--port", "0", "--http-port", "0")
    for certificate, key in [(first, second_key), (first_key, first), (tmp_path / "none", first_key)]:
        done = command("serve", *ports, "--tls", str(certificate), str(key))
        assert done.returncode == 1
        assert "cannot be used for TLS" in one_line(done.stderr)
