"""The client and its network process against a real broadcaster, over real TCP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from broadcaster import wire
from broadcaster.errors import LocalProtocolError, MixerError
from broadcaster.member import Member
from broadcaster.wire import Message, sha_of
from mixer import beside
from mixer.client import BlobCache, Client, Link, ipc
from mixer.client import Server as At
from mixer.client.process import READ_AT_ONCE
from mixer.network.line import list_rooms

from .processes import Broadcaster, broadcaster

WAIT_SECONDS = 30.0
ROOMS = (f"room {number}" for number in count())
DATA = bytes(range(256)) * 1000
IMAGE = ["image", ["create", "images", {"file": {"$": "blob", "sha": sha_of(DATA), "size": len(DATA)}}]]
CUBE = ["cube", ["create", "objects", {"name": "Cube", "x": 0}]]


def put(value: Any) -> list[Any]:
    return ["cube", ["patch", {"x": ["put", value]}]]


class Peer:
    """A client and the member that folds what it hands over, as a session does without its Blender."""

    def __init__(self, server: Broadcaster, room: str, **options: Any) -> None:
        self.client = Client(server.host, server.port, room=room, **{"name": "peer", "create": "if-missing"} | options)
        self.member = Member(self.client.member)
        self.polled: list[Message] = []

    def edit(self, *deltas: Any) -> None:
        if (message := self.member.edit(list(deltas))) is not None:
            self.client.send(message)

    def before_begin(self) -> None:
        """What is done when a room has answered a join, and before anything goes there."""

    def pump(self) -> None:
        batch: list[Message] = []
        for message in self.client.poll():
            self.polled.append(message)
            match message["type"]:
                case "joined":
                    self.member.receive(batch)
                    batch = []
                    self.before_begin()
                    self.client.begin()
                    for again in self.member.begin(message):
                        self.client.send(again)
                case "records" | "ready" | "tx" | "ack" | "reject" | "digest":
                    batch.append(message)
        self.member.receive(batch)

    def heard(self, kind: str) -> list[Message]:
        return [message for message in self.polled if message["type"] == kind]

    def until(self, done: Callable[[], Any]) -> None:
        """Pumps until `done()`; a failure after WAIT_SECONDS says that it never came."""
        end = time.monotonic() + WAIT_SECONDS
        while not done():
            assert time.monotonic() < end, f"never came; heard {[message['type'] for message in self.polled]}"
            self.client.wait(0.02)
            self.pump()

    def settle(self) -> None:
        self.until(lambda: self.member.ready and not self.member.pending)


def joined_times(peer: Peer, times: int) -> bool:
    return len(peer.heard("joined")) == times


@pytest.fixture(scope="module")
def server() -> Iterator[Broadcaster]:
    with broadcaster() as running:
        yield running


@pytest.fixture
def room() -> str:
    return next(ROOMS)


@pytest.fixture
def peers() -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def make(*arguments: Any, **options: Any) -> Peer:
        made.append(Peer(*arguments, **options))
        return made[-1]

    yield make
    for peer in made:
        peer.client.close()
        assert peer.client.link is Link.ENDED


def test_edits_reach_the_other_side(server: Broadcaster, room: str, peers: Callable[..., Peer]) -> None:  # CLIENT1
    ann = peers(server, room)
    ann.edit(CUBE)  # before anything is connected: pending, and sent when the room is there
    ann.settle()
    bob = peers(server, room)
    bob.settle()
    bob.edit(put(7))
    ann.until(lambda: ann.member.revision == 2)
    bob.settle()
    assert ann.member.confirmed.digest() == bob.member.confirmed.digest()
    assert ann.client.link is Link.JOINED


def test_what_names_a_blob_is_handed_over_when_the_blob_is_here(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT2
    ann, bob = peers(server, room), peers(server, room)
    ann.settle()
    bob.settle()
    assert ann.client.blobs.put(DATA) == sha_of(DATA)
    ann.edit(IMAGE)
    ann.edit(CUBE)
    while not bob.heard("tx"):
        bob.client.wait(0.02)
        bob.pump()
        assert not bob.heard("tx") or bob.client.blobs.get(sha_of(DATA)) == DATA
    bob.until(lambda: bob.member.revision == 2)
    cid = peers(server, room)
    cid.settle()
    assert cid.client.blobs.get(sha_of(DATA)) == DATA
    assert cid.client.received_bytes > len(DATA)
    ann.settle()
    assert ann.client.sent_bytes > len(DATA)
    assert ann.client.transfers == ann.client.in_flight == 0


def test_a_text_that_looks_like_a_blob_is_not_waited_for(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT3
    ann, bob = peers(server, room), peers(server, room)
    ann.edit(["text", ["create", "texts", {"body": "ab" * 32}]])
    ann.settle()
    bob.until(lambda: bob.member.revision == 1)
    assert bob.client.transfers == 0


def test_a_blob_is_uploaded_once(server: Broadcaster, room: str, peers: Callable[..., Peer]) -> None:  # CLIENT4
    ann = peers(server, room)
    data = DATA + room.encode()
    blob = {"$": "blob", "sha": ann.client.blobs.put(data), "size": len(data)}
    ann.edit(["one", ["create", "images", {"file": blob}]])
    ann.settle()
    sent = ann.client.sent_bytes
    ann.edit(["two", ["create", "images", {"file": blob}]])
    ann.settle()
    bob = peers(server, room)
    bob.client.blobs.put(data)
    bob.edit(["three", ["create", "images", {"file": blob}]])
    bob.settle()
    assert ann.client.sent_bytes - sent < len(data)
    assert bob.client.sent_bytes < len(data)


def test_edits_made_without_a_connection_are_done_once(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT5
    ann, bob = peers(server, room), peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    bob.until(lambda: bob.member.revision == 1)
    ann.client.disconnect()
    ann.until(lambda: ann.heard("disconnected"))
    assert ann.client.link is Link.LOST
    ann.edit(put(1))
    ann.edit(["lamp", ["create", "lights", {}]])
    bob.edit(["extra", ["create", "lights", {}]])
    bob.settle()
    assert len(ann.heard("joined")) == 1
    ann.client.reconnect()
    ann.until(lambda: len(ann.heard("joined")) == 2)
    assert ann.heard("joined")[1]["since"] == "changes"
    ann.settle()
    bob.until(lambda: bob.member.revision == 4)
    assert ann.member.confirmed.digest() == bob.member.confirmed.digest()
    assert ann.member.overruled == []


def test_a_connection_cut_in_the_middle_of_much_loses_nothing(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT6
    ann, bob = peers(server, room), peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    for round in range(5):
        for number in range(200):
            ann.edit([f"{round}-{number}", ["create", "lights", {"n": number}]])
        ann.client.wait(0.01)
        ann.pump()
        ann.client.disconnect()
        ann.client.reconnect()
        ann.until(partial(joined_times, ann, round + 2))
    ann.settle()
    bob.until(lambda: bob.member.revision == 1001)
    assert ann.member.overruled == []
    assert len(bob.member.confirmed) == 1001
    assert ann.member.confirmed.digest() == bob.member.confirmed.digest()


def test_an_edit_made_while_coming_back_is_sent_once(
    server: Broadcaster, room: str, peers: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:  # CLIENT20
    ann = peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    ann.client.disconnect()
    ann.until(lambda: ann.heard("disconnected"))
    ann.edit(put(1))
    monkeypatch.setattr(ann, "before_begin", lambda: ann.edit(put(2)))
    ann.client.reconnect()
    ann.until(partial(joined_times, ann, 2))
    ann.edit(put(3))
    ann.settle()
    cube = ann.member.confirmed.get("cube")
    assert cube is not None
    assert (cube.tree["x"], ann.heard("error")) == (3, [])


def test_a_line_that_is_lost_twice_while_blender_is_busy_gets_what_is_pending_once(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT20
    ann, bob = peers(server, room), peers(server, room)
    ann.edit(CUBE)
    ann.settle()

    def came() -> int:
        return sum(bool(message.get("joined")) for message in bob.heard("members"))

    bob.until(lambda: bob.member.revision == 1)
    ann.client.disconnect()
    ann.edit(put(1))
    for _ in range(2):  # with nobody polling meanwhile
        ann.client.disconnect()
        before = came()
        ann.client.reconnect()
        bob.until(lambda before=before: came() > before)
    ann.until(partial(joined_times, ann, 3))
    ann.edit(put(2))
    ann.settle()
    bob.until(lambda: bob.member.revision == 3)
    assert (bob.member.confirmed.digest(), ann.heard("error")) == (ann.member.confirmed.digest(), [])


def test_more_than_may_be_in_flight_waits_here(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT7
    many = wire.MAX_IN_FLIGHT + 100
    ann = peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    for value in range(many):
        ann.edit(put(value))
    ann.settle()
    assert ann.member.revision == many + 1


@pytest.mark.parametrize(
    ("options", "why"), [({"create": False}, "there is no room"), ({"name": "a\tb"}, "cannot be the name of a member")]
)
def test_a_refusal_is_handed_over_as_one_sentence(
    server: Broadcaster, room: str, peers: Callable[..., Peer], options: Message, why: str
) -> None:  # CLIENT8
    ann = peers(server, room, **options)
    ann.until(lambda: ann.heard("error"))
    assert why in ann.heard("error")[0]["reason"]


def test_no_broadcaster_is_told_in_one_sentence(room: str, peers: Callable[..., Peer]) -> None:  # CLIENT9
    with broadcaster() as gone:
        gone.stop()
        ann = peers(gone, room)
        ann.until(lambda: ann.heard("error"))
        assert f"no broadcaster at {gone.address}" in ann.heard("error")[0]["reason"]


def test_a_server_that_is_gone_is_tried_again_and_what_was_here_is_kept(
    room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT10
    with broadcaster() as first:
        ann = peers(first, room)
        ann.edit(CUBE)
        ann.settle()
        assert first.stop() == 0
        ann.until(lambda: ann.heard("disconnected"))
        assert len(ann.member.confirmed) == 1
    with broadcaster(port=first.port):  # it kept nothing: this is another room
        ann.client.reconnect()
        ann.until(lambda: ann.heard("error"))
        assert "there is no room" in ann.heard("error")[0]["reason"]
        assert len(ann.member.confirmed) == 1


def test_a_blob_that_an_edit_names_and_nobody_has_ends_the_client(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT11
    ann = peers(server, room)
    nothing = {"$": "blob", "sha": "0" * 64, "size": 1}
    ann.edit(["image", ["create", "images", {"file": nothing}]])
    ann.until(lambda: ann.heard("error"))
    assert "is not here" in ann.heard("error")[0]["reason"]


def test_what_cannot_be_sent_is_told_at_once(
    server: Broadcaster, room: str, peers: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:  # CLIENT12
    ann = peers(server, room)
    with pytest.raises(LocalProtocolError):
        ann.client.send({"type": "presence", "state": {"name": "\ud800"}})
    monkeypatch.setattr(wire, "MAX_REQUEST_BYTES", 1000)
    with pytest.raises(LocalProtocolError, match="1000 are allowed"):
        ann.client.send({"type": "tx", "seq": 1, "base": 0, "deltas": ["x" * 1000]})


def test_leaving_is_seen_by_others(server: Broadcaster, room: str, peers: Callable[..., Peer]) -> None:  # CLIENT13
    ann, bob = peers(server, room, name="Ann"), peers(server, room, name="Bob", color="#00ff88")
    ann.settle()
    bob.settle()
    ann.until(lambda: any(one["name"] == "Bob" for news in ann.heard("members") for one in news["joined"]))
    bob.client.close()
    ann.until(lambda: any(bob.client.member in news["left"] for news in ann.heard("members")))


def test_rooms_are_listed_without_joining(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT14
    peers(server, room).settle()
    assert room in [one["name"] for one in list_rooms(At(server.host, server.port), WAIT_SECONDS)]


def test_listing_the_rooms_of_nobody_is_an_error() -> None:  # CLIENT14
    with broadcaster() as gone:
        gone.stop()
        with pytest.raises(OSError, match=r"no broadcaster|failed|refused"):
            list_rooms(At(gone.host, gone.port), 5.0)


# The process

CRASHING = """
import os, sys, time
from mixer.client import Client
from broadcaster.member import Member
from broadcaster.tree import CHUNK_BYTES

