"""The HTTP port over streams in memory."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from broadcaster.web import Web

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost:12801\r\n"


async def ask(request: bytes, *, loopback: bool = True) -> bytes:
    near, far = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Web(loopback=loopback).serve, far)
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
