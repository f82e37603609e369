"""However a command ends, it ends with a code and a line, never with a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bayesdx.cli import MOST_FAULTS
from bayesdx.errors import Fault, InvalidCase
from bayesdx.presentation.words import percent

COMMAND = (sys.executable, "-m", "bayesdx")


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("diagnose", "--nonsense"), ("score",), ("diagnose", "x", "--top", "no")],
)
def test_wrong_usage_is_bad_input(run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    assert ran.err


def test_interrupt(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bayesdx.cli.diagnose.read_findings", interrupt)
    ran = run("diagnose", "fever")
    assert (ran.code, ran.out, ran.err) == (130, "", "\nbayesdx: interrupted.\n")


def test_fault_of_its_own(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("bayesdx.cli.diagnose.read_findings", fail)
    monkeypatch.delenv("BAYESDX_TRACEBACK", raising=False)
    ran = run("diagnose", "fever")
    assert (ran.code, ran.out) == (70, "")
    assert ran.err.startswith("bayesdx: internal error: ZeroDivisionError: x\n")
    monkeypatch.setenv("BAYESDX_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError, match="x"):
        run("diagnose", "fever")


def test_system_fault_is_bad_input(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "priors")

    monkeypatch.setattr("bayesdx.cli.diagnose.read_findings", fail)
    ran = run("diagnose", "fever")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "bayesdx: priors: expected permission to open it, got Permission denied.\n"


CLOSED = ["score -", "report - -o r.html", "compare -", "diagnose", "drift priors - --time t"]


@pytest.mark.parametrize("command", CLOSED)
def test_standard_input_that_is_closed_is_empty(
    run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    (tmp_path / "priors").symlink_to(Path(__file__).parents[2] / "priors")
    ran = run(*command.split())
    assert (ran.code, ran.out) == (2, "")
    told = "none, and no terminal to ask on" if command == "diagnose" else "got an empty file"
    assert told in ran.err


@pytest.mark.parametrize(
    "command", ["list risks", "list risks --json", "network n.bif", "--version", "--help"]
)
def test_nothing_is_printed_to_nowhere(
    run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.bif").write_text(
        "variable a { type discrete [ 2 ] { n, y }; } probability ( a ) { table 0.5, 0.5; }"
    )
    monkeypatch.setattr("sys.stdout", None)
    ran = run(*command.split())
    assert ran.code == 2
    assert ran.err == "bayesdx: standard output: expected a place to write to, got none.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("what", ["risks", "findings"])
def test_a_full_disk_is_told_in_words(unbuffered: str, what: str) -> None:
    # One list fits a buffer and is written at the end, the other does not.
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            (*COMMAND, "list", what),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
        )
    assert ran.returncode == 2
    told = "bayesdx: output: expected a place to write to, got No space left on device.\n"
    assert ran.stderr == told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_remarks_that_cannot_be_written_change_no_exit_code(
    tmp_path: Path, unbuffered: str
) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,fever\na,yes\n")
    for arguments, code in (
        (("score", str(cases), "-o", str(tmp_path / "o.csv")), 0),
        (("show", "risk", "nowhere"), 2),
    ):
        with Path("/dev/full").open("wb") as full:
            ran = subprocess.run((*COMMAND, *arguments), stderr=full, check=False, env=environment)
        assert ran.returncode == code, arguments
    assert (tmp_path / "o.csv.audit.json").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_names_the_file(run, tmp_path: Path) -> None:
    link = tmp_path / "full.xdsl"
    link.symlink_to("/dev/full")
    ran = run("network", "export", "examples/headache", "-o", str(link))
    assert ran.code == 2
    assert "full.xdsl" in ran.err
    assert "No space left on device" in ran.err


def test_what_cannot_be_opened_is_told_in_words(run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    ran = run("diagnose", "fever", "--setting", str(tmp_path / "wherever.toml"))
    assert ran.code == 2
    assert ran.err.endswith("wherever.toml: expected a file, got no such file.\n")
    ran = run("examples", str(file))
    assert (ran.code, ran.err) == (2, f"bayesdx: {file}: expected a folder, got a file.\n")


def test_where_nothing_can_be_written_is_said_before_the_work(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("worked before looking")

    for place in ("bayesdx.load", "bayesdx.cli.network_files.read_knowledge"):
        monkeypatch.setattr(place, work)
    monkeypatch.setattr("bayesdx.cli.network_learning.learned_network", work)
    chain, rows = tmp_path / "n.bif", tmp_path / "rows.csv"
    chain.write_text(
        "network n { }\nvariable A { type discrete [ 2 ] { t, f-x }; }\n"
        "probability ( A ) { table 0.3, 0.7; }\n",
        encoding="utf-8",
    )
    rows.write_text("A\nt\n", encoding="utf-8")
    nowhere, learn = tmp_path / "no" / "such", ("network", "learn", str(chain), str(rows), "-o")
    for arguments in (
        ("report", "-f", "fever", "-o", f"{nowhere}.html"),
        ("page", "-o", f"{nowhere}.html"),
        ("network", "export", "-o", f"{nowhere}.xdsl"),
        (*learn, f"{nowhere}.bif"),
        ("network", "convert", str(chain), f"{nowhere}.bif"),
    ):
        ran = run(*arguments)
        assert ran.code == 2
        # Long places are cut.
        assert f"there is no folder {tmp_path}"[:90] in ran.err
    for name in (".", "n.dne", "n.xdsl"):
        assert run(*learn, str(tmp_path / name)).code == 2


def test_reader_that_leaves_is_no_fault() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as gone:
        ran = subprocess.run(
            [*COMMAND, "diagnose", "fever", "--json"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (141, "")


def test_as_module_in_a_terminal_without_unicode() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}
    ran = subprocess.run(
        [*COMMAND, "diagnose", "saddle_numbness", "age=60"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Urgency: emergency\n" in ran.stdout


def test_very_many_faults_are_cut(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise InvalidCase(Fault(f"row {row}", "a number", "x") for row in range(MOST_FAULTS + 5))

    monkeypatch.setattr("bayesdx.cli.diagnose.read_findings", fail)
    lines = run("diagnose", "fever").err.splitlines()
    assert len(lines) == MOST_FAULTS + 1
    assert lines[-1] == "bayesdx: and 5 more faults."


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "excluded"),
        (1e-9, "< 0.01 %"),
        (0.00012, "0.01 %"),
        (0.0099, "0.99 %"),
        (0.01, "1.0 %"),
        (0.25, "25.0 %"),
        (0.9989, "99.9 %"),
        (0.99999, "> 99.9 %"),
        (1.0, "100.0 %"),
        (float("nan"), ""),
    ],
)
def test_percent_tells_small_from_nothing(probability: float, text: str) -> None:
    assert percent(probability) == text


INTERRUPTED_IMPORT = """
import builtins, os, signal, sys
real = builtins.__import__
def importing(name, *rest):
    if name.startswith(sys.argv[1]):
        builtins.__import__ = real
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest)
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayesdx.cli import main
builtins.__import__ = importing
sys.exit(main(["diagnose", "fever"]))
"""


@pytest.mark.parametrize("module", ["typer", "numpy", "pandas", "rich", "pydantic"])
def test_interrupt_during_imports_is_one_line(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED_IMPORT, module]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "\nbayesdx: interrupted.\n"


def test_where_interrupts_are_ignored_they_stay_so() -> None:
    code = INTERRUPTED_IMPORT.replace("signal.default_int_handler", "signal.SIG_IGN")
    command = [sys.executable, "-c", code, "numpy"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\nUrgency: " in ran.stdout


def test_a_command_completes_without_being_imported() -> None:
    environment = {
        **os.environ,
        "_BAYESDX_COMPLETE": "complete_bash",
        "COMP_WORDS": "bayesdx di",
        "COMP_CWORD": "1",
    }
    code = (
        "import sys; from bayesdx.cli import main; code = main([]); "
        "assert 'bayesdx.cli.diagnose' not in sys.modules; sys.exit(code)"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["diagnose"]
