"""What a broadcaster says of what happens, line by line."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from broadcaster import logs
from broadcaster.errors import Refused
from broadcaster.remote import RemoteRoom

from .guests import CUBE
from .processes import Broadcaster, broadcaster, command

PASSWORD = "the password of this room"


def enter(server: Broadcaster, name: str = "r", **options: str) -> RemoteRoom:
    return RemoteRoom((server.host, server.port), name, create="if-missing", role="editor", **options)  # type: ignore[arg-type]


def visit(server: Broadcaster, **options: str) -> None:
    with enter(server, **options) as room:
        room.content()
        with pytest.raises(Refused):
            room.edit([[CUBE], [CUBE]])
        room.leave()


def test_each_event_is_a_line_for_programs(tmp_path: Path) -> None:  # LOG1, LOG2
    said = tmp_path / "said"
    with broadcaster("--log-format", "json", said=said, verbose=2) as server:
        visit(server, password=PASSWORD)
        assert command("settings", "--server", server.address, "r", "--keep", "no").returncode == 0
        assert server.stop() == 0
    lines = [orjson.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
    told = [
        {name: line[name] for name in ("request", "transaction", "revision", "reason", "level") if line.get(name)}
        for line in lines
        if line.get("room") == "r"
    ]
    assert [one for one in told if one.get("request") in ("join", "tx", "leave", "keep")] == [
        {"request": "join", "level": "info"},
        {"request": "tx", "transaction": 1, "revision": 1, "level": "debug"},
        {"request": "tx", "transaction": 2, "reason": "exists", "level": "debug"},
        {"request": "leave", "level": "info"},
        {"request": "keep", "level": "info"},
    ]
    assert len({line["member"] for line in lines if line.get("request") in ("join", "tx", "leave")}) == 1
    assert PASSWORD not in said.read_text()


def test_people_read_the_same_and_without_being_asked_only_what_is_wrong(tmp_path: Path) -> None:  # LOG1
    said = tmp_path / "said"
    with broadcaster(said=said, verbose=1) as server:
        visit(server)
        server.stop()
    assert "INFO: join room='r' member=" in said.read_text()
    assert "DEBUG" not in said.read_text()
    with broadcaster(said=said) as server:
        visit(server)
        server.stop()
    assert said.read_text() == "rooms are kept in memory only\n"


def test_without_structlog_there_is_text(monkeypatch: pytest.MonkeyPatch) -> None:  # LOG3
    monkeypatch.setattr(logs, "STRUCTURED", False)
    with pytest.raises(Refused, match="takes structlog"):
        logs.set_up("json", 0)


def test_a_start_says_how_many_rooms_are_loaded(tmp_path: Path) -> None:  # LOG4
    data, said = ("--data", str(tmp_path / "data")), tmp_path / "said"
    with broadcaster(*data, said=said) as server:
        for name in ("a", "b"):
            with enter(server, name) as room:
                room.content()
        server.stop()
    assert "rooms loaded" not in said.read_text()
    with broadcaster(*data, said=said) as server:
        server.stop()
    assert "rooms loaded: 2 of 2\n" in said.read_text()
