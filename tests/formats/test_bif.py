"""What BIF may say, and what is said when it says something else."""

import warnings

import numpy as np
import pytest

from bayesdx import InvalidNetwork, Network
from bayesdx.formats import InexactNetworkWarning
from bayesdx.formats.bif import read_bif
from bayesdx.formats.draft import Draft

TWO = "variable A { type discrete [ 2 ] { yes, no }; }\n"
BOTH = (
    TWO + "variable B { type discrete [ 3 ] { x, y, z }; }\nprobability ( A ) { table 0.2, 0.8; }\n"
)


def read(text: str) -> Network:
    return read_bif(text, Draft("n.bif"))


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


def test_rows_are_keyed_by_labels_not_by_position() -> None:
    text = BOTH + "probability ( B | A ) {\n (no) 0.1, 0.2, 0.7;\n (yes) 0.5, 0.25, 0.25;\n}\n"
    np.testing.assert_array_equal(read(text).table("B"), [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])


def test_two_parents_in_any_order_of_rows() -> None:
    text = BOTH + (
        "variable C { type discrete [ 2 ] { t, f }; }\n"
        "probability ( C | B, A ) {\n"
        " (z, no) 0.06, 0.94; (z, yes) 0.05, 0.95; (x, no) 0.02, 0.98;\n"
        " (y, yes) 0.03, 0.97; (x, yes) 0.01, 0.99; (y, no) 0.04, 0.96; }\n"
        "probability ( B | A ) { default 0.2, 0.3, 0.5; }\n"
    )
    network = read(text)
    assert network.parents("C") == ("B", "A")
    expected = [[0.01, 0.02], [0.03, 0.04], [0.05, 0.06]]
    np.testing.assert_array_equal(network.table("C")[..., 0], expected)
    np.testing.assert_array_equal(network.table("B"), [[0.2, 0.3, 0.5]] * 2)


def test_table_has_the_child_slowest() -> None:
    # The example of the specification: light-on given family-out.
    text = (
        'variable "light-on" { type discrete[2] { "true" "false" }; }\n'
        'variable "family-out" { type discrete[2] { "true" "false" }; }\n'
        'probability ( "family-out" ) { table 0.15 0.85; }\n'
        'probability ( "light-on" "family-out" ) { table 0.6 0.05 0.4 0.95; }\n'
    )
    network = read(text)
    assert network.parents("light-on") == ("family-out",)
    np.testing.assert_array_equal(network.table("light-on"), [[0.6, 0.4], [0.05, 0.95]])
    told = faults(text.replace("0.6 0.05 0.4 0.95", "0.6 0.4 0.05 0.95"))
    assert told == [
        "n.bif:4: probability of light-on: expected a table with all rows' probabilities of the "
        "first state first, got numbers that sum to 1 only row by row."
    ]


def test_default_fills_the_rows_that_are_missing() -> None:
    text = BOTH + "probability ( B | A ) { (no) 0.1, 0.2, 0.7; default 0.5, 0.25, 0.25; }\n"
    np.testing.assert_array_equal(read(text).table("B"), [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])


def test_quotes_comments_properties_and_odd_names() -> None:
    text = (
        '\ufeffnetwork "a { net" { property author = "x; }"; /* one\n two */ }\r\n'
        'probability ( Chest Pain | "a,b|c" ) { // (yes) 0.9, 0.1;\n'
        ' ("x // y") 0.9 0.1; property odd; ( >=7.5 ) .25, 7.5e-1; }\n'
        'variable "a,b|c" { property p = "type discrete [ 1 ] { z };";\n'
        ' type discrete [ 2 ] { >=7.5, "x // y" }; }\n'
        "variable Chest Pain { type discrete [ 2 ] { Asy/Patch, low grade }; }\n"
        'probability ( "a,b|c" ) { table 1 0; }'
    ).removeprefix("\ufeff")
    network = read(text)
    assert network.variables["a,b|c"].states == (">=7.5", "x // y")
    assert network.variables["Chest Pain"].states == ("Asy/Patch", "low grade")
    np.testing.assert_array_equal(network.table("Chest Pain"), [[0.25, 0.75], [0.9, 0.1]])


def test_sums_that_rounding_explains_are_put_right_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = read(TWO + "probability ( A ) { table 0.333333, 0.666666; }")
    assert network.table("A").sum() == pytest.approx(1.0, abs=1e-15)


def test_sums_that_rounding_does_not_explain_are_scaled_when_asked_and_told() -> None:
    text = TWO + "probability ( A ) { table 0.199, 0.796; }"
    assert faults(text) == [
        "n.bif:2: probability of A: expected a sum of 1 (--normalise, normalise=True scale rows), "
        "got 0.995."
    ]
    with pytest.warns(InexactNetworkWarning, match=r"n\.bif: .*not 1: A 0\.995$"):
        network = read_bif(text, Draft("n.bif", normalise=True))
    np.testing.assert_allclose(network.table("A"), [0.2, 0.8], atol=1e-15)


