"""A .mixroom file over the HTTP port: on real sockets, to a real process and to a server in this one."""

from __future__ import annotations

import http.client
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from broadcaster import archive, wire
from broadcaster.document import Document
from broadcaster.limits import Limits
from broadcaster.remote import RemoteRoom

from .processes import Broadcaster, broadcaster, command, token_of
from .test_web import Connect, all_of, on_sockets

SECRET: Final = "the secret of this broadcaster"
SMALL: Final = [os.urandom(1000 + number) for number in range(50)]
LARGE: Final = os.urandom(3 * wire.MIB + 1)
SENT_AT_ONCE: Final = b"whatever"  # what is longer may meet a line that the server has closed behind its answer
BLOBS: Final = {wire.sha_of(data): data for data in [*SMALL, LARGE, b""]}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room with blobs of all sizes."""
    path = tmp_path_factory.mktemp("made") / "a.mixroom"
    document = Document()
    for sha, data in BLOBS.items():
        blob = {"$": "blob", "sha": sha, "size": len(data)}
        document.apply([[sha, ["create", "images", {"file": blob}]]], revision=document.revision + 1, sender="ann")
    archive.write(path, "a", document.revision, orjson.loads(orjson.dumps(list(document.snapshot()))), BLOBS.items())
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broadcaster]:
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    with broadcaster("--data", str(tmp_path)) as running:
        yield running


def upload(server: Broadcaster, room: str, data: bytes, token: str = SECRET) -> tuple[int, dict[str, Any]]:
    """The status, and what is said."""
    asked = http.client.HTTPConnection(server.http.removeprefix("http://"))
    asked.request("PUT", f"/rooms/{room}", data, {"Authorization": f"Bearer {token}"} if token else {})
    answer = asked.getresponse()
    said = json.loads(answer.read())
    asked.close()
    return answer.status, said


def content(server: Broadcaster, room: str) -> tuple[str, dict[str, bytes]]:
    """The digest of a room, and its blobs."""
    address = (server.host, server.port)
    with RemoteRoom(address, room, create=False, role="viewer", server_secret=SECRET) as joined:
        document = Document()
        document.load(records := joined.content()[1])
        return document.digest(), dict(joined.blobs.fetch(archive.named_blobs(records)))


def test_an_uploaded_room_is_the_one_that_is_imported(server: Broadcaster, file: Path, tmp_path: Path) -> None:  # WEB13
    assert upload(server, "up%20loaded", file.read_bytes()) == (201, {"room": "up loaded", "revision": 1})
    assert command("import", "--server", server.address, str(file), "imported").returncode == 0
    digest, blobs = content(server, "up loaded")
    assert blobs == BLOBS
    assert content(server, "imported") == (digest, blobs)
    assert list((tmp_path / "uploads").iterdir()) == []
    server.stop()
    with broadcaster("--data", str(tmp_path)) as again:
        assert content(again, "up loaded") == (digest, blobs)
        assert upload(again, "up%20loaded", file.read_bytes())[0] == 422  # never over another


def test_an_upload_takes_the_secret_of_the_broadcaster(server: Broadcaster, file: Path) -> None:  # WEB13
    data = file.read_bytes()
    assert upload(server, "r", data)[0] == 201
    line = command("invite", "--server", server.address, "r", "--role", "owner").stdout
    with RemoteRoom((server.host, server.port), "r", create=False, role="editor", server_secret=SECRET) as member:
        for token, status in [("", 401), ("x" * 40, 401), (member.secret, 403), (token_of(line), 403)]:
            assert upload(server, "s", SENT_AT_ONCE, token)[0] == status
    rooms = json.loads(command("rooms", "--json", "--server", server.address).stdout)
    assert [room["name"] for room in rooms] == ["r"]


def spoilt(file: Path, name: str, data: bytes | None) -> bytes:
    """The file with one of its parts replaced, or left out."""
    path = file.with_name("spoilt.mixroom")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        if data is not None:
            new.writestr(name, data)
    return path.read_bytes()


@pytest.mark.parametrize("sha", [wire.sha_of(LARGE), wire.sha_of(SMALL[0])])
def test_a_file_that_is_not_whole_makes_no_room(
    server: Broadcaster, file: Path, sha: str, tmp_path: Path
) -> None:  # WEB14
    assert upload(server, "there", file.read_bytes())[0] == 201  # so its blobs are stored: they have to be in the file
    for data, why in [
        (b"", "is not a room"),
        (b"no zip", "is not a room"),
        (file.read_bytes()[:-1000], "is not a room"),
        (spoilt(file, "room.json", b"{}"), "format"),
        (spoilt(file, "records.jsonl", b""), "damaged"),
        (spoilt(file, f"blobs/{sha}", None), "is missing"),
        (spoilt(file, f"blobs/{sha}", b"something else"), "is not what its name says"),
    ]:
        status, said = upload(server, "r", data)
        assert (status, why in said["error"]) == (422, True), said
        assert str(tmp_path) not in said["error"]
    assert upload(server, "", SENT_AT_ONCE)[0] in (404, 422)
    status, said = upload(server, "%20r", SENT_AT_ONCE)
    assert (status, "name" in said["error"]) == (422, True), said
    rooms = json.loads(command("rooms", "--json", "--server", server.address).stdout)
    assert [room["name"] for room in rooms] == ["there"]
    assert list((tmp_path / "uploads").iterdir()) == []


def head(length: int, room: str = "r") -> bytes:
    lines = (
        f"PUT /rooms/{room} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: {length}"
    )
    return lines.encode() + b"\r\n\r\n"


def test_uploads_are_bounded_in_length_number_and_time(file: Path) -> None:  # WEB15
    data = file.read_bytes()

    async def too_long(connect: Connect) -> None:
        async with await connect() as line:
            await line.send_all(head(len(data)) + data[:300])
            assert b" 413 " in await all_of(line)

    async def too_many(connect: Connect) -> None:
        async with await connect() as first:
            await first.send_all(head(len(data)) + data[:300])
            answer = b""
            while b" 503 " not in answer:  # until the first one is under way
                async with await connect() as second:
                    await second.send_all(head(10, "s") + bytes(10))
                    answer = await second.receive_some(1000)
                    assert b" 503 " in answer or b" 422 " in answer

    async def too_slow(connect: Connect) -> None:
        async with await connect() as line:
            await line.send_all(head(len(data)) + data[:300])
            assert b" 408 " in await all_of(line)

    on_sockets(Limits(upload_bytes=200), too_long, secret=SECRET)
    on_sockets(Limits(uploads=1), too_many, secret=SECRET)
    on_sockets(Limits(stalled_seconds=0.5), too_slow, secret=SECRET)


def test_a_room_holds_no_more_of_an_upload_than_it_may(file: Path) -> None:  # WEB15
    data = file.read_bytes()

    async def refused(connect: Connect) -> None:
        async with await connect() as line:
            await line.send_all(head(len(data)) + data)
            answer = b""
            while b"}" not in answer:
                answer += await line.receive_some(1000)
            assert b" 422 " in answer

    for limits in (Limits(entities=10), Limits(room_bytes=500), Limits(blob_bytes=wire.MIB), Limits(entity_bytes=20)):
        on_sockets(limits, refused, secret=SECRET)
