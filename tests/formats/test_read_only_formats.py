"""Netica's DNE and OpenMarkov's ProbModelXML: order of numbers, families, faults with lines."""

from pathlib import Path

import numpy as np
import pytest

from bayesdx import (
    InvalidNetwork,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
    write_network,
)
from bayesdx.formats.files import find_format, parse_network


def read(text: str, suffix: str) -> Network:
    name = "n" + suffix
    return parse_network(text.encode(), name, find_format(Path(name))[0])


def faults(text: str, suffix: str) -> list[str]:
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read(text, suffix)
    return [str(fault) for fault in caught.value.faults]


DNE = """// ~->[DNET-1]->~
/* a small garden; node X { */
bnet Garden {
autoupdate = TRUE;
visual V1 { defdispform = BELIEFBARS; nodefont = font {shape= "Arial"; size= 9;};
  NodeSet Nature {BuiltIn = 1; Color = 0x00f8eed2;}; };
node Rain {
  kind = NATURE; discrete = TRUE; chance = CHANCE;
  states = (none, some, much);
  parents = ();
  probs = // none some much
    (0.5, 0.3, 0.2);
  title = "Rain \\"today\\" // not a comment"; whenchanged = 1170194867;
  visual V1 { center = (126, 78); height = 1; };
  };
node Hose { discrete = TRUE; states = (off, on); probs = (0.75, 0.25); evidence = off; };
node Wet {
  kind = NATURE;
  states = (no, yes); inputs = (, H); parents = (Rain, Hose);
  probs = (((1, 0), (0.4, 0.6)), // none
           ((0.3, 0.7), (0.2, 0.8)),
           ((0.1, 0.9), (@imposs, 1)));
  belief = (0.4, 0.6);
  };
node Shoes { states = (dry, muddy); chance = DETERMIN; parents = (Wet);
  functable = (dry, #1); };
node Note { kind = CONSTANT; discrete = FALSE; title = "A garden"; };
};
"""


def test_dne_has_the_child_fastest_and_then_the_last_parent() -> None:
    network = read(DNE, ".dne")
    assert list(network.variables) == ["Rain", "Hose", "Wet", "Shoes"]
    assert network.variables["Rain"] == Variable("Rain", ("none", "some", "much"))
    assert network.variables["Rain"].label == 'Rain "today" // not a comment'
    assert network.parents("Wet") == ("Rain", "Hose")
    expected = [[0.0, 0.6], [0.7, 0.8], [0.9, 1.0]]
    np.testing.assert_array_equal(network.table("Wet")[..., 1], expected)
    np.testing.assert_array_equal(network.table("Shoes"), np.eye(2))


@pytest.mark.parametrize(
    ("old", "new", "states"),
    [
        ("states = (off, on)", "numstates = 2", ("s0", "s1")),
        ("states = (off, on)", "levels = (1.5, 2)", ("1.5", "2")),
        ("states = (off, on)", 'levels = (1, 2); statetitles = ("a, b", c)', ("a, b", "c")),
        ("states = (off, on)", "levels = (1, 2); statetitles = (, c)", ("1", "2")),
        (
            "discrete = TRUE; states = (off, on)",
            "discrete = FALSE; levels = (-INFINITY, 3, INFINITY)",
            ("-INFINITY to 3", "3 to INFINITY"),
        ),
        (
            "discrete = TRUE; states = (off, on)",
            "discrete = FALSE; levels = (0, 1, 9); states = (low, high,)",
            ("low", "high"),
        ),
    ],
)
def test_names_of_states_in_dne(old: str, new: str, states: tuple[str, ...]) -> None:
    assert old in DNE
    assert read(DNE.replace(old, new), ".dne").variables["Hose"].states == states


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("(Rain, Hose)", "(Rain, House)", "17: probability of Wet: expected a declared"),
        ("(1, 0), (0.4", "(1), (0.4", "20: probability of Wet: expected 12 numbers, got 11."),
        ("(0.3, 0.7)", "(0.3, o.7)", "21: probability of Wet: expected a number, got 'o.7'."),
        ("(0.3, 0.7)", "((0.3, 0.7)", "20: probability of Wet: expected brackets that match"),
        ("(0.3, 0.7)", "(0.3, 0.8)", "row (some, off): expected a sum of 1"),
        ("(dry, #1)", "(dri, #1)", "expected a state of Shoes, got 'dri'. Nearest: dry."),
        ("(dry, #1)", "(dry)", "26: probability of Shoes: expected 2 states of a funct"),
        ("probs = (0.75, 0.25);", "", "16: probability of Hose: expected probs or a functable"),
        ("states = (off, on)", "numstates = 999999", "16: node Hose: expected numstates of"),
        ("bnet Garden {", "bnet {", "1: expected bnet NAME { … }, got 'bnet {'."),
        ("parents = (Wet);", "parents (Wet);", "25: expected name = value; or a block { … }"),
        ("};\n};\n", "};\n", "28: expected } at the end, got nothing."),
    ],
)  # fmt: skip
def test_faults_of_dne(old: str, new: str, told: str) -> None:
    assert old in DNE
    assert told in faults(DNE.replace(old, new), ".dne")[0]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("kind = NATURE; discrete", "kind = DECISION; discrete", "influence diagrams (deci"),
        ("node Hose { ", "node Hose { kind = UTILITY; ", "influence diagrams (decisions, util"),
        ("node Hose { discrete = TRUE", "node Hose { discrete = FALSE", "continuous nodes without"),
        ("node Hose { ", "node Hose { delays = ((1), ); ", "time delays (dynamic networks) are"),
    ],
)  # fmt: skip
def test_other_models_in_dne_are_refused_in_one_line(old: str, new: str, what: str) -> None:
    assert old in DNE
    (told,) = faults(DNE.replace(old, new), ".dne")
    assert f"expected a Bayesian network: {what}" in told
    assert "not supported" in told


