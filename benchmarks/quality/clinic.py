"""How far `learn` gets towards the truth: a clinic whose numbers are drawn from their ranges.

Of each seed: every number of a folder is drawn from the distribution that its range says; cases of
that truth are drawn, three findings in ten are recorded, causes labelled in all of them or a share
(``--labelled``); numbers are learned from some of them as consecutive cases. *Gap closed* is the
share of the difference in log loss of the labels (2,000 other cases) between the stated numbers and
the truth that learned numbers make good; *coverage* the share of learned numbers whose 90 %
interval holds the truth. Shares of risks stay as stated. A draw that cannot hold together is drawn
again.

    python benchmarks/quality/clinic.py [PRIORS] [--seeds 3] [--cases 100 300 1000] [--labelled 0.3]
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import special

import bayesdx
from bayesdx.building.number_chain import NumberChain
from bayesdx.building.number_draws import draw_numbers
from bayesdx.diagnosis.learning.case_likelihood import chosen_cases, log_probabilities
from bayesdx.diagnosis.learning.held_out import held_against
from bayesdx.diagnosis.learning.labels import LabelledRows, Labels, labelled_rows
from bayesdx.diagnosis.learning.number_posterior import fit_numbers, interval, stated_start
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.choice import settled
from bayesdx.inference.noisy.model import FloatArray, NoisyModel
from bayesdx.inference.noisy.sampling import observe, sample_cases

RECORDED, HELD_OUT = 0.3, 2_000
#: How often a fit asks for the same cases.
LOOKS = 30
_DRAWS = 50


def drawn_steps(chain: NumberChain, seed: int) -> FloatArray:
    """Draw the truth: steps from the stated numbers, (J,), that hold together."""
    drawn = draw_numbers([one.number for one in chain.movers], _DRAWS, seed)
    for draw in range(_DRAWS):
        steps = np.zeros(len(chain.movers))
        for j, mover in enumerate(chain.movers):
            stated = mover.number.number.value
            if isinstance(stated, tuple):
                continue
            value = float(drawn[mover.number.number.address][draw])
            ratio = mover.number.number.is_ratio
            steps[j] = (
                np.log(value / stated) if ratio else special.logit(value) - special.logit(stated)
            )
        if chain.model(steps) is not None:
            return steps
    raise RuntimeError(f"seed {seed}: no draw of {_DRAWS} holds together")


def drawn_cases(
    model: NoisyModel, count: int, rng: np.random.Generator, labelled: float = 1.0
) -> tuple[Evidence, Labels, LabelledRows]:
    """Draw cases with a share of findings and risks recorded, all causes labelled in a share."""
    sample = sample_cases(model, count, rng)
    evidence = observe(model, sample, rng, asked=(RECORDED, RECORDED))
    none = np.zeros((count, 0), dtype=np.int8)
    causes = sample.causes.astype(np.float64)
    causes[rng.random(count) >= labelled] = -1.0
    labels = Labels(causes, none, (), ())
    backend = settled("auto", model, LOOKS * count)
    return evidence, labels, labelled_rows(evidence, labels, backend)


def covered(chain: NumberChain, found: object, truth: FloatArray) -> list[bool]:
    """Whether the interval of each learned number holds the truth."""
    inside = []
    for j, mover in enumerate(chain.movers):
        low, high = interval(mover, found, j)  # type: ignore[arg-type]  # a NumberPosterior
        stated = mover.number.number.value
        if np.isnan(low) or isinstance(stated, tuple):
            continue
        ratio = mover.number.number.is_ratio
        start = np.log(stated) if ratio else special.logit(stated)
        end = start + truth[j]
        inside.append(bool(low <= (np.exp(end) if ratio else special.expit(end)) <= high))
    return inside


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("priors", nargs="?", default="examples/headache")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--labelled", type=float, default=1.0)
    given = parser.parse_args()
    core = bayesdx.load(given.priors).core
    kept = core.perturbations
    chain = NumberChain(core.knowledge, core.assembly, kept.numbers, kept.movers)
    start = stated_start(chain)
    gaps: dict[int, list[tuple[float, float]]] = {n: [] for n in given.cases}
    inside: dict[int, list[bool]] = {n: [] for n in given.cases}
    for seed in range(given.seeds):
        steps = drawn_steps(chain, seed)
        truth = chain.model(steps)
        assert truth is not None
        rng = np.random.default_rng([seed, 1])
        _, _, rows = drawn_cases(truth, max(given.cases), rng, given.labelled)
        evidence, labels, _ = drawn_cases(truth, HELD_OUT, rng)
        stated, best = (held_against(one, evidence, labels) for one in (core.model, truth))
        answered = stated.answered & best.answered
        kept_back = answered & np.isfinite(stated.log_evidence + stated.log_score)
        if not kept_back.all():
            print(
                f"seed {seed}: of cases held out {(~answered).sum()} are too complex, and "
                f"{(answered & ~kept_back).sum()} cannot be by the stated numbers"
            )
        possible = np.isfinite(log_probabilities(core.model, rows))
        for n in given.cases:
            given_cases = chosen_cases(rows, np.flatnonzero(possible[:n]))
            found = fit_numbers(chain, given_cases, start)
            model = chain.model(found.steps)
            assert model is not None
            learned = held_against(model, evidence, labels)
            own = np.flatnonzero(kept_back & learned.answered)
            before, after, least = (-x.log_score[own].mean() for x in (stated, learned, best))
            gaps[n].append((float(before - after), float(before - least)))
            inside[n] += covered(chain, found, steps)
            print(
                f"seed {seed}, {n} cases: log loss {before:.4f} stated, {after:.4f} learned, "
                f"{least:.4f} truth",
                flush=True,
            )
    for n in given.cases:
        made, most = np.array(gaps[n]).sum(axis=0)
        print(
            f"{n:>6} cases: {made / most:.0%} of the gap closed; {np.mean(inside[n]):.0%} of "
            f"{len(inside[n])} intervals of 90 % hold the truth"
        )


if __name__ == "__main__":
    main()
