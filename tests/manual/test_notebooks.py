"""The notebooks of the manual run from top to bottom, and are kept without output."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def cells(name: str) -> list[dict[str, Any]]:
    found = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert found["nbformat"] == 4
    return [cell for cell in found["cells"] if cell["cell_type"] == "code"]


def test_there_are_three() -> None:
    assert NOTEBOOKS == ["batch_scoring.ipynb", "intervals.ipynb", "posterior_tables.ipynb"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_output_is_kept_and_each_says_what_it_is_not(name: str) -> None:
    assert [one for one in cells(name) if one["outputs"] or one["execution_count"]] == []
    assert "not a medical device" in (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        one if one.startswith("batch") else pytest.param(one, marks=pytest.mark.slow)
        for one in NOTEBOOKS
    ],
)
def test_cells_run_in_order(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("intervals"):
        pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells(name)):
        exec(compile("".join(cell["source"]), f"{name}[{number}]", "exec"), names)
    if name.startswith("intervals"):
        from matplotlib import pyplot as plt

        plt.close("all")
    assert "engine" in names
