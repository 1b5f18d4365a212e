"""What members were answered, kept to be answered again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .. import wire
from ..document import MAX_UUID_CHARS
from ..wire import Message


@dataclass(slots=True)
class Answers:
    """What a member was answered, so that what it sends again is answered again and done once."""

    last: int = 0
    kept: deque[int | Message] = field(default_factory=lambda: deque(maxlen=wire.MAX_IN_FLIGHT))  # int: a plain ack's

    def keep(self, seq: int, answer: Message) -> None:
        """What is answered again comes after the records that hold its effect, so that is not kept."""
        self.last = seq
        if answer["type"] == "ack" and "dropped" not in answer:
            self.kept.append(answer["revision"])
            return
        kept = {one: answer[one] for one in answer if one != "effect"}
        if "dropped" in answer:
            kept["dropped"] = bounded(answer["dropped"], wire.MAX_KEPT_BYTES)
        if "versions" in answer:
            kept["versions"] = some(answer["versions"], wire.MAX_KEPT_BYTES)
        self.kept.append(kept)

    def again(self, seq: int) -> Message | None:
        place = len(self.kept) - 1 - (self.last - seq)
        if not 0 <= place < len(self.kept):
            return None
        answer = self.kept[place]
        return {"type": "ack", "seq": seq, "revision": answer} if isinstance(answer, int) else answer


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
