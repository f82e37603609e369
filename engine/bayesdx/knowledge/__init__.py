"""What clinicians wrote: causes, findings, risks, the numbers between them and their sources."""

from bayesdx.knowledge.coverage import summary
from bayesdx.knowledge.files import find_priors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.lint import lint
from bayesdx.knowledge.overrides import calibrated
from bayesdx.knowledge.provenance import (
    describe_cause,
    describe_finding,
    describe_risk,
)
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.red_flag_schema import RedFlag
from bayesdx.knowledge.schema import (
    Cause,
    Condition,
    Effect,
    Finding,
    Group,
    Link,
    Measure,
    Number,
    Risk,
    Source,
)
from bayesdx.knowledge.statement_provenance import describe_statement

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
    "calibrated",
    "describe_cause",
    "describe_finding",
    "describe_risk",
    "describe_statement",
    "find_priors",
    "lint",
    "read_knowledge",
    "summary",
]