PGMX = """<?xml version="1.0" encoding="UTF-8"?>
<ProbModelXML formatVersion="1.0.0"><ProbNet type="BayesianNetwork">
<Variables>
<Variable name="cold" type="finiteStates" role="chance">
  <AdditionalProperties><Property name="Title" value="Common cold" /></AdditionalProperties>
  <States><State name="absent" /><State name="present" /></States></Variable>
<Variable name="age group" type="discretized" role="chance">
  <States><State name="young" /><State name="middle" /><State name="old" /></States></Variable>
<Variable name="fever" type="finiteStates" role="chance">
  <States><State name="none" /><State name="mild" /><State name="high" /></States></Variable>
<Variable name="cough" type="finiteStates" role="chance">
  <States><State name="absent" /><State name="present" /></States></Variable>
</Variables>
<Links><Link directed="true"><Variable name="cold" /><Variable name="fever" /></Link></Links>
<Potentials>
<Potential type="ProbTable"><Variables><Variable name="cold" /></Variables>
  <Values>0.9 0.1</Values></Potential>
<Potential type="Uniform"><Variables><Variable name="age group" /></Variables></Potential>
<Potential type="Table" role="conditionalProbability"><Variables><Variable name="cough" />
  <Variable name="cold" /><Variable name="age group" /></Variables>
  <Values>0.9 0.1 0.2 0.8
    0.8 0.2 0.3 0.7
    0.7 0.3 0.4 0.6</Values></Potential>
<Potential type="ICIModel"><Variables><Variable name="fever" /><Variable name="cold" />
  <Variable name="cough" /></Variables><Model>OR / MAX</Model><Subpotentials>
  <Potential type="Table"><Variables><Variable name="fever" /><Variable name="cold" /></Variables>
    <Values>1 0 0 0.2 0.5 0.3</Values></Potential>
  <Potential type="Table"><Variables><Variable name="fever" /><Variable name="cough" /></Variables>
    <Values>1 0 0 0.6 0.3 0.1</Values></Potential>
  <Potential type="Table"><Variables><Variable name="fever" /></Variables>
    <Values>0.9 0.08 0.02</Values></Potential></Subpotentials></Potential>
</Potentials></ProbNet></ProbModelXML>
"""


def test_pgmx_has_the_child_fastest_and_then_the_first_parent() -> None:
    network = read(PGMX, ".pgmx")
    assert network.variables["cold"].label == "Common cold"
    expected = [[0.1, 0.2, 0.3], [0.8, 0.7, 0.6]]
    np.testing.assert_array_equal(network.table("cough")[..., 1], expected)
    np.testing.assert_allclose(network.table("age group"), 1 / 3)


def test_noisy_max_of_pgmx() -> None:
    network = read(PGMX, ".pgmx")
    assert isinstance(network.cpds["fever"], NoisyMaxCPD)
    assert network.variables["fever"].states == ("none", "mild", "high")
    # By hand: P(none) = 0.9 * 0.2 * 0.6, P(at most mild) = 0.98 * 0.7 * 0.9.
    none, most = 0.9 * 0.2 * 0.6, 0.98 * 0.7 * 0.9
    right = [none, most - none, 1 - most]
    np.testing.assert_allclose(network.table("fever")[1, 1], right, rtol=1e-12)
    np.testing.assert_allclose(network.table("fever")[0, 0], [0.9, 0.08, 0.02], rtol=1e-12)


