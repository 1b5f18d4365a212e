"""The exceptions of the broadcaster and of what speaks to it."""

from __future__ import annotations


class MixerError(Exception):
    """What this project raises; its text is one sentence for a person."""


class LocalProtocolError(MixerError):
    """Our own misuse of the protocol; nothing was sent."""


class RemoteProtocolError(MixerError):
    """The other side broke the protocol. It costs the sender its connection, and nobody else anything."""


class Refused(MixerError):
    """The other side understood and said no. Its text says why."""

    def __init__(self, reason: str, *, retry: bool = False) -> None:
        super().__init__(reason)
        self.retry = retry  # whether to come back, as after a restart


class Unknown(Refused):
    """Nothing is known by what was shown: no secret, no password, no invitation."""


class Rejected(MixerError):
    """A transaction that was refused whole. It costs its sender nothing but the transaction."""

    def __init__(self, reason: str, detail: str = "", *, versions: dict[str, int] | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason  # one word for programs: exists, expect, leased, role
        self.detail = detail
        self.versions = versions or {}  # of what was expected otherwise


class Unavailable(Refused):
    """A store cannot take anything now, and kept nothing of what was asked: its disk is full or fails. To try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retry=True)
