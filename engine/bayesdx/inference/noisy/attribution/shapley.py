"""What each observation of one case does to each cause, in natural log-odds.

Three ways, of which the first that is within reach is taken. All of them add up, for every cause,
to its posterior log-odds less its prior log-odds.

``shapley``
    The Shapley value: the mean change of the exact log-odds over all orders in which the
    observations could have come.
``shapley_absent_in_order``
    The same over the orders in which absent findings keep one order among themselves, by falling
    stand-alone weight, and its reverse; the mean of both.
``path``
    One order of everything, risks first and then findings by falling stand-alone weight, and its
    reverse; the mean of both.

The stand-alone weight of an observation is the largest absolute log likelihood ratio that it has
for any of the wanted causes with nothing else known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.attribution.coalition_game import (
    all_subsets,
    both_ways,
    shapley_values,
    stages,
    subset_numbers,
)
from bayesdx.inference.noisy.attribution.observations import Observation, known_evidence, split_case
from bayesdx.inference.noisy.attribution.subsets import subset_weights
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel

Method = Literal["shapley", "shapley_absent_in_order", "path"]
METHODS: tuple[Method, ...] = get_args(Method)

#: Numbers held at once, at most; above it a cheaper way is taken.
MOST_COMPONENTS = 1 << 25
#: Observations of which each subset is a case of its own, at most, where one sweep over all of them
#: would hold more numbers than this: 64 cases take 0.1 s (compiled) where the sweep takes 10 s.
FEW_PLAYERS, FEW_COMPONENTS = 6, 1 << 20
#: A posterior above this tells too little of its odds.
NEAR_CERTAIN = 0.999
#: Observations of which all subsets are looked at, at most.
MOST_PLAYERS = 16


@dataclass(frozen=True, eq=False)
class Game:
    """The observations of one case as players.

    Attributes
    ----------
    observations : tuple of Observation
    owners : tuple of tuples of int
        The players that each observation depends on.
    players : int
        k.
    known : callable
        Says which observations are known, bool (M, B), where players have told theirs, bool (M, k).
    """

    observations: tuple[Observation, ...]
    owners: tuple[tuple[int, ...], ...]
    players: int
    known: Callable[[BoolArray], BoolArray]


@dataclass(frozen=True, eq=False)
class Attribution:
    """Contributions of k players to C causes, in natural log-odds.

    Attributes
    ----------
    method : str
        ``none`` where there is nothing to share out.
    before, after : arrays (C,)
        Log-odds with nothing known, and with everything.
    contribution : array (C, k)
        Rows add up to ``after - before``; see `coalition_game.shapley_values` for infinities.
    alone, in_context : arrays (C, k)
        Log likelihood ratio of each player with nothing else known, and with everything else
        known. 0 where the cause is impossible, or certain, without the player already.
    """

    method: Method | Literal["none"]
    before: FloatArray
    after: FloatArray
    contribution: FloatArray
    alone: FloatArray
    in_context: FloatArray


def attribute(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
    method: Method | None = None,
    *,
    in_context: bool = True,
) -> Attribution:
    """Share the change of the log-odds of some causes out among what was observed.

    Parameters
    ----------
    model : NoisyModel
    game : Game
        Its evidence must be possible.
    causes : sequence of int
        Positions in the model.
    answer : callable
        Answers cases.
    method : str, optional
        The way to take, instead of the first that is within reach.
    in_context : bool
        False spares ``path`` what the contributions do without; ``in_context`` is NaN then.

    Raises
    ------
    BayesdxError
        If there is no such way, or it is out of reach.
    """
    if method is not None and method not in METHODS:
        raise BayesdxError(Fault("method", " or ".join(METHODS), method))
    found: Attribution | None = None
    if method in (None, "shapley"):
        found = _by_subsets(model, game, causes, answer)
    if found is None and method in (None, "shapley_absent_in_order"):
        found = _by_chain(model, game, causes, answer)
    if found is None and method in (None, "path"):
        found = _by_path(model, game, causes, answer, in_context)
    if found is None:
        got = Phrase(f"{method}, with {game.players} observations")
        raise BayesdxError(Fault("method", "a way within reach", got))
    return found


def _by_subsets(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
) -> Attribution | None:
    """Look at all subsets; None where they are too many."""
    if game.players > MOST_PLAYERS:
        return None
    problem = split_case(model, game.observations)
    told = all_subsets(game.players)
    if game.players <= FEW_PLAYERS and problem.components > FEW_COMPONENTS:
        values = _answered(model, game, causes, answer, told)
    elif problem.components <= MOST_COMPONENTS:
        known = game.known(told)
        log_odds = subset_weights(problem, causes).log_odds
        values = log_odds[
            :, subset_numbers(known, problem.coupling), subset_numbers(known, problem.plain)
        ]
    else:
        return None
    singles, whole = 1 << np.arange(game.players), (1 << game.players) - 1
    return Attribution(
        "shapley",
        before=values[:, 0],
        after=values[:, -1],
        contribution=shapley_values(values),
        alone=_change(values[:, singles], values[:, :1]),
        in_context=_change(values[:, -1:], values[:, whole - singles]),
    )


def _change(after: FloatArray, before: FloatArray) -> FloatArray:
    """Difference of log-odds; 0 where both are the same infinity."""
    same = np.isinf(before) & (after == before)
    result = np.zeros(np.broadcast_shapes(after.shape, before.shape))
    np.subtract(after, before, out=result, where=~same)
    return result


def _by_chain(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
) -> Attribution | None:
    """Let absent findings keep their order; None where even that is out of reach."""
    nothing = np.zeros((1, len(game.observations)), dtype=bool)
    plain = split_case(model, game.observations, known=nothing).plain
    coupled = (b for b, owners in enumerate(game.owners) if len(owners) > 1 or b not in plain)
    tied = {player for b in coupled for player in game.owners[b]}
    free = [player for player in range(game.players) if player in tied]
    if len(free) > MOST_PLAYERS:
        return None
    chain = [player for player in range(game.players) if player not in tied]
    alone = _alone(model, game, causes, answer)
    order = _by_weight(alone, chain)
    told = np.concatenate([stages(order, game.players), stages(order[::-1], game.players)])
    each = np.zeros((len(chain), game.players), dtype=bool)
    each[np.arange(len(chain)), chain] = True
    every = np.isin(np.arange(game.players), chain)
    columns = np.concatenate([told, every & ~each])
    problem = split_case(model, game.observations, known=game.known(columns))
    if problem.components > MOST_COMPONENTS:
        return None
    log_odds = subset_weights(problem, causes).log_odds
    subsets = np.zeros((1 << len(free), game.players), dtype=bool)
    subsets[:, free] = all_subsets(len(free))
    values = log_odds[:, subset_numbers(game.known(subsets), problem.coupling)]
    n_stages = len(chain) + 1
    forward, backward = values[:, :, :n_stages], values[:, :, n_stages : 2 * n_stages]
    after = forward[:, -1, -1]
    in_context = np.zeros_like(alone)
    last = (1 << len(free)) - 1
    in_context[:, free] = _change(
        after[:, None], forward[:, last - (1 << np.arange(len(free))), -1]
    )
    in_context[:, chain] = _change(after[:, None], values[:, -1, 2 * n_stages :])
    return Attribution(
        "shapley_absent_in_order",
        before=forward[:, 0, 0],
        after=after,
        contribution=both_ways(forward, backward, free, order),
        alone=alone,
        in_context=in_context,
    )


def _by_path(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
    in_context: bool,
) -> Attribution:
    alone = _alone(model, game, causes, answer)
    of_risks = {
        p for b, owners in enumerate(game.owners) if game.observations[b].risks for p in owners
    }
    risks = _by_weight(alone, [p for p in range(game.players) if p in of_risks])
    order = risks + _by_weight(alone, [p for p in range(game.players) if p not in of_risks])
    all_but_one = ~np.eye(game.players if in_context else 0, game.players, dtype=bool)
    rows = np.concatenate(
        [stages(order, game.players), stages(order[::-1], game.players), all_but_one]
    )
    values = _answered(model, game, causes, answer, rows)
    n_stages = game.players + 1
    forward, backward = values[:, None, :n_stages], values[:, None, n_stages : 2 * n_stages]
    return Attribution(
        "path",
        before=values[:, 0],
        after=values[:, game.players],
        contribution=both_ways(forward, backward, [], order),
        alone=alone,
        in_context=_change(values[:, game.players, None], values[:, 2 * n_stages :])
        if in_context
        else np.full_like(alone, np.nan),
    )


def _alone(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
) -> FloatArray:
    """Log likelihood ratios with nothing else known, (C, k)."""
    rows = np.concatenate(
        [np.zeros((1, game.players), dtype=bool), np.eye(game.players, dtype=bool)]
    )
    values = _answered(model, game, causes, answer, rows)
    return _change(values[:, 1:], values[:, :1])


def _answered(
    model: NoisyModel,
    game: Game,
    causes: Sequence[int] | IntArray,
    answer: Callable[[Evidence], Answer],
    told: BoolArray,
) -> FloatArray:
    """Log-odds of the causes where some players have told theirs, (C, M)."""
    # The ends of every order are the same, and so are its first steps and single observations.
    known, again = np.unique(game.known(told), axis=0, return_inverse=True)
    evidence = known_evidence(model, game.observations, known)
    wanted = np.asarray(causes, dtype=np.intp)
    found = answer(evidence).complete()
    present = found.causes[:, wanted]
    with np.errstate(divide="ignore"):
        log_absent = np.log1p(-present)
        rows, columns = np.nonzero(present > NEAR_CERTAIN)
        if len(rows):
            # 1 - p has lost its digits: the evidence with the cause clamped absent has them.
            clamped = evidence.take(rows)
            without = clamped.causes.copy()
            without[np.arange(len(rows)), wanted[columns]] = 0
            less = answer(replace(clamped, causes=without)).complete().log_evidence
            log_absent[rows, columns] = less - found.log_evidence[rows]
        result: FloatArray = (np.log(present) - log_absent)[again.ravel()].T
    return result


def _by_weight(alone: FloatArray, players: Sequence[int]) -> list[int]:
    """Sort players by falling stand-alone weight; equal ones stay in the order given."""
    weight = np.abs(alone).max(axis=0, initial=0.0)
    return sorted(players, key=lambda player: -weight[player])
