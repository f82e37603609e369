"""The vocabulary: how numbers, ids and lists read, and sentences that several places say."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from bayesdx.knowledge.red_flag_schema import LEVELS, URGENCY_ONLY, Basis
from bayesdx.knowledge.schema import BASIS_WORDS

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx import Diagnosis, RedFlagHit
    from bayesdx.diagnosis.predictive_check import Surprise
    from bayesdx.knowledge.knowledge import Knowledge

NO_LABELS: Mapping[str, str] = MappingProxyType({})
MOST_NAMES = 4
LAST_BRACKETS = re.compile(r" \([^()]*\)$")
NOTHING_RULED_OUT = (
    "Nothing is ruled out: answers can be wrong or change, and the rules are not complete."
)
SEVERAL_AT_ONCE = (
    "Several can be present at once, so the numbers do not add up to 100 %; a small one settles "
    "nothing."
)
NO_FINDINGS = "No finding was given: the posteriors are the priors, and the urgency means nothing."
#: How contributions are shared out; see `bayesdx.inference.noisy.attribution`.
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "shapley": "Shapley values: the mean over all orders in which the observations could "
        "have come.",
        "shapley_absent_in_order": "Shapley values over the orders in which absent findings keep "
        "one order, by falling stand-alone weight, or its reverse: there are too many "
        "observations for all orders.",
        "path": "The mean over one order, risks first and then findings by falling stand-alone "
        "weight, and its reverse: there are too many observations for all orders.",
    }
)
#: What the number behind an observation is, said before it.
NUMBER_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "link": "how often the cause shows it",
        "effect": "effect of the risk",
        "requirement": "the cause requires it",
        "background": "background of the finding",
        "prevalence": "prevalence of the risk",
        "none": "no probability; for urgency only",
    }
)


def percent(probability: float) -> str:
    """Write a probability so that what is small, and what is exactly nothing, can be told apart."""
    if math.isnan(probability):
        return ""
    if probability == 0.0:
        return "excluded"
    if probability < 0.0001:
        return "< 0.01 %"
    if 0.999 <= probability < 1.0:
        return "> 99.9 %"
    digits = 1 if probability >= 0.01 else 2
    return f"{100 * probability:.{digits}f} %"


def whole_percent(probability: float) -> str:
    """Write a probability in whole percents, what is nearly nothing or all by a bound."""
    if math.isnan(probability):
        return ""
    if 0.0 < probability < 0.005:
        return "< 1 %"
    if 0.995 <= probability < 1.0:
        return "> 99 %"
    return f"{100.0 * probability:.0f} %"


def range_of_percents(low: float, high: float) -> str:
    """Write a range of probabilities in whole percents; nothing where there is none."""
    below, above = whole_percent(low), whole_percent(high)
    return below if below == above else f"{below.removesuffix(' %')} to {above}"


def share(probability: float) -> str:
    """Write a posterior under a rival reading: there 0 is no verdict but a number like others."""
    if math.isnan(probability):
        return "-"
    return "0 %" if probability == 0.0 else percent(probability)


def log_odds(value: float) -> str:
    """Write a change of log-odds with its sign; an infinite one by what it means."""
    if math.isinf(value):
        return "certain" if value > 0.0 else "impossible"
    return f"{value:+.2f}"


def number(value: float, digits: int = 2) -> str:
    """Write a number shortly; nothing for NaN, an infinity by its sign."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def number_behind(row: Mapping[Any, Any]) -> str:
    """Write the number behind an observation, with its range and where it comes from."""
    text = NUMBER_KINDS[str(row["kind"])]
    if row["kind"] != "requirement" and not math.isnan(float(row["number"])):
        text += f" {row['number']:.3g}"
        if not math.isnan(float(row["low"])):
            text += f" ({row['low']:.3g} to {row['high']:.3g})"
    if row["source"]:
        text += f", {row['source']}"
    return text + (f" ({basis_word(row['basis'])})" if row["basis"] else "")


def basis_word(basis: object) -> str:
    """Write how well a number is founded in a word: "seen", "judgement"; nothing for none."""
    return BASIS_WORDS[cast(Basis, basis)].partition(":")[0] if basis else ""


def spaced(name: object) -> str:
    """Write an identifier as words."""
    return str(name).replace("_", " ")


def split_names(joined: object) -> tuple[str, ...]:
    """Split names that a table joins by ``;``."""
    return tuple(part for part in str(joined).split(";") if part)


def counted(n: int, word: str) -> str:
    """Write how many of something there are."""
    return f"{n:,} {word}" + ("" if n == 1 else "s")


def listed(names: Sequence[str], every: bool, most: int = MOST_NAMES, between: str = ", ") -> str:
    """Write names in a row: `every` one, or the first few and how many more."""
    # "and 1 more" is no shorter than the name it stands for.
    if every or len(names) <= most + 1:
        return between.join(names)
    return f"{between.join(names[:most])} and {len(names) - most} more"


