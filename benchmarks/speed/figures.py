"""Figures of the report. matplotlib is imported here and nowhere else.

Colours are those of Okabe and Ito, told apart with any colour vision; markers differ too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
_STYLE: dict[Any, Any] = {
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def draw_all(report: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw what there are numbers for; returns the file names."""
    with mpl.rc_context(_STYLE):
        drawn = {}
        if report["networks"]:
            drawn["networks.png"] = networks(report["networks"])
        if report["growth"]:
            drawn["scaling.png"] = scaling(report["growth"])
        for name, figure in drawn.items():
            FigureCanvasAgg(figure)
            figure.savefig(folder / name, dpi=125, metadata={"Software": None})
    return list(drawn)


def networks(found: Mapping[str, Any]) -> Figure:
    """Time a row of each engine, by network; one panel a shape."""
    shapes = [s for s in ("fixed", "random") if any(s in one["shapes"] for one in found.values())]
    height = 1.5 + 0.32 * len(found)
    figure = Figure(figsize=(5.5 * len(shapes) + 1.5, height), layout="constrained")
    panels = figure.subplots(1, len(shapes), squeeze=False, sharey=True)[0]
    names = list(found)[::-1]
    for panel, shape in zip(panels, shapes, strict=True):
        for label, colour, marker, pick in (
            ("bayesdx", BLUE, "o", lambda part: part["bayesdx"]["us_a_row"]),
            ("pyAgrum, best engine", ORANGE, "s", lambda part: _best(part, "pyAgrum")),
            ("pgmpy, best engine", GREEN, "^", lambda part: _best(part, "pgmpy")),
        ):
            places = [
                (pick(found[name]["shapes"][shape]), y)
                for y, name in enumerate(names)
                if shape in found[name]["shapes"]
            ]
            known = [(value, y) for value, y in places if value is not None]
            if known:
                x, y = zip(*known, strict=True)
                panel.plot(x, y, marker, color=colour, label=label)
        panel.set_xscale("log")
        panel.set_xlabel("microseconds a row")
        panel.set_title(f"{shape} observed columns", loc="left")
        panel.set_yticks(range(len(names)), names)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def _best(part: Mapping[str, Any], family: str) -> float | None:
    best = part[f"best_{family}"]
    return None if best is None else float(part["peers"][best]["us_a_row"])


def scaling(growth: Mapping[str, Any]) -> Figure:
    """Time by rows, by positives, by causes a finding, by draws."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    (rows, positives), (causes, draws) = figure.subplots(2, 2)
    n = [one["n"] for one in growth["rows"]]
    rows.plot(n, [one["us_a_row"] for one in growth["rows"]], "o-", color=BLUE)
    rows.set(xscale="log", yscale="log", xlabel="rows", ylabel="microseconds a row")
    known = [one for one in growth["positives"] if one.get("n")]
    x = [one["positives"] for one in known]
    for key, colour, marker in (("p50", BLUE, "o"), ("p90", ORANGE, "s"), ("p99", PURPLE, "^")):
        y = [one["single_ms"][key] for one in known]
        positives.plot(x, y, marker + "-", color=colour, label=f"one case alone, {key}")
    batch = [1e3 / one["rate"] for one in known]
    positives.plot(x, batch, "D--", color=GREEN, label="in a batch, mean")
    positives.set(yscale="log", xlabel="positive findings", ylabel="milliseconds a case")
    positives.legend()
    markers = zip((BLUE, ORANGE, GREEN, PURPLE), "os^D", strict=True)
    each = sorted({one["causes"] for one in growth["causes"]})
    for number, (colour, marker) in zip(each, markers, strict=False):
        part = [one for one in growth["causes"] if one["causes"] == number and one.get("n")]
        causes.plot(
            [one["positives"] for one in part],
            [1e6 / one["rate"] for one in part],
            marker + "-",
            color=colour,
            label=f"{number} causes a finding",
        )
    causes.set(yscale="log", xlabel="positive findings", ylabel="microseconds a row (50 x 110)")
    if each:
        causes.legend()
    n = [one["n"] for one in growth["draws"]]
    for panel in (positives, causes):
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    draws.plot(n, [1e6 / one["rate"] for one in growth["draws"]], "o-", color=BLUE)
    draws.set(xscale="log", yscale="log", xlabel="parameter draws", ylabel="microseconds a draw")
    return figure
