"""A report in a real browser: on a phone, on a desk, by keyboard alone, and on paper.

Needs what `test_browser_chromium` needs, and is skipped without it. Pictures are left in
``BAYESDX_PICTURES`` where that names a folder.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from page_cases import node

import bayesdx
from bayesdx.reports.gathering import Thoroughness, gather
from bayesdx.reports.page import page

DRIVER = Path(__file__).parents[1] / "support" / "report_browser.mjs"
#: The case whose pictures are kept in benchmarks/gallery, and one that fires many rules.
SHOWN: dict[str, object] = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
    "age": "52",
    "sex": "female",
    "sitting_worse": "present",
}
PRESSING: dict[str, object] = {"saddle_numbness": "present", "fever": "present", "age": 71}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["one case", "two cases"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    modules = os.environ.get("BAYESDX_NODE_MODULES")
    if browser is None or modules is None:
        pytest.skip("Chromium or BAYESDX_NODE_MODULES is not there")
    engine, folder = bayesdx.load(), tmp_path_factory.mktemp("report")
    core, given = engine.core, {"Case": SHOWN, "Second": PRESSING}
    cases = list(given.items())[: 1 if request.param == "one case" else 2]
    reports = [
        gather(core, [(name, {}, core.read_case(case), case)], Thoroughness())[0]
        for name, case in cases
    ]
    (folder / "page.html").write_text(
        page(engine, reports, "Differential diagnosis"), encoding="utf-8"
    )
    pictures = os.environ.get("BAYESDX_PICTURES", str(folder))
    pictures = pictures if len(cases) == 1 else str(folder)
    ran = subprocess.run(
        [node(), DRIVER, folder / "page.html", browser, modules, pictures],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout) | {"cases": len(cases)}


def test_everybody_can_read_it(seen: dict[str, Any]) -> None:
    """WCAG 2.2 AA as far as axe can tell, shut and with everything unfolded; nothing is cut."""
    assert [one["width"] for one in seen["looks"]] == [320, 1200]
    for one in seen["looks"]:
        assert one["violations"] == [], one["width"]
        assert one["overflow"] <= 0


def test_everything_unfolds_by_keyboard(seen: dict[str, Any]) -> None:
    for one in seen["looks"]:
        assert one["opened"] == one["details"] > 5


def test_a_case_takes_three_pages_of_paper_at_most(seen: dict[str, Any]) -> None:
    contents = 0 if seen["cases"] == 1 else 1
    assert seen["pages"] <= contents + 3 * seen["cases"]
