"""Renew the figures in MODEL_CARD.md that stand between generated marks.

``make card`` counts what is in ``priors/`` and scores the scenario files, which takes seconds. What
takes minutes (simulated cases, intervals, interviews) is taken from ``measured.json`` beside this
file, with the digest of the numbers that it was measured with; ``--measured FOLDER/report.json``
brings that up to date from a report of ``make quality``. Nothing between marks is edited by hand:
``tests/test_model_card.py`` fails where it differs from what this program writes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import alarms
import missed
import numpy as np
import orders
import pandas as pd
from metrics import Share, mid_rank, share_of

import bayesdx
from bayesdx.building.assembly import fit_remarks
from bayesdx.diagnosis.triage import build_triage
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.coverage import summary
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import applied_moves, numbers_digest, stale
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.knowledge.triage_schema import threshold
from bayesdx.tables import finding_columns, read_cases

ROOT = Path(__file__).resolve().parents[2]
CARD = ROOT / "MODEL_CARD.md"
MEASURED = Path(__file__).parent / "measured.json"
FILES = ("documents", "published")
PRESSING = ("emergency", "urgent")
KINDS = ("prior", "effect", "link", "background", "background_effect", "prevalence")
BASES = ("SEEN", "SEEN-ADAPTED", "RECALL", "SEED", "JUDGEMENT")

_BLOCK = re.compile(r"(<!-- figures: (\w+) -->)(.*?)(<!-- end -->)", re.DOTALL)


def render(text: str, figures: Mapping[str, str]) -> str:
    """Put figures between their marks.

    Parameters
    ----------
    text : str
        A card.
    figures : mapping of str to str
        By the name in a mark; tables begin and end with a line end.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If a mark names figures that are not computed.
    """
    return _BLOCK.sub(lambda found: found[1] + figures[found[2]] + found[4], text)


def named_figures(text: str) -> list[str]:
    """Names of the marks of a card, in order."""
    return [found[2] for found in _BLOCK.finditer(text)]


def all_figures(engine: bayesdx.Engine, measured: Mapping[str, Any]) -> dict[str, str]:
    """Every figure of the card, by name."""
    cases = {name: scored(engine, name) for name in FILES}
    return {
        **counts(engine),
        **provenance(engine.knowledge),
        **performance(cases),
        "kept": kept(engine, cases["published"]),
        "orders": table(*orders.rows(orders.measure(engine))),
        "alarms": table(*alarms.rows(engine)),
        "missed": table(*missed.rows(engine)),
        **from_measured(measured, numbers_digest(engine.knowledge)[:12]),
    }


def table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    """Lay out a Markdown table, a line end before and after."""
    lines = [head, ["---"] * len(head), *body]
    return "\n" + "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{share:.0%}".replace("%", " %")


# What the knowledge holds


def counts(engine: bayesdx.Engine) -> dict[str, str]:
    """Counts of parts, statements, rules, losses, and what the network cannot give back."""
    knowledge = engine.knowledge
    kinds = Counter(cause.kind for cause in knowledge.causes.values())
    groups = Counter(group.kind for group in knowledge.groups.values())
    hard = Counter(one.hard for one in knowledge.constraints)
    by = Counter(finding.observed_by for finding in knowledge.findings.values())
    words = re.match(
        r"(\d+) \+ (\d+) statements: (\d+) realised, (\d+) contr\D+(\d+) excl", summary(knowledge)
    )
    assert words is not None
    given_up = len(knowledge.calibration.given_up) if knowledge.calibration else 0
    parts: list[tuple[str, object]] = [
        ("modelled causes", kinds["cause"]),
        ("causes named in the documents but impossible here", kinds["excluded"]),
        ("row for what is not modelled", kinds["leak"]),
        ("dangerous causes", len(build_triage(knowledge.triage, knowledge.causes).causes)),
        ("findings", len(knowledge.findings)),
        ("risks and context", len(knowledge.risks)),
        ("measured quantities", len(knowledge.measures)),
        ("red-flag rules", len(knowledge.red_flags)),
        ("drivers", groups["driver"]),
        ("classes of causes", groups["class"]),
        ("numbers", len(every_number(knowledge))),
        ("sources listed", len(knowledge.sources)),
    ]
    statements: list[tuple[str, object]] = [
        ("statements of the four documents", words[1]),
        ("statements of contradictions (X)", words[2]),
        ("statements realised", words[3]),
        ("statements contradicted, with the evidence", words[4]),
        ("statements excluded with a reason", words[5]),
        ("constraints that must hold", hard[True]),
        ("constraints that are wanted", hard[False]),
        ("wanted constraints given up", given_up),
        ("numbers moved by calibration", len(applied_moves(engine.core.elicited))),
    ]
    levels = Counter(rule.level for rule in knowledge.red_flags)
    messages = [message for _, _, message in fit_remarks(engine.assembly)]
    over = sum("over-explained" in message for message in messages)
    missed = sum("out of reach" in message for message in messages)
    return {
        "parts": two_columns(parts),
        "statements": two_columns(statements),
        "constraints": str(len(knowledge.constraints)),
        "moves": _moves(engine.core.elicited),
        "asked": (
            f"{by.total()} findings ({by['patient']} answered by the person, {by['examiner']} "
            f"signs of an examiner, {by['laboratory']} laboratory values, {by['imaging']} image) "
            f"and {len(knowledge.risks)} risks"
        ),
        "rules": ", ".join(f"{levels[one]} {one.replace('_', '-')}" for one in LEVELS),
        "losses": _losses(knowledge),
        "fit": f"{over} over-explained findings and {missed} links out of reach",
    }


def two_columns(pairs: Sequence[tuple[str, object]]) -> str:
    """Lay out named counts in two columns side by side."""
    half = -(-len(pairs) // 2)
    body = [
        (*left, *(pairs[half + i] if half + i < len(pairs) else ("", "")))
        for i, left in enumerate(pairs[:half])
    ]
    return table(("part", "count", "part", "count"), body)


def _moves(knowledge: Knowledge) -> str:
    moves = applied_moves(knowledge)
    if not moves:
        return "No number is moved."
    largest = sorted(moves, key=lambda one: -abs(np.log(one.calibrated / one.elicited)))[:3]
    listed = "; ".join(
        f"`{one.number}` from {one.elicited:.3g} to {one.calibrated:.3g} (`{one.constraint}`)"
        for one in largest
    )
    state = " **The calibration is stale: run `bayesdx calibrate`.**" if stale(knowledge) else ""
    return f"{len(moves)} numbers are moved, the largest moves: {listed}.{state}"


def _losses(knowledge: Knowledge) -> str:
    triage = knowledge.triage
    assert triage is not None
    stated = {"cauda_equina": "stated in the evidence"}
    body = [
        (
            f"`{name}`",
            f"{ratio:g}",
            f"{100 * threshold(ratio):.1f} %",
            stated.get(name, "judgement"),
        )
        for name, ratio in {**triage.loss_ratio, **triage.causes}.items()
    ]
    return table(("level or cause", "ratio", "acts from", "stands on"), body)


def provenance(knowledge: Knowledge) -> dict[str, str]:
    """What the numbers rest on."""
    numbers = every_number(knowledge)
    bases = Counter(number.stated.basis for number in numbers)
    sources = Counter(number.stated.source for number in numbers)
    read = sum(source.seen for source in knowledge.sources.values())
    chosen = {basis: [n for n in numbers if n.stated.basis == basis] for basis in BASES}
    chosen["all"] = list(numbers)
    for words, wanted in (("source was read", True), ("source was not read", False)):
        chosen[words] = [n for n in numbers if knowledge.sources[n.stated.source].seen is wanted]
    body = []
    for basis, those in chosen.items():
        by_kind = Counter(number.kind for number in those)
        body.append((basis, *(by_kind[kind] for kind in KINDS), len(those)))
    judged, seen = (percent(bases[one] / len(numbers)) for one in ("JUDGEMENT", "SEEN"))
    return {
        "digest": f"`{numbers_digest(knowledge)[:12]}`",
        "basis": table(("basis", *KINDS, "all"), body),
        "shares": f"{judged} of the numbers are judgements, {seen} were read as they stand",
        "sources": (
            f"Of {len(knowledge.sources)} listed sources {read} were read, at least as an abstract "
            f"or page; {sources['clin']} numbers name no study at all"
        ),
        "judgements": str(bases["JUDGEMENT"]),
    }


# The scenario files


def scored(engine: bayesdx.Engine, name: str) -> pd.DataFrame:
    """Each case of one file: group, rank of the expected cause, labelled and given urgency."""
    read = read_cases(str(ROOT / "scenarios" / f"{name}.csv"))
    scores = engine.score(finding_columns(read))
    causes = list(engine.causes.index[engine.causes["kind"] == "cause"])
    result = pd.DataFrame(
        {
            "case_id": read["case_id"].astype(str),
            "cause": read["expected_cause"].astype(str).str.strip(),
            "sex": read["sex"].astype("string").fillna(""),
            "age": pd.to_numeric(read["age"]),
            "known": finding_columns(read).fillna("").ne("").sum(axis=1),
            "label": [LEVELS.index(str(one).strip()) for one in read["urgency"]],
            "given": [LEVELS.index(str(one)) for one in scores["urgency"]],
        }
    )
    also = read["acceptable"].astype("string").fillna("")
    for column, more in (("rank", [""] * len(read)), ("either", also)):
        result[column] = [
            min(
                _rank(scores.iloc[row], causes, one)
                for one in (cause, *filter(None, str(names).split(";")))
            )
            for row, (cause, names) in enumerate(zip(result["cause"], more, strict=True))
        ]
    return result


def _rank(scores: pd.Series, causes: list[str], name: str) -> float:
    name = name.strip()
    others = scores[[cause for cause in causes if cause != name]].to_numpy(dtype=np.float64)
    return mid_rank(float(scores[name]), others)


def performance(cases: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Ranks and urgency on both files, by group, and in words."""
    measures = {name: _measures(part) for name, part in cases.items()}
    body = [
        (measure, *(_cell(measures[name][measure]) for name in FILES))
        for measure in measures[FILES[0]]
    ]
    head = ("measure", "documents (self-consistency)", "published (selected)")
    return {
        "files": _files(cases),
        "performance": table(head, body),
        "groups": _groups(cases),
        "results": _results(cases),
        "too_low": "; ".join(
            _too_low(name, part[~part["case_id"].isin(orders.frozen_cases())])
            for name, part in cases.items()
        ),
    }