def clipped(texts: Sequence[str], room: int, between: str = "; ") -> str:
    """Write texts in a row as long as they fit in `room` characters, and how many more."""
    fit, used = 0, 0
    for text in texts:
        used += len(text) + len(between)
        if fit and used > room:
            break
        fit += 1
    left = len(texts) - fit
    return between.join(texts[:fit]) + (f" and {left} more" if left else "")


def short(label: str) -> str:
    """Return a label without what it adds in brackets at its end."""
    return LAST_BRACKETS.sub("", label)


def lower_first(label: str) -> str:
    """Write a label within a sentence; "FAIR test" and "Parkinson's disease" stay as they are."""
    word = label.partition(" ")[0]
    lowered = (label[1:2].islower() and not word.endswith("'s")) or word == "A"
    return label[:1].lower() + label[1:] if lowered else label


def in_words(
    leaf: str, labels: Mapping[str, str], understood: Mapping[str, str] = NO_LABELS
) -> str:
    """Write an id, or a leaf of a condition such as ``"!fever"``, by its label.

    Parameters
    ----------
    leaf : str
        ``"fever"``, ``"!fever"`` or ``"age:65_to_69|70_or_over"``.
    labels : mapping of str to str
        Labels of findings and risks; an id without one stays an id.
    understood : mapping of str to str, optional
        What the case says: it stands in place of the states that a leaf allows.
    """
    name, colon, states = leaf.removeprefix("!").partition(":")
    label = lower_first(labels.get(name, name))
    if colon:
        return f"{label}: {spaced(understood.get(name) or states.replace('|', ' or '))}"
    return f"absent: {label}" if leaf.startswith("!") else label


def labels_of(knowledge: Knowledge) -> dict[str, str]:
    """Return the label of everything that a rule or a text can name."""
    risks = {risk.id: risk.label for risk in knowledge.risks.values()}
    return risks | {finding.id: finding.label for finding in knowledge.findings.values()}


def understood_as(understood: Mapping[str, str], urgency_only: Collection[str] = ()) -> str:
    """Say what was read of a case, as it is typed, and what of it moves no cause."""
    said = (f"{name}={value}{marked(name, urgency_only)}" for name, value in understood.items())
    return f"Understood: {', '.join(said) or 'no finding'}"


def marked(name: str, urgency_only: Collection[str]) -> str:
    """Return what is said after a finding that counts for urgency only."""
    return f" ({URGENCY_ONLY})" if name in urgency_only else ""


def clash_text(clashes: Sequence[str]) -> str:
    """Say which findings exclude each other."""
    return f"These findings cannot occur together in this model: {', '.join(clashes)}."


def coupled_text(coupled: Sequence[str]) -> str:
    """Say what made a case too much to be summed over."""
    return f"Too much couples in this case to be summed over: {', '.join(coupled)}."


def fired_rules(diagnosis: Diagnosis) -> list[RedFlagHit]:
    """Return the rules that fired."""
    return [hit for hit in diagnosis.red_flags if hit.outcome == "fired"]


def open_rules(diagnosis: Diagnosis) -> list[RedFlagHit]:
    """Return the open rules above the urgency that was reached; in an emergency, its equals."""
    above = LEVELS[: max(LEVELS.index(diagnosis.urgency), 1)]
    return [hit for hit in diagnosis.red_flags if hit.outcome == "open" and hit.level in above]


def rules_that_wait(diagnosis: Diagnosis) -> str:
    """Say how many rules wait for what was not asked; nothing where none does."""
    waiting = len(open_rules(diagnosis))
    if not waiting:
        return ""
    kind = f"other {LEVELS[0]}" if diagnosis.urgency == LEVELS[0] else "more urgent"
    return (
        f"{waiting} {kind} {'rule waits' if waiting == 1 else 'rules wait'} for what was not asked"
    )


def fit_verdict(found: Surprise) -> str:
    """Say in words whether the case is outside the model, with the rate of false alarms."""
    if found.status == "impossible":
        return "Outside the model: it holds these findings impossible together."
    rate = f"at most {percent(found.false_alarm)} of ordinary cases are called so"
    if found.outside:
        return (
            f"Outside the model ({rate}). Its posteriors rest on assumptions that this case does "
            "not meet: think of causes that are not in it, and check the answers."
        )
    return (
        f"Not called outside the model ({rate}). That does not make the model right for this "
        "person."
    )


def fit_shares(found: Surprise) -> str:
    """Say how many cases of the model are as strange."""
    cases = f"{found.draws} cases of the model that say as much"
    few = found.p_rare < 1.0 / (found.draws + 1.0)
    rare = f"rarer than {cases} can show" if few else f"{percent(found.p_rare)} of {cases}"
    return (
        f"As improbable or more: {rare}. "
        f"As much at odds with itself or more: {percent(found.p_conflict)}."
    )


def rows_of(frame: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return the id and the cells of every row."""
    cells = [{str(key): cell for key, cell in row.items()} for row in frame.to_dict("records")]
    return list(zip(map(str, frame.index), cells, strict=True))
