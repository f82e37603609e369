"""Files that are never half there: each takes its name in one step, when the disk has all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def new_file(path: Path, mode: int | None = None) -> Iterator[IO[bytes]]:
    """Give a file to write that takes its name in one step, when the disk has all of it.

    Parameters
    ----------
    path : Path
        Stands for all of the old content or all of the new.
    mode : int, optional
        Permissions, from before anything is written; those of the process by default.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    # Not through a link that somebody else has put there.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINKS
    try:
        with os.fdopen(os.open(beside, flags, 0o666 if mode is None else 0o600), "wb") as file:
            if mode is not None:
                beside.chmod(mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in one step; see `new_file`."""
    with new_file(path, mode) as file:
        file.write(data)


def replace_content(path: Path, data: bytes) -> None:
    """Write a file in one step; what cannot be replaced is written through.

    Parameters
    ----------
    path : Path
        A file that exists keeps its permissions. A link keeps pointing where it points; its target
        is what gets replaced. A pipe or a device is written to.
    data : bytes
        All of its content.

    Raises
    ------
    OSError
        The file cannot be written there; what stood there is as it was.
    """
    try:
        if path.exists() and not path.is_file():
            # Replacing a pipe or /dev/null would destroy the device.
            path.write_bytes(data)
        else:
            replace_file(path.resolve(), data, permissions(path))
    except OSError as reason:
        # That of a full disk names no file.
        reason.filename = reason.filename or str(path)
        raise


def is_same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file that exists, by links of any kind."""
    try:
        return first.samefile(second)
    except OSError:
        return False


def permissions(path: Path) -> int | None:
    """Return the permissions of what a path stands for; None where there is nothing."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; a system that cannot is left alone."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
