"""Files that survive a power cut, and a lock that does not survive its owner."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from bayesdx.errors import Fault, InvalidCase, Phrase

#: Locks of POSIX systems; elsewhere a lock is a file that nobody else could make.
_fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None


def write_through(file: IO[bytes], data: bytes) -> None:
    """Append to a file and wait until the disk has it."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in one step: its name stands for all of the old content or all of the new."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            write_through(file, data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; a system that cannot is left alone."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def as_json(value: object) -> bytes:
    """Return a value as a JSON document for people to read."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file holds; None where there is none, or half of one."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


class Lock:
    """A file that one process holds; it is free again when that process ends, however it does.

    Parameters
    ----------
    path : Path
        Of the lock; its folder exists.

    Raises
    ------
    InvalidCase
        Another process holds it.
    FileNotFoundError
        Its folder vanished.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        while True:
            self._file = self._open()
            # Whoever held it may have taken it away between the opening and the locking.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file.fileno()), path.stat()):
                    break
            self._file.close()
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())
        self._file.flush()

    def _open(self) -> IO[bytes]:
        if _fcntl is None:
            try:
                return self._path.open("xb")
            except FileExistsError:
                raise self._held() from None
        file = self._path.open("ab")
        try:
            _fcntl.flock(file, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise self._held() from None
        return file

    def _held(self) -> InvalidCase:
        try:
            owner = self._path.read_text().strip() or "another"
        except OSError:
            owner = "another"
        expected = "that no other run writes to this output"
        return InvalidCase(Fault(str(self._path), expected, Phrase(f"process {owner}, which does")))

    def take_away(self) -> None:
        """Take the file away while it is held."""
        self._path.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Let go of the file; one that is left stands for nothing."""
        if _fcntl is None:
            self.take_away()
        self._file.close()
