"""How pitfalls, advice and triage read. Where somebody has to look first, help comes after that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.presentation.layout import Block, Paragraph, bullets, section
from bayesdx.presentation.words import NO_LABELS, fired_rules, in_words, listed, percent

if TYPE_CHECKING:
    from bayesdx import Diagnosis
    from bayesdx.diagnosis.shown_texts import TextHit

#: Kinds in the order in which they are read, with their headings.
HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "question": "Ask next",
        "test": "Examine and test",
        "avoid": "Better avoided",
        "caution": "Take care",
        "advice": "What may help meanwhile",
        "explanation": "How it can arise",
    }
)
HELP_LATER = "What may help, once somebody has looked"

#: With these levels somebody has to look first; what helps and why can wait.
PRESSING = ("emergency", "urgent")
WAITING = ("advice", "explanation")
MOST_UNASKED = 3

#: Questions named for a dangerous cause that nothing peculiar to it speaks for yet.
ASKED_FIRST = 3

#: How soon a dangerous cause has to be looked for, and what that means.
WHEN = MappingProxyType({"emergency": "now", "urgent": "today", "soon": "within a few days"})
WHERE = MappingProxyType(
    {
        "emergency": "Go to an emergency department now and name these possibilities.",
        "urgent": "Be examined today and name these possibilities.",
        "soon": "Be examined within a few days and name these possibilities.",
    }
)


def triage_blocks(
    diagnosis: Diagnosis, every: bool = False, labels: Mapping[str, str] = NO_LABELS
) -> Iterator[Block]:
    """Tell the dangerous causes that call for action, a line for each level, and what to ask."""
    for level, when in WHEN.items():
        hits = [hit for hit in diagnosis.triage if hit.level == level]
        if not hits:
            continue
        names = "; ".join(f"{hit.label}, {percent(hit.posterior)}" for hit in hits)
        if level == diagnosis.urgency:
            text = f"{level}, to be looked for {when}: {names}"
            yield Paragraph(text, mark="! ", indent=2, emphasis=level)
        else:
            # A later day, named below "now", would blur what to do.
            yield Paragraph(f"To be looked for: {names}", indent=2)
        if level == diagnosis.urgency and all(hit.level != level for hit in fired_rules(diagnosis)):
            # No rule says what to do, so it has to be said here.
            yield Paragraph(WHERE[level], indent=4)
        for hit in hits if every else ():
            speaks = "; ".join(in_words(one, labels, diagnosis.understood) for one in hit.because)
            text = (
                f"{hit.label}: a miss is held {hit.loss_ratio:g} times as bad as a false alarm"
                + (f", and ordinary causes hardly give this: {speaks}." if speaks else ".")
            )
            yield Paragraph(text, indent=4)
    if diagnosis.triage:
        yield Paragraph("Missing one of these would cost more than a false alarm.", indent=4)
    for one in diagnosis.ask_first:
        if not every and LEVELS.index(one.level) >= LEVELS.index(diagnosis.urgency):
            continue  # it would not raise the urgency
        asked = one.findings if every else one.findings[:ASKED_FIRST]
        names = "; ".join(labels.get(name, name) for name in asked)
        text = f"Ask these first, they tell {one.label} from what is common: {names}"
        yield Paragraph(text, indent=2)


def pitfall_blocks(diagnosis: Diagnosis, labels: Mapping[str, str]) -> Iterator[Block]:
    """Tell what is easily missed in such a case; what holds for every case comes last."""
    hits = sorted(diagnosis.pitfalls, key=lambda hit: (not hit.because, not hit.show))
    if hits:
        yield from section("Easily missed in such a case:")
        yield from bullets([text_of(hit, labels) for hit in hits])


def management_blocks(diagnosis: Diagnosis, labels: Mapping[str, str]) -> Iterator[Block]:
    """Tell texts by kind."""
    later = help_waits(diagnosis)
    for kind, title in HEADINGS.items():
        hits = [hit for hit in diagnosis.management if hit.kind == kind]
        if hits:
            heading = HELP_LATER if later and kind == "advice" else title
            yield from section(f"{heading}:")
            yield from bullets([text_of(hit, labels) for hit in hits])


def text_of(hit: TextHit, labels: Mapping[str, str]) -> str:
    """Return a title with its text, and what it rests on."""
    title = hit.title if hit.title.endswith("?") else f"{hit.title}."
    return f"{title} {body_of(hit, True, labels)}"


def body_of(hit: TextHit, every: bool, labels: Mapping[str, str]) -> str:
    """Return a text, what it waits for, and with `every` what it rests on."""
    parts = [hit.text]
    if hit.not_asked and hit.kind == "question":
        # What is asked for is going to be typed, so it goes by its id.
        parts.append(f"(To enter: {', '.join(hit.not_asked)}.)")
    elif hit.not_asked:
        names = [in_words(name, labels) for name in hit.not_asked]
        waits = listed(names, every, MOST_UNASKED, "; ")
        parts.append(f"(Not asked, and could change this: {waits}.)")
    if every:
        parts.append(f"[{', '.join(hit.statements or hit.sources)}]")
    return " ".join(parts)


def help_waits(diagnosis: Diagnosis) -> bool:
    """Return whether somebody has to look before what helps is of use."""
    leading = {diagnosis.table.index[0], *diagnosis.shortlist.index[:1]}
    weighed = {hit.cause for hit in diagnosis.triage} | {one.cause for one in diagnosis.ask_first}
    return diagnosis.urgency in PRESSING or bool(leading & weighed)
