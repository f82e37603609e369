"""What the command says of itself."""

import inspect

import pytest

from bayesdx.cli import app

COMMANDS = (
    "diagnose",
    "ask",
    "explain",
    "rank",
    "surprise",
    "report",
    "page",
    "what-if",
    "score",
    "verify",
    "sample",
    "compare",
    "init",
    "check",
    "calibrate",
    "learn",
    "drift",
    "show",
    "list",
    "network",
    "prepare",
    "demo",
    "examples",
)


def test_help_lists_the_commands_in_order(run) -> None:
    ran = run("--help")
    assert ran.code == 0
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("  ")]
    assert [word for word in listed if word in COMMANDS] == list(COMMANDS)


def test_help_says_what_it_is_not(run) -> None:
    said = " ".join(run("--help").out.split())
    assert "not a medical device" in said
    assert "never rules anything out" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_priors(run, command: str) -> None:
    # A network file is knowledge by itself.
    ran = run(command, "-h")
    assert ran.code == 0
    assert ran.err == ""
    assert f"Usage: bayesdx {command}" in ran.out
    assert ("-p, --priors FOLDER" in ran.out) == (
        command not in ("init", "learn", "drift", "network", "prepare", "examples")
    )


def test_version(run) -> None:
    ran = run("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("bayesdx ")


def test_bare_command_shows_help_and_counts_as_bad_input(run) -> None:
    ran = run()
    assert ran.code == 2
    assert "Usage: bayesdx" in ran.out + ran.err


def test_lines_of_help_are_those_of_the_commands(run) -> None:
    assert tuple(app.COMMANDS) == COMMANDS
    for command, line in app.COMMANDS.items():
        function = app.function_of(command)
        assert (inspect.getdoc(function) or "").splitlines()[0] == line, command
        assert f"bayesdx {command}" in run(command, "-h").out


def test_a_slip_gets_the_nearest_command(run) -> None:
    ran = run("diagnos", "fever")
    assert ran.code == 2
    assert "No such command 'diagnos'. Did you mean 'diagnose'?" in " ".join(ran.err.split())
