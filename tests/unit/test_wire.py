"""Frames: whatever arrives, and however it is cut, a message comes out whole or the sender is told what is wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import wire
from broadcaster.errors import LocalProtocolError, MixerError, RemoteProtocolError
from broadcaster.wire import Assembly, FrameBuffer, Message, Piece

LIMIT = 1 << 20


def decode(data: bytes, step: int | None = None, limit: int = LIMIT) -> list[Message | Piece]:
    frames, got = FrameBuffer(), []
    for start in range(0, len(data), step or len(data) or 1):
        frames.receive_data(data[start : start + (step or len(data))])
        while (frame := frames.next_frame(limit)) is not None:
            got.append(frame[0])
    return got


def header(length: int, kind: int = 0) -> bytes:
    return length.to_bytes(4, "big") + bytes([kind])


def raw(payload: bytes, kind: int = 0) -> bytes:
    return header(len(payload), kind) + payload


@pytest.mark.parametrize("step", [1, 2, 7, 4096])
def test_messages_survive_any_chunking(step: int) -> None:  # WIRE1
    messages: list[Any] = [
        {"type": "hello", "of": "é" * 300},
        {"type": "leave"},
        *wire.pieces("ab" * 32, bytes(range(256)) * 300),
    ]
    data = b"".join(wire.encode_piece(one) if isinstance(one, Piece) else wire.encode(one) for one in messages)
    assert decode(data, step) == messages


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_a_protocol_error(data: bytes) -> None:  # WIRE2
    with suppress(RemoteProtocolError):
        decode(data)


@given(st.binary(max_size=200), st.integers(0, 1))
def test_arbitrary_payloads_raise_nothing_but_a_protocol_error(payload: bytes, kind: int) -> None:  # WIRE2
    with suppress(RemoteProtocolError):
        decode(raw(payload, kind))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (header(LIMIT + 1), "longer than"),  # refused before any of it has come
        (header(10 * 2**30 % 2**32 or 2**32 - 1), "longer than"),
        (b"GET / HTTP/1.1\r\n\r\n", "longer than"),
        (raw(b"{}", 2), "unknown kind"),
        (raw(b"{"), "not JSON"),
        (raw(b'{"type": NaN}'), "not JSON"),
        (raw(b'{"type": "x", "n": 1e999}'), "not JSON"),
        (raw(b'{"type": "\xff"}'), "not JSON"),
        (raw(b'{"type": "\\ud800"}'), "not JSON"),
        (raw(b"[" * 10_000 + b"]" * 10_000), "not JSON"),
        (raw(b'{"type":"x","d":' + b"[" * 10_000 + b"]" * 10_000 + b"}"), "not JSON"),
        (raw(b"[]"), "without a type"),
        (raw(b'{"type": 3}'), "without a type"),
        (raw(b"{}"), "without a type"),
        (raw(b"short", 1), "a piece of"),
        (raw(bytes(48 + wire.MAX_PIECE_BYTES + 1), 1), "a piece of"),
    ],
)
def test_a_bad_frame_is_told_in_one_sentence(data: bytes, why: str) -> None:  # WIRE3
    with pytest.raises(RemoteProtocolError, match=why) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_a_frame_that_is_too_long_is_refused_by_its_header_alone() -> None:  # WIRE4
    frames = FrameBuffer()
    frames.receive_data(header(11))
    with pytest.raises(RemoteProtocolError):
        frames.next_frame(10)
    frames = FrameBuffer()
    frames.receive_data(header(10))
    assert frames.next_frame(10) is None


@pytest.mark.parametrize("value", ["\ud800", 2**64, b"bytes", {1: 2}, {"\ud800": 1}])
def test_what_json_cannot_hold_is_our_own_misuse(value: Any) -> None:  # WIRE5
    with pytest.raises(LocalProtocolError, match="'tx' message cannot be sent"):
        wire.encode({"type": "tx", "of": value})


@pytest.mark.parametrize("size", [0, 1, wire.MAX_PIECE_BYTES, wire.MAX_PIECE_BYTES + 1, 3 * wire.MAX_PIECE_BYTES])
def test_blobs_come_back_whole_from_pieces(size: int) -> None:  # WIRE6
    blobs = [bytes([size % 251]) * size, b"another"]
    assembly, got = Assembly(), []
    for data in blobs:
        for piece in wire.pieces(wire.sha_of(data), data):
            assert len(piece.data) <= wire.MAX_PIECE_BYTES
            if (blob := assembly.add(piece)) is not None:
                got.append(blob)
    assert got == [(wire.sha_of(data), data) for data in blobs]


DATA = b"x" * (2 * wire.MAX_PIECE_BYTES)
FIRST, SECOND = wire.pieces(wire.sha_of(DATA), DATA)


@pytest.mark.parametrize(
    "pieces",
    [
        [SECOND],
        [FIRST, FIRST],
        [FIRST, Piece("0" * 64, SECOND.offset, SECOND.total, SECOND.data)],
        [Piece(FIRST.sha, 0, 10, FIRST.data)],
        [Piece(FIRST.sha, 0, 10, b"")],
        [FIRST, Piece(FIRST.sha, SECOND.offset, SECOND.total, b"y" * len(SECOND.data))],
        [FIRST, Piece(FIRST.sha, SECOND.offset, SECOND.total + 1, SECOND.data)],
        [Piece(wire.sha_of(b"a"), 0, 1, b"b")],
        [Piece(FIRST.sha, 0, wire.MAX_BLOB_BYTES + 1, b"b")],
        [Piece(FIRST.sha, 2**63, 2**64 - 1, b"b")],
    ],
)
def test_pieces_that_do_not_make_the_blob_they_name_are_refused(pieces: list[Piece]) -> None:  # WIRE7
    assembly = Assembly()
    for piece in pieces[:-1]:
        assert assembly.add(piece) is None
    with pytest.raises(RemoteProtocolError):
        assembly.add(pieces[-1])


def test_every_error_of_ours_is_a_mixer_error() -> None:  # WIRE8
    assert issubclass(RemoteProtocolError, MixerError)
    assert issubclass(LocalProtocolError, MixerError)
