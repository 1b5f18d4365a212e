"""What people and programs ask of a broadcaster that runs: the table of commands is at the end."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Final

import orjson

from . import archive, invitation, wire
from .document import Record
from .errors import Refused
from .remote import Address, Remote, RemoteRoom

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 12800
TLS: Final = "tls://"
SECRET_VARIABLE: Final = "MIXER_SERVER_SECRET"
SHOWN: Final = {"password": "MIXER_PASSWORD", "invitation": "MIXER_INVITATION"}  # by whoever enters a room
PASSWORD_VARIABLE: Final = "MIXER_NEW_PASSWORD"
DAY_SECONDS: Final = 24 * 3600.0

ROOM: Final = ("room", {"metavar": "ROOM"})
NAME: Final = ("name", {"metavar": "NAME"})
FILE: Final = ("file", {"metavar": "FILE.mixroom", "type": Path})


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds every command of the table below."""
    for name, (run, text, arguments, *fixed) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        for argument, options in arguments:
            command.add_argument(argument, **options)
        default = Address(DEFAULT_HOST, DEFAULT_PORT)
        command.add_argument("--server", type=address, default=default, metavar="HOST:PORT", help="or tls://HOST:PORT")
        command.set_defaults(run=run, **dict(*fixed))


def read_secret(file: Path | None = None) -> str | None:
    """The server's secret, from a file or the environment: arguments are seen by everybody on a machine."""
    secret = file.read_text().strip() if file else os.environ.get(SECRET_VARIABLE)
    if secret and not wire.MIN_SERVER_SECRET_CHARS <= len(secret) <= wire.MAX_PASSWORD_CHARS:
        raise Refused(f"the secret of a broadcaster has at least {wire.MIN_SERVER_SECRET_CHARS} characters")
    return secret or None


def _remote(options: argparse.Namespace) -> Remote:
    return Remote(options.server, secret=read_secret())


def _room(options: argparse.Namespace, name: str, *, create: bool = False, role: str, **settings: Any) -> RemoteRoom:
    """A room, with the password or invitation that the environment holds."""
    shown = {field: os.environ.get(variable) for field, variable in SHOWN.items()}
    server: Address = options.server
    if shown["invitation"] and (invited := invitation.read(shown["invitation"])) is not None:
        shown["invitation"] = invited.token
        if (invited.host, invited.port) == server[:2]:
            server = Address(*server[:2], invited.fingerprint is not None, invited.fingerprint)
    settings |= {field: value for field, value in shown.items() if value}
    return RemoteRoom(server, name, create=create, role=role, server_secret=read_secret(), **settings)


def port(text: str) -> int:
    if not 0 <= (number := int(text)) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def address(text: str) -> Address:
    host, colon, number = text.removeprefix(TLS).rpartition(":")
    if not colon or not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return Address(host.strip("[]"), port(number), text.startswith(TLS))


