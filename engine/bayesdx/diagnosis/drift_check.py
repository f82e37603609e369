"""Whether cases still are what the model says, over windows of time.

Four things are looked at in every window. *Log evidence*: the mean log P(findings, risks), against
that of cases which the model makes itself and of which the same things are asked. *Calibration in
the large* and *slope* (Cox 1958), where causes are labelled, against the same cases with the same
causes labelled: the statistics are the scores of the two coefficients at 0 and 1. *Asking*: the
share of cases of which each finding is known, against all other windows (Fisher's exact test).

References are drawn a few for each case; sums over a window are drawn from those of its cases
(a parametric bootstrap), so that nothing is taken to be normal. Each of the three kinds has a third
of the stated rate of false alarms, shared by its tests (Bonferroni): a stable model that is right
is said to drift in at most that share of reports. Which questions are asked and which causes are
labelled is read as saying nothing of the answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special, stats

from bayesdx.checked_names import choice_faults, is_one_of
from bayesdx.checked_numbers import is_share
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.learning.held_out import (
    EDGE,
    HeldAgainst,
    held_against,
    joined,
    recalibration,
)
from bayesdx.diagnosis.learning.labels import Labels
from bayesdx.diagnosis.learning.learning_table import AS_WRITTEN, LabelledInput, read_labelled
from bayesdx.diagnosis.predictive_check import exact_levels
from bayesdx.diagnosis.results import Result
from bayesdx.errors import (
    NOTHING,
    BayesdxError,
    Fault,
    InvalidCase,
    Phrase,
    TooComplex,
    nearest_names,
)
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import TOO_COMPLEX
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.query import posteriors
from bayesdx.inference.noisy.reference import asked_alike
from bayesdx.inference.noisy.sampling import Sample, sample_cases

#: Calendar windows, as pandas calls them.
WINDOWS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
MOST_WINDOWS = 500
#: Largest share of reports that tell of a drift where there is none.
FALSE_ALARM = 0.01
#: Cases that the model makes for each given one.
REFERENCES = 20
#: How often references that are too complex are drawn again.
_REDRAWN = 40
#: Cases of a window from which it is judged; fewer are shown only.
FEWEST = 10
_KINDS = 3
#: Sums drawn at a time, which bounds memory.
_AT_ONCE = 1 << 20
_STATISTICS = ("log_evidence", "large", "slope")


@dataclass(frozen=True, eq=False, repr=False)
class Drift(Result):
    """How cases fare over time.

    Attributes
    ----------
    windows : DataFrame
        Index ``window``: ``cases``, ``labelled``, ``impossible`` (under the model),
        ``log_evidence`` and ``expected`` (means, in nats), ``log_evidence_p``;
        ``calibration_in_the_large`` (0 is right) with its standard deviation ``.._sd`` and
        ``large_p``; ``calibration_slope`` (1 is right), ``.._sd`` and ``slope_p``; ``alarm``: what
        drifts, with commas between, empty where nothing is said to.
    asking : DataFrame
        One row a finding and window that differ: ``window``, ``finding``, ``asked`` and
        ``asked_elsewhere`` (shares), ``p``.
    counts : mapping of str to int
        ``rows``, ``refused``, ``too_complex``, ``used``.
    refused : DataFrame
        Index ``row``: ``why``.
    false_alarm : float
    references, seed : int
    """

    windows: pd.DataFrame
    asking: pd.DataFrame
    counts: dict[str, int]
    refused: pd.DataFrame
    false_alarm: float
    references: int
    seed: int

    @property
    def drifts(self) -> bool:
        """Whether anything is said to drift."""
        return bool((self.windows["alarm"] != "").any())


@dataclass(frozen=True, eq=False)
class _Statistics:
    """Of N cases, or of R references each: arrays (N,) or (N, R), 0 where nothing is labelled."""

    log_evidence: FloatArray
    large: FloatArray
    slope: FloatArray


def drift(
    core: Core,
    frame: pd.DataFrame,
    how: LabelledInput = AS_WRITTEN,
    *,
    time: str,
    window: str = "month",
    false_alarm: float = FALSE_ALARM,
    references: int = REFERENCES,
    seed: int = 0,
) -> Drift:
    """Compare cases with the model, window after window; see `Engine.drift`."""
    _check(frame, time, window, false_alarm, references, seed)
    read = read_labelled(core, frame, replace(how, ignore=(*how.ignore, time)))
    periods, bad = _periods(frame[time], read.calls, window)
    refused = {row: str(fault) for row, fault in bad.items()}
    if refused and how.on_error == "raise":
        raise InvalidCase(list(bad.values()))
    refused = {row: " ".join(map(str, faults)) for row, faults in read.bad.items()} | refused
    usable = read.usable.copy()
    usable[list(refused)] = False
    kept, hard = _answered(core, read.cases.evidence, np.flatnonzero(usable))
    for row in hard.tolist():
        refused[row] = "more is coupled than can be summed over"
    if not len(kept):
        why = next(iter(refused.values()), "")
        raise InvalidCase(Fault("cases", "one case that can be answered", Phrase(f"none: {why}")))
    cases, labels = read.cases.take(kept), read.labels.take(kept)
    names, own = np.unique(periods[kept], return_inverse=True)
    if len(names) > MOST_WINDOWS:
        raise InvalidCase(Fault("window", f"at most {MOST_WINDOWS} windows", len(names)))
    rng = np.random.default_rng(seed)
    exact = exact_levels(core.knowledge, core.model, cases)
    found = held_against(core.model, cases.evidence, labels, divide=False)
    seen, expected = _compared(core, cases.evidence, labels, exact, found, references, rng)
    asked = {name: ~np.isnan(values) for name, values in cases.given}
    asking = _asking(asked, own, names, false_alarm / _KINDS)
    level = false_alarm / _KINDS / len(names)
    rows = [
        _window(np.flatnonzero(own == w), labels, found, seen, expected, level, rng)
        for w in range(len(names))
    ]
    table = pd.DataFrame(rows, index=pd.Index(names, name="window"))
    for name in asking["window"].unique():
        own_alarm = table.loc[name, "alarm"]
        table.loc[name, "alarm"] = f"{own_alarm}, asking" if own_alarm else "asking"
    told = sorted(refused)
    whys = pd.DataFrame(
        {"why": [refused[row] for row in told]}, index=[read.calls[row] for row in told]
    )
    return Drift(
        windows=table,
        asking=asking,
        counts={
            "rows": len(frame),
            "refused": len(refused) - len(hard),
            "too_complex": len(hard),
            "used": len(kept),
        },
        refused=whys.rename_axis("row"),
        false_alarm=false_alarm,
        references=references,
        seed=seed,
    )


def _check(
    frame: pd.DataFrame, time: str, window: str, false_alarm: float, references: int, seed: int
) -> None:
    faults = []
    if not len(frame):
        faults.append(Fault("cases", "one row or more", NOTHING))
    if not is_one_of(time, list(map(str, frame.columns))):
        near = nearest_names(time, [str(one) for one in frame.columns])
        faults.append(Fault("time", "a column of the table", time, near))
    faults += choice_faults("window", window, WINDOWS)
    if not is_share(false_alarm) or not false_alarm < 0.5:
        faults.append(Fault("false_alarm", "a rate between 0 and 0.5", false_alarm))
    if type(references) is not int or not 5 <= references <= 1000:
        faults.append(Fault("references", "a whole number from 5 to 1000", references))
    if type(seed) is not int or seed < 0:
        faults.append(Fault("seed", "a whole number, not negative", seed))
    if faults:
        raise BayesdxError(faults)


def _periods(
    column: pd.Series, calls: list[object], window: str
) -> tuple[np.ndarray, dict[int, Fault]]:
    """Name of the window of each row; what is wrong with dates, by position."""
    text = column.astype(str).str.strip()
    dates = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    bad = {}
    for row in np.flatnonzero(dates.isna()).tolist():
        got = column.iloc[row]
        blank = bool(pd.isna(got)) or not str(got).strip()
        place = f"row {calls[row]}, {column.name}"
        bad[row] = Fault(place, "a date such as 2026-11-30", NOTHING if blank else str(got))
    # A window is that of the date in universal time: two tables are cut alike.
    periods = dates.dt.tz_localize(None).dt.to_period(WINDOWS[window])
    return periods.astype(str).to_numpy(dtype=object), bad


def _answered(core: Core, evidence: Evidence, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Those of some cases that are answered, and those that are too complex.

    Of twenty references a case, too many would have to be divided; so neither is.
    """
    given = evidence.take(rows)
    hard = posteriors(core.model, given, backend=core.backend, divide=False).status == TOO_COMPLEX
    return rows[~hard], rows[hard]


