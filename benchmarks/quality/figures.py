"""Figures of the report; each shows one file of scenarios, or simulated cases, never two together.

Colours are those of Okabe and Ito, told apart with any colour vision; lines also differ in their
markers. matplotlib is imported here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from interval_coverage import WORDS, size_words
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#595959"
_STYLE: dict[Any, Any] = {
    "font.size": 12.0,
    "axes.titlesize": 13.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "bayesdx",
}
_DPI = 125


def draw_all(report: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw every figure of a report and return the file names."""
    drawn = []
    with mpl.rc_context(_STYLE):
        for key in ("documents", "published"):
            part, name = report[key], report[key]["name"]
            figures = {
                f"ranks_{key}.png": ranks(part, name),
                f"urgency_{key}.png": urgency(part["urgency"], name, part["n"]),
                f"surprise_{key}.png": surprise(part["surprise"], name),
            }
            if "interviews" in part:
                figures[f"interviews_{key}.png"] = interviews(part["interviews"], key)
            drawn += [_save(figure, folder / file) for file, figure in figures.items()]
        drawn.append(_save(reliability(report["simulated"]), folder / "reliability.png"))
        if "coverage" in report:
            drawn.append(_save(coverage(report["coverage"]), folder / "coverage.png"))
    return drawn


def _save(figure: Figure, path: Path) -> str:
    FigureCanvasAgg(figure)
    # No date and no version in the file: the same numbers give the same bytes.
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path.name


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def ranks(part: Mapping[str, Any], name: str) -> Figure:
    """Share of cases whose expected cause is among the first k, for k from 1 to 10."""
    figure, (axes,) = _figure(8.0, 5.4)
    either, expected = part["ranks"]["expected_or_acceptable"], part["ranks"]["expected"]
    _curve(axes, either["engine"]["curve"], "expected or acceptable cause", GREEN, "s", -0.12)
    _curve(axes, expected["engine"]["curve"], "expected cause", BLUE, "o", -0.04)
    equal, n_equal = part["equal_priors"], len(part["equal_priors"]["case_ids"])
    first = next(key for key in equal if key.startswith("equal"))
    label = f"expected cause, all causes equally common (n = {n_equal})"
    _curve(axes, equal[first]["summary"]["curve"], label, ORANGE, "^", 0.04)
    label = "expected cause, priors alone, no findings"
    _curve(axes, expected["priors_alone"]["curve"], label, GREY, "D", 0.12)
    axes.set(
        title=f"{name} (n = {part['n']})\nShare of cases with the cause among the first k",
        xlabel="k",
        ylim=(0.0, 1.0),
        xlim=(0.6, 10.4),
        xticks=range(1, 11),
    )
    axes.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0))
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=10.5)
    return figure


def _curve(
    axes: Axes, curve: Mapping[int, Any], label: str, colour: str, marker: str, shift: float
) -> None:
    ks = np.array([int(k) for k in curve])
    share = np.array([one.share for one in curve.values()])
    low = np.array([one.low for one in curve.values()])
    high = np.array([one.high for one in curve.values()])
    axes.plot(ks + shift, share, color=colour, marker=marker, markersize=6, label=label)
    axes.vlines(ks + shift, low, high, color=colour, linewidth=1.4, alpha=0.7)


def urgency(part: Mapping[str, Any], name: str, n: int) -> Figure:
    """Confusion of the five levels; below the diagonal the engine is more urgent than the label."""
    figure, (axes,) = _figure(8.0, 6.0)
    table, levels = np.asarray(part["confusion"]), part["levels"]
    rows = table.sum(axis=1, keepdims=True)
    share = np.divide(table, rows, out=np.zeros(table.shape), where=rows > 0)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for i in range(len(levels)):
        for j in range(len(levels)):
            dark = share[i, j] > 0.55
            weight = "bold" if i == j else "normal"
            colour = "white" if dark else "black" if table[i, j] else "#666666"
            axes.text(j, i, table[i, j], ha="center", va="center", color=colour, fontweight=weight)
        box = mpl.patches.Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=ORANGE, lw=2)
        box.set_clip_on(False)
        axes.add_patch(box)
    words = [level.replace("_", "-") for level in levels]
    axes.set_xticks(range(len(levels)), words)
    axes.set_yticks(
        range(len(levels)),
        [f"{word} (n = {int(count)})" for word, count in zip(words, rows[:, 0], strict=True)],
    )
    under, over = part["under"], part["over"]
    axes.set(
        title=f"{name} (n = {n})\nUrgency: too low (right of the boxes) {_percent(under)}, "
        f"too high (left) {_percent(over)}",
        xlabel="engine",
        ylabel="label",
    )
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _percent(share: Any) -> str:
    return f"{100 * share.share:.0f} %"


def surprise(part: Mapping[str, Any], name: str) -> Figure:
    """Where each case's log evidence lies among references of which the same things are known."""
    figure, both = _figure(8.0, 5.0, columns=2)
    titles = {
        "findings": "Findings, given age, sex and risks",
        "findings_and_risks": "Findings, age, sex and risks",
    }
    edges = np.linspace(0.0, 1.0, 21)
    tallest = 1.0
    for axes, (key, title) in zip(both, titles.items(), strict=True):
        positions = np.asarray(part[key]["positions"])
        flags = np.asarray(part[key]["flags"], dtype=bool)
        counts, _ = np.histogram(positions, edges)
        axes.hist(
            [positions[flags], positions[~flags]],
            edges.tolist(),
            stacked=True,
            color=[ORANGE, BLUE],
            edgecolor="white",
        )
        axes.axhline(len(positions) / 20, color=GREY, linestyle="--", linewidth=1.5)
        rare = part[key]["surprising"]
        axes.set(
            title=f"{title}\nbelow 5 % quantile: {rare.hits} of {rare.n} ({_percent(rare)})",
            xlabel="position among its references",
            xlim=(0.0, 1.0),
        )
        axes.title.set_fontsize(11.5)
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        tallest = max(tallest, float(counts.max(initial=0)), len(positions) / 20)
    for axes in both:
        axes.set_ylim(0.0, tallest * 1.08)
    both[0].set_ylabel("cases")
    title = f"{name}\nHow surprising is each case to the model?"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.supxlabel(
        "dashed: what cases made by the model would show; orange: below the 5 % quantile",
        fontsize=10.5,
    )
    return figure


