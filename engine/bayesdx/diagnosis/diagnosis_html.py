"""A diagnosis in a notebook: red flags first, then the leading causes with bars."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bayesdx.diagnosis.phrases import percent

if TYPE_CHECKING:
    from bayesdx.diagnosis.diagnosing import Diagnosis

MOST_CAUSES = 10
#: Width of a bar at 100 %, in letters.
BAR = 12.0
COLOUR = "#0072b2"
NOTHING_RULED_OUT = (
    "Several causes can be present at once, so the numbers do not add up to 100 %. Nothing is "
    "ruled out. Not a medical device."
)


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Return the urgency, what fired, and the first causes as HTML; every text is escaped."""
    fired = [hit for hit in diagnosis.red_flags if hit.outcome == "fired"]
    flags = "".join(
        f"<li><b>{escape(hit.level)}</b>: {escape(hit.title)}. {escape(hit.advice)}</li>"
        for hit in fired
    )
    flags += "".join(
        f"<li><b>{escape(hit.level)}</b>: {escape(hit.label)}, {percent(hit.posterior)} is enough "
        "to act on</li>"
        for hit in diagnosis.triage
    )
    parts = [f"<p><b>Urgency: {escape(diagnosis.urgency)}</b></p>"]
    if flags:
        parts.append(f"<ul>{flags}</ul>")
    if diagnosis.status == "impossible":
        clash = escape(", ".join(diagnosis.clashes))
        parts.append(f"<p>These findings cannot occur together in this model: {clash}.</p>")
    elif diagnosis.status == "too_complex":
        coupled = escape(", ".join(diagnosis.coupled))
        parts.append(f"<p>Too much couples in this case to be summed over: {coupled}.</p>")
    else:
        parts.append(_causes(diagnosis))
    parts.append(f"<p><small>{NOTHING_RULED_OUT}</small></p>")
    return "<div>" + "".join(parts) + "</div>"


def _causes(diagnosis: Diagnosis) -> str:
    causes = diagnosis.table.iloc[:-1]
    shown = [*causes.head(MOST_CAUSES).iterrows(), *diagnosis.table.iloc[-1:].iterrows()]
    rows = "".join(
        f"<tr><td>{escape(str(row['label']))}</td>"
        f'<td style="text-align:right">{percent(float(row["prior"]))}</td>'
        f'<td style="text-align:right">{percent(float(row["posterior"]))}</td>'
        f"<td>{_bar(float(row['posterior']))}</td></tr>"
        for _, row in shown
    )
    left = len(causes) - MOST_CAUSES
    more = f"<p>and {left} causes more, in <code>.table</code></p>" if left > 0 else ""
    heads = "<tr><th>cause</th><th>prior</th><th>posterior</th><th></th></tr>"
    return f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>{more}"


def _bar(share: float) -> str:
    style = f"display:inline-block;height:0.8em;width:{BAR * share:.2f}em;background:{COLOUR}"
    return f'<span style="{style}"></span>'
