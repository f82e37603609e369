"""The network of a knowledge folder for other programs: with labels where people read names."""

from __future__ import annotations

from dataclasses import replace

from bayesdx.building.assembly import assemble
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.network.network import Network


def labelled_network(knowledge: Knowledge) -> Network:
    """Build the network of a knowledge folder.

    Returns
    -------
    Network
        Risks, causes, findings and groups; ``background:ID`` carries a background of a finding that
        depends on risks. Labels are those of the knowledge.
    """
    network = assemble(knowledge).network
    labels = {
        name: one.label
        for several in (knowledge.risks, knowledge.causes, knowledge.findings)
        for name, one in several.items()
    }
    labels |= {f"group:{name}": one.label for name, one in knowledge.groups.items()}
    variables = [
        replace(variable, label=labels.get(name, ""))
        for name, variable in network.variables.items()
    ]
    return Network(variables, network.cpds.values())
