"""What a notebook shows of a diagnosis."""

import json
import pickle

import pytest
from altered import altered

import bayesdx


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def test_a_diagnosis_shows_red_flags_before_causes(engine: bayesdx.Engine) -> None:
    d = engine.diagnose({"saddle_numbness": "present", "low_back_pain": "present"})
    html = d._repr_html_()
    assert html.index("Urgency: emergency") < html.index(d.table["label"].iloc[0])
    for hit in d.red_flags:
        assert (hit.outcome == "fired") == (hit.title in html)
        # "Within days" below "now" would blur what to do.
        assert (hit.outcome == "fired" and hit.level == d.urgency) == (hit.advice in html)
    assert "Nothing is ruled out" in html


def test_texts_are_escaped(engine: bayesdx.Engine) -> None:
    d = engine.diagnose({"low_back_pain": "present"})
    table = d.table.copy()
    table.loc[table.index[0], "label"] = "<script>x</script>"
    html = altered(d, table=table)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt;" in html


def test_what_a_row_does_not_have_is_blank(engine: bayesdx.Engine) -> None:
    found = engine.surprise({"fair_pos": "present", "bilateral": "absent"})
    assert found.table["background"].isna().any()
    html = found._repr_html_()
    assert ">nan<" not in html
    assert "></td>" in html


def test_an_impossible_case_shows_the_clash(engine: bayesdx.Engine) -> None:
    html = engine.diagnose({"sex": "male", "menstrual_cyclic": "present"})._repr_html_()
    assert "cannot occur together" in html
    assert "<table>" not in html


def test_a_copy_for_another_process_is_finished(engine: bayesdx.Engine) -> None:
    for case in (
        {"fever": "present", "age": 70},
        {},
        {"sex": "male", "menstrual_cyclic": "present"},
    ):
        d = engine.diagnose(case)
        sent = pickle.dumps(d)
        again = pickle.loads(sent)
        assert len(sent) < 200_000  # without the engine
        assert again.records() == d.records()
        assert again.table.equals(d.table)
        assert (again.red_flags, again.management) == (d.red_flags, d.management)
        assert "NaN" not in json.dumps(d.records())
