"""`python -m tests.bench [NAME ...]`: the figures beside their budgets; `make bench` runs all."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from . import (
    bench_edit,
    bench_mesh,
    bench_peers,
    bench_rebase,
    bench_relay,
    bench_server,
    bench_stream,
    bench_window,
)
from .figures import COLUMNS, SHORT, Scale

BENCHES: Final[dict[str, Callable[[Scale], None]]] = {
    "edit": lambda _: bench_edit.run(),
    "mesh": lambda _: bench_mesh.run(),
    "rebase": lambda _: bench_rebase.run(),
    "relay": bench_relay.run,
    "server": bench_server.run,
    "peers": lambda _: bench_peers.run(),
    "stream": lambda _: bench_stream.run(),
    "window": lambda _: bench_window.run(),
}


def main() -> int:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all if none is given")
    parser.add_argument("--short", action="store_true", help="less of each of what takes long: relay and server")
    options = parser.parse_args()
    names = options.names or list(BENCHES)
    if unknown := sorted(set(names) - BENCHES.keys()):
        parser.error(f"no benchmark {', '.join(unknown)}")
    print(COLUMNS.format("what", "measured", "budget; reference", ""), flush=True)
    for name in names:
        BENCHES[name](SHORT if options.short else Scale())
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # Blender's own exit can hang
