"""Which texts of the knowledge a case is shown, and why.

Texts never change a probability or an urgency. They are chosen in rounds, because a text may wait
for another one that it accompanies: the first round takes what needs no company, and each further
round what its company brings in. Two texts that wait for each other are never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bayesdx.diagnosis.red_flags import combine, true_leaves, unknown_leaves
from bayesdx.knowledge.red_flag_schema import read_leaf
from bayesdx.knowledge.text_schema import Text, TextKind, TextSettings

Facts = Mapping[str, str | None]
Probabilities = Mapping[str, float]

# Two of the three values of `combine`.
_UNKNOWN, _TRUE = 1, 2


@dataclass(frozen=True, slots=True)
class TextHit:
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
class _Case:
    settings: TextSettings
    facts: Facts
    causes: Probabilities
    drivers: Probabilities
    leading: str | None


def evaluate_texts(
    texts: Sequence[Text],
    settings: TextSettings,
    facts: Facts,
    causes: Probabilities | None = None,
    drivers: Probabilities | None = None,
    leading: str | None = None,
) -> tuple[TextHit, ...]:
    """Choose the texts of one case.

    Parameters
    ----------
    texts : sequence of Text
        The texts of both files.
    settings : TextSettings
        The thresholds of texts that bring none of their own.
    facts : mapping of str to str or None
        The state of each finding and risk that is known, as for `red_flags.evaluate`.
    causes, drivers : mapping of str to float, optional
        P(cause | findings) and P(at least one member of the driver | findings). None where there
        is no posterior (impossible evidence, nothing known): then only texts that need none of
        them are shown.
    leading : str, optional
        The first cause of the table.

    Returns
    -------
    tuple of TextHit
        In the order of `texts`.
    """
    case = _Case(settings, facts, causes or {}, drivers or {}, leading)
    waiting = {text.id: text for text in texts if _is_brought_up(text, case)}
    shown: dict[str, Text] = {}
    while ready := [text for text in waiting.values() if _has_company(text, shown)]:
        shown.update((text.id, waiting.pop(text.id)) for text in ready)
    return tuple(_hit(text, case, shown) for text in texts if text.id in shown)


def _is_brought_up(text: Text, case: _Case) -> bool:
    """Return whether a text would be shown in the right company."""
    needs_a_push = bool(text.drivers or text.causes or text.leading)
    if needs_a_push and not any(_pushes(text, case)):
        return False
    if text.when is None:
        return True
    truth = combine(text.when, case.facts)
    return truth == _TRUE or (truth == _UNKNOWN and text.unknown == "show")


def _has_company(text: Text, shown: Mapping[str, Text]) -> bool:
    return not text.accompanies or any(name in shown for name in text.accompanies)


def _pushes(text: Text, case: _Case) -> Iterator[str]:
    """Yield the drivers, causes and first cause that bring a text up, in words."""
    own = text.at_least
    driver_from = case.settings.driver_from if own is None else own
    cause_from = case.settings.cause_from if own is None else own
    yield from _reached(text.drivers, case.drivers, driver_from)
    yield from _reached(text.causes, case.causes, cause_from)
    if case.leading is not None and case.leading in text.leading:
        yield f"{case.leading} leads"


def _reached(names: Iterable[str], posteriors: Probabilities, least: float) -> Iterator[str]:
    for name in names:
        posterior = posteriors.get(name, 0.0)
        if posterior >= least:
            yield f"{name} {_in_words(posterior)}"


def _in_words(probability: float) -> str:
    # Rounding must not make a probability look like certainty, nor a small one like nothing.
    if 0.995 <= probability < 1.0:
        return ">0.99"
    return f"{probability:.2f}" if probability >= 0.1 else f"{probability:.2g}"


def _hit(text: Text, case: _Case, shown: Mapping[str, Text]) -> TextHit:
    return TextHit(
        id=text.id,
        kind=text.kind,
        title=text.title,
        text=text.text,
        because=_because(text, case, shown),
        not_asked=_not_asked(text, case.facts),
        show=text.show,
        statements=text.statements,
        sources=text.sources,
    )


def _because(text: Text, case: _Case, shown: Mapping[str, Text]) -> tuple[str, ...]:
    reasons = list(_pushes(text, case))
    if text.when is not None and combine(text.when, case.facts) == _TRUE:
        for leaf in true_leaves(text.when, case.facts):
            # "!fever" keeps its mark: the id alone would say that there is a fever.
            reasons.append(leaf if leaf.startswith("!") else read_leaf(leaf).subject)
    reasons += [f"with {name}" for name in text.accompanies if name in shown]
    return tuple(dict.fromkeys(reasons))


def _not_asked(text: Text, facts: Facts) -> tuple[str, ...]:
    if text.when is None or combine(text.when, facts) != _UNKNOWN:
        return ()
    leaves = unknown_leaves(text.when, facts)
    return tuple(dict.fromkeys(read_leaf(leaf).subject for leaf in leaves))
