"""The session in the README is real. `python tests/test_readme.py` writes its output anew."""

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bayesdx
from bayesdx.cli.app import COMMANDS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
COMMANDS_PAGE = ROOT / "docs" / "reference" / "commands.md"
SESSION = re.compile(r"(<!-- session -->\n```pycon\n)(.*?)(```\n<!-- /session -->)", re.DOTALL)
# pandas pads its columns differently from version to version; the numbers are the same.
FLAGS = doctest.NORMALIZE_WHITESPACE


def session() -> str:
    found = SESSION.search(README.read_text(encoding="utf-8"))
    assert found is not None, "README.md: expected a block between <!-- session --> marks"
    return found[2]


def test_session_gives_what_the_readme_says() -> None:
    test = doctest.DocTestParser().get_doctest(session(), {}, "session", str(README), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


def test_session_has_seven_lines_of_python() -> None:
    assert session().count(">>> ") == 7


def test_every_statement_of_the_session_shows_its_output() -> None:
    examples = doctest.DocTestParser().get_examples(session())
    silent = [one.source for one in examples if not one.want and " = " not in one.source]
    assert silent == ["import bayesdx\n"]


def test_readme_names_both_commands_before_the_session() -> None:
    text = README.read_text(encoding="utf-8")
    first_screen = text[: text.index("<!-- session -->")]
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert "not a\n> medical device" in first_screen


def test_counts_of_causes_agree() -> None:
    text = README.read_text(encoding="utf-8")
    found = re.search(r"(\d+) causes", text)
    assert found is not None
    assert int(found[1]) == len(bayesdx.load().causes)


def test_the_readme_is_one_screen_and_its_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert "docs/index.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_is_shown_in_the_manual() -> None:
    text = COMMANDS_PAGE.read_text(encoding="utf-8") + README.read_text(encoding="utf-8")
    shown = set(re.findall(r"^bayesdx ([\w-]+)", text, re.MULTILINE))
    assert shown == set(COMMANDS)


def test_commands_write_nothing_outside_out() -> None:
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    written = re.findall(r"^bayesdx .*? -o (\S+)", text, re.MULTILINE)
    assert written
    assert [path for path in written if not path.startswith("out/")] == []


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone in the state that `make` leaves it in, but that nothing was downloaded."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone, or no git")
    made = tmp_path / "clone"
    venv = made / ".venv"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), made], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (packages,) = (venv / "lib").glob("python*/site-packages")
    here = [place for place in sys.path if place.endswith("-packages")]
    (packages / "here.pth").write_text("\n".join([str(made / "engine"), *here]), encoding="utf-8")
    program = venv / "bin" / "bayesdx"
    # As pip writes it: processes that are spawned read it again, and must not run it.
    text = (
        "from bayesdx.cli import main\nif __name__ == '__main__':\n    raise SystemExit(main())\n"
    )
    program.write_text(f"#!{venv}/bin/python\n{text}", encoding="utf-8")
    program.chmod(0o755)
    for stamp in (".made", ".package"):
        (venv / stamp).touch()
    return made


@pytest.mark.slow
def test_commands_run_as_they_stand_and_write_below_out_only(clone: Path) -> None:
    before = {one.name for one in clone.iterdir()}
    texts = [path.read_text(encoding="utf-8") for path in (README, COMMANDS_PAGE)]
    lines = re.findall(r"^bayesdx .*", "\n".join(texts), re.MULTILINE)
    # Labelled cases of one's own are in no checkout; docs/how-to/learn.md runs these two.
    lines = [line for line in lines if not re.match(r"bayesdx (learn|drift) ", line)]
    for line in ("make demo", *lines):
        if line.startswith("bayesdx examples"):
            shutil.rmtree(clone / "out" / "examples", ignore_errors=True)
        activated = line if line.startswith("make") else f". .venv/bin/activate\n{line}"
        ran = subprocess.run(
            ["bash", "-c", activated],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{line}\n{ran.stderr}"
    assert {one.name for one in clone.iterdir()} == {*before, "out"}
    status = ["git", "status", "--porcelain"]
    ran = subprocess.run(status, cwd=clone, check=True, capture_output=True, text=True)
    assert ran.stdout == ""


def rewrite() -> None:
    """Run the session and put what it prints into the README."""
    lines: list[str] = []

    class Recorder(doctest.OutputChecker):
        def check_output(self, want: str, got: str, optionflags: int) -> bool:  # noqa: ARG002
            lines.append(got)
            return True

    examples = doctest.DocTestParser().get_examples(session())
    test = doctest.DocTest(examples, {}, "session", str(README), 0, None)
    doctest.DocTestRunner(checker=Recorder()).run(test, clear_globs=False)
    new = "".join(f">>> {one.source}{got}" for one, got in zip(examples, lines, strict=True))
    text = README.read_text(encoding="utf-8")
    README.write_text(SESSION.sub(lambda m: m[1] + new + m[3], text), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
