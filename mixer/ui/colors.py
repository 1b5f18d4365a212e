"""Colors of people: to choose one by default, to write them down, and to see them in a panel."""

from __future__ import annotations

from collections.abc import Container
from typing import Final
from zlib import crc32

import bpy.utils.previews

PALETTE: Final = ("#4299ed", "#e8793a", "#57b560", "#c95fc2", "#d9b02f", "#37b5b0", "#e05a6d", "#8d7ae6")
SIZE: Final = 32  # pixels of an icon's edge
RADIUS: Final = 11.0

Rgb = tuple[float, float, float]


def color_for(name: str, taken: Container[str] = ()) -> str:
    """One of the palette, the same for one name unless it is taken; all may be."""
    first = crc32(name.encode()) % len(PALETTE)
    choice = PALETTE[first:] + PALETTE[:first]
    return next((color for color in choice if color not in taken), choice[0])


def to_rgb(color: str) -> Rgb:
    """ "#ff8000" as parts from 0 to 1."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def to_hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


class Swatches:
    """An icon for each color: a disc."""

    def __init__(self) -> None:
        self._previews = bpy.utils.previews.new()

    def icon(self, color: str) -> int:
        """What `icon_value` takes."""
        if color not in self._previews:
            preview = self._previews.new(color)
            preview.icon_size = (SIZE, SIZE)
            setattr(preview, "icon_pixels_float", _disc(to_rgb(color)))  # noqa: B010 (the stubs take it for one float)
        return self._previews[color].icon_id

    def close(self) -> None:
        """Frees the icons."""
        bpy.utils.previews.remove(self._previews)


def _disc(rgb: Rgb) -> list[float]:
    """RGBA of each pixel, row by row; the alpha is in the colors."""
    middle = (SIZE - 1) / 2
    pixels: list[float] = []
    for y in range(SIZE):
        for x in range(SIZE):
            inside = RADIUS + 0.5 - ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5
            alpha = min(1.0, max(0.0, inside))
            pixels += (*(part * alpha for part in rgb), alpha)
    return pixels
