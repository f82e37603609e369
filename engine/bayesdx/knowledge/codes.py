"""Codes of causes and findings in other systems: those that are shipped, and a map of one's own.

Shipped are ICD-10-CM of causes and HPO of findings. Others (SNOMED CT, local catalogues) have
licences or owners; a map is a CSV with the columns ``id``, ``system``, ``code`` and, if wanted,
``display``::

    id,system,code,display
    cauda_equina,local,SPINE-7,Cauda equina
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from bayesdx.errors import NOTHING, Fault, InvalidKnowledge, Phrase, nearest_names
from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Code

#: Bytes and rows of the largest map that is read.
LARGEST, MOST = 1 << 22, 100_000
COLUMNS = ("id", "system", "code", "display")


def read_codes(path: str | Path, knowledge: Knowledge) -> Mapping[str, tuple[Code, ...]]:
    """Read a map of codes.

    Parameters
    ----------
    path : str or path
    knowledge : Knowledge
        Whose causes, findings and risks it may name.

    Returns
    -------
    mapping of str to tuple of Code
        By id, in the order of the file; each code once.

    Raises
    ------
    InvalidKnowledge
        With everything that is wrong with it, by line.
    OSError
        When it cannot be read.
    """
    path = Path(path)
    if path.stat().st_size > LARGEST:
        got = Phrase(f"{path.stat().st_size} bytes")
        raise InvalidKnowledge(Fault(str(path), f"at most {LARGEST} bytes", got))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise InvalidKnowledge(Fault(str(path), "text in UTF-8", Phrase(str(reason)))) from None
    rows = csv.reader(StringIO(text, newline=""))
    faults: list[Fault] = []
    found: dict[str, dict[Code, None]] = {}
    known = (*knowledge.causes, *knowledge.findings, *knowledge.risks)
    try:
        head = _head(next(rows, []), path)
        for cells in rows:
            if any(cell.strip() for cell in cells) and rows.line_num <= MOST:
                row = dict.fromkeys(COLUMNS, "")
                row |= {
                    name: " ".join(cell.split()) for name, cell in zip(head, cells, strict=False)
                }
                wrong = list(_faults(f"{path}:{rows.line_num}", row, len(cells) - len(head), known))
                faults += wrong
                if not wrong:
                    code = Code(row["system"], row["code"], row["display"])
                    found.setdefault(row["id"], {})[code] = None
    except csv.Error as reason:
        faults.append(Fault(f"{path}:{rows.line_num}", "a CSV file", Phrase(str(reason))))
    if rows.line_num > MOST:
        faults.append(Fault(str(path), f"at most {MOST} lines", Phrase(f"{rows.line_num}")))
    if faults:
        raise InvalidKnowledge(faults)
    return FrozenDict({name: tuple(codes) for name, codes in found.items()})


def _head(cells: list[str], path: Path) -> list[str]:
    head = [name.strip().casefold() for name in cells]
    if not {*COLUMNS[:3]} <= {*head} <= {*COLUMNS} or len({*head}) < len(head):
        expected = "the columns id, system, code and, if wanted, display"
        raise InvalidKnowledge(Fault(f"{path}:1", expected, ", ".join(head) or NOTHING))
    return head


def _faults(place: str, row: Mapping[str, str], more: int, known: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with a line that has so many cells more than the first one."""
    if more > 0:
        yield Fault(place, "as many cells as the first line", Phrase(f"{more} more"))
    for name in COLUMNS[:3]:
        if not row[name]:
            yield Fault(place, f"a {name}", NOTHING)
    if row["id"] and row["id"] not in known:
        near = nearest_names(row["id"], known)
        yield Fault(place, "the id of a cause, finding or risk", row["id"], near)


def codes_of(knowledge: Knowledge, name: str) -> tuple[Code, ...]:
    """Return the codes of a cause or finding: those that are shipped, then one's own."""
    cause, finding = knowledge.causes.get(name), knowledge.findings.get(name)
    icd = () if cause is None else cause.icd10
    hpo = () if finding is None else finding.hpo
    return (
        *(Code("ICD-10-CM", code) for code in icd),
        *(Code("HPO", code) for code in hpo),
        *knowledge.codes.get(name, ()),
    )
