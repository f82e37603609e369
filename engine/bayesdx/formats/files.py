"""Which format a file has, its bytes, and the names that it can hold."""

from __future__ import annotations

import gzip
import os
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bayesdx.errors import Fault, InvalidNetwork, Phrase, nearest_names
from bayesdx.formats.bif import read_bif, write_bif
from bayesdx.formats.dne import read_dne
from bayesdx.formats.draft import Draft
from bayesdx.formats.net import read_net, write_net
from bayesdx.formats.pgmx import read_pgmx
from bayesdx.formats.renaming import Renaming, fitting_names, numbered_names
from bayesdx.formats.uai import read_uai, write_uai
from bayesdx.formats.xdsl import read_xdsl, write_xdsl
from bayesdx.formats.xmlbif import read_xmlbif, write_xmlbif
from bayesdx.network.divorcing import divorced
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable
from bayesdx.whole_files import replace_content

#: Bytes, after unpacking.
LARGEST_FILE = 200_000_000

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LETTERS = "a letter, then letters, digits and underscores"
_ANYTHING = re.compile(r".*", re.DOTALL)
_LINE = "text without control characters"


@dataclass(frozen=True)
class Format:
    """How a kind of file is read and written.

    Attributes
    ----------
    name : str
    read : callable
        From the content of a file and an empty draft to a network. The content is bytes where a
        file declares its own encoding.
    write : callable, optional
        From a network to pieces of text; None where files are read only.
    binary : bool
        Whether `read` takes bytes.
    names, states : (pattern, str)
        What names of variables and of states it can hold, as a whole match and in words.
    fallback : str, optional
        The encoding of text that is not UTF-8.
    noisy : bool
        Whether it holds noisy families. Where it does not, those of many parents are divorced.
    """

    name: str
    read: Callable[[str, Draft], Network] | Callable[[bytes, Draft], Network]
    write: Callable[[Network], Iterator[str]] | None
    names: tuple[re.Pattern[str], str]
    states: tuple[re.Pattern[str], str]
    binary: bool = False
    fallback: str | None = None
    noisy: bool = False

    def holds_name(self, name: str) -> bool:
        """Whether a variable may be called so."""
        return self.names[0].fullmatch(name) is not None and _printable(name)

    def holds_state(self, state: str) -> bool:
        """Whether a state may be called so."""
        return self.states[0].fullmatch(state) is not None and _printable(state)


_TRIMMED = re.compile(r"[^ \t\r\n](?:.*[^ \t\r\n])?", re.DOTALL)
_WITHOUT_QUOTES = (re.compile(r'[^"]*'), 'text without " and control characters')
_WITHOUT_EDGES = (_TRIMMED, "text, no blanks around it, no control characters")
_BIF = Format("BIF", read_bif, write_bif, _WITHOUT_QUOTES, _WITHOUT_QUOTES)
_XMLBIF = Format("XMLBIF", read_xmlbif, write_xmlbif, _WITHOUT_EDGES, _WITHOUT_EDGES, binary=True)
_WORD = (_IDENTIFIER, _LETTERS)
_XDSL = Format("XDSL", read_xdsl, write_xdsl, _WORD, _WORD, binary=True, noisy=True)
_NET = Format("NET", read_net, write_net, _WORD, (_ANYTHING, _LINE), fallback="latin-1")
# Names are not written at all.
_UAI = Format("UAI", read_uai, write_uai, (_ANYTHING, ""), (_ANYTHING, ""))
_PGMX = Format("ProbModelXML", read_pgmx, None, (_ANYTHING, ""), (_ANYTHING, ""), binary=True)
_DNE = Format("DNE", read_dne, None, (_ANYTHING, ""), (_ANYTHING, ""), fallback="latin-1")

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".bif": _BIF,
        ".xmlbif": _XMLBIF,
        ".bifxml": _XMLBIF,
        ".xml": _XMLBIF,
        ".uai": _UAI,
        ".xdsl": _XDSL,
        ".net": _NET,
        ".pgmx": _PGMX,
        ".dne": _DNE,
    }
)
"""Suffix of a file, in small letters and without .gz, to its format."""

#: What else networks come in, and what to do with it.
_FOREIGN: Mapping[str, str] = MappingProxyType(
    {
        ".dsl": "GeNIe's older format: open it in GeNIe and save it as .xdsl",
        ".neta": "Netica's binary format: save it as .dne",
        ".oobn": "Hugin's object-oriented format: save it as a flat .net",
        ".hkb": "Hugin's binary format: save it as .net",
    }
)


