"""An audit read again: what a run was asked for, and what its rows were put to."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bayesdx.checked_numbers import is_whole
from bayesdx.errors import Fault, InvalidCase, Phrase, unknown_names
from bayesdx.tables.disk import read_json
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.subject import EngineSubject
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.sources.formats import unreadable
from bayesdx.tables.target import AUDIT_SUFFIX

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.tables.execution.subject import Subject

Read = TypeVar("Read")


@dataclass(frozen=True)
class _NetworkQuestion:
    """What the rows of a run were asked of a network."""

    question: str
    normalise: bool
    memory_limit: float
    targets: tuple[str, ...] | None = None
    search: dict[str, int | float | None] | None = None
    encoding: str | None = None


#: What has to be in an audit, and of which kind; the rest only in one of format 2.
_NEEDED = {
    "knowledge.digest": str,
    "input.name": str,
    "input.digest": str,
    "counts.scored": int,
    "options.format": str,
    "options.on_error": str,
    "options.chunk_rows": int,
    "output": dict,
    "run.finished": str,
    "engine.version": str,
}
_NEEDED_NOW = {"digest": str, "counts.records": int, "options.table.words": dict}
_NEEDED_OF_NETWORKS = {
    "knowledge.path": str,
    "options.question": str,
    "options.normalise": bool,
    "options.memory_limit": float,
}


def read_audit(output: str | Path) -> dict[str, Any]:
    """Read what stands beside an output.

    Raises
    ------
    InvalidCase
        There is no output, or no audit of it.
    """
    path = Path(output).resolve()
    if not path.exists():
        raise InvalidCase(
            Fault(str(output), "an output of score or network", Phrase("no such file"))
        )
    beside = path.with_name(path.name + AUDIT_SUFFIX)
    try:
        with beside.open("rb"):
            audit = read_json(beside)
    except FileNotFoundError:
        audit = None
    except OSError as reason:
        raise InvalidCase(unreadable(beside, reason)) from reason
    # True is 1 to Python, and no number that a run has written.
    if audit is None or audit.get("format") not in (1, 2) or audit["format"] is True:
        newer = is_whole((audit or {}).get("format"), 3)
        there = "one of a newer bayesdx" if newer else "a damaged one"
        got = Phrase(there if beside.exists() else "none")
        raise InvalidCase(Fault(str(beside), "the audit of an output", got))
    now = {} if audit["format"] == 1 else _NEEDED_NOW
    own = _NEEDED_OF_NETWORKS if of_network(audit) else {"options.shape": str}
    needed = {**_NEEDED, **now, **own}
    damaged = [name for name, kind in needed.items() if not _holds(audit, name, kind)]
    if damaged:
        got = Phrase(f"a damaged one: {', '.join(damaged)}")
        raise InvalidCase(Fault(str(beside), "the audit of an output", got))
    return audit


def _holds(audit: dict[str, Any], name: str, kind: type) -> bool:
    value: object = audit
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(value, kind)


def of_network(audit: dict[str, Any]) -> bool:
    """Whether an audit is that of `bayesdx network`."""
    options = audit.get("options")
    return isinstance(options, dict) and "question" in options


def recorded_options(audit: dict[str, Any]) -> RunOptions:
    """Return what a run was asked for.

    Raises
    ------
    InvalidCase
        The audit says what no run can be asked for.
    """
    options = audit["options"]
    asked = {
        "output": {
            one.name: options[one.name] for one in fields(OutputOptions) if one.name in options
        },
        "table": options.get("table") or {},
        "on_error": options["on_error"],
        "chunk_rows": options["chunk_rows"],
    }
    found = _read_as(RunOptions, asked)
    if found.chunk_rows < 1:
        raise damaged_audit("options: chunk_rows")
    return found


def _read_as(kind: type[Read], plain: object) -> Read:
    """Make a value of what an audit says of it."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(plain), strict=True)
    except ValidationError as reason:
        places = {".".join(map(str, one["loc"][:3])) for one in reason.errors()}
        raise damaged_audit(f"options: {', '.join(sorted(places))}") from None


def damaged_audit(place: str) -> InvalidCase:
    """Say that an audit is damaged, and where."""
    return InvalidCase(Fault("audit", "the audit of an output", Phrase(f"a damaged one: {place}")))


def recorded_subject(
    audit: dict[str, Any], options: RunOptions, asked: Core | str | Path | None
) -> Subject[Any, Any]:
    """Return what the rows of a run were put to.

    Parameters
    ----------
    audit : dict
    options : RunOptions
        Of `recorded_options`.
    asked : Core, str, Path or None
        The core of an engine; of a network its file, None for the one that the audit names.

    Raises
    ------
    InvalidCase
        There is no such network any more, or the audit is of the other kind.
    InvalidNetwork
        It cannot be read.
    """
    words = options.table.words
    if not of_network(audit):
        if asked is None or isinstance(asked, str | Path):
            got = Phrase("that of bayesdx score")
            raise InvalidCase(Fault("audit", "the audit of an output of bayesdx network", got))
        # The knowledge of the audit may have had others.
        place, causes = "audit: options: causes", options.output.causes or ()
        if faults := unknown_names(place, "the id of a cause", causes, asked.causes):
            raise InvalidCase(faults)
        return EngineSubject(asked, options.output, words)
    if asked is not None and not isinstance(asked, str | Path):
        got = Phrase("that of bayesdx network")
        raise InvalidCase(Fault("audit", "the audit of an output of bayesdx score", got))
    path = Path(audit["knowledge"]["path"] if asked is None else asked)
    if not path.is_file():
        expected = "the network that was asked, or --network with its new name"
        raise InvalidCase(Fault(str(path), expected, Phrase("no such file")))
    # Imported here: an output of `score` waits for no network.
    from bayesdx.formats import read_either_network
    from bayesdx.inference.general.branch_and_bound import SearchLimits
    from bayesdx.tables.execution.network_subject import (
        EXPLANATIONS,
        NetworkReading,
        NetworkSubject,
    )
    from bayesdx.tables.explanations import search_wanted

    wanted = _read_as(_NetworkQuestion, audit["options"])
    reading = NetworkReading(wanted.normalise, wanted.encoding)
    network = read_either_network(path, normalise=reading.normalise, encoding=reading.encoding)
    # Audits of before there were limits have none.
    told = _read_as(SearchLimits, wanted.search or {})
    told = search_wanted(told.k, told.seconds, told.branches)
    search = told if wanted.question == EXPLANATIONS else None
    targets, limit = list(wanted.targets or ()), wanted.memory_limit
    return NetworkSubject(network, path, targets, limit, words, reading, search)
