"""Scores as Arrow tables: one row a case, or one line a case and cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bayesdx.diagnosis.ranking import ranking
from bayesdx.diagnosis.scoring import STATUSES, UNEXPLAINED, Scores, flag_names
from bayesdx.diagnosis.shortlist import MEASURES, Measure
from bayesdx.errors import Fault, InvalidCase, nearest_names
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.tables.reserved import CASE_ID

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core


Shape = Literal["wide", "long"]
SHAPES: tuple[Shape, ...] = ("wide", "long")


_TAIL = (("status", pa.string()), ("urgency", pa.string()), ("red_flags", pa.string()))


@dataclass(frozen=True)
class OutputOptions:
    """What is written of each case.

    Attributes
    ----------
    shape : {"wide", "long"}
        One row a case with a column for each cause; or one line a case and cause, the most
        probable first, and a last line for ``unexplained``, so that no case is ever left out.
    top : int, optional
        Lines of causes a case, at most; long only.
    causes : tuple of str, optional
        Causes to write, in this order where they are columns; all by default.
    threshold : float, optional
        Least value of the causes that get a line; long only.
    escape : bool
        An apostrophe before text in CSV that a spreadsheet would run; see `encoders.neutral`.
    measure : {"posterior", "explains", "plays_a_part"}
        What is written of each cause, and what the long shape is sorted by; see `Engine.score`.
    """

    shape: Shape = "wide"
    top: int | None = None
    causes: tuple[str, ...] | None = None
    threshold: float | None = None
    escape: bool = True
    measure: Measure = "posterior"


def check_options(core: Core, options: OutputOptions) -> None:
    """Refuse options that cannot be met.

    Raises
    ------
    InvalidCase
        With everything that is wrong: an unknown shape or cause, a number out of range.
    """
    faults = []
    if options.shape not in SHAPES:
        faults.append(Fault("shape", "wide or long", options.shape))
    if options.top is not None and options.top < 1:
        faults.append(Fault("top", "a number of causes, 1 or more", options.top))
    if options.threshold is not None and not 0.0 <= options.threshold <= 1.0:
        faults.append(Fault("threshold", "a probability, 0 to 1", options.threshold))
    if options.shape == "wide" and (options.top is not None or options.threshold is not None):
        faults.append(Fault("shape", "long, where top or threshold choose lines", options.shape))
    if options.measure not in MEASURES:
        near = nearest_names(str(options.measure), MEASURES)
        faults.append(Fault("measure", f"one of {', '.join(MEASURES)}", options.measure, near))
    chosen = options.causes or ()
    for name in dict.fromkeys(chosen):
        if name not in core.causes:
            near = nearest_names(name, core.causes)
            faults.append(Fault("causes", "the id of a cause", name, near))
        elif chosen.count(name) > 1:
            faults.append(Fault("causes", "each cause once", name))
    if options.causes == ():
        faults.append(Fault("causes", "the id of at least one cause", ""))
    if faults:
        raise InvalidCase(faults)


def output_schema(
    core: Core,
    options: OutputOptions,
    with_case_id: bool,
    case_id_type: pa.DataType | None = None,
) -> pa.Schema:
    """Columns of the output, all but the rank of ``unexplained`` and blank ids without nulls.

    Parameters
    ----------
    core : Core
    options : OutputOptions
    with_case_id : bool
        Whether the cases have ids of their own. The long shape has the number of the record in
        the place of one.
    case_id_type : Arrow type, optional
        Of the ids, string by default.
    """
    own = case_id_type or pa.string()
    fields = [(CASE_ID, own)] if with_case_id else []
    if options.shape == "wide":
        numbers = (*(options.causes or core.causes), UNEXPLAINED, "log_evidence")
        return pa.schema([*fields, *((name, pa.float64()) for name in numbers), *_TAIL])
    lines = [
        ("cause", pa.string()),
        ("prior", pa.float64()),
        (options.measure, pa.float64()),
        ("rank", pa.int32()),
    ]
    return pa.schema([*(fields or [(CASE_ID, pa.int64())]), *lines, *_TAIL])


def output_table(
    core: Core,
    scores: Scores,
    case_ids: pa.Array | None,
    rows: NDArray[np.int64],
    options: OutputOptions,
) -> pa.Table:
    """Lay scores out as they are written.

    Parameters
    ----------
    core : Core
    scores : Scores
        Of N cases.
    case_ids : Arrow array (N,), optional
        Their own ids, where they have some.
    rows : int64 array (N,)
        The number of each record in its input.
    options : OutputOptions

    Returns
    -------
    Table
        With the columns of `output_schema`. The rank counts all causes of the knowledge, those
        that are not written as well; causes of equal posterior (see `ranking`) follow the order of
        the knowledge. Where the status is ``impossible`` the posteriors are the priors.
    """
    ids_type = None if case_ids is None else case_ids.type
    schema = output_schema(core, options, case_ids is not None, ids_type)
    tail = [
        _named(scores.status, STATUSES),
        _named(scores.urgency, LEVELS),
        flag_column(scores.flags, flag_names(core)),
    ]
    if options.shape == "wide":
        head = [] if case_ids is None else [case_ids]
        numbers = _number_columns(core, scores, options.causes)
        return pa.Table.from_arrays([*head, *numbers, *tail], schema=schema)
    ids = pa.array(rows) if case_ids is None else case_ids
    case, cause, rank = chosen_lines(core, scores.posterior, options)
    at = pa.array(case)
    names = pa.array([*core.causes, UNEXPLAINED])
    columns = [
        ids.take(at),
        names.take(pa.array(cause)),
        pa.array(core.prior[cause]),
        pa.array(scores.posterior[case, cause]),
        pa.array(rank.astype(np.int32), mask=cause == len(core.causes)),
        *(column.take(at) for column in tail),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def chosen_lines(
    core: Core, posterior: FloatArray, options: OutputOptions
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the lines of the long shape.

    Returns
    -------
    case, cause, rank : int arrays (L,)
        Position of the case; of the cause in `Core.causes`, their number for ``unexplained``; and
        its rank from 1, which for ``unexplained`` means nothing.
    """
    causes = len(core.causes)
    order = np.full((len(posterior), causes + 1), causes, dtype=np.intp)
    order[:, :-1] = ranking(posterior[:, :-1])
    kept = np.ones(order.shape, dtype=bool)
    if options.causes is not None:
        wanted = np.zeros(causes + 1, dtype=bool)
        wanted[[core.causes.index(name) for name in options.causes]] = True
        kept &= wanted[order]
    if options.threshold is not None:
        kept &= np.take_along_axis(posterior, order, axis=1) >= options.threshold
    if options.top is not None:
        kept &= np.cumsum(kept, axis=1) <= options.top
    kept[:, -1] = True
    case, place = np.nonzero(kept)
    return case, order[case, place], place + 1