def _rooms(options: argparse.Namespace) -> None:
    with _remote(options) as remote:
        remote.send({"type": "rooms"})
        rooms = remote.wait_for("rooms")["rooms"]
    if options.json:
        print(orjson.dumps(rooms, option=orjson.OPT_INDENT_2).decode())
        return
    columns = ("name", "revision", "members", "entities", "bytes")
    rows = [columns, *(tuple(str(room[column]) for column in columns) for room in rooms)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _export(options: argparse.Namespace) -> None:
    with _room(options, options.room, role="viewer") as room:
        revision, records = room.content()
        blobs = room.blobs.fetch(archive.named_blobs(records))
        archive.write(options.file, options.room, revision, records, blobs)
        room.leave()


def _import(options: argparse.Namespace) -> None:
    with (
        archive.Archive(options.file) as file,
        _room(options, options.room, create=True, role="editor") as room,
    ):
        room.content()
        for sha in list(room.blobs.missing(archive.named_blobs(file.records))):
            room.blobs.store(file.blob(sha))
        room.edit(archive.transactions(file.records))
        room.leave()


def _fork(options: argparse.Namespace) -> None:
    _make_fork(options, options.name, frozen=options.frozen, keep=not options.temporary)


def _checkpoint(options: argparse.Namespace) -> None:
    _make_fork(options, _checkpoint_name(options), frozen=True, keep=True)


def _make_fork(options: argparse.Namespace, name: str, **settings: bool) -> None:
    joined = _room(options, name, create=True, role="editor", **{"from": options.room}, **settings)
    with joined as room:
        room.leave()


def _checkpoint_name(options: argparse.Namespace) -> str:
    """A checkpoint is a frozen room of its own."""
    return f"{options.room}@{options.name}"


def _back(options: argparse.Namespace) -> None:
    """What the way back changes is an ordinary edit: others see it as one, and can edit on meanwhile."""
    with _room(options, _checkpoint_name(options), role="viewer") as checkpoint:
        wanted = checkpoint.content()[1]
        with _room(options, options.room, role="editor") as room:
            now: list[Record] = room.content()[1]
            missing = list(room.blobs.missing(archive.named_blobs(wanted)))
            for _, blob in checkpoint.blobs.fetch(missing):
                room.blobs.store(blob)
            room.edit(archive.way_back(now, wanted))
            room.leave()
        checkpoint.leave()


def _delete(options: argparse.Namespace) -> None:
    with _remote(options) as remote:
        remote.send({"type": "delete", "room": options.room})
        remote.wait_for("deleted")


def _invite(options: argparse.Namespace) -> None:
    with _remote(options) as remote:
        seconds = options.days * DAY_SECONDS
        remote.send({"type": "invite", "room": options.room, "role": options.role, "seconds": seconds})
        token = remote.wait_for("invitation")["token"]
        host, port, *_ = options.address or options.server
        print(invitation.Invitation(host, port, options.room, token, remote.fingerprint))


def _govern(options: argparse.Namespace) -> None:
    _ask_room(options, op=options.op, member=options.member)


def _settings(options: argparse.Namespace) -> None:
    for op in ("keep", "frozen"):
        if (on := getattr(options, op)) is not None:
            _ask_room(options, op=op, on=on == "yes")
    match options.password:
        case "none":
            _ask_room(options, op="password")
        case "new":
            if not (password := os.environ.get(PASSWORD_VARIABLE)):
                raise Refused(f"the new password is read from {PASSWORD_VARIABLE}, which is empty")
            _ask_room(options, op="password", password=password)


def _ask_room(options: argparse.Namespace, **request: Any) -> None:
    with _remote(options) as remote:
        remote.send({"type": "govern", "room": options.room, **request})
        if (refused := remote.wait_for("governed").get("refused")) is not None:
            raise Refused(refused)


def _governing(op: str, text: str, who: str = "a name or an id") -> tuple[Any, ...]:
    member = ("member", {"metavar": "MEMBER", "help": who})
    return _govern, text, [ROOM, member], {"op": op}


FLAG: Final[dict[str, Any]] = {"action": "store_true"}
COMMANDS: Final[dict[str, Any]] = {
    "rooms": (_rooms, "list what is there", [("--json", FLAG | {"help": "for programs"})]),
    "export": (_export, "write one room to a file", [ROOM, FILE]),
    "import": (_import, "make a room of a file", [FILE, ROOM]),
    "fork": (
        _fork,
        "make a room with the content of another",
        [
            ROOM,
            ("name", {"metavar": "NEW"}),
            ("--frozen", FLAG | {"help": "nobody changes it: a template"}),
            ("--temporary", FLAG | {"help": "it goes a minute after its last member"}),
        ],
    ),
    "checkpoint": (_checkpoint, "keep a room as it is now under a name: as the frozen room ROOM@NAME", [ROOM, NAME]),
    "back": (_back, "make a room what it was at a checkpoint, by an ordinary edit", [ROOM, NAME]),
    "kick": _governing("kick", "end a member's connection; it may come back"),
    "ban": _governing("ban", "end a member's connection, and let nobody in who comes from there"),
    "unban": _governing("unban", "let somebody in again", "an id or an address"),
    "owner": _governing("owner", "hand a room over to a member"),
    "settings": (
        _settings,
        "change a room",
        [
            ROOM,
            ("--keep", {"choices": ("yes", "no"), "help": "no: it goes a minute after its last member"}),
            ("--frozen", {"choices": ("yes", "no"), "help": "yes: nobody changes it"}),
            ("--password", {"choices": ("new", "none"), "help": f"new: the one in {PASSWORD_VARIABLE}"}),
        ],
    ),
    "delete": (_delete, "delete a room", [ROOM]),
    "invite": (
        _invite,
        "print an invitation to a room: where it is, what lets in, and the certificate to expect (as MIXER_INVITATION)",
        [
            ROOM,
            ("--role", {"default": "editor", "help": "owner, editor, viewer or worker"}),
            ("--days", {"type": float, "default": 7.0, "help": "for how long"}),
            (
                "--address",
                {"type": address, "metavar": "HOST:PORT", "help": "as others reach it (as --server)"},
            ),
        ],
    ),
}
