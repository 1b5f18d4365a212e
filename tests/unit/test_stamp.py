"""What a file carries of its room; a file may come from anybody."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import orjson
import pytest

from broadcaster.document import Document
from broadcaster.errors import RemoteProtocolError
from mixer.stamp import Place, Stamp

PLACE = Place("studio", 12800, "film", "e1", 7, 12.5)


def packed(held: Any) -> str:
    return base64.b85encode(zlib.compress(orjson.dumps(held))).decode()


def test_a_stamp_comes_back() -> None:  # OFF3
    document = Document(compact=False)
    document.apply([["u", ["create", "objects", {"name": "Cube"}]]], revision=7, sender="me")
    stamp = Stamp(PLACE, document, {"u": {"name": "Cube.001"}}, frozenset({"v"}))
    again = Stamp.from_text(PLACE, stamp.to_text())
    assert Place.from_text(PLACE.to_text()) == PLACE
    assert (again.document.digest(), again.document.revision) == (document.digest(), 7)
    assert (again.live, again.absent) == (stamp.live, stamp.absent)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '["h",0,"r","e",1,1]', '["h",99999,"r","e",1,1]', '["h","1","r","e",1,1]', "null", "nonsense"],
)
def test_what_is_no_place_is_none(text: str) -> None:  # OFF3
    assert Place.from_text(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~~~",
        packed([]),
        packed({"records": [], "live": []}),
        packed({"records": [1], "live": {}, "absent": []}),
        packed({"records": [], "live": {"u": 1}, "absent": []}),
        packed({"records": [], "live": {"u": {"$": "nonsense"}}, "absent": []}),
        base64.b85encode(b"not packed").decode(),
    ],
)
def test_a_damaged_stamp_is_told(text: str) -> None:  # OFF3
    with pytest.raises(RemoteProtocolError):
        Stamp.from_text(PLACE, text)
