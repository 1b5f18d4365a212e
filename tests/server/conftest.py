"""Async tests run in trio, on a clock that jumps whenever everything waits: no test sleeps, and none hangs."""

from __future__ import annotations

import inspect

import pytest
import trio
import trio.testing

TEST_SECONDS = 7200.0  # of the jumping clock


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}

    async def run() -> None:
        with trio.fail_after(TEST_SECONDS):
            await test(**arguments)

    try:
        trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    except BaseExceptionGroup as group:
        raise _first(group) from group  # what the test itself raised inside a nursery
    return True


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
