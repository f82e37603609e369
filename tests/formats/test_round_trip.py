"""What is written is read back, equal by digest; what a format cannot hold is said by name."""

import string
from pathlib import Path

import numpy as np
import pytest
from example_networks import example_files
from hypothesis import given, settings
from hypothesis import strategies as st
from network_judges import networks

from bayesdx import InvalidNetwork, Network, Variable, read_network, write_network
from bayesdx.formats.files import FORMATS, find_format, parse_network
from bayesdx.network import NoisyOrCPD, TableCPD

LETTERS = string.ascii_letters
IDENTIFIERS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
PRINTED = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
TEXTS = st.text(PRINTED, min_size=1, max_size=8)
WITHOUT_QUOTES = TEXTS.filter(lambda text: '"' not in text)
WITHOUT_EDGES = TEXTS.filter(lambda text: text == text.strip(" \t\r\n"))
AWKWARD = st.sampled_from(
    ["table", "default", "(", ")", "|", ",", ";", "{", "}", "//", "/*", "%", "&amp;", "<a>", "]]>",
     "a b", "a,b", "0.5", "'", "\\", "network", "variable", "é", "=", "[1]"]
)  # fmt: skip
KINDS = {
    ".bif": (AWKWARD | WITHOUT_QUOTES, AWKWARD | WITHOUT_QUOTES),
    ".xmlbif": (AWKWARD | WITHOUT_EDGES, AWKWARD | WITHOUT_EDGES),
    ".net": (IDENTIFIERS, AWKWARD | TEXTS | st.sampled_from(['"', '\\"'])),
    ".xdsl": (IDENTIFIERS, IDENTIFIERS),
}


def back(network: Network, suffix: str) -> Network:
    kind, _ = find_format(Path("n" + suffix))
    return parse_network("".join(kind.write(network)).encode(), "n" + suffix, kind)


@pytest.mark.parametrize("suffix", KINDS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(suffix: str, data: st.DataObject) -> None:
    network = data.draw(networks(*KINDS[suffix]))
    again = back(network, suffix)
    assert again.digest == network.digest
    if suffix != ".xdsl":
        assert list(again.variables) == list(network.variables)


@settings(max_examples=150, deadline=None)
@given(network=networks(TEXTS, TEXTS))
def test_uai_keeps_all_but_the_names(network: Network) -> None:
    again = back(network, ".uai")
    named = dict(zip(network.variables, again.variables, strict=True))
    for name, other in named.items():
        assert again.parents(other) == tuple(named[one] for one in network.parents(name))
        assert again.variables[other].states[0] == "s0"
        np.testing.assert_array_equal(again.table(other), network.table(name))


@pytest.mark.parametrize("suffix", [".bif", ".xmlbif.gz", ".net.gz"])
@pytest.mark.parametrize("name", ["child", "insurance", "hepar2"])
def test_networks_of_the_world_go_through_files(name: str, suffix: str, tmp_path: Path) -> None:
    network = read_network(str(example_files()[name]))
    path = tmp_path / f"{name}{suffix}"
    write_network(network, path)
    assert read_network(path).digest == network.digest
    content = path.read_bytes()
    write_network(network, str(path))
    assert path.read_bytes() == content


def one(name: str, *states: str) -> Network:
    return Network([Variable(name, states)], [TableCPD(name, (), np.array([0.25, 0.75]))])


@pytest.mark.parametrize(
    ("suffix", "network", "match"),
    [
        (".bif", one('a"b', "t", "f"), r"variable 'a\"b': expected a name that BIF can hold"),
        (
            ".bif",
            one("a", "t\n", "f"),
            r"a state of variable 'a': .*control characters, got 't\\n'",
        ),
        (".xmlbif", one("a", " t", "f"), r"no blanks around it, no control characters, got ' t'"),
        (".xmlbif", one("a\x00", "t", "f"), r"a name that XMLBIF can hold"),
        (".net", one("a b", "t", "f"), r"digits and underscores, got 'a b'"),
        (".net", one("a", "t\udc80", "f"), r"got 't\\udc80'"),
        (".xdsl", one("a", "<7.5", ">=7.5"), r"2 faults(.|\n)*got '<7.5'(.|\n)*got '>=7.5'"),
    ],
)
def test_names_that_a_format_cannot_hold(suffix, network, match, tmp_path: Path) -> None:
    path = tmp_path / ("n" + suffix)
    with pytest.raises(InvalidNetwork, match=match):
        write_network(network, path)
    assert not path.exists()


def test_noisy_families_are_written_as_the_tables_they_are(tmp_path: Path) -> None:
    causes = [one("a", "absent", "present"), one("b", "absent", "present")]
    cpds = [cpd for cause in causes for cpd in cause.cpds.values()]
    variables = [variable for cause in causes for variable in cause.variables.values()]
    cpds.append(NoisyOrCPD("f", ("a", "b"), np.array([0.5, 0.8]), 0.1))
    network = Network([*variables, Variable("f")], cpds)
    write_network(network, tmp_path / "n.bif")
    table = read_network(tmp_path / "n.bif").table("f")
    # By hand: 1 - 0.9 * 0.5 * 0.2.
    assert table[1, 1, 1] == pytest.approx(0.91, abs=1e-12)
    assert table[0, 0, 1] == pytest.approx(0.1, abs=1e-12)


def test_every_suffix_has_a_format() -> None:
    written = {".bif", ".xmlbif", ".bifxml", ".xml", ".uai", ".xdsl", ".net"}
    assert {suffix for suffix, kind in FORMATS.items() if kind.write} == written
    assert set(FORMATS) - written == {".pgmx", ".dne"}
