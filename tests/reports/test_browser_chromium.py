"""The page in a real browser, opened from a file and used by keyboard alone.

Needs Chromium, and a folder with playwright-core and axe-core: ``npm install --prefix DIR
playwright-core axe-core``, then ``BAYESDX_NODE_MODULES=DIR/node_modules pytest -m slow`` with this
file. Without them it is skipped. Pictures of the page are left in ``BAYESDX_PICTURES`` where that
names a folder.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from page_cases import node

import bayesdx
from bayesdx.cli.interview_course import MOST
from bayesdx.presentation.words import percent
from bayesdx.reports.browser.writing import standalone_page

DRIVER = Path(__file__).parents[1] / "support" / "page_browser.mjs"
README = Path(__file__).parents[2] / "README.md"
WORDS = {"present": "Yes", "absent": "No"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def readme_case() -> dict[str, str]:
    found = re.search(r"diagnose\((\{.*?\})\)", README.read_text(encoding="utf-8"))
    assert found is not None
    case: dict[str, str] = json.loads(found[1])
    return case


@pytest.fixture(scope="module")
def seen(engine: bayesdx.Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    modules = os.environ.get("BAYESDX_NODE_MODULES")
    if browser is None or modules is None:
        pytest.skip("Chromium or BAYESDX_NODE_MODULES is not there")
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.html").write_text(standalone_page(engine), encoding="utf-8")
    findings = engine.knowledge.findings
    case = [[findings[name].label, WORDS[word]] for name, word in readme_case().items()]
    asked = {"case": case, "emergency": [[findings["saddle_numbness"].label, "Yes"]]}
    pictures = os.environ.get("BAYESDX_PICTURES", str(folder))
    ran = subprocess.run(
        [node(), DRIVER, folder / "page.html", browser, modules, json.dumps(asked), pictures],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_nothing_is_asked_for_stored_or_left_in_the_address(seen: dict[str, Any]) -> None:
    for one in (*seen["looks"], seen["readme"], seen["interview"]):
        (own,) = one["requests"]
        assert own.startswith("file:")
        assert one["url"] == own
        assert (one["stored"], one["cookies"], one["errors"]) == (0, "", [])


def test_everybody_can_use_it(seen: dict[str, Any]) -> None:
    """WCAG 2.2 as far as axe can tell, light and dark, on a phone and on a desk."""
    assert len(seen["looks"]) == 4
    for one in seen["looks"]:
        assert one["violations"] == [], (one["width"], one["scheme"])
        assert one["overflow"] <= 0


def test_an_emergency_is_told_beside_the_question(
    seen: dict[str, Any], engine: bayesdx.Engine
) -> None:
    (first, *_) = engine.diagnose({"saddle_numbness": "present"}).red_flags
    for one in seen["looks"]:
        assert "emergency" in one["urgency"]
        assert first.advice in one["notice"]


def test_it_shows_what_the_engine_answers(seen: dict[str, Any], engine: bayesdx.Engine) -> None:
    found = engine.diagnose(readme_case())
    rows = {cells[0]: cells[1:] for cells in seen["rows"] if len(cells) == 3}
    for _, row in found.table.iterrows():
        if row["posterior"] > 0.001:
            assert rows[row["label"]][-1] == percent(row["posterior"]).replace(" ", "\u00a0")
    assert seen["digest"] == engine.knowledge.digest
    assert seen["answersAfterBack"] == len(readme_case()) - 1


def test_a_question_that_was_answered_can_be_looked_at_and_answered_anew(
    seen: dict[str, Any], engine: bayesdx.Engine
) -> None:
    again = seen["again"]
    answered, sought, left = again["answered"], again["sought"], again["left"]
    assert answered["urgency"] == sought["urgency"] == left["urgency"] == "emergency"
    # To look at it takes nothing back, and Back leaves it.
    assert len(answered["answers"]) == 1
    assert answered["answers"] == sought["answers"] == left["answers"]
    assert left["card"] == answered["card"]
    # Every answer is offered again, and nothing is said of how much they tell.
    assert engine.knowledge.findings["saddle_numbness"].question in sought["card"]
    assert "YesNo" in sought["card"]
    assert "next to nothing" not in sought["card"]
    (one,) = again["corrected"]["answers"]
    assert one.endswith(": no")
    assert again["corrected"]["urgency"] == "routine"
    assert again["unknown"]["answers"] == []
    assert again["noted"]["errors"] == []


def test_a_whole_interview_by_keyboard(seen: dict[str, Any], engine: bayesdx.Engine) -> None:
    patient = engine.next_questions({"age": 41}, observed_by="patient").table["text"]
    first, second, third, *_ = seen["questions"]
    assert first == engine.next_questions({}).table.loc["age", "text"]
    assert second == engine.next_questions({}).table.loc["sex", "text"]
    assert third == "What is the main complaint?"
    # It ends by itself as `bayesdx ask` does; who keeps asking is asked everything.
    assert 0 < seen["limited"] <= MOST
    assert {*patient} <= {*seen["questions"]}
