"""What derivatives by every number of the packaged network take, beside the posteriors.

    python benchmarks/speed/gradients.py

CPU time in one run, NumPy and compiled in turn, the least of a few; only ratios are printed. Of
each kind of cases: derivatives of their log probability summed over them, against posteriors by the
same backend (at most 3 is aimed at); and compiled derivatives against NumPy's, whose sums must
agree before any time counts. Learning moves levels that were raised together: "tied".
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from backends import clocked, in_turn

import bayesdx
from bayesdx.inference import Evidence, NoisyModel, evidence_gradient, posteriors
from bayesdx.inference.noisy.case_scores import ScoreSweep
from bayesdx.inference.noisy.sampling import observe, sample_cases

#: Cases with labelled causes, and of those whose causes are hidden, which take much longer.
LABELLED, HIDDEN, REPEATS, SEED = 2000, 40, 3, 0
AGREE = 1e-10


def kinds(model: NoisyModel) -> dict[str, Evidence]:
    """Drawn cases, three findings and risks in ten recorded."""
    rng = np.random.default_rng(SEED)
    sample = sample_cases(model, LABELLED, rng)
    hidden = observe(model, sample, rng, asked=(0.3, 0.3))
    labelled = replace(hidden, causes=sample.causes.astype(np.int8))
    few = hidden.take(np.arange(HIDDEN))
    return {f"{LABELLED} labelled": labelled, f"{HIDDEN} with hidden causes": few}


def tied(model: NoisyModel, cases: Evidence, backend: str) -> None:
    """Sum derivatives along moves of levels that are equal."""
    for part in ScoreSweep(model, tied=True, backend=backend).scores(cases):  # type: ignore[arg-type]
        part.total(np.ones(len(part.rows)))


def main() -> None:
    """Measure, and print."""
    model = bayesdx.load().core.model
    print("derivatives / posteriors, and compiled / NumPy, CPU time")
    for name, cases in kinds(model).items():
        found = [evidence_gradient(model, cases, backend=one) for one in ("numpy", "compiled")]
        apart = np.abs(found[0].total - found[1].total) / (1.0 + np.abs(found[0].total))
        if apart.max() > AGREE:
            raise SystemExit(f"{name}: sums differ by {apart.max():.1e}")
        actions = {
            f"{what} {backend}": clocked(partial(act, model, cases, backend=backend))
            for backend in ("numpy", "compiled")
            for what, act in (("all", posteriors), ("by", evidence_gradient), ("tied", tied))
        }
        took = in_turn(actions, REPEATS)
        print(name)
        for backend in ("numpy", "compiled"):
            by, along = (
                took[f"{one} {backend}"] / took[f"all {backend}"] for one in ("by", "tied")
            )
            print(f"  {backend:<9} {by:5.2f}  tied {along:5.2f}")
        print(f"  compiled / numpy {took['by compiled'] / took['by numpy']:.3f}")


if __name__ == "__main__":
    main()
