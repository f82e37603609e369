"""`bayesdx page`: a page that asks and answers on the device of whoever opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import Priors, Setting, check_page_name
from bayesdx.cli.progress import patience
from bayesdx.presentation.terminal import tell
from bayesdx.tables import write_whole


def page(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="Where to write the page.")
    ] = Path("page.html"),
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Write a page that asks and answers in a browser, offline.

    One file for a knowledge folder: interview, posteriors, red flags, texts and the source of each
    number. It computes by itself; it sends, stores and loads nothing.
    """
    check_page_name(output)
    # Imported here: no other command needs it.
    from bayesdx.reports.browser.writing import LARGEST, notes_left_out, standalone_page

    with patience("reading the priors"):
        engine = bayesdx.load(priors, setting=setting)
    with patience("writing the page"):
        text = standalone_page(engine)
        data = text.encode()
        write_whole(output, data)
    tell(f"bayesdx: {output}, {len(data) / 1000:.0f} kB; open it in a browser")
    if notes_left_out(text, engine):
        tell(f"bayesdx: without notes on numbers, which would make it over {LARGEST // 1000} kB")