def test_the_lowest_of_levels_is_the_highest_in_reverse() -> None:
    least = PGMX.replace("OR / MAX", "AND / MIN")
    for old, new in (("1 0 0 0.2", "0 0 1 0.2"), ("1 0 0 0.6", "0 0 1 0.6")):
        least = least.replace(old, new)
    network = read(least, ".pgmx")
    assert network.variables["fever"].states == ("high", "mild", "none")
    # By hand: P(high) = 0.02 * 0.3 * 0.1, P(at least mild) = 0.1 * 0.8 * 0.4.
    high, some = 0.02 * 0.3 * 0.1, 0.1 * 0.8 * 0.4
    right = [high, some - high, 1 - some]
    np.testing.assert_allclose(network.table("fever")[1, 1], right, rtol=1e-9)


def test_a_noisy_or_of_pgmx_and_one_without_leak() -> None:
    text = PGMX.replace('<State name="none" /><State name="mild" />', '<State name="none" />')
    for old, new in (
        ("1 0 0 0.2 0.5 0.3", "1 0 0.2 0.8"),
        ("1 0 0 0.6 0.3 0.1", "1 0 0.6 0.4"),
        ("0.9 0.08 0.02", "0.9 0.1"),
    ):
        text = text.replace(old, new)
    network = read(text, ".pgmx")
    cpd = network.cpds["fever"]
    assert isinstance(cpd, NoisyOrCPD)
    assert (cpd.strengths.tolist(), cpd.leak) == ([0.8, 0.4], 0.1)
    start = text.index('  <Potential type="Table"><Variables><Variable name="fever" /></Variables>')
    silent = text[:start] + text[text.index("</Subpotentials>") :]
    cpd = read(silent, ".pgmx").cpds["fever"]
    assert isinstance(cpd, NoisyOrCPD)
    assert cpd.leak == 0.0


def test_a_state_for_certain() -> None:
    delta = '<Potential type="Delta"><State>old</State><Variables>'
    text = PGMX.replace('<Potential type="Uniform"><Variables>', delta)
    assert read(text, ".pgmx").table("age group").tolist() == [0.0, 0.0, 1.0]
    text = text.replace("<State>old</State>", "<StateIndex>1</StateIndex>")
    assert read(text, ".pgmx").table("age group").tolist() == [0.0, 1.0, 0.0]
    told = faults(text.replace("<StateIndex>1<", "<StateIndex>3<"), ".pgmx")
    assert "n.pgmx:18: probability of age group: expected a state of age group, got '3'." in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '<Variable name="cold" /><Variable name="age group" />',
            '<Variable name="clod" /><Variable name="age group" />',
            "n.pgmx:19: probability of cough: expected a declared variable, got 'clod'. Nearest: c",
        ),
        ("0.9 0.1 0.2 0.8", "0.9 0.1 0.2", "21: probability of cough: expected 12 numbers, got 11"),
        ("0.8 0.2 0.3 0.7", "0.8 0.2 0.3 0.x", "22: probability of cough: expected a number, got"),
        ("OR / MAX", "Tuning", "24: probability of fever: expected a model OR / MAX or AND / MIN"),
        ('"Uniform"', '"Tree/ADD"', "18: probability of age group: expected a potential Table, "),
        ("1 0 0 0.2 0.5 0.3", "1 0 0 0.2 0.5 0.4", "26: probability of fever, row (present): exp"),
        (
            '<Variable name="fever" /><Variable name="cough" /></Variables>',
            '<Variable name="fever" /><Variable name="cold" /></Variables>',
            "n.pgmx:28: probability of fever: expected one subpotential of cold, got two.",
        ),
        ("<ProbNet ", "<Net ", "32: expected XML, got mismatched tag."),
        ("ProbModelXML", "ProbModel", "2: expected an element ProbModelXML with a ProbNet, got "),
    ],
)  # fmt: skip
def test_faults_of_pgmx(old: str, new: str, told: str) -> None:
    assert old in PGMX
    assert told in faults(PGMX.replace(old, new), ".pgmx")[0]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"discretized" role="chance"', '"finiteStates" role="decision"', "influence diagrams"),
        ('"discretized"', '"numeric"', "continuous (numeric) variables are"),
        ('name="age group" type', 'name="age group" timeSlice="0" type', "temporal variables (d"),
        ('"BayesianNetwork"', '"MarkovNetwork"', "networks of other types are"),
    ],
)  # fmt: skip
def test_other_models_in_pgmx_are_refused_in_one_line(old: str, new: str, what: str) -> None:
    assert old in PGMX
    (told,) = faults(PGMX.replace(old, new, 1), ".pgmx")
    assert f"expected a Bayesian network: {what}" in told
    assert "not supported" in told


@pytest.mark.parametrize("suffix", [".dne", ".pgmx.gz"])
def test_they_are_not_written(suffix: str, tmp_path: Path) -> None:
    network = Network([Variable("a")], [TableCPD("a", (), [0.5, 0.5])])
    with pytest.raises(InvalidNetwork, match=r"ends in \.bif, .* which is only read"):
        write_network(network, tmp_path / f"n{suffix}")
    assert list(tmp_path.iterdir()) == []
