"""The report as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import interval_coverage
import orders

DOCUMENTS = "Self-consistency with the source documents"
PUBLISHED = "Accuracy on selected published cases"
NAMES = {"documents": DOCUMENTS, "published": PUBLISHED}

_MAY: Mapping[str, tuple[str, str]] = {
    "ranks_documents": (
        "how often the engine puts a cause high where the documents would; how much of that comes "
        "from the findings and how much from the priors.",
        "accuracy. The documents fed the numbers and the vignettes alike, and each cause occurs "
        "as often as coverage wanted, not as often as in patients.",
    ),
    "ranks_published": (
        "how often the published diagnosis is among the first k in these cases, with the interval.",
        "accuracy in ordinary patients, or that one cause is recognised better than another. The "
        "cases are few, and were published because they are rare, severe or were first misread.",
    ),
    "urgency_documents": (
        "whether the red-flag rules and levels do what the documents ask for, level by level.",
        "that triage protects patients. The labels follow the same documents as the rules.",
    ),
    "urgency_published": (
        "how the rules behave on these cases; every missed one is listed for reading.",
        "a rate of missed emergencies. The labels are one coder's, and the case mix is not a "
        "practice's.",
    ),
    "surprise_documents": (
        "whether the vignettes look like cases that the model makes; a tall orange bar is a "
        "conflict between model and vignettes.",
        "that the model resembles patients, or that a number is wrong. The vignettes are invented, "
        "and a text tells what was present and is silent about the rest, while references answer "
        "the same questions mostly with no; so more than 5 % is to be expected.",
    ),
    "surprise_published": (
        "whether these cases look like cases that the model makes; a tall orange bar says that "
        "the model meets combinations here which it holds to be rare.",
        "that a posterior or a number is right or wrong. Rare cases were chosen for publication, "
        "and a text tells what was present and is silent about the rest, while references answer "
        "the same questions mostly with no; so more than 5 % is to be expected.",
    ),
    "interviews_documents": (
        "how soon each order of questions reaches what the engine says of the whole vignette, and "
        "what asking for red flags first costs and brings.",
        "that an interview finds the right cause, or how long one takes with a person. The "
        "vignettes tell a few things each, chosen because they matter.",
    ),
    "interviews_published": (
        "the same on cases that others wrote down.",
        "that an interview finds the right cause, or how long one takes with a patient. What was "
        "not published counts as not known.",
    ),
    "coverage": (
        "that intervals pass the uncertainty of the stated numbers on to the answers, whole "
        "networks built anew included.",
        "that an interval holds the truth about a patient. Truths and intervals come from one set "
        "of stated distributions, and what the model leaves out is in no interval.",
    ),
    "reliability": (
        "that inference and sampling agree (grey on the line), and how far the posteriors drift "
        "when every number may be as wrong as its range allows (blue).",
        "calibration in patients. The structure is taken for true, numbers are drawn "
        "independently of each other, findings are asked at random.",
    ),
}


def markdown(report: Mapping[str, Any]) -> str:
    """Write the whole report."""
    parts = [
        _head(report),
        _scenarios(report, "documents"),
        _scenarios(report, "published"),
        _orders(report),
        _simulated(report),
        *_coverage(report),
    ]
    return "\n\n".join(parts) + "\n"


def _orders(report: Mapping[str, Any]) -> str:
    text = (
        "Rank of the expected cause by each order; *won / lost*: cases among five by this order "
        "and not by naive Bayes of the same tables, and the reverse. Last column: how often the "
        f"first cause produced some of what is present, on {orders.SIMULATED} cases of the model."
    )
    return "\n\n".join(["## Orders of causes", text, _table(*orders.rows(report["orders"]))])


def _coverage(report: Mapping[str, Any]) -> list[str]:
    part = report.get("coverage")
    if part is None:
        return []
    return ["\n\n".join([interval_coverage.markdown(part), *_figure(report, "coverage")])]


def _head(report: Mapping[str, Any]) -> str:
    about = report["about"]
    lines = [
        "# Quality",
        "Educational decision support, not a medical device. The two files of scenarios answer two "
        "different questions and are never added together. No number of the knowledge was, or may "
        "be, tuned to any case.",
        _table(("", ""), [(key.replace("_", " "), str(value)) for key, value in about.items()]),
        "Intervals are 95 %: Wilson for shares, percentile bootstrap over cases for means. Ranks "
        "are among the causes, ties share their places; where *unexplained* is expected, its own "
        "posterior takes the place of a cause's. Logarithms are natural.",
    ]
    if not report["figures"]:
        lines.append("No figures: matplotlib is not installed (`pip install 'bayesdx[plot]'`).")
    return "\n\n".join(lines)


def _scenarios(report: Mapping[str, Any], key: str) -> str:
    part = report[key]
    intro = (
        f"`{part['file']}`, {part['n']} cases, {part['unexplained_expected']} of them with "
        "*unexplained* expected."
    )
    return "\n\n".join(
        [
            f"## {part['name']}",
            intro,
            "### Rank of the expected cause",
            _rank_table(part["ranks"]),
            *_figure(report, f"ranks_{key}"),
            "### Log scores (lower is better)",
            _score_table(part["scores"]),
            "### Findings without the priors",
            _equal(part["equal_priors"], report["equal_priors"]),
            "### Urgency",
            _urgency(part["urgency"]),
            *_figure(report, f"urgency_{key}"),
            "### Surprise",
            _surprise(part["surprise"]),
            *_figure(report, f"surprise_{key}"),
            *_interviews(report, key),
        ]
    )


def _rank_table(ranks: Mapping[str, Any]) -> str:
    names = {
        "expected": "expected",
        "expected_or_acceptable": "expected or acceptable",
    }
    by = {
        "engine": "posterior",
        "disablement": "expected disablement",
        "sufficiency": "expected sufficiency",
        "priors_alone": "priors alone, no findings",
    }
    rows = [
        (names[name], by[who], *_rank_cells(summary))
        for name, both in ranks.items()
        for who, summary in both.items()
    ]
    head = ("cause", "by", "first", "first 3", "first 5", "mean reciprocal rank", "median rank")
    return _table(head, rows)


def _rank_cells(summary: Mapping[str, Any]) -> tuple[str, ...]:
    top = summary["top"]
    shares = tuple(_share(top[k]) for k in (1, 3, 5))
    return (*shares, _mean(summary["reciprocal_rank"]), f"{summary['median_rank']:g}")


def _score_table(scores: Mapping[str, Any]) -> str:
    rows = {
        "log_score": "−log posterior of the expected cause",
        "log_score_or_acceptable": "−log posterior of the best of expected and acceptable",
        "bernoulli": "Bernoulli, all causes, only the expected one present",
        "bernoulli_acceptable_left_out": "Bernoulli, acceptable causes left out",
    }
    table = [
        (label, _mean(scores["engine"][key]), _mean(scores["priors_alone"][key]))
        for key, label in rows.items()
    ]
    zero = scores["engine"]["posterior_zero"]
    note = f"Expected causes with a posterior of exactly 0: {zero}."
    return _table(("mean a case", "engine", "priors alone"), table) + "\n\n" + note


def _equal(part: Mapping[str, Any], built: Mapping[str, Any]) -> str:
    rows = [("real priors", *_rank_cells(part["real"]["summary"]), "–", "–")]
    notes = []
    for name, one in built.items():
        found = part[name]
        cells = _rank_cells(found["summary"])
        rows.append((f"all {one['prior']:g}", *cells, str(found["better"]), str(found["worse"])))
        left = ", ".join(f"`{place}`" for place in one["dropped"]) or "none"
        notes.append(
            f"- all {one['prior']:g}: {len(one['dropped'])} requirements or effects cannot hold "
            f"and are dropped ({left}); {one['out_of_reach']} stated links or backgrounds are out "
            f"of reach ({one['out_of_reach_really']} under the real priors)."
        )
    head = ("priors", "first", "first 3", "first 5", "mean reciprocal rank", "median rank")
    n = len(part["case_ids"])
    intro = (
        f"The {n} rows that expect a cause. Every cause gets the same prior and the network is "
        "built anew. *Better* and *worse* count rows whose rank is higher or lower than under "
        "the real priors."
    )
    return "\n\n".join([intro, _table((*head, "better", "worse"), rows), "\n".join(notes)])


def _urgency(part: Mapping[str, Any]) -> str:
    levels = [level.replace("_", "-") for level in part["levels"]]
    table = _table(
        ("label \\ engine", *levels),
        [
            (level, *(str(int(count)) for count in row))
            for level, row in zip(levels, part["confusion"], strict=True)
        ],
    )
    shares = _table(
        ("", "share"),
        [
            ("same level", _share(part["exact"])),
            (f"too low ({_sizes(part['under_levels'])})", _share(part["under"])),
            (f"too high ({_sizes(part['over_levels'])})", _share(part["over"])),
            ("red-flag recall: emergency or urgent called one of the two", _share(part["recall"])),
            *(
                (f"… labelled {name}", _share(share))
                for name, share in part["recall_by_level"].items()
            ),
            (
                "called emergency or urgent without that label",
                _share(part["called_though_not_labelled"]),
            ),
        ],
    )
    missed = _table(
        ("missed", "expected cause", "label", "engine", "fired"),
        [
            (one["case_id"], one["expected_cause"], one["labelled"], one["engine"], one["fired"])
            for one in part["missed"]
        ],
    )
    mean = f"Mean shift {part['mean_shift']:+.2f} levels (above 0: the engine is less urgent)."
    none = "No case that is labelled emergency or urgent was called anything else."
    return "\n\n".join([table, shares, mean, missed if part["missed"] else none])


def _sizes(sizes: Mapping[int, int]) -> str:
    if not sizes:
        return "none"
    return ", ".join(f"{n} by {size}" for size, n in sizes.items())


def _surprise(part: Mapping[str, Any]) -> str:
    labels = {
        "findings": "findings, given the known age, sex and risks",
        "findings_and_risks": "findings, age, sex and risks together",
    }
    rows = [
        (label, _share(part[key]["surprising"]), ", ".join(part[key]["cases"]) or "none")
        for key, label in labels.items()
    ]
    intro = (
        f"Share of cases whose log evidence lies below the {100 * part['quantile']:g} % quantile "
        f"of their own {part['references']} cases from the model, of which the same things are "
        "known. Cases made by the model would give 5 %."
    )
    return intro + "\n\n" + _table(("drawn anew", "surprising", "cases"), rows)


_ORDERS = {
    "ours": "ours: red flags first, then information per cost",
    "without_red_flags": "information per cost alone",
    "greedy_entropy": "greedy entropy: information alone",
    "random": "random",
}


def interview_table(part: Mapping[str, Any]) -> str:
    """Write how many questions each order needs."""
    rows = []
    for order, label in _ORDERS.items():
        cells = [label]
        for goal in ("first_cause", "urgency"):
            one = part["orders"][order][goal]
            cells += [_mean(one["questions"]), f"{one['median']:g}"]
        cells.append(_mean(part["orders"][order]["first_cause"]["cost"]))
        rows.append(cells)
    head = ("order", "first cause: mean", "median", "urgency: mean", "median", "cost, first cause")
    left = ", ".join(part["left_out"]) or "none"
    intro = (
        f"Questions put until the first cause (the urgency) is what the whole row gives, and stays "
        f"so; nothing known at the start, {part['questions']} questions in all, n = {part['n']}, "
        f"left out as impossible: {left}. What the row does not tell stays unknown, and the "
        f"question counts. Random: {part['random_orders']} orders a case."
    )
    return intro + "\n\n" + _table(head, rows)


def _interviews(report: Mapping[str, Any], key: str) -> list[str]:
    part = report[key].get("interviews")
    if part is None:
        return []
    return ["### Interviews", interview_table(part), *_figure(report, f"interviews_{key}")]


def _simulated(report: Mapping[str, Any]) -> str:
    part = report["simulated"]
    rows = {
        "brier": "Brier score a cause",
        "brier_priors": "Brier score of the priors alone",
        "brier_skill": "Brier skill against the priors",
        "log_loss": "log loss a cause",
        "slope": "calibration slope",
        "intercept": "calibration intercept",
        "causes_said": "causes a case, as said",
        "causes_present": "causes a case, as drawn",
    }
    table = [
        (label, _across(part["exact"][key]), _across(part["drawn"][key]))
        for key, label in rows.items()
    ]
    first = "first-ranked cause is present, of cases with a cause"
    exact, drawn = (_share(part[one]["first_ranked_present"]) for one in ("exact", "drawn"))
    table.append((first, exact, drawn))
    put_back = ", ".join(f"`{place}` ({n})" for place, n in part["put_back"].items()) or "none"
    intro = (
        f"{part['draws']} sets of {part['cases_a_draw']} cases a column; "
        f"{100 * part['asked']:g} % of the findings asked, risks known. *Drawn*: in each set all "
        f"{part['numbers_drawn']} numbers are drawn from their ranges, the cases from the network "
        "that they make, and the unchanged engine answers. Brackets: 5 % and 95 % points across "
        "the sets; shares pool all cases, with Wilson intervals that leave the spread between sets "
        "out."
    )
    back = (
        f"In {part['draws_with_numbers_put_back']} of {part['draws']} draws a drawn number could "
        f"not hold and was put back to its stated value: {put_back}."
    )
    head = ("mean over sets", "model itself", "drawn numbers")
    return "\n\n".join(
        [
            "## Simulated cases",
            intro,
            _table(head, table),
            back,
            *_figure(report, "reliability"),
            "Intervals in the diagram: Wilson for the model itself; for drawn numbers whole sets "
            "are resampled, and the Wilson interval is taken where it is wider.",
            _bins(part),
        ]
    )


def _bins(part: Mapping[str, Any]) -> str:
    rows = []
    for key in ("reliability_small", "reliability"):
        both = zip(part["exact"][key], part["drawn"][key], strict=True)
        for at, (exact, drawn) in enumerate(both):
            span = f"{exact['from']:.2g} to {exact['to']:.2g}" if at else f"below {exact['to']:.2g}"
            rows.append((span, *_bin(exact), *_bin(drawn)))
    head = ("bin", "model: n", "said", "observed", "drawn: n", "said", "observed")
    return _table(head, rows)


def _bin(one: Mapping[str, Any]) -> tuple[str, str, str]:
    if not one["n"]:
        return "0", "–", "–"
    span = f"{one['observed']:.3g} ({one['low']:.3g} to {one['high']:.3g})"
    return str(one["n"]), f"{one['said']:.3g}", span


def _figure(report: Mapping[str, Any], name: str) -> list[str]:
    if f"{name}.png" not in report["figures"]:
        return []
    may, may_not = _MAY[name]
    return [
        f"![]({name}.png)",
        f"May be used to claim: {may}\n\nMay not be used to claim: {may_not}",
    ]


def _share(share: Any) -> str:
    if not share.n:
        return "– (0 of 0)"
    percent = f"{100 * share.share:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"
    return f"{percent}, {share.hits} of {share.n}"


def _mean(mean: Any) -> str:
    return f"{mean.mean:.3g} ({mean.low:.3g} to {mean.high:.3g})"


def _across(values: Mapping[str, float]) -> str:
    if math.isnan(values["mean"]):
        return "–"
    return f"{values['mean']:.4g} [{values['p05']:.4g}, {values['p95']:.4g}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
