"""The finished parts of a run, on disk, so that no interruption loses them.

``OUT.parts/`` stands beside the output until it is complete::

    lock            held by the process that runs
    manifest.json   what is scored, with what and how: digests, versions, options
    journal.jsonl   one line a finished part: where its bytes are, their digests, what was counted
    output          parts of a run on this machine, one after the other
    rejected.csv    records with faults, likewise
    <identity>/     parts of a run on many machines, each with files of its own
        data/       part-00000.parquet ...; becomes OUT
        rejects/    part-00000.parquet.csv: records with faults
        writing/    what is not whole yet, or never will be
    finish.json     when nothing but renaming is left: what the output will be

A part counts when its line in the journal does; the line is written when the disk has the part.
What is not as the journal says is thrown away and scored again. Names in these files are relative,
and nothing is touched but files of these names: the folder may be moved, damaged, or a trap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.disk import read_json
from bayesdx.tables.execution.counts import Counts

LOCK, MANIFEST, OUTPUT, REJECTED = "lock", "manifest.json", "output", "rejected.csv"
JOURNAL, FINISH, AUDIT = "journal.jsonl", "finish.json", "audit.json"
#: The output in its final form, where that is not `OUTPUT` itself.
RESULT, RESULT_FOLDER = "result", "results"
DATA, REJECTS, WRITING = "data", "rejects", "writing"
#: A file that says that some record has a fault, so that nothing will be kept.
FAULTY = "faulty"
_FILES = (LOCK, MANIFEST, OUTPUT, REJECTED, JOURNAL, FINISH, AUDIT, RESULT)
_PART = r"part-\d{5,}\.parquet"
_OWN = re.compile(
    rf"({'|'.join(map(re.escape, _FILES))})|\.({'|'.join(map(re.escape, _FILES))})\.\d+\.new"
    rf"|{RESULT_FOLDER}(/{_PART})?"
    rf"|[0-9a-f]{{16}}(/{FAULTY}|/({DATA}|{REJECTS}|{WRITING})(/\.?{_PART}.*)?)?"
)
_RESULT = re.compile(rf"{OUTPUT}|{RESULT}|{RESULT_FOLDER}|[0-9a-f]{{16}}/{DATA}")

Identity = Mapping[str, Any]


@dataclass(frozen=True)
class PartRecord:
    """A line of the journal.

    Attributes
    ----------
    number : int
        From 0.
    counts : dict
        `Counts.as_dict` of its records.
    output_end, rejected_end : int
        Where the part ends in its files.
    output_digest, rejected_digest : str
        SHA-256 of both files from their beginning to there.
    """

    number: int
    counts: dict[str, Any]
    output_end: int
    rejected_end: int
    output_digest: str
    rejected_digest: str


def part_name(number: int) -> str:
    """Return the file name of a part that has one."""
    return f"part-{number:05}.parquet"


def refuse_foreign_names(folder: Path) -> None:
    """Refuse a folder that is a link, or in which anything is that this program never makes."""
    foreign = [folder.name] if folder.is_symlink() else []
    for entry in () if foreign else folder.rglob("*"):
        name = entry.relative_to(folder).as_posix()
        if not _OWN.fullmatch(name) or entry.is_symlink() or (name in _FILES and entry.is_dir()):
            foreign.append(name)
    if foreign:
        got = Phrase(f"one with {', '.join(sorted(foreign)[:3])}")
        raise InvalidCase(Fault(str(folder), "a folder of unfinished parts", got))


def _damaged(path: Path) -> InvalidCase:
    got = Phrase("another content: this is no folder of this program; begin anew with --restart")
    return InvalidCase(Fault(str(path), "what an unfinished run has noted", got))


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Read what an unfinished run is made from; None where there is none.

    Raises
    ------
    InvalidCase
        It is not what this program writes.
    """
    if not path.exists():
        return None
    manifest = read_json(path) or {}
    kinds = {"resumable": bool, "started": str, "identity": dict}
    if manifest.get("format") != 1 or not _has(manifest, kinds):
        raise _damaged(path)
    return manifest


def read_plan(folder: Path) -> dict[str, Any] | None:
    """Read what is left to be renamed; None where a run has not come so far.

    Raises
    ------
    InvalidCase
        It is not what this program writes.
    """
    path = folder / FINISH
    if not path.exists():
        return None
    plan = read_json(path) or {}
    kinds = {"result": str, "rejected": bool, "output": dict}
    if plan.get("format") != 1 or not _has(plan, kinds):
        raise _damaged(path)
    if not _RESULT.fullmatch(plan["result"]):
        raise _damaged(path)
    return plan


def _has(content: Mapping[str, Any], kinds: Mapping[str, type]) -> bool:
    return all(isinstance(content.get(name), kind) for name, kind in kinds.items())


def read_journal(path: Path) -> list[PartRecord]:
    """Read the lines of a journal up to the first that is not whole."""
    records: list[PartRecord] = []
    kinds = {"number": int, "output_end": int, "rejected_end": int}
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        for line in path.read_bytes().splitlines(keepends=True):
            record = PartRecord(**json.loads(line))
            Counts.from_dict(record.counts)
            if not line.endswith(b"\n") or not _has(asdict(record), kinds):
                break
            records.append(record)
    return records


def journal_line(record: PartRecord) -> bytes:
    """Return a finished part as a line of the journal."""
    return json.dumps(asdict(record)).encode() + b"\n"


def refuse_another_run(place: Path, before: Identity, now: Identity) -> None:
    """Refuse to mix parts of two runs, and name all that is different."""
    faults = [
        Fault(
            f"{place}: {name}",
            f"the same {name} as in the unfinished run, {before.get(name)!r}",
            now.get(name),
        )
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    if faults:
        raise InvalidCase(faults)
