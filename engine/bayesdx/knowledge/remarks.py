"""What a check has to say."""

from __future__ import annotations

from typing import Literal

Severity = Literal["error", "warning", "info"]

Remark = tuple[Severity, str, str]
"""Severity, place, message."""
