"""`bayesdx init`: a knowledge folder of one's own."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.json_schemas import FOLDER, json_schemas
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.sheet import FURTHER, files_of_sheet
from bayesdx.presentation.terminal import show_lines
from bayesdx.presentation.words import counted
from bayesdx.tables import check_new_folder, write_files


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="SHEET.csv",
            help="A table with a row a number: cause, finding, probability (or a word), source; "
            "how common a cause is without finding, how common a finding is without cause. Further "
            f"columns where wanted: {', '.join(FURTHER)}.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Begin a knowledge folder of your own.

    Writes a small one that passes bayesdx check, with comments, or one with the numbers of a
    table. Beside it, JSON Schemas for editors that check TOML.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        got = Phrase("one with files" if folder.is_dir() else "a file")
        raise InvalidKnowledge(Fault(str(folder), "a new or empty folder", got))
    check_new_folder(folder)
    content = _starter() if sheet is None else files_of_sheet(sheet, read_knowledge().words)
    for name, schema in json_schemas().items():
        content[name] = json.dumps(schema, indent=1) + "\n"
    write_files(folder, {name: text.encode() for name, text in content.items()})
    knowledge = read_knowledge(folder)
    size = (
        f"{counted(len(knowledge.causes), 'cause')}, {counted(len(knowledge.findings), 'finding')}"
    )
    first = next(one.id for one in knowledge.findings.values() if one.has_probability)
    show_lines(
        f"{folder}: {size}; {FOLDER}/ is for editors. Next:\n"
        f"  bayesdx check {folder}\n"
        f"  bayesdx diagnose {first} --priors {folder}\n"
        f"Say in {folder / 'model.toml'} of whom the numbers speak."
    )


def _starter() -> dict[str, str]:
    """Return the files of the small folder, comments and all."""
    root = files("bayesdx") / "examples" / "starter"
    found = {one.name: one for one in root.iterdir() if one.name.endswith(".toml")}
    found |= {f"causes/{one.name}": one for one in (root / "causes").iterdir()}
    return {name: found[name].read_text("utf-8") for name in sorted(found)}
