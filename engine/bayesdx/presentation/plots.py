"""Results as pictures: Matplotlib axes in, axes out. Matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.presentation.notebook import AWAY, TOWARDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PRIOR = "#999999"


def plot_posteriors(table: pd.DataFrame, ax: Axes | None = None, top: int = 10) -> Axes:
    """Draw the first causes: posteriors as dots, with their intervals or priors where there are.

    Parameters
    ----------
    table : DataFrame
        Causes by posterior: label, posterior; perhaps prior, or low and high.
    ax : Axes, optional
        Where to draw; new axes when not given.
    top : int
        Causes to draw.

    Raises
    ------
    BayesdxError
        When Matplotlib is not installed.
    """
    ax = _axes(ax)
    shown = table[table.index != "unexplained"].head(top).iloc[::-1]
    rows = np.arange(len(shown))
    if "low" in shown.columns:
        ax.hlines(rows, shown["low"], shown["high"], color=TOWARDS, alpha=0.6, lw=3)
    if "prior" in shown.columns:
        ax.plot(shown["prior"], rows, "|", color=PRIOR, ms=10, label="prior")
    ax.plot(shown["posterior"], rows, "o", color=TOWARDS, label="posterior")
    ax.set_xlim(0.0, 1.0)
    return _labelled(ax, shown["label"], "probability")


def plot_contributions(table: pd.DataFrame, ax: Axes | None = None, top: int = 12) -> Axes:
    """Draw what each observation does to one cause, in log-odds; the largest on top.

    Parameters
    ----------
    table : DataFrame
        Of one cause, as `Explanation.of` returns it: label, contribution.
    ax : Axes, optional
    top : int
        Observations to draw.
    """
    ax = _axes(ax)
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index[:top]
    shown = table.loc[order].iloc[::-1]
    finite = np.clip(shown["contribution"].to_numpy(dtype=float), -50.0, 50.0)
    ax.barh(np.arange(len(shown)), finite, color=np.where(finite >= 0.0, TOWARDS, AWAY))
    ax.axvline(0.0, color="black", lw=0.8)
    return _labelled(ax, shown["label"], "contribution (log-odds)")


def plot_tornado(table: pd.DataFrame, ax: Axes | None = None, top: int = 12) -> Axes:
    """Draw how far the posterior of a cause swings over the range of each number.

    Parameters
    ----------
    table : DataFrame
        As `Engine.tornado` returns it: title, posterior, at_low, at_high.
    ax : Axes, optional
    top : int
        Numbers to draw.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bayesdx
    >>> engine = bayesdx.load()
    >>> ax = bayesdx.plot_tornado(engine.tornado({"fair_pos": "present"}))
    >>> ax.get_xlabel()
    'posterior'
    """
    ax = _axes(ax)
    shown = table.head(top).iloc[::-1]
    rows = np.arange(len(shown))
    for column, colour in (("at_low", AWAY), ("at_high", TOWARDS)):
        start = shown["posterior"]
        label = f"number {column.replace('_', ' its ')}"
        ax.barh(rows, shown[column] - start, left=start, color=colour, label=label)
    if len(shown):
        ax.axvline(float(shown["posterior"].iloc[0]), color="black", lw=0.8)
        ax.legend(loc="lower right", fontsize="small")
    return _labelled(ax, shown["title"], "posterior")


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        needed = "matplotlib (pip install 'bayesdx[plot]')"
        raise BayesdxError(Fault("plot", needed, Phrase("none"))) from None
    new: Axes = plt.subplots(layout="constrained")[1]
    return new


def _labelled(ax: Any, labels: pd.Series, quantity: str) -> Axes:
    ax.set_yticks(range(len(labels)), [str(label) for label in labels])
    ax.set_xlabel(quantity)
    result: Axes = ax
    return result
