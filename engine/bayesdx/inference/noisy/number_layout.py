"""All numbers of a layered noisy network side by side, for derivatives by every one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.model import NoisyModel

#: What the columns hold, in this order; tables and priors are one block a cause and a risk.
STRENGTH, FACTOR, LEAK, EXCEED, EXCEED_LEAK, TABLE, PRIOR = range(7)


@dataclass(frozen=True)
class NumberLayout:
    """T numbers of a model: links, leaks, tables of causes, probabilities of risks.

    Attributes
    ----------
    shapes : tuple of tuples of int
        ``strength`` and ``factor`` (C, F), ``leak`` (F,), ``exceed`` (C, L), ``exceed_leak`` (L,),
        then the tables of the causes and the probabilities of the risks.
    n_causes : int
    """

    shapes: tuple[tuple[int, ...], ...]
    n_causes: int

    @cached_property
    def first(self) -> tuple[int, ...]:
        """Where each block begins, and last T."""
        sizes = [math.prod(shape) for shape in self.shapes]
        return tuple(np.cumsum([0, *sizes]).tolist())

    def begin(self, kind: int, at: int = 0) -> int:
        """Where a block begins: of a kind; the table of cause ``at``; the prior of risk ``at``."""
        block = kind if kind < TABLE else TABLE + at + (self.n_causes if kind == PRIOR else 0)
        return self.first[block]

    def split(self, values: FloatArray) -> tuple[FloatArray, ...]:
        """Split (..., T) into blocks of their shapes."""
        parts = np.split(values, self.first[1:-1], axis=-1)
        return tuple(
            part.reshape((*values.shape[:-1], *shape))
            for part, shape in zip(parts, self.shapes, strict=True)
        )


def number_layout(model: NoisyModel) -> NumberLayout:
    """Lay out the numbers of a model."""
    links = model.links
    blocks = (links.strength, links.factor, links.leak, links.exceed, links.exceed_leak)
    every = (*blocks, *model.cause_tables, *model.risk_priors)
    return NumberLayout(tuple(one.shape for one in every), len(model.causes))


def numbers_of(model: NoisyModel) -> FloatArray:
    """Return the numbers of a model, (T,), in the order of its layout."""
    links = model.links
    blocks = (links.strength, links.factor, links.leak, links.exceed, links.exceed_leak)
    every = (*blocks, *model.cause_tables, *model.risk_priors)
    return np.concatenate([np.zeros(0), *(one.ravel() for one in every)])
