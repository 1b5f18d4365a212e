"""What the pages for people promise: each promise names a test, and each test that is named is there."""

from __future__ import annotations

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("README.md", "docs/administrators.md")
NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


RULE: Final = re.compile(r"^- \*\*([A-Z]+[0-9]+)\*\* ", re.MULTILINE)
CITED: Final = re.compile(r"\b[A-Z]+[0-9]+\b")


def cited() -> Iterator[tuple[str, str]]:
    """What the comments of tests name that looks like a rule, with the file."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type == tokenize.COMMENT:
                    yield from ((rule, str(path.relative_to(ROOT))) for rule in CITED.findall(token.string))


def test_each_rule_has_a_number_of_its_own_and_a_test() -> None:  # DOCS3
    rules = RULE.findall((ROOT / "tests/SPEC.md").read_text())
    assert len(rules) > 400
    assert [rule for rule, times in Counter(rules).items() if times > 1] == []
    assert sorted(set(rules) - {rule for rule, _ in cited()}) == []


def test_each_rule_that_a_test_names_is_there() -> None:  # DOCS3
    rules = set(RULE.findall((ROOT / "tests/SPEC.md").read_text()))
    sections = {rule.rstrip("0123456789") for rule in rules}
    assert [one for one in cited() if one[0] not in rules and one[0].rstrip("0123456789") in sections] == []


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
