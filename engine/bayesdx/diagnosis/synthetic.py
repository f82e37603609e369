"""Cases drawn from the model and told as somebody would tell them: partly, and not always rightly.

For load tests and self-consistency checks. They are no patients: what is found on them says how the
engine treats its own assumptions, never how accurate it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayesdx.checked_numbers import is_whole
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.measured import Measured, measured_targets
from bayesdx.diagnosis.tied_findings import Relations
from bayesdx.errors import BayesdxError, Fault
from bayesdx.inference.evidence import StateArray
from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.inference.noisy.sampling import (
    SCALE,
    DrawArray,
    ForwardSampler,
    draws_below,
    uniform_draws,
)

#: Cases are drawn in blocks of this size, each from its own random numbers: which cases a seed
#: gives depends neither on how many are asked for nor on how they are cut into chunks.
BLOCK = 1 << 14
#: Largest case number; ids keep their width up to it.
MOST_CASES = 10**12

# Purposes of random numbers. Each has its own, so that an option changes only what it is about.
_TRUTH, _ASKING, _STRANGERS, _NOISE, _TELLING = range(5)

#: Soft evidence is told in hundredths.
_GRADES = np.arange(1, 100)


@dataclass(frozen=True)
class SampleOptions:
    """How cases are drawn and told.

    Attributes
    ----------
    seed : int
        From 0 to 2^63 - 1. The same seed gives the same cases on every machine.
    asked, risks_asked : (float, float)
        Range of the share of findings and of risks that a case tells; each case has a share of
        its own, uniform within the range. `risks_asked` is as `asked` when not given.
    flip : float
        Probability that an answer is wrong: the other of two states, any other of several.
    soft : float
        Share of told binary findings that are told as soft evidence: a number p such that p is
        p / (1 - p) times as likely where the finding is present as where it is absent.
    strangers : float
        Share of cases outside the model: each of their findings is taken from another case drawn
        at random, another one for each finding. Each is then as common as the model says, but
        nothing makes them come together. Risks and causes stay those of the case itself.
    thresholds : float
        Share of told ordinal findings that are told by one of their thresholds, present or absent,
        instead of by their state.
    measures : float
        Share of what a measure can tell that is told as a number, uniform among some hundred
        numbers of the band that stands for the state.
    """

    seed: int = 0
    asked: tuple[float, float] = (0.20, 0.35)
    risks_asked: tuple[float, float] | None = None
    flip: float = 0.0
    soft: float = 0.0
    strangers: float = 0.0
    thresholds: float = 0.2
    measures: float = 0.5

    def __post_init__(self) -> None:
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "seed":
                if not is_whole(value, 0, 2**63 - 1):
                    faults.append(Fault("seed", "a whole number from 0 to 2^63 - 1", value))
            elif field.name in ("asked", "risks_asked"):
                if value is not None and not (
                    len(value) == 2 and 0.0 <= value[0] <= value[1] <= 1.0
                ):
                    expected = "two shares from 0 to 1, the lower one first"
                    faults.append(Fault(field.name, expected, value))
            elif not 0.0 <= value <= 1.0:
                faults.append(Fault(field.name, "a share from 0 to 1", value))
        if faults:
            raise BayesdxError(faults)


@dataclass(frozen=True)
class Column:
    """What one column of told cases can hold.

    Attributes
    ----------
    name : str
    words : tuple of str, optional
        What its codes stand for; None for a column of measured numbers.
    """

    name: str
    words: tuple[str, ...] | None


class Told(NamedTuple):
    """What one column says of N cases.

    Attributes
    ----------
    values : int8, int16 or float64 array (N,)
        Positions among the words of the column, or measured numbers.
    told : bool array (N,)
        Where it says anything; elsewhere the values mean nothing.
    """

    values: NDArray[np.int8] | NDArray[np.int16] | FloatArray
    told: BoolArray


@dataclass(frozen=True, eq=False)
class ToldCases:
    """N cases as they are told, and what was true of them.

    Attributes
    ----------
    cells : tuple of Told
        One a column of `CaseSampler.columns`.
    causes : bool array (N, K)
        True causes, in the order of `Core.causes`.
    strangers : bool array (N,)
        Cases whose findings no causes made together.
    """

    cells: tuple[Told, ...]
    causes: BoolArray
    strangers: BoolArray


@dataclass(frozen=True, eq=False)
class _Drawn:
    """One block while it is made; arrays of one variable are contiguous and change in place."""

    risks: list[StateArray]
    findings: list[StateArray]  # binary, then ordinal ones
    risks_told: list[BoolArray]
    told: list[BoolArray]


class CaseSampler:
    """Draws told cases from one knowledge, block after block.

    Attributes
    ----------
    columns : tuple of Column
        Risks, findings in the order of the knowledge, measures.
    """

    def __init__(self, core: Core, options: SampleOptions) -> None:
        self._core, self._options = core, options
        model, knowledge = core.model, core.knowledge
        self._forward = ForwardSampler(model)
        self._relations = Relations(knowledge, model)
        self._measured: dict[str, Measured] = {}
        if options.measures:
            self._measured = measured_targets(core, self._relations)
        self._sizes = [*(2 for _ in model.findings), *model.ordinal_sizes]
        # A column that has the name of a measure takes numbers; a finding of that name has none.
        self._row = {
            name: i
            for i, name in enumerate((*model.findings, *model.ordinals))
            if name not in knowledge.measures
        }
        self._levels = {
            ordinal: [
                (finding.id, core.states[ordinal].index(finding.at_least or ""))
                for finding in knowledge.findings.values()
                if finding.threshold_of == ordinal
            ]
            for ordinal in model.ordinals
        }
        risks = [Column(name, self._risk_words(name)) for name in model.risks]
        findings = [
            Column(name, core.states[name] + self._grades(name))
            for name, finding in knowledge.findings.items()
            if name in self._row or (finding.threshold_of in self._row and options.thresholds)
        ]
        measures = [
            Column(one.measure, None)
            for target, one in self._measured.items()
            if one.measure not in model.risks
        ]
        self.columns: tuple[Column, ...] = (*risks, *findings, *measures)

    def _risk_words(self, name: str) -> tuple[str, ...]:
        """States, and the numbers of a measure of the same name."""
        measured = self._measured.get(name)
        if measured is None or measured.measure != name:
            return self._core.states[name]
        return (*self._core.states[name], *(f"{number:g}" for number in measured.numbers))

    def _grades(self, name: str) -> tuple[str, ...]:
        return tuple(f"{grade / 100:.2f}" for grade in _GRADES) if self._may_be_soft(name) else ()

    def _may_be_soft(self, name: str) -> bool:
        # What settles other findings is told plainly: a number says nothing about the others.
        row = self._row.get(name, len(self._sizes))
        binary = row < len(self._core.model.findings)
        return bool(self._options.soft) and binary and name not in self._relations.tied

    def block(self, index: int) -> ToldCases:
        """Draw the cases ``index * BLOCK`` to ``(index + 1) * BLOCK - 1``."""
        sample = self._forward.draw(BLOCK, self._bits(index, _TRUTH))
        findings = [
            *(row.view(np.int8) for row in sample.findings.T),
            *sample.ordinals.T,
        ]
        asking = self._bits(index, _ASKING)
        drawn = _Drawn(
            risks=list(sample.risks.T),
            findings=findings,
            told=_asked(self._options.asked, len(findings), asking),
            risks_told=_asked(
                self._options.risks_asked or self._options.asked, len(sample.risks.T), asking
            ),
        )
        strangers = self._mix_strangers(drawn, self._bits(index, _STRANGERS))
        self._flip(drawn, self._bits(index, _NOISE))
        drawn_all, told = [*drawn.findings, *drawn.risks], [*drawn.told, *drawn.risks_told]
        self._relations.settle(drawn_all, told)
        causes = np.zeros((len(self._core.causes), BLOCK), dtype=bool)
        causes[self._core.columns] = sample.causes.T[self._core.modelled]
        cells = self._cells(drawn, self._bits(index, _TELLING))
        return ToldCases(tuple(cells[column.name] for column in self.columns), causes.T, strangers)

    def _bits(self, block: int, purpose: int) -> np.random.BitGenerator:
        return np.random.SFC64(np.random.SeedSequence((self._options.seed, block, purpose)))

    def _mix_strangers(self, drawn: _Drawn, bits: np.random.BitGenerator) -> BoolArray:
        strangers = uniform_draws(bits, BLOCK) < draws_below(self._options.strangers)
        where = np.flatnonzero(strangers)
        if len(where):
            for values in drawn.findings:
                values[where] = values[_below(uniform_draws(bits, len(where)), BLOCK)]
        return strangers

    def _flip(self, drawn: _Drawn, bits: np.random.BitGenerator) -> None:
        if not self._options.flip:
            return
        below = draws_below(self._options.flip)
        sizes = [*self._sizes, *(len(prior) for prior in self._core.model.risk_priors)]
        for values, size in zip([*drawn.findings, *drawn.risks], sizes, strict=True):
            where = np.flatnonzero(uniform_draws(bits, BLOCK) < below)
            if size > 1:
                steps = 1 + _below(uniform_draws(bits, len(where)), size - 1)
                values[where] = (values[where] + steps) % size

    def _cells(self, drawn: _Drawn, bits: np.random.BitGenerator) -> dict[str, Told]:
        """Put into words, numbers and grades what is told."""
        cells: dict[str, Told] = {}
        for name, values, told in zip(
            self._core.model.risks, drawn.risks, drawn.risks_told, strict=True
        ):
            cells |= self._tell(name, Told(values, told), bits)
        for name, row in self._row.items():
            own = Told(drawn.findings[row], drawn.told[row])
            if self._options.thresholds and name in self._levels:
                thresholds = self._by_threshold(name, own, bits)
                cells |= thresholds
                by_threshold = np.logical_or.reduce([one.told for one in thresholds.values()])
                own = Told(own.values, own.told & ~by_threshold)
            cells |= self._tell(name, own, bits)
        return cells

    def _tell(self, name: str, own: Told, bits: np.random.BitGenerator) -> dict[str, Told]:
        """Tell a risk or finding: by its state, by a number, or how far it speaks for present."""
        measured = self._measured.get(name)
        if measured is not None:
            return self._by_number(name, measured, own, bits)
        if not self._may_be_soft(name):
            return {name: own}
        graded = own.told & (uniform_draws(bits, BLOCK) < draws_below(self._options.soft))
        where = np.flatnonzero(graded)
        codes = own.values.copy()
        codes[where] = 1 + _grade(codes[where] == 1, uniform_draws(bits, len(where)))
        return {name: Told(codes, own.told)}

    def _by_number(
        self, name: str, measured: Measured, own: Told, bits: np.random.BitGenerator
    ) -> dict[str, Told]:
        """Tell some by a number that stands for the state."""
        by_number = own.told & (uniform_draws(bits, BLOCK) < draws_below(self._options.measures))
        where = np.flatnonzero(by_number)
        shares = uniform_draws(bits, len(where)) / SCALE
        chosen = measured.choose(own.values[where].astype(np.intp), shares)
        if measured.measure == name:
            codes = own.values.astype(np.int16)
            codes[where] = len(self._core.states[name]) + chosen
            return {name: Told(codes, own.told)}
        numbers = np.zeros(BLOCK)
        numbers[where] = measured.numbers[chosen]
        return {
            measured.measure: Told(numbers, by_number),
            name: Told(own.values, own.told & ~by_number),
        }

    def _by_threshold(
        self, ordinal: str, own: Told, bits: np.random.BitGenerator
    ) -> dict[str, Told]:
        """Tell an ordinal finding of some cases by one of its thresholds."""
        share = draws_below(self._options.thresholds)
        chosen = own.told & (uniform_draws(bits, BLOCK) < share)
        levels = self._levels[ordinal]
        which = _below(uniform_draws(bits, BLOCK), len(levels))
        return {
            name: Told((own.values >= level).view(np.int8), chosen & (which == position))
            for position, (name, level) in enumerate(levels)
        }


def _asked(
    between: tuple[float, float], count: int, bits: np.random.BitGenerator
) -> list[BoolArray]:
    """Whether each of ``count`` things is asked in each case, at a rate that the case has."""
    low, high = between
    rate = draws_below(low + (high - low) * (uniform_draws(bits, BLOCK) / SCALE))
    return [uniform_draws(bits, BLOCK) < rate for _ in range(count)]


def _below(draws: DrawArray, count: int) -> NDArray[np.int64]:
    """Make draws whole numbers from 0 to ``count`` - 1."""
    return (draws.astype(np.int64) * count) // SCALE


def _grade(present: BoolArray, draws: DrawArray) -> NDArray[np.intp]:
    """Draw p in hundredths: proportional to p where present, to 1 - p where absent.

    The two are then in the ratio p : 1 - p, which is what soft evidence says.
    """
    rising = draws_below(np.cumsum(_GRADES) / _GRADES.sum())
    low = np.searchsorted(rising, draws, side="right") + 1
    return np.where(present, low, 100 - low)
