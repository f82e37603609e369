"""The finished parts of a run, on disk, so that no interruption loses them.

``OUT.parts/`` stands beside the output until it is complete::

    lock            held by the process that runs
    manifest.json   what is scored, with what and how: digests, versions, options
    output          finished parts, one after the other
    rejected.csv    records with faults, likewise
    journal.jsonl   one line a finished part: how far `output` and `rejected.csv` reach with it,
                    their digests up to there, and what was counted
    finish.json     when nothing but renaming is left: what is to be renamed

A part counts when its line in the journal does; the line is written when the disk has the part.
What reaches beyond the last line, or does not have the digest that it says, is cut off and scored
again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.running.counts import Counts
from bayesdx.tables.running.disk import Lock, as_json, read_json, replace_file, write_through

LOCK, MANIFEST, OUTPUT, REJECTED = "lock", "manifest.json", "output", "rejected.csv"
JOURNAL, FINISH, AUDIT = "journal.jsonl", "finish.json", "audit.json"
#: The output in its final form, where that is not `OUTPUT` itself.
RESULT, RESULT_FOLDER = "result", "results"
_OURS = {LOCK, MANIFEST, OUTPUT, REJECTED, JOURNAL, FINISH, AUDIT, RESULT, RESULT_FOLDER}
#: Bytes read at a time when digests are checked.
BLOCK = 1 << 22

Identity = Mapping[str, Any]
Renames = list[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """A line of the journal.

    Attributes
    ----------
    number : int
        From 0.
    counts : dict
        `Counts.as_dict` of its records.
    output_end, rejected_end : int
        Where the part ends in `output` and in ``rejected.csv``.
    output_digest, rejected_digest : str
        SHA-256 of both from their beginning to there.
    """

    number: int
    counts: dict[str, Any]
    output_end: int
    rejected_end: int
    output_digest: str
    rejected_digest: str


class _Growing:
    """A file that only grows, and its digest."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self.file: IO[bytes] = path.open("r+b")
        self.digest = hashlib.sha256()
        self.end = 0

    def __enter__(self) -> _Growing:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def append(self, data: bytes) -> None:
        if data:
            write_through(self.file, data)
            self.digest.update(data)
            self.end += len(data)

    def digest_at(self, end: int) -> hashlib._Hash | None:
        """Return the digest of the bytes up to a later place; None where there are not so many."""
        ahead, left = self.digest.copy(), end - self.end
        self.file.seek(self.end)
        while left > 0:
            block = self.file.read(min(BLOCK, left))
            if not block:
                return None
            ahead.update(block)
            left -= len(block)
        return ahead

    def cut(self) -> None:
        """Cut off what lies beyond the last place that counts."""
        self.file.seek(self.end)
        self.file.truncate()


