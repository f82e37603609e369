"""`bayesdx score` on tables as they come: dirty, interrupted, in other shapes."""

import contextlib
import inspect
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_cases import case_table, write_cases
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.cli.progress import progress_shown
from bayesdx.cli.score import score as score_command
from bayesdx.cli.signals import ended_by_signals
from bayesdx.tables.execution.run_options import RUN_ROWS


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bayesdx.Engine:
    return bayesdx.load(write_priors(tmp_path_factory.mktemp("priors"), SMALL), backend="numpy")


@pytest.fixture
def score(run, small: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(bayesdx, "load", lambda _=None, **__: small)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run("score", *arguments)


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    path = tmp_path / "dirty.csv"
    path.write_text(case_table([number % 3 != 1 for number in range(30)]))
    return path


def test_defaults_are_those_of_the_library() -> None:
    # Written twice, because no other command shall wait for the library of runs.
    assert inspect.signature(score_command).parameters["chunk_rows"].default == RUN_ROWS


def test_top_means_long(score, tmp_path: Path) -> None:
    write_cases(tmp_path / "c.csv", 10)
    assert score("c.csv", "-o", "o.csv", "--top", "1").code == 0
    frame = pd.read_csv(tmp_path / "o.csv")
    assert list(frame.columns)[:5] == ["case_id", "cause", "prior", "posterior", "rank"]
    assert len(frame) == 20
    ran = score("c.csv", "-o", "o.csv", "--top", "1", "--shape", "wide")
    assert ran.code == 2
    assert "expected long, where top or threshold choose lines, got 'wide'" in ran.err


def test_causes_by_name(score, tmp_path: Path) -> None:
    write_cases(tmp_path / "c.csv", 10)
    assert score("c.csv", "-o", "o.csv", "--causes", "strain, bowel").code == 0
    assert list(pd.read_csv(tmp_path / "o.csv").columns)[:4] == [
        *("case_id", "strain", "bowel", "unexplained")
    ]
    ran = score("c.csv", "-o", "o.csv", "--causes", "strian")
    assert ran.code == 2
    assert "Nearest: strain" in ran.err


def test_stop_tells_faults_and_their_number(score, dirty: Path, tmp_path: Path) -> None:
    bad = case_table([False] * 30)
    dirty.write_text(bad)
    ran = score("dirty.csv", "-o", "o.csv")
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert len(lines) == 20
    assert lines[-1].endswith("faults in 30 of 30 records; the first 19 are listed.")
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(("on_error", "code"), [("skip", 0), ("report", 1)])
def test_rows_in_are_rows_out_and_rejected(
    score, dirty: Path, tmp_path: Path, on_error: str, code: int
) -> None:
    ran = score("dirty.csv", "-o", "o.csv", "--on-error", on_error, "--chunk-rows", "7", "--quiet")
    assert ran.code == code
    lines = ran.err.splitlines()
    assert lines[0].startswith("bayesdx: 20 cases (")
    assert lines[1].startswith("bayesdx: 30 rows read, 10 rejected: ")
    assert lines[1].endswith("o.csv.rejected.csv")
    assert len(lines) == 2 + (on_error == "report") * len(
        (tmp_path / "o.csv.rejected.csv").read_text().splitlines()[1:]
    )
    assert len(pd.read_csv(tmp_path / "o.csv")) == 20


def test_dry_run(score, dirty: Path, tmp_path: Path) -> None:
    ran = score("dirty.csv", "--dry-run", "--on-error", "skip")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == ("bayesdx: 30 rows checked, 10 with faults; nothing was scored or written\n")
    assert score("dirty.csv", "--dry-run").code == 2
    assert [one.name for one in tmp_path.iterdir()] == ["dirty.csv"]


def test_summary_tells_what_was_found_and_how_long_it_took(score, tmp_path: Path) -> None:
    write_cases(tmp_path / "c.csv", 40)
    said = score("c.csv", "-o", "o.csv").err
    assert said.startswith("bayesdx: 40 cases (")
    for part in ("urgency: ", "red flags: ", "rows/s", "% reading", "% scoring", "% writing"):
        assert part in said
    assert "audit: " in said
    assert "safe" not in said
    assert "ruled out" not in said


def test_standard_input_is_counted_and_audited(
    score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = case_table([True] * 9).encode()
    (tmp_path / "c.csv").write_bytes(data)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert score("-", "-o", "piped.csv").code == 0
    assert score("c.csv", "-o", "named.csv").code == 0
    assert (tmp_path / "piped.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
    audits = [
        json.loads((tmp_path / f"{name}.csv.audit.json").read_text()) for name in ("piped", "named")
    ]
    assert audits[0]["input"]["digest"] == audits[1]["input"]["digest"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    ran = score("-", "-o", "piped.csv", "--resume")
    assert ran.code == 2
    assert "resume: expected an input that can be read again" in ran.err


@pytest.fixture
def heeded_interrupts():
    """Ctrl-C as a terminal has it, where the tests themselves run with SIGINT ignored (nohup)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_says_how_to_go_on(
    score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal_: signal.Signals, code: int
) -> None:
    from bayesdx.tables.execution.part_store import AppendedParts as Parts

    write_cases(tmp_path / "c.csv", 40)
    add, before = Parts.add, signal.getsignal(signal.SIGTERM)

    def then_end(parts: Parts, *arguments: object) -> None:
        add(parts, *arguments)  # type: ignore[arg-type]
        if len(parts.finished) == 2:
            signal.raise_signal(signal_)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "add", then_end)
        ran = score("c.csv", "-o", "o.csv", "--chunk-rows", "7")
    assert ran.code == code
    assert "bayesdx: 14 records are finished and kept in " in ran.err
    assert "--resume goes on from there.\n" in ran.err
    assert signal.getsignal(signal.SIGTERM) == before
    ran = score("c.csv", "-o", "o.csv", "--chunk-rows", "7", "--resume")
    assert ran.code == 0
    assert "14 rows were finished by an interrupted run" in ran.err


INTERRUPTED_RUN = """
import os, signal, sys, threading, time
from pathlib import Path
from bayesdx.cli import main
from bayesdx.tables.execution.chunk_job import ChunkJob
number, answer = int(sys.argv.pop(1)), ChunkJob.__call__
def slow(job, chunk):
    return time.sleep(600) if chunk.first else answer(job, chunk)
def interrupt():
    begun = noted if sys.argv[2] == "c.csv" else reading
    while not begun():
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(os.getpid(), number)
def noted():
    journal = Path("o.csv.parts/journal.jsonl")
    return journal.exists() and journal.read_bytes().endswith(b"\\n")
def reading():
    return any(one.name.startswith("reading") for one in threading.enumerate())
ChunkJob.__call__ = slow
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=interrupt, daemon=True).start()
main()
"""


@pytest.mark.parametrize(
    ("number", "cases", "told"),
    [
        (signal.SIGINT, "c.csv", "7 records are finished and kept in"),
        (signal.SIGTERM, "c.csv", "7 records are finished and kept in"),
        (signal.SIGTERM, "-", "standard input cannot be read again"),
    ],
)
def test_interrupted_run_waits_for_nothing(
    tmp_path: Path, number: signal.Signals, cases: str, told: str
) -> None:
    """Neither for rows that take ten minutes nor for a pipe that is silent."""
    write_cases(tmp_path / "c.csv", 40)
    priors = str(write_priors(tmp_path / "priors", SMALL))
    command = [sys.executable, "-c", INTERRUPTED_RUN, str(int(number))]
    rows = "7" if cases == "c.csv" else "1000000"
    command += ["score", cases, "-o", "o.csv", "--chunk-rows", rows, "-p", priors]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, cwd=tmp_path, text=True) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        if cases == "-":
            # It reads a mebibyte at a time: the header with the first, then in a thread.
            running.stdin.write(case_table([True] * 100) + "c,,,,,,,\n" * (1 << 17))
            running.stdin.flush()
        said = running.stderr.read()
        code = running.wait(60)
    assert code == {2: 130, 15: 143}[number]
    assert told in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("heeded_interrupts")
def test_signal_that_a_library_swallowed_is_raised_again() -> None:
    for number, kind in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
        with ended_by_signals() as end:
            end()
            with contextlib.suppress(kind):
                signal.raise_signal(number)
            with pytest.raises(kind, match=r"^(143)?$"):
                end()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_progress_is_for_people_only(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with progress_shown("scoring", quiet=False) as tell:
        assert tell is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_shown("scoring", quiet=True) as tell:
        assert tell is None
    monkeypatch.setenv("COLUMNS", "100")
    with progress_shown("scoring", quiet=False) as tell:
        assert tell is not None
        tell(1000, 0.1)
        tell(51_000, 0.5)
    said = capsys.readouterr()
    assert said.out == ""
    assert "scoring" in said.err
    assert "51,000 rows" in said.err


def test_verify(score, run, tmp_path: Path) -> None:
    write_cases(tmp_path / "c.csv", 40)
    score("c.csv", "-o", "o.csv")
    ran = run("verify", "o.csv", "--sample", "10", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    assert "o.csv: 10 of 40 cases scored again (seed 3); all as written, to 1e-12" in ran.out
    text = (tmp_path / "o.csv").read_text()
    (tmp_path / "o.csv").write_text(text.replace('"ok"', '"impossible"'))
    ran = run("verify", "o.csv")
    assert ran.code == 1
    assert "different: output changed: o.csv is not what was written" in ran.out
    assert "not as written" in ran.out
    ran = run("verify", "c.csv")
    assert ran.code == 2
    assert "expected the audit of an output, got none." in ran.err
