"""The typer application: commands in the order of the help text, imported when they are called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bayesdx import __version__
from bayesdx.cli.help_layout import Command, HelpContext
from bayesdx.cli.interrupts import imports_are_over

#: Command to its one line of help; a test holds these lines against the functions' docstrings.
COMMANDS: dict[str, str] = {
    "diagnose": "Work out one case.",
    "ask": "Ask question after question, the best one next.",
    "explain": "Say why a cause is as probable as it is.",
    "rank": "Rank causes by what would change without them.",
    "surprise": "Say how well the model fits one case.",
    "report": "Write a page about cases: what to do, how probable, why, how sure, what to ask.",
    "page": "Write a page that asks and answers in a browser, offline.",
    "what-if": "Answer a case as it would be, or find what would change its answer.",
    "score": "Work out a table of cases.",
    "verify": "Score a sample of an output again and compare.",
    "sample": "Draw synthetic cases from the model.",
    "compare": "Compare the documents as rivals.",
    "init": "Begin a knowledge folder of your own.",
    "check": "Lint a folder of knowledge.",
    "calibrate": "Move elicited numbers as little as possible until the constraints hold.",
    "learn": "Learn the numbers of a folder from cases.",
    "drift": "Say whether cases still are what the model says, over time.",
    "show": "Tell where a number comes from.",
    "list": "List causes, findings, risks or measured values with their ids.",
    "network": "Describe or convert a network file, answer cases on it, or learn its numbers.",
    "prepare": "Compile the fast sweeps now, so that no other command waits for it.",
    "demo": "Score the scenarios, print a few.",
    "examples": "Copy small files to try: cases, a network, rows.",
}
#: Module and function of a command where its own name, with _ for -, means something else.
ELSEWHERE = {
    "list": ("listing", "list_ids"),
    "network": ("network_command", "network"),
    "page": ("page_command", "page"),
}


def function_of(command: str) -> Callable[..., None]:
    """Import the function behind a command."""
    own = command.replace("-", "_")
    module, name = ELSEWHERE.get(command, (own, own))
    found: Callable[..., None] = getattr(import_module(f"bayesdx.cli.{module}"), name)
    return found


class CommandGroup(TyperGroup):
    """Commands that are imported when they are called; help and slips are answered at once."""

    context_class = HelpContext

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Read for suggestions after a slip; the commands themselves come from get_command.
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)
        self.only_names = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer gives it
        """Return the names of the commands in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer gives it
        """Import a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        if self.only_names:
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name])
        function = function_of(cmd_name)
        imports_are_over()
        single = typer.Typer(
            # Plain help: the same text on a terminal, in a file and in a test.
            rich_markup_mode=None,
            # main() decides what an error looks like.
            pretty_exceptions_enable=False,
            add_completion=False,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        single.command(cmd_name, cls=Command)(function)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer gives it
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the name of a command, without importing any."""
        self.only_names = True
        try:
            return list(super().shell_complete(ctx, incomplete))
        finally:
            self.only_names = False


app = typer.Typer(
    name="bayesdx",
    cls=CommandGroup,
    help="Bayesian differential diagnosis: exact posteriors of every cause, with the source of "
    "each number. Educational; not a medical device; it never rules anything out.",
    # What no_args_is_help would do, but with the same exit code in every version of typer.
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"bayesdx {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
