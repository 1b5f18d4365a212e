"""Texts: one value each, and what registers is withheld."""

from __future__ import annotations

import bpy
import pytest

from mixer.proxy import Mirror

from .roundtrip import MemoryBlobs, load, mismatches, share
from .test_mirror import apply, edit, everything, put

pytestmark = pytest.mark.usefixtures("empty")


@pytest.mark.parametrize("body", ["", "\n", "one", "one\n", "one\n\ntwo\t", "ü\u2028\U0001f600", "x\n" * 5000])
def test_a_text_comes_back_to_the_letter(body: str) -> None:  # TEXT1
    bpy.data.texts.new("Notes").from_string(body)
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    assert bpy.data.texts["Notes"].as_string() == body
    assert [text for text in mismatches(mirror, document) if text.startswith("texts")] == []


def test_typing_is_one_edit_of_the_text() -> None:  # TEXT1
    text = bpy.data.texts.new("Notes")
    text.from_string("one")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    text.write("two\n")
    (delta,) = everything(mirror)
    assert delta[1] == ["patch", {"lines": ["put", text.as_string()]}]
    assert everything(mirror) == []


def test_another_members_text_is_shown_and_its_switch_is_not() -> None:  # TEXT2
    text = bpy.data.texts.new("Script.py")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, text)
    edit(member, uuid, lines="import os", use_module=True)
    assert apply(mirror, member, uuid) == []
    assert (text.as_string(), text.use_module) == ("import os", False)
    assert any("use_module" in name for name in mirror.ctx.withheld)
    assert everything(mirror) == []


def test_what_is_no_text_is_refused() -> None:  # TEXT3
    text = bpy.data.texts.new("Notes")
    text.from_string("mine")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, text)
    edit(member, uuid, lines=["mine", "theirs"])
    assert apply(mirror, member, uuid) == []
    assert text.as_string() == "mine"
    assert "Text.lines" in mirror.ctx.refused
