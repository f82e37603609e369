"""What the compiled loops read, and what one thread writes on, as structures of plain pointers.

Tables are written row after row; the constants here are their columns and widths. K = 64 slots, one
for each axis a case has; S components of an axis, at least 4; P risks of a cause at most.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bayesdx.inference.noisy.jit.tree_memory import Tree
from bayesdx.inference.typed import Bytes, Floats, Integers, Words, bind, sources_digest

ON, OFF = range(2)
TABLE, N_RISKS, POSSIBLE, DERIVED = range(4)
AXIS, SIZE, COUNT, LINK, WIDTH, UNUSED, STRIDE, ENTRY = range(8)
PRESENT, ABSENT, BY_PRESENT, BY_ABSENT = range(4)
KIND, CAUSE, SLOT, FIRST, ALONG = range(5)
AT, LENGTH, CLOSED = range(3)
OPERATIONS, COMPONENTS, LARGEST, ADJOINTS = range(4)
#: In place of "leaves nothing": what is pulled back through a certain link can be divided by it.
LEAST_KEPT = 1e-150

#: How the 2-core of a case is summed out: by a frontier or a tree of tables, whichever is less
#: work; by a tree; by one whose large tables are made anew on the way back. Tests take the latter.
BY_WORK, BY_TREE, BY_TREE_ANEW = range(3)

#: Of all compiled sources here.
SOURCES = sources_digest(
    Path(__file__).parent,
    "../model.py",
    "../limits.py",
    "../../vector_rows.py",
    "../../vector_pairs.py",
)


class Model(NamedTuple):
    """A compiled model; the arrays are those of `bayesdx.inference.noisy.model`."""

    n_causes: int
    n_findings: int
    n_ordinals: int
    n_risks: int
    n_states: int
    n_levels: int
    n_parents: int
    n_words: int
    absent_first: Integers
    absent_cause: Integers
    absent_factor: Floats
    absent_leak: Floats
    ordinal_size: Integers
    ordinal_level: Integers
    risk_first: Integers
    risk_prior: Floats
    parent_first: Integers
    parent: Integers
    table_first: Integers
    table: Floats
    links: Floats
    touch_first: Integers
    touch_cause: Integers
    start: Floats
    opening: Floats
    bound: Floats
    sizes: Integers
    leak: Floats
    suppress: Integers
    exceed: Integers
    risk_axis: Integers
    log_size: Integers


class State(NamedTuple):
    """A case while it is answered.

    Attributes
    ----------
    scale : (2,)
        Product, and sum of logs, of what has been summed out.
    mask : (C,)
        Slots a cause still acts on.
    weights : (C, 2)
        Factors of the cause being active and inactive.
    causes : (C, 4)
        Where the cause's prior begins, how many risks it depends on, whether any state of them
        allows it, whether derivatives by its prior are needed.
    own : (C, P)
        Slots of a cause's risks, the first one fastest in the table.
    slots : (K, 8)
        Axis; components (0 for evidence); how many causes still act on it; the exclusive or of
        their positions; then, on the frontier, its components, causes still to come, its stride,
        and its stride in the table of the cause in hand, else 0.
    vectors : (K, S)
        Components of a slot with the causes that were folded into it.
    share, symptom : (K,)
        What the gains of a slot are multiplied by; its weight as a symptom, -1 if it is none.
    spared : (C,)
        What contracted findings leave of a cause's weight if it produced none of them.
    adjoints : (K, S)
        Derivatives of the log evidence with respect to these components.
    tables : (T, 4)
        P(present), P(absent) by joint states of a cause's risks; derivatives of the log evidence
        with respect to their products with the weights.
    top : (1,)
        Entries of ``tables`` in use.
    entry : (T,)
        Where those that were looked up stand in the tables of the model.
    noted : (1,)
        Where the next derivative is noted.
    core, queue, entries, slot_of, dims
        Causes of the 2-core; causes that wait; scratch; slots of risks; slots open on the frontier,
        that of stride 1 first.
    steps : (…, 5)
        Pendant eliminations in order: what, cause, slot, where the cause's table was, stride of the
        risk in it.
    scales, before : (…, 3), (…, S)
        Numbers that their way back needs.
    sets, left : (K, C / 64)
        Core causes that act on a slot, all and those not applied yet.
    reach, price : (K,)
        Slots that the latter act on; what eliminating a slot next would cost.
    plan : (…,)
        Operations on the frontier.
    needs : (3,)
        How many operations, components they write, largest frontier.
    trace : (…, 3)
        Where the frontier lay before each operation, its size; the stride of the axis that closed.
    factors : (…,)
        What the result of an operation was multiplied by.
    block, saved_block, whole, saved_whole
        ``scale``, ``weights`` and ``vectors`` in one, and ``top``, ``causes`` and ``own``; room for
        a copy of each and of ``mask``, from which a second question starts.
    """

    scale: Floats
    mask: Words
    weights: Floats
    causes: Integers
    own: Integers
    slots: Integers
    vectors: Floats
    share: Floats
    symptom: Floats
    spared: Floats
    adjoints: Floats
    tables: Floats
    top: Integers
    entry: Integers
    noted: Integers
    core: Integers
    queue: Integers
    entries: Integers
    slot_of: Integers
    dims: Integers
    steps: Integers
    scales: Floats
    before: Floats
    sets: Words
    left: Words
    reach: Words
    price: Integers
    plan: Integers
    needs: Integers
    trace: Integers
    factors: Floats
    block: Floats
    saved_block: Floats
    whole: Integers
    saved_whole: Integers
    saved_mask: Words


class Room(NamedTuple):
    """Memory that grows with the frontier.

    Attributes
    ----------
    tape : (n_tape,)
        Every state of the frontier, in order.
    active, inactive, adjoint, other, pulled, idle : (n_frontier,)
    places : (n_frontier,)
    """

    n_tape: int
    n_frontier: int
    n_adjoints: int
    tape: Floats
    active: Floats
    inactive: Floats
    adjoint: Floats
    other: Floats
    pulled: Floats
    idle: Floats
    adjoints: Floats
    places: Integers


class Rows(NamedTuple):
    """Cases and their answers, row after row.

    Attributes
    ----------
    way : int
        How the 2-core is summed out: `BY_WORK`, `BY_TREE` or `BY_TREE_ANEW`.
    most_work : int
        Work of a tree above which a case is handed back.
    without : (C,)
        Causes that are absent in the second question; nobody asks it if ``second`` is 0.
    asked : (N, C) if ``narrow`` is 1, else (C,)
        Causes whose posteriors are wanted.
    symptoms : (U,)
        Weights of findings; nobody asks what produced them if ``credited`` is 0.
    idle, credit : (N, C)
        P(cause present, it produced no symptom | evidence); weights of symptoms times how far the
        cause is credited with them.
    """

    backward: int
    second: int
    credited: int
    narrow: int
    way: int
    most_work: int
    findings: Floats
    lower: Bytes
    upper: Bytes
    risks: Bytes
    causes: Bytes
    without: Bytes
    asked: Bytes
    symptoms: Floats
    log_evidence: Floats
    posterior: Floats
    idle: Floats
    credit: Floats
    log_without: Floats
    status: Bytes


class Notes(NamedTuple):
    """Derivatives of the log evidence; see `bayesdx.inference.noisy.score_notes`.

    Attributes
    ----------
    scored, linked : int
        Whether derivatives are noted; whether those by links are needed, also to credit causes.
    risk, table, absence, leak, opening, link : int
        Where the columns of each kind begin.
    begin, end : (N,)
        Where the notes of a case begin, and after which it has none.
    columns, values : (…,)
    """

    scored: int
    linked: int
    risk: int
    table: int
    absence: int
    leak: int
    opening: int
    link: int
    begin: Integers
    end: Integers
    columns: Integers
    values: Floats


_AFTER_MODEL = len(Model._fields)
_AFTER_STATE = _AFTER_MODEL + len(State._fields)
#: How compiled code finds the structures; see `Workspace.places`.
model_at, state_at = bind(Model, 0), bind(State, _AFTER_MODEL)
room_at, rows_at = bind(Room, _AFTER_STATE), bind(Rows, _AFTER_STATE + len(Room._fields))
_AFTER_ROWS = _AFTER_STATE + len(Room._fields) + len(Rows._fields)
tree_at, notes_at = bind(Tree, _AFTER_ROWS), bind(Notes, _AFTER_ROWS + len(Tree._fields))
