"""Sessions that run when the manual is built, each page in a folder and with names of its own.

``session``   Python, shown as a prompt shows it
``terminal``  commands of a shell; those of bayesdx run in this process, and read the packaged
              knowledge once
``textfile``  a file that is shown, and written for the commands that follow
``picture``   Python that draws a figure
``claim``     Python that is not shown: what the prose beside it says, as assertions
``value``     a role: an expression as in an f-string, ``{value}`len(engine.causes):.0f```

What fails is a warning, and so ends a build by `make docs`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

import bayesdx

ROOT = Path(__file__).resolve().parents[2]
#: What a reader of the checkout has beside the page, at the same names.
BESIDE = ("examples", "priors", "scenarios")
WIDTH = 80
#: What makes of a line more than one command with its words.
OF_A_SHELL = frozenset("|<>;&$*")


class Page:
    """The names and the folder of one page.

    Attributes
    ----------
    folder : Path
        Where its commands run.
    names : dict
        The module in which its Python runs.
    pictures : int
        How many were drawn so far.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bayesdx-manual-"))
        for name in BESIDE:
            (self.folder / name).symlink_to(ROOT / name)
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.pictures = 0


PAGES: dict[str, Page] = {}


class Running(SphinxDirective):
    """What the directives share: the page, and how a fault is told."""

    has_content = True

    def page(self) -> Page:
        """Return the names and folder of this page."""
        return PAGES.setdefault(self.env.docname, Page())

    def told(self, what: str, output: str) -> list[nodes.Node]:
        """Return a warning that names what went wrong."""
        text = f"{what}\n{textwrap.indent(output, '    ')}"
        return [self.state.document.reporter.warning(text, line=self.lineno)]

    def literal(self, text: str, language: str) -> nodes.Node:
        """Return text as it stands."""
        block = nodes.literal_block(text, text, language=language)
        self.set_source_info(block)
        return block


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    """Work in a folder, with the width of a terminal and no colours."""
    before = Path.cwd()
    kept = os.environ.copy()
    os.chdir(folder)
    os.environ |= {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), kept["PATH"]))
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(kept)


def shown_value(value: object) -> None:
    """Print a value as a prompt does, but leave no name behind."""
    if value is not None:
        print(repr(value))


def outcome(tree: ast.Interactive, names: dict[str, Any], raises: str | None) -> str:
    """Run one statement and return what it printed, its exception if that is expected."""
    out = io.StringIO()
    before, sys.displayhook = sys.displayhook, shown_value
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(tree, "<session>", "single"), names)
    except Exception as reason:
        if type(reason).__name__ != raises:
            raise
        kind = type(reason)
        out.write(f"Traceback (most recent call last):\n    ...\n{kind.__module__}.")
        out.write(f"{kind.__qualname__}: {reason}\n")
    finally:
        sys.displayhook = before
    return out.getvalue()


