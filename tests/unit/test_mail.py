"""What a room has to say, on its way to the seats."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.protocol import ClientConnection, State
from broadcaster.room import Broadcast, Done, Room, Send
from broadcaster.server.mail import RUN_BYTES, Mail
from broadcaster.server.seat import Pace, Seat
from broadcaster.wire import FrameBuffer, Message, Piece
from tests.effects import apart

MEMBERS = ("ann", "bob", "eve")


def live(member: str) -> Seat:
    seat = Seat(member, Room("r", "e"), lambda: 0.0)
    seat.pace = Pace.LIVE
    return seat


def heard(data: bytes) -> list[Message | Piece]:
    connection = ClientConnection()
    connection.state = State.EDITS
    connection.receive_data(data)
    return list(iter(connection.next_message, None))


def frames(data: bytes) -> int:
    buffer = FrameBuffer()
    buffer.receive_data(data)
    return sum(1 for _ in iter(lambda: buffer.next_frame(1 << 30), None))


def effects(script: list[tuple[str, str]]) -> Iterator[Done | Send | Broadcast]:
    """What a room would say of these."""
    seqs, revision = dict.fromkeys(MEMBERS, 0), 0
    for member, what in script:
        if what != "news":
            seqs[member] += 1
        revision += what == "done"
        match what:
            case "done":
                yield Done(member, seqs[member], revision, [["cube", ["patch", {"x": ["put", revision]}]]])
            case "reject":
                yield Send(member, {"type": "reject", "seq": seqs[member], "reason": "expect", "detail": ""})
            case _:
                yield Broadcast({"type": "members", "joined": [], "left": [f"{revision}"]}, but=member)


@given(st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(["done"] * 4 + ["reject", "news", "deliver"]))))
def test_everybody_hears_what_it_would_hear_one_by_one(script: list[tuple[str, str]]) -> None:  # SERVER50
    said = [one for one in script if one[1] != "deliver"]
    expected: dict[str, list[Message]] = {member: [] for member in MEMBERS}
    for effect in apart(effects(said)):
        assert isinstance(effect, Send | Broadcast)
        for member in MEMBERS:
            if (member == effect.member) if isinstance(effect, Send) else (member != effect.but):
                expected[member].append(effect.message)
    seats = {member: live(member) for member in MEMBERS}
    mail, saying = Mail(seats, 0), effects(said)
    for _, what in script:
        match what if what == "deliver" else next(saying):
            case Done() as done:
                mail.done(done, 200)
            case Send(member, message):
                mail.answer(member, message)
            case Broadcast(message, but):
                mail.tell(message, but)
            case _:
                mail.deliver()
    mail.deliver()
    for member, seat in seats.items():
        assert heard(seat.take()) == expected[member]


def test_a_run_is_one_message_of_bounded_size() -> None:  # SERVER50
    ann, bob = live("ann"), live("bob")
    mail = Mail({"ann": ann, "bob": bob}, 0)
    for number in range(1, 101):
        mail.done(Done("ann", number, number, []), RUN_BYTES // 50)
    mail.done(Done("ann", 101, 101, []), RUN_BYTES + 1)
    mail.deliver()
    for seat in (ann, bob):
        data = seat.take()
        assert frames(data) == 3
        assert len(heard(data)) == 101
