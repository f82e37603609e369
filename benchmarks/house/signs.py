"""Signs of the house: how intricate the code is, in numbers that a change may lower, not raise.

Run ``python benchmarks/house/signs.py``, with ``--area DOTTED.PACKAGE`` for one part. Only
the source is read; nothing of the project is imported.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "engine"


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Dotted name -> file of every module under the source root."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def trees(files: dict[str, Path]) -> dict[str, ast.Module]:
    """Dotted name -> syntax tree."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in files.items()}


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names that a module imports when it is imported, ``package.name`` for ``from`` imports."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(parsed: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Module -> modules of the project that it imports at its top level."""
    graph: dict[str, set[str]] = {}
    for name, tree in parsed.items():
        found = set()
        for target in _imports(tree):
            while target and target not in parsed:
                target = target.rpartition(".")[0]
            if target:
                found.add(target)
        graph[name] = found - {name}
    return graph


def longest_chain(graph: dict[str, set[str]]) -> list[str]:
    """Longest chain of imports, from the top down."""

    @cache
    def chain(name: str) -> tuple[str, ...]:
        below = max((chain(other) for other in sorted(graph[name])), key=len, default=())
        return (name, *below)

    return list(max((chain(name) for name in sorted(graph)), key=len, default=()))


def helpers(parsed: dict[str, ast.Module]) -> tuple[int, int]:
    """Count private and public functions and methods; dunder methods are neither."""
    private = public = 0
    for tree in parsed.values():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if node.name.startswith("__"):
                    continue
                if node.name.startswith("_"):
                    private += 1
                else:
                    public += 1
    return private, public


def repeated_names(
    files: dict[str, Path], parsed: dict[str, ast.Module]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """File names and class names that occur more than once, with where."""
    by_file, by_class = defaultdict(list), defaultdict(list)
    for name, path in files.items():
        if not path.name.startswith("__"):
            by_file[path.name].append(name)
        for node in ast.walk(parsed[name]):
            if isinstance(node, ast.ClassDef):
                by_class[node.name.lstrip("_")].append(name)
    return (
        {name: where for name, where in by_file.items() if len(where) > 1},
        {name: where for name, where in by_class.items() if len(where) > 1},
    )


def module_caches(parsed: dict[str, ast.Module]) -> list[str]:
    """Caches that live as long as the process: cached functions and weak dictionaries."""
    found = []
    for name, tree in parsed.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                marks = [ast.unparse(one) for one in node.decorator_list]
                if any("cache" in mark and "compiled" not in mark for mark in marks):
                    found.append(f"{name}:{node.name}")
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                text = ast.unparse(node.value)
                if text.startswith(("WeakKeyDictionary(", "WeakValueDictionary(", "lru_cache")):
                    found.append(f"{name}:{ast.unparse(node).split('=')[0].split(':')[0].strip()}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the signs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", default="bayesdx", help="only modules under this package")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every repeated name")
    options = parser.parse_args(arguments)
    everything = modules()
    graph = import_graph(trees(everything))
    files = {
        name: path
        for name, path in everything.items()
        if name == options.area or name.startswith(options.area + ".")
    }
    parsed = trees(files)
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files.values())
    private, public = helpers(parsed)
    by_file, by_class = repeated_names(everything, trees(everything))
    inside = set(files)
    by_file = {name: where for name, where in by_file.items() if inside & set(where)}
    by_class = {name: where for name, where in by_class.items() if inside & set(where)}
    chain = longest_chain({name: graph[name] for name in graph})
    caches = module_caches(parsed)
    print(f"lines                          {lines:,}")
    print(f"private / public functions     {private} / {public} = {private / max(public, 1):.2f}")
    print(f"file names used more than once {len(by_file)}")
    print(f"class names used more than once {len(by_class)}")
    print(f"caches at module level         {len(caches)}")
    print(f"import depth (whole project)   {len(chain)}")
    if options.verbose:
        for kind, repeated in (("file", by_file), ("class", by_class)):
            for name, where in sorted(repeated.items()):
                print(f"  {kind} {name}: {', '.join(where)}")
        for cache in caches:
            print(f"  cache {cache}")
        print("  chain " + "\n     -> ".join(chain))
        sizes = Counter({name: len(path.read_text().splitlines()) for name, path in files.items()})
        for name, count in sizes.most_common(10):
            print(f"  {count:5} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
