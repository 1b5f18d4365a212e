"""Edit locks: what is asked for, and what another's lock means for an edit."""

from __future__ import annotations

from typing import Any

from mixer.locks import ASK_SECONDS, LEASE_SECONDS, RENEW_SECONDS, Locks


def lease(key: str, holder: str | None, fencing: int = 1, *, refused: bool = False) -> dict[str, Any]:
    message = {"type": "lease", "key": key, "holder": holder, "fencing": fencing, "seconds": LEASE_SECONDS}
    return message | ({"refused": True} if refused else {})


def asked(locks: Locks, now: float, *keys: str) -> list[tuple[str, str]]:
    return [(one["op"], one["key"]) for one in locks.want(frozenset(keys), now)]


def test_a_lock_is_taken_renewed_and_released() -> None:  # LOCK1
    locks = Locks("me")
    assert asked(locks, 0, "mesh") == [("acquire", "mesh")]
    locks.heard(lease("mesh", "me", 7))
    assert asked(locks, RENEW_SECONDS - 1, "mesh") == []
    assert asked(locks, RENEW_SECONDS, "mesh") == [("acquire", "mesh")]
    assert locks.want(frozenset(), RENEW_SECONDS) == [
        {"type": "lease", "op": "release", "key": "mesh", "fencing": 7},
    ]
    assert asked(locks, RENEW_SECONDS) == []


def test_what_another_holds_is_asked_for_again_and_had_when_it_is_free() -> None:  # LOCK1
    locks = Locks("me")
    locks.heard(lease("mesh", "ann"))
    assert locks.others() == {"mesh": "ann"}
    assert asked(locks, 0, "mesh") == [("acquire", "mesh")]
    locks.heard(lease("mesh", "ann", refused=True))
    assert asked(locks, ASK_SECONDS / 2, "mesh") == []
    locks.heard(lease("mesh", None))
    assert asked(locks, ASK_SECONDS / 2, "mesh") == [("acquire", "mesh")]


def test_who_may_not_lock_does_not_ask_all_the_time() -> None:  # LOCK1
    locks = Locks("me")
    asked(locks, 0, "mesh")
    locks.heard(lease("mesh", None, refused=True))
    assert asked(locks, 1, "mesh") == []


def test_after_a_lost_connection_what_is_edited_is_asked_for_again() -> None:  # LOCK2
    locks = Locks("me")
    asked(locks, 0, "mesh")
    locks.joined([lease("mesh", "me"), lease("other", "ann")])
    assert asked(locks, 1, "mesh") == [("acquire", "mesh")]
    assert locks.others() == {"other": "ann"}


def test_an_edit_of_what_another_holds_takes_nothing_else_along() -> None:  # LOCK3
    locks = Locks("me")
    free, held = ["cube", ["remove"]], ["mesh", ["remove"]]
    assert locks.parted([free, held]) == [[free, held]]
    locks.heard(lease("mesh", "ann"))
    assert locks.parted([free, held]) == [[free], [held]]
    assert locks.parted([held]) == [[held]]
