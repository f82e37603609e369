"""The 24 networks that come with pgmpy, against pgmpy's own reader and pyAgrum's."""

import time
import warnings

import numpy as np
import pyagrum
import pytest
from example_networks import example_files, example_text
from network_judges import assert_same, of_agrum, of_pgmpy

from bayesdx.formats.bif import read_bif
from bayesdx.formats.draft import Draft
from bayesdx.formats.files import read_network

NAMES = tuple(example_files())
# (variables, links), as the Bayesian Network Repository (bnlearn.com) states them.
SIZES = {
    "alarm": (37, 46),
    "andes": (223, 338),
    "asia": (8, 8),
    "barley": (48, 84),
    "child": (20, 25),
    "diabetes": (413, 602),
    "hailfinder": (56, 66),
    "hepar2": (70, 123),
    "insurance": (27, 52),
    "link": (724, 1125),
    "mildew": (35, 46),
    "munin": (1041, 1397),
    "munin1": (186, 273),
    "munin2": (1003, 1244),
    "munin3": (1041, 1306),
    "munin4": (1038, 1388),
    "pathfinder": (109, 195),
    "pigs": (441, 592),
    "water": (32, 66),
    "win95pts": (76, 112),
}
QUICK = ("asia", "child", "sachs", "alarm")
# pgmpy's writer and reader warn of their own doings; none of it is ours.
pytestmark = pytest.mark.filterwarnings("ignore:::pgmpy")


def test_there_are_24() -> None:
    assert len(NAMES) == 24
    assert set(SIZES) < set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_reads_each_without_a_warning(name: str) -> None:
    network = read_network(str(example_files()[name]))
    if name in SIZES:
        links = sum(len(cpd.parents) for cpd in network.cpds.values())
        assert (len(network.variables), links) == SIZES[name]
    for variable in network.variables:
        np.testing.assert_allclose(network.table(variable).sum(axis=-1), 1.0, atol=1e-9)


def test_awkward_names_of_child() -> None:
    network = read_network(str(example_files()["child"]))
    assert network.variables["ChestXray"].states[-1] == "Asy/Patch"
    assert network.variables["CO2Report"].states == ("<7.5", ">=7.5")
    assert network.variables["CardiacMixing"].states[-1] == "Transp."
    # The row "(Low) 0.9, 0.1" of the file.
    assert network.table("CO2Report")[1] == pytest.approx([0.9, 0.1])


def _pgmpy_reads(name: str):
    from pgmpy.readwrite import BIFReader

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return of_pgmpy(BIFReader(string=example_text(name)).get_model())


@pytest.mark.parametrize("name", QUICK)
def test_agrees_with_pgmpy(name: str) -> None:
    assert_same(read_bif(example_text(name), Draft(name)), _pgmpy_reads(name), 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in QUICK])
def test_agrees_with_pgmpy_on_the_others(name: str) -> None:
    assert_same(read_bif(example_text(name), Draft(name)), _pgmpy_reads(name), 1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "child"])
def test_agrees_with_pyagrum_as_far_as_it_reads(name: str, tmp_path) -> None:
    # It reads the decimals of BIF in single precision, and refuses a state of child.
    path = tmp_path / f"{name}.bif"
    path.write_text(example_text(name), encoding="utf-8")
    judged = of_agrum(pyagrum.loadBN(str(path)))
    assert_same(read_bif(example_text(name), Draft(name)), judged, 3e-8)


def test_forty_megabytes_are_read_in_seconds() -> None:
    rows, width, tables = 20_000, 20, 9
    numbers = ", ".join(["0.0512345"] * (width - 1) + [repr(1 - 0.0512345 * (width - 1))])
    states = ", ".join(f"s{at}" for at in range(rows))
    text = [f"variable a {{ type discrete [ {rows} ] {{ {states} }}; }}\n"]
    body = "".join(f"  (s{at}) {numbers};\n" for at in reversed(range(rows)))
    for table in range(tables):
        letters = ", ".join(f"x{at}" for at in range(width))
        text.append(f"variable b{table} {{ type discrete [ {width} ] {{ {letters} }}; }}\n")
        text.append(f"probability ( b{table} | a ) {{\n{body}}}\n")
    text.append(f"probability ( a ) {{\n  default {', '.join([repr(1 / rows)] * rows)};\n}}\n")
    whole = "".join(text)
    assert len(whole) > 40_000_000
    start = time.process_time()
    network = read_bif(whole, Draft("large.bif"))
    # Measured 3 s; pgmpy's reader would need minutes.
    assert time.process_time() - start < 30
    assert network.table("b8").shape == (rows, width)
