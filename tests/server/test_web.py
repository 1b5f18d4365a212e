"""The HTTP port: real processes and an HTTP client, and on sockets what goes over its limits."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from broadcaster import wire
from broadcaster.document import Deltas
from broadcaster.figures import FIGURES
from broadcaster.limits import DEFAULTS, Limits
from broadcaster.protocol import new_secret
from broadcaster.remote import RemoteRoom
from broadcaster.server import Server
from broadcaster.server.gate import Gate
from broadcaster.server.outside import Outside
from broadcaster.store.memory import MemoryStore
from broadcaster.web import Web

from .guests import CUBE, put, serving, tx
from .processes import ROOT, Broadcaster, broadcaster, command, token_of

Connect: TypeAlias = Callable[[], Awaitable[trio.SocketStream]]

SECRET: Final = "the secret of this broadcaster, süß"
SMALL: Final = os.urandom(1000)
LARGE: Final = os.urandom(64 * wire.MIB)
ELSEWHERE: Final = os.urandom(2000)
HEALTH: Final = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
MASTER: Final = {"Authorization": f"Bearer {SECRET}".encode()}


@dataclass
class Site:
    """A broadcaster with a secret; room `r` names SMALL and LARGE, room `a/b` names ELSEWHERE."""

    server: Broadcaster
    member: str  # the secret of one that is in `r`
    invitation: str  # to `r`

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.server.http.removeprefix("http://"), timeout=60)

    def join(self, room: str, **shown: Any) -> RemoteRoom:
        return RemoteRoom((self.server.host, self.server.port), room, create=False, **shown)

    def ask(self, path: str, headers: Any = (), method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
        connection = self.connect()
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content


def image(data: bytes) -> list[Any]:
    return ["create", "images", {"file": {"$": "blob", "sha": wire.sha_of(data), "size": len(data)}}]


def path_of(data: bytes, room: str = "r") -> str:
    return f"/rooms/{room}/blobs/{wire.sha_of(data)}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as monkeypatch, ExitStack() as stack:
        monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
        data = tmp_path_factory.mktemp("site")
        server = stack.enter_context(broadcaster("--data", str(data), "--limit", "attempts=1000"))
        address = (server.host, server.port)
        for name, blobs in [("r", [SMALL, LARGE]), ("a/b", [ELSEWHERE])]:
            room = RemoteRoom(address, name, create=True, role="editor", server_secret=SECRET)
            stack.callback(room.__exit__, None, None, None)
            room.content()
            for blob in blobs:
                room.blobs.store(blob)
            room.edit([[[wire.sha_of(blob), image(blob)] for blob in blobs]])
            if name == "r":
                member = room.secret
        invited = command("invite", "--server", server.address, "r", "--role", "viewer").stdout
        yield Site(server, member, token_of(invited))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Health and the door


def test_health_is_told_to_everybody(site: Site) -> None:  # WEB1
    answer, content = site.ask("/health")
    assert answer.status == 200
    assert b'"status":"ok"' in content


@pytest.mark.parametrize(
    ("path", "headers", "method", "status"),
    [
        ("/secrets", {}, "GET", 404),
        ("/health", {}, "POST", 405),
        ("/health", {"Host": "evil.example"}, "GET", 403),
        ("/health", {"Host": "//["}, "GET", 403),
        ("/health", {"Origin": "https://evil.example"}, "GET", 403),
        ("/health", {"Origin": "http://localhost:1"}, "GET", 403),
        ("/health", {"Origin": "null"}, "GET", 403),
        ("/health", {"Sec-Fetch-Site": "cross-site"}, "GET", 403),
        ("/metrics", MASTER | {"Origin": "https://evil.example"}, "GET", 403),
        ("/health", {"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Version": "13"}, "GET", 400),
        ("/metrics", {}, "OPTIONS", 405),
        ("/" + "x" * 100_000, {}, "GET", 431),
        ("/health", {"X": "x" * 100_000}, "GET", 431),
    ],
)
def test_all_else_is_answered_with_its_reason(
    site: Site, path: str, headers: Any, method: str, status: int
) -> None:  # WEB2
    assert site.ask(path, headers, method)[0].status == status
    assert site.ask("/health")[0].status == 200


def test_what_is_not_http_disturbs_nobody(site: Site) -> None:  # WEB2
    for noise in (
        b"\0\0\0\5\0hello\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(1000),
        HEALTH.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\nConnection: close\r\n\r\n"),
    ):
        with socket.create_connection((site.server.host, site.connect().port or 0), timeout=30) as line:
            line.sendall(noise)
            while line.recv(4096):
                pass
    assert site.ask("/health")[0].status == 200


# Who may come in


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/metrics", None, 401),
        ("/metrics", "wrong", 401),
        ("/metrics", "member", 403),
        ("/metrics", "invitation", 403),
        ("/metrics", SECRET, 200),
        (path_of(SMALL), None, 401),
        (path_of(SMALL), "wrong", 401),
        (path_of(SMALL), "new", 401),
        (path_of(SMALL), "member", 200),
        (path_of(SMALL), "invitation", 200),
        (path_of(SMALL), SECRET, 200),
        (path_of(ELSEWHERE, "a/b"), "member", 403),
        (path_of(ELSEWHERE, "a%2Fb"), "invitation", 403),
        (path_of(ELSEWHERE, "a/b"), SECRET, 200),
        (path_of(ELSEWHERE, "a%2Fb"), SECRET, 200),
        (path_of(ELSEWHERE), "member", 404),  # the room of the member names no such blob
        (path_of(ELSEWHERE), SECRET, 404),
        (path_of(SMALL, "nowhere"), "member", 403),  # as for a room that is there
        (path_of(SMALL, "nowhere"), SECRET, 404),
        ("/rooms/r/blobs/" + "0" * 64, "member", 404),
        (path_of(SMALL).upper().replace("/ROOMS/R/BLOBS", "/rooms/r/blobs"), "member", 404),
        ("/rooms/r/blobs/..%2F..%2Fhead", "member", 405),
        ("/rooms/r/blobs/../../../../etc/passwd", "member", 405),
        ("/rooms/../r/blobs/" + wire.sha_of(SMALL), "member", 403),
    ],
)
def test_each_sees_what_its_token_lets_it(site: Site, path: str, token: str | None, status: int) -> None:  # WEB6, WEB7
    shown = {"member": site.member, "invitation": site.invitation, "new": new_secret()}.get(token or "", token)
    headers = {"Authorization": f"Bearer {shown}".encode()} if shown else {}
    answer, content = site.ask(path, headers)
    assert answer.status == status
    assert (answer.getheader("www-authenticate") == "Bearer") == (status == 401)
    if shown and status != 200:
        assert shown.encode() not in content
    if status == 200 and path.startswith("/rooms"):
        assert wire.sha_of(content) == path.rpartition("/")[2]


def test_who_is_gone_reads_no_more(site: Site) -> None:  # WEB7
    with site.join("r", role="viewer", invitation=site.invitation) as room:
        room.content()
        assert site.ask(path_of(SMALL), bearer(room.secret))[0].status == 200
        room.leave()
    deadline = time.monotonic() + 30
    while site.ask(path_of(SMALL), bearer(room.secret))[0].status != 401:
        assert time.monotonic() < deadline


def test_too_many_wrong_tokens_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:  # WEB8
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    with broadcaster() as server:
        one = Site(server, "", "")
        for _ in range(10):
            assert one.ask("/metrics")[0].status == 401  # nothing was shown: a page could do that
        for _ in range(DEFAULTS.attempts):
            assert one.ask("/metrics", bearer("wrong"))[0].status == 401
        assert one.ask("/metrics", MASTER)[0].status == 429
        assert one.ask("/health")[0].status == 200


def test_without_a_secret_there_is_none_for_figures() -> None:  # WEB6
    with broadcaster() as server:
        one = Site(server, "", "")
        assert one.ask("/metrics")[0].status == 401
        assert one.ask("/metrics", bearer(""))[0].status == 401
        assert one.ask("/metrics", bearer("anything"))[0].status == 401


# Blobs


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=990-", (990, 1000)),
        ("bytes=990-5000", (990, 1000)),
        ("bytes=-10", (990, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=1000-", None),
        ("bytes=1000-2000", None),
        ("bytes=-0", None),
        ("bytes=0-9, 20-29", (0, 1000)),  # several parts: the whole, as HTTP allows
        ("bytes=" + ",".join(f"{at}-{at}" for at in range(2000)), (0, 1000)),
        ("bytes=5-4", (0, 1000)),
        ("bytes=-", (0, 1000)),
        ("bytes=" + "9" * 5000 + "-", (0, 1000)),
        ("bytes=\u0660-\u0669".encode(), (0, 1000)),
        ("lines=1-2", (0, 1000)),
    ],
)
def test_a_part_of_a_blob(site: Site, text: Any, part: tuple[int, int] | None) -> None:  # WEB9
    answer, content = site.ask(path_of(SMALL), MASTER | {"Range": text})
    if part is None:
        assert (answer.status, answer.getheader("content-range")) == (416, "bytes */1000")
        return
    start, stop = part
    assert content == SMALL[start:stop]
    whole = part == (0, 1000) and text != "bytes=-5000"
    assert answer.status == (200 if whole else 206)
    assert answer.getheader("content-range") == (None if whole else f"bytes {start}-{stop - 1}/1000")
    assert answer.getheader("content-length") == str(stop - start)


def test_a_blob_has_a_tag_and_is_no_page(site: Site) -> None:  # WEB9
    answer, _ = site.ask(path_of(SMALL), MASTER)
    tag = answer.getheader("etag") or ""
    assert tag == f'"{wire.sha_of(SMALL)}"'
    assert answer.getheader("content-type") == "application/octet-stream"
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert "sandbox" in (answer.getheader("content-security-policy") or "")
    for shown in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer, content = site.ask(path_of(SMALL), MASTER | {"If-None-Match": shown})
        assert (answer.status, content) == (304, b"")
    assert site.ask(path_of(SMALL), {"If-None-Match": tag})[0].status == 401
    assert site.ask(path_of(SMALL), MASTER | {"If-None-Match": '"x"'})[0].status == 200
    half = {"Range": "bytes=0-499"}
    assert site.ask(path_of(SMALL), MASTER | half | {"If-Range": tag})[0].status == 206
    assert site.ask(path_of(SMALL), MASTER | half | {"If-Range": '"x"'})[0].status == 200


def test_head_tells_what_get_would(site: Site) -> None:  # WEB9
    for headers in (MASTER, MASTER | {"Range": "bytes=1-2"}, {}, MASTER | {"If-None-Match": "*"}):
        for path in (path_of(SMALL), path_of(LARGE), "/health"):
            head, nothing = site.ask(path, headers, "HEAD")
            answer, _ = site.ask(path, headers)
            assert nothing == b""
            assert head.status == answer.status
            dropped = {"date"}
            assert {one for one in head.getheaders() if one[0] not in dropped} == {
                one for one in answer.getheaders() if one[0] not in dropped
            }


def test_a_large_blob_by_pieces_is_the_whole_and_edits_go_on_beside_it(site: Site) -> None:  # WEB10
    assert wire.sha_of(site.ask(path_of(LARGE), MASTER)[1]) == wire.sha_of(LARGE)
    pieces: list[bytes] = []

    def fetch() -> None:
        connection = site.connect()  # one for all pieces
        for start in range(0, len(LARGE), wire.MIB):
            connection.request(
                "GET", path_of(LARGE), headers=MASTER | {"Range": f"bytes={start}-{start + wire.MIB - 1}"}
            )
            pieces.append(connection.getresponse().read())
        connection.close()

    with (
        RemoteRoom(
            (site.server.host, site.server.port), "r", create=False, role="editor", server_secret=SECRET
        ) as room,
        stalled(site, path_of(LARGE)),
        stalled(site, path_of(LARGE)),
    ):
        room.content()
        fetching = threading.Thread(target=fetch)

        def edits() -> Iterator[Deltas]:
            """One after another, each once the one before is answered, until all is fetched."""
            yield [["note", ["create", "notes", {"x": 0}]]]
            fetching.start()
            while fetching.is_alive():
                waited.append(-time.perf_counter())
                yield [["note", ["patch", {"x": ["put", len(waited)]}]]]
                waited[-1] += time.perf_counter()

        waited: list[float] = []
        room.edit(edits())
        room.leave()
    print(f"{len(waited)} edits, the slowest of them {max(waited) * 1000:.0f} ms")
    assert b"".join(pieces) == LARGE
    assert len(waited) > len(pieces) / 4  # they were not made to wait for it


@contextmanager
def stalled(site: Site, path: str) -> Iterator[socket.socket]:
    """A client that asks and then reads nothing."""
    with socket.create_connection((site.server.host, site.connect().port or 0), timeout=30) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {site.member}\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 200")
        yield line


def test_it_ends_though_somebody_reads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # WEB11
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    with broadcaster("--data", str(tmp_path)) as server:
        address = (server.host, server.port)
        with RemoteRoom(address, "r", create=True, role="editor", server_secret=SECRET) as room:
            room.content()
            room.blobs.store(LARGE)
            room.edit([[["large", image(LARGE)]]])
            with stalled(Site(server, room.secret, ""), path_of(LARGE)):
                assert server.stop() == 0


# What goes over a limit


def on_sockets(
    limits: Limits, test: Callable[[Connect], Awaitable[None]], *, loopback: bool = True, secret: str = SECRET
) -> None:
    """Runs `test` with a function that connects to an HTTP port in this process, on the real clock."""

    async def run() -> None:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                store = MemoryStore()
                server = Server(nursery, store, gate=Gate(time.time, secret), limits=limits)
                web = Web(server.outside, loopback=loopback, limits=limits)
                (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
                nursery.start_soon(trio.serve_listeners, web.serve, [listener])
                host, port = listener.socket.getsockname()
                await test(lambda: trio.open_tcp_stream(host, port))
                nursery.cancel_scope.cancel()

    trio.run(run)


def test_figures_are_told_as_prometheus_reads_them(site: Site) -> None:  # WEB5
    answer, content = site.ask("/metrics", MASTER)
    assert (answer.getheader("content-type") or "").startswith("text/plain")
    samples = {family.name: family.samples[0].value for family in text_string_to_metric_families(content.decode())}
    assert {f"mixer_{name}" for name in FIGURES} == samples.keys()
    assert (samples["mixer_rooms"], samples["mixer_entities"]) == (2, 4)


async def test_figures_are_counted() -> None:  # WEB5
    async with serving() as arena:
        ann, _bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, CUBE), tx(2, CUBE), tx(3, put(3)))
        await ann.quiet()
        told = {name: value for name, value in arena.server.figures().items() if value}
    assert 3 <= told.pop("commits") <= 5  # what comes while the log is busy is committed together
    assert told == {
        "rooms": 1, "members": 2, "connections": 2, "entities": 1, "transactions": 2, "rejected": 1, "joins": 2,
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["hypercorn", "starlette"])
def test_where_what_it_takes_is_missing_the_port_says_so(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # WEB12
    (tmp_path / f"{missing}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    with broadcaster() as server:
        answer, content = Site(server, "", "").ask("/health")
        assert answer.status == 503
        assert content == b"the HTTP port takes hypercorn and starlette: pip install mixer-broadcaster[admin]\n"
        assert command("rooms", "--server", server.address).returncode == 0


def test_beyond_loopback_any_name_will_do() -> None:  # WEB3
    async def test(connect: Connect) -> None:
        for origin, status in [(b"http://rooms.example", b"200"), (b"http://evil.example", b"403")]:
            async with await connect() as line:
                await line.send_all(HEALTH.replace(b"localhost", b"rooms.example\r\nOrigin: " + origin))
                assert await line.receive_some(12) == b"HTTP/1.1 " + status

    on_sockets(DEFAULTS, test, loopback=False)


async def all_of(line: trio.SocketStream) -> bytes:
    return b"".join([bytes(data) async for data in line])


def test_who_does_not_finish_a_request_is_cut_off() -> None:  # WEB4
    async def test(connect: Connect) -> None:
        for said in (b"", b"GET /hea"):
            async with await connect() as line:
                await line.send_all(said)
                assert await all_of(line) == b""
        async with await connect() as line:
            await line.send_all(HEALTH)
            assert b'"ok"' in await all_of(line)  # and waits for the next one no longer

    on_sockets(Limits(web_seconds=1.0), test)


def test_who_reads_nothing_is_cut_off() -> None:  # WEB4
    async def test(connect: Connect) -> None:
        asked = HEALTH * 100_000
        async with await connect() as line:
            with suppress(trio.BrokenResourceError):
                while True:
                    await line.send_all(asked)

    on_sockets(Limits(stalled_seconds=0.5), test)


@pytest.mark.parametrize(
    "more",
    [b"Content-Length: 1000000000000", b"Transfer-Encoding: chunked", b"Expect: 100-continue\r\nContent-Length: 10"],
)
def test_what_comes_behind_a_request_is_not_waited_for(more: bytes) -> None:  # WEB4
    async def test(connect: Connect) -> None:
        async with await connect() as line, trio.open_nursery() as nursery:
            await line.send_all(HEALTH.replace(b"\r\n\r\n", b"\r\n%s\r\n\r\n" % more))

            async def send_on() -> None:
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    while True:
                        await line.send_all(b"ffff\r\n" + bytes(0xFFFF) + b"\r\n")

            nursery.start_soon(send_on)
            answer = b""
            with suppress(trio.BrokenResourceError):
                while data := await line.receive_some():
                    answer += data
            assert b"200" in answer
            nursery.cancel_scope.cancel()

    on_sockets(DEFAULTS, test)


def test_connections_are_bounded() -> None:  # WEB4
    async def test(connect: Connect) -> None:
        async with await connect() as first:
            await first.send_all(HEALTH)
            assert (await first.receive_some(12)) == b"HTTP/1.1 200"
            async with await connect() as second:
                assert await all_of(second) == b""
        while not await health(connect):
            pass  # until the first one is gone

    async def health(connect: Connect) -> bytes:
        async with await connect() as line:
            try:
                await line.send_all(HEALTH)
                return bytes(await line.receive_some(12))
            except trio.BrokenResourceError:
                return b""

    on_sockets(Limits(web_connections=1), test)


def test_connections_of_one_address_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:  # WEB16
    callers = [""] * 3 + ["10.0.0.1"] * 3 + ["10.0.0.2"] * 3
    monkeypatch.setattr(Outside, "network_of", lambda house, address: callers[0])

    async def test(connect: Connect) -> None:
        answers: list[tuple[str, bytes]] = []
        async with AsyncExitStack() as lines:
            while callers:
                line = await lines.enter_async_context(await connect())
                with suppress(trio.BrokenResourceError):
                    await line.send_all(HEALTH)
                try:
                    answer = bytes(await line.receive_some(12))
                except trio.BrokenResourceError:
                    answer = b""
                answers.append((callers.pop(0), answer))
        well = [caller for caller, answer in answers if answer == b"HTTP/1.1 200"]
        assert well == [""] * 3 + ["10.0.0.1"] * 2 + ["10.0.0.2"] * 2

    on_sockets(Limits(web_connections_of_one=2), test)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
async def test_callers_are_counted_by_their_network(address: str, network: str) -> None:  # WEB16
    async with serving() as arena:
        assert arena.server.outside.network_of(address) == network


def test_the_head_of_a_request_is_bounded() -> None:  # WEB2
    async def test(connect: Connect) -> None:
        for length, status in [(10, b"200"), (1000, b"431")]:
            async with await connect() as line:
                await line.send_all(HEALTH.replace(b"\r\n\r\n", b"\r\nX: %s\r\n\r\n" % (b"x" * length)))
                assert (await line.receive_some(12)) == b"HTTP/1.1 " + status

    on_sockets(Limits(web_head_bytes=200), test)
