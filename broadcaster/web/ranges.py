"""Which part of a blob a request asks for. Of several parts, or what is no range, the whole is sent, as HTTP allows."""

from __future__ import annotations

import re
from typing import Final

RANGE: Final = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII)


def wanted(text: str | None, size: int) -> range | None:
    """The bytes that a Range header asks for; an empty range if there are none such, None if it asks for no part."""
    if text is None or (match := RANGE.fullmatch(text)) is None or match.group(0, 1, 2)[1:] == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last or size) + 1, size))


def names(text: str | None, tag: str) -> bool:
    """Whether an If-None-Match header names this tag."""
    return text is not None and (
        text.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in text.split(",")}
    )
