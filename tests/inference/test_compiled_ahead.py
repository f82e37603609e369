"""Code that is compiled ahead serves other processes: what `bayesdx prepare` is for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="the extra 'fast' is not installed")

PROGRAM = """
import sys
from bayesdx.inference.typed import compile_ahead, kept

@kept
def span(address: int, first: int, last: int) -> int:
    return last - first

if sys.argv[1] == "ahead":
    compile_ahead(span)
else:
    assert span(0, 3, 7) == 4
print(sum(span.stats.cache_hits.values()), sum(span.stats.cache_misses.values()))
"""


def test_a_call_in_another_process_finds_what_was_compiled_ahead(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")

    def found_and_compiled(what: str) -> tuple[int, int]:
        ran = subprocess.run(
            [sys.executable, str(program), what],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept")},
            capture_output=True,
            text=True,
            check=True,
        )
        hits, misses = ran.stdout.split()
        return int(hits), int(misses)

    assert found_and_compiled("ahead") == (0, 1)
    assert found_and_compiled("call") == (1, 0)
    assert found_and_compiled("ahead") == (1, 0)
