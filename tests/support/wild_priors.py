"""Damaged copies of a small priors folder, as `bounded_inputs` takes them: read, or our own fault.

What is read is built, asked about a case and checked as `bayesdx check` does: what a number may be
must hold to the end.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import build_core
from bayesdx.diagnosis.diagnosing import diagnose
from bayesdx.errors import BayesdxError, InvalidKnowledge
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.reading import read_knowledge

VALUES = (
    *("", "true", "0", "1", "-1", "0.5", "1e400", "5e-324", "nan", "-nan", "inf", '""', '"x"'),
    *("1e-308", "0.9999999999999999", "1e308", "-0.0", "1_0", "0x1F", "0b1", "1e-160", "1.0e0"),
    *("[]", "{}", "[[]]", "[0.1, 0.9]", "[1, 2, 3]", "[0.0, 0.0]", "[1.0, 0.0]", "[nan, 1]"),
    *('["absent"]', "{ a = 1 }", "1979-05-27", "07:32:00", '"\\ud800"', '"\\u0000"', "'''x'''"),
    *("9" * 30, "9" * 5000, "[" * 200 + "]" * 200, "[" * 3000, '"' + "x" * 9000 + '"', "[0.5,]"),
)
PIECES = (
    *"x[]{}=\"'#.0,\n\\é\x00-_e",
    "\u202e",
    "\ufeff",
    "[[",
    "]]",
    '"""',
    "nan",
    "\r",
    "9" * 20,
)


def damaged(rng: random.Random, text: str) -> bytes:
    """One to three faults in a TOML file."""
    for _ in range(rng.randint(1, 3)):
        lines = text.splitlines()
        if not lines:
            break
        at = rng.randrange(len(lines))
        kind = rng.randrange(9)
        if kind == 0:
            del lines[at]
        elif kind in (1, 2):
            lines[at] = f"{lines[at].split('=')[0]}= {rng.choice(VALUES)}"
        elif kind == 3:
            lines[at:at] = [rng.choice(lines)] * rng.choice((1, 1, 1, 300))
        elif kind == 4:
            lines[at : at + rng.randint(1, 8)] = []
        elif kind == 5:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 6:
            words = lines[at].split('"')
            lines[at] = '"'.join([*words[:-2], rng.choice(("clin", "cramp", "x", "")), words[-1]])
        elif kind == 7:
            lines[at] = _other_number(rng, lines[at])
        else:
            place = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + rng.choice(PIECES) + lines[at][place:]
        text = "\n".join(lines) + "\n"
    data = text.encode()
    return data if rng.random() > 0.02 else data.replace(b"a", b"\xe9", 1)


def _other_number(rng: random.Random, line: str) -> str:
    """Put one of the worst numbers in the place of one of a line, brackets and all left as is."""
    words = line.replace("[", "[ ").replace("]", " ]").replace(",", " ,").split(" ")
    places = [i for i, word in enumerate(words) if word[:1].isdigit()]
    if places:
        words[rng.choice(places)] = rng.choice(VALUES[:22])
    return " ".join(words)


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what damages a file, reads the folder and puts the file right again."""
    write_priors(folder, SMALL)
    _ask(read_knowledge(folder))

    def take(rng: random.Random) -> str:
        names = rng.sample(sorted(SMALL), rng.choice((1, 1, 1, 2)))
        for name in names:
            if rng.random() < 0.02:
                (folder / name).unlink()
            else:
                (folder / name).write_bytes(damaged(rng, SMALL[name]))
        try:
            return _read(folder)
        finally:
            for name in names:
                (folder / name).write_text(SMALL[name], encoding="utf-8")

    return take


def _read(folder: Path) -> str:
    try:
        knowledge = read_knowledge(folder)
    except InvalidKnowledge as error:
        return "refused" if "expected" in str(error) else "said nothing"
    try:
        _ask(knowledge)
    except BayesdxError as error:
        return "not built" if "expected" in str(error) else "said nothing"
    return "read"


def _ask(knowledge: Knowledge) -> None:
    lint(knowledge)
    core = build_core(knowledge)
    for count in (0, 1, len(core.states)):
        # The last state of a variable is the one that says most.
        found = diagnose(core, {name: of[-1] for name, of in [*core.states.items()][:count]})
        assert not math.isnan(found.log_evidence)
        assert found.table["posterior"].between(0.0, 1.0).all() or found.log_evidence == -math.inf
