"""Figures of a report, as SVG that stands inside a page.

Each figure is drawn twice, for a wide and for a narrow screen, so that its letters keep their size;
the page shows the one that fits. Text stays text: it can be searched, read aloud and copied.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

#: Okabe and Ito (2008): told apart with every common kind of colour vision, and in grey.
BLUE, ORANGE, GREY, BLACK = "#0072B2", "#D55E00", "#999999", "#222222"
#: Inches of a wide and of a narrow figure at 96 dots an inch: 760 and 340 pixels.
WIDE, NARROW = 7.92, 3.54
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Picture:
    """One figure in both widths, with the sentence that tells what it shows.

    Attributes
    ----------
    wide, narrow : str
        SVG elements.
    alternative : str
        For who does not see it; the numbers are in a table beside it.
    """

    wide: str
    narrow: str
    alternative: str


@dataclass(frozen=True)
class Bar:
    """One row of `posterior_bars`; probabilities, ``low`` and ``high`` None without interval."""

    label: str
    posterior: float
    prior: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Contribution:
    """One row of `waterfall`: a contribution in log-odds."""

    label: str
    contribution: float


def posterior_bars(bars: Sequence[Bar], level: float | None) -> Picture:
    """Draw posteriors as bars, their credible intervals as lines, priors as marks.

    Parameters
    ----------
    bars : sequence of Bar
        The first is drawn on top.
    level : float, optional
        Of the intervals, between 0 and 1.
    """

    def draw(axes: Any, width: int) -> None:
        places = range(len(bars))
        axes.barh(places, [100 * bar.posterior for bar in bars], color=BLUE, height=0.55)
        axes.plot([100 * bar.prior for bar in bars], places, "|", color=ORANGE, ms=11, mew=2.5)
        for at, bar in enumerate(bars):
            if bar.low is not None and bar.high is not None:
                ends = [100 * bar.low, 100 * bar.high]
                axes.plot(ends, [at, at], color=BLACK, lw=1.4, solid_capstyle="butt")
        axes.set_yticks(list(places), [_folded(bar.label, width) for bar in bars])
        axes.set_xlim(0, 100)
        axes.set_xlabel("probability, %")
        axes.invert_yaxis()

    shown = f" with {100 * level:g} % credible intervals" if level is not None else ""
    text = f"Bars: posterior of each cause{shown}. Orange marks: priors. Numbers are in the table."
    return _picture(draw, len(bars), text)


def waterfall(steps: Sequence[Contribution], prior: float, posterior: float, cause: str) -> Picture:
    """Draw how observations move the log-odds of a cause from prior to posterior.

    Parameters
    ----------
    steps : sequence of Step
        In the order in which they are drawn.
    prior, posterior : float
        Log-odds; the steps add up to their difference.
    cause : str
        Its label.
    """

    def draw(axes: Any, width: int) -> None:
        at = prior
        for row, step in enumerate(steps, start=1):
            colour = BLUE if step.contribution >= 0 else ORANGE
            axes.barh(row, step.contribution, left=at, color=colour, height=0.55)
            axes.plot([at + step.contribution] * 2, [row, row + 1], color=GREY, lw=0.8)
            at += step.contribution
        axes.plot([prior] * 2, [0, 1], color=GREY, lw=0.8)
        ends = [prior, posterior]
        axes.plot(ends, [0, len(steps) + 1], "D", color=BLACK, ms=5, linestyle="none")
        labels = ["prior", *(step.label for step in steps), "posterior"]
        axes.set_yticks(range(len(labels)), [_folded(label, width) for label in labels])
        axes.axvline(0.0, color=GREY, lw=0.8, ls=":")
        axes.margins(x=0.06)
        # Bars otherwise hold the axis to where they begin and end.
        axes.use_sticky_edges = False
        axes.set_xlabel("log-odds (0 is 50 %)")
        axes.invert_yaxis()

    text = (
        f"How the observations move the log-odds of: {cause}. Blue raises it, orange lowers it. "
        "Numbers are in the table."
    )
    return _picture(draw, len(steps) + 2, text)


def _picture(draw: Callable[[Any, int], None], rows: int, alternative: str) -> Picture:
    # Ids inside a figure come from the salt: the same figure gives the same bytes, and no id of a
    # figure that is not shown stands for one of a figure that is.
    wide = _svg(lambda axes: draw(axes, 46), (WIDE, 0.7 + 0.36 * rows), f"wide {alternative}")
    narrow = _svg(lambda axes: draw(axes, 22), (NARROW, 0.8 + 0.5 * rows), f"narrow {alternative}")
    return Picture(wide, narrow, alternative)


def _svg(draw: Callable[[Any], None], size: tuple[float, float], salt: str) -> str:
    style: dict[str, Any] = {**_STYLE, "svg.hashsalt": salt}
    # The library types its settings by name since 3.11; a mapping of any kind is what it takes.
    with mpl.rc_context(cast(Any, style)):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.tick_params(length=0, axis="y")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    # What stands before the element belongs to a file, not to a page.
    return text[text.index("<svg") :]


def _folded(label: str, width: int) -> str:
    lines = wrap(label, width) or [""]
    if len(lines) > 2:
        lines = [lines[0], shorten(" ".join(lines[1:]), width, placeholder=" …")]
    # A dollar sign would begin a formula.
    return "\n".join(lines).replace("$", r"\$")
