"""Knowledge as tables: what there is, and how common it is held to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesdx.diagnosis.results import plain

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.knowledge.schema import Cause

_NAN = float("nan")


def causes_frame(core: Core) -> pd.DataFrame:
    """One row a cause, excluded ones with prior 0; the leak is not a cause.

    ``prior`` is the value in use, ``prior_elicited`` the one that calibration started from.
    """
    knowledge, elicited = core.knowledge, core.elicited
    groups: dict[str, list[str]] = {}
    for group in knowledge.groups.values():
        for member in group.members:
            groups.setdefault(member, []).append(group.id)
    rows = {}
    for name, cause in knowledge.causes.items():
        if cause.kind == "leak":
            continue
        prior = cause.prior
        low, high = (prior.range if prior is not None and prior.range else None) or (_NAN, _NAN)
        rows[name] = {
            "label": cause.label,
            "kind": cause.kind,
            "prior": _prior_value(cause),
            "prior_elicited": _prior_value(elicited.causes[name]),
            "prior_low": low,
            "prior_high": high,
            "denominator": prior.denominator if prior is not None else "",
            "basis": prior.basis if prior is not None else "",
            "source": prior.source if prior is not None else "",
            "statements": ";".join(prior.statements) if prior is not None else "",
            "primary_share": cause.primary_share if cause.primary_share is not None else 0.0,
            "urgency": cause.urgency or "",
            "dangerous": cause.dangerous,
            "groups": ";".join(groups.get(name, ())),
            "icd10cm": ";".join(cause.icd10),
            "reason": cause.reason,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cause")


def _prior_value(cause: Cause) -> float:
    return cause.prior.value if cause.prior is not None else 0.0


def findings_frame(core: Core) -> pd.DataFrame:
    """One row a finding: states, who observes it, background as stated and as modelled."""
    rows = {}
    fits, urgency_only = core.assembly.fits, core.knowledge.urgency_only
    for name, finding in core.knowledge.findings.items():
        background, fit = finding.background, fits.get(name)
        rows[name] = {
            "label": finding.label,
            "question": finding.question,
            "kind": finding.kind,
            "states": ";".join(finding.states),
            "observed_by": finding.observed_by,
            "category": finding.category,
            "urgency_only": name in urgency_only,
            "hpo": ";".join(finding.hpo),
            "background": background.value if background is not None else _NAN,
            "modelled_background": fit.modelled if fit is not None else _NAN,
            "leak": fit.leak if fit is not None else _NAN,
            "over_explained": fit.over_explained if fit is not None else False,
            "basis": background.basis if background is not None else "",
            "source": background.source if background is not None else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("finding")


def risks_frame(core: Core) -> pd.DataFrame:
    """One row a risk: states and how common they are."""
    rows = {
        name: {
            "label": risk.label,
            "question": risk.question,
            "states": ";".join(risk.states),
            "prevalence": ";".join(f"{p:.12g}" for p in risk.probabilities),
            "denominator": risk.prevalence.denominator,
            "observed_by": risk.observed_by,
            "basis": risk.prevalence.basis,
            "source": risk.prevalence.source,
        }
        for name, risk in core.knowledge.risks.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("risk")


def engine_parts(core: Core) -> dict[str, Any]:
    """Say by which knowledge an engine answers; the knowledge itself is its files."""
    knowledge = core.knowledge
    model, setting = knowledge.model, knowledge.setting
    frames = (causes_frame, findings_frame, risks_frame)
    names = ("causes", "findings", "risks")
    return {
        "model": model.name,
        "version": model.version,
        "digest": knowledge.digest,
        "setting": None if setting is None else setting.label,
        "reference_population": model.reference_population,
        "intended_use": model.intended_use,
        "backend": core.backend,
        **{name: plain(core.once(one)) for name, one in zip(names, frames, strict=True)},
    }
