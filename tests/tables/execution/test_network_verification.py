"""Outputs of `bayesdx network` verified: nothing where nothing changed, and each thing that did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from example_networks import example_text

from bayesdx.cli import main
from bayesdx.diagnosis.core import Core
from bayesdx.errors import InvalidCase
from bayesdx.formats.draft import InexactNetworkWarning
from bayesdx.tables.execution.verification import verify_output

TABLE = "case_id,smoke,xray,ward\na,yes,,1\nb,no,yes,2\nc,,no,3\nd,oui,,4\ne,yes,yes,5\n"
WAYS: dict[str, tuple[str, ...]] = {
    "posteriors": (),
    "targets": ("-t", "lung", "-t", "bronc"),
    "explanations": ("--mpe",),
    "several explanations": ("--mpe", "--k", "2"),
    "kept columns": ("--keep", "ward", "--chunk-rows", "2"),
}
FORMATS = ("out.csv", "out.csv.gz", "out.jsonl", "out.parquet")
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Answer the table, and return where the answers are."""

    def write(*options: str, name: str = "out.csv") -> Path:
        net, table, out = tmp_path / "asia.bif", tmp_path / "cases.csv", tmp_path / name
        net.write_text(example_text("asia"))
        table.write_text(TABLE)
        more = () if "--keep" in options else ("--ignore", "ward")
        said = ("--cases", str(table), "-o", str(out), "--quiet", "--on-error", "skip")
        code = main(["network", str(net), *said, *options, *more])
        assert code == 0
        return out

    return write


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FORMATS)
def test_what_nobody_changed_is_as_written(written: Written, way: str, name: str) -> None:
    out = written(*WAYS[way], name=name)
    for sample in (None, 2):
        found = verify_output(None, out, sample=sample, seed=3)
        assert found.differences == ()
        assert (found.compared, found.scored) == (sample or 4, 4)


def test_what_one_audit_lacks_is_not_asked_of_the_next(written: Written, tmp_path: Path) -> None:
    """One of the first format, read before, says nothing of the others."""
    old = tmp_path / "old.csv"
    old.write_text("case_id\n")
    (tmp_path / "old.csv.audit.json").write_text('{"format": 1}')
    with pytest.raises(InvalidCase, match=r"a damaged one: knowledge\.digest"):
        verify_output(None, old)
    assert verify_output(None, written()).differences == ()


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_cell_is_found(written: Written, way: str) -> None:
    out = written(*WAYS[way])
    lines = out.read_text().splitlines()
    cells = lines[1].split(",")
    cells[-2] = "-0.5"
    out.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    told = verify_output(None, out, sample=None).differences
    assert told[0] == f"output changed: {out} is not what was written"
    name = lines[0].split(",")[-2].strip('"')
    assert told[1].startswith(f"values changed: case a, {name}: ")
    assert "-0.5" in told[1]


def test_a_changed_network_input_or_reject_is_found(written: Written, tmp_path: Path) -> None:
    out = written()
    net = tmp_path / "asia.bif"
    whole = net.read_text()
    assert "0.01" in whole
    net.write_text(whole.replace("0.01,", "0.02,").replace("0.99", "0.98"))
    told = verify_output(None, out).differences
    assert told[0].startswith("network changed: digest ")
    assert any("values changed: case a" in one for one in told)
    net.write_text(whole)
    rejects = Path(f"{out}.rejected.csv")
    rejects.write_text("")
    (told_of_rejects,) = verify_output(None, out).differences
    assert told_of_rejects.startswith("rejected records changed")


def test_a_network_that_moved_is_named(written: Written, tmp_path: Path) -> None:
    out = written()
    moved = (tmp_path / "asia.bif").rename(tmp_path / "other.bif")
    with pytest.raises(InvalidCase, match="or --network with its new name, got no such file"):
        verify_output(None, out)
    assert verify_output(moved, out).differences == ()


def test_how_the_network_was_read_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, table, out = tmp_path / "n.net", tmp_path / "t.csv", tmp_path / "o.csv"
    text = 'net{} node A { label = "caf\xe9"; states = ("no" "yes"); } potential ( A )'
    net.write_bytes((text + " { data = (30 70); }").encode("latin-1"))
    table.write_text('A\n""\nyes\n')
    options = ("--normalise", "--encoding", "latin-1", "--quiet")
    assert main(["network", str(net), "-c", str(table), "-o", str(out), *options]) == 0
    assert "divided by their sums" in capsys.readouterr().err
    with pytest.warns(InexactNetworkWarning, match="divided by their sums"):
        assert verify_output(None, out, sample=None).differences == ()


def test_the_other_kind_of_audit_is_told(core: Core, written: Written, tmp_path: Path) -> None:
    out = written()
    with pytest.raises(InvalidCase, match="got that of bayesdx network"):
        verify_output(core, out)
    path = Path(f"{out}.audit.json")
    told = json.loads(path.read_text())
    del told["knowledge"]["path"]
    path.write_text(json.dumps(told))
    with pytest.raises(InvalidCase, match=r"got a damaged one: knowledge\.path"):
        verify_output(None, out)


def test_the_command(written: Written, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = written()
    capfd.readouterr()
    assert main(["verify", str(out), "--all"]) == 0
    assert "4 of 4 cases scored again" in " ".join(capfd.readouterr().out.split())
    moved = (tmp_path / "asia.bif").rename(tmp_path / "other.bif")
    assert main(["verify", str(out)]) == 2
    assert "--network with its new name" in " ".join(capfd.readouterr().err.split())
    assert main(["verify", str(out), "--network", str(moved)]) == 0
    moved.write_text(moved.read_text().replace("0.01,", "0.02,").replace("0.99", "0.98"))
    assert main(["verify", str(out), "--network", str(moved)]) == 1
    assert "different: network changed" in capfd.readouterr().out