def kept(engine: bayesdx.Engine, published: pd.DataFrame) -> str:
    """Lay out ranks and urgency on the frozen published rows and the typical presentations."""
    parts = (published[published["case_id"].isin(orders.frozen_cases())], scored(engine, "typical"))
    columns = []
    for part in parts:
        emergency = part["label"] == 0
        as_such = share_of((part["given"] == 0)[emergency].to_numpy(dtype=bool))
        columns.append({**_measures(part), "emergency, and called so": as_such})
    body = [(measure, *(_cell(column[measure]) for column in columns)) for measure in columns[0]]
    return table(("measure", "published, frozen", "typical"), body)


def _measures(part: pd.DataFrame) -> dict[str, Share]:
    pressing, called = (part[one] < len(PRESSING) for one in ("label", "given"))
    masks = {
        "expected cause first": part["rank"] <= 1,
        "expected cause among the first 3": part["rank"] <= 3,
        "expected cause among the first 5": part["rank"] <= 5,
        "expected or acceptable first": part["either"] <= 1,
        "expected or acceptable among the first 5": part["either"] <= 5,
        "urgency as labelled": part["given"] == part["label"],
        "**urgency too low**": part["given"] > part["label"],
        "urgency too high": part["given"] < part["label"],
        "**urgent or emergency, and missed**": ~called[pressing],
        "called urgent or emergency without that label": called[~pressing],
    }
    return {name: share_of(mask.to_numpy(dtype=bool)) for name, mask in masks.items()}


