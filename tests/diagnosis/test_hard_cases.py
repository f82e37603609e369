"""Cases near the limits: what is shown of one is right, or the case is told to be too complex."""

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.synthetic import SampleOptions
from bayesdx.errors import TooComplex
from bayesdx.inference.noisy import query
from bayesdx.reports.gathering import Thoroughness, gather
from bayesdx.tables.drawn_cases import SampleTables


def drawn(engine: bayesdx.Engine, count: int) -> list[dict[str, object]]:
    """Cases of which much is told but no risk, some of it wrong."""
    options = SampleOptions(seed=5, asked=(0.22, 0.32), risks_asked=(0.0, 0.0), flip=0.03)
    known = {*engine.core.states, *engine.knowledge.measures}
    return [
        {name: cell for name, cell in row.items() if cell is not None and name in known}
        for table in SampleTables(engine, count, options).chunks()
        for row in table.to_pylist()
    ]


@pytest.fixture
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits at which a case may be answered and parts of its questions refused."""
    monkeypatch.setattr(query, "EASY_WORK", 1 << 13)
    monkeypatch.setattr(query, "MOST_WORK", 1 << 18)


@pytest.mark.usefixtures("little_work")
def test_all_of_an_answer_is_right_or_none_of_it_is_given() -> None:
    pytest.importorskip("numba")
    engine, judge = bayesdx.load(backend="compiled"), bayesdx.load(backend="compiled")
    cases = drawn(engine, 16)
    found = [engine.diagnose(case) for case in cases]
    statuses = [one.status for one in found]
    assert {*statuses} == {"ok", "too_complex"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "EASY_WORK", 1 << 31)
        patch.setattr(query, "MOST_WORK", 1 << 31)
        for case, one in zip(cases, found, strict=True):
            whole = judge.diagnose(case)
            assert one.urgency == whole.urgency or one.status == "too_complex"
            assert [flag.id for flag in one.red_flags] == [flag.id for flag in whole.red_flags]
            if one.status != "ok":
                continue
            columns = ["posterior", "explains", "plays_a_part"]
            right = whole.table.loc[one.table.index, columns]
            np.testing.assert_allclose(one.table[columns], right, rtol=0.0, atol=1e-11)
            groups = whole.groups.loc[one.groups.index, "posterior"]
            np.testing.assert_allclose(one.groups["posterior"], groups, rtol=0.0, atol=1e-11)


@pytest.mark.usefixtures("little_work")
def test_a_case_that_is_too_complex_is_not_explained_as_another() -> None:
    """Neither as an impossible one, nor with shares of what was not summed over."""
    pytest.importorskip("numba")
    engine = bayesdx.load(backend="compiled")
    cases = drawn(engine, 16)
    hard = next(case for case in cases if engine.diagnose(case).status == "too_complex")
    with pytest.raises(TooComplex, match=r"the case: .* too complex a case to explain"):
        engine.explain(hard, "gtps")
    easy: dict[str, object] = {"low_back_pain": "present", "age": "40_to_49"}
    told = engine.explain_many(pd.DataFrame([easy, hard]), "gtps").cases
    assert told["status"].tolist() == ["ok", "too_complex"]


@pytest.mark.usefixtures("little_work")
def test_a_report_of_a_case_that_nobody_can_explain_has_its_first_page() -> None:
    pytest.importorskip("numba")
    engine = bayesdx.load(backend="compiled")
    core = engine.core
    hard = next(case for case in drawn(engine, 16) if engine.diagnose(case).status == "too_complex")
    easy: dict[str, object] = {"low_back_pain": "present", "age": 44}
    named = [(name, {}, core.read_case(case), case) for name, case in (("a", hard), ("b", easy))]
    effort = Thoroughness(draws=2, every=True, references=199)
    first, second = gather(core, named, effort)
    assert first.brief.diagnosis.status == "too_complex"
    assert first.further is None
    assert second.further is not None
