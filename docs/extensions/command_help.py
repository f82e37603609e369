"""The help of every command, as the command prints it: the directive ``command-help``."""

from __future__ import annotations

from collections.abc import Iterable

from docutils import nodes
from sessions import in_process, within
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bayesdx.cli.app import COMMANDS


class CommandHelp(SphinxDirective):
    """A section a command; each can be pointed to as ``command-NAME``."""

    def run(self) -> list[nodes.Node]:
        """Ask every command for its help."""
        found: list[nodes.Node] = [contents(COMMANDS)]
        for name in COMMANDS:
            with within(self.env.srcdir):  # type: ignore[arg-type]  # Sphinx' own path
                code, text = in_process([name, "--help"], "")
            if code:
                found.append(self.state.document.reporter.warning(f"{name} --help: exit {code}"))
            label, title = f"command-{name}", f"bayesdx {name}"
            section = nodes.section("", nodes.title("", title), ids=[label], names=[label])
            section += nodes.literal_block(text, text.rstrip(), language="text")
            self.state.document.note_explicit_target(section)
            found.append(section)
        return found


def contents(names: Iterable[str]) -> nodes.Node:
    """Return links to the sections, in one line: the page is long."""
    line = nodes.paragraph()
    for name in names:
        link = nodes.reference("", name, refid=f"command-{name}", internal=True)
        line += [nodes.Text(" · ")] * bool(line.children) + [link]
    return line


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
