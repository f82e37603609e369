"""Learning from the sums of several places, as if their cases were in one table.

The search is that of `learning_run`, step by step: it is run anew in every round on the sums that
were handed over so far, and ends where it looks at numbers at which some place was not asked yet.
Those are the next round. So nobody has to keep anything but the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesdx.building.number_chain import NumberChain
from bayesdx.building.number_prior import NumberPrior
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.learning.case_statistics import (
    LEAST_CASES,
    CaseStatistics,
    NextRound,
    SumsAt,
    mover_name,
    named_steps,
    steps_of,
)
from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.diagnosis.learning.learned import Learned
from bayesdx.diagnosis.learning.learned_rows import learned_rows
from bayesdx.diagnosis.learning.learning_table import LabelledInput, read_table
from bayesdx.diagnosis.learning.movable import (
    broken_constraints,
    movable_numbers,
    option_faults,
    rounded,
)
from bayesdx.diagnosis.learning.number_posterior import CaseLikelihood, find_mode
from bayesdx.diagnosis.learning.pooled import UnansweredError, pooled_likelihood
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.knowledge.addresses import with_values
from bayesdx.knowledge.learning_schema import Learning, Sample
from bayesdx.knowledge.overrides import numbers_digest


def case_statistics(
    core: Core,
    frames: Iterable[pd.DataFrame],
    how: LabelledInput,
    *,
    at: NextRound | None = None,
    earlier: CaseStatistics | None = None,
    sample: Sample = "selected",
    least: int = LEAST_CASES,
) -> CaseStatistics:
    """Sum up what cases say of the numbers; see `Engine.case_statistics`."""
    faults = option_faults(sample, how.on_error)
    if type(least) is not int or least < 1:
        faults.append(Fault("least", "a whole number of at least 1", least))
    shared: tuple[tuple[str, object, type, str], ...] = (
        ("at", at, NextRound, "the round that Engine.learn_pooled returned"),
        ("earlier", earlier, CaseStatistics, "sums that Engine.case_statistics returned"),
    )
    faults += [
        Fault(place, expected, given)
        for place, given, kind, expected in shared
        if not isinstance(given, kind | None)
    ]
    if faults:
        raise BayesdxError(faults)
    chain, digest = movable_numbers(core, sample), numbers_digest(core.elicited)
    if at is not None:
        _check_round(at.computed_from, at.sample, "the round", digest, sample)
    table = read_table(core, frames, how, sample)
    steps = {} if at is None else dict(at.steps)
    sums, numbers, suppressed = _sums_at(chain, table.rows, steps, least)
    found = CaseStatistics(
        computed_from=digest,
        sample=sample,
        cases=table.counts["used"],
        labelled=table.counts["labelled"],
        numbers=numbers,
        suppressed=suppressed,
        least=least,
        points=(sums,),
    )
    if earlier is None:
        return found
    if replace(found, points=()) != replace(earlier, points=()):
        expected = "sums of the same cases at other numbers"
        raise BayesdxError(Fault("earlier sums", expected, Phrase("sums of other cases")))
    before = tuple(one for one in earlier.points if dict(one.steps) != steps)
    return replace(found, points=(*before, sums))


def _sums_at(
    chain: NumberChain, rows: LabelledRows, steps: Mapping[str, float], least: int
) -> tuple[SumsAt, tuple[str, ...], tuple[str, ...]]:
    """Sum over cases at some numbers.

    Returns
    -------
    sums : SumsAt
    numbers, suppressed : tuples of str
        Of which at least ``least`` cases speak, and of which fewer do.
    """
    found = CaseLikelihood(chain, rows).expansion(steps_of(chain, steps), whole=True)
    assert found.cases is not None
    names = [mover_name(one) for one in chain.movers]
    own = np.flatnonzero(found.cases >= least)
    few = np.flatnonzero((found.cases > 0) & (found.cases < least))
    block = found.information[np.ix_(own, own)]
    sums = SumsAt(
        steps=dict(steps),
        log_probability=found.value,
        gradient=tuple(found.gradient[own].tolist()),
        information=tuple(tuple(block[j, : j + 1].tolist()) for j in range(len(own))),
    )
    return sums, tuple(names[j] for j in own), tuple(names[j] for j in few)


def _check_places(places: object) -> None:
    """Refuse what are no sums, and sums that are there twice."""
    if not isinstance(places, Sequence) or not places:
        got = places if places else Phrase("none")
        raise BayesdxError(Fault("places", "the sums of one place or more, a list", got))
    faults = []
    for i, place in enumerate(places):
        if not isinstance(place, CaseStatistics):
            expected = "sums that Engine.case_statistics returns"
            faults.append(Fault(f"place {i + 1}", expected, place))
        elif place in places[:i]:
            got = Phrase("those of another place once more")
            faults.append(Fault(f"place {i + 1}", "sums of its own cases", got))
    if faults:
        raise BayesdxError(faults)


def learn_pooled(core: Core, places: Sequence[CaseStatistics]) -> Learned | NextRound:
    """Learn from sums, or say at which numbers they are asked for next.

    See `Engine.learn_pooled`.
    """
    _check_places(places)
    digest, sample = numbers_digest(core.elicited), places[0].sample
    for i, place in enumerate(places):
        _check_round(place.computed_from, place.sample, f"place {i + 1}", digest, sample)
    chain = movable_numbers(core, sample)
    likelihood, still = pooled_likelihood(chain, places), np.zeros(len(chain.movers))
    try:
        found = find_mode(chain, likelihood, still)
    except UnansweredError as missing:
        steps = named_steps(chain, missing.steps)
        return NextRound(computed_from=digest, sample=sample, steps=steps)
    values = {one: rounded(value) for one, value in chain.stated(found.steps).items()}
    knowledge = with_values(core.knowledge, values)
    numbers, table = learned_rows(chain, found, knowledge)
    cases, labelled = (sum(getattr(one, name) for one in places) for name in ("cases", "labelled"))
    learning = Learning(
        computed_from=digest,
        cases=cases,
        labelled=labelled,
        sample=sample,
        no_longer_hold=broken_constraints(core, knowledge),
        number=numbers,
    )
    counts = dict.fromkeys(("refused", "impossible", "too_complex"), 0)
    counts |= {"rows": cases, "used": cases, "labelled": labelled}
    suppressed = {one for place in places for one in place.suppressed}
    notes = [f"{len(places)} places; nothing was held out: each can try answers on its own cases."]
    if suppressed:
        few = (
            f"{len(suppressed)} numbers stayed as they are: too few cases of a place speak of them."
        )
        notes.append(few)
    empty = pd.DataFrame()
    return Learned(
        table=table,
        scores=empty,
        asking=empty,
        refused=empty,
        counts=counts,
        no_longer_hold=learning.no_longer_hold,
        notes=tuple(notes),
        sample=sample,
        case_weight=1.0,
        folds=0,
        seed=0,
        log_posterior_before=likelihood.value(still),
        log_posterior_after=likelihood.value(found.steps)
        + NumberPrior(chain).log_density(found.steps),
        knowledge=knowledge,
        learning=learning,
    )


def _check_round(computed_from: str, own: str, place: str, digest: str, sample: str) -> None:
    faults = []
    if computed_from != digest:
        expected = f"sums of these numbers, digest {digest}"
        faults.append(Fault(place, expected, Phrase(f"digest {computed_from}")))
    if own != sample:
        faults.append(Fault(place, f"sample {sample}", own))
    if faults:
        raise BayesdxError(faults)
