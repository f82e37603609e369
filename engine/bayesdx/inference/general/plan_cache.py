"""Plans kept within a bound, and whether a new one is worth making.

Making a plan costs as much as answering hundreds of cases without it. So a signature earns its plan
(as a skier buys skis once renting has cost a share of their price): what its cases have cost by
other means is added up, and nothing depends on a clock.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import astuple

import numpy as np

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general.elimination import best_elimination, eliminate, moral_graph
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.one_case import CaseWork
from bayesdx.inference.general.tiles import TileRunner
from bayesdx.inference.general.tree_plan import COMPILE_ROW, COMPILE_STEP, compile_plan

#: Plans kept, and the bytes that they may hold together.
KEPT_PLANS, KEPT_BYTES = 64, float(1 << 30)
#: A plan is made once this share of its making has been spent by other means.
PATIENCE = 0.3
#: Signatures whose use is remembered.
REMEMBERED = 4096
#: Array steps of a plan for each variable, nanoseconds of a case for each joint state of its tables
#: at least; joint states that the plan for any evidence may have; cells not worth a try.
PLAN_STEPS, PLAN_ROW, GENERAL_ROWS, HOPELESS_CELLS = 6.0, 1.3, 6e6, 1e8
#: CaseBatch of one signature from which its own order is worked out to tell what a plan would cost.
WORTH_PRICING = 16

#: Variables observed in every case, those that enter as likelihoods, those asked for.
Key = tuple[frozenset[int], frozenset[int], frozenset[int]]


#: The account of all signatures together.
ANY: Key = (frozenset(), frozenset(), frozenset([-1]))


def making_nanoseconds(variables: float, cells: float) -> float:
    """Estimated time that a plan takes to make."""
    return PLAN_STEPS * variables * COMPILE_STEP + min(cells, GENERAL_ROWS) * COMPILE_ROW


class Account:
    """What the cases of one signature have cost without a plan of their own.

    Attributes
    ----------
    spent : float
        Estimated nanoseconds, by whatever means they were answered.
    cases : int
        Those answered alone.
    work : CaseWork
        Of such a case, on average.
    """

    def __init__(self) -> None:
        self.spent, self.cases, self.work = 0.0, 0, CaseWork(0, 0, 0.0)

    def add(self, work: CaseWork) -> None:
        """Take the work of one more case into the average."""
        self.cases += 1
        share = 1.0 / self.cases
        pairs = zip(astuple(self.work), astuple(work), strict=True)
        self.work = CaseWork(*(old + (new - old) * share for old, new in pairs))


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
        self._accounts: OrderedDict[Key, Account] = OrderedDict()
        self._cells: float | None = None

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def measured(self) -> bool:
        """Whether the work of any case is known."""
        return ANY in self._accounts

    def alone_nanoseconds(self, key: Key) -> float:
        """Estimated time of a case answered alone: by cases like it, else by any, else by size."""
        with self._lock:
            for account in map(self._accounts.get, (key, ANY)):
                if account is not None and account.cases:
                    return account.work.nanoseconds
        n = len(self.problem.cards)
        return CaseWork(n, n, min(self.static_cells(), HOPELESS_CELLS)).nanoseconds

    def note(self, key: Key, work: CaseWork) -> None:
        """Remember what a case of this signature took when it was answered alone."""
        with self._lock:
            self._account(key).add(work)
            self._account(ANY).add(work)

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
        """Return the plan of a signature if it is there, or if ``rows`` more cases are worth it.

        None too where a case answered alone costs less.
        """
        cost = self.alone_nanoseconds(key)
        found = self._look_up(key)
        if found is None:
            pooled = self._look_up(self.general_key(key))
            if isinstance(pooled, TileRunner):
                cost = min(cost, pooled.plan.nanoseconds_of(rows))
            if not self._spend(key, rows * cost, self._price(key, rows)):
                return None
        return self._if_quicker(key, rows, cost)

    def general(self, key: Key, rows: int) -> TileRunner | None:
        """Return the plan for any evidence if it is there, or if these cases are worth it.

        None too where a case answered alone costs less; such a plan is given up while it is made.
        """
        every, cost = self.general_key(key), self.alone_nanoseconds(key)
        if self._look_up(every) is None:
            if self.static_cells() > HOPELESS_CELLS:
                return None
            if not self._spend(every, rows * cost, self._general_price(key)):
                return None
        return self._if_quicker(every, rows, cost)

    def least_group(self, key: Key) -> float:
        """Rows below which looking whether a group deserves a plan is not worth the time."""
        general = self._look_up(self.general_key(key))
        if isinstance(general, TileRunner):
            return 0.01 * general.plan.compile_nanoseconds / general.plan.nanoseconds
        return max(1.0, 0.01 * self._general_price(key) / self.alone_nanoseconds(key))

    def general_key(self, key: Key) -> Key:
        """The key of the plan for any evidence."""
        return (frozenset(), frozenset(range(self.problem.n_named)), key[2])

    def _if_quicker(self, key: Key, rows: int, cost: float) -> TileRunner | None:
        try:
            runner = self.runner(key)
        except InvalidNetwork:
            return None
        return runner if runner.plan.nanoseconds_of(rows) < cost else None

    def _look_up(self, key: Key) -> TileRunner | InvalidNetwork | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _account(self, key: Key) -> Account:
        """The account of a signature, opened if need be; the lock is held."""
        account = self._accounts.setdefault(key, Account())
        self._accounts.move_to_end(key)
        while len(self._accounts) > REMEMBERED:
            self._accounts.popitem(last=False)
        return account

    def _spend(self, key: Key, cost: float, price: float) -> bool:
        """Add to what a signature has cost; tell whether it has earned its plan."""
        with self._lock:
            account = self._account(key)
            account.spent += cost
            return account.spent >= PATIENCE * price

    def _make(self, key: Key) -> TileRunner | InvalidNetwork:
        sliced, soft, wanted = key
        most = self._most_rows(key) if key == self.general_key(key) else math.inf
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

    def _price(self, key: Key, rows: int) -> float:
        """Estimated time that a plan takes to make, from an order of elimination."""
        account = self._accounts.get(key)
        if account is not None and account.cases:
            return making_nanoseconds(account.work.variables, account.work.cells)
        if rows < WORTH_PRICING:
            return self._general_price(key)
        cards = self.problem.cards
        scopes = [frozenset(factor.scope) - key[0] for factor in self.problem.factors]
        graph = moral_graph(len(cards), [tuple(scope) for scope in scopes])
        live = sorted(frozenset[int]().union(*scopes))
        cells = eliminate(graph, np.log2(cards).tolist(), live, "weight").cells
        return making_nanoseconds(len(live), cells)

    def _general_price(self, key: Key) -> float:
        """Estimated time that the plan for any evidence takes to make, or to be given up."""
        cells = min(self.static_cells(), self._most_rows(key))
        return making_nanoseconds(len(self.problem.cards), cells)

    def _most_rows(self, key: Key) -> float:
        """Joint states from which the plan for any evidence is too large, or slower than none."""
        return min(GENERAL_ROWS, self.alone_nanoseconds(key) / PLAN_ROW)

    def _forget(self) -> None:
        """Drop the plans not used for longest, but never the newest."""

        def held() -> float:
            return sum(
                one.plan.held_bytes for one in self._kept.values() if isinstance(one, TileRunner)
            )

        while len(self._kept) > 1 and (len(self._kept) > KEPT_PLANS or held() > KEPT_BYTES):
            self._kept.popitem(last=False)
