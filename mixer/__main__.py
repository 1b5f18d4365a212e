"""`python -m mixer`: a Blender without a window in a room, and the comparison of two files."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Final

import bpy

from broadcaster import invitation
from broadcaster.errors import MixerError

from . import compare, session, watch
from .client import Client
from .headless import Peer, save
from .proxy import identity
from .resume import carried_stamp

SECRETS: Final = {  # option -> variable, what it is
    "secret": ("MIXER_SERVER_SECRET", "what making rooms takes"),
    "password": ("MIXER_PASSWORD", "what the room takes, or is to take if it is made"),
    "invitation": ("MIXER_INVITATION", "what somebody was given who may invite"),
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 on success, 1 on a refusal or fault, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(prog="mixer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_peer(commands.add_parser("peer", help="a Blender without a window in a room"))
    compare.add_arguments(commands.add_parser("compare", help="compare two .blend files over the whole RNA tree"))
    args = parser.parse_args(argv)
    if args.command == "compare":
        return compare.run(args)
    try:
        return _peer(args)
    except (MixerError, TimeoutError, OSError, RuntimeError) as exc:
        return _fail(str(exc))


def _add_peer(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(parser=parser)
    parser.add_argument("--server", metavar="HOST:PORT", type=_address, help="or tls://HOST:PORT")
    parser.add_argument("--room", help="the room to join; it is made if there is none. An invitation says both")
    for option, (variable, text) in SECRETS.items():
        help = f"{text}, in a file (or in {variable}; no argument: those are seen by everybody on a machine)"
        parser.add_argument(f"--{option}-file", metavar="FILE", type=Path, help=help)
    parser.add_argument("--name", default="peer", help="how others see this member")
    parser.add_argument("--open", metavar="FILE.blend", type=Path, help="load this file first")
    parser.add_argument(
        "--rejoin",
        action="store_true",
        help="with --open: the file was saved in this room, and what was changed in it since goes there",
    )
    parser.add_argument("--run", metavar="SCRIPT.py", type=Path, help="run a script with bpy and `session`")
    parser.add_argument("--settle", metavar="SECONDS", type=float, help="stay until it was quiet for that long")
    parser.add_argument("--save", metavar="FILE.blend", type=Path, help="write what Blender holds at the end")
    parser.add_argument("--stats", metavar="FILE.json", type=Path, help="write the figures of the stay at the end")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="give up after that long")
    parser.add_argument(
        "--trust", action="store_true", help="take scripted drivers, registering texts and script nodes"
    )


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _peer(args: argparse.Namespace) -> int:
    identity.register()
    if args.open is not None:
        if not args.open.is_file():
            return _fail(f"there is no file {args.open}")
        bpy.ops.wm.open_mainfile(filepath=str(args.open.resolve()), use_scripts=False)
    watch.register()
    secrets = {option: _secret(getattr(args, f"{option}_file"), variable) for option, (variable, _) in SECRETS.items()}
    host, port, room, fingerprint = _where(args, secrets)
    stamp = carried_stamp() if args.rejoin else None
    held = None if stamp is None else (stamp.place.epoch, stamp.place.revision)
    create: bool | str = "if-missing" if stamp is None else False
    here = session.join(
        lambda: Client(
            host,
            port,
            room=room,
            name=args.name,
            create=create,
            password=secrets["password"],
            invitation=secrets["invitation"],
            server_secret=secrets["secret"],
            fingerprint=fingerprint,
            held=held,
        ),
        trusted=args.trust,
        stamp=stamp,
    )
    peer = Peer(here, timeout=args.timeout)
    signal.signal(signal.SIGTERM, _interrupt)
    code = 0
    try:
        peer.wait_for_content(timeout=args.timeout or 600)
        code = _stay(peer, args)
    except KeyboardInterrupt:
        pass  # asked to end: what is here is still saved
    except (MixerError, TimeoutError) as exc:
        code = _fail(str(exc))  # what is here is still saved
    if args.save is not None:
        save(args.save)
    if args.stats is not None:
        args.stats.write_text(json.dumps(peer.stats(), indent=2))
    session.leave()
    watch.unregister()
    return code


def _secret(file: Path | None, variable: str) -> str | None:
    return (file.read_text().strip() if file else os.environ.get(variable)) or None


def _where(args: argparse.Namespace, secrets: dict[str, str | None]) -> tuple[str, int, str, str | None]:
    """Host, port, room and the certificate to expect. Of an invitation only the token stays in `secrets`."""
    invited = invitation.read(secrets["invitation"]) if secrets["invitation"] else None
    server, room, fingerprint = args.server, args.room, None
    if invited is not None:
        secrets["invitation"], room = invited.token, room or invited.room
        here = _address(invited.server)
        if server is None or (server[0].removeprefix(invitation.TLS), server[1]) == invited[:2]:
            server, fingerprint = here, invited.fingerprint
    if server is None or room is None:
        args.parser.error("--server and --room are wanted, or an invitation, which says both")
    return *server, room, fingerprint


def _stay(peer: Peer, args: argparse.Namespace) -> int:
    """Runs the script, or waits for quiet or the end."""
    if args.run is not None:
        source = args.run.read_text()
        try:
            exec(
                compile(source, str(args.run), "exec"),
                {"__name__": "__main__", "__file__": str(args.run), "session": peer},
            )
        except (MixerError, TimeoutError) as exc:
            return _fail(f"{args.run}: {exc}")
        except SystemExit as exc:
            return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        except Exception:  # noqa: BLE001 (the script's own fault, told as such)
            traceback.print_exc()
            return _fail(f"{args.run} failed")
        peer.settle()
    elif args.settle is not None:
        peer.settle(timeout=args.timeout or 600)
        peer.pump(args.settle)
    else:
        while True:
            peer.pump(60)
    return 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(why: str) -> int:
    print(f"mixer: {' '.join(why.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender's own exit can hang where handlers were registered