def test_what_a_subtraction_left_is_clipped_when_asked() -> None:
    text = TWO + "probability ( A ) { table 1.0, -1.19e-07; }"
    hint = "(--normalise, normalise=True take these for 0)"
    assert f"expected probabilities in [0, 1] {hint}, got 1, -1.19e-07" in faults(text)[0]
    told = r"n\.bif: negative numbers taken for 0: A -1\.19e-07$"
    with pytest.warns(InexactNetworkWarning, match=told):
        network = read_bif(text, Draft("n.bif", normalise=True))
    assert network.table("A").tolist() == [1.0, 0.0]
    too_low = text.replace("-1.19e-07", "-1.1e-06")
    with pytest.raises(InvalidNetwork, match=r"probabilities in \[0, 1\]"):
        read_bif(too_low, Draft("n.bif", normalise=True))


@pytest.mark.parametrize("word", ["1e-400", "2.4E-324", f"0.{'0' * 330}1", "9e-9999"])
def test_what_is_possible_does_not_become_impossible(word: str) -> None:
    assert f"got '{word[:20]}" in faults(TWO + f"probability ( A ) {{ table 1, {word}; }}")[0]
    for zero in ("0e-400", "0." + "0" * 330, "-0.0e-999"):
        network = read(TWO + f"probability ( A ) {{ table 1, {zero}; }}")
        assert network.table("A").tolist() == [1.0, 0.0]
    assert read(TWO + "probability ( A ) { table 1, 5e-324; }").table("A")[1] == 5e-324


def test_a_rounding_below_zero_is_zero() -> None:
    network = read(TWO + "probability ( A ) { table 1, -1e-17; }")
    assert network.table("A").tolist() == [1.0, 0.0]


INTERVALS = """variable Age {{ type discrete [ 3 ] {{ {0}, {1}, {2} }}; }}
variable B {{ type discrete [ 2 ] {{ t, f }}; }}
probability ( Age ) {{ table 0.2, 0.6, 0.2; }}
probability ( B | Age ) {{
  ({0}) 0.9, 0.1;
  ({1}) 0.2, 0.8;
  ({2}) 0.5, 0.5;
}}
"""


@pytest.mark.parametrize("quote", ["", '"'])
def test_intervals_are_states(quote: str) -> None:
    states = ("(0,18]", "(18,65]", "[66,inf)")
    network = read(INTERVALS.format(*(f"{quote}{state}{quote}" for state in states)))
    assert network.variables["Age"].states == states
    assert network.table("B")[:, 0].tolist() == [0.9, 0.2, 0.5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            TWO + "probability ( A ) { table 0.3, 0.7 }",
            "n.bif:2: probability of A: expected ; after 0.7, got nothing.",
        ),
        (
            BOTH + "probability ( B | A ) {\n(yes) 0.9, 0.1, 0\n(no) 0.2, 0.7, 0.1;\n}",
            "n.bif:5: probability of B: expected ; after 0, got nothing.",
        ),
        (
            BOTH + "probability ( B | A ) {\n(yes) 0.9, 0.1, 0\n(no) 0.2, 0.7, 0.1\n}",
            "n.bif:5: probability of B: expected ; after 0, got nothing.",
        ),
        (
            "variable A { type discrete [ 2 ] { t, f } }\nprobability ( A ) { table 0.3, 0.7; }",
            "n.bif:1: variable A: expected ; after }, got nothing.",
        ),
    ],
)
def test_a_missing_semicolon_is_named(text: str, told: str) -> None:
    assert faults(text) == [told]


def test_a_default_beside_a_whole_table_fills_nothing() -> None:
    body = "default 0.2, 0.3, 0.5; table 1, 0, 0, 1, 0, 0;"
    network = read(BOTH + f"probability ( B | A ) {{ {body} }}")
    assert network.table("B").tolist() == [[1, 0, 0], [0, 1, 0]]


