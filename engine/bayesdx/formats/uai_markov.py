"""Markov networks and evidence of the inference competitions: files of kind UAI."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bayesdx.errors import NOTHING, Fault, InvalidNetwork, Phrase
from bayesdx.formats.draft import Draft
from bayesdx.formats.files import FORMATS, file_content, read_network
from bayesdx.formats.text import Lines
from bayesdx.formats.uai import read_uai_functions
from bayesdx.network.markov import MarkovNetwork
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

_WORD = re.compile(r"\S++")
MOST_CASES = 1_000_000


def read_markov_network(path: str | os.PathLike[str]) -> MarkovNetwork:
    """Read a discrete Markov network from a file in UAI, kind MARKOV or BAYES.

    Parameters
    ----------
    path : str or path
        Ends in ``.uai`` or ``.uai.gz``.

    Returns
    -------
    MarkovNetwork
        Variables are ``v0``, ``v1``, …, their states ``s0``, ``s1``, …; of a file of kind BAYES the
        functions are the tables.

    Raises
    ------
    InvalidNetwork
        With the first fault and its line.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from pathlib import Path
    >>> import bayesdx
    >>> _ = Path("pair.uai").write_text("MARKOV 2 2 2 1 2 0 1 4 3 1 1 3")
    >>> bayesdx.read_markov_network("pair.uai")
    MarkovNetwork(2 variables, 1 functions)
    """
    place = Path(path)
    suffixes = [one.lower() for one in place.suffixes if one.lower() != ".gz"]
    if suffixes[-1:] != [".uai"]:
        got = "".join(place.suffixes)
        raise InvalidNetwork(Fault(place.name, "a file that ends in .uai or .uai.gz", got))
    text = file_content(place, FORMATS[".uai"])
    return read_uai_functions(text, Draft(place.name))


def read_either_network(
    path: str | os.PathLike[str], *, normalise: bool = False, encoding: str | None = None
) -> Network | MarkovNetwork:
    """Read a network of any format, a Markov network if that is what the file says.

    Parameters
    ----------
    path : str or path
    normalise, encoding
        See `read_network`; of no use to Markov networks.

    Returns
    -------
    Network or MarkovNetwork

    Raises
    ------
    InvalidNetwork, OSError
        See `read_network` and `read_markov_network`.
    """
    place = Path(path)
    if [one.lower() for one in place.suffixes if one.lower() != ".gz"][-1:] == [".uai"]:
        words = file_content(place, FORMATS[".uai"]).split(maxsplit=1)
        if words and words[0].upper() == "MARKOV":
            return read_markov_network(place)
    return read_network(path, normalise=normalise, encoding=encoding)


def read_uai_evidence(
    path: str | os.PathLike[str], network: Network | MarkovNetwork
) -> list[dict[str, str]]:
    """Read evidence in UAI (``.uai.evid``) on a network that was read from UAI.

    Parameters
    ----------
    path : str or path
    network : Network or MarkovNetwork
        Its variables count from 0 in their order.

    Returns
    -------
    list of dict of str to str
        One mapping a case, variables to states, as ``query`` takes them. One case where the file
        holds a number of observations and so many pairs, as since 2014; else, as before, a number
        of cases and each of them in that form. What could be both is many cases where the first
        number has a line of its own.

    Raises
    ------
    InvalidNetwork
        If it is neither, or with the first number that is out of range and its line.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from pathlib import Path
    >>> import bayesdx
    >>> _ = Path("pair.uai").write_text("MARKOV 2 2 2 1 2 0 1 4 3 1 1 3")
    >>> _ = Path("pair.uai.evid").write_text("1 0 1")
    >>> bayesdx.read_uai_evidence("pair.uai.evid", bayesdx.read_markov_network("pair.uai"))
    [{'v0': 's1'}]
    """
    if not hasattr(network, "variables"):
        raise InvalidNetwork(Fault("network", "a Network or a MarkovNetwork", network))
    place = Path(path)
    text = file_content(place, FORMATS[".uai"])
    return _EvidenceReader(text, place.name, network.variables).read()


class _EvidenceReader:
    def __init__(self, text: str, source: str, variables: Mapping[str, Variable]) -> None:
        self.source, self.line = source, Lines(text)
        self.variables = list(variables.values())
        self.words = [(found.start(), found[0]) for found in _WORD.finditer(text)]
        self.at = 0

    def read(self) -> list[dict[str, str]]:
        count = self.number("a number of observations or of cases", MOST_CASES)
        whole = len(self.words) == 1 + 2 * count
        alone = len(self.words) > 1 and self.line(self.words[1][0]) > self.line(self.words[0][0])
        if whole and not (alone and self.parts() == count):
            self.at = 0
            return [self.case()]
        cases = [self.case() for _ in range(count)]
        if self.at < len(self.words):
            raise self.fail("the end of the file", self.words[self.at][1])
        return cases

    def parts(self) -> int:
        """Count the cases that follow, taken each as a number of pairs; -1 where they are none."""
        found, at = 0, 1
        while at < len(self.words):
            word = self.words[at][1]
            if not (word.isascii() and word.isdigit() and len(word) < 10):
                return -1
            at += 1 + 2 * int(word)
            found += 1
        return found if at == len(self.words) else -1

    def case(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for _ in range(self.number("a number of observations", len(self.variables))):
            variable = self.variables[self.number("a variable", len(self.variables) - 1)]
            state = variable.states[self.number("a state", variable.cardinality - 1)]
            if found.setdefault(variable.name, state) != state:
                self.at -= 1
                raise self.fail(f"one state of variable {variable.name}", Phrase("a second one"))
        return found

    def number(self, what: str, most: int) -> int:
        word = self.words[self.at][1] if self.at < len(self.words) else NOTHING
        digits = word.isascii() and word.isdigit() and len(word) < 10
        if not digits or int(word) > most:
            raise self.fail(f"{what}, 0 to {most}", word)
        self.at += 1
        return int(word)

    def fail(self, expected: str, got: str) -> InvalidNetwork:
        offset = self.words[min(self.at, len(self.words) - 1)][0] if self.words else 0
        shown = got if isinstance(got, Phrase) else got[:60]
        return InvalidNetwork(Fault(f"{self.source}:{self.line(offset)}", expected, shown))
