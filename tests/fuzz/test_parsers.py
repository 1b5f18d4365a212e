"""Bytes of whoever likes, into everything that reads them. `make fuzz-parsers` looks by what code they reach."""

from __future__ import annotations

from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import patch

from . import guided
from .parsers import PARSERS

KEPT: Final = {  # what failed once
    "an entity without a uuid": ("mixroom", "f6b71f"),
    "a zip of a later version": ("mixroom", "f60a28ec22830c85a37871b5"),
    "a method of compression that nobody knows": (
        "mixroom",
        "1266458ebab4d8d99ba633ff3a581c4728a6dc10140b72dd23486e9b81c9",
    ),
    "a patch of a zip": ("mixroom", "1d4763d13867d80fc8da7ada1dc863c45ae56354bd35d8cf5adcb3bf67e2"),
    "an offset before the file": ("mixroom", "54a7171b559d2d269cc7e8625b3f179d9c99c7e7"),
    "a name that is no text": ("mixroom", "7be17e08ed5e7f71f5b60caa7debd1204dd339e5d70e2b6559536ec328b5"),
    "a file that ends too soon": ("mixroom", "f56909998a37f8d948f9f738cefbeb3f09530845"),
    "what LZMA cannot read": ("mixroom", "3b23112002a53951c7b8fb65"),
    "what zlib cannot read": ("mixroom", "196ad7b465d8b04c63bdc9b2ed148544a60dfe944023987b53aad3947c85"),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_no_bytes_do_harm(name: str, data: bytes) -> None:  # FUZZ4
    PARSERS[name](data)


@pytest.mark.parametrize("what", KEPT)
def test_what_did_harm_once(what: str) -> None:  # FUZZ4
    name, data = KEPT[what]
    PARSERS[name](bytes.fromhex(data))


def test_harm_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:  # FUZZ2
    monkeypatch.setattr(patch, "_link", lambda tree, added, removed: {**tree, "of": tree["of"] + added})
    chance = Random(1)

    def look() -> None:
        for _ in range(50_000):
            PARSERS["deltas"](chance.randbytes(100))

    with pytest.raises(RemoteProtocolError, match="malformed set"):
        look()


def test_every_parser_is_looked_at_by_coverage() -> None:  # FUZZ4
    assert tuple(PARSERS) == guided.NAMES
