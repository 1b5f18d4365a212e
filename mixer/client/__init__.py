"""This Blender's connection to one room: a process of its own, and a socket to it that never waits. No bpy.

What is handed over comes in the room's order, and only when the blobs that it names are at hand. A lost connection is
made anew; what was not answered, the member then sends again.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final

import orjson

from broadcaster import protocol, wire
from broadcaster.errors import LocalProtocolError, MixerError
from broadcaster.tree import delta_shas
from broadcaster.wire import Message

from .cache import BlobCache
from .ipc import Said, State
from .process import Process
from .server import Link, Server

__all__ = ["BlobCache", "Client", "Link", "Server"]

CLOSE_SECONDS: Final = 3.0
FOLDED_AT_ONCE: Final = 64 * 1024  # bytes of messages, about, so that a tick stays short


class Client:
    """One member's connection to one room, from now until `close`.

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

        `held` are the epoch and the revision that this member has of the room already. Raises MixerError if the process
        cannot be started.
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
        self._sent = 0  # messages
        self._given: set[str] = set()  # blobs that the process has
        self._said: deque[Said] = deque()  # by the process, and not polled yet
        self._state = State(Link.CONNECTING.name)
        server = [host, port, fingerprint, server_secret]
        cache = {"cache_dir": cache_dir and str(cache_dir), "on_disk": list(self.blobs.on_disk)}
        options = {"server": server, "join": join, "held": held} | cache
        try:
            self._process = Process(options, self.blobs)
        except MixerError:
            self.blobs.close()
            raise

    @property
    def link(self) -> Link:
        return Link[self._state.link]

    @property
    def sent_bytes(self) -> int:
        """On the wire, blobs included."""
        return self._state.sent_bytes

    @property
    def received_bytes(self) -> int:
        return self._state.received_bytes

    @property
    def in_flight(self) -> int:
        """What was sent and is not answered, or not even written."""
        return self._sent - self._state.taken + self._state.in_flight

    @property
    def transfers(self) -> int:
        """Blobs on their way, up or down."""
        return self._state.transfers

    def send(self, message: Message) -> None:
        """Queues a message and returns at once. Blobs that a transaction names must be in `blobs`.

        What is sent before `begin`, or after the connection was lost, goes nowhere: what a member has pending it sends
        then. Raises LocalProtocolError if the message cannot be sent at all.
        """
        frame = wire.encode(message)
        if len(frame) > wire.MAX_REQUEST_BYTES:
            raise LocalProtocolError(f"a transaction of {len(frame)} bytes: {wire.MAX_REQUEST_BYTES} are allowed")
        shas = sorted(delta_shas(message["deltas"])) if message["type"] == "tx" else None
        for sha in shas or ():
            if sha not in self._given:
                self._given.add(sha)
                self._process.give(sha)
        self._sent += 1
        self._process.say(["send", self._life, shas], frame)

    def poll(self) -> list[Message]:
        """What came since the last call, without waiting: as much as a tick can take, and nothing behind a `joined`."""
        messages: list[Message] = []
        if not self._said:
            self._said.extend(self._process.hear())
        left = FOLDED_AT_ONCE
        while self._said and left > 0:
            head, body = self._said.popleft()
            match head:
                case ["arrived", life]:
                    left -= len(body)
                    messages.append(orjson.loads(body))
                    if life:  # whoever polls begins there before hearing that it, too, was lost
                        self._joined, left = life, 0
                case ["blob", sha]:
                    self._given.add(sha)
                    self.blobs.add(sha, body)
                case ["state", *state]:
                    self._state = State(*state)
        if self._process.has_ended and not self._said and self.link is not Link.ENDED:
            self._state = self._state._replace(link=Link.ENDED.name)
            messages.append({"type": "error", "reason": "the network process ended: see Blender's console"})
        return messages

    def begin(self) -> None:
        """From now on goes to the connection whose `joined` was handed over last what is sent."""
        self._life = self._joined

    def wait(self, seconds: float) -> None:
        """Waits until there is something to poll, at most that long."""
        if not self._said:
            self._process.wait(seconds)

    def disconnect(self) -> None:
        """Loses the connection as a broken network would, until `reconnect`."""
        self._process.say(["call", "hold"])

    def reconnect(self) -> None:
        """Tries again now."""
        self._process.say(["call", "resume"])

    def reload(self) -> None:
        """Comes back with nothing in hand: the room's content comes anew, whole."""
        self._process.say(["call", "reload"])

    def close(self) -> None:
        """Leaves the room and ends the process. What is not answered by then is lost."""
        self._process.say(["call", "stop"])
        self._process.end(CLOSE_SECONDS)
        self._state = self._state._replace(link=Link.ENDED.name)
        self.blobs.close()
