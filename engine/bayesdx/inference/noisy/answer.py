"""Posteriors of N cases, as every executor gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bayesdx.errors import Fault, Phrase, TooComplex
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import StateArray

#: Codes of `Answer.status`.
ANSWERED, IMPOSSIBLE, TOO_COMPLEX = range(3)
#: Log evidence above which no number below 1e-60 had a part in it.
SOUND = -100.0


@dataclass(frozen=True, eq=False)
class Answer:
    """Posteriors of N cases; the arrays are read-only from here on.

    Attributes
    ----------
    log_evidence : array (N,)
        Natural log of P(evidence), ``-inf`` where it is impossible. Also ``-inf``, the bound that
        always holds, where the case is too complex: ``status`` tells the two apart.
    causes : array (N, C)
        P(cause present | evidence); 0 where there is no answer. Shape (N, 0) when only the evidence
        was asked for.
    log_without : array (N,) or (0,)
        Natural log of P(evidence, chosen causes absent), when asked for.
    too_complex : bool array (N,) or (0,)
        Cases beyond the limits of `bayesdx.inference.noisy.limits`; empty where there are none.
    responsible, credit : arrays (N, C) or (0, 0)
        When symptoms are weighed: P(cause present, and its links produced at least one of the
        symptoms | evidence), and the weights of the symptoms times how far each cause is credited
        with them, summed; see `bayesdx.inference.noisy.symptoms`. 0 where there is no answer.
    """

    log_evidence: FloatArray
    causes: FloatArray
    log_without: FloatArray
    too_complex: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    responsible: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    credit: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)

    @property
    def possible(self) -> BoolArray:
        """Which cases were answered: their evidence has a positive probability."""
        return ~np.isneginf(self.log_evidence)

    @property
    def sound(self) -> BoolArray:
        """Which cases were certainly in the range of floats all the way, (N,)."""
        result: BoolArray = (self.log_evidence > SOUND) & (self.log_evidence < 1.0)
        return result

    @property
    def status(self) -> StateArray:
        """Code of each case, (N,): ``ANSWERED``, ``IMPOSSIBLE`` or ``TOO_COMPLEX``."""
        status = np.where(self.possible, ANSWERED, IMPOSSIBLE).astype(np.int8)
        if len(self.too_complex):
            status[self.too_complex] = TOO_COMPLEX
        return status

    def take(self, rows: IntArray) -> Answer:
        """Return the answer to some cases; fields that hold nothing stay so."""
        n = len(self.log_evidence)
        fields = {name: a[rows] if len(a) == n else a for name, a in vars(self).items()}
        return Answer(**fields)

    def replaced(self, rows: IntArray, other: Answer) -> Answer:
        """Return it with another answer of some cases; what that one lacks stays as it is."""
        too_complex = np.zeros(len(self.log_evidence), dtype=np.bool_)
        too_complex[: len(self.too_complex)] = self.too_complex
        fields = {**vars(self), "too_complex": too_complex}
        for name, array in fields.items():
            given = getattr(other, name)
            if len(given) == len(rows) and array.size:
                fields[name] = array.copy()
                fields[name][rows] = given
        return Answer(**fields)

    def complete(self) -> Answer:
        """Return the answer itself, for those who cannot do without any row.

        Raises
        ------
        TooComplex
            If a case is beyond the limits.
        """
        if self.too_complex.any():
            row = int(self.too_complex.argmax())
            expected = "findings and risks that couple less"
            raise TooComplex(Fault(f"case {row}", expected, Phrase("too complex a case")))
        return self


def refused_case(n_causes: int) -> Answer:
    """Return that one case of so many causes is too complex."""
    return Answer(np.array([-np.inf]), np.zeros((1, n_causes)), np.empty(0), np.array([True]))


def stacked_answers(parts: Sequence[Answer]) -> Answer:
    """Return answers to the same questions one below the other; none of them too complex."""
    return Answer(
        np.concatenate([one.log_evidence for one in parts]),
        np.concatenate([one.causes for one in parts]),
        np.concatenate([one.log_without for one in parts]),
        responsible=np.concatenate([one.responsible for one in parts]),
        credit=np.concatenate([one.credit for one in parts]),
    )
