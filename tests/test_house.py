"""Rules of the house that no linter knows."""

import ast
import tomllib
from pathlib import Path

import pytest
from scripts import BENCHMARKS, scripts

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "engine").rglob("*.py"))


def functions(module: str) -> list[tuple[str, int, int]]:
    """Name, lines, and lines of the body without its docstring, of every function."""
    found = []
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            told = ast.get_docstring(node) is not None
            body = node.body[1:] if told else node.body
            code = (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0
            found.append((f"{module}:{node.name}", lines, code))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_are_short(module: str) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    assert len(text.splitlines()) < LONGEST_FILE
    too_long = [name for name, _, code in functions(module) if code >= LONGEST_FUNCTION]
    assert too_long == []


def test_hardly_a_function_is_long_with_its_docstring() -> None:
    every = [one for module in MODULES for one in functions(module)]
    too_long = [name for name, lines, _ in every if lines >= LONGEST_FUNCTION]
    assert len(too_long) < 0.01 * len(every), too_long


def test_runtime_requirements_are_bounded_above_and_below() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    loose = [one for one in project["dependencies"] if ">=" not in one or "<" not in one]
    assert loose == []


def test_changelog_tells_of_this_version_or_the_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [" in text
    assert "### Changed numbers" in text


def test_continuous_integration_calls_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert "make --no-print-directory test" in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o100


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    package = (ROOT / "engine/bayesdx/__init__.py").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
    assert f'__version__ = "{project["version"]}"' in package


def test_what_an_heir_needs_is_there_and_linked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("LICENSE", "CITATION.cff", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md"):
        assert (ROOT / name).is_file(), name
        assert f"({name})" in readme, name
    assert "CC BY 4.0" in (ROOT / "priors" / "README.md").read_text(encoding="utf-8")


def test_signs_of_the_house() -> None:
    """How intricate the code is may fall, not rise; `benchmarks/house/signs.py -v` names places."""
    folder = BENCHMARKS / "house"
    with scripts(folder, ("signs",)) as modules:
        signs = modules.signs
        files = signs.modules()
        parsed = signs.trees(files)
        private, public = signs.helpers(parsed)
        by_file, by_class = signs.repeated_names(files, parsed)
        assert by_file == {}
        assert by_class == {}
        assert signs.module_caches(parsed) == []
        chain = signs.longest_chain(signs.import_graph(parsed))
        assert len(chain) <= 15, chain
        assert private <= 0.9 * public
