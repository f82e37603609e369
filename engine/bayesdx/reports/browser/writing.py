"""One page of everything: the program in ``assets/``, the knowledge as data, and a lock on both.

The modules are joined, without their imports and comments, into one script. The knowledge travels
as versioned JSON, deflated (RFC 1951), 13 bits in two letters. The policy of the page allows this
script and this style, by their hashes, and nothing else: no request can leave it, whatever is in
the data.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesdx import __version__
from bayesdx.knowledge.addresses import every_number
from bayesdx.reports.browser.judging_data import judging_data
from bayesdx.reports.browser.network_data import network_data
from bayesdx.reports.browser.support_data import cited_sources, support_data

if TYPE_CHECKING:
    from bayesdx import Engine

#: Of the data; a page reads its own version only.
FORMAT, VERSION = "bayesdx page", 3
#: Bytes of a page that is sent by mail without a second thought.
LARGEST = 150_000
#: What the page is made of; a module stands behind those that it imports.
MODULES = (
    "model",
    "cause_weights",
    "conditioning",
    "tables",
    "ordering",
    "elimination",
    "conditions",
    "reading",
    "urgency",
    "texts",
    "answering",
    "asking",
    "knowledge",
    "elements",
    "answer_view",
    "sources_view",
    "course",
    "interview",
    "main",
)
#: What ASCII prints but for three that mean something in HTML: two letters have 8281 values,
#: as good as all used by 13 bits.
LETTERS = "".join(chr(at) for at in range(33, 127) if chr(at) not in '"&<')
_BITS = 13
_INDENT = re.compile(r"^\s+", re.MULTILINE)
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
#: Ends of lines that say nothing, as the next line cannot begin anything else.
_LINE_END = re.compile(r"(?<=[{};,(\[])\n")
_COMMENT = re.compile(r"/\*\*(?:[^*]|\*(?!/))*\*/ ?|^[ \t]*//[^\n]*\n", re.MULTILINE)


def page_data(engine: Engine, notes: bool = True) -> dict[str, Any]:
    """Return all that a page knows, in plain values; see the modules of this package.

    Parameters
    ----------
    engine : Engine
    notes : bool
        Whether notes on numbers are told.

    Returns
    -------
    dict
        ``format``, ``version``, ``digest`` of the knowledge, and its parts.
    """
    knowledge = engine.knowledge
    tables = (knowledge.findings, knowledge.risks, knowledge.measures, knowledge.causes)
    names = list(dict.fromkeys(name for table in tables for name in table))
    sources = cited_sources(engine.core)
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": f"bayesdx {__version__}",
        "name": knowledge.model.name,
        "knowledge": knowledge.model.version,
        "digest": knowledge.digest,
        "names": names,
        # Deflating looks 32 kB back: texts stand beside texts, numbers beside numbers, here and in
        # each part, which saves 3 % of the page.
        "judging": judging_data(engine.core, names, sources),
        "network": network_data(engine.core, names),
        "support": support_data(knowledge, names, sources, notes),
    }


def in_columns(part: Any) -> Any:
    """Return plain values with records, which have the same keys, as ``{"columns": {key: [...]}}``.

    What is alike then stands together, which deflates to less; `recordsOf` in ``knowledge.mjs``
    takes it back.
    """
    if isinstance(part, dict):
        return {key: in_columns(one) for key, one in part.items()}
    if not isinstance(part, list):
        return part
    keys = part[0].keys() if part and isinstance(part[0], dict) else ()
    if keys and all(isinstance(one, dict) and one.keys() == keys for one in part):
        return {"columns": {key: in_columns([one[key] for one in part]) for key in keys}}
    return [in_columns(one) for one in part]


def standalone_page(engine: Engine) -> str:
    """Write the page.

    Parameters
    ----------
    engine : Engine

    Returns
    -------
    str
        HTML that needs nothing else. The same engine gives the same text. Notes on numbers are
        left out where it would otherwise have more than `LARGEST` bytes.

    Examples
    --------
    >>> import bayesdx
    >>> page = standalone_page(bayesdx.load())
    >>> "default-src 'none'" in page
    True
    """
    data = page_data(engine)
    text = _filled(data)
    if len(text.encode()) > LARGEST:
        return _filled(page_data(engine, notes=False))
    return text


def notes_left_out(page: str, engine: Engine) -> bool:
    """Whether notes on numbers stayed out of a page, which they would have made too large."""
    told = json.loads(unsqueezed(page, "knowledge"))["support"]["notes"]
    return told == [""] and any(one.stated.note for one in every_number(engine.knowledge))


def _filled(data: dict[str, Any]) -> str:
    """Put data, program and policy into the frame of the page."""
    laid = in_columns(data)
    text = json.dumps(laid, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    program, first, style = joined_script(), _INDENT.sub("", asset("start.js")), _style()
    parts = {
        "title": escape(data["name"]),
        "use": escape(data["support"]["intended_use"]),
        "policy": "; ".join(
            [
                "default-src 'none'",
                # What begins, and what it inflates.
                f"script-src '{_hash(first)}' '{_hash(program)}'",
                f"style-src '{_hash(style)}'",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        ),
        "style": style,
        "data": squeezed(text, "knowledge"),
        "program": squeezed(program, "program"),
        "first": first,
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], asset("page.html"))


def joined_script() -> str:
    """Return the modules as one script: imports, exports, comments and space left out.

    No text of theirs goes over several lines.
    """
    text = "".join(asset(f"{name}.mjs") for name in MODULES)
    text = _IMPORT.sub("", _COMMENT.sub("", text))
    text = _INDENT.sub("", re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return _LINE_END.sub("", text)


def _style() -> str:
    """The style sheet without space that says nothing."""
    text = re.sub(r"\s+", " ", asset("page.css"))
    return re.sub(r" ?([{};,]) ?", r"\1", text.replace(": ", ":")).replace(";}", "}").strip()


def squeezed(text: str, part: str) -> str:
    """Return the element that carries a text: deflated, 13 bits in two letters."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    raw = squeezer.compress(text.encode()) + squeezer.flush()
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8))
    groups = np.pad(bits, (0, -len(bits) % _BITS)).reshape(-1, _BITS)
    pairs = np.divmod(groups @ (1 << np.arange(_BITS)[::-1]), len(LETTERS))
    letters = "".join(LETTERS[at] for at in np.stack(pairs, axis=1).ravel().tolist())
    return f'<script type="text/plain" id="{part}" data-bytes="{len(raw)}">{letters}</script>'


def unsqueezed(page: str, part: str) -> str:
    """Return what a page carries, for checks of it.

    Parameters
    ----------
    page : str
    part : str
        ``knowledge`` (JSON of `page_data`, `in_columns`) or ``program``.

    Returns
    -------
    str
    """
    size, letters = re.findall(f'id="{part}" data-bytes="(.*?)">(.*?)<', page)[0]
    pairs = np.array([LETTERS.index(one) for one in letters]).reshape(-1, 2)
    groups = (pairs @ [len(LETTERS), 1])[:, None] >> np.arange(_BITS)[::-1] & 1
    raw = np.packbits(groups.astype(np.uint8).ravel()).tobytes()[: int(size)]
    return zlib.decompress(raw, -zlib.MAX_WBITS).decode()


def asset(name: str) -> str:
    """Return a file of ``assets/``."""
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
