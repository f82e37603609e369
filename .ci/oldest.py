"""Print the lowest versions that pyproject.toml allows, as constraints for pip: make oldest.

Of what bayesdx runs with, not of the tools that test it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
#: Of the test tools, what users hand in or take out.
ALSO = ("polars", "xarray", "cloudpickle", "joblib")
#: An old matplotlib and an old typer call them by names that newer ones deprecate.
OTHERS = ("pyparsing<3.3", "click<8.5")


def oldest() -> list[str]:
    """Return a line of each requirement with a lower bound."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["plot"], *extras["fast"]]
    asked += [*extras["distributed"], *extras["pgmpy"]]
    asked += [one for one in extras["test"] if one.startswith(ALSO)]
    lowest = {}
    for requirement in asked:
        if found := re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", requirement):
            lowest[found[1]] = found[2]
    return [*(f"{name}=={version}" for name, version in sorted(lowest.items())), *OTHERS]


if __name__ == "__main__":
    print("\n".join(oldest()))
