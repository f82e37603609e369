"""Writes the table of dirty inputs: PYTHONPATH=engine python tests/support/dirty_report.py."""

import os
import re
import tempfile
from pathlib import Path

from dirty_files import ALL
from dirty_inputs import HEAD, TWO, Dirty
from dirty_runs import run_input, write_input
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import Core, build_core
from bayesdx.knowledge.reading import read_knowledge

TARGET = Path(__file__).parent.parent / "tables" / "dirty-input.md"
INTRODUCTION = """\
# What becomes of dirty input

Made by `tests/support/dirty_report.py` from the entries that `tests/tables/test_dirty.py` asserts,
with a knowledge of a few findings. "Read": every row is sound. "Rows rejected": what is wrong is
told with file, line and column, and the other rows are read. "Stopped there": where the next row
begins cannot be known, so nothing is read from there on. "Refused": nothing is read at all.
In the second column HEADER stands for `case_id,cramp,age` and ROWS for two sound rows.

| Input | As bytes | What becomes of it | What is told |
|---|---|---|---|
"""
_LONGEST = 70


def report(core: Core) -> str:
    """Run every entry in the current folder and return the table."""
    lines = []
    for number, dirty in enumerate(ALL):
        folder = Path(str(number))
        folder.mkdir()
        before = Path.cwd()
        os.chdir(folder)
        try:
            write_input(dirty.data, dirty.file)
            found = run_input(dirty.file, dirty.fmt, core, table=dirty.table)
        finally:
            os.chdir(before)
        outcome = found.outcome
        if found.outcome in ("rows rejected", "stopped there"):
            outcome += f", {len(found.rows)} read"
        more = f" (and {len(found.told) - 1} more)" if len(found.told) > 1 else ""
        told = _code(_ours(found.told[0])) + more if found.told else ""
        lines.append(f"| {dirty.about} | {_shown(dirty)} | {outcome} | {told} |\n")
    return INTRODUCTION + "".join(lines)


def _ours(text: str) -> str:
    """Leave out the words of libraries, which differ between their versions, and long lists."""
    text = re.sub(r"\(present: .* --unknown\)", "(…)", text)
    text = re.sub(r"(expected a Parquet file), got .*", r"\1 …", text)
    text = re.sub(r"(in cramp), got list.*", r"\1, got lists", text)
    return re.sub(r'({"age": 41}), got (Exp|Ext|max|Exc|Ill).*', r"\1 …", text)


def _shown(dirty: Dirty) -> str:
    if not isinstance(dirty.data, bytes):
        return f"folder of {', '.join(dirty.data)}"
    if dirty.data.startswith((b"\x1f\x8b", b"PAR1", b"\x28\xb5")):
        return f"`{dirty.file}`"
    text = repr(dirty.data.replace(HEAD, b"\0H").replace(TWO, b"\0R"))[2:-1]
    text = text.replace(r"\x00H", "HEADER ").replace(r"\x00R", "ROWS ").strip()
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    name = "" if dirty.file == "cases.csv" else f"`{dirty.file}`: "
    return f"{name}{_code(text)}" if text else f"{name}nothing"


def _code(text: str) -> str:
    mark = "``" if "`" in text else "`"
    return f"{mark}{text}{mark}".replace("|", r"\|")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        priors = write_priors(Path("priors"), SMALL)
        TARGET.write_text(report(build_core(read_knowledge(priors))), encoding="utf-8")
