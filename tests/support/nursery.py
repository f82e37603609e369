"""Commands in processes of their own, without the wait for imports: forked, not started."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_MOTHER = """
import json, os, sys
import bayesdx.cli.app, bayesdx.tables.execution.table_run, bayesdx.tables.execution.verification
from bayesdx.cli import main
for line in sys.stdin:
    arguments, said = json.loads(line)
    child = os.fork()
    if child == 0:
        # Not before: signals that come while a process is being forked are dropped.
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.write(1, b"%d\\n" % os.getpid())
        code = main(arguments)
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """A process that has imported the command and forks a child for each call of it."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._said = folder / "said.txt"
        self._mother = subprocess.Popen(
            [sys.executable, "-c", _MOTHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, *arguments: str) -> int:
        """Begin a command and return its process."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps([arguments, str(self._said)]) + "\n")
        self._mother.stdin.flush()
        return self._number()

    def end(self) -> tuple[int, str]:
        """Wait for the command; return its exit code (minus the signal) and what it said."""
        return self._number(), self._said.read_text()

    def _number(self) -> int:
        assert self._mother.stdout is not None
        return int(self._mother.stdout.readline())

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: Any) -> None:
        self._mother.communicate()
