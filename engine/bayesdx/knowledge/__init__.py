"""What clinicians wrote: causes, findings, risks, the numbers between them and their sources.

Names are imported when they are first used; inside bayesdx everybody names the module.
"""

from bayesdx.lazy import lazy

__getattr__, __all__ = lazy(
    {
        "bayesdx.knowledge.coverage": ("summary",),
        "bayesdx.knowledge.folders": ("find_priors",),
        "bayesdx.knowledge.knowledge": ("Knowledge",),
        "bayesdx.knowledge.linting": ("lint",),
        "bayesdx.knowledge.overrides": ("calibrated",),
        "bayesdx.knowledge.provenance": ("describe_cause", "describe_finding", "describe_risk"),
        "bayesdx.knowledge.reading": ("read_knowledge",),
        "bayesdx.knowledge.red_flag_schema": ("RedFlag",),
        "bayesdx.knowledge.schema": (
            *("Cause", "Condition", "Effect", "Finding", "Group"),
            *("Link", "Measure", "Number", "Risk", "Source"),
        ),
        "bayesdx.knowledge.statement_provenance": ("describe_statement",),
    }
)
