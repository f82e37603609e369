"""Where scores go, and in which format: as the name says."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.formats import CSV, PARQUET, STANDARD_STREAM, format_of
from bayesdx.whole_files import is_same_file, permissions

#: Beside an output: what is known of the run, the rows that were not scored, the unfinished run.
AUDIT_SUFFIX, REJECTED_SUFFIX, PARTS_SUFFIX = ".audit.json", ".rejected.csv", ".parts"


@dataclass(frozen=True)
class Target:
    """An output.

    Attributes
    ----------
    name : str
        As given.
    path : Path or None
        A file or folder, links followed; None for what is only written through: standard output,
        a pipe, a device.
    kind : {"csv", "jsonl", "parquet"}
    compression : {"", "gz", "zst"}
    folder : bool
        A folder of Parquet files.
    """

    name: str
    path: Path | None
    kind: str
    compression: str
    folder: bool

    @property
    def mode(self) -> int | None:
        """Permissions of the output that is there already; what stands beside it gets the same."""
        return None if self.path is None or self.folder else permissions(self.path)

    def beside(self, suffix: str) -> Path:
        """Return the path of what stands beside the output."""
        assert self.path is not None
        return self.path.with_name(self.path.name + suffix)


def parse_target(output: str | Path, *, resume: bool = False) -> Target:
    """Read the name of an output.

    Parameters
    ----------
    output : str or Path
        ``.csv``, ``.jsonl`` (each also with ``.gz`` or ``.zst``) or ``.parquet``; a name that ends
        in ``/`` is a folder of Parquet files; ``-`` is CSV on standard output.
    resume : bool
        Accept a folder that holds what an unfinished run beside it has just given its name.

    Raises
    ------
    InvalidCase
        The name is that of another format, or of a folder that holds something.
    """
    name = str(output)
    if name == STANDARD_STREAM:
        # None is what Python puts where whoever started it had closed the stream.
        if sys.stdout is None or sys.stdout.closed:
            raise InvalidCase(Fault("standard output", "a place to write to", Phrase("none")))
        return Target("standard output", None, CSV, "", folder=False)
    path = Path(name)
    # Neither / nor ./ has a name that what is unfinished could be called by.
    if name.endswith("/") and path.name:
        parts = path.with_name(path.name + PARTS_SUFFIX)
        notes = all((parts / one).is_file() for one in ("manifest.json", "finish.json"))
        begun = resume and notes
        if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not begun)):
            raise InvalidCase(Fault(name, "a new or empty folder", Phrase("one that holds files")))
        return Target(name, path.resolve(), PARQUET, "", folder=True)
    if path.is_dir():
        expected = "a file, or a name ending in / for a folder of Parquet files"
        raise InvalidCase(Fault(name, expected, Phrase("a folder")))
    kind, compression = format_of(path, None)
    if path.exists() and not path.is_file():
        # Replacing a pipe or /dev/null would destroy the device.
        return Target(name, None, kind, compression, folder=False)
    # A link keeps pointing where it points; its target is what gets replaced.
    return Target(name, path.resolve(), kind, compression, folder=False)


def refuse_inputs(target: Target, inputs: Iterable[Path]) -> None:
    """Refuse an output that would be written over what it is made from.

    Parameters
    ----------
    target : Target
    inputs : iterable of Path
        All files that are read, and the folder that they are all of.

    Raises
    ------
    InvalidCase
        The output, or what will stand beside it, is one of them, by whatever path; or one of them
        lies in the folder of unfinished parts; or the output would be one more file of the folder.
    """
    if target.path is None:
        return
    parts = target.beside(PARTS_SUFFIX)
    written = (target.path, *map(target.beside, (AUDIT_SUFFIX, REJECTED_SUFFIX, PARTS_SUFFIX)))
    for one in inputs:
        for place in written:
            same = one.resolve() == place or is_same_file(place, one)
            if same or parts in one.resolve().parents:
                expected = f"another name than that of the input {one}"
                got = Phrase(f"{place}, which is the same file" if same else str(parts))
                raise InvalidCase(Fault(f"output {target.name}", expected, got))
        if one.is_dir() and one.resolve() in target.path.parents:
            expected = f"a place outside of {one}, all of which is input"
            raise InvalidCase(Fault("output", expected, target.name))
