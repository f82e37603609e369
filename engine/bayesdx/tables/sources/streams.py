"""Bytes of an input, decompressed, with how far they were read and their digest."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import stat
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.formats import STANDARD_INPUT, STANDARD_STREAM, unreadable

#: Bytes read from a file at once.
BLOCK = 1 << 20
_CALLED = {"gz": "gzip", "zst": "zstd"}


class FileStamp(NamedTuple):
    """What changes when a file does, or is replaced by another."""

    device: int
    inode: int
    size: int
    modified: int


def file_stamp(file: BinaryIO) -> FileStamp | None:
    """Return the stamp of an open file; None of a pipe or a device."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileStamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class _Counted(io.RawIOBase):
    """A raw file that counts and, for what cannot be read twice, digests what passes."""

    def __init__(self, file: BinaryIO, *, hashing: bool) -> None:
        super().__init__()
        self._file = file
        self.count = 0
        self.ended = False
        self.sha = hashlib.sha256() if hashing else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        self.ended = not data
        if self.sha is not None:
            self.sha.update(data)
        return len(data)


class ByteStream:
    """The bytes of a file or of standard input, in order, once.

    Attributes
    ----------
    name : str
    path : Path or None
        None of standard input.
    size : int or None
        Bytes as stored; None of a pipe.
    codec : str or None
        Encoding of the text, where it is to be read as UTF-8 and is not.
    """

    def __init__(
        self,
        raw: BinaryIO,
        name: str,
        path: Path | None = None,
        compression: str = "",
        codec: str | None = None,
    ) -> None:
        self._raw = raw
        self.path = path
        self.name = name
        self._compression = compression
        self._stamp = self._read_stamp()
        self.size = None if self._stamp is None else self._stamp.size
        self._counted = _Counted(self._raw, hashing=self._stamp is None)
        self._stream = self._opened()
        self.codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)("surrogateescape") if codec else None

    @classmethod
    def open(cls, source: str | Path, compression: str, codec: str | None = None) -> ByteStream:
        """Open a file by its path, or standard input as ``-``.

        Raises
        ------
        InvalidCase
            It cannot be opened.
        """
        if str(source) == STANDARD_STREAM:
            return cls(sys.stdin.buffer, STANDARD_INPUT, None, compression, codec)
        path = Path(source)
        try:
            return cls(path.open("rb"), str(path), path, compression, codec)
        except OSError as reason:
            raise InvalidCase(unreadable(path, reason)) from reason

    @classmethod
    def of_bytes(cls, data: bytes, name: str) -> ByteStream:
        """Read bytes that are there as if they came from a pipe."""
        return cls(io.BytesIO(data), name, None, "", None)

    def read(self, count: int = BLOCK) -> bytes:
        """Return the next bytes, at most ``count`` as stored; empty at the end only.

        Raises
        ------
        InvalidCase
            The file cannot be read, breaks off, or was changed meanwhile.
        """
        if self._decoder is None:
            return self._read(count)
        while True:
            data = self._read(count)
            try:
                text = self._decoder.decode(data, not data)
            except UnicodeError as reason:
                raise InvalidCase(Fault(self.name, f"text in {self.codec}", data[:8])) from reason
            if text or not data:
                # What is none in its encoding is none in UTF-8 either: its row is told of.
                return text.encode("utf-8", "surrogatepass")

    def _read(self, count: int) -> bytes:
        try:
            # What there is of a file that breaks off comes first, then the error.
            data: bytes = getattr(self._stream, "read1", self._stream.read)(count)
        except (EOFError, OSError, zlib.error, pa.ArrowException) as reason:
            raise InvalidCase(self._broken(reason)) from reason
        if not data and self._stamp != self._read_stamp():
            got = Phrase("one that was changed while it was read")
            raise InvalidCase(Fault(self.name, "a file that stays as it is", got))
        return data or b""

    def progress(self) -> float | None:
        """Share of the stored bytes that was read."""
        if self.size is None:
            return None
        return min(self._counted.count / self.size, 1.0) if self.size else 1.0

    def digest(self) -> str:
        """SHA-256 of the stored bytes; of a pipe once all of it was read."""
        if self._stamp is not None:
            # Of the file that is read, whatever may have its name by now.
            at = self._raw.tell()
            self._raw.seek(0)
            digest = hashlib.file_digest(self._raw, "sha256").hexdigest()  # type: ignore[arg-type]
            self._raw.seek(at)
            return digest
        assert self._counted.sha is not None
        if not self._counted.ended:
            got = Phrase("a digest asked for before that")
            raise InvalidCase(Fault(self.name, "input that was read to its end", got))
        return self._counted.sha.hexdigest()

    def close(self) -> None:
        """Close the file; standard input is left open."""
        if self.path is not None:
            self._raw.close()

    def _read_stamp(self) -> FileStamp | None:
        """What tells a regular file from another."""
        return None if self.path is None else file_stamp(self._raw)

    def _opened(self) -> Any:
        if self._compression == "gz":
            return gzip.GzipFile(fileobj=io.BufferedReader(self._counted, BLOCK))
        if self._compression == "zst":
            return pa.CompressedInputStream(pa.PythonFile(self._counted, mode="r"), "zstd")
        return io.BufferedReader(self._counted, BLOCK)

    def _broken(self, reason: Exception) -> Fault:
        if not self._compression:
            return Fault(self.name, "a readable file", Phrase(str(reason)))
        short = isinstance(reason, EOFError) or "runcated" in str(reason)
        got = Phrase("one that breaks off" if short else "one that is damaged, or none at all")
        return Fault(self.name, f"a complete {_CALLED[self._compression]} file", got)


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises
    ------
    InvalidCase
        The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as reason:
        raise InvalidCase(unreadable(path, reason)) from reason


def bytes_digest(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()