class Parts:
    """An unfinished run on disk.

    Parameters
    ----------
    folder : Path
        ``OUT.parts``; made where it is not there.
    identity : mapping
        What a run must have in common with the one that made the finished parts; empty where a
        run cannot be gone on with, because its input is a stream.
    resume, restart : bool
        Go on from finished parts, or throw them away.

    Attributes
    ----------
    finished : int
        Parts that count.
    counts : Counts
        Of their records.
    started : str
        When the run began that made the first of them, UTC.
    renames : list of (str, str), or None
        When nothing but renaming is left to do: from where to where.

    Raises
    ------
    InvalidCase
        The folder cannot be made, or holds other things; another process is at work there; it holds
        finished parts and neither ``resume`` nor ``restart`` is asked for; or ``resume`` is, and
        they were made from other input, knowledge or options, with every difference.
    """

    def __init__(self, folder: Path, identity: Identity, *, resume: bool, restart: bool) -> None:
        self.folder = folder
        self.finished = 0
        self.counts = Counts()
        self.renames: Renames | None
        self._files = ExitStack()
        self._lock = _locked(folder)
        try:
            journal = self._kept(identity, resume, restart)
            self.renames = _read_renames(folder / FINISH)
            if self.renames is None:
                self._open(journal)
            else:
                # The files may have their names already; they must not come to be again.
                for part in journal:
                    self._count(part)
        except BaseException:
            self.close()
            raise

    def _kept(self, identity: Identity, resume: bool, restart: bool) -> list[Part]:
        """Return the journal to go on from; begin anew where there is none."""
        path = self.folder / MANIFEST
        manifest = read_json(path)
        journal: list[Part] = []
        if manifest is not None and manifest.get("resumable") and not restart:
            journal = _read_journal(self.folder / JOURNAL)
        if not journal or manifest is None:
            self._empty()
            self.started = now()
            content = {"format": 1, "resumable": bool(identity), "started": self.started}
            replace_file(path, as_json({**content, "identity": dict(identity)}))
            return []
        if not resume:
            total = sum(int(part.counts["records"]) for part in journal)
            got = Phrase(f"{total:,} records of one")
            expected = "no unfinished run (--resume goes on with it, --restart drops it)"
            raise InvalidCase(Fault(str(self.folder), expected, got))
        _check_same(path, manifest["identity"], identity)
        self.started = str(manifest["started"])
        return journal

    def _open(self, journal: list[Part]) -> None:
        """Go through what is on disk, up to the first part that is not as the journal says."""
        self._output = self._files.enter_context(_Growing(self.folder / OUTPUT))
        self._rejected = self._files.enter_context(_Growing(self.folder / REJECTED))
        sound = []
        for part in journal:
            output = self._output.digest_at(part.output_end)
            rejected = self._rejected.digest_at(part.rejected_end)
            found = [one and one.hexdigest() for one in (output, rejected)]
            if found != [part.output_digest, part.rejected_digest]:
                break
            assert output is not None
            assert rejected is not None
            self._output.digest, self._output.end = output, part.output_end
            self._rejected.digest, self._rejected.end = rejected, part.rejected_end
            self._count(part)
            sound.append(part)
        lines = b"".join(map(_line, sound))
        path = self.folder / JOURNAL
        if not path.exists() or path.read_bytes() != lines:
            replace_file(path, lines)
        self._output.cut()
        self._rejected.cut()
        self._journal = self._files.enter_context(path.open("ab"))

    def _count(self, part: Part) -> None:
        self.finished += 1
        self.counts.add(Counts.from_dict(part.counts))

    @property
    def any_rejected(self) -> bool:
        """Whether a finished part has records with faults."""
        return self._rejected.end > 0

    def append(self, counts: Counts, output: bytes, rejected: bytes) -> None:
        """Make one more part safe.

        Raises
        ------
        OSError
            The disk is full, or broken. What is finished stays so.
        """
        self._output.append(output)
        self._rejected.append(rejected)
        part = Part(
            number=self.finished,
            counts=counts.as_dict(),
            output_end=self._output.end,
            rejected_end=self._rejected.end,
            output_digest=self._output.digest.hexdigest(),
            rejected_digest=self._rejected.digest.hexdigest(),
        )
        write_through(self._journal, _line(part))
        self._count(part)

    def plan_renames(self, renames: Renames) -> None:
        """Note what is left to do, so that it will be done even after an interruption."""
        self._files.close()
        self.renames = renames
        replace_file(self.folder / FINISH, as_json({"renames": renames}))

    def close(self) -> None:
        """Let go of everything and leave it for a later run."""
        # A full disk has been told of; what a file still holds back does not count.
        with suppress(OSError):
            self._files.close()
        self._lock.let_go()

    def discard(self) -> None:
        """Take the folder away."""
        try:
            with suppress(OSError):
                self._files.close()
            self._empty()
            self._lock.take_away()
        finally:
            self._lock.let_go()
        with suppress(OSError):
            # Another run may have come to stay in the meantime.
            self.folder.rmdir()

    def _empty(self) -> None:
        others = sorted(one.name for one in self.folder.iterdir() if not _is_ours(one.name))
        if others:
            got = Phrase(f"one with {', '.join(others[:3])}")
            raise InvalidCase(Fault(str(self.folder), "a folder of unfinished parts", got))
        # The manifest first: without one, what is left is not taken for an unfinished run.
        (self.folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.folder / RESULT_FOLDER, ignore_errors=True)
        for entry in self.folder.iterdir():
            if entry.name != LOCK:
                entry.unlink()


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_ours(name: str) -> bool:
    return name in _OURS or (name.startswith(".") and name.endswith(".new"))


def _locked(folder: Path) -> Lock:
    while True:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as reason:
            got = Phrase(reason.strerror or str(reason))
            place = str(folder.with_suffix(""))
            raise InvalidCase(Fault(place, "a place to write to", got)) from reason
        # The folder may vanish between the two steps, when another run ends.
        with suppress(FileNotFoundError):
            return Lock(folder / LOCK)


def _read_journal(path: Path) -> list[Part]:
    """Read the lines of a journal up to the first that is not whole."""
    parts: list[Part] = []
    with suppress(OSError, ValueError, TypeError):
        for line in path.read_bytes().splitlines(keepends=True):
            part = Part(**json.loads(line))
            if part.number != len(parts) or not line.endswith(b"\n"):
                break
            parts.append(part)
    return parts


def _read_renames(path: Path) -> Renames | None:
    finish = read_json(path)
    return None if finish is None else [(str(old), str(new)) for old, new in finish["renames"]]


def _line(part: Part) -> bytes:
    return json.dumps(asdict(part)).encode() + b"\n"


def _check_same(place: Path, before: Identity, now: Identity) -> None:
    """Refuse to mix parts of two runs, and name all that is different."""
    faults = []
    for name in dict.fromkeys([*before, *now]):
        was, is_ = before.get(name), now.get(name)
        if was != is_:
            expected = f"the same {name} as in the unfinished run, {was!r}"
            faults.append(Fault(f"{place}: {name}", expected, is_))
    if faults:
        raise InvalidCase(faults)