def flag_column(fired: BoolArray, names: Sequence[str]) -> pa.Array:
    """Join the names of what fired in each row by ``;``; each distinct row is joined once."""
    packed = np.packbits(fired, axis=1)
    width = packed.shape[1]
    if not width:
        return pa.array([""] * len(fired), type=pa.string())
    cells = pa.Array.from_buffers(pa.binary(width), len(packed), [None, pa.py_buffer(packed)])
    coded = cells.dictionary_encode()
    raw = np.frombuffer(b"".join(coded.dictionary.to_pylist()), dtype=np.uint8)
    rows = np.unpackbits(raw.reshape(-1, width), axis=1, count=len(names)).astype(bool)
    texts = [";".join(name for name, hit in zip(names, row, strict=True) if hit) for row in rows]
    return pa.array(texts, type=pa.string()).take(coded.indices)


def _named(codes: NDArray[np.int8], names: Sequence[str]) -> pa.Array:
    return pa.array(list(names), type=pa.string()).take(pa.array(codes))


def _number_columns(core: Core, scores: Scores, causes: tuple[str, ...] | None) -> list[pa.Array]:
    # One copy turns rows into columns; each is then used in place.
    columns = np.ascontiguousarray(scores.posterior.T)
    chosen = [core.causes.index(name) for name in causes or core.causes]
    arrays = [pa.array(columns[position]) for position in (*chosen, len(core.causes))]
    return [*arrays, pa.array(scores.log_evidence)]
