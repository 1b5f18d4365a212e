"""The broadcaster alone: transactions of 200 B from one member to 1, 8 and 32 others over real TCP."""

from __future__ import annotations

import socket
import threading
import time
from typing import Final

from broadcaster import protocol, wire
from broadcaster.protocol import ClientConnection
from broadcaster.wire import Piece
from tests.peers.processes import Broadcaster

from .figures import Figure, show

RECEIVERS: Final = (1, 8, 32)
SECONDS: Final = 3.0
BURST: Final = 64  # transactions a write
WINDOW: Final = 2048  # unanswered at most
ORIGINAL: Final = {1: 18_600, 8: 5_300, 32: 1_070}  # messages a second, all delivered
NATS: Final = {1: 2_226_000, 8: 386_000, 32: 114_000}


class Guest:
    """A member on a blocking socket."""

    def __init__(self, address: str, name: str) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wire = ClientConnection()
        self.socket.sendall(self.wire.hello("bench"))
        self.until("welcome")
        join = {"type": "join", "room": "relay", "name": name, "secret": protocol.new_secret(), "create": "if-missing"}
        self.socket.sendall(self.wire.send(join))
        self.until("ready")

    def until(self, kind: str) -> None:
        while not any(message["type"] == kind for message in self.receive()):
            pass

    def receive(self) -> list[wire.Message]:
        """What one read of the socket brings."""
        self.wire.receive_data(self.socket.recv(1 << 20))
        found = []
        while (message := self.wire.next_message()) is not None:
            if not isinstance(message, Piece):
                found.append(message)
        return found


def run() -> None:
    """Prints transactions a second, in order and delivered to all, beside the original's and a broker's."""
    for count in RECEIVERS:
        rate = _rate(count)
        show(
            Figure(
                f"relay of 200 B transactions to {count}: in, all delivered",
                rate,
                "/s",
                20 * ORIGINAL[count],
                f"the original {ORIGINAL[count]:,}; nats core elsewhere {NATS[count]:,}",
                at_least=True,
            )
        )


def _rate(count: int) -> float:
    """Sends for a while within a window; counts until the last receiver has the last one."""
    with Broadcaster() as server:
        sender = Guest(server.address, "sender")
        create = [["target", ["create", "notes", {"text": ""}]]]
        sender.socket.sendall(wire.encode({"type": "tx", "seq": 1, "base": 0, "deltas": create}))
        sender.until("ack")
        drains = [_Drain(Guest(server.address, f"receiver {n}").socket) for n in range(count)]
        start = time.perf_counter()
        seq = acked = 1
        text = "x" * 90
        while time.perf_counter() - start < SECONDS:
            frames = []
            for _ in range(BURST):
                seq += 1
                deltas = [["target", ["patch", {"text": ["put", text + str(seq)]}]]]
                frames.append(wire.encode({"type": "tx", "seq": seq, "base": acked, "deltas": deltas}))
            sender.socket.sendall(b"".join(frames))
            while seq - acked > WINDOW:
                acked = _acked(sender, acked)
        while acked < seq:
            acked = _acked(sender, acked)
        for drain in drains:
            drain.wait_for(b'%d"]' % seq)
        return (seq - 1) / (time.perf_counter() - start)


def _acked(sender: Guest, acked: int) -> int:
    """The last transaction that is answered, after one more read."""
    return max((message["seq"] for message in sender.receive() if message["type"] == "ack"), default=acked)


class _Drain:
    """Reads a socket without looking, but for the last transaction: a receiver must not be the brake."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._tail = b""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while data := self._socket.recv(1 << 20):
            self._tail = (self._tail + data)[-400:]

    def wait_for(self, end: bytes) -> None:
        deadline = time.monotonic() + 60
        while end not in self._tail:
            if time.monotonic() > deadline:
                raise RuntimeError("a receiver did not get the last transaction")
            time.sleep(0.001)
