"""Plans kept within a bound, and whether a new one is worth making.

Making a plan costs as much as answering hundreds of cases without it. So a signature earns its plan
(as a skier buys skis once renting has cost a share of their price): what its cases have cost by
other means is added up, and nothing depends on a clock.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general.costs import CaseWork, making_nanoseconds
from bayesdx.inference.general.elimination import best_elimination, eliminate, moral_graph
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.plan_runner import PlanRunner
from bayesdx.inference.general.tree_plan import compile_plan

#: Plans kept, and the bytes that they may hold together.
KEPT_PLANS, KEPT_BYTES = 64, float(1 << 30)
#: A plan is made once this share of its making has been spent by other means.
PATIENCE = 0.3
#: Signatures whose use is remembered.
REMEMBERED = 4096
#: Nanoseconds of a case for each joint state of a plan's tables at least, in NumPy and compiled.
PLAN_ROW, FLAT_ROW = 1.3, 0.3
#: Joint states that the plan for any evidence may have; cells not worth a try.
GENERAL_ROWS, HOPELESS_CELLS = 6e6, 1e8
#: Nanoseconds of a case for each cell of a cluster tree; of a batch, below which no plan is looked
#: for to tell what it costs.
TREE_CELL, WORTH_KNOWING = 7.0, 5e7
#: Cases of one signature from which its own order is worked out to tell what a plan would cost.
WORTH_PRICING = 16
#: The share of a plan's work that is saved, at most, by one for fewer variables asked for.
NARROWER = 0.5
#: Nanoseconds that looking for the signature of a row takes, and of asking for a case at all: where
#: the plan for any evidence takes hardly longer, no signature deserves its own.
GROUPING, ASKING = 200.0, 20e3

#: Variables observed in every case, those that enter as likelihoods, those asked for.
Key = tuple[frozenset[int], frozenset[int], frozenset[int]]


#: The account of all signatures together.
ANY: Key = (frozenset(), frozenset(), frozenset([-1]))


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

    def add(self, work: CaseWork, cases: int) -> None:
        """Take the work of some more cases into the average."""
        self.cases += cases
        share = cases / self.cases
        self.work = self.work.towards(work, share)


class PlanCache:
    """The plans of one problem.

    Parameters
    ----------
    problem : FactorNetwork
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.

    Attributes
    ----------
    compiled : bool
        Whether compiled code answers; to be set.
    """

    def __init__(self, problem: FactorNetwork, memory_limit: float) -> None:
        self.problem = problem
        self.memory_limit = memory_limit
        self._lock = threading.Lock()
        self.compiled = False
        self._every = frozenset(range(problem.n_named))
        self._kept: OrderedDict[Key, PlanRunner | InvalidNetwork] = OrderedDict()
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
                    return account.work.nanoseconds(self.compiled)
        n = len(self.problem.cards)
        return CaseWork(n, n, min(self.static_cells(), HOPELESS_CELLS)).nanoseconds(self.compiled)

    def note(self, key: Key, work: CaseWork, cases: int = 1) -> None:
        """Remember what cases of this signature took, on average, when they were answered alone."""
        with self._lock:
            self._account(key).add(work, cases)
            if key != ANY:
                self._account(ANY).add(work, cases)

    def quick(self, rows: int) -> PlanRunner | None:
        """Return the plan for any evidence, if looking for a better one is not worth the time."""
        found = self._kept.get(self.full_key)
        if not self.compiled or not isinstance(found, PlanRunner):
            return None
        least = 10.0 * GROUPING + ASKING / rows
        return found if found.plan.nanoseconds(rows, compiled=True) < least else None

    def runner(self, key: Key) -> PlanRunner:
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

    def earned(self, key: Key, rows: int) -> PlanRunner | None:
        """Return the plan of a signature if it is there, or if ``rows`` more cases are worth it.

        None too where a case answered alone, or by the plan for any evidence, costs less.
        """
        cost = self.alone_nanoseconds(key)
        whole = (*key[:2], self._every)
        pooled = self._look_up(self.full_key)
        if isinstance(pooled, PlanRunner):
            # An order of its own may have been found worse.
            cost = min(cost, pooled.plan.nanoseconds(rows, compiled=self.compiled))
        found = self._look_up(key)
        if found is None and whole != key and self._look_up(whole) is not None:
            key = whole
        elif found is None and not self._spend(key, rows * cost, lambda: self._price(key, rows)):
            return None
        return self._if_quicker(key, rows, cost)

    def general(self, key: Key, rows: int) -> PlanRunner | None:
        """Return the plan for any evidence if it is there, or if these cases are worth it.

        It gives the posteriors of all variables, whatever is asked for; one for fewer comes later,
        where it would have paid. None where a case answered alone costs less; such a plan is given
        up while it is made.
        """
        cost, found = self.alone_nanoseconds(key), self._look_up(self.full_key)
        if found is None:
            if not self._spend(self.full_key, rows * cost, lambda: self._general_price(key)):
                return None
            return self._if_quicker(self.full_key, rows, cost)
        narrow = self.general_key(key)
        if narrow != self.full_key and isinstance(found, PlanRunner):
            saved = NARROWER * rows * found.plan.nanoseconds(rows, compiled=self.compiled)
            if self._look_up(narrow) or self._spend(
                narrow, saved, lambda: found.plan.compile_nanoseconds
            ):
                return self._if_quicker(narrow, rows, cost)
        return self._if_quicker(self.full_key, rows, cost)

    def least_group(self, key: Key) -> float:
        """Rows below which looking whether a group deserves a plan is not worth the time."""
        general = self._look_up(self.full_key)
        if isinstance(general, PlanRunner):
            each = general.plan.nanoseconds(compiled=self.compiled)
            return 0.01 * general.plan.compile_nanoseconds / each
        return max(1.0, 0.01 * self._general_price(key) / self.alone_nanoseconds(key))

    @property
    def full_key(self) -> Key:
        """The key of the plan for any evidence and all variables."""
        return (frozenset(), self._every, self._every)

    def general_key(self, key: Key) -> Key:
        """The key of the plan for any evidence and the variables asked for."""
        return (frozenset(), self._every, key[2])

    def _if_quicker(self, key: Key, rows: int, cost: float) -> PlanRunner | None:
        try:
            runner = self.runner(key)
        except InvalidNetwork:
            return None
        quicker = runner.plan.nanoseconds(rows, compiled=self.compiled) < cost
        return runner if quicker else None

    def _look_up(self, key: Key) -> PlanRunner | InvalidNetwork | None:
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

    def _spend(self, key: Key, cost: float, price: Callable[[], float]) -> bool:
        """Add to what a signature has cost; tell whether it has earned its plan."""
        with self._lock:
            account = self._account(key)
            account.spent += cost
            spent = account.spent
        # What it would cost takes time to tell.
        least = making_nanoseconds(len(self.problem.cards) - len(key[0]), 0.0)
        return spent >= PATIENCE * least and spent >= PATIENCE * price()

    def _make(self, key: Key) -> PlanRunner | InvalidNetwork:
        sliced, soft, wanted = key
        most = self._most_rows(key) if key == self.general_key(key) else math.inf
        try:
            plan = compile_plan(self.problem, sliced, soft, wanted, self.memory_limit, most)
        except InvalidNetwork as refusal:
            return refusal
        return PlanRunner(plan, self.problem.cards)

    @property
    def tree_nanoseconds(self) -> float:
        """Estimated time of a case among many in NumPy, by the cluster tree without evidence."""
        return TREE_CELL * self.static_cells()

    def expected_nanoseconds(self, rows: int) -> float:
        """Estimated time of some cases in NumPy, whatever they observe."""
        alone = rows * self.alone_nanoseconds(ANY)
        found = self._look_up(self.full_key)
        if isinstance(found, PlanRunner):
            return min(alone, rows * found.plan.nanoseconds(rows))
        if found is not None or alone < WORTH_KNOWING:
            return alone
        return min(alone, self._general_price(ANY) + rows * self.tree_nanoseconds)

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
            cells = min(account.work.cells, GENERAL_ROWS)
            return making_nanoseconds(account.work.variables, cells)
        if rows < WORTH_PRICING:
            return self._general_price(key)
        cards = self.problem.cards
        scopes = [frozenset(factor.scope) - key[0] for factor in self.problem.factors]
        graph = moral_graph(len(cards), [tuple(scope) for scope in scopes])
        live = sorted(frozenset[int]().union(*scopes))
        cells = eliminate(graph, np.log2(cards).tolist(), live, "weight").cells
        return making_nanoseconds(len(live), min(cells, GENERAL_ROWS))

    def _general_price(self, key: Key) -> float:
        """Estimated time that the plan for any evidence takes to make, or to be given up."""
        static = self.static_cells()
        if static > HOPELESS_CELLS:
            return math.inf
        cells = min(static, self._most_rows(key))
        return making_nanoseconds(len(self.problem.cards), cells)

    def _most_rows(self, key: Key) -> float:
        """Joint states from which the plan for any evidence is too large, or slower than none."""
        each = FLAT_ROW if self.compiled else PLAN_ROW
        return min(GENERAL_ROWS, self.alone_nanoseconds(key) / each)

    def _forget(self) -> None:
        """Drop the plans not used for longest, but never the newest."""

        def held() -> float:
            return sum(
                one.plan.held_bytes for one in self._kept.values() if isinstance(one, PlanRunner)
            )

        while len(self._kept) > 1 and (len(self._kept) > KEPT_PLANS or held() > KEPT_BYTES):
            self._kept.popitem(last=False)
