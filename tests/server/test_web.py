"""The HTTP port over streams in memory."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families

from broadcaster.figures import FIGURES
from broadcaster.server.gate import Gate, Visitor
from broadcaster.web import Web, metrics

from .guests import CUBE, put, serving, tx

SECRET = "the secret of this broadcaster"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost:12801\r\n"


async def ask(request: bytes, *, loopback: bool = True, web: Web | None = None) -> bytes:
    near, far = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon((web or Web(loopback=loopback)).serve, far)
        await near.send_all(request)
        answer = b""
        while data := await near.receive_some():
            answer += data
    return answer


async def test_health_is_told() -> None:  # WEB1
    answer = await ask(HEALTH + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"status":"ok"' in answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /secrets HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET /health HTTP/1.1\r\nHost: //[\r\n\r\n", b"403"),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", b"403"),
        (b"\x00\x00\x00\x05\x00hello\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
)
async def test_all_else_is_answered_with_its_reason(request_: bytes, status: bytes) -> None:  # WEB2
    assert (await ask(request_)).split()[1] == status


async def test_beyond_loopback_any_name_will_do() -> None:  # WEB3
    answer = await ask(b"GET /health HTTP/1.1\r\nHost: rooms.example\r\n\r\n", loopback=False)
    assert answer.split()[1] == b"200"


async def test_who_says_nothing_is_cut_off() -> None:  # WEB4
    assert await ask(b"GET /hea") == b""


METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"


async def test_figures_are_told_as_prometheus_reads_them() -> None:  # WEB5
    async with serving() as arena:
        ann, _bob = await arena.join("ann"), await arena.join("bob")
        await ann.say(tx(1, CUBE), tx(2, CUBE), tx(3, put(3)))
        await ann.quiet()
        web = Web(loopback=True, figures=arena.server.figures)
        head, _, body = (await ask(METRICS + b"\r\n", web=web)).partition(b"\r\n\r\n")
    assert b"content-type: text/plain" in head
    samples = {family.name: family.samples[0].value for family in text_string_to_metric_families(body.decode())}
    assert {f"mixer_{name}" for name in FIGURES} == samples.keys()
    told = {name.removeprefix("mixer_"): value for name, value in samples.items() if value}
    commits = told.pop("commits")
    assert 3 <= commits <= 5  # what comes while the log is busy is committed together
    assert told == {
        "rooms": 1, "members": 2, "connections": 2, "entities": 1, "transactions": 2, "rejected": 1, "joins": 2,
    }  # fmt: skip


async def test_figures_take_the_secret_where_there_is_one() -> None:  # WEB6
    gate = Gate(trio.current_time, SECRET)
    web = Web(loopback=True, authorize=lambda address, secret: gate.authorize(Visitor(address), secret))
    assert (await ask(METRICS + b"\r\n", web=web)).split()[1] == b"403"
    wrong = await ask(METRICS + b"Authorization: Bearer wrong\r\n\r\n", web=web)
    assert b"that is not the secret" in wrong
    assert (await ask(METRICS + f"Authorization: Bearer {SECRET}\r\n\r\n".encode(), web=web)).split()[1] == b"200"


async def test_without_prometheus_client_all_else_is_there(monkeypatch: pytest.MonkeyPatch) -> None:  # WEB5
    monkeypatch.setattr(metrics, "CONTENT_TYPE", None)
    assert (await ask(METRICS + b"\r\n")).split()[1] == b"404"
    assert (await ask(HEALTH + b"\r\n")).split()[1] == b"200"
