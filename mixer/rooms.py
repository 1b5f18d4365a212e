"""The rooms of a server, asked for in the background."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import Any, Final

from broadcaster.errors import MixerError

from .client import list_rooms

TIMEOUT_SECONDS: Final = 5.0


class Listing:
    """One question to one server."""

    def __init__(self, host: str, port: int) -> None:
        self._answers: SimpleQueue[list[dict[str, Any]] | str] = SimpleQueue()
        threading.Thread(target=self._ask, args=(host, port), name="mixer rooms", daemon=True).start()

    def _ask(self, host: str, port: int) -> None:
        try:
            self._answers.put(list_rooms(host, port, TIMEOUT_SECONDS))
        except (OSError, MixerError) as exc:
            self._answers.put(f"{host}:{port}: {exc}")

    def answer(self) -> list[dict[str, Any]] | str | None:
        """The rooms, or a sentence that says why there are none; None while the server has not answered."""
        try:
            return self._answers.get_nowait()
        except Empty:
            return None
