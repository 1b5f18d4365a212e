"""The rooms of a server, asked for in the background."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import Any, Final

from broadcaster.errors import MixerError

from .client import Server, list_rooms

TIMEOUT_SECONDS: Final = 5.0


class Listing:
    """One question to one server."""

    def __init__(self, server: Server) -> None:
        self._answers: SimpleQueue[list[dict[str, Any]] | MixerError] = SimpleQueue()
        threading.Thread(target=self._ask, args=(server,), name="mixer rooms", daemon=True).start()

    def _ask(self, server: Server) -> None:
        try:
            self._answers.put(list_rooms(server, TIMEOUT_SECONDS))
        except OSError:
            self._answers.put(MixerError(f"no server answers at {server}: is it running, and is that its address?"))
        except MixerError as exc:
            self._answers.put(MixerError(f"{server} answers, but {exc}"))

    def answer(self) -> list[dict[str, Any]] | None:
        """The rooms; None while there is no answer. Raises MixerError with why there are none."""
        try:
            answer = self._answers.get_nowait()
        except Empty:
            return None
        if isinstance(answer, MixerError):
            raise answer
        return answer
