"""One engine and one network for all tests of the public surface."""

from __future__ import annotations

import pytest

import bayesdx
from bayesdx.network import NoisyOrCPD, TableCPD

#: The same three cases, as everything of this folder is asked about.
ROWS: list[dict[str, object]] = [
    {"fever": "present", "age": 41, "fair_pos": None},
    {"fever": None, "age": 70, "fair_pos": "absent"},
    {"fever": "absent", "age": None, "fair_pos": "present"},
]


@pytest.fixture(scope="session")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture
def rows() -> list[dict[str, object]]:
    return [dict(row) for row in ROWS]


@pytest.fixture(scope="session")
def network() -> bayesdx.Network:
    names = ("cold", "flu", "0")
    return bayesdx.Network(
        [bayesdx.Variable(name, ("no", "yes")) for name in names],
        [
            TableCPD("cold", (), [0.9, 0.1]),
            TableCPD("flu", (), [0.95, 0.05]),
            NoisyOrCPD("0", ("cold", "flu"), [0.4, 0.8], 0.01),
        ],
    )
