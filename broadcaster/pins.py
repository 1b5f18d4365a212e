"""The certificates of broadcasters, by their fingerprints: what one shows first is what it has to show from then on."""

from __future__ import annotations

import hmac
import json
import os
import sys
from pathlib import Path
from typing import Final

from .errors import Refused

NAME: Final = "known_servers.json"


def default_file() -> Path:
    """Where a person's programs keep them."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "mixer" / NAME


def check(server: str, fingerprint: str, file: Path, wanted: str | None = None) -> bool:
    """Pins the fingerprint of `server` at its first use; whether this was the first.

    Raises Refused if it is another one than at first, or than `wanted`, which an invitation names.
    """
    if wanted is not None and not hmac.compare_digest(wanted, fingerprint):
        raise Refused(
            f"{server} shows another certificate than the invitation names: {fingerprint}."
            " Ask for a new invitation; if there is none, somebody is listening in"
        )
    pins = _read(file)
    if (pinned := pins.get(server)) is None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        partial.write_text(json.dumps(pins | {server: fingerprint}, indent=2))
        partial.replace(file)
        return True
    if not hmac.compare_digest(pinned, fingerprint):
        raise Refused(
            f"{server} shows another certificate than before: {fingerprint}."
            f" If that is right, take its line out of {file}; else somebody is listening in"
        )
    return False


def known(server: str, file: Path) -> str | None:
    """What is pinned for `server`. Raises Refused if that cannot be read."""
    return _read(file).get(server)


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise Refused(f"{file}, where certificates are pinned, cannot be read: {exc}") from exc
    return {str(server): str(pin) for server, pin in found.items()} if isinstance(found, dict) else {}