def interviews(part: Mapping[str, Any], key: str) -> Figure:
    """Share of interviews that have arrived for good, by questions put; one line an order."""
    figure, both = _figure(9.6, 5.4, columns=2)
    lines = {
        "ours": ("ours: red flags first", BLUE, "-", "o"),
        "without_red_flags": ("information per cost alone", GREEN, "--", "s"),
        "greedy_entropy": ("greedy entropy", ORANGE, "-.", "^"),
        "random": (f"random, {part['random_orders']} orders a case", GREY, ":", "D"),
    }
    titles = {"first_cause": "First cause is final", "urgency": "Urgency is final"}
    for axes, (goal, title) in zip(both, titles.items(), strict=True):
        for order, (label, colour, style, marker) in lines.items():
            curve = np.asarray(part["orders"][order][goal]["curve"])
            at = np.arange(len(curve))
            every = max(1, len(curve) // 8)
            axes.plot(
                at,
                curve,
                color=colour,
                linestyle=style,
                linewidth=2.0,
                marker=marker,
                markevery=every,
                markersize=5.5,
                label=label,
            )
        axes.set(title=title, xlabel="questions put", ylim=(0.0, 1.02), xlim=(0.0, None))
        axes.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0))
    both[0].set_ylabel("interviews")
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10.5)
    # Not what the engine gets right, but how soon it says what it will say.
    name = {"documents": "Vignettes of the documents"}.get(key, "Selected published cases")
    title = f"{name} (n = {part['n']})\nQuestions until the answer is that of the whole row"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def reliability(part: Mapping[str, Any]) -> Figure:
    """What was said against what was so, causes pooled; even bins, and half decades for small."""
    figure, both = _figure(9.6, 5.9, columns=2)
    n, m = part["exact"]["cases"], part["drawn"]["cases"]
    lines = {
        "exact": (f"{n} cases from the model itself", GREY, "D", 9),
        "drawn": (f"{m} cases from models with drawn numbers", BLUE, "o", 6),
    }
    for axes, key in zip(both, ("reliability", "reliability_small"), strict=True):
        ends = [0.0, 1.0] if key == "reliability" else [1e-6, 2.0]
        axes.plot(ends, ends, color="black", linewidth=1.0, linestyle=":", label="perfect")
        for source, (label, colour, marker, size) in lines.items():
            bins = [one for one in part[source][key] if one["n"] > 0]
            said, observed, low, high = (
                np.array([one[name] for one in bins])
                for name in ("said", "observed", "low", "high")
            )
            # On logarithmic axes a share of 0 has no place; its interval still shows.
            seen = observed > 0.0
            fill = colour if source == "drawn" else "white"
            axes.plot(
                said[seen],
                observed[seen],
                marker=marker,
                markersize=size,
                markerfacecolor=fill,
                color=colour,
                linewidth=1.2,
                label=label,
            )
            axes.vlines(said, np.maximum(low, 1e-7), high, color=colour, linewidth=2.0, alpha=0.8)
        axes.set_xlabel("posterior said by the engine")
        axes.set_box_aspect(1.0)
    both[0].set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), title="Ten even bins")
    both[1].set(xscale="log", yscale="log", title="Ten bins of half a decade, log axes")
    both[1].set(xlim=(1e-6, 2.0), ylim=(1e-6, 2.0))
    both[0].set_ylabel("share of causes that were present")
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=10.5)
    title = "Simulated cases, not patients; causes pooled, 95 % intervals"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def coverage(part: Mapping[str, Any]) -> Figure:
    """Share of intervals that hold the truth, by the size of the posterior."""
    figure, (axes,) = _figure(8.0, 5.4)
    rows = [row for row in part["by_size"] if row["n"]]
    places = np.arange(len(rows))
    axes.axhspan(*part["aim"], color=GREY, alpha=0.18, label="88 to 92 %")
    for shift, (kind, colour, marker) in zip(
        (-0.15, 0.0, 0.15),
        (("assembled", BLUE, "o"), ("drawn", GREEN, "s"), ("first_order", ORANGE, "^")),
        strict=True,
    ):
        share = np.array([row[kind]["share"] for row in rows])
        error = np.array([row[kind]["error"] for row in rows])
        axes.errorbar(
            places + shift,
            share,
            yerr=2.0 * error,
            fmt=marker,
            color=colour,
            markersize=7,
            linewidth=1.6,
            label=WORDS[kind],
        )
    axes.set_xticks(places, [f"{size_words(row)}\n(n = {row['n']})" for row in rows])
    axes.set(
        title="Simulated truths, not patients\nShare of 90 % intervals that hold the truth",
        xlabel="posterior with the stated numbers",
        ylim=(0.7, 1.02),
    )
    axes.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0))
    axes.grid(visible=False, axis="x")
    axes.legend(loc="lower center", ncols=2, fontsize=10.5)
    return figure
