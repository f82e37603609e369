"""XMLBIF and XDSL: the order of their numbers, faults with lines, and what is unsafe."""

from pathlib import Path

import numpy as np
import pytest

from bayesdx import InvalidNetwork, Network, NoisyOrCPD, TableCPD
from bayesdx.formats.files import find_format, parse_network


def read(text: str, suffix: str) -> Network:
    name = "n" + suffix
    return parse_network(text.encode(), name, find_format(Path(name))[0])


def faults(text: str, suffix: str) -> list[str]:
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read(text, suffix)
    return [str(fault) for fault in caught.value.faults]


# XMLBIF

XML = """<?xml version="1.0"?>
<!DOCTYPE BIF [ <!ELEMENT BIF (NETWORK)*> <!ATTLIST BIF VERSION CDATA #REQUIRED> ]>
<BIF VERSION="0.3"><NETWORK><NAME>dog</NAME>
<VARIABLE TYPE="nature"><NAME>light &amp; on</NAME><OUTCOME>t</OUTCOME><OUTCOME> f </OUTCOME>
<PROPERTY>position = (73, 165)</PROPERTY></VARIABLE>
<VARIABLE TYPE="nature"><NAME>family</NAME><OUTCOME>a</OUTCOME><OUTCOME>b</OUTCOME>
<OUTCOME>c</OUTCOME></VARIABLE>
<DEFINITION><FOR>family</FOR><TABLE>0.2 <!-- a --> 0.3 0.5</TABLE></DEFINITION>
<DEFINITION><FOR>light &amp; on</FOR><GIVEN>family</GIVEN><TABLE>
0.6 0.4
0.05 0.95
1e-1 .9</TABLE></DEFINITION></NETWORK></BIF>"""


def test_xmlbif_has_the_child_fastest() -> None:
    network = read(XML, ".xml")
    assert network.variables["light & on"].states == ("t", "f")
    expected = [[0.6, 0.4], [0.05, 0.95], [0.1, 0.9]]
    np.testing.assert_array_equal(network.table("light & on"), expected)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "0.05 0.95",
            "0.05 0.9x",
            "n.xml:11: probability of light & on: expected a number, got '0.9x'.",
        ),
        (" .9", "", "n.xml:9: probability of light & on: expected 6 numbers, got 5."),
        (
            "<GIVEN>family",
            "<GIVEN>famly",
            "n.xml:9: probability of light & on: expected a declared variable, got 'famly'. "
            "Nearest: family.",
        ),
        ("</NETWORK>", "", "n.xml:12: expected XML, got mismatched tag."),
        (
            'TYPE="nature"><NAME>f',
            'TYPE="decision"><NAME>f',
            "n.xml: expected a Bayesian network: influence diagrams (decisions, utilities) are not "
            "supported, got family.",
        ),
        ("<FOR>family</FOR>", "", "n.xml:8: definition: expected one element FOR, got 0."),
        ("NETWORK>", "NET>", "n.xml:3: expected an element NETWORK, got 'BIF'."),
        (
            "<TABLE>0.2",
            "<TABLE/><TABLE>0.2",
            "n.xml:8: probability of family: expected one element TABLE, got 2.",
        ),
        (
            '"1.0"?>',
            '"1.0" encoding="utf-99"?>',
            "n.xml: expected XML, got an encoding that cannot be read (LookupError).",
        ),
    ],
)
def test_faults_of_xmlbif(old: str, new: str, told: str) -> None:
    assert old in XML
    text = XML.replace(old, new)
    assert faults(text, ".xml")[0] == told


@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;',
    ],
)
def test_entities_are_refused(entities: str) -> None:
    text = XML.replace("<!ELEMENT", entities + "<!ELEMENT").replace("dog", "&a;")
    assert "n.xml:2: expected no entities but those of XML itself, got entity a." in faults(
        text, ".xml"
    )


def test_outside_document_types_are_not_fetched_and_their_entities_refused() -> None:
    text = XML[: XML.index("<!DOC")] + '<!DOCTYPE BIF SYSTEM "http://127.0.0.1:9/bif.dtd">'
    text += XML[XML.index("<BIF") :]
    assert len(read(text, ".xml").variables) == 2
    told = faults(text.replace("dog", "&dog;"), ".xml")
    assert told == ["n.xml:2: expected no entities but those of XML itself, got entity dog."]


def test_depth_and_number_of_elements_are_bounded() -> None:
    assert "in each other, got more" in faults("<a>" * 1000, ".xml")[0]


# XDSL: the order of GeNIe's own file of asia (Lauritzen and Spiegelhalter 1988).

