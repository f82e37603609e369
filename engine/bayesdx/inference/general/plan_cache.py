"""Plans kept within a bound, and whether a new one is worth making.

Making a plan costs as much as answering hundreds of cases without it. So a signature earns its plan
(as a skier buys skis once renting has cost a share of their price): what its cases have cost by
other means is added up, and nothing depends on a clock.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

import numpy as np

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general.elimination import best_elimination, eliminate, moral_graph
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.tiles import TileRunner
from bayesdx.inference.general.tree_plan import COMPILE_ROW, COMPILE_STEP, compile_plan

#: Plans kept, and the bytes that they may hold together.
KEPT_PLANS, KEPT_BYTES = 64, float(1 << 30)
#: A plan is made once this share of its making has been spent by other means.
PATIENCE = 0.3
#: Signatures whose use is remembered.
REMEMBERED = 4096
#: Nanoseconds that a case takes when it is answered alone, without any plan: for each variable,
#: and for each cell that the cliques would have without evidence.
DIRECT_VARIABLE, DIRECT_CELL = 28e3, 0.5
#: Steps a variable of a plan for any evidence; joint states it may have; cells not worth a try.
GENERAL_STEPS, GENERAL_ROWS, HOPELESS_CELLS = 10.0, 6e6, 1e8
#: CaseBatch of one signature from which its own order is worked out to tell what a plan would cost.
WORTH_PRICING = 16

#: Variables observed in every case, those that enter as likelihoods, those asked for.
Key = tuple[frozenset[int], frozenset[int], frozenset[int]]


class PlanCache:
    """The plans of one problem.

    Parameters
    ----------
    problem : FactorNetwork
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    """

    def __init__(self, problem: FactorNetwork, memory_limit: float) -> None:
        self.problem = problem
        self.memory_limit = memory_limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, TileRunner | InvalidNetwork] = OrderedDict()
        self._spent: OrderedDict[Key, float] = OrderedDict()
        self._cells: float | None = None

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def direct_nanoseconds(self) -> float:
        """Estimated time of one case answered alone."""
        cells = min(self.static_cells(), HOPELESS_CELLS)
        return DIRECT_VARIABLE * len(self.problem.cards) + DIRECT_CELL * cells

    def runner(self, key: Key) -> TileRunner:
        """Return the plan of a signature, made if need be.

        Raises
        ------
        InvalidNetwork
            If it does not fit; the refusal is kept too.
        """
        found = self._look_up(key)
        if found is None:
            found = self._make(key)
            with self._lock:
                self._kept[key] = found
                self._forget()
        if isinstance(found, InvalidNetwork):
            raise InvalidNetwork(found.faults)
        return found

    def earned(self, key: Key, rows: int) -> TileRunner | None:
        """Return the plan of a signature if it is there, or if ``rows`` more cases are worth it."""
        found = self._look_up(key)
        if isinstance(found, TileRunner):
            return found
        if found is None:
            general = self._look_up(self.general_key(key))
            if isinstance(general, TileRunner):
                cost = general.plan.nanoseconds_of(rows)
                price = general.plan.compile_nanoseconds
            else:
                cost = self.direct_nanoseconds
                price = self._price(key) if rows >= WORTH_PRICING else self._general_price()
            if not self._spend(key, rows * cost, price):
                return None
        try:
            return self.runner(key)
        except InvalidNetwork:
            return None

    def general(self, key: Key, rows: int) -> TileRunner | None:
        """Return the plan for any evidence if it is there, or if these cases are worth it.

        None too where a case answered alone costs less.
        """
        every = self.general_key(key)
        if self._look_up(every) is None:
            price = self._general_price()
            if self.static_cells() > HOPELESS_CELLS:
                return None
            if not self._spend(every, rows * self.direct_nanoseconds, price):
                return None
        try:
            runner = self.runner(every)
        except InvalidNetwork:
            return None
        return runner if runner.plan.nanoseconds_of(rows) < self.direct_nanoseconds else None

    def least_group(self, key: Key) -> float:
        """Rows below which looking whether a group deserves a plan is not worth the time."""
        general = self._look_up(self.general_key(key))
        if isinstance(general, TileRunner):
            return 0.01 * general.plan.compile_nanoseconds / general.plan.nanoseconds
        return max(1.0, 0.01 * self._general_price() / self.direct_nanoseconds)

    def general_key(self, key: Key) -> Key:
        """The key of the plan for any evidence."""
        return (frozenset(), frozenset(range(self.problem.n_named)), key[2])

    def _look_up(self, key: Key) -> TileRunner | InvalidNetwork | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _spend(self, key: Key, cost: float, price: float) -> bool:
        """Add to what a signature has cost; tell whether it has earned its plan."""
        with self._lock:
            spent = self._spent.pop(key, 0.0) + cost
            self._spent[key] = spent
            while len(self._spent) > REMEMBERED:
                self._spent.popitem(last=False)
        return spent >= PATIENCE * price

    def _make(self, key: Key) -> TileRunner | InvalidNetwork:
        sliced, soft, wanted = key
        most = GENERAL_ROWS if key == self.general_key(key) else math.inf
        try:
            plan = compile_plan(self.problem, sliced, soft, wanted, self.memory_limit, most)
        except InvalidNetwork as refusal:
            return refusal
        return TileRunner(plan, self.problem.cards, tuple(sorted(wanted)))

    def static_cells(self) -> float:
        """Cells of all cliques without evidence, zeros included."""
        if self._cells is None:
            cards = self.problem.cards
            graph = moral_graph(len(cards), [factor.scope for factor in self.problem.factors])
            self._cells = best_elimination(graph, cards, range(len(cards))).cells
        return self._cells

    def _price(self, key: Key) -> float:
        """Estimated time that a plan takes to make, from an order of elimination."""
        cards = self.problem.cards
        scopes = [frozenset(factor.scope) - key[0] for factor in self.problem.factors]
        graph = moral_graph(len(cards), [tuple(scope) for scope in scopes])
        live = sorted(frozenset[int]().union(*scopes))
        rows = min(eliminate(graph, np.log2(cards).tolist(), live, "weight").cells, GENERAL_ROWS)
        return GENERAL_STEPS * len(live) * COMPILE_STEP + rows * COMPILE_ROW

    def _general_price(self) -> float:
        """Estimated time that the plan for any evidence takes to make."""
        steps = GENERAL_STEPS * len(self.problem.cards)
        rows = min(self.static_cells(), GENERAL_ROWS)
        return steps * COMPILE_STEP + rows * COMPILE_ROW

    def _forget(self) -> None:
        """Drop the plans not used for longest, but never the newest."""

        def held() -> float:
            return sum(
                one.plan.held_bytes for one in self._kept.values() if isinstance(one, TileRunner)
            )

        while len(self._kept) > 1 and (len(self._kept) > KEPT_PLANS or held() > KEPT_BYTES):
            self._kept.popitem(last=False)
