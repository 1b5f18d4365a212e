"""What the HTTP port answers to whom. Without starlette there is nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import trio

from .. import VERSION
from ..errors import MixerError, Refused, Unknown
from ..limits import Limits
from . import metrics, ranges
from .house import House

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
except ImportError:  # Blender's Python, in which the panel hosts
    IS_THERE = False
else:
    IS_THERE = True

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SHA: Final = re.compile("[0-9a-f]{64}", re.ASCII)
PART_BYTES: Final = 256 * 1024  # read and sent at once
FOREVER: Final = "private, max-age=31536000, immutable"  # a blob never changes
ALWAYS: Final = {  # a blob is what a member sent: no browser may take it for a page
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
}

log = logging.getLogger(__name__)

App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


def make_app(house: House, limits: Limits, *, loopback: bool) -> App:
    """Everything that there is, and who may have it."""
    desk = _Desk(house, limits)
    app: App = Starlette(
        routes=[
            Route("/health", desk.health),
            Route("/metrics", desk.metrics),
            Route("/rooms/{room:path}/blobs/{sha}", desk.blob),
            Route("/rooms/{room:path}", desk.upload, methods=["PUT"]),
        ],
        middleware=[Middleware(_Door, loopback=loopback)],
        exception_handlers={HTTPException: _say_why},
    )
    return app


class _Door:
    """Lets in who calls this port by its own name: a page of another site has no business here."""

    def __init__(self, app: App, *, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not self._is_own(Request(scope).headers):
            answer = _said(HTTPStatus.FORBIDDEN, "call this port by its own name, from no other site")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_own(self, headers: Any) -> bool:
        host = headers.get("host", "")
        try:
            named = urlsplit(f"//{host}").hostname
            origin = urlsplit(headers.get("origin", f"http://{host}")).netloc
        except ValueError:
            return False
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        return origin == host and not foreign and (not self._loopback or named in LOOPBACK)


class _Desk:
    """One method for each thing that there is."""

    def __init__(self, house: House, limits: Limits) -> None:
        self._house = house
        self._limits = limits

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": VERSION}, headers=ALWAYS)

    async def metrics(self, request: Request) -> Response:
        if metrics.CONTENT_TYPE is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "figures take prometheus-client: mixer-broadcaster[admin]")
        self._admit(request, None)
        content = metrics.exposition(self._house.figures())
        return Response(content, headers=ALWAYS | {"content-type": metrics.CONTENT_TYPE})

    async def blob(self, request: Request) -> Any:
        room, sha = request.path_params["room"], request.path_params["sha"]
        self._admit(request, room)
        size = await self._house.blob_size(room, sha) if SHA.fullmatch(sha) else None
        if size is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "that room has no such blob")
        tag = f'"{sha}"'
        headers = ALWAYS | {"etag": tag, "cache-control": FOREVER, "accept-ranges": "bytes"}
        if ranges.names(request.headers.get("if-none-match"), tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        part = ranges.wanted(request.headers.get("range"), size)
        if part is None or request.headers.get("if-range", tag) != tag:  # that would be a part of something else
            status, part = HTTPStatus.OK, range(size)
        elif part:
            status, headers["content-range"] = HTTPStatus.PARTIAL_CONTENT, f"bytes {part[0]}-{part[-1]}/{size}"
        else:
            headers["content-range"] = f"bytes */{size}"
            return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        headers |= {"content-type": "application/octet-stream", "content-length": str(len(part))}
        head = Response(status_code=status, headers=headers)
        return head if request.method == "HEAD" else _Blob(head, self._house, (room, sha), part, request)

    async def upload(self, request: Request) -> Response:
        room = request.path_params["room"]
        self._admit(request, None)
        try:
            async with aclosing(request.stream()) as stream, aclosing(self._parts(stream)) as parts:
                revision = await self._house.upload(room, parts)
        except MixerError as exc:
            later = isinstance(exc, Refused) and exc.retry
            status = HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.UNPROCESSABLE_ENTITY
            raise HTTPException(status, str(exc)) from exc
        return JSONResponse({"room": room, "revision": revision}, HTTPStatus.CREATED, headers=ALWAYS)

    async def _parts(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The body, which is nowhere in memory as a whole. Raises HTTPException if it is too long, or does not come."""
        length, seconds = 0, self._limits.stalled_seconds
        while True:
            part: bytes | None = None
            with suppress(ClientDisconnect), trio.move_on_after(seconds):
                part = await anext(stream, b"")
            if part is None:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"the rest of it did not come for {seconds:g} s")
            length += len(part)
            if length > self._limits.upload_bytes:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{self._limits.upload_bytes} bytes may be uploaded"
                )
            if not part:
                return
            yield part

    def _admit(self, request: Request, room: str | None) -> None:
        """Raises HTTPException unless the request shows something that lets it in."""
        shown = request.headers.get("authorization", "").encode("latin-1").decode(errors="replace")
        scheme, _, token = shown.partition(" ")
        address = request.client.host if request.client else ""
        try:
            if scheme.lower() != "bearer" or not token.strip():
                raise Unknown("Authorization: Bearer TOKEN is wanted")
            self._house.admit(address, token.strip(), room)
        except Refused as exc:
            log.info("an HTTP request is refused", extra={"room": room, "address": address, "reason": str(exc)})
            raise _denied(exc) from exc


def _denied(exc: Refused) -> HTTPException:
    if isinstance(exc, Unknown):
        return HTTPException(HTTPStatus.UNAUTHORIZED, str(exc), {"www-authenticate": "Bearer"})
    return HTTPException(HTTPStatus.TOO_MANY_REQUESTS if exc.retry else HTTPStatus.FORBIDDEN, str(exc))


class _Blob:
    """A part of a blob, sent as it is read: it is never whole in memory."""

    def __init__(self, head: Response, house: House, blob: tuple[str, str], part: range, request: Request) -> None:
        self._head = head
        self._house = house
        self._blob = blob
        self._part = part
        self._request = request

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self._head.status_code, "headers": self._head.raw_headers})
        for start in range(self._part.start, self._part.stop, PART_BYTES):
            stop = min(start + PART_BYTES, self._part.stop)
            data = await self._house.read_blob(*self._blob, start, stop)
            if data is None or await self._request.is_disconnected():
                return  # it ends short of the length that it announced
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _say_why(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _said(exc.status_code, exc.detail, exc.headers)


def _said(status: int, error: str, headers: Any = None) -> Response:
    return JSONResponse({"error": error}, status, headers=ALWAYS | dict(headers or {}))
