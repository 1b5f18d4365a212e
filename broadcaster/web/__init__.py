"""The HTTP port. It says whether this broadcaster is well, and its figures; anything else is not found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import h11
import orjson
import trio

from .. import VERSION
from ..errors import Refused
from . import metrics

REQUEST_SECONDS: Final = 10.0
RECEIVE_BYTES: Final = 16 * 1024
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Answer: TypeAlias = tuple[int, str, bytes]  # status, type, content

log = logging.getLogger(__name__)


class Web:
    """Answers HTTP requests. On loopback it wants to be called by a loopback name: any web page could call it."""

    def __init__(
        self,
        *,
        loopback: bool,
        figures: Callable[[], Mapping[str, float]] = dict,
        authorize: Callable[[str, str], None] | None = None,
    ) -> None:
        self._loopback = loopback
        self._figures = figures
        self._authorize = authorize  # raises Refused, by address and secret; None: figures are for everybody

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
            status, kind, content = self._respond(await _request(stream, connection), _address(stream))
        except h11.RemoteProtocolError as exc:
            status, kind, content = _said(exc.error_status_hint, error=str(exc))
        headers = [
            ("content-type", kind),
            ("content-length", str(len(content))),
            ("connection", "close"),
            ("x-content-type-options", "nosniff"),
        ]
        reason = HTTPStatus(status).phrase.encode()
        head = connection.send(h11.Response(status_code=status, reason=reason, headers=headers))
        rest = connection.send(h11.Data(data=content)) or b""
        await stream.send_all((head or b"") + rest + (connection.send(h11.EndOfMessage()) or b""))
        await stream.send_eof()

    def _respond(self, request: h11.Request | None, address: str) -> Answer:
        if request is None:
            return _said(HTTPStatus.BAD_REQUEST, error="no request")
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        if self._loopback and not _is_local(headers):
            return _said(HTTPStatus.FORBIDDEN, error="call this by a loopback name, from no other site")
        path = request.target.partition(b"?")[0]
        if path not in (b"/health", b"/metrics"):
            return _said(HTTPStatus.NOT_FOUND, error="there are only /health and /metrics")
        if request.method != b"GET":
            return _said(HTTPStatus.METHOD_NOT_ALLOWED, error="only GET")
        if path == b"/metrics":
            return self._metrics(headers.get("authorization", ""), address)
        return _said(HTTPStatus.OK, status="ok", version=VERSION)

    def _metrics(self, authorization: str, address: str) -> Answer:
        if metrics.CONTENT_TYPE is None:
            return _said(HTTPStatus.NOT_FOUND, error="figures take prometheus-client: mixer-broadcaster[admin]")
        try:
            if self._authorize is not None:
                self._authorize(address, authorization.removeprefix("Bearer "))
        except Refused as exc:
            return _said(HTTPStatus.FORBIDDEN, error=f"Authorization: Bearer SECRET is wanted: {exc}")
        return HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.exposition(self._figures())


def _said(status: int, /, **body: str) -> Answer:
    return status, "application/json", orjson.dumps(body) + b"\n"


def _address(stream: trio.abc.Stream) -> str:
    transport = getattr(stream, "transport", stream)  # inside TLS
    return str(transport.socket.getpeername()[0]) if isinstance(transport, trio.SocketStream) else ""


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