def _compared(
    core: Core,
    evidence: Evidence,
    labels: Labels,
    exact: BoolArray,
    found: HeldAgainst,
    references: int,
    rng: np.random.Generator,
) -> tuple[_Statistics, _Statistics]:
    """Statistics of N cases, and of their references (N, R)."""
    n = len(evidence)
    at = np.repeat(np.arange(n), references)

    def drawn(at: IntArray) -> HeldAgainst:
        sample = sample_cases(core.model, len(at), rng)
        cases = asked_alike(core.model, sample, evidence.take(at), exact[at], rng)
        return held_against(core.model, cases, _labels_of(sample, labels.take(at)), divide=False)

    own = drawn(at)
    # The cases themselves are those that can be answered; so are their references.
    for _ in range(_REDRAWN):
        again = np.flatnonzero(~own.answered)
        if not len(again):
            break
        kept = np.flatnonzero(own.answered)
        own = joined([own.take(kept), drawn(at[again])], [kept, again], len(at))
    if not own.answered.all():
        wanted = "findings and risks that couple less"
        place = f"cases like case {int(at[own.answered.argmin()])}"
        raise TooComplex(Fault(place, wanted, Phrase("too complex ones")))
    parts = _statistics(own, len(at))
    shape = (n, references)
    expected = _Statistics(
        parts.log_evidence.reshape(shape), parts.large.reshape(shape), parts.slope.reshape(shape)
    )
    return _statistics(found, n), expected


