"""Names of the columns of answers of networks."""

from __future__ import annotations

import json
from collections import Counter

from bayesdx.network.network import Network


def posterior_columns(network: Network) -> dict[str, list[str]]:
    """Return the names of the columns of each variable's posterior, ``variable=state``.

    Where two of them would have the same name, as ``A=x=1`` of variable ``A=x`` and of state
    ``x=1``, whatever holds a sign of equality is put in quotation marks: ``"A=x"=1``, ``A="x=1"``.
    """

    def named(quoted: bool) -> dict[str, list[str]]:
        def part(text: str) -> str:
            return json.dumps(text, ensure_ascii=False) if quoted and set('"=') & {*text} else text

        return {
            name: [f"{part(name)}={part(state)}" for state in variable.states]
            for name, variable in network.variables.items()
        }

    plain = named(quoted=False)
    count = Counter(column for columns in plain.values() for column in columns)
    return named(quoted=True) if max(count.values(), default=1) > 1 else plain
