"""Frames: a message or a piece of a blob, to bytes and back.

A frame is the length of its payload (4 bytes, big-endian), its kind (1 byte) and the payload. Kind 0 is a message: a
JSON object with a string "type". Kind 1 is a piece of a blob: its sha256 (32 bytes), offset and total (8 bytes each,
big-endian), then at most 64 KiB of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any, Final, TypeAlias

import orjson

from .errors import LocalProtocolError, RemoteProtocolError

Message: TypeAlias = dict[str, Any]

IS_COMPILED: Final = not __file__.endswith(".py")  # to C, as all that a room computes

KIB: Final = 1024
MIB: Final = 1024 * KIB

# What one frame may be
MAX_REQUEST_BYTES: Final = 16 * MIB  # from a member: a transaction, at most
MAX_FRAME_BYTES: Final = 128 * MIB  # from the broadcaster: JSON may grow when it is written anew
MAX_PIECE_BYTES: Final = 64 * KIB
MAX_RECORDS_BYTES: Final = 256 * KIB  # about: a message of records holds at least one, however large

# What both ends of a line go by
MAX_BLOB_BYTES: Final = 256 * MIB
MAX_SHAS: Final = 4096  # named in one message
MAX_IN_FLIGHT: Final = 4096  # transactions of a member that it has no answer to
MAX_PASSWORD_CHARS: Final = 1024  # also of secrets and invitations
MIN_SERVER_SECRET_CHARS: Final = 16
MAX_TEXT_CHARS: Final = 64  # names of rooms and people
MAX_KEPT_BYTES: Final = 1 * KIB  # of that list, in an answer that is kept to be given again

_HEADER: Final = Struct(">IB")
HEADER_BYTES: Final = _HEADER.size
_PIECE: Final = Struct(">32sQQ")
_MESSAGE_KIND: Final = 0
_PIECE_KIND: Final = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """At most 64 KiB of a blob, from `offset` on."""

    sha: str  # 64 hex digits
    offset: int
    total: int  # bytes of the whole blob
    data: bytes


def sha_of(data: bytes) -> str:
    """The name of a blob."""
    return sha256(data).hexdigest()


def encode(message: Message) -> bytes:
    """One frame. NaN and infinities must have been put in the form that trees have for them: JSON has none.

    Raises LocalProtocolError if `message` cannot be JSON or is too long.
    """
    try:
        payload = orjson.dumps(message)
    except TypeError as exc:
        raise LocalProtocolError(f"this {message.get('type')!r} message cannot be sent: {exc}") from exc
    if len(payload) > MAX_FRAME_BYTES:
        raise LocalProtocolError(f"a {message.get('type')!r} message of {len(payload)} bytes is too long to be sent")
    return _HEADER.pack(len(payload), _MESSAGE_KIND) + payload


def encode_piece(piece: Piece) -> bytes:
    """One frame. Raises LocalProtocolError if it holds more than MAX_PIECE_BYTES."""
    return b"".join(encode_piece_parts(piece))


def encode_piece_parts(piece: Piece) -> tuple[bytes, bytes]:
    """The same in two, of which the second is what the piece holds: it need not be copied."""
    if len(piece.data) > MAX_PIECE_BYTES:
        raise LocalProtocolError(f"a piece holds at most {MAX_PIECE_BYTES} bytes")
    head = _PIECE.pack(bytes.fromhex(piece.sha), piece.offset, piece.total)
    return _HEADER.pack(len(head) + len(piece.data), _PIECE_KIND) + head, piece.data


def pieces(sha: str, data: bytes, offset: int = 0, total: int | None = None) -> Iterator[Piece]:
    """A blob cut into pieces, one at a time; an empty one has one piece. `data` may be a part, from `offset` on."""
    for start in range(0, len(data) or 1, MAX_PIECE_BYTES):
        part = data[start : start + MAX_PIECE_BYTES]
        yield Piece(sha, offset + start, len(data) if total is None else total, part)


class FrameBuffer:
    """Bytes in, whole frames out, however the bytes are cut."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = 0

    def receive_data(self, data: bytes | bytearray) -> None:
        del self._data[: self._start]
        self._start = 0
        self._data += data

    @property
    def is_amid(self) -> bool:
        """Whether a part of a frame has come."""
        return len(self._data) > self._start

    def next_frame(self, max_bytes: int) -> tuple[Message | Piece, bytearray] | None:
        """The next frame, decoded and as it came; None until more data arrives.

        A frame over `max_bytes` is refused when its header is there, whatever of it has arrived.
        Raises RemoteProtocolError on what is not a frame.
        """
        data, begin = self._data, self._start + HEADER_BYTES
        if len(data) < begin:
            return None
        length, kind = _HEADER.unpack_from(data, self._start)
        if length > max_bytes:
            raise RemoteProtocolError(f"a frame of {length} bytes is longer than the {max_bytes} allowed here")
        end = begin + length
        if len(data) < end:
            return None
        self._start = end
        payload = data[begin:end]
        match kind:
            case 0:
                return _decode(payload), payload
            case 1:
                return _decode_piece(payload), payload
            case _:
                raise RemoteProtocolError(f"unknown kind of frame {kind}")


def _decode(payload: bytearray) -> Message:
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError as exc:
        raise RemoteProtocolError(f"a message that is not JSON: {exc}") from exc
    if type(message) is not dict or type(message.get("type")) is not str:
        raise RemoteProtocolError("a message without a type")
    return message


def _decode_piece(payload: bytearray) -> Piece:
    if not _PIECE.size <= len(payload) <= _PIECE.size + MAX_PIECE_BYTES:
        raise RemoteProtocolError(f"a piece of {len(payload)} bytes")
    sha, offset, total = _PIECE.unpack_from(payload)
    return Piece(sha.hex(), offset, total, bytes(memoryview(payload)[_PIECE.size :]))


class Sequence:
    """The pieces of one blob after another, verified and not kept."""

    def __init__(self, max_bytes: int = MAX_BLOB_BYTES) -> None:
        self._max_bytes = max_bytes
        self._sha = ""
        self._end = self._total = 0
        self._hash = sha256()

    def add(self, piece: Piece) -> bool:
        """Whether `piece` completes a blob.

        Raises RemoteProtocolError if pieces are out of order, too many, or not what their name says.
        """
        if piece.total > self._max_bytes:
            raise RemoteProtocolError(f"a blob of {piece.total} bytes is longer than the {self._max_bytes} allowed")
        if not self._end:
            self._sha, self._total, self._hash = piece.sha, piece.total, sha256()
        end = piece.offset + len(piece.data)
        same = (piece.sha, piece.total) == (self._sha, self._total)
        in_order = same and piece.offset == self._end and end <= piece.total
        if not in_order or not (piece.data or piece.total == 0):
            raise RemoteProtocolError(f"a piece out of order in blob {piece.sha}")
        self._end = end
        self._hash.update(piece.data)
        if end < piece.total:
            return False
        if self._hash.hexdigest() != self._sha:
            raise RemoteProtocolError(f"blob {self._sha} is not what its name says")
        self._end = 0
        return True


class Assembly:
    """The pieces of one blob after another, verified and put together."""

    def __init__(self, max_bytes: int = MAX_BLOB_BYTES) -> None:
        self._sequence = Sequence(max_bytes)
        self._parts: list[bytes] = []

    def add(self, piece: Piece) -> tuple[str, bytes] | None:
        """The blob that `piece` completes, by its sha256; None while more is to come. Raises RemoteProtocolError."""
        whole = self._sequence.add(piece)
        self._parts.append(piece.data)
        if not whole:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        return piece.sha, data
