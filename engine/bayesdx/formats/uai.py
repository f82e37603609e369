"""UAI, the format of the inference competitions, of Bayesian networks.

It has no names: variables become ``v0``, ``v1``, … and their states ``s0``, ``s1``, … in the order
of the file; names are lost when a network is written. The last variable of a function is the child;
the first one's state changes slowest, the child's fastest. The functions of a file of kind MARKOV
are not probabilities: `read_uai_functions` reads them.

Read here and not by pgmpy: its reader and writer (1.1.2) take the numbers with the child's state
*slowest*, against the specification, read no exponents, and run the grammar from the start of the
file again for each function. pyAgrum (3.3.1) reads and writes the *first* parent fastest, so that
tables of two parents or more are not those of the specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np

from bayesdx.errors import NOTHING, InvalidNetwork, Phrase
from bayesdx.formats.draft import MOST_CELLS, Draft
from bayesdx.formats.text import Lines, blanked, replaced
from bayesdx.network.cpds import MAX_TABLE_CELLS, FloatArray
from bayesdx.network.markov import MarkovFactor, MarkovNetwork
from bayesdx.network.network import Network

MOST_STATES = 1 << 20
MOST_VARIABLES = 1 << 20
MOST_PARENTS = 1000
MOST_FUNCTIONS = 1 << 22
#: Of all variables together: states take memory, and a file of a few bytes could ask for many.
MOST_STATES_IN_ALL = 1 << 20
_WORD = re.compile(r"\S++")
_COMMENT = re.compile(r"(?:#[^\n]*+\n?)++")


def read_uai(text: str, draft: Draft) -> Network:
    """Read a network in UAI; see `bayesdx.formats.draft`.

    Of the words of the file only the first that is wrong is told, because what follows it cannot be
    understood.

    References
    ----------
    UAI 2022 inference competition, model format,
    https://uaicompetition.github.io/uci-2022/file-formats/model-format/
    """
    return _UaiReader(text, draft).read()


def read_uai_functions(text: str, draft: Draft) -> MarkovNetwork:
    """Read a Markov network in UAI, or the functions of a Bayesian one.

    Parameters
    ----------
    text : str
        The content of a file.
    draft : Draft
        Empty; it names the file in messages.

    Raises
    ------
    InvalidNetwork
        As `read_uai`.
    """
    return _UaiReader(text, draft).functions()


class _UaiReader:
    def __init__(self, text: str, draft: Draft) -> None:
        self.draft, self.line = draft, Lines(text)
        self.text = replaced(_COMMENT, lambda found: blanked(found[0]), text)
        self.at = 0
        self.words = self._walk()

    def _walk(self) -> Iterator[str]:
        for word in _WORD.finditer(self.text):
            self.at = word.start()
            yield word[0]
        self.at = len(self.text)

    def fail(self, expected: str, got: object) -> InvalidNetwork:
        """Return the error for the word just read."""
        try:
            self.draft.fault(self.line(self.at), "", expected, got)
        except InvalidNetwork as error:
            return error
        return InvalidNetwork(self.draft.faults)

    def count(self, what: str, least: int, most: int) -> int:
        """Read a whole number between bounds."""
        word = next(self.words, None)
        expected = f"{what}, {least} to {most}"
        if word is None:
            raise self.fail(expected, NOTHING)
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise self.fail(expected, word)
        number = int(word)
        if not least <= number <= most:
            raise self.fail(expected, number)
        return number

    def read(self) -> Network:
        kind = next(self.words, "")
        if kind.upper() == "MARKOV":
            raise self.fail("BAYES (MARKOV: bayesdx.read_markov_network)", kind)
        if kind.upper() != "BAYES":
            raise self.fail("BAYES", kind or NOTHING)
        size = self._variables()
        scopes = [self._scope(size) for _ in range(self.count("one function each", size, size))]
        for line, scope in scopes:
            family = self.draft.family(line, scope[-1], scope[:-1])
            cells = self.count("the number of its entries", 1, MOST_CELLS)
            if family is not None and cells != family.rows * family.child.cardinality:
                raise self.fail(f"{family.rows * family.child.cardinality} entries", cells)
            values = self._values(cells)
            if family is not None:
                self.draft.define(family, values.reshape(-1, family.child.cardinality))
        if (word := next(self.words, None)) is not None:
            raise self.fail("the end of the file", word)
        return self.draft.network()

    def functions(self) -> MarkovNetwork:
        kind = next(self.words, "")
        if kind.upper() not in ("MARKOV", "BAYES"):
            raise self.fail("MARKOV or BAYES", kind or NOTHING)
        size = self._variables()
        count = self.count("a number of functions", 0, MOST_FUNCTIONS)
        scopes = [self._scope(size, least=0) for _ in range(count)]
        factors, total = [], 0
        for line, scope in scopes:
            shape = tuple(self.draft.variables[name].cardinality for name in scope)
            if len(set(scope)) < len(scope):
                self.draft.fault(line, "function", "distinct variables", Phrase(" ".join(scope)))
                raise InvalidNetwork(self.draft.faults)
            cells = self.count("the number of its entries", 1, MAX_TABLE_CELLS // 2)
            total += cells
            # As floats: whatever a file asks for, they do not overflow.
            if math.prod(map(float, shape)) != cells:
                raise self.fail(f"{math.prod(map(float, shape)):.0f} entries", cells)
            if total > MOST_CELLS:
                raise self.fail(f"at most {MOST_CELLS} entries in all", Phrase("more"))
            values = self._values(cells)
            if not (np.isfinite(values).all() and (values >= 0.0).all()):
                raise self.fail("finite entries of at least 0", Phrase("others"))
            factors.append(MarkovFactor(scope, values.reshape(shape)))
        if (word := next(self.words, None)) is not None:
            raise self.fail("the end of the file", word)
        return MarkovNetwork(self.draft.variables.values(), factors)

    def _variables(self) -> int:
        size = self.count("a number of variables", 1, MOST_VARIABLES)
        line, total = self.line(self.at), 0
        for variable in range(size):
            states = self.count("a number of states", 1, MOST_STATES)
            total += states
            if total > MOST_STATES_IN_ALL:
                raise self.fail(f"at most {MOST_STATES_IN_ALL} states in all", Phrase("more"))
            self.draft.declare(line, f"v{variable}", [f"s{at}" for at in range(states)])
        return size

    def _scope(self, size: int, least: int = 1) -> tuple[int, list[str]]:
        length = self.count("a number of variables", least, MOST_PARENTS)
        line = self.line(self.at)
        members = [self.count("a variable", 0, size - 1) for _ in range(length)]
        return line, [f"v{member}" for member in members]

    def _values(self, cells: int) -> FloatArray:
        try:
            return np.fromiter(map(float, islice(self.words, cells)), np.float64, cells)
        except ValueError:
            if self.at >= len(self.text):
                raise self.fail("a probability", NOTHING) from None
            found = _WORD.match(self.text, self.at)
            raise self.fail("a probability", found[0] if found else NOTHING) from None


def write_uai(network: Network) -> Iterator[str]:
    """Write a network in UAI, piece by piece; names are lost, noisy families become tables.

    Variables are numbered in the order of ``network.variables``.
    """
    number = {name: at for at, name in enumerate(network.variables)}
    sizes = " ".join(str(one.cardinality) for one in network.variables.values())
    yield f"BAYES\n{len(number)}\n{sizes}\n{len(number)}\n"
    for name in network.variables:
        scope = [number[one] for one in (*network.parents(name), name)]
        yield f"{len(scope)} {' '.join(map(str, scope))}\n"
    for name in network.variables:
        table = network.table(name)
        yield f"\n{table.size}\n"
        for row in table.reshape(-1, table.shape[-1]):
            yield " ".join(map(repr, row.tolist())) + "\n"
