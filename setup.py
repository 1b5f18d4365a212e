"""Compiles what a room computes to C, by mypyc, where MIXER_COMPILED is set: the same modules, in less time.

Without it, as in the extension, all is plain Python. What waits for sockets and disks stays so anyway.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from setuptools import setup

CORES: Final = (
    "wire.py",
    "limits.py",
    "tree",
    "document",
    "protocol",
    "room",
    "store/rows.py",
    "server/mail.py",
    "server/order.py",
)
NAME: Final = "broadcaster_cores"  # of what they share

if os.environ.get("MIXER_COMPILED"):
    from mypyc.build import mypycify

    found = [Path("broadcaster", core) for core in CORES]
    sources = [str(file) for core in found for file in (sorted(core.glob("*.py")) if core.is_dir() else [core])]
    setup(ext_modules=mypycify(["--config-file=", *sources], group_name=NAME))
else:
    setup()
