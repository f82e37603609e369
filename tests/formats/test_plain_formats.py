"""NET and UAI: the order of their numbers, and faults with lines."""

from pathlib import Path

import numpy as np
import pytest

from bayesdx import InvalidNetwork, Network, read_network
from bayesdx.formats.files import find_format, parse_network


def read(text: str, suffix: str) -> Network:
    name = "n" + suffix
    return parse_network(text.encode(), name, find_format(Path(name))[0])


def faults(text: str, suffix: str) -> list[str]:
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read(text, suffix)
    return [str(fault) for fault in caught.value.faults]


# NET

NET = r"""% a comment with { and "
net { name = "dog"; node_size = (80 40); }
discrete node light { label = "on {off} %"; states = ("t" "f % \"q\""); HR_x = "a;b"; }
node family { states = (a b c); }
potential (family) { data = (0.2 0.3 0.5); } % "
potential (light | family)
{ model_nodes = ();
  data = (( 0.6 0.4 )   % family a
          ( 0.05, 0.95 )
          ( 1e-1 .9 )); }
"""


def test_net_has_the_child_fastest() -> None:
    network = read(NET, ".net")
    assert network.variables["light"].states == ("t", 'f % "q"')
    assert network.variables["family"].states == ("a", "b", "c")
    expected = [[0.6, 0.4], [0.05, 0.95], [0.1, 0.9]]
    np.testing.assert_array_equal(network.table("light"), expected)


def test_net_of_old_machines(tmp_path: Path) -> None:
    path = tmp_path / "n.net"
    path.write_bytes(NET.replace("a b c", '"å" b c').encode("latin-1"))
    assert read_network(path).variables["family"].states == ("å", "b", "c")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (".9 ))", ".9x ))", "n.net:10: probability of light: expected a number, got '.9x'."),
        ("0.05, 0.95", "0.05", "n.net:8: probability of light: expected 6 numbers, got 5."),
        (
            "0.05, 0.95 )",
            "0.05, 0.95",
            "n.net:8: probability of light: expected brackets that match, got 4 ( and 3 ).",
        ),
        (
            "node family",
            "continuous node family",
            "n.net: expected a Bayesian network: continuous and function nodes are not supported, "
            "got family.",
        ),
        (
            "node family",
            "utility family",
            "n.net: expected a Bayesian network: influence diagrams (decisions, utilities) are not "
            "supported, got family.",
        ),
        (
            "| family",
            "| famly",
            "n.net:6: probability of light: expected a declared variable, got 'famly'. Nearest: "
            "family.",
        ),
        (
            "(light | family)",
            "(light family)",
            "n.net:6: potential: expected (node | parent …) with one node before |, got (light "
            "family).",
        ),
        ("states = (a b c);", "stuff", "n.net:4: expected name = value;, got 'stuff '."),
        (
            "net {",
            "nut {",
            "n.net:2: expected net, node or potential with a block { … }, got 'nut { name = "
            '"dog"; node_size = (80 40); }\'.',
        ),
    ],
)
def test_faults_of_net(old: str, new: str, told: str) -> None:
    assert NET.count(old) == 1
    assert faults(NET.replace(old, new), ".net")[0] == told


# UAI: the example of the competition's page.

UAI = """BAYES
3
2 2 3
3
1 0
2 0 1
2 1 2

2
 0.436 0.564

4
 0.128 0.872
 0.920 0.080

6
 0.210 0.333 0.457
 0.811 0.000 0.189
"""


def test_uai_has_the_child_last_and_fastest() -> None:
    network = read(UAI, ".uai")
    assert network.variables["v2"].states == ("s0", "s1", "s2")
    assert network.parents("v2") == ("v1",)
    np.testing.assert_array_equal(network.table("v1"), [[0.128, 0.872], [0.92, 0.08]])
    np.testing.assert_array_equal(network.table("v2"), [[0.21, 0.333, 0.457], [0.811, 0.0, 0.189]])


def test_uai_counts_the_first_variable_of_a_function_slowest() -> None:
    text = "BAYES 3  2 3 2  3  1 0 1 1 3 1 0 2  2 .5 .5  3 .2 .3 .5  12 "
    text += " ".join(f"{p} {1 - p}" for p in (0.125, 0.25, 0.375, 0.5, 0.625, 0.75))
    network = read(text + " # the end", ".uai")
    assert network.parents("v2") == ("v1", "v0")
    expected = [[0.125, 0.25], [0.375, 0.5], [0.625, 0.75]]
    np.testing.assert_array_equal(network.table("v2")[..., 0], expected)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "BAYES",
            "MARKOV",
            "n.uai:1: expected BAYES (MARKOV: bayesdx.read_markov_network), got 'MARKOV'.",
        ),
        ("2 2 3", "2 0 3", "n.uai:3: expected a number of states, 1 to 1048576, got 0."),
        ("2 1 2", "2 1 3", "n.uai:7: expected a variable, 0 to 2, got 3."),
        ("2 1 2", "2 2 1", "n.uai:7: probability of v1: expected one table, got a second one."),
        ("6\n", "5\n", "n.uai:16: expected 6 entries, got 5."),
        ("0.811 0.000", "0.811 0,000", "n.uai:18: expected a probability, got '0,000'."),
        ("0.000 0.189", "", "n.uai:19: expected a probability, got nothing."),
        ("0.189", "0.189 1", "n.uai:18: expected the end of the file, got '1'."),
        (
            "0.436",
            "0.426",
            "n.uai:5: probability of v0: expected a sum of 1 (--normalise, normalise=True scale "
            "rows), got 0.99.",
        ),
    ],
)
def test_faults_of_uai(old: str, new: str, told: str) -> None:
    assert UAI.count(old) == 1
    assert faults(UAI.replace(old, new), ".uai")[0] == told


def test_uai_cannot_ask_for_more_states_than_memory_has() -> None:
    text = "BAYES 1000 " + "1000000 " * 1000
    assert "expected at most 1048576 states in all" in faults(text, ".uai")[0]


def test_a_potential_without_data_is_uniform() -> None:
    network = read(NET.replace("data = (0.2 0.3 0.5);", ""), ".net")
    np.testing.assert_allclose(network.table("family"), 1 / 3)


def test_a_potential_that_is_an_expression_is_not_uniform() -> None:
    model = "model_nodes = ();\n  model_data = (Distribution(0.2, 0.3, 0.5));"
    told = faults(NET.replace("data = (0.2 0.3 0.5);", model), ".net")
    assert len(told) == 1
    assert "probability of family: expected data = (…); expressions are not worked out" in told[0]
    assert told[0].endswith("got model_nodes without data.")
    both = NET.replace("data = (0.2 0.3 0.5);", model + "\n  data = (0.2 0.3 0.5);")
    assert read(both, ".net").digest == read(NET, ".net").digest


def test_a_class_around_the_nodes() -> None:
    body = NET[NET.index("}") + 1 :]
    wrapped = "class Net1 { inputs = (); outputs = (light);\n" + body + "\n}"
    assert read(wrapped, ".net").digest == read(NET, ".net").digest
    told = faults(wrapped.replace("inputs = ()", "inputs = (family)"), ".net")
    assert told == [
        "n.net: expected a Bayesian network: object-oriented networks (inputs) are not supported, "
        "got family."
    ]


@pytest.mark.parametrize("sure", ["BAYES 1 1 1 1 0 1 1", "BAYES\n1\n1\n1\n1 0\n1\n1.0"])
def test_a_variable_may_have_one_state(sure: str) -> None:
    assert read(sure, ".uai").variables["v0"].states == ("s0",)
