"""The check of the manual's pages finds what it is for; the slow test builds the manual."""

import subprocess
import sys
from pathlib import Path

import pytest
from scripts import scripts

ROOT = Path(__file__).parents[2]


def test_links_anchors_and_what_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top">a</h1><a href="b.html#there">1</a><a href="b.html#gone">2</a>'
        '<a href="c.html">3</a><a href="#top">4</a><a href="https://example.org">5</a>'
        '<script src="https://example.org/x.js"></script><img src="x.png">',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="there">b</p>', encoding="utf-8")
    with scripts(ROOT / "docs" / "extensions", ("built_pages",)) as modules:
        found = modules.built_pages.faults(tmp_path)
        empty = modules.built_pages.faults(tmp_path / "nothing")
    assert found == [
        "a.html: fetched: https://example.org/x.js",
        "a.html: no words for the picture x.png",
        "a.html: no such anchor: b.html#gone",
        "a.html: no such page: c.html",
    ]
    assert empty == [f"{tmp_path / 'nothing'}: no page"]


@pytest.mark.slow
def test_the_manual_is_built_without_a_warning(tmp_path: Path) -> None:
    for needed in ("sphinx", "myst_parser", "numpydoc", "furo"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "sphinx", "-E", "-W", "--keep-going", "-q"]
    built = subprocess.run(
        [*command, "-b", "html", "-d", str(tmp_path / "doctrees"), "docs", str(tmp_path / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    with scripts(ROOT / "docs" / "extensions", ("built_pages",)) as modules:
        assert modules.built_pages.faults(tmp_path / "html") == []
