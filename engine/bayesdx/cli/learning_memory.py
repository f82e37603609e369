"""What a search for learned numbers has looked at, kept in a folder beside its output."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

import bayesdx
from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.inference.arrays import FloatArray

if TYPE_CHECKING:
    from bayesdx.diagnosis.learning.number_posterior import Remember

_IDENTITY = "run.json"


@dataclass(frozen=True)
class FolderMemory:
    """Arrays by name, a file each."""

    folder: Path

    def get(self, name: str) -> Mapping[str, FloatArray] | None:
        """Arrays that were put there; None where there are none, or not whole ones."""
        try:
            with np.load(self.folder / f"{name}.npz", allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def put(self, name: str, arrays: Mapping[str, FloatArray]) -> None:
        """Keep arrays, all of them or none."""
        from bayesdx.whole_files import replace_file

        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type] # names are not `allow_pickle`
        replace_file(self.folder / f"{name}.npz", content.getvalue())


@contextmanager
def learning_memory(
    output: Path,
    engine: bayesdx.Engine,
    cases: str,
    options: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
) -> Iterator[Remember]:
    """Keep what a search looks at in ``OUTPUT.parts`` until it has ended.

    Raises
    ------
    InvalidCase
        An unfinished run is there and neither ``resume`` nor ``restart`` is asked for; or
        ``resume`` is, and it was one of other cases, numbers or options.
    """
    from bayesdx.diagnosis.learning.number_posterior import as_it_is
    from bayesdx.diagnosis.learning.remembered import RememberedLikelihood
    from bayesdx.tables.execution.part_journal import refuse_another_run
    from bayesdx.tables.sources.streams import file_digest
    from bayesdx.whole_files import replace_file

    if cases == "-":
        # Nobody can tell whether a stream is the same another time.
        yield as_it_is
        return
    folder = output.with_name(f"{output.name}.parts")
    identity = {
        "version": bayesdx.__version__,
        "knowledge": engine.knowledge.digest,
        "cases": file_digest(Path(cases)),
        "options": json.loads(json.dumps(dict(options))),
    }
    place = folder / _IDENTITY
    begun = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if begun and not place.is_file():
        expected = "a folder of an unfinished run, or none"
        raise InvalidCase(Fault(str(folder), expected, Phrase("something else")))
    if restart and begun:
        shutil.rmtree(folder)
    elif begun:
        if not resume:
            expected = "no unfinished run (--resume goes on with it, --restart drops it)"
            raise InvalidCase(Fault(str(folder), expected, Phrase("one")))
        refuse_another_run(place, _read(place), identity)
    if not place.is_file():
        folder.mkdir(mode=0o700, exist_ok=True)
        replace_file(place, json.dumps(identity).encode())
    memory = FolderMemory(folder)
    try:
        yield lambda likelihood, name: RememberedLikelihood(likelihood, memory, name)
    except BayesdxError:
        # Not interrupted: another time would end in the same way.
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
