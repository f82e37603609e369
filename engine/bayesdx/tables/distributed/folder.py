"""An unfinished run on a disk that all machines share.

::

    OUT.partitions/
        lock                    held by the process that started the run
        manifest.json           what the run is made from
        <identity>/data/        part-00000.parquet ...; becomes OUT
        <identity>/receipts/    part-00000.parquet.json: whole, with this digest and these counts
        <identity>/rejects/     part-00000.parquet.csv: records with faults
        <identity>/writing/     what is not whole yet, or never will be

A folder of its own for each identity keeps what a worker of an earlier, other run still writes, if
it was only thought to be dead, away from this one.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.running.disk import Lock, as_json, read_json, replace_file
from bayesdx.tables.running.rejects import rejected_header
from bayesdx.tables.sources.streams import file_digest

SUFFIX = ".partitions"
LOCK, MANIFEST = "lock", "manifest.json"
DATA, RECEIPTS, REJECTS, WRITING = "data", "receipts", "rejects", "writing"
#: How often a folder is cleared that somebody still writes into, and seconds in between.
CLEARINGS, PAUSE = 20, 0.1
#: A file that says that some record has a fault, so that nothing will be kept.
FAULTY = "faulty"
_OWN = re.compile(rf"{LOCK}|{re.escape(MANIFEST)}|\.{re.escape(MANIFEST)}\..*|[0-9a-f]{{16}}")


class Receipt(NamedTuple):
    """That a partition is whole on the disk.

    Attributes
    ----------
    number : int
    counts : dict
        `Counts.as_dict` of its records.
    digest : str
        SHA-256 of the file.
    bytes : int
    any_rejected : bool
    """

    number: int
    counts: dict[str, Any]
    digest: str
    bytes: int
    any_rejected: bool


def part_name(number: int) -> str:
    """Return the file name of a partition, as in a run on one machine."""
    return f"part-{number:05}.parquet"


class RunFolder:
    """The unfinished run, as the machine sees it that started it.

    Parameters
    ----------
    place : Path
        ``OUT.partitions``; made where it is not there.
    identity : mapping
        What a run must have in common with the one that made the finished partitions.
    resume, restart : bool
        Go on from finished partitions, or throw them away.

    Attributes
    ----------
    folder : Path
        Of this identity.
    done : dict of int to Receipt
        Finished partitions; each file was compared with its digest.

    Raises
    ------
    InvalidCase
        The folder cannot be made; another process is at work there; it holds finished partitions
        and neither ``resume`` nor ``restart`` is asked for; or ``resume`` is, and they were made
        from other input, knowledge or options, with every difference.
    """

    def __init__(
        self, place: Path, identity: Mapping[str, Any], *, resume: bool, restart: bool
    ) -> None:
        self._place = place
        try:
            place.mkdir(exist_ok=True)
        except OSError as reason:
            got = Phrase(reason.strerror or str(reason))
            raise InvalidCase(Fault(str(place), "a place to write to", got)) from reason
        foreign = [one.name for one in place.iterdir() if not _OWN.fullmatch(one.name)]
        if foreign:
            got = Phrase(f"one that holds {', '.join(foreign[:3])}")
            raise InvalidCase(Fault(str(place), "no folder, or one of an unfinished run", got))
        self._lock = Lock(place / LOCK)
        try:
            plain = json.loads(json.dumps(dict(identity)))
            text = json.dumps(plain, sort_keys=True)
            self.folder = place / hashlib.sha256(text.encode()).hexdigest()[:16]
            self.done = self._begin(plain, resume, restart)
        except BaseException:
            self.close()
            raise

    def _begin(self, identity: dict[str, Any], resume: bool, restart: bool) -> dict[int, Receipt]:
        before = read_json(self._place / MANIFEST)
        kept = any(self._place.glob(f"*/{RECEIPTS}/*.json"))
        if kept and before is not None and not restart:
            if not resume:
                expected = "no unfinished run there: --resume goes on with it, --restart drops it"
                got = Phrase("finished partitions of an unfinished run")
                raise InvalidCase(Fault(str(self._place), expected, got))
            _check_same(self._place / MANIFEST, before.get("identity", {}), identity)
        else:
            self._empty()
        for name in (DATA, RECEIPTS, REJECTS, WRITING):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / FAULTY).unlink(missing_ok=True)
        replace_file(self._place / MANIFEST, as_json({"format": 1, "identity": identity}))
        found = (self._receipt(path) for path in (self.folder / RECEIPTS).glob("*.json"))
        return {receipt.number: receipt for receipt in found if receipt is not None}

    def _receipt(self, path: Path) -> Receipt | None:
        """Read a receipt; None where the file it is about is not there as it says."""
        with suppress(OSError, TypeError):
            receipt = Receipt(**(read_json(path) or {}))
            data = self.folder / DATA / part_name(receipt.number)
            if data.stat().st_size == receipt.bytes and file_digest(data) == receipt.digest:
                return receipt
        path.unlink(missing_ok=True)
        return None

    def rejected(self, numbers: list[int]) -> bytes:
        """Return the records with faults of all partitions, in order, with a header."""
        texts = [(self.folder / REJECTS / f"{part_name(one)}.csv").read_bytes() for one in numbers]
        return rejected_header() + b"".join(texts)

    def close(self) -> None:
        """Leave everything for a later run; nothing stays where nothing is finished."""
        if any(self._place.glob(f"*/{RECEIPTS}/*.json")):
            self._lock.let_go()
        else:
            self.discard()

    def discard(self) -> None:
        """Take the folder away."""
        self._empty()
        self._lock.take_away()
        self._lock.let_go()
        with suppress(OSError):
            self._place.rmdir()

    def _empty(self) -> None:
        (self._place / MANIFEST).unlink(missing_ok=True)
        for _ in range(CLEARINGS):
            folders = [one for one in self._place.iterdir() if _is_folder(one)]
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
            if not folders:
                return
            # A worker that was thought to be dead may write into what is being taken away.
            if any(map(_is_folder, folders)):
                time.sleep(PAUSE)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _check_same(place: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to mix partitions of two runs, and name all that is different."""
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
