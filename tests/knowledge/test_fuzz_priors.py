"""Thousands of damaged priors folders: read, or refused with our own faults and a file."""

import random
from collections import Counter
from pathlib import Path

import pytest
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import build_core
from bayesdx.errors import BayesdxError, InvalidKnowledge
from bayesdx.knowledge.reading import read_knowledge

VALUES = (
    *("", "true", "0", "1", "-1", "0.5", "1e400", "5e-324", "nan", "inf", '""', '"x"', "[]", "{}"),
    *(
        "[[]]",
        "[0.1, 0.9]",
        "[1, 2, 3]",
        '["absent"]',
        "{ a = 1 }",
        "1979-05-27",
        '"\\ud800"',
        "9" * 30,
    ),
)


def damaged(rng: random.Random, text: str) -> bytes:
    """One to three faults in a TOML file."""
    for _ in range(rng.randint(1, 3)):
        lines = text.splitlines()
        if not lines:
            break
        at = rng.randrange(len(lines))
        kind = rng.randrange(7)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines[at] = f"{lines[at].split('=')[0]}= {rng.choice(VALUES)}"
        elif kind == 2:
            lines.insert(at, rng.choice(lines))
        elif kind == 3:
            lines[at : at + rng.randint(1, 8)] = []
        elif kind == 4:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 5:
            words = lines[at].split('"')
            lines[at] = '"'.join([*words[:-2], rng.choice(("clin", "cramp", "x", "")), words[-1]])
        else:
            place = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + rng.choice("x[]{}=\"'#.0\u00e9\x00") + lines[at][place:]
        text = "\n".join(lines) + "\n"
    data = text.encode()
    return data if rng.random() > 0.02 else data.replace(b"a", b"\xe9", 1)


def outcomes(folder: Path, seed: int, count: int) -> Counter[str]:
    write_priors(folder, SMALL)
    found: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        name = rng.choice(sorted(SMALL))
        path = folder / name
        if rng.random() < 0.02:
            path.unlink()
        else:
            path.write_bytes(damaged(rng, SMALL[name]))
        try:
            knowledge = read_knowledge(folder)
        except InvalidKnowledge:
            found["refused"] += 1
        else:
            try:
                build_core(knowledge)
                found["read"] += 1
            except BayesdxError:
                found["not built"] += 1
        path.write_text(SMALL[name], encoding="utf-8")
    return found


def test_damaged_priors(tmp_path: Path) -> None:
    found = outcomes(tmp_path, 1, 400)
    assert found["refused"] > 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_very_many_damaged_priors(tmp_path: Path, seed: int) -> None:
    outcomes(tmp_path, seed, 2000)
