"""An explanation in a notebook: small tables, everything escaped."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayesdx.diagnosis.explaining.explanation import Explanation

#: Causes shown, and the width of a bar in characters of the font.
MOST_CAUSES = 3
BAR = 12.0
TOWARDS, AWAY = "#0072b2", "#d55e00"

STATUS_TEXTS = {
    "no_findings": "No finding was given: there is nothing to explain.",
    "impossible": "These findings cannot occur together in this model: {}.",
}


def explanation_html(explanation: Explanation) -> str:
    """Return the leading causes as HTML tables with signed bars."""
    text = STATUS_TEXTS.get(explanation.status)
    if text is not None:
        return f"<p>{escape(text.format(', '.join(explanation.clashes)))}</p>"
    parts = [_cause(explanation, str(name)) for name in explanation.causes.index[:MOST_CAUSES]]
    left = len(explanation.causes) - len(parts)
    if left:
        parts.append(f"<p>and {left} causes more, in <code>.table</code></p>")
    return "<div>" + "".join(parts) + "</div>"


def _cause(explanation: Explanation, name: str) -> str:
    cause, rows = explanation.causes.loc[[name]].iloc[0], explanation.of(name)
    sizes = [abs(float(x)) for x in rows["contribution"] if math.isfinite(float(x))]
    widest = max(sizes, default=0.0) or 1.0
    body = "".join(
        "<tr>"
        f"<td>{escape(str(label))}: {escape(str(value))}</td>"
        f'<td style="text-align:right">{_signed(float(x))}</td>'
        f"<td>{_bar(float(x), widest)}</td>"
        f'<td style="text-align:right">{float(alone):.3g}</td>'
        f'<td style="text-align:right">{float(context):.3g}</td>'
        f"<td>{escape(str(basis))} {escape(str(source))}</td>"
        "</tr>"
        for label, value, x, alone, context, basis, source in zip(
            *(rows[column] for column in _COLUMNS), strict=True
        )
    )
    title = (
        f"{escape(str(cause['label']))}: {100 * float(cause['prior']):.3g} % before, "
        f"{100 * float(cause['posterior']):.3g} % after"
    )
    heads = "".join(f"<th>{escape(head)}</th>" for head in _HEADS)
    return (
        f"<table><caption>{title} (contributions in log-odds, {escape(explanation.method)})"
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


_COLUMNS = ("label", "value", "contribution", "lr_alone", "lr_in_context", "basis", "source")
_HEADS = ("observation", "log-odds", "", "LR alone", "LR in context", "number from")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _bar(value: float, widest: float) -> str:
    share = min(abs(value) / widest, 1.0)
    colour = TOWARDS if value > 0.0 else AWAY
    return (
        f'<span style="display:inline-block;height:0.8em;width:{BAR * share:.2f}em;'
        f'background:{colour}" title="{_signed(value)}"></span>'
    )
