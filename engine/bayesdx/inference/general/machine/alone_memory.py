"""What the kernel of a single case reads and writes, as structures of plain pointers."""

from __future__ import annotations

from typing import NamedTuple

from bayesdx.inference.typed import Address, Bytes, Floats, Integers, Words, bind

#: Bytes of a number, and bits of a word.
REAL, WORD = 8, 64
#: What became of a case: answered; a number left the range of floats; beyond the memory limit; the
#: workspace must grow first.
ANSWERED, FAILED, TOO_LARGE, NO_ROOM = range(4)
#: Columns of `SoloSpace.cliques`: the variable that is summed out, where its other axes stand and
#: their number, first cells of its table, of its message and of what arrives from its parent,
#: cells of a message, its first operand, whether its joint is wanted.
VARIABLE, AXES, N_AXES, TABLE, MESSAGE, ARRIVING, SIZE, OPERANDS, WANTED = range(9)
CLIQUE = 9
#: Columns of `SoloSpace.operands`: address, where its axes stand and their number, the next one of
#: the same clique, and the clique whose message it is, -1 for a factor.
ADDRESS, SCOPE, N_SCOPE, NEXT, SENDER = range(5)
OPERAND = 5
#: Columns of `SoloSpace.walk`: how often, by how much an operand moves, and where it is.
TIMES, BY, AT = range(3)
STRETCH = 3
#: Columns of ``needs``: open variables, operands, cells of tables and of those looked through,
#: cells of the workspace, axes of all cliques.
N_OPEN, N_OPERANDS, N_CELLS, N_ROOM, N_AXES_IN_ALL = range(5)
NEEDS = 5


class FlatFactors(NamedTuple):
    """A network of V variables and F factors; tables in C order, one after another.

    ``zero`` lists, from ``zero_first`` (V + 1,) on, the factors over each variable that have zeros;
    none where a variable has more states than a word bits.
    """

    n_variables: int
    n_named: int
    n_factors: int
    n_words: int
    cards: Integers
    weights: Floats
    scope_first: Integers
    scope: Integers
    strides: Integers
    table_first: Integers
    tables: Address
    zero_first: Integers
    zero: Integers


class CasesAlone(NamedTuple):
    """N cases and where their answers go.

    ``states`` (V, N); ``soft`` (S, N) likelihoods, and ``soft_first`` (V,) the first row of each
    variable that has some, else -1; ``start`` (V,) the first posterior of each variable that is
    wanted, else -1; ``posteriors`` (T, N); ``needs`` (N, NEEDS); ``clear``,
    ``test`` and ``bits`` as in `FloatFlags`.
    """

    n_cases: int
    n_posteriors: int
    most_cells: int
    states: Integers
    soft: Address
    soft_first: Integers
    start: Integers
    posteriors: Floats
    log_evidence: Floats
    status: Bytes
    needs: Floats
    clear: int
    test: int
    bits: int


class SoloSpace(NamedTuple):
    """What one case is worked out on.

    ``state``, ``cards``, ``weights`` and ``masks`` are what the case leaves of each variable,
    ``reduced`` tables without what it rules out. ``axes`` and ``strides`` hold the scopes of
    operands and cliques, ``walk`` how a table is gone through, ``links`` who shares a table with
    whom, as bits, ``saved`` the same before anything was summed out.
    """

    n_cells: int
    n_axes: int
    cells: Address
    axes: Integers
    strides: Integers
    walk: Integers
    cliques: Integers
    operands: Integers
    open: Integers
    left: Integers
    order: Integers
    best: Integers
    rank: Integers
    ring: Integers
    head: Integers
    needed: Integers
    state: Integers
    cards: Integers
    weights: Floats
    reduced: Address
    queue: Integers
    queued: Integers
    scanned: Integers
    at: Integers
    masks: Words
    alive: Words
    rest: Words
    cost: Floats
    links: Words
    saved: Words
    marks: Words


factors_at = bind(FlatFactors, 0)
cases_at = bind(CasesAlone, len(FlatFactors._fields))
space_at = bind(SoloSpace, len(FlatFactors._fields) + len(CasesAlone._fields))
