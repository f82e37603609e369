"""Learning the stated numbers of a knowledge folder from a table of cases.

Every number has its stated value and range as a prior (`bayesdx.building.number_chain`); cases add
log P(findings, labels). The mode of both together is what was learned. What is hidden, causes
without label and findings that were not asked, is summed out exactly. Scores are those of cases
that were held out, before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesdx.building.assembly import assemble
from bayesdx.building.number_chain import NumberChain
from bayesdx.building.number_prior import NumberPrior
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.learning.case_likelihood import log_probabilities
from bayesdx.diagnosis.learning.case_weight import CaseWeight, ModeSearch, weight_faults
from bayesdx.diagnosis.learning.held_out import HeldAgainst, comparison, held_against, joined
from bayesdx.diagnosis.learning.learned import Learned
from bayesdx.diagnosis.learning.learned_rows import learned_rows
from bayesdx.diagnosis.learning.learning_table import LabelledInput, LearningTable, read_table
from bayesdx.diagnosis.learning.movable import (
    broken_constraints,
    movable_numbers,
    option_faults,
    rounded,
)
from bayesdx.diagnosis.learning.number_posterior import (
    NumberPosterior,
    Remember,
    Start,
    as_it_is,
    stated_start,
)
from bayesdx.errors import BayesdxError, Fault
from bayesdx.knowledge.addresses import with_values
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learning_schema import Learning, Sample
from bayesdx.knowledge.overrides import numbers_digest

FOLDS, SEED = 5, 0
#: Halvings of all moves, should the assembled network not like them as the chain did.
_HALVINGS = 6
Say = Callable[[str], None]


def learn(
    core: Core,
    frames: Iterable[pd.DataFrame],
    how: LabelledInput,
    *,
    sample: Sample = "selected",
    case_weight: CaseWeight = 1.0,
    folds: int = FOLDS,
    seed: int = SEED,
    say: Say = lambda _: None,
    remember: Remember = as_it_is,
) -> Learned:
    """Learn numbers from cases; see `Engine.learn`."""
    _check_options(sample, case_weight, folds, seed, how.on_error)
    chain = movable_numbers(core, sample)
    table = read_table(core, frames, how, sample)
    n = len(table.evidence)
    say(f"{n} cases, {table.counts['labelled']} labelled; {table.counts['refused']} refused")
    search = ModeSearch(chain, table, case_weight, seed, remember)
    found, weight = search.mode("whole", np.arange(n), stated_start(chain), widths=True)
    say(f"{int(np.count_nonzero(found.steps))} of {len(chain.movers)} numbers moved")
    scores, unscored = _cross_validated(core, search, found, folds, say)
    knowledge, found, values = _assembled(core, chain, table, found, weight)
    learned, numbers = learned_rows(chain, found, knowledge)
    learning = Learning(
        computed_from=numbers_digest(core.elicited),
        cases=table.counts["used"],
        labelled=table.counts["labelled"],
        sample=sample,
        case_weight=weight,
        no_longer_hold=broken_constraints(core, knowledge),
        number=learned,
    )
    names = core.model.causes
    notes = [*_notes(table, names, found, unscored), *table.asking.giving_away()]
    refused = pd.DataFrame({"why": list(table.refused.values())}, index=list(table.refused))
    return Learned(
        table=numbers,
        scores=scores,
        asking=table.asking.report(),
        refused=refused.rename_axis("row"),
        counts=table.counts,
        no_longer_hold=learning.no_longer_hold,
        notes=tuple(notes),
        sample=sample,
        case_weight=weight,
        folds=folds,
        seed=seed,
        log_posterior_before=values[0],
        log_posterior_after=values[1],
        knowledge=knowledge,
        learning=learning,
    )


def _check_options(
    sample: str, case_weight: CaseWeight, folds: int, seed: int, on_error: str
) -> None:
    faults = [*option_faults(sample, on_error), *weight_faults(case_weight)]
    if type(folds) is not int or folds < 2:
        faults.append(Fault("folds", "a whole number of at least 2", folds))
    if type(seed) is not int or seed < 0:
        faults.append(Fault("seed", "a whole number, not negative", seed))
    if faults:
        raise BayesdxError(faults)


def _cross_validated(
    core: Core, search: ModeSearch, whole: NumberPosterior, folds: int, say: Say
) -> tuple[pd.DataFrame, int]:
    """Score every case by numbers that were learned without it; return how many were not.

    The search of each fold begins at the mode of all cases and ends at its own, within `ENOUGH`
    nats: where it began saves time and leaves nothing else behind.
    """
    chain, table = search.chain, search.table
    n = len(table.evidence)
    folds = min(folds, n)
    order = np.random.default_rng(search.seed).permutation(n)
    before, after, parts = [], [], []
    start = Start(whole.steps, chain.slopes(whole.steps))
    for fold in range(folds if n > 1 else 0):
        held = np.sort(order[fold::folds])
        rest = np.setdiff1d(np.arange(n), held)
        found, _ = search.mode(f"without part {fold}", rest, start)
        model = chain.model(found.steps)
        assert model is not None
        evidence, labels = table.evidence.take(held), table.labels.take(held)
        before.append(held_against(core.model, evidence, labels))
        after.append(held_against(model, evidence, labels))
        parts.append(held)
        say(f"fold {fold + 1} of {folds}")
    if not parts:
        return pd.DataFrame(), 0
    both: list[HeldAgainst] = [joined(one, parts, n) for one in (before, after)]
    scored = both[0].answered & both[1].answered
    return comparison(*both), n - int(scored.sum())


def _assembled(
    core: Core,
    chain: NumberChain,
    table: LearningTable,
    found: NumberPosterior,
    weight: float,
) -> tuple[Knowledge, NumberPosterior, tuple[float, float]]:
    """Assemble the learned numbers anew; what is found never falls below where it began.

    The chain keeps the fit's correction for causes that share risks, an assembly makes its own.
    """
    prior = NumberPrior(chain)
    before = weight * float(log_probabilities(core.model, table.rows).sum())
    steps = found.steps
    for _ in range(_HALVINGS):
        values = {one: rounded(value) for one, value in chain.stated(steps).items()}
        knowledge = with_values(core.knowledge, values)
        if not values:
            break
        model = assemble(knowledge, core.assembly.links).model
        after = weight * float(log_probabilities(model, table.rows).sum())
        after += prior.log_density(steps)
        if after >= before:
            return knowledge, replace(found, steps=steps), (before, after)
        steps = steps / 2.0
    return core.knowledge, replace(found, steps=np.zeros_like(steps)), (before, before)


def _notes(
    table: LearningTable, names: tuple[str, ...], found: NumberPosterior, unscored: int
) -> list[str]:
    labels, notes = table.labels, []
    if not table.counts["labelled"]:
        notes.append("No case has a label: causes stayed hidden, scores are of findings alone.")
    for prefix, states, own in (
        ("cause:", labels.causes, names),
        ("group:", labels.groups, labels.group_names),
    ):
        for i, name in enumerate(own):
            told = states[:, i][states[:, i] >= 0]
            if len(told) and (told == told[0]).all() and told[0] == 1:
                notes.append(
                    f"{prefix}{name} is present in all {len(told)} cases that say of it: nothing "
                    "tells it from its absence."
                )
    if table.repeated:
        notes.append(
            f"{table.repeated} rows have the name of an earlier row; each counts as another case."
        )
    if unscored:
        notes.append(
            f"{unscored} cases are not scored: too complex by numbers learned without them."
        )
    if not found.way.arrived:
        notes.append("The search ended before the mode was reached: numbers moved part of the way.")
    return notes
