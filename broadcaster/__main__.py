"""The command line: `python -m broadcaster serve`; the other commands ask one that runs."""

from __future__ import annotations

import argparse
import gc
import ipaddress
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Final

import trio

from . import VERSION, logs, wire
from .commands import DEFAULT_HOST, DEFAULT_PORT, SECRET_VARIABLE, add_commands, read_secret
from .commands import port as _port
from .errors import MixerError, Refused
from .limits import Limits
from .limits import read as read_limits
from .server import Server, tls
from .server.gate import Gate
from .store import Store
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .web import Web

DEFAULT_HTTP_PORT: Final = 12801
GARBAGE_THRESHOLDS: Final = (100_000, 20, 20)  # rooms hold no cycles: to look for them often costs a tenth of the speed
SWITCH_SECONDS: Final = 0.0001  # how long a thread that comes from the disk may wait for one that computes
CLOSING_SECONDS: Final = 3.0  # for the last words to members


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 if it did what it was asked, 1 with one line on standard error if not."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        logs.set_up(getattr(options, "log_format", "text"), options.verbose)
        run(options)
    except KeyboardInterrupt:
        return 0
    except (MixerError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m broadcaster", description="Rooms in which people edit together.")
    parser.add_argument("--version", action="version", version=f"{VERSION}{', compiled' * wire.IS_COMPILED}")
    parser.add_argument(
        "--verbose", action="count", default=0, help="say who comes and goes and why; twice: each transaction, too"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="hold rooms until stopped")
    serve.add_argument("--host", default=DEFAULT_HOST, help=f"where to listen (default {DEFAULT_HOST})")
    serve.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"for members (default {DEFAULT_PORT}, 0: any)")
    serve.add_argument(
        "--http-port", type=_port, default=DEFAULT_HTTP_PORT, help=f"for people (default {DEFAULT_HTTP_PORT}, 0: any)"
    )
    serve.add_argument("--data", type=Path, metavar="DIR", help="keep rooms there (default: in memory only)")
    serve.add_argument("--store", metavar="URL", help="sqlite (the default with --data) or memory")
    serve.add_argument(
        "--tls", nargs="+", metavar=("CERT", "KEY"), help="files, or: self-signed, which makes a certificate in --data"
    )
    serve.add_argument(
        "--secret-file", type=Path, metavar="FILE", help=f"what making rooms takes (or in {SECRET_VARIABLE})"
    )
    serve.add_argument("--insecure", action="store_true", help="listen beyond this machine, open to whoever calls")
    serve.add_argument("--limits", type=Path, metavar="FILE", help="limits, as TOML: NAME = NUMBER each")
    shown = ", ".join(f"{field.name}={field.default:g}" for field in fields(Limits))
    serve.add_argument(
        "--limit", action="append", default=[], metavar="NAME=NUMBER", help=f"one limit; by default {shown}"
    )
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="for people or for programs")
    serve.add_argument("--end-with-stdin", action="store_true", help="end when standard input does")
    serve.set_defaults(run=_serve)

    add_commands(commands)
    return parser


# Serving


def _serve(options: argparse.Namespace) -> None:
    loopback = _is_loopback(options.host)
    secret = read_secret(options.secret_file)
    if not (loopback or options.insecure or (options.tls and secret)):
        raise Refused(f"{options.host} is reached from other machines: that takes --tls and a secret, or --insecure")
    context = _tls(options)
    limits = read_limits(options.limits.read_bytes() if options.limits else b"", options.limit)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
    store = _open_store(options, limits)
    for finding in store.findings:
        print(f"found: {finding}", file=sys.stderr, flush=True)
    try:
        gate = Gate(time.time, secret, _key(options.data), limits)
        trio.run(_serve_until_stopped, options, loopback, store, gate, context, limits)
    finally:
        store.close()


