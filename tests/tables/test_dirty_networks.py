"""Dirty networks and dirty tables on them: told with place and cure, never misread."""

from pathlib import Path

import dirty_networks
import pytest


@pytest.fixture(scope="module")
def page() -> str:
    return dirty_networks.page()


def test_the_page_is_current(page: str) -> None:
    """To renew it: python tests/support/dirty_networks.py (with engine/ on the path)."""
    assert page == Path(__file__).with_name("dirty-networks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("about", "outcome"),
    [
        ("as it should be", "1 answered"),
        ("blanks around everything", "1 answered"),
        ("another case", "1 answered"),
        ("reserved columns", "1 answered"),
        ("words for not known", "6 answered"),
        ("what may mean absent or not known", "1 answered, 2 rejected"),
        ("a state that is none", "1 answered, 1 rejected"),
        ("a number for a state", "1 answered, 1 rejected"),
        ("soft evidence in a cell", "1 answered, 1 rejected"),
        ("a column that is no variable", "refused"),
        ("one variable twice", "refused"),
        ("too few cells", "1 answered, 1 rejected"),
        ("JSON lines", "3 answered, 1 rejected"),
        ("a semicolon is missing", "refused"),
        ("a row sums to 1 + 1e-7", "read, 2 variables"),
        ("a row sums to 1.01", "refused"),
        ("a cycle", "refused"),
        ("an empty state", "refused"),
        ("Latin-1", "refused"),
        ("gzip", "read, 2 variables"),
        ("gzip, broken off", "refused"),
    ],
)
def test_what_becomes_of_it(page: str, about: str, outcome: str) -> None:
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith(f"| {about} | ")]
    assert outcome in [row[2].rstrip(" |") for row in rows]
