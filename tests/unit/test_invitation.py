"""Invitations as one line: what is written is read again, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import pins
from broadcaster.errors import Refused
from broadcaster.invitation import Invitation, read

TOKEN = "WyJyIiwiYiJd.c2lnbmF0dXJl"
LINE = f"mixer+tls://rooms.example:12800/Set%20A?{'a1' * 32}#{TOKEN}"


@pytest.mark.parametrize("host", ["studio", "127.0.0.1", "::1", "rooms.example"])
@pytest.mark.parametrize("fingerprint", [None, "0f" * 32])
@pytest.mark.parametrize("room", ["r", "My Room", "a/b?c#d%20", "Äpfel & Öl 🎬", "//evil.example/x"])
def test_an_invitation_is_read_as_it_was_written(host: str, fingerprint: str | None, room: str) -> None:  # INVITE1
    made = Invitation(host, 12800, room, TOKEN, fingerprint)
    assert read(f"  {made}\n") == made
    assert str(made).isascii()
    assert not set(str(made)) & set(" \n")


def test_a_token_alone_is_no_more_than_that() -> None:  # INVITE1
    assert read(TOKEN) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "http://rooms.example:12800/r#" + TOKEN,
        LINE.replace("mixer+tls", "mixer"),  # a fingerprint without TLS
        LINE.replace("a1" * 32, ""),  # TLS without a fingerprint
        LINE.replace("a1" * 32, "A1" * 32),
        LINE.replace(":12800", ""),
        LINE.replace(":12800", ":99999"),
        LINE.replace(":12800", ":0"),
        LINE.replace("rooms.example", ""),
        LINE.replace("rooms.example", "rooms example"),
        LINE.replace("rooms.example", "[::1"),
        LINE.replace("Set%20A", ""),
        LINE.replace("Set%20A", "a%0Ab"),
        LINE.replace("#", ""),
        LINE + "/",
        LINE + "x" * 5000,
        LINE.replace("Set%20A", "x" * 5000),
    ],
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:  # INVITE2
    with pytest.raises(Refused, match="that is no invitation") as refusal:
        read(text)
    assert TOKEN not in str(refusal.value)
    assert refusal.value.__cause__ is None


@given(st.text() | st.text(alphabet="mixer+tls:/#?.[]%@aA0"))
def test_nothing_that_is_shown_does_harm(text: str) -> None:  # INVITE2
    try:
        invited = read(text)
    except Refused:
        return
    assert invited is None or read(str(invited)) == invited


def test_a_certificate_that_is_expected_is_pinned_and_no_other(tmp_path: Path) -> None:  # GATE11
    file = tmp_path / "pins.json"
    with pytest.raises(Refused, match="than the invitation names"):
        pins.check("a:1", "00" * 32, file, "11" * 32)
    assert pins.known("a:1", file) is None
    assert pins.check("a:1", "11" * 32, file, "11" * 32)
    assert pins.known("a:1", file) == "11" * 32
    with pytest.raises(Refused, match="another certificate than before"):  # no invitation takes a pin away
        pins.check("a:1", "22" * 32, file, "22" * 32)
