"""`python -m mixer.network.rooms`: what rooms a server has, as JSON; which server stands on its standard input."""

from __future__ import annotations

import sys
from contextlib import suppress

import orjson

from broadcaster.errors import MixerError

from ..client import Server
from .line import list_rooms


def main() -> None:
    """{"rooms": [...]}, {"refused": reason}, or {} if nobody answers."""
    *server, timeout_seconds = orjson.loads(sys.stdin.buffer.read())
    answer: dict[str, object] = {}
    with suppress(OSError):
        try:
            answer = {"rooms": list_rooms(Server(*server), timeout_seconds)}
        except MixerError as exc:
            answer = {"refused": str(exc)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main()
