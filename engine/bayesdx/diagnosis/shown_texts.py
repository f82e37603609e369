"""Which texts of the knowledge a case is shown, and why.

Texts never change a probability or an urgency. They are chosen in rounds, because a text may wait
for another one that it accompanies: the first round takes what needs no company, and each further
round what its company brings in. Two texts that wait for each other are never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bayesdx.diagnosis.kleene import Facts, Gate, compiled, true_leaves, unknown_subjects, where
from bayesdx.diagnosis.results import Result
from bayesdx.knowledge.red_flag_schema import read_leaf
from bayesdx.knowledge.text_schema import Text, TextKind, TextSettings

Probabilities = Mapping[str, float]


@dataclass(frozen=True)
class TextHit(Result):
    """A text that is shown for one case.

    Attributes
    ----------
    id, kind, title, text : str
    because : tuple of str
        What brought it up: a driver or cause with its probability (``"load 0.51"``), the first
        cause of the table (``"gtps leads"``), the ids of findings and risks that were found
        (``"age"``; ``"!fever"`` for one known to be absent), and the texts that it accompanies
        (``"with relaxants"``). Empty when it is shown for every case.
    not_asked : tuple of str
        Ids whose answers could still take the text away again, because it is shown while its
        condition is undecided; otherwise empty.
    show : tuple of str
        Causes whose row is printed whatever their rank.
    statements, sources : tuple of str
        What it rests on.
    """

    id: str
    kind: TextKind
    title: str
    text: str
    because: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """Of one case, what texts look at.

    Attributes
    ----------
    facts : Facts
        Of one case.
    causes, drivers : mapping of str to float
        P(cause | findings) and P(at least one member of the driver | findings). Empty where there
        is no posterior (impossible evidence, nothing known): then only texts that need none of
        them are shown.
    leading : str, optional
        The first cause of the table.
    """

    facts: Facts
    causes: Probabilities
    drivers: Probabilities
    leading: str | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """A text, what brings it up in words, and whether its condition is true or still open."""

    text: Text
    condition: Gate | None
    pushes: tuple[str, ...]
    met: bool


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts with their conditions compiled, and from which probability causes bring them up."""

    every: tuple[Text, ...]
    conditions: tuple[Gate | None, ...]
    settings: TextSettings

    def shown(self, case: Matter) -> tuple[TextHit, ...]:
        """Choose the texts of one case, in the order of `every`."""
        waiting = {}
        for text, condition in zip(self.every, self.conditions, strict=True):
            pushes = tuple(self._pushes(text, case))
            if not pushes and (text.drivers or text.causes or text.leading):
                continue
            met = condition is None or bool(where(condition, case.facts))
            open_ = condition is not None and bool(where(condition, case.facts, possible=True))
            if met or (open_ and text.unknown == "show"):
                waiting[text.id] = Brought(text, condition, pushes, met)
        shown: dict[str, Brought] = {}
        while ready := [one for one in waiting.values() if _has_company(one.text, shown)]:
            shown.update((one.text.id, waiting.pop(one.text.id)) for one in ready)
        hits = (shown.get(text.id) for text in self.every)
        return tuple(_hit(one, case.facts, shown) for one in hits if one is not None)

    def _pushes(self, text: Text, case: Matter) -> Iterator[str]:
        """Yield the drivers, causes and first cause that bring a text up, in words."""
        own = text.at_least
        driver_from = self.settings.driver_from if own is None else own
        cause_from = self.settings.cause_from if own is None else own
        yield from _reached(text.drivers, case.drivers, driver_from)
        yield from _reached(text.causes, case.causes, cause_from)
        if case.leading is not None and case.leading in text.leading:
            yield f"{case.leading} leads"


def compile_texts(
    texts: Sequence[Text], settings: TextSettings | None, states: Mapping[str, Sequence[str]]
) -> Texts | None:
    """Compile the texts of one file; None without settings.

    Parameters
    ----------
    texts : sequence of Text
    settings : TextSettings, optional
        The thresholds of texts that bring none of their own.
    states : mapping of str to sequence of str
        As for `compile_rules`.
    """
    if settings is None:
        return None
    conditions = (None if text.when is None else compiled(text.when, states) for text in texts)
    return Texts(tuple(texts), tuple(conditions), settings)


def _has_company(text: Text, shown: Mapping[str, Brought]) -> bool:
    return not text.accompanies or any(name in shown for name in text.accompanies)


def _reached(names: Iterable[str], posteriors: Probabilities, least: float) -> Iterator[str]:
    for name in names:
        posterior = posteriors.get(name, 0.0)
        if posterior >= least:
            # Rounding must not make it look like certainty, nor something small like nothing.
            shown = f"{posterior:.2f}" if posterior >= 0.1 else f"{posterior:.2g}"
            yield f"{name} {'>0.99' if 0.995 <= posterior < 1.0 else shown}"


def _hit(one: Brought, facts: Facts, shown: Mapping[str, Brought]) -> TextHit:
    text, reasons = one.text, [*one.pushes]
    if one.condition is not None and one.met:
        for leaf in true_leaves(one.condition, facts):
            # "!fever" keeps its mark: the id alone would say that there is a fever.
            reasons.append(leaf if leaf.startswith("!") else read_leaf(leaf).subject)
    reasons += [f"with {name}" for name in text.accompanies if name in shown]
    lacking: Iterable[str] = ()
    if one.condition is not None and not one.met:
        lacking = unknown_subjects(one.condition, facts)
    return TextHit(
        id=text.id,
        kind=text.kind,
        title=text.title,
        text=text.text,
        because=tuple(dict.fromkeys(reasons)),
        not_asked=tuple(dict.fromkeys(lacking)),
        show=text.show,
        statements=text.statements,
        sources=text.sources,
    )
