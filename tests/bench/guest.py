"""Members on blocking sockets, for what is measured at the broadcaster's own end of a line."""

from __future__ import annotations

import selectors
import socket
import time

from broadcaster import protocol, wire
from broadcaster.protocol import ClientConnection
from broadcaster.wire import Message, Piece

START_SECONDS = 20.0
CREATE = [["target", ["create", "notes", {"text": ""}]]]


def connect(port: int) -> socket.socket:
    """Waits until somebody listens there."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock


def push(sock: socket.socket, data: bytes) -> None:
    """Sends all of `data`, dropping what comes back meanwhile: neither side waits for the other to read."""
    sock.setblocking(False)
    view = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while view:
            for _, events in selector.select(60):
                if events & selectors.EVENT_READ and not sock.recv(1 << 20):
                    raise EOFError("the server closed the line")
                if events & selectors.EVENT_WRITE:
                    view = view[sock.send(view) :]


def drain(sock: socket.socket) -> None:
    """Drops what came."""
    sock.setblocking(False)
    try:
        while sock.recv(1 << 20):
            pass
    except BlockingIOError:
        pass


class Guest:
    """A member of a room, in step."""

    def __init__(self, port: int, name: str, room: str = "relay", **join: object) -> None:
        self.socket = connect(port)
        self.secret = protocol.new_secret()
        self._port, self._room = port, room
        self._wire = ClientConnection()
        self.socket.sendall(self._wire.hello("bench"))
        self.until("welcome")
        message = {"type": "join", "room": room, "name": name, "secret": self.secret, "create": "if-missing", **join}
        self.socket.sendall(self._wire.send(message))
        self.until("ready")

    def until(self, kind: str) -> Message:
        """Reads on until such a message comes, and drops the others."""
        while True:
            while (message := self._wire.next_message()) is not None:
                if not isinstance(message, Piece) and message["type"] == kind:
                    return message
            self._wire.receive_data(self.socket.recv(1 << 20))

    def until_revision(self, revision: int) -> None:
        """Reads on until its transaction that made `revision` is answered."""
        while self.until("ack")["revision"] < revision:
            pass

    def edit(self, seq: int, deltas: object, base: int = 0) -> None:
        """Sends a transaction and waits for its answer."""
        self.socket.sendall(wire.encode({"type": "tx", "seq": seq, "base": base, "deltas": deltas}))
        self.until("ack")

    def attached(self) -> socket.socket:
        """Its blob connection."""
        sock, line = connect(self._port), ClientConnection()
        sock.sendall(line.hello("bench"))
        line.receive_data(sock.recv(1 << 16))
        assert line.next_message() is not None
        sock.sendall(line.send({"type": "attach", "room": self._room, "secret": self.secret}))
        answer = sock.recv(1 << 16)
        assert b'"attached"' in answer, answer
        return sock
