"""Whose blobs are whose: real processes, real sockets, and somebody who knows the sha256 of what is not his."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from broadcaster import wire
from broadcaster.errors import Refused
from broadcaster.remote import RemoteRoom
from broadcaster.wire import MIB, Message, Piece, sha_of

from .processes import Broadcaster, broadcaster, command

SMALL: Final = os.urandom(5000)
LARGE: Final = os.urandom(5 * MIB + 1)
BOTH: Final = [SMALL, LARGE]
BOTH_SHAS: Final = [sha_of(data) for data in BOTH]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Broadcaster]:
    """Its room `ours` names both blobs."""
    with broadcaster("--data", str(tmp_path)) as running:
        with join(running, "ours", create=True) as room:
            for data in BOTH:
                room.blobs.store(data)
            room.edit([[[sha_of(data), ["create", "images", {"file": blob(data)}]] for data in BOTH]])
            room.leave()
        yield running


def join(server: Broadcaster, name: str, *, create: bool = False, **settings: Any) -> RemoteRoom:
    room = RemoteRoom((server.host, server.port), name, create=create, role="editor", **settings)
    room.content()
    return room


def blob(data: bytes) -> Message:
    return {"$": "blob", "sha": sha_of(data), "size": len(data)}


def sees(server: Broadcaster, room: RemoteRoom, name: str, data: bytes) -> bool:
    """Whether a member of the room reads that blob: all ways agree."""
    sha = sha_of(data)
    try:
        read = [found for _, found in room.blobs.fetch([sha])] == [data]
    except Refused:
        read = False
    assert (list(room.blobs.missing([sha])) == []) is read
    for method in ("GET", "HEAD"):
        asked = http.client.HTTPConnection(server.http.removeprefix("http://"))
        asked.request(method, f"/rooms/{name}/blobs/{sha}", headers={"Authorization": f"Bearer {room.secret}"})
        answer = asked.getresponse()
        found = answer.read()
        asked.close()
        assert answer.status == (200 if read else 404)
        assert found == data or method == "HEAD" or not read
    return read


def test_who_knows_the_name_of_a_blob_of_another_room_gets_it_by_no_way(
    server: Broadcaster, tmp_path: Path
) -> None:  # SERVER44
    with join(server, "theirs", create=True) as room:
        assert not any(sees(server, room, "theirs", data) for data in BOTH)
        # A text that looks like the name of one waits for nothing, and names nothing.
        room.edit([[["text", ["create", "texts", {"body": BOTH_SHAS[0], "more": [{"sha": BOTH_SHAS[1]}]}]]]])
        assert not any(sees(server, room, "theirs", data) for data in BOTH)
        # What names one waits for its bytes, though they are on the disk already.
        for number, data in enumerate(BOTH):
            made = [[f"image{number}", ["create", "images", {"file": blob(data)}]]]
            room._edits.send({"type": "tx", "seq": 2 + number, "base": 1, "deltas": made})
        room._edits.send({"type": "ping", "id": 7})
        assert answers_until_pong(room) == []
    server.stop()
    with broadcaster("--data", str(tmp_path)) as again, join(again, "theirs") as room:
        assert [record["uuid"] for record in content(again, "theirs")] == ["text"]
        assert not any(sees(again, room, "theirs", data) for data in BOTH)


def answers_until_pong(room: RemoteRoom) -> list[Message]:
    """What came before the answer to a ping."""
    came: list[Message] = []
    while (message := room._edits.next())["type"] != "pong":  # type: ignore[index]
        assert not isinstance(message, Piece)
        came.append(message)
    return came


def content(server: Broadcaster, name: str) -> list[Message]:
    with RemoteRoom((server.host, server.port), name, create=False, role="viewer") as room:
        return room.content()[1]


def test_who_sends_the_bytes_has_the_blob_and_it_is_stored_once(
    server: Broadcaster, tmp_path: Path
) -> None:  # SERVER45
    def stored() -> list[tuple[str, int]]:
        return [(str(file), file.stat().st_ino) for file in sorted((tmp_path / "blobs").glob("??/*"))]

    before = stored()
    with join(server, "theirs", create=True) as room:
        for number, data in enumerate(BOTH):
            room.blobs.store(data)
            assert sees(server, room, "theirs", data)
            assert not any(sees(server, room, "theirs", other) for other in BOTH[number + 1 :])
        assert stored() == before
        room.edit([[["image", ["create", "images", {"file": blob(SMALL)}]]]])
        room.leave()
    server.stop()
    with broadcaster("--data", str(tmp_path)) as again, join(again, "theirs") as room:
        assert sees(again, room, "theirs", SMALL)  # the room names it
        assert not sees(again, room, "theirs", LARGE)  # nobody named it: it is to be sent anew
        forged = b"".join(map(wire.encode_piece, wire.pieces(sha_of(LARGE), bytes(len(LARGE)))))
        room.blobs._socket.sendall(forged)
        with pytest.raises(Refused, match="is not what its name says"):
            list(room.blobs.missing([sha_of(LARGE)]))


def test_forks_checkpoints_and_files_bring_their_blobs_along(server: Broadcaster, tmp_path: Path) -> None:  # SERVER46
    file = tmp_path / "ours.mixroom"
    assert command("fork", "--server", server.address, "ours", "fork").returncode == 0
    assert command("checkpoint", "--server", server.address, "ours", "first").returncode == 0
    assert command("export", "--server", server.address, "ours", str(file)).returncode == 0
    assert command("import", "--server", server.address, str(file), "imported").returncode == 0
    for name in ("fork", "ours@first", "imported"):
        with join(server, name) as room:
            assert all(sees(server, room, name, data) for data in BOTH)
    with join(server, "ours") as room:
        room.edit([[[sha, ["remove"]] for sha in BOTH_SHAS]])
        room.leave()
    server.stop()
    with broadcaster("--data", str(tmp_path)) as again:
        with join(again, "ours") as room:
            assert not any(sees(again, room, "ours", data) for data in BOTH)  # it names them no more
        assert command("back", "--server", again.address, "ours", "first").returncode == 0
        with join(again, "ours") as room:
            assert all(sees(again, room, "ours", data) for data in BOTH)
        with join(again, "late", create=True, **{"from": "ours@first"}) as room:
            assert all(sees(again, room, "late", data) for data in BOTH)
