"""Network files of every format, damaged, as `bounded_inputs` takes them: read, or refused.

Cut, mutated, with counts that nobody can hold, nested deeply, packed so that little becomes much.
"""

from __future__ import annotations

import gzip
import random
import re
import warnings
from collections.abc import Callable
from pathlib import Path

from read_only_networks import READ_ONLY

from bayesdx import InvalidNetwork, read_network
from bayesdx.formats.bif import read_bif
from bayesdx.formats.draft import Draft, InexactNetworkWarning
from bayesdx.formats.files import FORMATS, parse_network
from bayesdx.network import Network

TEXTS = (
    *(
        '"',
        "{",
        "}",
        "(",
        ")",
        ";",
        ",",
        "|",
        "//",
        "/*",
        "*/",
        "\n",
        "\\",
        "%",
        "\x00",
        "é",
        "[",
        "]",
    ),
    *("NaN", "inf", "-1", "1e999", "1e-999", "0.5", "-0.0", "1e-308", "5e-324", "0x1", "1_0", "١"),
    *("table", "default", "variable", "probability", "property", "network", "type", "discrete"),
    *("&", "<", ">", "</", "<!--", "<![CDATA[", "]]>", "&lt;", "&#0;", "&#x110000;", "<?x?>", "= "),
    *("BAYES", "MARKOV", "node", "potential", "data", "states", "\ufeff", "\ud7ff", "\u202e", "#"),
)
#: Counts and numbers that would take more memory or time than there is.
HUGE = ("999999999", "2147483648", "-2147483649", "9" * 19, "9" * 400, "9" * 5000, "1e300", "-0")
BOMB = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "{}">]><BIF>&b;</BIF>'
OPENINGS = (
    "<a>",
    "(",
    "{",
    "[",
    "((",
    "/*",
    '"',
    "node x {",
    "<NETWORK>",
    "data = (",
    "variable a {",
)


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what damages the file of a network, in one of the formats, and reads it."""
    wholes = _files(_network(("yes", "no"), 3))
    # Rows that were divided are told; that is no defect.
    warnings.simplefilter("ignore", InexactNetworkWarning)
    larger = _files(_network(("a", "b", "c"), 6))

    def take(rng: random.Random) -> str:
        suffix = rng.choice(sorted(FORMATS))
        data = damaged(rng, rng.choice((wholes, wholes, larger))[suffix])
        packed = rng.random() < 0.1
        try:
            if packed:
                path = folder / f"n{suffix}.gz"
                data = gzip.compress(data, mtime=0)
                path.write_bytes(_other_bytes(rng, data) if rng.random() < 0.5 else data)
                read_network(path, normalise=rng.random() < 0.5)
            else:
                codec = rng.choice((*[None] * 9, "latin-1", "utf-16", "cp037", "idna", "x", "hex"))
                parse_network(data, f"n{suffix}", FORMATS[suffix], encoding=codec)
        except InvalidNetwork as error:
            return "refused" if "expected" in str(error) else "said nothing"
        return "read"

    return take


def _files(network: Network) -> dict[str, bytes]:
    """A sound file of each format: of this network, or a small one where it is only read."""
    return {
        suffix: "".join(kind.write(network) if kind.write else READ_ONLY[suffix]).encode()
        for suffix, kind in FORMATS.items()
    }


def _network(states: tuple[str, ...], count: int) -> Network:
    """A chain."""
    of = f"type discrete [ {len(states)} ] {{ {', '.join(states)} }};"
    kinds = "".join(f"variable V{i} {{ {of} }}\n" for i in range(count))
    row = ", ".join(["0.5", "0.5", *["0.0"] * (len(states) - 2)])
    tables = ["probability ( V0 ) { table " + row + "; }"]
    tables += [f"probability ( V{i} | V{i - 1} ) {{ default {row}; }}" for i in range(1, count)]
    return read_bif(kinds + "\n".join(tables), Draft("n.bif"))


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A file with one to six faults, or one fault of a size that must not matter."""
    kind = rng.randrange(10)
    if kind == 0:
        return data[: rng.randrange(len(data) + 1)]
    if kind == 1:
        return _huge_count(rng, data)
    if kind == 2:
        return _deep(rng, data)
    if kind == 3 and rng.random() < 0.1:
        return BOMB.format("&a;" * rng.choice((10, 1000, 100_000))).encode()
    if kind in (3, 4):
        for _ in range(rng.choice((1, 1, 2, 6))):
            data = _other_bytes(rng, data)
        return data
    text = data.decode()
    for _ in range(rng.choice((1, 1, 1, 2, 6))):
        text = _other_text(rng, text) or " "
    return text.encode("utf-8", "surrogatepass")


def _huge_count(rng: random.Random, data: bytes) -> bytes:
    """Another number in the place of one or two."""
    text = data.decode()
    for _ in range(rng.choice((1, 1, 2))):
        places = [*re.finditer(r"[0-9][0-9.e+-]*", text)]
        if places:
            start, end = rng.choice(places).span()
            text = text[:start] + rng.choice(HUGE) + text[end:]
    return text.encode()


def _deep(rng: random.Random, data: bytes) -> bytes:
    """The same opening thousands of times, at the beginning or within."""
    at = rng.choice((0, rng.randrange(len(data))))
    many = rng.choice(OPENINGS).encode() * rng.choice((100, 10_000, 100_000))
    return data[:at] + many + data[at:]


def _other_bytes(rng: random.Random, data: bytes) -> bytes:
    held = bytearray(data or b" ")
    at = rng.randrange(len(held))
    held[at : at + rng.choice((0, 1, 1, 4))] = rng.randbytes(rng.choice((0, 1, 4)))
    return bytes(held)


def _other_text(rng: random.Random, text: str) -> str:
    """Cut, double, overwrite or insert a piece, or lines exchanged, left out and repeated."""
    at, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
    end = min(len(text), at + int(rng.expovariate(1 / 6)))
    piece = text[other : other + rng.randint(1, 40)]
    lines = text.splitlines(keepends=True) or [""]
    line, next_line = rng.randrange(len(lines)), rng.randrange(len(lines))
    return rng.choice(
        (
            lambda: text[:at] + text[end:],
            lambda: text[:at] + piece + text[at:],
            lambda: text[:at] + piece + text[end:],
            lambda: text[:at] + rng.choice(TEXTS) + text[at:],
            lambda: text[:at] + rng.choice(TEXTS) * rng.randint(1, 30) + text[end:],
            lambda: "".join(lines[:line] + lines[line + 1 :]),
            lambda: "".join([*lines[:line], lines[next_line], *lines[line:]]),
            lambda: "".join(
                [*lines[:line], lines[line] * rng.choice((2, 300)), *lines[line + 1 :]]
            ),
        )
    )()
