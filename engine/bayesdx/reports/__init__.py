"""Answers as pages that people read: one file, offline, printable. Needs the extra ``plot``."""

from bayesdx.reports.gathering import CaseReport, Effort, gather
from bayesdx.reports.page import page

__all__ = ["CaseReport", "Effort", "gather", "page"]
