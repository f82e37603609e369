"""XML taken in safely: no entities of its own, nothing from outside, bounded, with line numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from bayesdx.errors import Fault, InvalidNetwork, Phrase

MOST_ELEMENTS = 2_000_000
DEEPEST = 50
BLANKS = " \t\r\n"


@dataclass(slots=True)
class Element:
    """An element of an XML file.

    Attributes
    ----------
    tag : str
    attributes : dict of str to str
    line : int
    parts : list of str
        The text directly inside, without comments.
    children : list of Element
    """

    tag: str
    attributes: dict[str, str]
    line: int
    parts: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text directly inside, without blanks around it."""
        return "".join(self.parts).strip(BLANKS)

    def named(self, tag: str) -> Iterator[Element]:
        """Yield the children with a tag."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element | None:
        """Return the first child with a tag."""
        return next(self.named(tag), None)

    def line_of(self, offset: int) -> int:
        """Return the line of a character of the joined `parts`."""
        return self.line + "".join(self.parts).count("\n", 0, offset)

    def text_of(self, tag: str) -> str:
        """Return the text of the first child with a tag, empty where there is none."""
        child = self.first(tag)
        return child.text if child else ""


def read_markup(content: bytes, source: str) -> Element:
    """Parse XML.

    Parameters
    ----------
    content : bytes
        A file; its encoding is the one it declares.
    source : str
        Its name, for messages.

    Returns
    -------
    Element
        The root.

    Raises
    ------
    InvalidNetwork
        If it is not well-formed, declares or uses entities of its own, or is too large or deep.
    """
    builder = _Builder(source)
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as reason:
        message = Phrase(expat.ErrorString(reason.code))
        raise InvalidNetwork(Fault(f"{source}:{reason.lineno}", "XML", message)) from None
    except (LookupError, ValueError) as reason:
        # What Python says of an encoding that it does not know, or that is not one.
        message = Phrase(f"an encoding that cannot be read ({type(reason).__name__})")
        raise InvalidNetwork(Fault(source, "XML", message)) from None
    return builder.root


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.root = Element("", {}, 0)
        self.open = [self.root]
        self.elements = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.CommentHandler = self.comment
        self.parser.EntityDeclHandler = self.entity
        self.parser.SkippedEntityHandler = self.entity

    def refuse(self, expected: str, got: str) -> None:
        place = f"{self.source}:{self.parser.CurrentLineNumber}"
        raise InvalidNetwork(Fault(place, expected, Phrase(got)))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            self.refuse(f"at most {MOST_ELEMENTS} elements", "more")
        if len(self.open) > DEEPEST:
            self.refuse(f"at most {DEEPEST} elements in each other", "more")
        element = Element(tag, attributes, self.parser.CurrentLineNumber)
        if len(self.open) == 1:
            self.root = element
        else:
            self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, tag: str) -> None:  # noqa: ARG002 - expat gives it
        self.open.pop()

    def characters(self, text: str) -> None:
        self.open[-1].parts.append(text)

    def comment(self, text: str) -> None:
        # Only its line ends, so that lines can be counted in the text of an element.
        self.open[-1].parts.append("\n" * text.count("\n"))

    def entity(self, name: str, *rest: Any) -> None:  # noqa: ARG002 - expat gives it
        self.refuse("no entities but those of XML itself", f"entity {name[:80]}")
