"""What clinicians wrote: causes, findings, risks, the numbers between them and their sources."""

from bayesdx.knowledge.files import find_priors
from bayesdx.knowledge.lint import lint
from bayesdx.knowledge.provenance import (
    describe_cause,
    describe_finding,
    describe_risk,
    describe_statement,
)
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.red_flag_schema import RedFlag
from bayesdx.knowledge.schema import (
    Cause,
    Condition,
    Effect,
    Finding,
    Group,
    Knowledge,
    Link,
    Measure,
    Number,
    Risk,
    Source,
)

__all__ = [
    "Cause",
    "Condition",
    "Effect",
    "Finding",
    "Group",
    "Knowledge",
    "Link",
    "Measure",
    "Number",
    "RedFlag",
    "Risk",
    "Source",
    "describe_cause",
    "describe_finding",
    "describe_risk",
    "describe_statement",
    "find_priors",
    "lint",
    "read_knowledge",
]