XDSL = """<?xml version="1.0" encoding="UTF-8"?>
<smile version="1.0" id="Asia" numsamples="10000" discsamples="10000"><nodes>
<cpt id="tub" diagtype="target"><state id="no" /><state id="yes" fault="true" />
  <probabilities>0.99 0.01</probabilities></cpt>
<cpt id="lung"><state id="no" /><state id="yes" /><probabilities>0.9 0.1</probabilities></cpt>
<deterministic id="either"><state id="no" /><state id="yes" /><parents>tub lung</parents>
  <resultingstates>no yes yes yes</resultingstates></deterministic>
<cpt id="bronc"><state id="Absent" /><state id="Present" /><state id="Severe" />
  <probabilities>0.5 0.3 0.2</probabilities></cpt>
<cpt id="dysp"><state id="Absent" /><state id="Present" /><parents>either bronc</parents>
  <probabilities>0.9 0.1 0.2 0.8 0.1 0.9
    0.3 0.7 0.1 0.9 0.05 0.95</probabilities></cpt>
</nodes><extensions><genie version="1.0" app="GeNIe" name="x"><node id="tub" /></genie></extensions>
</smile>"""


def test_xdsl_has_the_child_fastest_and_then_the_last_parent() -> None:
    network = read(XDSL, ".xdsl")
    np.testing.assert_array_equal(network.table("either")[..., 1], [[0, 1], [1, 1]])
    expected = [[0.1, 0.8, 0.9], [0.7, 0.9, 0.95]]
    np.testing.assert_array_equal(network.table("dysp")[..., 1], expected)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '<cpt id="lung">',
            '<cxt id="lung">',
            "n.xdsl:5: expected XML, got mismatched tag.",
        ),
        (
            "no yes yes yes",
            "no yes yas yes",
            "n.xdsl:7: probability of either: expected a state of either, got 'yas'. Nearest: yes.",
        ),
        (
            "no yes yes yes",
            "no yes",
            "n.xdsl:7: probability of either: expected 4 resulting states, got 2.",
        ),
        ("0.9 0.1 0.2", "0.9 0.1", "n.xdsl:11: probability of dysp: expected 12 numbers, got 11."),
        (
            "<probabilities>0.99 0.01</probabilities>",
            "",
            "n.xdsl:3: probability of tub: expected an element probabilities, got nothing.",
        ),
        ("smile", "simile", "n.xdsl:2: expected an element smile with nodes, got 'simile'."),
        ('cpt id="bronc"', "cpt", "n.xdsl:8: variable: expected a name, got ''."),
    ],
)
def test_faults_of_xdsl(old: str, new: str, told: str) -> None:
    text = XDSL.replace(old, new)
    if "noisymax" in new:
        text = text.replace("0.9 0.1</probabilities></cpt>", "0.9 0.1</probabilities></noisymax>")
    assert faults(text, ".xdsl")[0] == told


NOISY = """<smile version="1.0" id="N"><nodes>
<cpt id="Flu"><state id="present"/><state id="absent"/><probabilities>0.1 0.9</probabilities></cpt>
<cpt id="Cold"><state id="present"/><state id="absent"/><probabilities>0.2 0.8</probabilities></cpt>
<noisymax id="Fever"><state id="present"/><state id="absent"/><parents>Flu Cold</parents>
<strengths>0 1 0 1</strengths>
<parameters>0.8 0.2 0 1 0.3 0.7 0 1 0.05 0.95</parameters></noisymax></nodes></smile>"""


def by_name(network: Network, child: str, states: dict[str, str]) -> float:
    """One number of a table, its states by name."""
    place = (states[one] for one in (*network.parents(child), child))
    variables = (network.variables[one] for one in (*network.parents(child), child))
    at = tuple(v.states.index(state) for v, state in zip(variables, place, strict=True))
    return float(network.table(child)[at])


def test_a_noisy_or_has_its_states_turned_round() -> None:
    network = read(NOISY, ".xdsl")
    assert isinstance(network.cpds["Fever"], NoisyOrCPD)
    assert {one.states for one in network.variables.values()} == {("absent", "present")}
    fever = [
        by_name(network, "Fever", {"Flu": flu, "Cold": cold, "Fever": "present"})
        for flu in ("present", "absent")
        for cold in ("present", "absent")
    ]
    # By hand: 1 - 0.95 * 0.2 * 0.7, 1 - 0.95 * 0.2, 1 - 0.95 * 0.7, 0.05.
    np.testing.assert_allclose(fever, [0.867, 0.81, 0.335, 0.05], rtol=1e-12)
    weights = np.outer([0.1, 0.9], [0.2, 0.8]).ravel()
    assert fever @ weights == pytest.approx(0.17844, rel=1e-12)
    assert network.table("Flu").tolist() == [0.9, 0.1]


