"""`bayesdx rank`: causes by what would change without them."""

from __future__ import annotations

import bayesdx
from bayesdx.cli.options import AsJson, Findings, Priors, Setting, Top, given_findings
from bayesdx.cli.progress import patience
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.fit_view import ranking_blocks
from bayesdx.presentation.layout import ending
from bayesdx.presentation.terminal import show


def rank(
    findings: Findings = None,
    top: Top = 10,
    as_json: AsJson = False,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Rank causes by what would change without them.

    Expected disablement: how many of the findings that are present would not be, without the cause.
    Expected sufficiency: how many would be, with no other cause and no background.
    """
    given = given_findings(findings)
    with patience("ranking"):
        engine = bayesdx.load(priors, setting=setting)
        found = engine.rank_causes(given)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(result_json(found, intended_use))
    else:
        show([*ranking_blocks(found, top), *ending(intended_use)])
