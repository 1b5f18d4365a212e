"""How often which datablock is looked at."""

from __future__ import annotations

from mixer.sweep import Round


def taken(one: Round, now: float) -> list[str]:
    one.count(now)
    return list(iter(one.take, None))


def test_a_round_is_spread_over_its_time() -> None:  # SWEEP4
    one = Round(10.0)
    assert one.is_over(100.0)
    one.begin([str(place) for place in range(100)], 100.0)
    parts = [taken(one, 100.0 + second) for second in range(11)]
    assert [len(part) for part in parts] == [0] + [10] * 10
    assert {name for part in parts for name in part} == {str(place) for place in range(100)}
    assert one.is_over(110.0)


def test_what_could_not_be_taken_in_time_is_taken_later() -> None:  # SWEEP4
    one = Round(10.0)
    one.begin(["a", "b", "c"], 0.0)
    one.count(60.0)
    assert one.take() is not None
    assert not one.is_over(60.0)
    assert len(taken(one, 60.0)) == 2
    assert one.is_over(60.0)


def test_a_short_round_does_not_begin_again_at_once() -> None:  # SWEEP4
    one = Round(10.0)
    one.begin([], 0.0)
    assert not one.is_over(9.0)
    assert one.is_over(10.0)
