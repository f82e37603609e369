"""Dirty network files and dirty tables of cases on a network, and what becomes of each.

Writes the page: PYTHONPATH=engine python tests/support/dirty_networks.py.
"""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import bayesdx
from bayesdx.formats import read_network
from bayesdx.tables.execution.network_subject import NetworkSubject
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import run_table

TARGET = Path(__file__).parent.parent / "tables" / "dirty-networks.md"
COLD = """network n { }
variable Cold { type discrete [ 2 ] { yes, no }; }
variable Flu { type discrete [ 2 ] { yes, no }; }
probability ( Cold ) { table 0.1, 0.9; }
probability ( Flu | Cold ) { (yes) 0.2, 0.8; (no) 0.3, 0.7; }
"""
#: About, the file's name, what COLD has there, what stands there instead; or the whole content.
FILES: list[tuple[str, str, bytes]] = [
    (about, name, COLD.replace(*change).encode(encoding))
    for about, name, change, encoding in (
        ("as it should be", "n.bif", ("Cold", "Cold"), "utf-8"),
        ("a semicolon is missing", "n.bif", ("0.1, 0.9;", "0.1, 0.9"), "utf-8"),
        ("a comma for the decimal point", "n.bif", ("0.1, 0.9", "0,1, 0,9"), "utf-8"),
        ("a row sums to 1 + 1e-7", "n.bif", ("0.1, 0.9", "0.1000001, 0.9"), "utf-8"),
        ("a row sums to 1.01", "n.bif", ("0.1, 0.9", "0.11, 0.9"), "utf-8"),
        ("counts for probabilities", "n.bif", ("0.1, 0.9", "10, 90"), "utf-8"),
        ("too small for a float", "n.bif", ("0.1, 0.9", "1e-400, 1"), "utf-8"),
        ("a subtraction left -1e-8", "n.bif", ("0.1, 0.9", "-1e-8, 1.00000001"), "utf-8"),
        ("a negative probability", "n.bif", ("0.1, 0.9", "-0.1, 1.1"), "utf-8"),
        ("NaN", "n.bif", ("0.1, 0.9", "nan, 0.9"), "utf-8"),
        ("too few numbers", "n.bif", ("0.1, 0.9", "0.1"), "utf-8"),
        ("a row is missing", "n.bif", ("(no) 0.3, 0.7;", ""), "utf-8"),
        ("a row twice", "n.bif", ("(no) 0.3", "(yes) 0.3"), "utf-8"),
        ("a row of an unknown state", "n.bif", ("(no) 0.3", "(non) 0.3"), "utf-8"),
        ("default beside rows", "n.bif", ("(no) 0.3", "default 0.3"), "utf-8"),
        ("a variable that is not declared", "n.bif", ("( Flu | Cold )", "( Flu | Colt )"), "utf-8"),
        ("a variable twice", "n.bif", ("variable Flu", "variable Cold"), "utf-8"),
        ("a cycle", "n.bif", ("( Cold ) {", "( Cold | Flu ) {"), "utf-8"),
        ("a state twice", "n.bif", ("{ yes, no }", "{ yes, yes }"), "utf-8"),
        ("an empty state", "n.bif", ("{ yes, no }", '{ "", no }'), "utf-8"),
        ("one state", "n.bif", ("[ 2 ] { yes, no }", "[ 1 ] { yes }"), "utf-8"),
        ("Latin-1", "n.bif", ("Cold", "Erkältung"), "latin-1"),
        ("UTF-16", "n.bif", ("Cold", "Cold"), "utf-16"),
        ("broken off", "n.bif", ("(no) 0.3, 0.7; }\n", ""), "utf-8"),
        ("a name of no format", "n.txt", ("Cold", "Cold"), "utf-8"),
        ("Netica by its name", "n.dne", ("Cold", "Cold"), "utf-8"),
        ("GeNIe of old by its name", "n.dsl", ("Cold", "Cold"), "utf-8"),
        ("BIF called XMLBIF", "n.xmlbif", ("Cold", "Cold"), "utf-8"),
        ("BIF called HUGIN", "n.net", ("Cold", "Cold"), "utf-8"),
        ("BIF called UAI", "n.uai", ("Cold", "Cold"), "utf-8"),
    )
] + [
    ("an empty file", "n.bif", b""),
    ("bytes that are no text", "n.bif", bytes(range(256))),
    ("gzip", "n.bif.gz", gzip.compress(COLD.encode(), mtime=0)),
    ("gzip, broken off", "n.bif.gz", gzip.compress(COLD.encode(), mtime=0)[:60]),
    ("plain text called gzip", "n.bif.gz", COLD.encode()),
]
#: About, the file's name, its text.
TABLES: list[tuple[str, str, str]] = [
    (about, "cases.csv", text)
    for about, text in (
        ("as it should be", "Cold,Flu\nyes,no\n"),
        ("blanks around everything", " Cold , Flu\n yes ,no \n"),
        ("another case", "cold,FLU\nYes,NO\n"),
        ("reserved columns", "case_id,Cold,note\na,yes,x\n"),
        ("words for not known", "Cold\nunknown\nNA\nn/a\nNaN\nnull\n?\n\n"),
        ("what may mean absent or not known", "Cold\nnone\n-\nyes\n"),
        ("a state that is none", "Cold\nmaybe\nyes\n"),
        ("a number for a state", "Cold\n1\nyes\n"),
        ("soft evidence in a cell", "Cold\n0.8\nyes\n"),
        ("a column that is no variable", "Cold,Fluu\nyes,no\n"),
        ("one variable twice", "Cold,cold\nyes,no\n"),
        ("too few cells", "Cold,Flu\nyes\nno,no\n"),
        ("no rows", "Cold,Flu\n"),
        ("semicolons", "Cold;Flu\nyes;no\n"),
        ("an unclosed mark", 'Cold,Flu\nyes,no\n"no,no\n'),
    )
] + [
    ("JSON lines", "cases.jsonl", '{"Cold": "yes"}\n{"Flu": null}\n{"Cold": true}\n{"Cold": 1}\n'),
    ("JSON lines: a list", "cases.jsonl", '{"Cold": ["yes"]}\n{"Cold": "no"}\n'),
    ("a workbook by its name", "cases.xlsx", "PK"),
]
INTRODUCTION = """\
# What becomes of dirty networks and of dirty tables on them

Made by `tests/support/dirty_networks.py`; `tests/tables/test_dirty_networks.py` keeps it current.
A network file is read, or refused with place and cure. A table is read by the rules of `bayesdx
score`: bad rows go to `OUT.rejected.csv`, the others are answered; or it is refused.
The network is that of two variables, Cold and Flu, each yes or no.

"""