def _cell(share: Share) -> str:
    if share.n == 0:
        return "–"
    low, high = (f"{100 * one:.0f}" for one in (share.low, share.high))
    return f"{share.hits} of {share.n} ({percent(share.share)}, {low} to {high})"


def _files(cases: Mapping[str, pd.DataFrame]) -> str:
    what = {
        "documents": (
            "invented vignettes, written from the same four documents",
            "self-consistency only, never accuracy",
        ),
        "published": (
            "published case reports, coded by hand from an abstract or the opening of the text",
            "a small probe on selected cases",
        ),
    }
    body = []
    for name, part in cases.items():
        sexes = Counter(part["sex"])
        unknown = f", {sexes['']} not stated" if sexes[""] else ""
        ages = part["age"].dropna()
        no_age = int(part["age"].isna().sum())
        people = f"{sexes['female']} women, {sexes['male']} men{unknown}; "
        people += f"age {ages.min():.0f} to {ages.max():.0f}"
        people += f", {no_age} not stated" if no_age else ""
        known = f"known values a case: mean {part['known'].mean():.0f} "
        known += f"({part['known'].min()} to {part['known'].max()})"
        text, says = what[name]
        row = (f"`scenarios/{name}.csv`", len(part), f"{text}; {people}; {known}", says)
        body.append(row)
    return table(("file", "cases", "what", "says"), body)


