"""Files that pgmpy and pyAgrum write, ours read by them, and where they are no judges."""

import logging
import warnings
from pathlib import Path

import numpy as np
import pyagrum
import pytest
from example_networks import example_files
from network_judges import assert_same, of_agrum, of_pgmpy

from bayesdx import InvalidNetwork, Network, read_network, write_network
from bayesdx.formats import to_pgmpy
from bayesdx.formats.bif import read_bif
from bayesdx.formats.draft import Draft

NAMES = ("asia", "child", "insurance")
pytestmark = pytest.mark.filterwarnings("ignore:::pgmpy")


def example(name: str) -> Network:
    return read_network(str(example_files()[name]))


# Files of other programs, and ours read by them.


def _pgmpy(kind: str, what: str):
    from pgmpy import readwrite

    logging.getLogger("pgmpy").setLevel(logging.ERROR)
    return getattr(readwrite, kind + what)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["BIF", "XMLBIF", "NET", "XDSL"])
def test_files_that_pgmpy_writes(name: str, kind: str, tmp_path: Path) -> None:
    network = example(name)
    path = tmp_path / f"n.{kind.lower()}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _pgmpy(kind, "Writer")(to_pgmpy(network)).write(str(path))
    if (name, kind) == ("child", "XMLBIF"):
        # It turns both <7.5 and >=7.5 into _7_5.
        with pytest.raises(InvalidNetwork, match="CO2Report: expected distinct states, got '_7_5'"):
            read_network(path)
        return
    again = read_network(path)
    assert set(again.variables) == set(network.variables)
    for variable in network.variables:
        assert again.parents(variable) == network.parents(variable)
        # Its NET has twelve digits.
        np.testing.assert_allclose(
            again.table(variable), network.table(variable), rtol=0, atol=2e-9
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["BIF", "XMLBIF", "NET", "XDSL"])
def test_pgmpy_reads_what_we_write(name: str, kind: str, tmp_path: Path) -> None:
    network, path = example(name), tmp_path / f"n.{kind.lower()}"
    if (name, kind) == ("child", "XDSL"):
        pytest.skip("GeNIe holds no state <5")
    write_network(network, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same(network, of_pgmpy(_pgmpy(kind, "Reader")(str(path)).get_model()), 1e-15)


@pytest.mark.parametrize(
    ("name", "suffix", "within"),
    # pyAgrum reads BIF and NET in single precision; a state of child it takes only elsewhere.
    [("asia", ".bif", 3e-8), ("insurance", ".bif", 3e-8)]
    + [(name, ".bifxml", 1e-15) for name in NAMES]
    + [(name, ".net", 3e-8) for name in NAMES],
)
def test_pyagrum_reads_what_we_write(name, suffix, within, tmp_path: Path) -> None:
    network, path = example(name), tmp_path / ("n" + suffix)
    write_network(network, path)
    assert_same(network, of_agrum(pyagrum.loadBN(str(path))), within)


@pytest.mark.parametrize("suffix", [".bif", ".bifxml", ".net"])
@pytest.mark.parametrize("name", NAMES)
def test_files_that_pyagrum_writes(name: str, suffix: str, tmp_path: Path) -> None:
    if (name, suffix) == ("child", ".bif"):
        pytest.skip("pyAgrum cannot read its own file of child")
    write_network(example(name), tmp_path / "n.bifxml")
    net = pyagrum.loadBN(str(tmp_path / "n.bifxml"))
    pyagrum.saveBN(net, str(tmp_path / ("a" + suffix)))
    if (name, suffix) == ("child", ".bifxml"):
        # It writes <7.5 into XML as it is.
        with pytest.raises(
            InvalidNetwork, match=r"a\.bifxml:80: expected XML, got not well-formed"
        ):
            read_network(tmp_path / ("a" + suffix))
        return
    assert_same(read_network(tmp_path / ("a" + suffix)), of_agrum(net), 1e-6)


def test_why_uai_is_not_read_by_pgmpy(tmp_path: Path) -> None:
    # When this fails, pgmpy has learnt the order of the specification.
    (tmp_path / "n.uai").write_text("BAYES 2 2 2 2 1 0 2 0 1 2 0.4 0.6 4 0.128 0.872 0.92 0.08")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = of_pgmpy(_pgmpy("UAI", "Reader")(str(tmp_path / "n.uai")).get_model())
    np.testing.assert_array_equal(judged["var_1"].table[0], [0.128, 0.92])


def test_why_bif_is_not_read_by_pgmpy() -> None:
    # When this fails, pgmpy has learnt to tell of rows that are missing.
    text = (
        "variable A {\n type discrete [ 2 ] { yes, no };\n}\n"
        "variable B {\n type discrete [ 2 ] { x, y };\n}\n"
        "probability ( A ) {\n table 0.2, 0.8;\n}\n"
        "probability ( B | A ) {\n (no) 0.1, 0.9;\n}\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = _pgmpy("BIF", "Reader")(string=text).variable_cpds["B"]
    np.testing.assert_array_equal(values, [[0.0, 0.1], [0.0, 0.9]])
    with pytest.raises(InvalidNetwork, match=r"row \(yes\): expected probabilities, got nothing"):
        read_bif(text, Draft("n.bif"))


def test_why_pyagrum_does_not_judge_xdsl(tmp_path: Path) -> None:
    # When this fails, pyAgrum has learnt GeNIe's order: the last parent before the first.
    write_network(example("asia"), tmp_path / "n.bifxml")
    net = pyagrum.loadBN(str(tmp_path / "n.bifxml"))
    pyagrum.saveBN(net, str(tmp_path / "n.xdsl"))
    again, network = read_network(tmp_path / "n.xdsl"), example("asia")
    # With bronchitis alone, and with something in the lungs alone.
    asked = [{"bronc": "yes", "either": "no"}, {"bronc": "no", "either": "yes"}]
    ours, theirs = ([_of_dysp(one, states) for states in asked] for one in (network, again))
    assert ours == [0.8, 0.7]
    assert theirs == pytest.approx([0.7, 0.8], abs=1e-6)


def _of_dysp(network: Network, states: dict[str, str]) -> float:
    parents = network.parents("dysp")
    row = tuple(network.variables[one].states.index(states[one]) for one in parents)
    return float(network.table("dysp")[(*row, network.variables["dysp"].states.index("yes"))])
