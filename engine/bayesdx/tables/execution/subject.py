"""What the rows of a table are put to: an engine, or a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bayesdx.diagnosis.case_faults import RowNames
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.results import TOO_COMPLEX
from bayesdx.diagnosis.scoring import STATUSES, Scores, flag_names, score_cases
from bayesdx.diagnosis.values import WORDS, Words
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.noisy.choice import settled
from bayesdx.inference.noisy.complexity import coupled_names, too_complex
from bayesdx.inference.noisy.model import BoolArray, IntArray
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.outputs import OutputOptions, output_schema, output_table
from bayesdx.tables.reserved import CASE_ID

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

Read = TypeVar("Read")
Answers = TypeVar("Answers")
ReadRows = tuple[Read, BoolArray, tuple[tuple[int, Fault], ...]]


class Subject(ABC, Generic[Read, Answers]):
    """Reads the cells of N cases, answers the cases, lays the answers out."""

    #: Files that must not be written over, beside the table.
    paths: Sequence[Path] = ()

    @abstractmethod
    def check_columns(self, names: Iterable[str]) -> None:
        """Refuse columns that are no evidence, the reserved ones left out.

        Raises
        ------
        InvalidCase
        """

    @abstractmethod
    def read(
        self, columns: Mapping[str, pa.ChunkedArray], n_cases: int, rows: RowNames
    ) -> ReadRows[Read]:
        """Return the cases, of bad rows nothing; which are good; what is wrong with the others."""

    def knows(self, name: str) -> bool:
        """Whether a column of this name is evidence."""
        try:
            self.check_columns([name])
        except InvalidCase:
            return False
        return True

    def answers(self) -> tuple[str, ...]:
        """Return the columns that the answers have, the id left out."""
        return ()

    def settled(self, rows: int) -> Self:  # noqa: ARG002 - of most subjects nothing
        """Return what answers a run of so many rows, decided once."""
        return self

    @abstractmethod
    def answer(self, cases: Read, threads: int) -> Answers:
        """Answer every case."""

    @abstractmethod
    def rows(self, cases: Read, at: IntArray) -> Read:
        """Return some of the cases that were read."""

    @abstractmethod
    def unanswered(self, answers: Answers) -> BoolArray:
        """Return which cases were too complex to be answered."""

    @abstractmethod
    def too_complex(self, cases: Read) -> BoolArray:
        """Return which cases will be too complex, as far as it shows before they are answered."""

    @abstractmethod
    def complexity(self, place: str, cases: Read, answers: Answers | None, position: int) -> Fault:
        """Say what makes one case too complex."""

    @abstractmethod
    def take(self, answers: Answers, kept: BoolArray) -> Answers:
        """Return the answers of some cases."""

    @abstractmethod
    def count(self, answers: Answers) -> Counts:
        """Count the answers."""

    @abstractmethod
    def table(self, answers: Answers, ids: pa.Array | None, rows: NDArray[np.int64]) -> pa.Table:
        """Lay answers out as they are written."""

    @abstractmethod
    def facts(self) -> tuple[dict[str, str], dict[str, Any], str]:
        """Return what is asked (name, digest ...), what is wanted of it, and the backend."""


@dataclass(frozen=True, eq=False)
class EngineSubject(Subject[Cases, Scores]):
    """An engine that scores.

    Attributes
    ----------
    core : Core
        `Engine.core`.
    output : OutputOptions
    words : Words
        How cells are written.
    """

    core: Core
    output: OutputOptions
    words: Words = WORDS

    def knows(self, name: str) -> bool:
        """Whether a name is that of a finding, risk or measure."""
        return self.core.reader.names.knows(name)

    def answers(self) -> tuple[str, ...]:
        """Return the columns of scores."""
        return tuple(n for n in output_schema(self.core, self.output, False).names if n != CASE_ID)

    def check_columns(self, names: Iterable[str]) -> None:
        """Refuse what names no finding, risk or measure."""
        self.core.reader.names.check_columns(names)

    def read(
        self, columns: Mapping[str, pa.ChunkedArray], n_cases: int, rows: RowNames
    ) -> ReadRows[Cases]:
        """Read cells; see `CaseReader.read_rows`."""
        return self.core.reader.read_rows(columns, n_cases, rows, self.words)

    def settled(self, rows: int) -> Self:
        """Choose the backend."""
        backend = settled(self.core.backend, self.core.model, rows)
        return replace(self, core=replace(self.core, backend=backend))

    def answer(self, cases: Cases, threads: int) -> Scores:
        """Score cases."""
        return score_cases(self.core, cases, threads, self.output.measure)

    def rows(self, cases: Cases, at: IntArray) -> Cases:
        """Return some cases."""
        return cases.take(at)

    def unanswered(self, answers: Scores) -> BoolArray:
        """Return which cases have the status ``too_complex``."""
        result: BoolArray = answers.status == STATUSES.index(TOO_COMPLEX)
        return result

    def too_complex(self, cases: Cases) -> BoolArray:
        """Return which cases will have that status."""
        return too_complex(self.core.model, cases.evidence)

    def complexity(
        self,
        place: str,
        cases: Cases,
        answers: Scores | None,  # noqa: ARG002 - told by the cases
        position: int,
    ) -> Fault:
        """Name what couples."""
        names = coupled_names(self.core.model, cases.evidence.take(np.array([position])))
        got = Phrase(f"too complex a case: {', '.join(names)} couple")
        return Fault(place, "findings and risks that couple less", got)

    def take(self, answers: Scores, kept: BoolArray) -> Scores:
        """Return some scores."""
        return answers.take(kept)

    def count(self, answers: Scores) -> Counts:
        """Count by status, urgency and red flags."""
        return count_scores(self.core, answers)

    def table(self, answers: Scores, ids: pa.Array | None, rows: NDArray[np.int64]) -> pa.Table:
        """Lay scores out; see `output_table`."""
        return output_table(self.core, answers, ids, rows, self.output)

    def facts(self) -> tuple[dict[str, str], dict[str, Any], str]:
        """Return the knowledge, the output's options and the backend."""
        model, causes = self.core.knowledge.model, self.output.causes
        knowledge = {
            "name": model.name,
            "version": model.version,
            "digest": self.core.knowledge.digest,
            "intended_use": model.intended_use,
        }
        if self.core.knowledge.setting is not None:
            knowledge["setting"] = self.core.knowledge.setting.label
        asked = {**asdict(self.output), "causes": None if causes is None else list(causes)}
        return knowledge, asked, self.core.backend


def count_scores(core: Core, scores: Scores) -> Counts:
    """Count scored records by status, urgency and red flags."""
    fired = scores.flags.sum(axis=0)
    names = flag_names(core)
    return Counts(
        scored=len(scores.status),
        status=_named(np.bincount(scores.status, minlength=len(STATUSES)), STATUSES),
        urgency=_named(np.bincount(scores.urgency, minlength=len(LEVELS)), LEVELS),
        red_flags=_named(fired, names),
    )


def _named(numbers: Any, names: tuple[str, ...]) -> Counter[str]:
    pairs = zip(names, numbers.tolist(), strict=True)
    return Counter({name: number for name, number in pairs if number})