def _groups(cases: Mapping[str, pd.DataFrame]) -> str:
    body = []
    for group in ("female", "male", "under 50", "50 to 64", "65 or over"):
        row: list[str] = [group]
        for part in cases.values():
            members = {
                "female": part["sex"] == "female",
                "male": part["sex"] == "male",
                "under 50": part["age"] < 50,
                "50 to 64": part["age"].between(50, 65, inclusive="left"),
                "65 or over": part["age"] >= 65,
            }[group]
            own = part[members]
            first, low = (own["rank"] <= 1).sum(), (own["given"] > own["label"]).sum()
            row += [f"{first} of {len(own)}", f"{low} of {len(own)}"]
        body.append(row)
    head = [f"{name}: {what}" for name in cases for what in ("first", "too low")]
    return table(("group", *head), body)


def _results(cases: Mapping[str, pd.DataFrame]) -> str:
    part = cases["published"]
    first, five = ((part["rank"] <= k).sum() for k in (1, 5))
    low = (part["given"] > part["label"]).sum()
    said = (
        f"On {len(part)} published cases, selected for being unusual and partly known when the "
        f"model was made, the published diagnosis was first in {first}, among the first five in "
        f"{five}; urgency was too low in {low}. "
    )
    part = cases["documents"]
    pressing = part[part["label"] < len(PRESSING)]
    missed = (pressing["given"] >= len(PRESSING)).sum()
    return said + (
        f"On {len(part)} vignettes from the documents themselves: first in "
        f"{(part['rank'] <= 1).sum()}, urgency too low in "
        f"{(part['given'] > part['label']).sum()}, {missed} of {len(pressing)} urgent or emergency "
        "cases missed."
    )


def _too_low(name: str, part: pd.DataFrame) -> str:
    below = part[part["given"] > part["label"]]
    listed = [
        f"{one.case_id} ({one.cause}, {LEVELS[one.label]} called {LEVELS[one.given]})"
        for one in below.itertuples()
    ]
    return f"{name}: {', '.join(listed) or 'none'}"


# What takes minutes


def from_measured(measured: Mapping[str, Any], digest: str) -> dict[str, str]:
    """The figures that a report of ``make quality`` brought, and with which numbers."""
    current = measured["numbers_digest"] == digest
    note = (
        "" if current else "; the numbers have changed since: run `make quality`, then `make card`"
    )
    measures = [(row[0], *row[1:]) for row in measured["rows"]]
    seed, date, own = (measured[key] for key in ("seed", "date", "numbers_digest"))
    return {
        "measured_with": f"seed {seed}, {date}, numbers `{own}`{note}",
        "measured": table(("measure", *FILES), measures),
        "simulated": measured["simulated"],
        "intervals": measured["intervals"],
        "interviews": measured["interviews"],
    }


