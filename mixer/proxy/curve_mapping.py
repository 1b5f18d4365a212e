"""Curves that map values, as those of a node or of a scene's view."""

from __future__ import annotations

from .context import Struct


def update(mapping: Struct) -> None:
    """Has Blender take over what was written. It moves selected points into the clip area, so here none is selected."""
    selected = [point.select for point in _points(mapping)]
    for point in _points(mapping):
        point.select = False
    mapping.update()
    for point, was in zip(_points(mapping), selected, strict=False):
        point.select = was


def _points(mapping: Struct) -> list[Struct]:
    return [point for curve in mapping.curves for point in curve.points]
