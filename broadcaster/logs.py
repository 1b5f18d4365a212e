"""What the log looks like: one line an event, for people or for programs. Without structlog only for people."""

from __future__ import annotations

import logging
from typing import Final

from .errors import Refused

try:
    import structlog
except ImportError:  # Blender's Python, in which the panel hosts
    STRUCTURED = False
else:
    STRUCTURED = True

LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)  # by how often --verbose is said
FIELDS: Final = ("room", "member", "request", "transaction", "revision", "reason", "address")  # of an event, as `extra`


class _Text(logging.Formatter):
    """`LEVEL: what happened room=... member=...`"""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={value!r}" for name in FIELDS if (value := getattr(record, name, None)) is not None]
        return " ".join([super().format(record), *fields])


def set_up(style: str, verbose: int) -> None:
    """Makes every line of the log `json` or `text`. Raises Refused if that cannot be had here."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Text("%(levelname)s: %(message)s") if style == "text" else _json())
    logging.basicConfig(level=LEVELS[min(verbose, len(LEVELS) - 1)], handlers=[handler], force=True)


def _json() -> logging.Formatter:
    if not STRUCTURED:
        raise Refused("--log-format json takes structlog: pip install mixer-broadcaster[admin]")
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
