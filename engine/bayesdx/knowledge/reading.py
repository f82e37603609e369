"""Reading a priors folder: parse, validate, compare, and report everything at once."""

from __future__ import annotations

from pathlib import Path

from bayesdx.errors import InvalidKnowledge
from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.drafting import Drafts, draft_knowledge
from bayesdx.knowledge.folders import Folder, find_priors, read_folder
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.linking import check_links
from bayesdx.knowledge.schema import ModelCard
from bayesdx.knowledge.value_checks import check_values


def read_knowledge(folder: Path | str | None = None) -> Knowledge:
    """Read and check the knowledge in a priors folder.

    Parameters
    ----------
    folder : Path or str, optional
        The folder; without one, the priors that come with bayesdx.

    Returns
    -------
    Knowledge
        Everything in it, checked and read-only.

    Raises
    ------
    InvalidKnowledge
        If anything is wrong; its `faults` are all that was found, each with file and key.
    """
    return check_folder(read_folder(find_priors() if folder is None else Path(folder)))


def check_folder(parsed: Folder) -> Knowledge:
    """Check parsed files and make them knowledge.

    Parameters
    ----------
    parsed : Folder
        The files.

    Returns
    -------
    Knowledge
        Everything in them, checked and read-only.

    Raises
    ------
    InvalidKnowledge
        If anything is wrong.
    """
    draft = draft_knowledge(parsed)
    check_values(draft)
    check_links(draft)
    if draft.faults or draft.card is None:
        raise InvalidKnowledge(sorted(draft.faults, key=lambda fault: fault.place.split(":")[0]))
    return _assemble(draft, draft.card, parsed)


def _assemble(draft: Drafts, card: ModelCard, parsed: Folder) -> Knowledge:
    # Every part was validated already; validating the whole again would double the time.
    return Knowledge.model_construct(
        model=card,
        causes=FrozenDict(draft.causes),
        findings=FrozenDict(draft.findings),
        risks=FrozenDict(draft.risks),
        measures=FrozenDict(draft.measures),
        groups=FrozenDict(draft.groups),
        sources=FrozenDict(draft.sources),
        words=draft.words,
        scales=draft.scales,
        red_flags=draft.red_flags,
        triage=draft.triage,
        efforts=draft.efforts,
        askers=draft.askers,
        statements=FrozenDict(draft.statements),
        constraints=draft.constraints,
        text_settings=draft.text_settings,
        management=draft.management,
        pitfalls=draft.pitfalls,
        calibration=draft.calibration,
        learning=draft.learning,
        codes=FrozenDict(),
        digest=parsed.digest,
        folder=parsed.path,
    )
