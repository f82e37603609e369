"""Reading many rows, good ones in spite of bad ones, the same as each alone."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.case_faults import MOST_FAULTS
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.errors import InvalidCase
from bayesdx.knowledge.reading import read_knowledge

CELLS = {
    "cramp": ["", "present", "no", "0.3", "maybe", None, "1"],
    "charley horse": ["", "absent", "yes", "", ""],
    "radiation": ["", "none", "foot", "thigh", "knee"],
    "radiation_any": ["", "yes", "no"],
    "radiation_foot": ["", "yes", "no"],
    "ck": ["", "3", "450 percent of the limit", "-1", "many"],
    "ck_high": ["", "present", "absent"],
    "age": ["", "41", "70", "17", "60_or_over", "41.5"],
    "statin_use": ["", "yes", "0.5"],
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    folder: Path = tmp_path_factory.mktemp("priors")
    return build_core(read_knowledge(write_priors(folder, SMALL)))


def rows_of(cases: Cases, row: int) -> tuple[object, ...]:
    """Everything that is known of one case, comparable."""
    evidence = cases.evidence
    arrays = (evidence.findings, evidence.lower, evidence.upper, evidence.risks, evidence.causes)
    values = [np.nan_to_num(array[row], nan=-9.0).tolist() for array in arrays]
    given = [(name, -9.0 if math.isnan(x[row]) else float(x[row])) for name, x in cases.given]
    return values, {name: int(states[row]) for name, states in cases.facts.items()}, given


def coded(column: list[object]) -> pa.ChunkedArray:
    """A column in two chunks, each with a dictionary of its own, as files have them."""
    half = len(column) // 2
    parts = [
        pa.array(part, pa.string()).dictionary_encode() for part in (column[:half], column[half:])
    ]
    return pa.chunked_array(parts, pa.dictionary(pa.int32(), pa.string()))


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}),
        min_size=2,
        max_size=8,
    )
)
def test_each_row_is_read_as_if_it_were_alone(core: Core, rows: list[dict[str, object]]) -> None:
    columns = {name: coded([row[name] for row in rows]) for name in CELLS}
    cases, good, faults = core.reader.read_rows(columns, len(rows), range(len(rows)))
    for position, row in enumerate(rows):
        told = [(x.expected, str(x.got)) for at, x in faults if at == position]
        alone = _alone(core, {name: [row[name]] for name in CELLS})
        assert good[position] == isinstance(alone, Cases)
        if isinstance(alone, Cases):
            assert told == []
            assert rows_of(cases, position) == rows_of(alone, 0)
        else:
            assert told == alone
            assert not cases.known[position]
            assert np.isnan(cases.evidence.findings[position]).all()
            assert all(states[position] == -1 for states in cases.facts.values())


def _alone(core: Core, columns: dict[str, list[object]]) -> Cases | list[tuple[str, str]]:
    try:
        return core.reader.read(columns, 1, None)
    except InvalidCase as error:
        return [(fault.expected, str(fault.got)) for fault in error.faults]


def test_places_are_labels_or_what_a_function_makes_of_them(core: Core) -> None:
    columns = {"cramp": ["maybe", "yes"]}
    for rows, place in (
        ([7, 9], "row 7, column cramp"),
        (lambda row, column: f"f.csv:{row + 2}:{column}", "f.csv:2:cramp"),
        (None, "cramp"),
    ):
        _, good, faults = core.reader.read_rows(columns, 2, rows)
        assert good.tolist() == [False, True]
        assert [(at, fault.place) for at, fault in faults] == [(0, place)]


def test_a_flood_of_faults_still_gives_every_bad_row_a_reason(core: Core) -> None:
    n = 3 * MOST_FAULTS
    columns = {
        "cramp": pa.array(["maybe"] * n),
        "age": pa.array(["old"] * n),
        "ck": pa.array(["much"] * (n // 2) + [""] * (n // 2)),
    }
    _, good, faults = core.reader.read_rows(columns, n, range(n))
    assert not good.any()
    assert {at for at, _ in faults} == set(range(n))
    assert len(faults) <= MOST_FAULTS + n


def test_unknown_columns_are_no_fault_of_rows(core: Core) -> None:
    expected = r"^2 faults:\n.*got 'cramps'\. Nearest: cramp\.\n.*got 'shoe'\. Nearest: source\.$"
    with pytest.raises(InvalidCase, match=expected):
        core.reader.names.check_columns(["cramps", "age", "shoe"])
    with pytest.raises(InvalidCase, match="got 'shoe'"):
        core.reader.read_rows({"shoe": ["41"]}, 1, None)
    core.reader.names.check_columns(["cramp", "Charley-Horse", "age"])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (pa.array([True, False, None]), [1.0, 0.0, None]),
        (pa.array([1, 0, None]), [1.0, 0.0, None]),
        (pa.array([0.25, float("nan"), 1.0]), [0.25, None, 1.0]),
        (pa.array(["yes", None, "no"]).dictionary_encode(), [1.0, None, 0.0]),
        (pa.array(["x", "yes", None, "no"]).dictionary_encode()[1:], [1.0, None, 0.0]),
        (pa.nulls(3), [None, None, None]),
        (pa.chunked_array([["yes"], [None, "no"]]), [1.0, None, 0.0]),
    ],
    ids=["bool", "int", "float", "coded", "slice of coded", "null", "chunks"],
)
def test_typed_columns_keep_their_meaning(
    core: Core, cells: pa.Array, values: list[float | None]
) -> None:
    cases, good, _ = core.reader.read_rows({"cramp": cells}, 3, None)
    assert good.all()
    ((_, read),) = cases.given
    assert [None if math.isnan(x) else x for x in read.tolist()] == values


def test_true_is_no_measure(core: Core) -> None:
    _, good, faults = core.reader.read_rows({"age": pa.array([True, None])}, 2, None)
    assert good.tolist() == [False, True]
    assert faults[0][1].got is True


def test_no_rows_and_no_columns(core: Core) -> None:
    cases, good, faults = core.reader.read_rows({"cramp": pa.array([], pa.string())}, 0, None)
    assert (len(cases.evidence), len(good), faults) == (0, 0, ())
    cases, good, _ = core.reader.read_rows({}, 3, None)
    assert good.all()
    assert not cases.known.any()
