"""The typer application: the commands in the order of the help text."""

from __future__ import annotations

from typing import Annotated

import typer

from bayesdx.cli.ask import ask
from bayesdx.cli.calibrate import calibrate
from bayesdx.cli.check import check
from bayesdx.cli.compare import compare
from bayesdx.cli.demo import demo
from bayesdx.cli.diagnose import diagnose
from bayesdx.cli.explain import explain
from bayesdx.cli.network import network
from bayesdx.cli.rank import rank
from bayesdx.cli.report import report
from bayesdx.cli.sample import sample
from bayesdx.cli.score import score
from bayesdx.cli.show import show
from bayesdx.cli.surprise import surprise
from bayesdx.cli.verify import verify
from bayesdx.cli.what_if import what_if
from bayesdx.diagnosis.wording import installed_version

app = typer.Typer(
    name="bayesdx",
    help="Bayesian differential diagnosis: exact posteriors of every cause, with the source of "
    "each number. Educational; not a medical device; it never rules anything out.",
    # What no_args_is_help would do, but with the same exit code in every version of typer.
    invoke_without_command=True,
    add_completion=False,
    # Plain help: the same text on a terminal, in a file and in a test.
    rich_markup_mode=None,
    # main() decides what an error looks like.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"bayesdx {installed_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


for _command in (
    diagnose,
    ask,
    explain,
    rank,
    surprise,
    report,
    what_if,
    score,
    verify,
    sample,
    compare,
    check,
    calibrate,
    show,
    network,
    demo,
):
    app.command()(_command)
