"""What may be said when: both sides of a connection without a network."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import protocol, wire
from broadcaster.errors import LocalProtocolError, Refused, RemoteProtocolError
from broadcaster.limits import DEFAULTS
from broadcaster.protocol import (
    CLIENT_FIELDS,
    FROM_CLIENT,
    FROM_SERVER,
    SERVER_FIELDS,
    ClientConnection,
    ServerConnection,
    State,
    member_id,
    new_secret,
)
from broadcaster.wire import Message

CAN = list(protocol.CAPABILITIES)
HELLO: Message = {"type": "hello", "protocol": protocol.PROTOCOL, "agent": "test", "capabilities": CAN}
JOIN: Message = {"type": "join", "room": "r", "name": "Ann", "secret": "s" * 43}
ATTACH: Message = {"type": "attach", "room": "r", "secret": "s" * 43}
TX: Message = {"type": "tx", "seq": 1, "base": 0, "deltas": []}


def hear(connection: ServerConnection | ClientConnection) -> Any:
    return connection.next_message()


def say(connection: ServerConnection | ClientConnection, *messages: Message) -> list[Any]:
    for message in messages:
        connection.receive_data(wire.encode(message))
    return list(iter(connection.next_message, None))


def test_a_greeting_that_fits_opens_the_lobby_on_both_sides() -> None:  # PROTO1
    client, server = ClientConnection(), ServerConnection()
    server.receive_data(client.hello("mixer 1"))
    assert hear(server)["agent"] == "mixer 1"
    client.receive_data(server.welcome("broadcaster 1"))
    assert hear(client)["agent"] == "broadcaster 1"
    assert client.state is server.state is State.LOBBY


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"protocol": protocol.PROTOCOL + 1}, "speaks protocol 2, this side 1: update this side"),
        ({"protocol": 0}, "speaks protocol 0, this side 1: update the program that joins"),
        ({"capabilities": ["blobs-1"]}, "cannot do document-1"),
        ({"capabilities": [7, None]}, "cannot do blobs-1, document-1"),
    ],
)
def test_a_greeting_that_does_not_fit_is_refused_in_one_sentence(change: Message, why: str) -> None:  # PROTO2
    with pytest.raises(Refused, match=why):
        say(ServerConnection(), HELLO | change)
    client = ClientConnection()
    with pytest.raises(Refused):
        say(client, {**HELLO, "type": "welcome"} | change)


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([JOIN], "'join' is not allowed before the greeting"),
        ([HELLO, HELLO], "'hello' is not allowed before joining"),
        ([HELLO, TX], "'tx' is not allowed before joining"),
        ([HELLO, JOIN, JOIN], "'join' is not allowed in a room"),
        ([HELLO, JOIN, {"type": "get", "shas": []}], "not allowed in a room"),
        ([HELLO, ATTACH, TX], "not allowed on a blob connection"),
        ([HELLO, {"type": "dance"}], "unknown message 'dance'"),
        ([HELLO, {"type": "welcome"}], "unknown message 'welcome'"),
    ],
)
def test_what_is_said_at_the_wrong_time_ends_the_connection(messages: list[Message], why: str) -> None:  # PROTO3
    server = ServerConnection()
    with pytest.raises(RemoteProtocolError, match=why):
        say(server, *messages)
    assert server.state is State.CLOSED
    assert say(server, HELLO) == []  # nothing more comes out


@pytest.mark.parametrize(
    "message",
    [
        TX | {"seq": "1"},
        TX | {"seq": True},
        TX | {"base": None},
        TX | {"deltas": {}},
        TX | {"expect": []},
        TX | {"expect": {"a": "1"}},
        TX | {"extra": 1},
        {"type": "tx"},
        {"type": "presence", "state": []},
        {"type": "lease", "op": "acquire"},
        {"type": "lease", "op": "acquire", "key": "k", "seconds": "long"},
        {"type": "ping", "id": 1.5},
    ],
)
def test_fields_that_are_wrong_missing_or_unknown_are_refused(message: Message) -> None:  # PROTO4
    with pytest.raises(RemoteProtocolError, match="malformed"):
        say(ServerConnection(), HELLO, JOIN, message)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"room": ""}, "name of a room"),
        ({"room": " r"}, "name of a room"),
        ({"room": "a\nb"}, "name of a room"),
        ({"name": "x" * 65}, "name of a member"),
        ({"secret": "short"}, "secret"),
    ],
)
def test_a_join_with_an_unusable_name_or_secret_is_refused(change: Message, why: str) -> None:  # PROTO5
    with pytest.raises(Refused, match=why):
        say(ServerConnection(), HELLO, JOIN | change)


@pytest.mark.parametrize("change", [{"create": "maybe"}, {"create": 1}, {"color": "red"}, {"role": 3}])
def test_a_join_with_malformed_options_is_refused(change: Message) -> None:  # PROTO5
    with pytest.raises(RemoteProtocolError, match="malformed 'join'"):
        say(ServerConnection(), HELLO, JOIN | change)


def test_nobody_sends_much_before_joining() -> None:  # PROTO6
    server = ServerConnection()
    server.receive_data((DEFAULTS.greeting_bytes + 1).to_bytes(4, "big") + b"\0")
    with pytest.raises(RemoteProtocolError, match="longer than"):
        server.next_message()


LONG = "x" * 20_000


@pytest.mark.parametrize(
    "message", [{"type": "presence", "state": {"a": LONG}}, {"type": "lease", "op": LONG, "key": ""}]
)
def test_small_messages_stay_small(message: Message) -> None:  # PROTO6
    with pytest.raises(RemoteProtocolError, match="too long"):
        say(ServerConnection(), HELLO, JOIN, message)


def test_presence_is_not_nested_deeply() -> None:  # PROTO7
    state: Any = 1
    for _ in range(200):
        state = [state]
    with pytest.raises(RemoteProtocolError, match="nested deeper"):
        say(ServerConnection(), HELLO, JOIN, {"type": "presence", "state": {"a": state}})


@pytest.mark.parametrize("shas", [["x"], [1], ["A" * 64], ["0" * 64] * (wire.MAX_SHAS + 1)])
def test_names_of_blobs_are_checked(shas: list[Any]) -> None:  # PROTO8
    with pytest.raises(RemoteProtocolError):
        say(ServerConnection(), HELLO, ATTACH, {"type": "get", "shas": shas})


def test_an_error_ends_the_client_with_the_reason() -> None:  # PROTO9
    client = ClientConnection()
    client.receive_data(protocol.error("there is no room 'r'"))
    with pytest.raises(Refused, match="there is no room 'r'") as caught:
        client.next_message()
    assert not caught.value.retry
    assert client.state is State.CLOSED


def in_a_room() -> ClientConnection:
    client = ClientConnection()
    client.state = State.EDITS
    return client


def test_what_came_in_one_message_comes_out_one_by_one() -> None:  # PROTO14
    news: Message = {"type": "tx", "revision": 7, "member": "ann", "deltas": [1]}
    acks: Message = {"type": "ack", "seq": 3, "revision": 10}
    assert say(in_a_room(), news | {"more": [[2], [3]]}, acks | {"more": 1}, news | {"revision": 12}) == [
        news,
        news | {"revision": 8, "deltas": [2]},
        news | {"revision": 9, "deltas": [3]},
        acks,
        acks | {"seq": 4, "revision": 11},
        news | {"revision": 12},
    ]


@pytest.mark.parametrize("more", [[1], [[2], {}], 0, -1, wire.MAX_IN_FLIGHT, True, "x", {}])
@pytest.mark.parametrize("kind", ["tx", "ack"])
def test_what_makes_no_sense_as_more_is_refused(kind: str, more: Any) -> None:  # PROTO14
    message: Message = {"tx": {"member": "ann", "deltas": []}, "ack": {"seq": 1}}[kind]
    with pytest.raises(RemoteProtocolError, match=f"malformed '{kind}' message"):
        say(in_a_room(), {"type": kind, "revision": 1, "more": more} | message)


def test_our_own_misuse_is_told_apart_and_sends_nothing() -> None:  # PROTO10
    client = ClientConnection()
    with pytest.raises(LocalProtocolError, match="'tx' cannot be sent before the greeting"):
        client.send(TX)


def test_the_tables_name_the_same_messages() -> None:  # PROTO11
    for transitions, fields in ((FROM_CLIENT, CLIENT_FIELDS), (FROM_SERVER, SERVER_FIELDS)):
        assert transitions.keys() == set(State)
        assert {kind for row in transitions.values() for kind in row} == fields.keys() | {"piece"}
    assert FROM_CLIENT[State.CLOSED] == FROM_SERVER[State.CLOSED] == {}


def test_a_member_is_known_by_what_only_it_can_make() -> None:  # PROTO12
    secret = new_secret()
    assert member_id(secret) == member_id(secret) != member_id(new_secret())
    assert len(member_id(secret)) == 22
    assert secret not in member_id(secret)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)


FIELDS = st.sampled_from(["room", "name", "secret", "seq", "base", "deltas", "expect", "state", "shas"])


@given(st.sampled_from(sorted(CLIENT_FIELDS)), st.dictionaries(FIELDS, JSON))
def test_no_message_makes_the_server_side_fail(kind: str, fields: Message) -> None:  # PROTO13
    for opening in ([], [HELLO], [HELLO, JOIN], [HELLO, ATTACH]):
        with suppress(RemoteProtocolError, Refused):
            say(ServerConnection(), *opening, fields | {"type": kind})
