"""Dirty input: told with its place, left out, and never misread."""

from pathlib import Path

import pytest
from dirty_files import ALL
from dirty_inputs import READ, REJECTED, Dirty
from dirty_report import report
from dirty_runs import run_input, write_input
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import Core, build_core
from bayesdx.knowledge.reading import read_knowledge


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return build_core(read_knowledge(write_priors(tmp_path_factory.mktemp("priors"), SMALL)))


@pytest.mark.parametrize("dirty", ALL, ids=lambda dirty: dirty.about)
def test_dirty_input(
    dirty: Dirty, core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_input(dirty.data, dirty.file)
    found = run_input(dirty.file, dirty.fmt, core, table=dirty.table)
    assert found.outcome == dirty.outcome, found.told
    assert found.rows == list(dirty.rows)
    assert len(found.told) == len(dirty.told), found.told
    for text, part in zip(found.told, dirty.told, strict=True):
        assert part in text
        assert dirty.file in text or text.startswith(("column:", "format:", "id:", "keep:"))
    if dirty.outcome in (READ, REJECTED):
        assert found.records == len(found.rows) + len(found.bad)


def test_there_are_many_kinds_and_each_is_told_once() -> None:
    assert len(ALL) >= 100
    assert len({dirty.about for dirty in ALL}) == len(ALL)


def test_the_table_is_current(core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To renew it: python tests/support/dirty_report.py (with engine/ on the path)."""
    monkeypatch.chdir(tmp_path)
    written = Path(__file__).with_name("dirty-input.md").read_text(encoding="utf-8")
    assert report(core) == written