def test_numbers_that_sum_to_1_are_kept_to_the_last_bit() -> None:
    table = read(TWO + "probability ( A ) { table 0.1, 0.9000000000000001; }").table("A")
    assert table.tolist() == [0.1, 0.9000000000000001]


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = (
        BOTH  # lines 1 to 3
        + "probability ( B | A ) {\n (yse) 0.1, 0.2, 0.7;\n (no) 0.1, o.2, 0.7;\n}\n"
        + "variable C { type discrete [ 3 ] { t, f }; }\n"
        + "variable D { type discrete [ 2 ] { t, f }; }\n"
        + "probability ( D | Aa ) { (yes) 1, 0; (no) 0, 1; }\n"
        + "nonsense here\n"
        + "variable E { type continuous [ 2 ] { t, f }; }\n"
        + "probability ( E ) { table 0.5, 0.6; }\n"
    )
    assert faults(text) == [
        "n.bif:8: variable C: expected 3 states as it says, got 2.",
        "n.bif:11: expected network, variable or probability, got 'nonsense'.",
        "n.bif:12: variable E: expected type discrete, got 'continuous'.",
        "n.bif:5: probability of B: expected a state of A, got 'yse'. Nearest: yes.",
        "n.bif:6: probability of B: expected a number, got 'o.2'.",
        "n.bif:10: probability of D: expected a declared variable, got 'Aa'. Nearest: A.",
        "n.bif:13: probability of E: expected a sum of 1 (--normalise, normalise=True scale rows), "
        "got 1.1.",
        "n.bif: variable C: expected a table of probabilities, got nothing.",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "(yes) 1, 0, 0;",
            "n.bif:4: probability of B, row (no): expected probabilities, got nothing.",
        ),
        (
            "",
            "n.bif:4: probability of B, row (yes): expected probabilities, got none and no 1 more.",
        ),
        (
            "(yes) 1, 0, 0;\n(no) 1, 0, 0;\n(no) 0, 1, 0;",
            "n.bif:6: probability of B, row (no): expected one row, got 2.",
        ),
        ("(yes) 1, 0;\n(no) 1, 0, 0, 0;", "n.bif:4: probability of B: expected 3 numbers, got 2."),
        (
            "(yes, no) 1, 0, 0;",
            "n.bif:4: probability of B: expected states of 1 parents, got (yes, no).",
        ),
        (
            "(yes) 1.5, -0.5, 0; (no) 1, 0, 0;",
            "n.bif:4: probability of B, row (yes): expected probabilities in [0, 1], got 1.5, "
            "-0.5, 0.",
        ),
        (
            "(yes) 1e999, 0, 0; (no) 1, 0, 0;",
            "n.bif:4: probability of B, row (yes): expected "
            "probabilities in [0, 1], got inf, 0, 0.",
        ),
        (
            "(yes) nan, 0, 0; (no) 1, 0, 0;",
            "n.bif:4: probability of B: expected a number, got 'nan'.",
        ),
        ("table 1, 0;", "n.bif:4: probability of B: expected 6 numbers, got 2."),
        (
            "table 1 1 0 0 0 0; (yes) 1 0 0;",
            "n.bif:4: probability of B: expected either table or "
            "rows, got table and rows in one block.",
        ),
        (
            "default 1 0 0; default 1 0 0;",
            "n.bif:4: probability of B: expected one default, got a second one.",
        ),
        (
            "(yes) 1, 0, 0; (no) 1, 0, 0",
            "n.bif:4: probability of B: expected ; after 0, got nothing.",
        ),
    ],
)
def test_faults_in_a_table(body: str, told: str) -> None:
    assert faults(BOTH + "probability ( B | A ) { " + body + " }\n")[0] == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "n.bif: expected one variable or more, got nothing."),
        (TWO + TWO, "n.bif:2: variable A: expected a unique name, got a second one."),
        (
            "variable A { type discrete [ 2 ] { a, a }; }",
            "n.bif:1: variable A: expected distinct states, got 'a' 2 times.",
        ),
        (
            'variable A { type discrete [ 1 ] { "" }; }',
            "n.bif:1: variable A: expected one or more states, each with a name, got an empty one.",
        ),
        (
            "variable A {\n type discrete [ 2 ] { a, b }; what }",
            "n.bif:2: variable A: expected one type discrete [n] { … }; and properties, got "
            "'what '.",
        ),
        (
            "variable A { type discrete [ 2 ] { a, b };",
            "n.bif:1: variable: expected a name and a block { … }, got 'variable A { type "
            "discrete [ 2 ] { a, b };'.",
        ),
        (
            "probability A { }",
            "n.bif:1: probability: expected (child | parent, …) and a block { … }, got "
            "'probability A { }'.",
        ),
        (
            BOTH + "probability ( B ) { table 1 0 0; }\nprobability ( B ) { table 1 0 0; }",
            "n.bif:5: probability of B: expected one table, got a second one.",
        ),
        (
            BOTH + "probability ( B | A, A ) { default 1 0 0; }",
            "n.bif:4: probability of B: expected distinct variables, got 'A' twice.",
        ),
        (TWO + "/* no end", "n.bif:2: comment: expected its end */, got nothing."),
    ],
)
def test_faults_of_a_file(text: str, told: str) -> None:
    assert faults(text)[0] == told


def test_cycles_are_told_by_the_network() -> None:
    text = (
        TWO
        + TWO.replace("A", "B")
        + "probability ( A | B ) { default 0.5 0.5; } probability ( B | A ) { default 0.5 0.5; }"
    )
    assert faults(text)[0].startswith("n.bif: network: expected no directed cycle, got ")


def test_tables_are_bounded() -> None:
    text = "".join(f"variable v{at} {{ type discrete [ 2 ] {{ a, b }}; }}\n" for at in range(40))
    text += f"probability ( v0 | {', '.join(f'v{at}' for at in range(1, 40))} ) {{ default 1 0; }}"
    told = (
        "n.bif:41: probability of v0: expected at most 16777216 cells, got 10 to the power of 12.0."
    )
    assert faults(text)[0] == told


def test_reading_stops_at_a_hundred_faults() -> None:
    told = faults("nonsense\nvariable\n" * 1000)
    assert len(told) == 101
    assert told[-1] == "n.bif: expected fewer faults, got more than can be told; reading ended."
