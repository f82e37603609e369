"""What is known of a run: enough to repeat it, and to tell whether it would be the same."""

from __future__ import annotations

import hashlib
import hmac
import json
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesdx import __version__
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.noisy import jit
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.sources.chunks import CaseSource
from bayesdx.tables.sources.formats import unreadable
from bayesdx.tables.target import Target

if TYPE_CHECKING:
    from bayesdx.tables.execution.run_options import RunOptions
    from bayesdx.tables.execution.subject import Subject

#: Bytes of a key, at least: what 128 bits of chance take.
LEAST_KEY = 16
LARGEST_KEY = 1 << 16
#: Key of the same facts in the metadata of Parquet files, times and places left out.
METADATA_KEY = b"bayesdx"


@dataclass(frozen=True)
class RunFacts:
    """What a run is made from; two runs of the same setting give the same bytes.

    Attributes
    ----------
    input_name, input_digest : str
        The digest is empty until the end where the input is a stream.
    input_bytes : int or None
    knowledge : dict
        Name, version, digest, intended use.
    engine : dict
        Versions of what computes.
    options : dict
        What was asked for, chunk size and format among it.
    """

    input_name: str
    input_digest: str
    input_bytes: int | None
    knowledge: dict[str, str]
    engine: dict[str, str | None]
    options: dict[str, Any]

    def identity(self) -> dict[str, Any]:
        """Return what a resumed run must have in common; empty where the input is a stream."""
        if not self.input_digest:
            return {}
        return {
            "input": self.input_digest,
            "knowledge": self.knowledge["digest"],
            **self.engine,
            **self.options,
        }


def gather_facts(
    subject: Subject[Any, Any],
    source: CaseSource,
    options: RunOptions,
    target: Target,
    *,
    at_end: bool = False,
) -> RunFacts:
    """Gather what a run is made from; reads all of the input once, for its digest.

    A stream has none before its end.
    """
    digest = source.digest() if at_end or source.size is not None else ""
    knowledge, wanted, backend = subject.facts()
    asked = {
        **wanted,
        "table": options.table.as_dict(),
        "unique_ids": options.unique_ids,
        "on_error": options.on_error,
        "chunk_rows": options.chunk_rows,
        "format": ".".join(filter(None, (target.kind, target.compression))),
        "folder": target.folder,
    }
    return RunFacts(
        input_name=source.name,
        input_digest=digest,
        input_bytes=source.size,
        knowledge=knowledge,
        engine=engine_facts(backend),
        options=asked,
    )


def engine_facts(backend: str) -> dict[str, str | None]:
    """Return the versions of what computes in this process."""
    return {
        "version": __version__,
        "backend": backend,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": metadata.version("numpy"),
        "pyarrow": metadata.version("pyarrow"),
        "numba": metadata.version("numba") if jit.installed() else None,
    }


def facts(setting: RunFacts, counts: Counts | None = None) -> dict[str, Any]:
    """Return what does not change when a run is repeated; of a part without the counts."""
    counted = {} if counts is None else {"counts": counts.as_dict()}
    return {
        "engine": {"name": "bayesdx", **setting.engine},
        "knowledge": setting.knowledge,
        "input": {
            "name": setting.input_name,
            "digest": setting.input_digest,
            "bytes": setting.input_bytes,
        },
        "options": setting.options,
        # Scoring is exact; nothing is drawn.
        "seed": None,
        **counted,
    }


def audit(
    setting: RunFacts,
    counts: Counts,
    output: dict[str, Any],
    run: dict[str, Any],
    rejected: dict[str, Any] | None,
    key: bytes | None,
) -> dict[str, Any]:
    """Return the content of ``OUT.audit.json``: what was done with what, and what came of it.

    Its digest is of all the rest, as is its signature where there is a key.
    """
    told = {
        "format": 2,
        **facts(setting, counts),
        "output": output,
        "rejected": rejected,
        "run": run,
    }
    signature = {} if key is None else {"signature": signed(told, key)}
    return {**told, "digest": hashlib.sha256(canonical(told)).hexdigest(), **signature}


def canonical(told: dict[str, Any]) -> bytes:
    """Return an audit as the bytes that are digested: without digest and signature, keys sorted."""
    rest = {name: value for name, value in told.items() if name not in ("digest", "signature")}
    return json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()


def signed(told: dict[str, Any], key: bytes) -> str:
    """Return the HMAC-SHA256 of an audit, hexadecimal."""
    return hmac.new(key, canonical(told), hashlib.sha256).hexdigest()


def read_key(path: Path | None) -> bytes | None:
    """Read the key of a signature, line ends after it left out.

    Raises
    ------
    InvalidCase
        It cannot be read, or is too short to keep anybody out.
    """
    if path is None:
        return None
    try:
        if path.exists() and not path.is_file():
            raise InvalidCase(Fault(str(path), "a file", Phrase("a folder, a pipe or a device")))
        with path.open("rb") as file:
            key = file.read(LARGEST_KEY + 1).rstrip(b"\r\n")
    except OSError as reason:
        raise InvalidCase(unreadable(path, reason)) from reason
    if len(key) > LARGEST_KEY:
        got = Phrase("more")
        raise InvalidCase(Fault(str(path), f"a key of at most {LARGEST_KEY} bytes", got))
    if len(key) < LEAST_KEY:
        got = Phrase(f"{len(key)} bytes")
        raise InvalidCase(Fault(str(path), f"a key of at least {LEAST_KEY} bytes", got))
    return key
