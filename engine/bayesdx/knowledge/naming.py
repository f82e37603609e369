"""Checks of ids and aliases: what a person writes in a case must lead to one thing only."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdx.errors import Phrase
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.schema import Finding, Measure, Risk

RESERVED = (
    "case_id",
    "expected_cause",
    "acceptable",
    "urgency",
    "source",
    "note",
    "cause",
    "unexplained",
    "log_evidence",
    "status",
    "red_flags",
)
"""Column names of case and result tables; an id that equals one could not be a column."""


def check_names(draft: Drafts) -> None:
    """Note ids that are used twice, reserved, or ambiguous with an alias.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    owners: dict[str, str] = {}
    files: tuple[tuple[str, Iterable[str]], ...] = (
        ("findings.toml:{}", draft.findings),
        ("risks.toml:{}", draft.risks),
        ("measures.toml:{}", draft.measures),
        ("groups.toml:{}", draft.groups),
        ("causes/{}.toml", draft.causes),
    )
    for template, names in files:
        for name in names:
            place = template.format(name)
            if name in RESERVED:
                draft.add(place, "an id that is no reserved column name", name)
            if name in owners and not _is_own_target(draft, place, name):
                got = Phrase(f"{name!r}, which is also {owners[name]}")
                draft.add(place, "an id of its own", got)
            owners.setdefault(name, place)
    _check_aliases(draft)


def folded(name: str) -> str:
    """Return the form in which names of a case are compared: case and separators do not count."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _is_own_target(draft: Drafts, place: str, name: str) -> bool:
    """Whether a measure has the name of the one thing it sets, such as age in years and in bands.

    One column then takes either the number or the state.
    """
    if not place.startswith("measures.toml:"):
        return False
    targets = [setting.target for setting in draft.measures[name].sets]
    # An unknown target is a fault of its own, and may be this very name misspelt.
    return all(one == name or one not in {*draft.findings, *draft.risks} for one in targets)


def _check_aliases(draft: Drafts) -> None:
    """Check that no alias of a finding, risk or measure is another's alias or id."""
    owners: dict[str, tuple[str, str]] = {}
    entries: list[tuple[str, Finding | Risk | Measure]] = [
        *((f"findings.toml:{name}", one) for name, one in draft.findings.items()),
        *((f"risks.toml:{name}", one) for name, one in draft.risks.items()),
        *((f"measures.toml:{name}", one) for name, one in draft.measures.items()),
    ]
    for place, entry in entries:
        # An id comes first: the alias that equals it is the one to change.
        owners.setdefault(folded(entry.id), (entry.id, place))
    for name in RESERVED:
        owners.setdefault(folded(name), (name, "a reserved column name"))
    for place, entry in entries:
        for key in ("aliases_lay", "aliases_professional"):
            for index, alias in enumerate(getattr(entry, key)):
                where = f"{place}.{key}[{index}]"
                if not folded(alias):
                    draft.add(where, "a text that is not empty", alias)
                    continue
                owner, owner_place = owners.setdefault(folded(alias), (entry.id, place))
                if owner != entry.id:
                    got = Phrase(f"{alias!r}, which also means {owner_place}")
                    draft.add(where, "an alias of its own", got)
