"""What `bayesdx network` is asked to do, by its first words, and which options go with that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, Phrase, nearest_names

CONVERT, EXPORT, LEARN = "convert", "export", "learn"
#: A file alone; with rows.
DESCRIBE, ANSWER = "a file alone", "FILE --cases ROWS"
#: What a first word wants behind it.
FORMS = {CONVERT: "FILE OUT", LEARN: "FILE ROWS"}

_FILE = (DESCRIBE, ANSWER, CONVERT, LEARN)
#: What options go with that do not go with `ANSWER` and `LEARN`.
_USED_BY: Mapping[str, tuple[str, ...]] = {
    # Who asks for quiet has it: nothing else says much.
    **dict.fromkeys(("files", "quiet"), (*_FILE, EXPORT)),
    "every": (DESCRIBE,),
    **dict.fromkeys(("normalise", "encoding", "names"), _FILE),
    "rename": (CONVERT,),
    "output": (ANSWER, LEARN, EXPORT),
    **dict.fromkeys(("prior", "weight", "iterations"), (LEARN,)),
    **dict.fromkeys(("cases", "target", "mpe", "k", "time_limit", "on_error"), (ANSWER,)),
    **dict.fromkeys(("dry_run", "resume", "restart", "chunk_rows"), (ANSWER,)),
}


def form_of(files: list[str]) -> tuple[str, Path]:
    """What is wanted of a network file, "" for its description or answers; and the file.

    Raises
    ------
    InvalidCase
        If the words are none of `FORMS`.
    InvalidNetwork
        If there is no such file.
    """
    form = files[0] if len(files) > 1 and files[0] in FORMS else ""
    if len(files) != (3 if form else 1):
        forms = ", or ".join(f"{word} {rest}" for word, rest in FORMS.items())
        expected = f"{FORMS[form]} after {form}" if form else f"one file, or {forms}"
        raise InvalidCase(Fault("arguments", expected, Phrase(" ".join(files))))
    path = Path(files[1 if form else 0])
    if not path.exists():
        near = nearest_names(path.name, _beside(path))
        raise InvalidNetwork(Fault(str(path), "a network file", Phrase("no such file"), near))
    return form, path


def refuse_unused(ctx: typer.Context, form: str) -> None:
    """Refuse options that mean nothing to what is asked.

    Raises
    ------
    InvalidCase
        With each of them.
    """
    faults = []
    for one in ctx.command.params:
        source = ctx.get_parameter_source(str(one.name))
        used_by = _USED_BY.get(str(one.name), (ANSWER, LEARN))
        if source is not None and source.name == "COMMANDLINE" and form not in used_by:
            faults.append(Fault(max(one.opts, key=len), " or ".join(used_by), Phrase(form)))
    if faults:
        raise InvalidCase(faults)


def _beside(path: Path) -> list[str]:
    return [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
