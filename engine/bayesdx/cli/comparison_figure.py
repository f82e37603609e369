"""Pictures of results: the only place that knows matplotlib, and it is imported late."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import pandas as pd

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito's colours, told apart with any colour vision; shapes differ as well.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7A6A00")
_SHAPES = ("o", "s", "^", "v", "P", "X", "<")
_MODEL = "#000000"
#: Share of a row's height over which its dots are spread, so that none hides another.
_SPREAD = 0.7
#: Characters of a cause's label in one line.
_LABEL = 36


def check_figure(path: Path) -> None:
    """Refuse a picture that cannot be drawn, before anything is computed for it.

    Raises
    ------
    InvalidCase
        The name does not end in ``.png``, or matplotlib is not installed.
    """
    if path.suffix.lower() != ".png":
        raise InvalidCase(Fault(str(path), "a name ending in .png", path.suffix or Phrase("none")))
    if find_spec("matplotlib") is None:
        needed = "matplotlib (pip install 'bayesdx[plot]')"
        raise InvalidCase(Fault("--figure", needed, Phrase("no such package")))


def draw_posteriors(
    posteriors: pd.DataFrame, labels: Mapping[str, str], title: str, note: str, path: Path
) -> None:
    """Draw posteriors as dots: one row a cause, one kind of dot a source.

    Parameters
    ----------
    posteriors : DataFrame
        One row a source, the model first; one column a cause, in the order from top to bottom.
        A source without values is left out.
    labels : mapping of str to str
        Label of each cause.
    title, note : str
        Above and below the picture.
    path : Path
        PNG file to write; an existing one is replaced.

    Raises
    ------
    InvalidCase
        No source has values, or `check_figure` refuses.
    """
    check_figure(path)
    shown = posteriors.dropna(how="all")
    if shown.empty:
        got = Phrase("findings that cannot occur together")
        raise InvalidCase(Fault("--figure", "a case that has posteriors", got))
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 10.0, "text.parse_math": False}):
        height = 1.8 + 0.62 * len(shown.columns)
        figure = Figure(figsize=(9.0, height), layout="constrained", dpi=150)
        axes = figure.add_subplot()
        _lay_out(axes, [fill(labels.get(name, name), _LABEL) for name in shown.columns])
        _dots(axes, shown)
        figure.legend(
            loc="outside upper left",
            ncols=len(shown),
            frameon=False,
            title=title,
            title_fontproperties={"weight": "bold", "size": 12.0},
            alignment="left",
        )
        figure.supxlabel(note, x=0.01, ha="left", fontsize=9.0)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())


def _lay_out(axes: Axes, labels: list[str]) -> None:
    from matplotlib.ticker import PercentFormatter

    for row in range(0, len(labels), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#F3F3F3", zorder=0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0.0, 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(axis="x", color="#C8C8C8", linewidth=0.6, zorder=1)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("posterior")


def _dots(axes: Axes, posteriors: pd.DataFrame) -> None:
    looks = [(_MODEL, "D"), *zip(_COLOURS, _SHAPES, strict=True)]
    for at, (name, (colour, shape)) in enumerate(zip(posteriors.index, cycle(looks), strict=False)):
        shift = _SPREAD * (at / max(len(posteriors) - 1, 1) - 0.5)
        values = posteriors.iloc[at].to_numpy(dtype=float)
        axes.scatter(
            values,
            [row + shift for row in range(len(values))],
            marker=shape,
            s=30.0,
            color=colour,
            linewidths=0.0,
            label=str(name),
            zorder=3,
            clip_on=False,
        )
