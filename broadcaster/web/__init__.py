"""The HTTP port: whether this broadcaster is well, its figures, and the blobs of its rooms. Without the extra `admin`
it says what is missing."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

import trio

from ..limits import DEFAULTS, Limits
from . import app, port
from .house import House
from .port import Line

MISSING: Final = b"the HTTP port takes hypercorn and starlette: pip install mixer-broadcaster[admin]\n"
HEAD: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
)
RECEIVE_BYTES: Final = 16 * 1024

log = logging.getLogger(__name__)


class Web:
    """Answers HTTP requests, each connection in `serve`. On loopback it wants to be called by a loopback name."""

    def __init__(self, house: House, *, loopback: bool, limits: Limits = DEFAULTS) -> None:
        self._house = house
        self._limits = limits
        self._count = 0
        self._callers: Counter[str] = Counter()  # by network
        self._is_there = app.IS_THERE and port.IS_THERE
        if self._is_there:
            self._app = app.make_app(house, limits, loopback=loopback)
            self._config = port.configure(limits)

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serves one connection to its end. Raises nothing: this is the outermost boundary."""
        line = Line(stream, self._limits)
        caller = self._house.network_of(line.address)
        self._count += 1
        self._callers[caller] += 1
        try:
            if caller and self._callers[caller] > self._limits.web_connections_of_one:
                log.info("an HTTP connection ends: there are too many of its address", extra={"address": caller})
            elif self._count > self._limits.web_connections:
                log.info("an HTTP connection ends: there are %d", self._limits.web_connections)
            elif not self._is_there:
                with trio.move_on_after(self._limits.web_seconds):
                    await _say_what_is_missing(line)
            else:
                await port.serve(line, self._app, self._config)
        except* OSError:
            log.debug("an HTTP connection was lost")
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("an HTTP connection was lost")
        except* Exception:
            log.exception("an HTTP connection failed")
        finally:
            self._count -= 1
            self._callers[caller] -= 1
            self._callers += Counter()  # without those that are at 0
            await trio.aclose_forcefully(stream)


async def _say_what_is_missing(line: Line) -> None:
    """Once the request is there: who closes with something unread cuts off its own answer."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < RECEIVE_BYTES and (data := await line.receive_some(RECEIVE_BYTES)):
        head += data
    await line.send_all(HEAD % len(MISSING) + MISSING)
    await line.send_eof()
