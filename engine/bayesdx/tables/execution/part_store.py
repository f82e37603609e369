"""The finished parts of a run: kept, gone on from, thrown away; `part_journal` has the files."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.disk import (
    GrowingFile,
    Lock,
    as_json,
    unwritable,
    write_through,
)
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.part_journal import (
    DATA,
    FAULTY,
    FINISH,
    JOURNAL,
    LOCK,
    MANIFEST,
    OUTPUT,
    REJECTED,
    REJECTS,
    WRITING,
    Identity,
    PartRecord,
    journal_line,
    part_name,
    read_journal,
    read_manifest,
    read_plan,
    refuse_another_run,
    refuse_foreign_names,
)
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.rejects import rejected_header
from bayesdx.tables.sources.streams import bytes_digest, file_digest
from bayesdx.whole_files import replace_file

#: How often a folder is cleared that somebody still writes into, and seconds in between.
CLEARINGS, PAUSE = 20, 0.1


class PartStore(ABC):
    """An unfinished run on disk.

    Parameters
    ----------
    folder : Path
        ``OUT.parts``; made where it is not there, for its owner alone.
    identity : mapping
        What a run must have in common with the one that made the finished parts; empty where a
        run cannot be gone on with, because its input is a stream.
    resume, restart : bool
        Go on from finished parts, or throw them away.

    Attributes
    ----------
    finished : dict of int to PartRecord
        Parts that count, by number.
    counts : Counts
        Of their records.
    started : str
        When the run began that made the first of them, UTC.
    plan : dict or None
        When nothing but renaming is left to do: what the output will be.

    Raises
    ------
    InvalidCase
        The folder cannot be made, or holds other things; another process is at work there; it holds
        finished parts and neither ``resume`` nor ``restart`` is asked for; or ``resume`` is, and
        they were made from other input, knowledge or options, with every difference.
    """

    def __init__(self, folder: Path, identity: Identity, *, resume: bool, restart: bool) -> None:
        self.folder = folder
        self.finished: dict[int, PartRecord] = {}
        self.counts = Counts()
        self.plan: dict[str, Any] | None = None
        self._files = ExitStack()
        plain = json.loads(json.dumps(dict(identity)))
        text = json.dumps(plain, sort_keys=True)
        self._own = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
        self._lock = _locked(folder)
        try:
            self._records = self._kept(plain, resume, restart)
            self.plan = read_plan(folder)
            if self.plan is None:
                self.open()
            else:
                # The files may have their names already; they must not come to be again.
                self._count(self._records)
        except BaseException:
            self.close()
            raise

    def _kept(self, identity: Identity, resume: bool, restart: bool) -> list[PartRecord]:
        """Return the journal to go on from; begin anew where there is none."""
        path = self.folder / MANIFEST
        manifest = None if restart else read_manifest(path)
        journal = []
        if manifest is not None and manifest["resumable"]:
            journal = read_journal(self.folder / JOURNAL)
        if not journal or manifest is None:
            self._empty()
            self.started = now()
            content = {"format": 1, "resumable": bool(identity), "started": self.started}
            replace_file(path, as_json({**content, "identity": identity}))
            return []
        if not resume:
            total = sum(int(part.counts["records"]) for part in journal)
            got = Phrase(f"{total:,} records of one")
            expected = "no unfinished run (--resume goes on with it, --restart drops it)"
            raise InvalidCase(Fault(str(self.folder), expected, got))
        refuse_another_run(path, manifest["identity"], identity)
        self.started = manifest["started"]
        return journal

    def open(self) -> None:
        """Go through what is on disk; what is not as the journal says is to be done again."""
        (self.folder / FINISH).unlink(missing_ok=True)
        self.plan, self.finished, self.counts = None, {}, Counts()
        sound = self._sound(self._records)
        lines = b"".join(map(journal_line, sound))
        path = self.folder / JOURNAL
        if not path.exists() or path.read_bytes() != lines:
            replace_file(path, lines)
        self._journal = self._files.enter_context(path.open("ab"))
        self._count(sound)

    @abstractmethod
    def _sound(self, journal: list[PartRecord]) -> list[PartRecord]:
        """Return the parts whose files are as the journal says."""

    @abstractmethod
    def add(self, result: PartResult) -> None:
        """Make one more part safe.

        Raises
        ------
        OSError
            The disk is full, or broken. What is finished stays so.
        """

    @abstractmethod
    def gather_rejected(self) -> dict[str, Any] | None:
        """Make the file of rejected records whole and describe it; None where there are none."""

    def _add(self, record: PartRecord) -> None:
        write_through(self._journal, journal_line(record))
        self._count([record])

    def _count(self, records: Iterable[PartRecord]) -> None:
        for record in records:
            self.finished[record.number] = record
            self.counts.add(Counts.from_dict(record.counts))

    def note_plan(self, plan: dict[str, Any]) -> None:
        """Note what is left to do, so that it will be done even after an interruption."""
        self._files.close()
        self.plan = plan
        replace_file(self.folder / FINISH, as_json({"format": 1, **plan}))

    def is_there(self) -> bool:
        """Whether what is finished can still be gone on from: its folder may have vanished."""
        return bool(self.finished) and (self.folder / JOURNAL).is_file()

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
        if not self.folder.is_dir():
            return
        # The manifest first: without one, what is left is not taken for an unfinished run.
        (self.folder / MANIFEST).unlink(missing_ok=True)
        for _ in range(CLEARINGS):
            left = [entry for entry in self.folder.iterdir() if entry.name != LOCK]
            for entry in left:
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink()
            # A worker that was thought to be dead may write into what is being taken away.
            if not any(entry.is_dir() for entry in left):
                return
            if any(entry.exists() for entry in left):
                time.sleep(PAUSE)


class AppendedParts(PartStore):
    """Parts one after the other in one file; each begins where the one before it ends."""

    def _sound(self, journal: list[PartRecord]) -> list[PartRecord]:
        self._output = self._files.enter_context(GrowingFile(self.folder / OUTPUT))
        self._rejected = self._files.enter_context(GrowingFile(self.folder / REJECTED))
        sound: list[PartRecord] = []
        for record in journal:
            output = self._output.digest_at(record.output_end)
            rejected = self._rejected.digest_at(record.rejected_end)
            found = [one and one.hexdigest() for one in (output, rejected)]
            stated = [record.output_digest, record.rejected_digest]
            if found != stated or record.number != len(sound):
                break
            assert output is not None
            assert rejected is not None
            self._output.digest, self._output.end = output, record.output_end
            self._rejected.digest, self._rejected.end = rejected, record.rejected_end
            sound.append(record)
        self._output.cut()
        self._rejected.cut()
        return sound

    def add(self, result: PartResult) -> None:
        """Append a part; they come in order."""
        header = rejected_header() if result.rejected and not self._rejected.end else b""
        self._output.append(result.output)
        self._rejected.append(header + result.rejected)
        self._add(
            PartRecord(
                number=result.number,
                counts=result.counts.as_dict(),
                output_end=self._output.end,
                rejected_end=self._rejected.end,
                output_digest=self._output.digest.hexdigest(),
                rejected_digest=self._rejected.digest.hexdigest(),
            )
        )

    def gather_rejected(self) -> dict[str, Any] | None:
        """Describe the records with faults of all finished parts."""
        file = self._rejected
        return {"bytes": file.end, "digest": file.digest.hexdigest()} if file.end else None

    def digest(self) -> tuple[int, str]:
        """Bytes and SHA-256 of all finished parts."""
        return self._output.end, self._output.digest.hexdigest()


class SeparateParts(PartStore):
    """Parts in files of their own, on a disk that all machines share.

    A folder for each identity keeps what a worker of an earlier, other run still writes, if it was
    only thought to be dead, away from this one.
    """

    def _sound(self, journal: list[PartRecord]) -> list[PartRecord]:
        for name in (DATA, REJECTS, WRITING):
            (self.shared / name).mkdir(parents=True, exist_ok=True)
        (self.shared / FAULTY).unlink(missing_ok=True)
        return [record for record in journal if self._is_sound(record)]

    @property
    def shared(self) -> Path:
        """Where workers write."""
        return self._own

    def _is_sound(self, record: PartRecord) -> bool:
        name = part_name(record.number)
        pairs = (
            (self.shared / DATA / name, record.output_end, record.output_digest),
            (self.shared / REJECTS / f"{name}.csv", record.rejected_end, record.rejected_digest),
        )
        return all(
            path.is_file() and path.stat().st_size == size and file_digest(path) == digest
            for path, size, digest in pairs
        )

    def add(self, result: PartResult) -> None:
        """Note a part that a worker has written."""
        assert result.written is not None
        counts = result.counts.as_dict()
        self._add(PartRecord(number=result.number, counts=counts, **result.written._asdict()))

    def gather_rejected(self) -> dict[str, Any] | None:
        """Put the rejected records of all parts together, in order."""
        texts = [
            (self.shared / REJECTS / f"{part_name(number)}.csv").read_bytes()
            for number in sorted(self.finished)
        ]
        if not any(texts):
            return None
        data = rejected_header() + b"".join(texts)
        replace_file(self.folder / REJECTED, data)
        return {"bytes": len(data), "digest": bytes_digest(data)}


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _locked(folder: Path) -> Lock:
    while True:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            got = Phrase("something else of this name")
            raise InvalidCase(Fault(str(folder), "a folder of unfinished parts", got)) from None
        except OSError as reason:
            raise InvalidCase(unwritable(folder.with_suffix(""), reason)) from reason
        # The folder may vanish between the steps, when another run ends.
        with suppress(FileNotFoundError):
            refuse_foreign_names(folder)
            return Lock(folder / LOCK)
