"""What was learned, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from bayesdx.diagnosis.results import Result
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import learning_text
from bayesdx.knowledge.learning_schema import Learning, Sample


@dataclass(frozen=True, eq=False, repr=False)
class Learned(Result):
    """Numbers learned from cases.

    Attributes
    ----------
    table : DataFrame
        Index ``number`` (its place), the largest move first: ``title``, ``before``, ``after``,
        ``low_before``, ``high_before``, ``low_after``, ``high_after`` (about 90 % intervals),
        ``effective_cases`` (people that the cases are worth to it) and ``moved`` (in standard
        deviations of what was stated). Shares of a risk are one row a state. Numbers that the
        cases say nothing of are not there: they are what they were.
    scores : DataFrame
        Of cases that the numbers were not learned from, in ``folds`` parts; see
        `held_out.comparison`.
    asking : DataFrame
        Findings whose being asked depends on a label; see `asking_report.asking_report`.
    refused : DataFrame
        Index ``row``: ``why``, of rows that cannot be read or are impossible.
    counts : mapping of str to int
        ``rows``, ``refused``, ``impossible``, ``too_complex``, ``used``, ``labelled``.
    no_longer_hold : tuple of str
        Constraints of the documents that held before.
    notes : tuple of str
        What whoever uses the numbers must know.
    sample : str
        ``"consecutive"`` or ``"selected"``; priors, effects and prevalences are learned from
        consecutive cases only.
    case_weight : float
        What each case counted as beside what was stated.
    folds, seed : int
        How the scores were made.
    log_posterior_before, log_posterior_after : float
        Of numbers and cases, relative to what was stated; never falls.
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    asking: pd.DataFrame
    refused: pd.DataFrame
    counts: Mapping[str, int]
    no_longer_hold: tuple[str, ...]
    notes: tuple[str, ...]
    sample: Sample
    case_weight: float
    folds: int
    seed: int
    log_posterior_before: float
    log_posterior_after: float
    knowledge: Knowledge = field(repr=False)
    learning: Learning = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return ``table``.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> cold = {"runny_nose": "yes", "diagnosis": "common_cold"}
        >>> well = {"runny_nose": "no", "diagnosis": "unexplained"}
        >>> found = engine.learn([cold, well] * 3, others="absent", folds=2)
        >>> bool(found.to_frame().loc["causes/common_cold.toml:links.runny_nose", "after"] > 0.8)
        True
        """
        return self.table

    def to_toml(self) -> str:
        """Return the content of ``learned.toml``, which belongs beside the files learned upon.

        Returns
        -------
        str

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> cold = {"runny_nose": "yes", "diagnosis": "common_cold"}
        >>> well = {"runny_nose": "no", "diagnosis": "unexplained"}
        >>> found = engine.learn([cold, well] * 3, others="absent", folds=2)
        >>> found.to_toml().splitlines()[5:7]
        ['cases = 6', 'labelled = 6']
        """
        return learning_text(self.learning)