class Session(Running):
    """Python as a prompt shows it; ``:raises:`` names the exception that a statement may end in."""

    option_spec: ClassVar[dict[str, Any]] = {"raises": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Run every statement in turn."""
        page, shown = self.page(), []
        source = "\n".join(self.content)
        lines = source.splitlines()
        done = 0
        for node in ast.parse(source).body:
            first, *rest = lines[done : node.end_lineno]
            while not first.strip():
                first, *rest = rest
            shown += [f">>> {first}", *(f"... {line}" for line in rest)]
            done = node.end_lineno or done
            try:
                with within(page.folder):
                    tree = ast.Interactive([node])
                    printed = outcome(tree, page.names, self.options.get("raises"))
            except Exception as reason:  # noqa: BLE001 - told, whatever it is
                return self.told("a session failed", f"{shown[-1]}\n{reason!r}")
            shown += printed.splitlines()
        return [self.literal("\n".join(shown), "pycon")]


class Claim(Running):
    """Python that is not shown: preparation, and assertions of what the prose says."""

    def run(self) -> list[nodes.Node]:
        """Run it."""
        page = self.page()
        try:
            with within(page.folder):
                exec(compile("\n".join(self.content), "<claim>", "exec"), page.names)
        except Exception as reason:  # noqa: BLE001 - told, whatever it is
            return self.told("a claim does not hold", repr(reason))
        return []


class Picture(Running):
    """A figure of matplotlib, drawn now; the argument is its caption, ``:alt:`` what it shows."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "code": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Draw it and put it on the page."""
        import matplotlib as mpl
        from matplotlib import pyplot as plt

        page, source = self.page(), "\n".join(self.content)
        page.pictures += 1
        name = f"{self.env.docname.replace('/', '-')}-{page.pictures}.svg"
        path = Path(self.env.srcdir) / "_build" / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # The same figure is the same file.
        style = {"svg.hashsalt": name, "svg.fonttype": "path", "font.size": 9}
        try:
            with within(page.folder), mpl.rc_context(style):
                exec(compile(source, "<picture>", "exec"), page.names)
                plt.gcf().savefig(path, bbox_inches="tight", metadata={"Date": None})
        except Exception as reason:  # noqa: BLE001 - told, whatever it is
            return self.told("a picture failed", repr(reason))
        finally:
            plt.close("all")
        image = nodes.image(uri=f"/_build/pictures/{name}", alt=self.options["alt"])
        text, faults = self.parse_inline(self.arguments[0])
        figure = nodes.figure("", image, nodes.caption("", "", *text))
        self.set_source_info(figure)
        code = [self.literal(source, "python")] if "code" in self.options else []
        return [*code, figure, *faults]


class TextFile(Running):
    """A file: shown, and written for what follows."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"language": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Write it and show it."""
        path = self.page().folder / self.arguments[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(self.content)
        path.write_text(text + "\n", encoding="utf-8")
        block = self.literal(text, self.options.get("language", "text"))
        title = nodes.caption("", self.arguments[0])
        return [nodes.container("", title, block, literal_block=True)]


class Terminal(Running):
    """Commands and what they print.

    ``:exit:`` is the code that the last one is expected to end with, 0 by default; ``:answers:``
    what is typed into it, words with blanks between; ``:first:`` how many lines of its output are
    shown.
    """

    option_spec: ClassVar[dict[str, Any]] = {
        "exit": directives.nonnegative_int,
        "answers": directives.unchanged,
        "first": directives.positive_int,
    }

    def run(self) -> list[nodes.Node]:
        """Run every line in turn."""
        page, shown = self.page(), []
        typed = "".join(f"{word}\n" for word in self.options.get("answers", "").split())
        lines = [line for line in self.content if line.strip()]
        for line in lines:
            expected = self.options.get("exit", 0) if line is lines[-1] else 0
            with within(page.folder):
                code, output = ran(line, typed)
            if code != expected:
                return self.told(f"{line}: expected exit code {expected}, got {code}", output)
            printed = output.replace(f"{page.folder}{os.sep}", "").rstrip().splitlines()
            most = self.options.get("first", len(printed))
            shown += [f"$ {line}", *printed[:most], *(["..."] if len(printed) > most else [])]
        return [self.literal("\n".join(shown), "console")]


def ran(line: str, typed: str) -> tuple[int, str]:
    """Run a line of a shell; return its exit code and what it printed, errors among it."""
    if line.startswith("bayesdx ") and not OF_A_SHELL & set(line):
        return in_process(shlex.split(line, comments=True)[1:], typed)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


def in_process(arguments: list[str], typed: str) -> tuple[int, str]:
    """Run a command of bayesdx here; reading the packaged knowledge once is enough."""
    from bayesdx.cli import main

    # With a buffer of bytes below, as a command has that writes a table.
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    load, stdin = bayesdx.load, sys.stdin
    bayesdx.load = lambda folder=None, **other: (
        load(folder, **other) if folder or any(other.values()) else packaged(load)
    )
    sys.stdin = io.StringIO(typed)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main(arguments)
    finally:
        bayesdx.load, sys.stdin = load, stdin
    return code, raw.getvalue().decode("utf-8")


ENGINES: list[bayesdx.Engine] = []


def packaged(load: Any) -> bayesdx.Engine:
    """Return the engine of the packaged knowledge."""
    if not ENGINES:
        ENGINES.append(load())
    return ENGINES[0]


class Value(SphinxRole):
    """An expression of the page's names, written as in an f-string."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Work it out."""
        page = PAGES.setdefault(self.env.docname, Page())
        try:
            text = eval(f'f"""{{{self.text}}}"""', page.names)
        except Exception as reason:  # noqa: BLE001 - told, whatever it is
            said = f"{self.text}: {reason!r}"
            return [], [self.inliner.reporter.warning(said, line=self.lineno)]
        return [nodes.Text(text)], []


def begun(app: Sphinx, docname: str, source: list[str]) -> None:  # noqa: ARG001 - as Sphinx calls
    """Begin every page anew: numbers are printed alike, and no name is left of another page."""
    import pandas as pd

    pd.set_option("display.width", WIDTH)
    pd.set_option("display.max_columns", 8)
    forget(docname)


def forget(docname: str) -> None:
    """Remove the folder of a page."""
    if (page := PAGES.pop(docname, None)) is not None:
        shutil.rmtree(page.folder, ignore_errors=True)


def ended(app: Sphinx, reason: Exception | None) -> None:  # noqa: ARG001 - as Sphinx calls it
    """Remove the folders of all pages."""
    for docname in list(PAGES):
        forget(docname)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it; one process reads all pages, since working folders are of a process."""
    import matplotlib as mpl

    mpl.use("agg")
    app.add_directive("session", Session)
    app.add_directive("claim", Claim)
    app.add_directive("picture", Picture)
    app.add_directive("textfile", TextFile)
    app.add_directive("terminal", Terminal)
    app.add_role("value", Value())
    app.connect("source-read", begun)
    app.connect("build-finished", ended)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
