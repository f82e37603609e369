"""Broken files: whatever is in them, the answer is a network or InvalidNetwork, and soon."""

import random
import time
import warnings
from collections import Counter
from pathlib import Path

import pytest
from example_networks import example_text
from read_only_networks import READ_ONLY

from bayesdx import InvalidNetwork
from bayesdx.formats.bif import read_bif
from bayesdx.formats.draft import Draft
from bayesdx.formats.files import FORMATS, find_format, parse_network

ODD = (
    '"', "{", "}", "(", ")", ";", ",", "|", "//", "/*", "*/", "\n", "\\", "%", "\x00", "é", "NaN",
    "-1", "1e999", "1e-999", "0.5", "999999999", "table", "default", "variable", "probability",
    "property", "network", "type", "discrete", "[", "]", "&", "<", ">", "</", "<!--", "BAYES", "= ",
)  # fmt: skip
SLOWEST = 2.0


def mutated(text: str, chance: random.Random) -> str:
    """Cut, double, swap, overwrite and insert, once to six times; now and then only blanks."""
    for _ in range(chance.choice((1, 1, 1, 2, 6))):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + int(chance.expovariate(1 / 6)))
        other = chance.randrange(len(text) + 1)
        piece = text[other : other + chance.randint(1, 40)]
        text = chance.choice(
            (
                text[:at] + text[end:],
                text[:at] + piece + text[at:],
                text[:at] + piece + text[end:],
                text[:at] + chance.choice(ODD) + text[at:],
                text[:at] + chance.choice((" ", "\n", "// ?\n", "/**/")) + text[at:],
                text[:at] + chance.choice(ODD) * chance.randint(1, 30) + text[end:],
                text[:at],
            )
        )
        text = text or " "
    return text


def survive(read, texts) -> Counter[str]:
    """Read all; any other exception fails the test, and so does one that takes long."""
    outcomes: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in texts:
            start = time.process_time()
            try:
                read(text)
                outcomes["read"] += 1
            except InvalidNetwork as error:
                outcomes["refused" if "expected" in str(error) else "said nothing"] += 1
            assert time.process_time() - start < SLOWEST, text[:2000]
    assert not outcomes["said nothing"]
    return outcomes


def bif_texts(count: int, seed: int):
    chance = random.Random(seed)
    texts = [example_text(name) for name in ("asia", "cancer", "survey", "child")]
    texts.append('/* c */ variable "a b" { property x; type discrete [ 2 ] { "p,q", r }; } // d\n'
                 'probability ( "a b" ) { default 0.5, 0.5; }\n')  # fmt: skip
    for _ in range(count):
        yield mutated(chance.choice(texts), chance)


def test_two_thousand_broken_bif_files() -> None:
    outcomes = survive(lambda text: read_bif(text, Draft("n.bif")), bif_texts(2000, 1))
    # Both ways must be taken for this to mean anything.
    assert outcomes["read"] > 50
    assert outcomes["refused"] > 1000


@pytest.mark.slow
def test_twenty_thousand_broken_bif_files() -> None:
    survive(lambda text: read_bif(text, Draft("n.bif")), bif_texts(20_000, 2))


@pytest.mark.parametrize("suffix", sorted(READ_ONLY))
def test_broken_noisy_files_and_those_that_are_only_read(suffix: str) -> None:
    kind, _ = find_format(Path("n" + suffix))
    chance = random.Random(suffix)
    texts = (mutated(READ_ONLY[suffix], chance) for _ in range(600))
    outcomes = survive(lambda text: parse_network(text.encode(), "n" + suffix, kind), texts)
    assert outcomes["refused"] > 100
    assert outcomes["read"] > 10


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_broken_files_of_every_format(suffix: str) -> None:
    kind, _ = find_format(Path("n" + suffix))
    network = read_bif(example_text("survey"), Draft("survey"))
    chance = random.Random(suffix)
    whole = "".join(kind.write(network)) if kind.write else READ_ONLY[suffix]

    def read(text: str) -> None:
        content = text.encode()
        if chance.random() < 0.2:
            at = chance.randrange(len(content))
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        parse_network(content, "n" + suffix, kind)

    outcomes = survive(read, (mutated(whole, chance) for _ in range(400)))
    assert outcomes["refused"] > 100


@pytest.mark.parametrize(
    ("suffix", "piece"),
    [
        (".bif", "/* "), (".bif", "variable "), (".bif", "probability ("), (".bif", '"'),
        (".bif", "\n"), (".bif", "\nvariable x {\n"), (".bif", "{"), (".bif", "( "),
        (".net", '\\"'), (".net", "\n"), (".net", "node "), (".net", "% \n"), (".net", "("),
        (".dne", "node "), (".dne", "bnet N {"), (".dne", '"'), (".dne", "bnet N { a { "),
        (".dne", "/* "), (".dne", "bnet N { node X { a = "), (".pgmx", "<a>"),
        (".xml", "<a>"), (".xml", "&lt;"), (".uai", "BAYES "), (".uai", "# "), (".xdsl", "<!-- "),
    ],
)  # fmt: skip
def test_a_megabyte_of_nothing_ends_soon(suffix: str, piece: str) -> None:
    kind, _ = find_format(Path("n" + suffix))
    text = piece * (1_000_000 // len(piece))
    with pytest.raises(InvalidNetwork, match="expected"):
        parse_network(text.encode(), "n" + suffix, kind)


@pytest.mark.parametrize(
    "inside",
    [
        "property a; ",
        "table ",
        "(",
        "(a) ",
        "(a) 1 0; ",
        "default 1 0; ",
        '"',
        "(x) y; ",
        "( , ) 1;",
    ],
)
def test_a_megabyte_inside_a_table_ends_soon(inside: str) -> None:
    text = "".join(f"variable {name} {{ type discrete [ 2 ] {{ a, b }}; }}\n" for name in "AB")
    body = inside * (1_000_000 // len(inside))
    for tail in ("", "}", ";}"):
        with pytest.raises(InvalidNetwork, match="expected"):
            read_bif(f"{text}probability ( A | B ) {{ {body}{tail}", Draft("n.bif"))
        with pytest.raises(InvalidNetwork, match="expected"):
            read_bif(f"{text}variable C {{ {body}{tail}", Draft("n.bif"))
