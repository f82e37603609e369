"""How pitfalls, advice and triage read, and which of them are told.

By default a case is told little, and nothing twice. What is general, what says the same as another
text, and what only limits advice that is not printed, waits for ``--all``. In an emergency titles
are enough; and where somebody has to look first, how to help oneself is not printed at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.presentation.layout import BLANK, Block, Paragraph, bullets, section
from bayesdx.presentation.words import NO_LABELS, fired_rules, in_words, listed, percent

if TYPE_CHECKING:
    from bayesdx import Diagnosis
    from bayesdx.diagnosis.shown_texts import TextHit

#: Kinds in the order in which they are read, their headings, and how many of each are printed.
HEADINGS = MappingProxyType(
    {
        "question": ("Ask next", 2),
        "test": ("Examine and test", 2),
        "avoid": ("Better avoided", 2),
        "caution": ("Take care", 3),
        "advice": ("What may help meanwhile", 3),
        "explanation": ("How it can arise", 1),
    }
)
HELP_LATER = "What may help, once somebody has looked"

#: With these levels somebody has to look first; what helps and why can wait.
PRESSING = ("emergency", "urgent")
WAITING = ("advice", "explanation")
MOST_PITFALLS = 3
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


def pitfall_blocks(diagnosis: Diagnosis, every: bool, labels: Mapping[str, str]) -> Iterator[Block]:
    """Tell what is easily missed in such a case; what holds for every case comes last."""
    hits = sorted(diagnosis.pitfalls, key=lambda hit: (not hit.because, not hit.show))
    if not every:
        hits = _default_pitfalls(diagnosis, hits)
    if hits and diagnosis.urgency == PRESSING[0] and not every:
        yield from _titles("Easily missed besides", hits)
    elif hits:
        yield from section("Easily missed in such a case:")
        yield from bullets([text_of(hit, every, labels) for hit in hits])


def management_blocks(
    diagnosis: Diagnosis, every: bool, labels: Mapping[str, str]
) -> Iterator[Block]:
    """Tell texts by kind: `every` one, or the first of each kind that are not beside the point."""
    later = help_waits(diagnosis)
    printed = 0
    chosen = {kind: _chosen(diagnosis, kind, every) for kind in HEADINGS}
    if diagnosis.urgency == PRESSING[0] and not every:
        yield from _titles("Until somebody has looked", chosen["avoid"])
        chosen = {}
    for kind, hits in chosen.items():
        if hits:
            heading = HELP_LATER if later and kind == "advice" else HEADINGS[kind][0]
            yield from section(f"{heading}:")
        for hit in hits:
            told = [hit, *(() if every else _limits_of(hit, diagnosis.management))]
            yield from bullets([text_of(one, every, labels) for one in told])
            printed += len(told)
    if every:
        return
    yield BLANK
    if later:
        text = "What may help is left out until somebody has looked; --all prints every text."
        yield Paragraph(text, emphasis="quiet")
    elif printed < len(diagnosis.management):
        yield Paragraph("More texts, and what each rests on: --all", emphasis="quiet")


def text_of(hit: TextHit, every: bool, labels: Mapping[str, str]) -> str:
    """Return a title with its text."""
    title = hit.title if hit.title.endswith("?") else f"{hit.title}."
    return f"{title} {body_of(hit, every, labels)}"


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


def _titles(heading: str, hits: Sequence[TextHit]) -> list[Block]:
    return [*section(f"{heading}:"), *bullets([f"{hit.title}." for hit in hits])] if hits else []


def help_waits(diagnosis: Diagnosis) -> bool:
    """Return whether somebody has to look before what helps is of use."""
    leading = {diagnosis.table.index[0], *diagnosis.shortlist.index[:1]}
    weighed = {hit.cause for hit in diagnosis.triage} | {one.cause for one in diagnosis.ask_first}
    return diagnosis.urgency in PRESSING or bool(leading & weighed)


def shown_at_any_rank(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the causes that pitfalls, triage and advice want to see, each once."""
    named: Iterable[str] = (
        *(hit.cause for hit in diagnosis.triage),
        *(name for hit in (*diagnosis.pitfalls, *diagnosis.management) for name in hit.show),
    )
    return tuple(dict.fromkeys(named))


def _default_pitfalls(diagnosis: Diagnosis, hits: Sequence[TextHit]) -> list[TextHit]:
    own = [hit for hit in _without_repetition(hits) if not _is_general(hit)]
    if diagnosis.urgency == PRESSING[0]:
        # Errors of self-treatment and of reading tests can wait; causes that hide cannot.
        own = [hit for hit in own if hit.show]
    return own[:MOST_PITFALLS]


def _chosen(diagnosis: Diagnosis, kind: str, every: bool) -> list[TextHit]:
    """Return the texts of one kind: all of them, or those to print by default."""
    hits = [hit for hit in diagnosis.management if hit.kind == kind]
    if every:
        return hits
    if kind in WAITING:
        # Both kinds always have a general text, which is for those who read everything.
        hits = [hit for hit in hits if not _is_general(hit) and not help_waits(diagnosis)]
    if kind in ("question", "explanation"):
        hits.sort(key=lambda hit: not hit.because)
    if kind in ("test", "advice"):
        # A finding calls for a test by itself; what helps depends on what is probable.
        of_a_finding = 1.0 if kind == "test" else 0.5
        hits.sort(key=lambda hit: -_weight(hit, diagnosis, of_a_finding))
    if kind == "advice":
        hits = _mostly_about_causes(hits, diagnosis)
    if kind == "explanation":
        leading = str(diagnosis.table.index[0])
        hits.sort(key=lambda hit: not _is_about(hit, leading))
    hits = [hit for hit in _without_repetition(hits) if not _company(hit)]
    return hits[: HEADINGS[kind][1]]


def _without_repetition(hits: Sequence[TextHit]) -> list[TextHit]:
    """Leave out a text that rests on nothing but what another of these rests on as well."""

    def repeats(at: int) -> bool:
        own = set(hits[at].statements)
        others = [(place, set(other.statements)) for place, other in enumerate(hits) if place != at]
        return any(own < other or (own == other and place < at) for place, other in others)

    return [hit for at, hit in enumerate(hits) if not hit.statements or not repeats(at)]


def _is_general(hit: TextHit) -> bool:
    return not (hit.because or hit.not_asked or hit.show)


def _is_about(hit: TextHit, cause: str) -> bool:
    return any(reason.split()[0] == cause for reason in hit.because)


def _mostly_about_causes(hits: Sequence[TextHit], diagnosis: Diagnosis) -> list[TextHit]:
    """Keep one of the texts that only a finding brought up: the complaint alone says little."""
    probable = {*diagnosis.groups.index, *diagnosis.table.index}
    of_findings = [hit for hit in hits if not any(_is_about(hit, name) for name in probable)]
    return [hit for hit in hits if hit not in of_findings[1:]]


def _weight(hit: TextHit, diagnosis: Diagnosis, of_a_finding: float) -> int:
    """Say in halves, so that the order of the files still counts, how probable a reason is."""
    known = {**diagnosis.groups["posterior"], **diagnosis.table["posterior"]}
    names = (reason.split()[0] for reason in hit.because)
    return round(2 * max((known.get(name, of_a_finding) for name in names), default=0.0))


def _company(hit: TextHit) -> list[str]:
    """Return the texts that this one only limits."""
    return [reason.removeprefix("with ") for reason in hit.because if reason.startswith("with ")]


def _limits_of(hit: TextHit, others: Iterable[TextHit]) -> list[TextHit]:
    limits = [other for other in others if hit.id in _company(other)]
    return _without_repetition(limits)
