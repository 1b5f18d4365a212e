"""What members were answered, kept to be answered again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any

import orjson

from .. import wire
from ..document import MAX_UUID_CHARS
from ..wire import Message


class Answers:
    """What a member was answered, so that what it sends again is answered again and done once."""

    __slots__ = ("_kept", "bytes", "last")

    def __init__(self, last: int = 0, kept: Iterable[int | str | Message] = ()) -> None:
        self.last = last
        self.bytes = 0  # about, of what is kept, but for plain acks
        self._kept: deque[int | str] = deque()  # int: the revision of a plain ack; else as JSON, which is smaller
        for one in kept:
            self._add(one)

    def keep(self, seq: int, answer: Message) -> None:
        """What is answered again comes after the records that hold its effect, so that is not kept."""
        if answer["type"] == "ack" and "dropped" not in answer:
            self.done(seq, answer["revision"])
            return
        self.last = seq
        kept = {one: answer[one] for one in answer if one != "effect"}
        if "dropped" in answer:
            kept["dropped"] = bounded(answer["dropped"], wire.MAX_KEPT_BYTES)
        if "versions" in answer:
            kept["versions"] = some(answer["versions"], wire.MAX_KEPT_BYTES)
        self._add(kept)

    def done(self, seq: int, revision: int) -> None:
        """A plain ack."""
        self.last = seq
        if len(self._kept) == wire.MAX_IN_FLIGHT:
            self.bytes -= _length(self._kept.popleft())
        self._kept.append(revision)

    def _add(self, answer: int | str | Message) -> None:
        if len(self._kept) == wire.MAX_IN_FLIGHT:
            self.bytes -= _length(self._kept.popleft())
        self._kept.append(orjson.dumps(answer).decode() if isinstance(answer, dict) else answer)
        self.bytes += _length(self._kept[-1])

    def again(self, seq: int) -> Message | None:
        place = len(self._kept) - 1 - (self.last - seq)
        if not 0 <= place < len(self._kept):
            return None
        answer = self._kept[place]
        return (
            {"type": "ack", "seq": seq, "revision": answer} if isinstance(answer, int) else dict(orjson.loads(answer))
        )

    def state(self) -> list[int | str]:
        """What is kept."""
        return list(self._kept)


def _length(kept: int | str) -> int:
    return len(kept) if isinstance(kept, str) else 0


def some(versions: dict[str, int], max_bytes: int) -> dict[str, int]:
    """Of these versions as many as may be told."""
    return dict(islice(versions.items(), max_bytes // (MAX_UUID_CHARS + 20)))


def bounded(dropped: Iterable[Iterable[Any]], max_bytes: int) -> list[Any]:
    """What a sender is told of what was dropped: all of it, unless that is absurdly much."""
    told: list[Any] = []
    for uuid, path, reason in dropped:
        max_bytes -= 32 + sum(map(len, path))
        if max_bytes < 0:
            break
        told.append([uuid, path, reason])
    return told
