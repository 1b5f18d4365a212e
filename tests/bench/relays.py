"""What is measured side by side: how each server is started, and what its sender and its receivers say and count.

Every payload is MARK and filler. A receiver reads raw bytes and counts MARK, which nothing else on these lines holds,
so no client parses what it need not. The exceptions ask for more as they go, as any client of theirs has to: a reader
of Redis Streams asks for what comes after its last entry, a member of a room fetches the blobs that transactions name.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson

from broadcaster import wire
from broadcaster.wire import Piece
from tests.peers.processes import ROOT

from .guest import CREATE, Guest, connect, drain, push

MARK: Final = b"~mark~"  # longer than what stands before a frame, which may be any bytes
BATCH_BYTES: Final = 64 * 1024  # a sender's write
HEADER_BYTES: Final = 5  # of a frame of ours


class Receiver:
    """One that gets all; counts without looking closer."""

    def __init__(self, *sockets: socket.socket) -> None:
        self.sockets = sockets
        self.count = 0
        self._end = b""  # of what came, as long as a mark that is cut

    def take(self, sock: socket.socket, data: bytes) -> None:
        cut = len(MARK) - 1
        self.count += data.count(MARK) + (self._end + data[:cut]).count(MARK)
        self._end = (self._end + data[-cut:])[-cut:]


class Relay(ABC):
    """One kind of server on its port, and payloads of `size` bytes."""

    name: str
    program: str | None = None  # looked for on the PATH
    keeps = False  # in order and on disk, or nothing
    at_ack = "nothing"  # what is kept when a message is answered, or told to others

    def __init__(self, port: int, size: int) -> None:
        self.port = port
        self.size = size
        self.payload = MARK + b"x" * (size - len(MARK))
        self.socket: socket.socket | None = None

    @classmethod
    def lacking(cls) -> str | None:
        """Why it cannot be measured here, if it cannot."""
        if cls.program is None or shutil.which(cls.program) is not None:
            return None
        return f"{cls.program} is not on the PATH"

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """What starts it, with all it keeps in `folder`."""

    @abstractmethod
    def receiver(self, number: int) -> Receiver:
        """Joined, so that it gets whatever is sent from now on."""

    def open(self) -> None:
        """Makes what is sent to, and the sender."""
        self.socket = connect(self.port)

    def frames(self, first: int, count: int) -> bytes:
        """The messages `first` and on."""
        return self.frame() * count

    def frame(self) -> bytes:
        raise NotImplementedError

    def send(self, first: int, count: int) -> None:
        assert self.socket is not None
        push(self.socket, self.frames(first, count))

    def idle(self) -> None:
        """While the sender waits."""
        assert self.socket is not None
        drain(self.socket)


class Broadcaster(Relay):
    """Transactions whose frames are `size` bytes long, each an edit of the same text."""

    name = "broadcaster"
    keeps = True
    at_ack = "on disk, flushed"

    def command(self, folder: Path) -> list[str]:
        command = [sys.executable, "-m", "broadcaster", "serve", "--port", str(self.port), "--http-port", "0"]
        return [*command, "--data", str(folder), "--end-with-stdin"]

    def open(self) -> None:
        self._guest = Guest(self.port, "sender")
        self._guest.edit(1, CREATE)
        self.socket = self._guest.socket
        bare = len(self._transaction(10_000, ["put", ""]))
        delta = ["put", MARK.decode() + "x" * (self.size - bare - len(MARK))]
        self._before, self._behind = self._transaction(10_000, delta)[HEADER_BYTES:].split(b"10000")

    def frames(self, first: int, count: int) -> bytes:
        """Put together of parts: the server is measured, not its sender."""
        bodies = [b"%b%d%b" % (self._before, seq, self._behind) for seq in range(first + 2, first + count + 2)]
        return b"".join([b"%b\0%b" % (len(body).to_bytes(4, "big"), body) for body in bodies])

    def _transaction(self, seq: int, delta: object) -> bytes:
        deltas = [["target", ["patch", {"text": delta}]]]
        return wire.encode({"type": "tx", "seq": seq, "base": 1, "deltas": deltas})

    def receiver(self, number: int) -> Receiver:
        return Receiver(Guest(self.port, f"receiver {number}").socket)


class PlainBroadcaster(Broadcaster):
    """As people have it who install no compiled one."""

    name = "broadcaster, not compiled"

    @classmethod
    def lacking(cls) -> str | None:
        return None if wire.IS_COMPILED else "no other is here: `make compiled` builds it"

    def command(self, folder: Path) -> list[str]:
        return ["env", f"PYTHONPATH={ROOT}", *super().command(folder)]


class BroadcasterBlobs(Broadcaster):
    """Blobs of `size` bytes, each named by a transaction; receivers get a blob when they read its name."""

    def open(self) -> None:
        self._guest = Guest(self.port, "sender")
        self._guest.edit(1, CREATE)
        self.socket = self._guest.socket
        self._blobs = self._guest.attached()

    def send(self, first: int, count: int) -> None:
        pieces, transactions = [], []
        for number in range(first, first + count):
            data = self.payload[:-12] + b"%012d" % number
            name = sha256(data).hexdigest()
            pieces.append(wire.encode_piece(Piece(name, 0, self.size, data)))
            blob = {"$": "blob", "sha": name, "size": self.size}
            transactions.append(self._transaction(number + 2, ["put", blob]))
        assert self.socket is not None
        push(self.socket, b"".join(transactions))
        push(self._blobs, b"".join(pieces))

    def receiver(self, number: int) -> Receiver:
        guest = Guest(self.port, f"receiver {number}")
        return _BlobReceiver(guest.socket, guest.attached(), self.size)


class _BlobReceiver(Receiver):
    NAME: Final = re.compile(rb'"sha":"([0-9a-f]{64})"')

    def __init__(self, edits: socket.socket, blobs: socket.socket, size: int) -> None:
        super().__init__(edits, blobs)
        self._size = len(wire.encode_piece(Piece("0" * 64, 0, size, b"x" * size)))
        self._bytes = 0
        self._text = b""

    def take(self, sock: socket.socket, data: bytes) -> None:
        if sock is self.sockets[1]:
            self._bytes += len(data)
            self.count = self._bytes // self._size
            return
        self._text += data
        if names := list(self.NAME.finditer(self._text)):
            self._text = self._text[names[-1].end() :]
            get = wire.encode({"type": "get", "shas": [name[1].decode() for name in names]})
            self.sockets[1].sendall(get)


class NatsCore(Relay):
    name = "nats core"
    program = "nats-server"

    def command(self, folder: Path) -> list[str]:
        return ["nats-server", "-a", "127.0.0.1", "-p", str(self.port)]

    def open(self) -> None:
        self.socket = self._hello()

    def frame(self) -> bytes:
        return b"PUB relay %d\r\n%b\r\n" % (self.size, self.payload)

    def receiver(self, number: int) -> Receiver:
        sock = self._hello()
        self._ask(sock, b"SUB relay 1\r\nPING\r\n", b"PONG")
        return Receiver(sock)

    def _hello(self) -> socket.socket:
        sock = connect(self.port)
        self._ask(sock, b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n', b"PONG")
        return sock

    def _ask(self, sock: socket.socket, request: bytes, answer: bytes) -> bytes:
        sock.sendall(request)
        return _until(sock, answer)


class JetStream(NatsCore):
    """A stream in files. Each message is acknowledged to the sender; receivers have consumers that push."""

    name = "nats jetstream, file"
    keeps = True
    at_ack = "in a file, left to the kernel: it is flushed every two minutes"

    def command(self, folder: Path) -> list[str]:
        return [*super().command(folder), "-js", "-sd", str(folder)]

    def open(self) -> None:
        self.socket = self._hello()
        self._ask(self.socket, b"SUB made 1\r\nSUB ack 2\r\n", b"")
        stream = {"name": "relay", "subjects": ["relay"], "storage": "file", "retention": "limits"}
        self._request(self.socket, "STREAM.CREATE.relay", stream)

    def frame(self) -> bytes:
        return b"PUB relay ack %d\r\n%b\r\n" % (self.size, self.payload)

    def receiver(self, number: int) -> Receiver:
        sock = self._hello()
        inbox = f"inbox.{number}"
        self._ask(sock, b"SUB made.%d 1\r\nSUB %s 2\r\n" % (number, inbox.encode()), b"")
        config = {"deliver_subject": inbox, "deliver_policy": "all", "ack_policy": "none", "replay_policy": "instant"}
        self._request(sock, "CONSUMER.CREATE.relay", {"stream_name": "relay", "config": config}, f"made.{number}")
        return Receiver(sock)

    def _request(self, sock: socket.socket, what: str, body: object, reply: str = "made") -> None:
        data = orjson.dumps(body)
        answer = self._ask(
            sock, b"PUB $JS.API.%s %s %d\r\n%b\r\n" % (what.encode(), reply.encode(), len(data), data), b"}\r\n"
        )
        if b'"error"' in answer:
            raise RuntimeError(f"nats-server: {answer!r}")


class JetStreamFlushed(JetStream):
    """The same, flushed for each message before it is acknowledged."""

    name = "nats jetstream, flushed"
    at_ack = "on disk, flushed"
    SINCE: Final = (2, 10)  # knows the setting

    @classmethod
    def lacking(cls) -> str | None:
        if (missing := super().lacking()) is not None:
            return missing
        version = subprocess.run(["nats-server", "-v"], capture_output=True, text=True, check=True).stdout.strip()
        found = re.search(r"v(\d+)\.(\d+)", version)
        if found is not None and (int(found[1]), int(found[2])) >= cls.SINCE:
            return None
        return f"that takes nats-server {'.'.join(map(str, cls.SINCE))}, here is {version}"

    def command(self, folder: Path) -> list[str]:
        config = folder / "nats.conf"
        config.write_text(f'jetstream {{ store_dir: "{folder}", sync_interval: always }}\n')
        return [*NatsCore.command(self, folder), "-c", str(config)]


class RedisPubSub(Relay):
    name = "redis pub/sub"
    program = "redis-server"
    settings: tuple[str, ...] = ("--appendonly", "no", "--client-output-buffer-limit", "pubsub 512mb 256mb 60")

    def command(self, folder: Path) -> list[str]:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(folder)]
        return [*command, *self.settings]

    def frame(self) -> bytes:
        return _resp((b"PUBLISH", b"relay", self.payload))

    def receiver(self, number: int) -> Receiver:
        sock = connect(self.port)
        sock.sendall(_resp((b"SUBSCRIBE", b"relay")))
        _until(sock, b":1\r\n")
        return Receiver(sock)


class RedisStreams(RedisPubSub):
    """XADD to a stream that is flushed to disk before it is answered; receivers XREAD what comes after their last."""

    name = "redis streams, AOF always"
    keeps = True
    at_ack = "on disk, flushed"
    settings = ("--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
    FIRST: Final = 10_000_000  # so that all ids are of one length

    def frames(self, first: int, count: int) -> bytes:
        numbers = range(self.FIRST + first, self.FIRST + first + count)
        return b"".join(_resp((b"XADD", b"relay", b"1-%d" % number, b"d", self.payload)) for number in numbers)

    def receiver(self, number: int) -> Receiver:
        return _StreamReader(connect(self.port), self.FIRST, len(self._entry()))

    def _entry(self) -> bytes:
        return b"*2\r\n" + _resp((b"1-%d" % self.FIRST,))[4:] + _resp((b"d", self.payload))


class _StreamReader(Receiver):
    HEAD: Final = re.compile(rb"\*1\r\n\*2\r\n\$5\r\nrelay\r\n\*(\d+)\r\n")

    def __init__(self, sock: socket.socket, first: int, entry_bytes: int) -> None:
        super().__init__(sock)
        self._first = first
        self._entry_bytes = entry_bytes
        self._head = b""
        self._left = self._entries = 0
        self._ask()

    def _ask(self) -> None:
        last = b"1-%d" % (self._first - 1 + self.count)
        self.sockets[0].sendall(_resp((b"XREAD", b"COUNT", b"1000", b"BLOCK", b"0", b"STREAMS", b"relay", last)))

    def take(self, sock: socket.socket, data: bytes) -> None:
        if not self._left:
            self._head += data
            if (head := self.HEAD.match(self._head)) is None:
                return
            self._entries = int(head[1])
            self._left = self._entries * self._entry_bytes - (len(self._head) - head.end())
            self._head = b""
        else:
            self._left -= len(data)
        if not self._left:
            self.count += self._entries
            self._ask()


class Mosquitto(Relay):
    """QoS 0."""

    name = "mosquitto"
    program = "mosquitto"

    def command(self, folder: Path) -> list[str]:
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
            "set_tcp_nodelay true\nlog_dest none\nuser root\n"
        )
        return ["mosquitto", "-c", str(config)]

    def open(self) -> None:
        self.socket = self._hello("sender")

    def frame(self) -> bytes:
        return _mqtt(0x30, b"\x00\x05relay" + self.payload)

    def receiver(self, number: int) -> Receiver:
        sock = self._hello(f"receiver{number}")
        sock.sendall(_mqtt(0x82, b"\x00\x01\x00\x05relay\x00"))
        _until(sock, b"\x90\x03\x00\x01\x00")
        return Receiver(sock)

    def _hello(self, name: str) -> socket.socket:
        sock = connect(self.port)
        sock.sendall(_mqtt(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name.encode()))
        _until(sock, b"\x20\x02\x00\x00")
        return sock


class TrioRelay(Relay):
    name = "bare trio relay"

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-m", "tests.bench.trio_relay", str(self.port)]

    def frame(self) -> bytes:
        return len(self.payload).to_bytes(4, "little") + self.payload

    def receiver(self, number: int) -> Receiver:
        sock = connect(self.port)
        _until(sock, b"+")
        return Receiver(sock)


def _resp(words: Iterable[bytes]) -> bytes:
    """What Redis calls an array of bulk strings."""
    words = list(words)
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _mqtt(kind: int, body: bytes) -> bytes:
    head, left = bytearray([kind]), len(body)
    while True:
        left, digit = divmod(left, 128)[0], left % 128
        head.append(digit | (128 if left else 0))
        if not left:
            return bytes(head) + body


def _until(sock: socket.socket, end: bytes) -> bytes:
    """What comes, up to the read that brings `end`."""
    data = b""
    while end not in data:
        if not (read := sock.recv(1 << 16)):
            raise EOFError(f"the server closed the line: {data[:200]!r}")
        data += read
    return data


KINDS: Final[dict[str, type[Relay]]] = {
    kind.__name__: kind
    for kind in (
        Broadcaster, PlainBroadcaster, BroadcasterBlobs, JetStream, JetStreamFlushed, RedisStreams, NatsCore,
        RedisPubSub, Mosquitto, TrioRelay,
    )
}  # fmt: skip
