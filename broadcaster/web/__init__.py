"""The HTTP port. For now it says whether this broadcaster is well; anything else is not found."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import h11
import orjson
import trio

from .. import VERSION

REQUEST_SECONDS: Final = 10.0
RECEIVE_BYTES: Final = 16 * 1024
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

log = logging.getLogger(__name__)


class Web:
    """Answers HTTP requests. On loopback it wants to be called by a loopback name: any web page could call it."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serves one connection to its end. Raises nothing: this is the outermost boundary."""
        try:
            async with stream:
                with trio.move_on_after(REQUEST_SECONDS):
                    await self._answer(stream)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("an HTTP connection was lost")
        except* Exception:
            log.exception("an HTTP connection failed")

    async def _answer(self, stream: trio.abc.HalfCloseableStream) -> None:
        """One request and its answer; the connection closes after it."""
        connection = h11.Connection(h11.SERVER)
        try:
            status, body = self._respond(await _request(stream, connection))
        except h11.RemoteProtocolError as exc:
            status, body = exc.error_status_hint, {"error": str(exc)}
        content = orjson.dumps(body) + b"\n"
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(content))),
            ("connection", "close"),
            ("x-content-type-options", "nosniff"),
        ]
        reason = HTTPStatus(status).phrase.encode()
        head = connection.send(h11.Response(status_code=status, reason=reason, headers=headers))
        rest = connection.send(h11.Data(data=content)) or b""
        await stream.send_all((head or b"") + rest + (connection.send(h11.EndOfMessage()) or b""))
        await stream.send_eof()

    def _respond(self, request: h11.Request | None) -> tuple[int, dict[str, str]]:
        if request is None:
            return HTTPStatus.BAD_REQUEST, {"error": "no request"}
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        if self._loopback and not _is_local(headers):
            return HTTPStatus.FORBIDDEN, {"error": "call this by a loopback name, from no other site"}
        if request.target.partition(b"?")[0] != b"/health":
            return HTTPStatus.NOT_FOUND, {"error": "there is only /health"}
        if request.method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"}
        return HTTPStatus.OK, {"status": "ok", "version": VERSION}


async def _request(stream: trio.abc.ReceiveStream, connection: h11.Connection) -> h11.Request | None:
    """The head of the request; None if the stream ends before it. Raises h11.RemoteProtocolError."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        connection.receive_data(bytes(await stream.receive_some(RECEIVE_BYTES)))


def _is_local(headers: dict[str, str]) -> bool:
    """Whether Host, and Origin where a browser says it, name this machine."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        origin = urlsplit(headers.get("origin", "http://localhost")).hostname
    except ValueError:
        return False
    return host in LOOPBACK and origin in LOOPBACK