client = Client(sys.argv[1], int(sys.argv[2]), room=sys.argv[3], name="crashing")
member = Member(client.member)
while not member.ready:
    client.wait(0.1)
    batch = client.poll()
    for message in batch:
        if message["type"] == "joined":
            client.begin()
            member.begin(message)
    member.receive([message for message in batch if message["type"] in ("records", "ready")])
client.send({"type": "lease", "op": "acquire", "key": "cube", "seconds": 30})
data = os.urandom(int(sys.argv[4]))
blob = {"$": "blob", "sha": client.blobs.put(data), "size": len(data)}
client.send(member.edit([["image", ["create", "images", {"name": "last", "file": blob}]]]))
while client._process.is_behind:
    client.wait(0.01)  # as ticks would
os._exit(9)
"""


def test_what_a_blender_said_last_arrives_though_it_crashed(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT21
    ann = peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    size = 20_000_000
    told = [server.host, str(server.port), room, str(size)]
    crashed = subprocess.run([sys.executable, "-c", CRASHING, *told], timeout=60)
    assert crashed.returncode == 9
    ann.until(lambda: "image" in ann.member.confirmed)
    image = ann.member.confirmed.get("image")
    assert image is not None
    assert len(ann.client.blobs.get(image.tree["file"]["sha"])) == size
    ann.until(lambda: any(news["left"] for news in ann.heard("members")))
    assert [one["holder"] is not None for one in ann.heard("lease")] == [True]  # and not given back


def test_nobody_else_can_be_the_network_process(
    server: Broadcaster, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # CLIENT22
    start = beside.start

    def overtaken(module: str, *, out: int, told: bytes) -> subprocess.Popen[bytes]:
        """Somebody connects first, to a port they guessed, and says something of that kind."""
        for said in (ipc.encode(["hello", "0" * 64, ipc.TO]), b"nonsense", ipc.encode(["arrived", 1], b"{}")):
            with socket.create_connection(listening[-1]) as guest:
                guest.sendall(said)
        return start(module, out=out, told=told)

    listening: list[Any] = []
    create = socket.create_server

    def noted(address: tuple[str, int]) -> socket.socket:
        listener = create(address)
        listening.append(listener.getsockname())
        return listener

    monkeypatch.setattr(socket, "create_server", noted)
    monkeypatch.setattr(beside, "start", overtaken)
    ann = Peer(server, room)
    ann.edit(CUBE)
    ann.settle()
    ann.client.close()


def test_a_network_process_that_ends_is_told(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT23
    ann = peers(server, room)
    ann.settle()
    ann.client._process._process.kill()
    ann.until(lambda: ann.heard("error"))
    assert "network process ended" in ann.heard("error")[0]["reason"]
    assert ann.client.link is Link.ENDED
    ann.edit(CUBE)  # it stays pending
    ann.client.wait(60)


def test_a_network_process_that_cannot_start_is_told(
    server: Broadcaster, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # CLIENT23
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(MixerError, match="no program can be started"):
        Client(server.host, server.port, room=room, name="Ann")


def test_more_than_a_tick_takes_comes_over_several(
    server: Broadcaster, room: str, peers: Callable[..., Peer]
) -> None:  # CLIENT24
    ann, bob = peers(server, room), peers(server, room)
    ann.settle()
    bob.settle()
    datas = [bytes([number]) * (READ_AT_ONCE // 3) for number in range(10)]
    for number, data in enumerate(datas):
        blob = {"$": "blob", "sha": ann.client.blobs.put(data), "size": len(data)}
        ann.edit([f"image {number}", ["create", "images", {"file": blob}]])
    ann.settle()
    bob.until(lambda: bob.member.revision == len(datas))
    assert [bob.client.blobs.get(sha_of(data)) for data in datas] == datas


# The cache


def test_what_does_not_fit_into_memory_is_on_disk() -> None:  # CLIENT15
    cache = BlobCache(memory_bytes=10)
    names = [cache.put(bytes([number]) * 8) for number in range(5)]
    assert [cache.get(name) for name in names] == [bytes([number]) * 8 for number in range(5)]
    assert all(name in cache for name in names)
    cache.close()
    with pytest.raises(KeyError):
        cache.get(names[0])


def test_what_a_disk_does_not_take_stays_in_memory(tmp_path: Path) -> None:  # CLIENT15
    cache = BlobCache(tmp_path, memory_bytes=10)
    datas = [bytes([number]) * 8 for number in range(5)]
    for data in datas:
        (tmp_path / sha_of(data)[:2]).write_text("no room for a folder")
    assert [cache.get(cache.put(data)) for data in datas] == datas
    assert [cache.get(sha_of(data)) for data in datas] == datas
    cache.close()


def test_a_file_that_another_program_removed_is_not_here(tmp_path: Path) -> None:  # CLIENT16
    cache = BlobCache(tmp_path, memory_bytes=10)
    names = [cache.put(bytes([number]) * 8) for number in range(3)]
    (tmp_path / names[0][:2] / names[0]).unlink()
    with pytest.raises(KeyError):
        cache.get(names[0])
    assert cache.get(names[1]) == bytes([1]) * 8


def test_a_directory_is_kept_for_the_next_time(tmp_path: Path) -> None:  # CLIENT16
    cache = BlobCache(tmp_path)
    names = [cache.put(b"one"), cache.put(b"two")]
    cache.close()
    (tmp_path / names[1][:2] / names[1]).write_bytes(b"torn")
    again = BlobCache(tmp_path)
    assert again.get(names[0]) == b"one"
    with pytest.raises(KeyError):
        again.get(names[1])


def test_content_is_loaded_anew(server: Broadcaster, room: str, peers: Callable[..., Peer]) -> None:  # CLIENT17
    ann = peers(server, room)
    ann.edit(CUBE)
    ann.settle()
    ann.member.confirmed.apply([put(99)], revision=1, sender="nobody")  # a fault of ours, somewhere
    ann.client.send(digest_question(ann))
    ann.until(lambda: ann.member.drift)
    ann.client.reload()
    ann.edit(["lamp", ["create", "lights", {}]])
    ann.until(partial(joined_times, ann, 2))
    assert ann.heard("joined")[1]["since"] == "snapshot"
    ann.settle()
    assert ann.member.shown.get("cube").tree["x"] == 0  # type: ignore[union-attr]
    ann.client.send(digest_question(ann))
    ann.until(lambda: ann.member.compared == 2)
    assert ann.member.drift == 1


def digest_question(peer: Peer) -> Message:
    question = peer.member.ask_digest(100)
    assert question is not None
    return question