def read_network(
    path: str | os.PathLike[str],
    *,
    normalise: bool = False,
    encoding: str | None = None,
    rename: Renaming | None = None,
) -> Network:
    """Read a discrete Bayesian network from a file.

    Parameters
    ----------
    path : str or path
        The suffix says the format: ``.bif``, ``.xmlbif`` (or ``.bifxml``, ``.xml``), ``.uai``,
        ``.xdsl``, ``.net``, ``.pgmx`` (OpenMarkov), ``.dne`` (Netica); each also as ``.gz``.
    normalise : bool
        Divide rows by their sums, whatever these are, and take negative entries down to -1e-6 of
        them for 0. Without it a row may miss the sum 1 by 1e-6.
    encoding : str, optional
        Of plain text; UTF-8 by default. XML declares its own.
    rename : Renaming, optional
        New names for variables and states of the file.

    Returns
    -------
    Network
        With a `TableCPD`, shape ``(*parents, child)``, for each variable but those of noisy
        families. UAI files have no names: variables become ``v0``, ``v1``, …, their states ``s0``,
        ``s1``, ….

    Raises
    ------
    InvalidNetwork
        With all faults at once, each with its line: another suffix, more than 200 MB, what the
        format does not know, unknown or repeated names and rows, probabilities outside [0, 1] or
        that miss the sum 1, tables too large, cycles, decisions and other kinds of models.
    OSError
        If the file cannot be opened.

    Warns
    -----
    InexactNetworkWarning
        With ``normalise``, of the rows that missed the sum 1 by more than 1e-6.

    Examples
    --------
    >>> import bayesdx
    >>> from bayesdx import Network, TableCPD, Variable
    >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    >>> renamed = bayesdx.write_network(rain, "rain.bif")
    >>> bayesdx.read_network("rain.bif").digest == rain.digest
    True
    """
    if not isinstance(rename, Renaming | None):
        raise InvalidNetwork(Fault("rename", "a Renaming that write_network returned", rename))
    place = Path(path)
    kind, _ = find_format(place)
    content = file_bytes(place)
    read = parse_network(content, place.name, kind, normalise=normalise, encoding=encoding)
    return rename.apply(read, labels=False) if rename else read


