"""Names that a format cannot hold: found, written, and given back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_judges import networks

from bayesdx import (
    InvalidNetwork,
    Network,
    NoisyOrCPD,
    TableCPD,
    Variable,
    read_network,
    write_network,
)
from bayesdx.formats import Renaming

ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)


@pytest.mark.parametrize("suffix", [".bif", ".xmlbif", ".net", ".xdsl", ".uai"])
@settings(max_examples=25, deadline=None)
@given(network=networks(ANYTHING, ANYTHING))
def test_all_names_come_back(tmp_path_factory, suffix: str, network: Network) -> None:
    path = tmp_path_factory.mktemp("n") / f"n{suffix}"
    names = write_network(network, path, rename=True)
    again = read_network(path, rename=names.reversed())
    assert again.digest == network.digest
    # XDSL keeps the old name as a label, but for blanks and what cannot be printed.
    assert suffix == ".xdsl" or {one.label for one in again.variables.values()} == {""}


def example() -> Network:
    variables = [
        Variable("group:load", ("<5", ">=5")),
        Variable("Entzündung", ("30_to_39", "40")),
        Variable("group_load", ("a b", "a-b")),
    ]
    return Network(variables, [TableCPD(one.name, (), [0.5, 0.5]) for one in variables])


def test_names_stay_readable(tmp_path: Path) -> None:
    names = write_network(example(), tmp_path / "n.xdsl", rename=True)
    # What fits keeps its name, though it stands later.
    assert names.variables == {"group:load": "group_load_2", "Entzündung": "Entzundung"}
    assert names.states["group:load"] == {"<5": "lt_5", ">=5": "ge_5"}
    assert names.states["Entzündung"] == {"30_to_39": "s_30_to_39", "40": "s_40"}
    assert names.states["group_load"] == {"a b": "a_b", "a-b": "a_b_2"}
    read = read_network(tmp_path / "n.xdsl")
    assert read.variables["group_load_2"].label == "group:load"


def test_nothing_is_renamed_where_all_fits(tmp_path: Path) -> None:
    network = example()
    names = write_network(network, tmp_path / "n.bif", rename=True)
    assert not names
    assert read_network(tmp_path / "n.bif").digest == network.digest


def test_noisy_families_are_renamed_too() -> None:
    causes = ("a:1", "b:2")
    cpds = [TableCPD(name, (), [0.9, 0.1]) for name in causes]
    fever = NoisyOrCPD("f", ("a:1",), [0.5], 0.2, ("b:2",), [0.5])
    network = Network([Variable(name) for name in (*causes, "f")], [*cpds, fever])
    renaming = Renaming({"a:1": "a", "b:2": "b"})
    new = renaming.apply(network)
    assert new.parents("f") == ("a", "b")
    assert renaming.reversed().apply(new, labels=False).digest == network.digest


def test_json_and_back() -> None:
    renaming = Renaming({"a": "b"}, {"a": {"x": "y"}})
    assert Renaming.from_json(renaming.to_json()) == renaming


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, "[]", "{}", '{"variables": {"a": 1}, "states": {}}',
     '{"variables": {}, "states": {"a": "b"}}', '{"variables": {"a": ""}, "states": {}}'],
)  # fmt: skip
def test_other_files_are_no_names(text: str) -> None:
    with pytest.raises(InvalidNetwork, match=r"n\.json: expected (JSON|an object with variables)"):
        Renaming.from_json(text, "n.json")


def test_unknown_names_are_told_at_once() -> None:
    renaming = Renaming({"group:lod": "x"}, {"group_load": {"a  b": "y"}})
    with pytest.raises(InvalidNetwork, match="2 faults") as caught:
        renaming.apply(example())
    assert "got 'group:lod'. Nearest: group:load" in str(caught.value)
    assert "state of group_load" in str(caught.value)
