"""The rooms of a server, asked for by a program beside Blender."""

from __future__ import annotations

import subprocess
import tempfile
from typing import Any, Final

import orjson

from broadcaster.errors import MixerError

from . import beside
from .client import Server

TIMEOUT_SECONDS: Final = 5.0
MODULE: Final = "mixer.network.rooms"


class Listing:
    """One question to one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 (it goes with this)
        told = orjson.dumps([server.host, server.port, server.fingerprint, server.secret, TIMEOUT_SECONDS])
        self._process = beside.start(MODULE, out=self._out, errors=subprocess.DEVNULL, told=told)

    def answer(self) -> list[dict[str, Any]] | None:
        """The rooms; None while there is no answer. Raises MixerError with why there are none."""
        if self._process.poll() is None:
            return None
        self._out.seek(0)
        match orjson.loads(self._out.read() or b"{}"):
            case {"rooms": rooms}:
                return list(rooms)
            case {"refused": reason}:
                raise MixerError(f"{self._server} answers, but {reason}")
        raise MixerError(f"no server answers at {self._server}: is it running, and is that its address?")
