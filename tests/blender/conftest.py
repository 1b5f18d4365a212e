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
