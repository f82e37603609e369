"""Exact answers on any discrete network: plans, kept by evidence signature, run over batches."""

from bayesdx.inference.general.engine import CompiledGeneral, GeneralAnswer
from bayesdx.inference.general.plan import Plan

__all__ = ["CompiledGeneral", "GeneralAnswer", "Plan"]