def of_file(name: str, content: bytes) -> str:
    """What becomes of a network file in the current folder."""
    Path(name).write_bytes(content)
    try:
        network = read_network(name)
    except bayesdx.BayesdxError as error:
        return _told("refused", [str(fault) for fault in error.faults])
    return f"read, {len(network.variables)} variables |"


def of_table(name: str, text: str) -> str:
    """What becomes of a table in the current folder."""
    Path("n.bif").write_text(COLD, encoding="utf-8")
    network = read_network("n.bif")
    Path(name).write_text(text, encoding="utf-8")
    subject = NetworkSubject(network, Path("n.bif"), [], 1e9)
    try:
        report = run_table(subject, name, "out.csv", RunOptions(on_error="report", workers=1))
    except bayesdx.BayesdxError as error:
        return _told("refused", [str(fault) for fault in error.faults])
    counts = report.counts
    outcome = f"{counts.scored} answered"
    if counts.rejected:
        outcome += f", {counts.rejected} rejected"
    return _told(outcome, [str(fault) for fault in report.faults])


def _told(outcome: str, faults: list[str]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    first = faults[0].replace("|", "\\|") if faults else ""
    return f"{outcome} | `{first}`{more}" if first else f"{outcome} |"


def page() -> str:
    """Run every entry, each in a folder of its own, and return the page."""
    lines = [INTRODUCTION, "| Network file | Called | What becomes of it | What is told |\n"]
    lines.append("|---|---|---|---|\n")
    before = Path.cwd()
    for about, name, content in FILES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                lines.append(f"| {about} | `{name}` | {of_file(name, content)} |\n")
            finally:
                os.chdir(before)
    lines.append("\n| Table | As text | What becomes of it | What is told |\n|---|---|---|---|\n")
    for about, name, text in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                shown = repr(text)[1:-1].replace("|", "\\|")
                lines.append(f"| {about} | `{shown}` | {of_table(name, text)} |\n")
            finally:
                os.chdir(before)
    return "".join(lines)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
