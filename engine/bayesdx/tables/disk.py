"""Files that survive a power cut, and a lock that does not survive its owner."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from bayesdx.errors import Fault, InvalidCase, Phrase

_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)
#: Bytes read at a time when digests are checked.
BLOCK = 1 << 22
#: Locks of POSIX systems; elsewhere a lock is a file that nobody else could make.
_fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None


def unwritable(path: str | Path, reason: OSError) -> Fault:
    """Say why a file cannot be written, and which folder there is none of."""
    got = reason.strerror or str(reason)
    folder = Path(path).parent
    if isinstance(reason, FileNotFoundError) and not folder.is_dir():
        got += f": there is no folder {folder}"
    return Fault(str(path), "a place to write to", Phrase(got))


def write_through(file: IO[bytes], data: bytes) -> None:
    """Append to a file and wait until the disk has it."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def as_json(value: object) -> bytes:
    """Return a value as a JSON document for people to read."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file holds; None where there is none, or half of one."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class GrowingFile:
    """A file that only grows, and its digest.

    Attributes
    ----------
    end : int
        Bytes that count.
    digest : hash
        SHA-256 of them.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self.file: IO[bytes] = path.open("r+b")
        self.digest = hashlib.sha256()
        self.end = 0

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def append(self, data: bytes) -> None:
        """Add bytes, and wait until the disk has them."""
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
        # Not through a link that somebody else has put there.
        flags = os.O_RDWR | os.O_CREAT | _NO_LINKS
        file = os.fdopen(os.open(self._path, flags, 0o600), "r+b")
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