def _labels_of(sample: Sample, labels: Labels) -> Labels:
    """Return the causes of drawn cases, known where those of the given ones are."""
    causes = np.where(labels.causes >= 0, sample.causes, -1)
    groups = labels.groups.copy()
    for g, members in enumerate(labels.members):
        some = sample.causes[:, members].any(axis=1)
        groups[:, g] = np.where(labels.groups[:, g] >= 0, some, -1)
    return replace(labels, causes=causes, groups=groups)


def _statistics(found: HeldAgainst, n: int) -> _Statistics:
    gap = found.outcome - found.probability
    odds = special.logit(np.clip(found.probability, EDGE, 1.0 - EDGE))
    return _Statistics(
        found.log_evidence,
        np.bincount(found.case, gap, n).astype(np.float64),
        np.bincount(found.case, gap * odds, n).astype(np.float64),
    )


def _window(
    own: IntArray,
    labels: Labels,
    found: HeldAgainst,
    seen: _Statistics,
    expected: _Statistics,
    level: float,
    rng: np.random.Generator,
) -> dict[str, object]:
    possible = np.isfinite(seen.log_evidence[own])
    likely = own[possible]
    known = likely[labels.take(likely).known]
    alarms = [] if possible.all() else ["log_evidence"]
    p = dict.fromkeys(_STATISTICS, np.nan)
    for name in _STATISTICS:
        rows = likely if name == "log_evidence" else known
        if len(rows) >= FEWEST:
            share = level if name == "log_evidence" else level / 2.0
            values, drawn = getattr(seen, name)[rows], getattr(expected, name)[rows]
            p[name] = _p_value(float(values.sum()), drawn, share, rng)
            if p[name] < share and name not in alarms:
                alarms.append(name)
    nothing = (np.full(2, np.nan), np.full(2, np.nan))
    value, deviation = recalibration(found.take(known)) if len(known) >= FEWEST else nothing
    some = len(likely) > 0
    return {
        "cases": len(own),
        "labelled": int(labels.take(own).known.sum()),
        "impossible": int((~possible).sum()),
        "log_evidence": float(seen.log_evidence[likely].mean()) if some else np.nan,
        "expected": float(expected.log_evidence[likely].mean()) if some else np.nan,
        "log_evidence_p": p["log_evidence"],
        "calibration_in_the_large": value[0],
        "calibration_in_the_large_sd": deviation[0],
        "large_p": p["large"],
        "calibration_slope": value[1],
        "calibration_slope_sd": deviation[1],
        "slope_p": p["slope"],
        "alarm": ", ".join(alarms),
    }


def _p_value(total: float, drawn: FloatArray, level: float, rng: np.random.Generator) -> float:
    """Two-sided p of a sum over n cases, given R references (n, R) of each; see the module.

    The mean of references is as uncertain as one of them divided by R, and their spread is too
    small by as much: deviations are stretched by the root of (R + 1) / (R - 1).
    """
    n, references = drawn.shape
    sums, left = [], max(999, int(np.ceil(4.0 / level)))
    while left:
        count = min(left, max(1, _AT_ONCE // n))
        picked = rng.integers(references, size=(count, n))
        sums.append(drawn[np.arange(n), picked].sum(axis=1))
        left -= count
    middle = float(drawn.mean(axis=1).sum())
    stretch = np.sqrt((references + 1.0) / (references - 1.0))
    deviation = stretch * (np.concatenate(sums) - middle)
    gap, edge = total - middle, 1e-9 * max(1.0, abs(middle))
    tails = (deviation <= gap + edge).sum(), (deviation >= gap - edge).sum()
    return float(min(1.0, 2.0 * (1.0 + min(tails)) / (1.0 + len(deviation))))


def _asking(
    asked: dict[str, BoolArray], own: IntArray, names: np.ndarray, rate: float
) -> pd.DataFrame:
    """Compare how often findings are known with all other windows."""
    sizes, rows = np.bincount(own, minlength=len(names)), []
    for finding, known in asked.items():
        told = np.bincount(own, known, len(names))
        for w in np.flatnonzero(sizes < sizes.sum()).tolist():
            here, size = int(told[w]), int(sizes[w])
            there, rest = int(told.sum()) - here, int(sizes.sum()) - size
            _, p = stats.fisher_exact([[here, size - here], [there, rest - there]])
            rows.append((names[w], finding, here / size, there / rest, float(p)))
    columns = ["window", "finding", "asked", "asked_elsewhere", "p"]
    chosen = [row for row in rows if row[-1] * len(rows) < rate]
    frame = pd.DataFrame(chosen, columns=columns)
    return frame.sort_values("p", kind="stable", ignore_index=True)
