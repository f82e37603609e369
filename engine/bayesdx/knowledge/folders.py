"""Finding the priors folder and taking its bytes in: bounded, and the same on every platform."""

from __future__ import annotations

import hashlib
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesdx.errors import NOTHING, Fault, InvalidKnowledge, Phrase, nearest_names

LARGEST_FILE = 2**20
MOST_FILES = 500

NEEDED_FILES = ("model.toml", "sources.toml", "findings.toml")
"""Files that every priors folder has, beside one file a cause."""

OTHER_FILES = (
    "calibration.toml",
    "constraints.toml",
    "groups.toml",
    "learned.toml",
    "management.toml",
    "measures.toml",
    "pitfalls.toml",
    "questions.toml",
    "red_flags.toml",
    "risks.toml",
    "statements.toml",
    "word_scale.toml",
)
"""Files that a folder may do without."""

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (_PACKAGE / "priors", _PACKAGE.parents[1] / "priors")
"""Where the packaged priors can be: in an installed package, in a checkout."""


@dataclass(frozen=True)
class Folder:
    """The parsed files of a priors folder.

    Attributes
    ----------
    path : Path
        The folder.
    tables : dict
        Relative file name to the parsed TOML, of the files that could be parsed.
    digest : str
        SHA-256 over the names and contents of all files.
    faults : tuple of Fault
        What kept other files from being parsed.
    """

    path: Path
    tables: dict[str, dict[str, Any]]
    digest: str
    faults: tuple[Fault, ...]


def find_priors() -> Path:
    """Find the packaged priors: inside the installed package, else in the checkout.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidKnowledge
        If it is in neither place.
    """
    for place in PLACES:
        if (place / "model.toml").is_file():
            return place
    looked = " or ".join(str(place) for place in PLACES)
    raise InvalidKnowledge(Fault("priors", f"a folder with model.toml at {looked}", NOTHING))


def read_folder(path: Path) -> Folder:
    """Read and parse all TOML files of a priors folder.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    Folder
        What could be parsed, and the faults of what could not.

    Raises
    ------
    InvalidKnowledge
        If there is no folder, or more files in it than priors have.
    """
    if not path.is_dir():
        got = Phrase("a file" if path.exists() else "nothing")
        raise InvalidKnowledge(Fault(str(path), "a priors folder", got))
    return parse_files(path, {name: _take(path / name, name) for name in _list(path)})


def parse_files(path: Path, contents: Mapping[str, bytes | Fault]) -> Folder:
    """Parse the TOML files of a priors folder that is on the disk or is still to be written.

    Parameters
    ----------
    path : Path
        The folder.
    contents : mapping of str to bytes or Fault
        Relative file name, with / on every platform, to what stands in it, or to why that is not
        known.

    Returns
    -------
    Folder
        What could be parsed, and the faults of what could not.
    """
    names = sorted(contents)
    faults = _check_names(names)
    tables: dict[str, dict[str, Any]] = {}
    hashed = hashlib.sha256()
    for name in names:
        content = contents[name]
        if isinstance(content, Fault):
            faults.append(content)
            continue
        # An editor on Windows must not change the identity of the knowledge.
        content = content.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n")
        # With its length in front, no content can pass for the start of the next file.
        hashed.update(f"{name}\n{len(content)}\n".encode())
        hashed.update(content)
        table = _parse(content, name)
        if isinstance(table, Fault):
            faults.append(table)
        else:
            tables[name] = table
    return Folder(path, tables, hashed.hexdigest(), tuple(faults))


def _list(path: Path) -> list[str]:
    """Return the relative names of all TOML files, with / on every platform."""
    names: list[str] = []
    for folder in (path, path / "causes"):
        try:
            found = list(folder.iterdir()) if folder.is_dir() else []
        except OSError as reason:
            got = Phrase(reason.strerror or str(reason))
            raise InvalidKnowledge(Fault(str(folder), "a folder that can be listed", got)) from None
        tables = [one for one in found if one.suffix.lower() == ".toml"]
        names += [one.relative_to(path).as_posix() for one in tables]
        if len(names) > MOST_FILES:
            raise InvalidKnowledge(
                Fault(str(path), f"at most {MOST_FILES} TOML files", Phrase("more"))
            )
    return names


def _check_names(names: list[str]) -> list[Fault]:
    known = (*NEEDED_FILES, *OTHER_FILES)
    faults = [Fault(name, "this file", NOTHING) for name in NEEDED_FILES if name not in names]
    for name in names:
        if not name.endswith(".toml"):
            faults.append(Fault(name, "a name that ends in .toml", name))
        elif "/" not in name and name not in known:
            near = nearest_names(name, known)
            faults.append(Fault(name, "the name of a knowledge file", name, near))
    if not any(name.startswith("causes/") for name in names):
        faults.append(Fault("causes", "one TOML file a cause", NOTHING))
    return faults


def _take(path: Path, name: str) -> bytes | Fault:
    """Return the content of a regular file of bounded size."""
    if not path.is_file():
        return Fault(name, "a regular file", Phrase("something else"))
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as reason:
        return Fault(name, "a readable file", Phrase(reason.strerror or str(reason)))
    if len(content) > LARGEST_FILE:
        return Fault(name, f"at most {LARGEST_FILE} bytes", Phrase("more"))
    return content


def _parse(content: bytes, name: str) -> dict[str, Any] | Fault:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as reason:
        line = content.count(b"\n", 0, reason.start) + 1
        return Fault(f"{name}:{line}", "text in UTF-8", content[reason.start : reason.start + 1])
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        return _syntax_fault(name, text, str(reason))
    except (ValueError, RecursionError) as reason:
        # Numbers of thousands of digits and thousands of nested brackets end up here.
        return Fault(name, "valid TOML", Phrase(type(reason).__name__))
    # Comments alone are somebody's intention; nothing at all is a file that lost its content.
    if not table and (name in NEEDED_FILES or not text.strip()):
        return Fault(name, "one key or more", Phrase("an empty file"))
    return table


def _syntax_fault(name: str, text: str, reason: str) -> Fault:
    """Turn tomllib's message, "what (at line 3, column 4)", into a place and a cause."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", reason, re.S)
    if found is None:
        return Fault(name, "valid TOML", Phrase(reason))
    line = int(found[2]) if found[2] else text.count("\n") + 1
    return Fault(f"{name}:{line}", "valid TOML", Phrase(_lower_first(found[1])))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
