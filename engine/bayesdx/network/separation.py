"""What can tell something about what, by the arrows alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bayesdx.frozen import PlainParts, ReadOnly


@dataclass(frozen=True)
class Relevance(PlainParts, ReadOnly):
    """What the posterior of some variables depends on, given which others are observed.

    By the arrows, whatever the numbers are: particular numbers may make more of it idle.

    Attributes
    ----------
    targets : tuple of str
        What is asked for.
    evidence : tuple of str
        Observed variables that matter: without the others the answer is the same.
    idle : tuple of str
        Observed variables that do not.
    numbers : tuple of str
        Variables whose distributions matter.
    dependent : tuple of str
        Variables that are not observed and whose state would tell something about the targets.
    """

    targets: tuple[str, ...]
    evidence: tuple[str, ...]
    idle: tuple[str, ...]
    numbers: tuple[str, ...]
    dependent: tuple[str, ...]


def relevance(
    parents: Mapping[str, tuple[str, ...]], targets: Iterable[str], observed: Collection[str]
) -> Relevance:
    """Find what matters, in time linear in the arrows ("Bayes ball").

    Parameters
    ----------
    parents : mapping of str to tuple of str
        Of every variable.
    targets : iterable of str
    observed : collection of str

    Returns
    -------
    Relevance
        Names in the order of ``parents``.

    References
    ----------
    R. D. Shachter, Bayes-Ball: the rational pastime, Uncertainty in Artificial Intelligence, 1998.
    """
    children: dict[str, list[str]] = {name: [] for name in parents}
    for name, several in parents.items():
        for parent in several:
            children[parent].append(name)
    asked, known = tuple(targets), set(observed)
    visited: set[str] = set()
    #: Whether the ball went on to the parents, and to the children.
    up, down = set[str](), set[str]()
    left = [(name, True) for name in asked]
    while left:
        name, from_child = left.pop()
        visited.add(name)
        seen = name in known
        if name not in up and seen != from_child:
            up.add(name)
            left += [(parent, True) for parent in parents[name]]
        if name not in down and not seen:
            down.add(name)
            left += [(child, False) for child in children[name]]
    return Relevance(
        asked,
        tuple(name for name in parents if name in known and name in visited),
        tuple(name for name in parents if name in known and name not in visited),
        tuple(name for name in parents if name in up),
        tuple(name for name in parents if name in down and name not in asked),
    )
