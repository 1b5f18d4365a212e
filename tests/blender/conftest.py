"""What the tests of the mirror begin with."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import pytest

from mixer.proxy import identity


@pytest.fixture
def fresh() -> Iterator[None]:
    """Blender's first scene, before and after."""
    identity.register()
    bpy.ops.wm.read_factory_settings()
    yield
    bpy.ops.wm.read_factory_settings()


@pytest.fixture
def empty() -> Iterator[None]:
    """A scene with nothing in it; Blender's first one afterwards."""
    identity.register()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield
    bpy.ops.wm.read_factory_settings()
