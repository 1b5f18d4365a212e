"""This Blender's connection to one room: a background thread and two queues. No bpy.

The main thread calls `send` and `poll`. What is handed over comes in the room's order, and only when the blobs that it
names are at hand. A lost connection is made anew; what was not answered, the member then sends again.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from broadcaster import protocol, wire
from broadcaster.errors import LocalProtocolError
from broadcaster.wire import Message

from .cache import BlobCache
from .line import Server, list_rooms
from .network import Link, Network, Outgoing

__all__ = ["BlobCache", "Client", "Link", "Server", "list_rooms"]

CLOSE_SECONDS: Final = 3.0


class Client:
    """One member's connection to one room, from now until `close`. All methods are for the main thread.

    `poll` hands over, besides what the room says, {"type": "disconnected", "reason"} when the connection is lost, and
    {"type": "error", "reason"} when it ended for good.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        room: str,
        name: str,
        create: bool | str = False,
        color: str | None = None,
        role: str | None = None,
        password: str | None = None,
        invitation: str | None = None,
        fingerprint: str | None = None,
        server_secret: str | None = None,
        held: tuple[str, int] | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        """`invitation` is its token alone, and `fingerprint` the certificate that it names.

        `held` are the epoch and the revision that this member has of the room already.
        """
        secret = protocol.new_secret()
        join = {"type": "join", "room": room, "name": name, "secret": secret, "create": create}
        others = {"color": color, "role": role, "password": password, "invitation": invitation}
        join |= {field: value for field, value in others.items() if value is not None}
        self.room = room
        self.address = host, port
        self.member = protocol.member_id(secret)
        self.blobs = BlobCache(cache_dir)
        self._life = self._joined = 0  # of the connection that is sent to, and whose `joined` was handed over last
        self._network = Network(Server(host, port, fingerprint, server_secret), join, self.blobs, held)
        self._thread = threading.Thread(target=self._network.run, name=f"mixer {room}", daemon=True)
        self._thread.start()

    @property
    def link(self) -> Link:
        return self._network.link

    @property
    def sent_bytes(self) -> int:
        """On the wire, blobs included."""
        return self._network.traffic.sent_bytes

    @property
    def received_bytes(self) -> int:
        return self._network.traffic.received_bytes

    @property
    def in_flight(self) -> int:
        """What was sent and is not answered, or not even written."""
        return self._network.unanswered + len(self._network.outgoing)

    @property
    def transfers(self) -> int:
        """Blobs on their way, up or down."""
        return self._network.transfer.pending

    def send(self, message: Message) -> None:
        """Queues a message and returns at once. Blobs that a transaction names must be in `blobs`.

        What is sent before `begin`, or after the connection was lost, goes nowhere: what a member has pending it sends
        then. Raises LocalProtocolError if the message cannot be sent at all.
        """
        frame = wire.encode(message)
        if len(frame) > wire.MAX_REQUEST_BYTES:
            raise LocalProtocolError(f"a transaction of {len(frame)} bytes: {wire.MAX_REQUEST_BYTES} are allowed")
        self._network.post(Outgoing(self._life, frame, message["deltas"] if message["type"] == "tx" else None))

    def poll(self) -> list[Message]:
        """What came since the last call, without waiting."""
        messages = []
        while self._network.inbox:
            arrived = self._network.inbox.popleft()
            self._joined = arrived.life or self._joined
            messages.append(arrived.message)
        return messages

    def begin(self) -> None:
        """From now on goes to the connection whose `joined` was handed over last what is sent."""
        self._life = self._joined

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to poll, at most that long; whether there is."""
        self._network.came.clear()
        return bool(self._network.inbox) or self._network.came.wait(seconds)

    def disconnect(self) -> None:
        """Loses the connection as a broken network would, until `reconnect`."""
        self._network.call(self._network.hold)

    def reconnect(self) -> None:
        """Tries again now."""
        self._network.call(self._network.resume)

    def reload(self) -> None:
        """Comes back with nothing in hand: the room's content comes anew, whole."""
        self._network.call(self._network.reload)

    def close(self) -> None:
        """Leaves the room and ends the thread. What is not answered by then is lost."""
        self._network.call(self._network.stop)
        self._thread.join(CLOSE_SECONDS)
        self.blobs.close()
