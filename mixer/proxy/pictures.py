"""How large a picture says that it is, before anything decodes it. No bpy here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

Size: TypeAlias = tuple[int, int]

MAX_PIXELS: Final = 1 << 28  # 16,384 by 16,384
HEADER_BYTES: Final = 1 << 16
TARGA_KINDS: Final = (1, 2, 3, 9, 10, 11)


def size_of(data: bytes) -> Size | None:
    """Width and height by the header; None where the format is none of those that are known here."""
    for magic, offset, reader in READERS:
        if data[offset : offset + len(magic)] == magic:
            try:
                return reader(data)
            except (struct.error, ValueError, IndexError, StopIteration):
                return None
    if len(data) > 18 and data[1] in (0, 1) and data[2] in TARGA_KINDS:  # has no magic
        return struct.unpack_from("<HH", data, 12)
    return None


def _png(data: bytes) -> Size:
    return struct.unpack_from(">II", data, 16)


def _bmp(data: bytes) -> Size:
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _psd(data: bytes) -> Size:
    height, width = struct.unpack_from(">II", data, 14)
    return width, height


def _dds(data: bytes) -> Size:
    height, width = struct.unpack_from("<II", data, 12)
    return width, height


def _jpeg(data: bytes) -> Size:
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker < 0xFFC0:
            raise ValueError("no marker")
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length


def _jpeg_2000(data: bytes) -> Size:
    at = data.index(b"\xff\x4f\xff\x51", 0, HEADER_BYTES)  # the codestream, in a file or bare
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    return right - left, bottom - top


def _webp(data: bytes) -> Size:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def _exr(data: bytes) -> Size:
    """The largest data or display window: Blender makes room for both."""
    sizes = []
    for name in (b"dataWindow\0box2i\0", b"displayWindow\0box2i\0"):
        at = data.find(name, 0, HEADER_BYTES)
        while at >= 0:
            left, top, right, bottom = struct.unpack_from("<4i", data, at + len(name) + 4)
            sizes.append((right - left + 1, bottom - top + 1))
            at = data.find(name, at + 1, HEADER_BYTES)
    return max(sizes, key=lambda size: size[0] * size[1])


def _hdr(data: bytes) -> Size:
    for line in data[:HEADER_BYTES].split(b"\n"):
        words = line.split()
        if len(words) == 4 and words[0] in (b"-Y", b"+Y", b"-X", b"+X"):
            first, second = int(words[1]), int(words[3])
            return (second, first) if words[0][1:] == b"Y" else (first, second)
    raise ValueError("no resolution")


def _tiff(data: bytes) -> Size:
    order = "<" if data[:2] == b"II" else ">"
    sizes = dict(_tiff_entries(data, order))
    return sizes[256], sizes[257]


def _tiff_entries(data: bytes, order: str) -> Iterator[tuple[int, int]]:
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for place in range(at + 2, at + 2 + 12 * count, 12):
        kind, form = struct.unpack_from(f"{order}HH", data, place)
        if kind in (256, 257):
            yield kind, struct.unpack_from(f"{order}H" if form == 3 else f"{order}I", data, place + 8)[0]


READERS: Final[tuple[tuple[bytes, int, Callable[[bytes], Size]], ...]] = (
    (b"\x89PNG\r\n\x1a\n", 0, _png),
    (b"\xff\xd8\xff", 0, _jpeg),
    (b"\x76\x2f\x31\x01", 0, _exr),
    (b"#?", 0, _hdr),
    (b"II*\0", 0, _tiff),
    (b"MM\0*", 0, _tiff),
    (b"WEBP", 8, _webp),
    (b"BM", 0, _bmp),
    (b"\0\0\0\x0cjP  ", 0, _jpeg_2000),
    (b"\xff\x4f\xff\x51", 0, _jpeg_2000),
    (b"DDS ", 0, _dds),
    (b"8BPS", 0, _psd),
)