def file_bytes(place: Path) -> bytes:
    """Return what a file holds, unpacked if its name ends in .gz, and a byte more than allowed.

    Raises
    ------
    InvalidNetwork
        If it is packed and broken.
    OSError
        If it cannot be opened.
    """
    packed = place.suffix.lower() == ".gz"
    # One byte more than allowed tells a file that is too large, however small its packed form.
    try:
        with gzip.open(place) if packed else place.open("rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as reason:
        fault = Fault(place.name, "a whole gzip file", Phrase(str(reason)))
        raise InvalidNetwork(fault) from None


def file_content(place: Path, kind: Format) -> str:
    """Return the text of a file.

    Raises
    ------
    InvalidNetwork
        If it is too large, or not in the encoding of the format.
    OSError
        If it cannot be opened.
    """
    content = file_bytes(place)
    if len(content) > LARGEST_FILE:
        raise InvalidNetwork(Fault(place.name, f"at most {LARGEST_FILE} bytes", Phrase("more")))
    return _decoded(content, place.name, kind, None)


def parse_network(
    content: bytes,
    source: str,
    kind: Format,
    *,
    normalise: bool = False,
    encoding: str | None = None,
) -> Network:
    """Read a network from the content of a file.

    Parameters
    ----------
    content : bytes
    source : str
        Its name, for messages.
    kind : Format
    normalise : bool
    encoding : str, optional
        As for `read_network`.

    Returns
    -------
    Network

    Raises
    ------
    InvalidNetwork
        As `read_network`.
    """
    if len(content) > LARGEST_FILE:
        raise InvalidNetwork(Fault(source, f"at most {LARGEST_FILE} bytes", Phrase("more")))
    text = content if kind.binary else _decoded(content, source, kind, encoding)
    return kind.read(text, Draft(source, normalise=normalise))  # type: ignore[arg-type]  # by binary


def _decoded(content: bytes, source: str, kind: Format, encoding: str | None) -> str:
    try:
        text = content.decode(encoding or "utf-8-sig")
    except LookupError:
        expected = "an encoding that Python knows, such as latin-1 or cp1252"
        raise InvalidNetwork(Fault("encoding", expected, encoding)) from None
    except UnicodeError as reason:
        if encoding is None and kind.fallback is not None:
            return content.decode(kind.fallback)
        # Some codecs do not say where.
        start = reason.start if isinstance(reason, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, start) + 1
        name = encoding or "UTF-8"
        expected = f"text in {name}; name another with --encoding, encoding=, such as latin-1"
        raise InvalidNetwork(
            Fault(f"{source}:{line}", expected, content[start : start + 1])
        ) from None
    if (at := text.find("\0")) >= 0:
        # No cell of a table can hold one, so that nothing could name such a variable or state.
        line, got = text.count("\n", 0, at) + 1, text[max(at - 10, 0) : at + 10]
        raise InvalidNetwork(Fault(f"{source}:{line}", "text without NUL", got))
    return text


def write_network(
    network: Network, path: str | os.PathLike[str], *, rename: bool = False
) -> Renaming:
    """Write a network to a file.

    Reading it back gives an equal network, to the last bit of the tables, with two exceptions. UAI
    holds no names. XDSL holds noisy families, but for inhibited leaks, which become variables of
    their own; in other formats they become the tables that they stand for, and those of more than 8
    parents chains of small tables (parent divorcing) over variables ``NAME_part1``, ….

    Parameters
    ----------
    network : Network
    path : str or path
        The suffix says the format, as for `read_network`; not ``.pgmx`` and ``.dne``, which are
        only read. An existing file is replaced in one step, when the new one is complete.
    rename : bool
        Find other names for those that the format cannot hold.

    Returns
    -------
    Renaming
        What was renamed; ``read_network(path, rename=renaming.reversed())`` gives the names back.

    Raises
    ------
    InvalidNetwork
        If the suffix is another, or if the format cannot hold a name and ``rename`` is not set
        (each is told; nothing is written).
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import bayesdx
    >>> from bayesdx import Network, TableCPD, Variable
    >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    >>> renamed = bayesdx.write_network(rain, "rain.net")
    >>> bayesdx.read_network("rain.net").table("rain").tolist()
    [0.8, 0.2]
    """
    place = Path(path)
    kind, names, named = fitted(network, place, rename=rename)
    write = kind.write
    assert write is not None  # `fitted` refuses what is only read
    # Names of auxiliary variables are those of children and what every format holds.
    content = "".join(write(named if kind.noisy else divorced(named))).encode()
    packed = find_format(place)[1]
    # No time stamp: equal networks give equal files.
    replace_content(place, gzip.compress(content, mtime=0) if packed else content)
    return names


def fitted(network: Network, place: Path, *, rename: bool) -> tuple[Format, Renaming, Network]:
    """Return the format of a file to write, the renaming that it takes, and the network renamed.

    Raises
    ------
    InvalidNetwork
        As `write_network` does, before anything is worked out that is to be written.
    """
    if not isinstance(network, Network):
        raise InvalidNetwork(Fault("network", "a Network", network))
    kind, _ = find_format(place)
    if kind.write is None:
        written = [suffix for suffix, one in FORMATS.items() if one.write is not None]
        got = Phrase(f"one in {kind.name}, which is only read")
        raise InvalidNetwork(Fault(place.name, f"a file that ends in {', '.join(written)}", got))
    names = _fitting(network, kind) if rename else Renaming()
    network = names.apply(network) if names and kind is not _UAI else network
    faults = [fault for one in network.variables.values() for fault in _name_faults(kind, one)]
    if faults:
        raise InvalidNetwork(faults)
    return kind, names, network


def _fitting(network: Network, kind: Format) -> Renaming:
    if kind is _UAI:
        return numbered_names(network)
    return fitting_names(network, kind.holds_name, kind.holds_state)


def find_format(path: Path) -> tuple[Format, bool]:
    """Return the format of a file by its suffix, and whether it is packed."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    suffix = "".join((suffixes[:-1] if packed else suffixes)[-1:])
    if suffix in _FOREIGN:
        expected = f"a file that ends in {', '.join(FORMATS)}"
        raise InvalidNetwork(Fault(path.name, expected, Phrase(f"{suffix}, {_FOREIGN[suffix]}")))
    if suffix not in FORMATS:
        expected = f"a file that ends in {', '.join(FORMATS)}, or one of these and .gz"
        got = suffix or Phrase("a name without an ending")
        raise InvalidNetwork(Fault(path.name, expected, got, nearest_names(suffix, FORMATS)))
    return FORMATS[suffix], packed


def _name_faults(kind: Format, variable: Variable) -> list[Fault]:
    """Tell which names a format cannot hold."""
    if kind is _UAI:
        return []
    place = f"variable {variable.name[:80]!r}"
    wrong = [] if kind.holds_name(variable.name) else [(place, variable.name, kind.names[1])]
    wrong += [
        (f"a state of {place}", state, kind.states[1])
        for state in variable.states
        if not kind.holds_state(state)
    ]
    # How to have them renamed is told once, not with each name.
    help_ = " (--rename, rename=True find one)"
    return [
        Fault(at, f"a name that {kind.name} can hold{'' if number else help_}: {words}", name)
        for number, (at, name, words) in enumerate(wrong)
    ]


def _printable(name: str) -> bool:
    """Tell whether there are neither control characters nor what no encoding holds."""
    if name.isascii():
        return name.isprintable()
    kept = all(unicodedata.category(character) not in ("Cc", "Cs") for character in name)
    return kept and not {"\ufffe", "\uffff"} & set(name)
