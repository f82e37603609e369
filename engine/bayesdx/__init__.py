"""bayesdx: Bayesian differential diagnosis, exact, with the source of every number.

Educational decision support. Not a medical device; it rules nothing out.

Names are imported when they are first used, so that ``import bayesdx`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # for type checkers, which know the name; `typing` takes its time
if TYPE_CHECKING:
    from typing import Any

    from bayesdx.diagnosis.asking.certificate import Certificate
    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.changing.before_after import CaseOutcome, WhatIf
    from bayesdx.diagnosis.changing.flips import Flips
    from bayesdx.diagnosis.changing.tipping_points import Turning, TurningPoints
    from bayesdx.diagnosis.diagnosing import Diagnosis
    from bayesdx.diagnosis.drift_check import Drift
    from bayesdx.diagnosis.engine import Engine, load
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.explaining.many import CaseExplanations
    from bayesdx.diagnosis.intervals import Intervals
    from bayesdx.diagnosis.learning.case_statistics import CaseStatistics, NextRound
    from bayesdx.diagnosis.learning.learned import Learned
    from bayesdx.diagnosis.many_cases import ManyAnswers
    from bayesdx.diagnosis.predictive_check import Surprise
    from bayesdx.diagnosis.red_flags import RedFlagHit
    from bayesdx.diagnosis.shown_texts import TextHit
    from bayesdx.diagnosis.triage import AskFirst, TriageHit
    from bayesdx.errors import (
        BayesdxError,
        Fault,
        InvalidCase,
        InvalidKnowledge,
        InvalidNetwork,
        TooComplex,
    )
    from bayesdx.formats import (
        Renaming,
        from_pgmpy,
        read_markov_network,
        read_network,
        read_uai_evidence,
        to_pgmpy,
        write_network,
    )
    from bayesdx.knowledge.profile_schema import Profile
    from bayesdx.knowledge.profiles import read_profile
    from bayesdx.network.cpds import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
    from bayesdx.network.markov import MarkovFactor, MarkovNetwork
    from bayesdx.network.network import Network
    from bayesdx.network.separation import Relevance
    from bayesdx.network.variables import Variable
    from bayesdx.presentation.plots import plot_tornado
    from bayesdx.tables.fitted_networks import fit
    from bayesdx.tables.joints import JointAnswer
    from bayesdx.tables.learned_network import LearnedNetwork
    from bayesdx.tables.markov_networks import CompiledMarkov, compile_markov
    from bayesdx.tables.network_answer import NetworkAnswer
    from bayesdx.tables.networks import CompiledNetwork, compile_network

__version__ = "0.2.0"

__all__ = [
    "AnyOfCPD",
    "AskFirst",
    "BayesdxError",
    "CaseExplanations",
    "CaseOutcome",
    "CaseStatistics",
    "CausalTable",
    "Certificate",
    "CompiledMarkov",
    "CompiledNetwork",
    "Diagnosis",
    "Drift",
    "Engine",
    "Explanation",
    "Fault",
    "Flips",
    "Intervals",
    "InvalidCase",
    "InvalidKnowledge",
    "InvalidNetwork",
    "JointAnswer",
    "Learned",
    "LearnedNetwork",
    "ManyAnswers",
    "MarkovFactor",
    "MarkovNetwork",
    "Network",
    "NetworkAnswer",
    "NextQuestions",
    "NextRound",
    "NoisyMaxCPD",
    "NoisyOrCPD",
    "Profile",
    "RedFlagHit",
    "Relevance",
    "Renaming",
    "Surprise",
    "TableCPD",
    "TextHit",
    "TooComplex",
    "TriageHit",
    "Turning",
    "TurningPoints",
    "Variable",
    "WhatIf",
    "__version__",
    "compile_markov",
    "compile_network",
    "fit",
    "from_pgmpy",
    "load",
    "plot_tornado",
    "read_markov_network",
    "read_network",
    "read_profile",
    "read_uai_evidence",
    "to_pgmpy",
    "write_network",
]

_MODULES = {
    "bayesdx.diagnosis.asking.certificate": ("Certificate",),
    "bayesdx.diagnosis.asking.questions": ("NextQuestions",),
    "bayesdx.diagnosis.causal": ("CausalTable",),
    "bayesdx.diagnosis.changing.before_after": (
        "CaseOutcome",
        "WhatIf",
    ),
    "bayesdx.diagnosis.changing.flips": ("Flips",),
    "bayesdx.diagnosis.changing.tipping_points": (
        "Turning",
        "TurningPoints",
    ),
    "bayesdx.diagnosis.diagnosing": ("Diagnosis",),
    "bayesdx.diagnosis.drift_check": ("Drift",),
    "bayesdx.diagnosis.engine": (
        "Engine",
        "load",
    ),
    "bayesdx.diagnosis.explaining.explanation": ("Explanation",),
    "bayesdx.diagnosis.explaining.many": ("CaseExplanations",),
    "bayesdx.diagnosis.intervals": ("Intervals",),
    "bayesdx.diagnosis.learning.case_statistics": ("CaseStatistics", "NextRound"),
    "bayesdx.diagnosis.learning.learned": ("Learned",),
    "bayesdx.diagnosis.many_cases": ("ManyAnswers",),
    "bayesdx.diagnosis.predictive_check": ("Surprise",),
    "bayesdx.diagnosis.red_flags": ("RedFlagHit",),
    "bayesdx.diagnosis.shown_texts": ("TextHit",),
    "bayesdx.diagnosis.triage": ("AskFirst", "TriageHit"),
    "bayesdx.errors": (
        "BayesdxError",
        "Fault",
        "InvalidCase",
        "InvalidKnowledge",
        "InvalidNetwork",
        "TooComplex",
    ),
    "bayesdx.formats": (
        "Renaming",
        "from_pgmpy",
        "read_markov_network",
        "read_network",
        "read_uai_evidence",
        "to_pgmpy",
        "write_network",
    ),
    "bayesdx.knowledge.profile_schema": ("Profile",),
    "bayesdx.knowledge.profiles": ("read_profile",),
    "bayesdx.network.cpds": (
        "AnyOfCPD",
        "NoisyMaxCPD",
        "NoisyOrCPD",
        "TableCPD",
    ),
    "bayesdx.network.markov": ("MarkovFactor", "MarkovNetwork"),
    "bayesdx.network.network": ("Network",),
    "bayesdx.network.separation": ("Relevance",),
    "bayesdx.network.variables": ("Variable",),
    "bayesdx.presentation.plots": ("plot_tornado",),
    "bayesdx.tables.fitted_networks": ("fit",),
    "bayesdx.tables.joints": ("JointAnswer",),
    "bayesdx.tables.learned_network": ("LearnedNetwork",),
    "bayesdx.tables.markov_networks": ("CompiledMarkov", "compile_markov"),
    "bayesdx.tables.network_answer": ("NetworkAnswer",),
    "bayesdx.tables.networks": (
        "CompiledNetwork",
        "compile_network",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bayesdx' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
