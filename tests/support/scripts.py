"""Modules of a benchmark, which is no package: its scripts import their neighbours by bare name."""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@contextmanager
def scripts(folder: Path, names: Sequence[str]) -> Iterator[SimpleNamespace]:
    """Read modules in this order, for as long as the block lasts."""
    before = {name: sys.modules.pop(name, None) for name in (*names, "figures")}
    sys.path.insert(0, str(folder))
    try:
        yield SimpleNamespace(**{name: _read(folder, name) for name in names})
    finally:
        sys.path.remove(str(folder))
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def _read(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The modules import each other by their bare names, as a script's neighbours do.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
