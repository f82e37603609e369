"""Cases that couple too much, as differences of cases that couple less.

A finding that is present has an axis, and couples all causes that act on it. With it unknown, or
absent, it has none, and P(evidence, finding) = P(evidence) - P(evidence, no finding). A case beyond
the limits becomes two such *parts*, a part beyond them two again. What is asked of the case is the
signed sum over its parts; what is asked of the finding itself follows from its links (below).

Every part is right to its last digits. A difference loses some of them, how many is known: as many
as the parts are larger than the case. So those findings are split that are often present without
any cause, the one that couples most causes first, and a case of which too little would be left
stays beyond the limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, stacked
from bayesdx.inference.noisy.answer import TOO_COMPLEX, Answer, stacked_answers
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.signed_sums import signed_sums

#: Parts of a case, at the most.
MOST_PARTS = 16
#: Leak from which a finding may be split: it is present at least so often where nothing inhibits.
_LEAST_LEAK = 0.03
#: Strength up to which links leave digits enough of what they do not do.
_STRONGEST = 0.999
#: Log of how much larger than a case the sum of its parts, which are right to 5e-16, may be: 12
#: digits are left.
_MOST_LOST = math.log(1000.0)

#: Answers parts, given the cases that they belong to (n,).
Ask = Callable[[Evidence, IntArray], Answer]


@dataclass(frozen=True, eq=False)
class _CaseParts:
    """Parts of cases.

    Attributes
    ----------
    evidence : Evidence
        Of n parts.
    owner : int array (n,)
        The case that each belongs to.
    sign : array (n,)
        1 or -1.
    unknown, absent : bool arrays (n, F)
        Findings of the case that the part takes as unknown, and as absent.
    """

    evidence: Evidence
    owner: IntArray
    sign: FloatArray
    unknown: BoolArray
    absent: BoolArray

    def take(self, rows: IntArray) -> _CaseParts:
        return _CaseParts(
            self.evidence.take(rows),
            self.owner[rows],
            self.sign[rows],
            self.unknown[rows],
            self.absent[rows],
        )

    def split(self, finding: IntArray) -> _CaseParts:
        """Return two parts in the place of each, which differ in one finding."""
        halves = []
        for value, sign in ((np.nan, 1.0), (0.0, -1.0)):
            at = np.arange(len(finding)), finding
            findings = self.evidence.findings.copy()
            findings[at] = value
            chosen = np.zeros_like(self.unknown)
            chosen[at] = True
            own = replace(self.evidence, findings=findings)
            unknown = self.unknown | chosen if sign > 0.0 else self.unknown
            absent = self.absent | chosen if sign < 0.0 else self.absent
            halves.append(_CaseParts(own, self.owner, sign * self.sign, unknown, absent))
        return joined_parts(halves)


def joined_parts(parts: list[_CaseParts]) -> _CaseParts:
    """Return parts one behind the other."""
    return _CaseParts(
        stacked([one.evidence for one in parts]),
        np.concatenate([one.owner for one in parts]),
        np.concatenate([one.sign for one in parts]),
        np.concatenate([one.unknown for one in parts]),
        np.concatenate([one.absent for one in parts]),
    )


def answered_in_parts(
    model: NoisyModel,
    evidence: Evidence,
    answer: Answer,
    ask: Ask,
    ask_last: Ask | None = None,
    symptoms: FloatArray | None = None,
    share_of: FloatArray | None = None,
) -> Answer:
    """Answer those of N cases that are too complex part by part, as far as that goes.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
    answer : Answer
        As it was found.
    ask, ask_last : callable
        Answer parts of cases, as the cases were; see `divide`.
    symptoms : array (U,), optional
        Weights of findings, if they were weighed.
    share_of : array (N,), optional
        See `posteriors`.
    """
    refused = np.flatnonzero(answer.too_complex)
    rows, divided = divide(model, evidence, refused, ask, ask_last)
    if not len(rows):
        return answer
    parts = joined_parts([part for part, _ in divided])
    found = stacked_answers([own for _, own in divided])
    # Of a case that was given up some parts were answered all the same.
    kept = np.flatnonzero(np.isin(parts.owner, rows))
    parts, found = parts.take(kept), found.take(kept)
    summed = _summed(model, parts, found, rows, symptoms)
    case = np.searchsorted(rows, parts.owner)
    size, _ = signed_sums(found.log_evidence, np.abs(parts.sign), case, len(rows))
    wanted = summed.log_evidence if share_of is None else share_of[rows]
    # Nothing may be left of what is a share.
    enough = np.flatnonzero(size - wanted <= _MOST_LOST)
    return answer.replaced(rows[enough], summed.take(enough))


def divide(
    model: NoisyModel, evidence: Evidence, refused: IntArray, ask: Ask, ask_last: Ask | None = None
) -> tuple[IntArray, list[tuple[_CaseParts, Answer]]]:
    """Divide cases until every part is answered, as far as few parts do.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        Of N cases.
    refused : int array
        Which of them are too complex, rising.
    ask : callable
    ask_last : callable, optional
        Answers what is not divided further, at a higher price.

    Returns
    -------
    rows : int array
        Those that few parts answer, rising.
    divided : list
        Parts, and the answers to them; also some of cases that were given up.
    """
    none = np.zeros((len(refused), len(model.findings)), dtype=np.bool_)
    waiting = _CaseParts(evidence.take(refused), refused, np.ones(len(refused)), none, none)
    divided: list[tuple[_CaseParts, Answer]] = []
    count = np.bincount(refused, minlength=len(evidence))
    given_up = np.zeros(len(evidence), dtype=np.bool_)

    def asked(parts: _CaseParts, ask: Ask) -> _CaseParts:
        """Ask; return the parts that are not answered."""
        found = ask(parts.evidence, parts.owner)
        hard = found.status == TOO_COMPLEX
        easy = np.flatnonzero(~hard)
        divided.append((parts.take(easy), found.take(easy)))
        return parts.take(np.flatnonzero(hard))

    while len(waiting.owner):
        finding = _widest(model, waiting.evidence)
        np.add.at(count, waiting.owner, 1)
        count[waiting.owner[finding < 0]] = MOST_PARTS + 1
        fit = count[waiting.owner] <= MOST_PARTS
        last, kept = waiting.take(np.flatnonzero(~fit)), np.flatnonzero(fit)
        if len(last.owner):
            left = asked(last, ask_last) if ask_last else last
            given_up[left.owner] = True
        waiting = waiting.take(kept)
        if len(kept):
            waiting = asked(waiting.split(finding[kept]), ask)
    return refused[~given_up[refused]], divided


def _widest(model: NoisyModel, evidence: Evidence) -> IntArray:
    """Of each case the finding to split, (n,); -1 if there is none.

    Each cause that acts on it couples it with every other present finding on which that one acts.
    The more it couples, the less work the parts are; the more often it is present, the fewer digits
    they lose.
    """
    links, n_findings = model.links, len(model.findings)
    acts = (links.strength != 0.0) | (links.factor != 1.0)
    acts = acts[:, :n_findings].astype(np.float64)
    reached = (evidence.causes < 0) * ((evidence.findings > 0.0) @ acts.T)
    width = np.maximum(reached - 1.0, 0.0) @ acts
    often = links.leak >= _LEAST_LEAK
    # What a finding says of a link that never fails is not in the parts.
    often &= links.strength[:, :n_findings].max(axis=0, initial=0.0) <= _STRONGEST
    fit = (evidence.findings == 1.0) & often
    width = np.where(fit, width * _present(model), -1.0)
    return np.where(width.max(axis=1, initial=-1.0) >= 0.0, width.argmax(axis=1), -1)


def _present(model: NoisyModel) -> FloatArray:
    """How often each finding is present, roughly, (F,)."""
    strength = model.links.strength[:, : len(model.findings)]
    absent = 1.0 - model.links.leak
    for c, (parents, prior) in enumerate(zip(model.cause_parents, model.cause_tables, strict=True)):
        for r in reversed(parents):
            prior = prior @ model.risk_priors[r]
        absent = absent * (1.0 - strength[c] * prior)
    return np.asarray(1.0 - absent)


def _summed(
    model: NoisyModel,
    parts: _CaseParts,
    found: Answer,
    rows: IntArray,
    symptoms: FloatArray | None,
) -> Answer:
    """Signed sums over the parts of some cases."""
    n, case = len(rows), np.searchsorted(rows, parts.owner)
    log_evidence, share = signed_sums(found.log_evidence, parts.sign, case, n)

    def mean(values: FloatArray) -> FloatArray:
        sums = np.zeros((n, *values.shape[1:]))
        np.add.at(sums, case, share[:, None] * values)
        return sums

    log_without = np.zeros(0)
    if len(found.log_without):
        log_without, _ = signed_sums(found.log_without, parts.sign, case, n)
    causes = np.clip(mean(found.causes), 0.0, 1.0)
    responsible, credit = np.zeros((0, 0)), np.zeros((0, 0))
    if symptoms is not None:
        # A link that did not act is one more condition of a part that does not know its finding.
        spared = np.exp(parts.unknown @ np.log1p(-_split_strength(model)).T)
        idle = mean((found.causes - found.responsible) * spared)
        responsible = np.clip(causes - idle, 0.0, causes)
        credit = np.maximum(mean(found.credit + _own_credit(model, parts, found, symptoms)), 0.0)
    return Answer(log_evidence, causes, log_without, np.zeros(n, bool), responsible, credit)


def _own_credit(
    model: NoisyModel, parts: _CaseParts, found: Answer, symptoms: FloatArray
) -> FloatArray:
    """What each part contributes to the credit of the findings that were split, (n, C).

    The link of a cause acted where the finding is unknown as often as it acts; nothing else would
    have produced the finding as often as it is absent, but for the link.
    """
    strength = _split_strength(model)
    weights = np.maximum(symptoms[: len(model.findings)], 0.0)
    acted = (parts.unknown * weights) @ strength.T
    alone = (parts.absent * weights) @ (strength / (1.0 - strength)).T
    return np.asarray(0.5 * (acted - alone) * found.causes)


def _split_strength(model: NoisyModel) -> FloatArray:
    """Strengths of links on findings, (C, F); those that never fail are not split."""
    strength = model.links.strength[:, : len(model.findings)]
    return np.where(strength <= _STRONGEST, strength, 0.0)