def test_strengths_order_the_states_of_a_parent() -> None:
    turned = NOISY.replace("<strengths>0 1 0 1", "<strengths>1 0 0 1")
    straight, other = (read(text, ".xdsl") for text in (NOISY, turned))
    # Of flu, it is now its absence that brings about fever.
    assert other.variables["Flu"].states == ("present", "absent")
    np.testing.assert_array_equal(other.table("Fever"), straight.table("Fever"))
    told = faults(NOISY.replace("0 1 0 1<", "0 1 0 2<"), ".xdsl")
    assert "expected strengths that order the 4 states of the parents" in told[0]


def test_three_levels_of_a_noisy_max() -> None:
    text = NOISY.replace(
        '<noisymax id="Fever"><state id="present"/>',
        '<noisymax id="Fever"><state id="high"/><state id="low"/>',
    ).replace("0.8 0.2 0 1 0.3 0.7 0 1 0.05 0.95", "0.5 0.3 0.2 0 0 1 0.1 0.2 0.7 0 0 1 0 0.1 0.9")
    network = read(text, ".xdsl")
    assert network.variables["Fever"].states == ("absent", "low", "high")
    # P(at most low) = 0.5 * 0.9 * 1, P(absent) = 0.2 * 0.7 * 0.9.
    np.testing.assert_allclose(network.table("Fever")[1, 1], [0.126, 0.324, 0.55], rtol=1e-12)


def test_a_parent_that_is_never_silent_makes_it_a_table() -> None:
    text = NOISY.replace("0.8 0.2 0 1 0.3", "0.8 0.2 0.1 0.9 0.3")
    network = read(text, ".xdsl")
    assert network.variables["Fever"].states == ("present", "absent")
    # By hand, of flu and cold absent: 1 - 0.95 * 0.9.
    assert network.table("Fever")[1, 1, 0] == pytest.approx(0.145, rel=1e-12)
    told = faults(NOISY.replace("0.8 0.2 0 1 0.3", "0.8 0.1 0 1 0.3"), ".xdsl")
    assert "n.xdsl:4: probability of Fever, row (0): expected a sum of 1" in told[0]


def test_where_two_families_want_other_orders_the_wider_one_has_its_way() -> None:
    # Cold takes flu's absence for what acts, fever its presence.
    cold = (
        '<noisymax id="Cold"><state id="present"/><state id="absent"/><parents>Flu</parents>'
        "<strengths>1 0</strengths><parameters>0.3 0.7 0 1 0.2 0.8</parameters></noisymax>"
    )
    start, end = NOISY.index('<cpt id="Cold">'), NOISY.index('<noisymax id="Fever">')
    network = read(NOISY[:start] + cold + NOISY[end:], ".xdsl")
    assert isinstance(network.cpds["Fever"], NoisyOrCPD)
    assert isinstance(network.cpds["Cold"], TableCPD)
    asked = {"Flu": "absent", "Cold": "present"}
    assert by_name(network, "Cold", asked) == pytest.approx(1 - 0.7 * 0.8, rel=1e-12)


def test_display_names_become_labels_wherever_they_lie() -> None:
    shown = (
        '<extensions><genie version="1.0"><submodel id="s"><name>Part</name>'
        '<node id="Flu"><name> Influenza\n A &amp; B</name></node></submodel>'
        '<node id="Cold"><name>Cold</name></node><node id="none"><name>x</name></node>'
        "</genie></extensions></smile>"
    )
    network = read(NOISY.replace("</smile>", shown), ".xdsl")
    assert network.variables["Flu"].label == "Influenza A & B"
    assert network.variables["Cold"].label == ""
    assert network.digest == read(NOISY, ".xdsl").digest


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('<cpt id="lung">', '<cpt id="lung" dynamic="plate">', "temporal arcs"),
        ("</nodes>", '</nodes><dynamic numslices="5"/>', "temporal arcs"),
        ("</nodes>", '<decision id="treat"/><utility id="cost"/></nodes>', "influence diagrams"),
        ("</nodes>", '<equation id="x"/></nodes>', "continuous"),
    ],
)
def test_other_kinds_of_models_are_refused_in_one_line(old: str, new: str, what: str) -> None:
    (told,) = faults(XDSL.replace(old, new), ".xdsl")
    assert f"expected a Bayesian network: {what}" in told
    assert "not supported" in told
