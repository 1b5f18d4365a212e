"""What the pages for people promise: each promise names a test, and each test that is named is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("README.md", "docs/administrators.md")
NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page: str) -> None:  # DOCS1
    named = NAMED.findall((ROOT / page).read_text())
    assert named
    for file, test in named:
        source = ast.parse((ROOT / file).read_text())
        functions = {one.name for one in source.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not test or test in functions, f"{page} names {file}::{test}"


def test_every_promise_to_administrators_names_its_test() -> None:  # DOCS2
    text = (ROOT / "docs/administrators.md").read_text()
    promises = re.findall(r"^- \*\*.*(?:\n  .*|\n(?=\n  ))*", text, re.MULTILINE)
    assert len(promises) > 20
    assert [one for one in promises if not any(test for _, test in NAMED.findall(one))] == []


def test_the_page_for_administrators_is_found() -> None:  # DOCS2
    assert "(docs/administrators.md)" in (ROOT / "README.md").read_text()