def _open_store(options: argparse.Namespace, limits: Limits) -> Store:
    match options.store or ("memory" if options.data is None else "sqlite"):
        case "memory" if options.data is None:
            return MemoryStore(limits.blobs_bytes)
        case "sqlite" if options.data is not None:
            return SqliteStore(options.data)
        case "memory":
            raise Refused("--store memory keeps nothing in a directory: leave out --data")
        case "sqlite":
            raise Refused("--store sqlite needs a directory: --data DIR")
        case other:
            raise Refused(f"there is no store {other!r} yet: say sqlite or memory")


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    """What to encrypt with, if at all; says how clients can know it."""
    match options.tls:
        case None:
            return None
        case ["self-signed"] if options.data is not None:
            files = tls.self_signed(options.data / "tls")
        case ["self-signed"]:
            raise Refused("--tls self-signed keeps its certificate in a directory: --data DIR")
        case [certificate, key]:
            files = Path(certificate), Path(key)
        case _:
            raise Refused("--tls takes CERT and KEY, or self-signed")
    context, fingerprint = tls.server_context(*files)
    print(f"certificate fingerprint {fingerprint}", file=sys.stderr, flush=True)
    return context


def _key(directory: Path | None) -> bytes | None:
    """What signs invitations: kept with the rooms, so that they outlive a restart."""
    if directory is None:
        return None
    file = directory / "invitation-key"
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(os.urandom(32))
    return file.read_bytes()


def _is_loopback(host: str) -> bool:
    """Whether `host` names nothing but this machine's loopback. Raises OSError if it names nothing."""
    addresses = {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


async def _serve_until_stopped(
    options: argparse.Namespace,
    loopback: bool,
    store: Store,
    gate: Gate,
    context: ssl.SSLContext | None,
    limits: Limits,
) -> None:
    members = await _listen(options.host, options.port)
    people = await _listen(options.host, options.http_port)
    async with trio.open_nursery() as nursery:
        server = Server(nursery, store, gate=gate, limits=limits)
        await server.restore(_Progress())
        web = Web(server.outside, loopback=loopback, limits=limits)
        nursery.start_soon(trio.serve_listeners, _within(context, server.serve_member), members)
        nursery.start_soon(trio.serve_listeners, _within(context, web.serve), people)
        print(f"listening on {_name(members)}, {'https' if context else 'http'}://{_name(people)}", flush=True)
        print(f"rooms are kept {store.keeps}", file=sys.stderr, flush=True)
        await _until_stopped(with_stdin=options.end_with_stdin)
        server.close()
        nursery.cancel_scope.deadline = trio.current_time() + CLOSING_SECONDS
        await server.wait_until_empty()
        nursery.cancel_scope.cancel()


class _Progress:
    """A line a second while rooms are loaded, and one when all are."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, done: int, all: int) -> None:
        if done == all or time.monotonic() - self._said > 1.0:
            self._said = time.monotonic()
            print(f"rooms loaded: {done} of {all}", file=sys.stderr, flush=True)


def _within(
    context: ssl.SSLContext | None, serve: Callable[[trio.abc.HalfCloseableStream], Awaitable[None]]
) -> Callable[[trio.SocketStream], Awaitable[None]]:
    """`serve`, inside TLS if there is any; the handshake comes with the first byte that is read."""
    return lambda stream: serve(stream if context is None else tls.TlsStream(stream, context))


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except OSError as exc:
        raise Refused(f"cannot listen on {host}:{port}: {exc.strerror or exc}") from exc


def _name(listeners: list[trio.SocketListener]) -> str:
    host, port = listeners[0].socket.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _until_stopped(*, with_stdin: bool) -> None:
    """Returns on SIGTERM or Ctrl-C, or when whoever holds our standard input is gone."""
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            await trio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)
            nursery.cancel_scope.cancel()

        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            if with_stdin:
                nursery.start_soon(read)
            async for _ in signals:
                nursery.cancel_scope.cancel()


if __name__ == "__main__":
    sys.exit(main())