def measured_from(report: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Keep of a report what the card shows.

    Parameters
    ----------
    report : mapping
        ``report.json`` of ``report.py``.
    digest : str
        Of the numbers it was measured with.
    """
    parts = [report[name] for name in FILES]

    def share(one: Mapping[str, Any] | Sequence[Any]) -> str:
        return _cell(Share(**one) if isinstance(one, Mapping) else Share(*one))

    def both(label: str, *path: str) -> tuple[str, ...]:
        cells = []
        for part in parts:
            found: Any = part
            for key in path:
                found = found[key]
            cells.append(share(found))
        return (label, *cells)

    ranks = ("ranks", "expected")
    rows = [
        both("first by expected disablement", *ranks, "disablement", "top", "1"),
        both("among the first 5 by expected disablement", *ranks, "disablement", "top", "5"),
        both("first by priors alone", *ranks, "priors_alone", "top", "1"),
        both("first with all priors 0.2 %", "equal_priors", "equal_0.002", "summary", "top", "1"),
        both("findings surprise the model (5 % expected)", "surprise", "findings", "surprising"),
    ]
    logs = [part["scores"] for part in parts]
    rows.append(
        (
            "−log posterior of the expected cause (priors alone)",
            *(
                f"{one['engine']['log_score']['mean']:.2f} "
                f"({one['priors_alone']['log_score']['mean']:.2f})"
                for one in logs
            ),
        )
    )
    about = report["about"]
    return {
        "numbers_digest": digest,
        "seed": about["seed"],
        "date": about["date"][:10],
        "rows": rows,
        "simulated": _simulated_words(report["simulated"]),
        "intervals": _interval_words(report["coverage"]),
        "interviews": _interview_words(report),
    }


def _simulated_words(part: Mapping[str, Any]) -> str:
    def across(kind: str, key: str) -> str:
        one = part[kind][key]
        return f"{one['mean']:.2f} (5 to 95 % of sets: {one['p05']:.2f} to {one['p95']:.2f})"

    skills = " and ".join(f"{part[kind]['brier_skill']['mean']:.2f}" for kind in ("exact", "drawn"))
    return (
        f"calibration slope {part['exact']['slope']['mean']:.2f} from the model itself; "
        f"{across('drawn', 'slope')} and intercept {across('drawn', 'intercept')} when "
        f"{part['numbers_drawn']} numbers were drawn from their ranges; Brier skill against the "
        f"priors {skills}"
    )


def _interval_words(part: Mapping[str, Any]) -> str:
    held = part["overall"]["assembled"]["share"]
    return (
        f"of {100 * part['level']:.0f} % intervals, {100 * held:.1f} % held the posterior of "
        f"{part['truths_assembled']} networks built anew from drawn numbers"
    )


def _interview_words(report: Mapping[str, Any]) -> str:
    said = []
    for goal, words in (("urgency", "the urgency was final"), ("first_cause", "the first cause")):
        for name in FILES:
            orders = report[name]["interviews"]["orders"]
            ours, random = (orders[one][goal]["questions"]["mean"] for one in ("ours", "random"))
            said.append(
                f"{words} after {ours:.0f} questions ({name}; in random order {random:.0f})"
            )
    led = " and ".join(str(report[name]["interviews"]["n"]) for name in FILES)
    return f"{'; '.join(said)}; of {led} cases"


def main(arguments: list[str] | None = None) -> None:
    """Renew the card; with ``--measured``, first what takes minutes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, help="report.json of a full quality report")
    options = parser.parse_args(arguments)
    engine = bayesdx.load()
    if options.measured is not None:
        report = json.loads(options.measured.read_text(encoding="utf-8"))
        if report["about"]["knowledge_digest"] != engine.knowledge.digest:
            parser.error(f"{options.measured}: expected a report of these numbers, got another's")
        kept = measured_from(report, numbers_digest(engine.knowledge)[:12])
        text = json.dumps(kept, indent=1, ensure_ascii=False)
        MEASURED.write_text(text + "\n", encoding="utf-8")
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    before = CARD.read_text(encoding="utf-8")
    after = render(before, all_figures(engine, measured))
    CARD.write_text(after, encoding="utf-8", newline="\n")
    print(f"{CARD.name}: {'unchanged' if after == before else 'renewed'}")


if __name__ == "__main__":
    main()
