"""`bayesdx examples`: small files to try the commands on."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from bayesdx.cli.brief import tell_next
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.presentation.terminal import show_lines
from bayesdx.tables import check_new_folder, write_files


def examples(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, or one without these files.")
    ] = Path("out/examples"),
) -> None:
    """Copy small files to try: cases, a network, rows.

    Writes cases.csv (a table of cases), sprinkler.bif (a network of four variables) and rows.csv
    (rows of observations for it), and says what to type next.
    """
    check_new_folder(folder)
    given = {one.name: one for one in sample_files()}
    there = [Fault(str(folder / name), "no such file yet", Phrase("one that is there"))
             for name in given if (folder / name).exists()]  # fmt: skip
    if there:
        raise BayesdxError(there)
    write_files(folder, {name: file.read_bytes() for name, file in given.items()})
    for name in given:
        show_lines(f"{folder / name}")
    tell_next(
        f"score {folder / 'cases.csv'} -o out/scores.csv",
        f"network {folder / 'sprinkler.bif'}",
        f"network {folder / 'sprinkler.bif'} --cases {folder / 'rows.csv'}",
    )


def sample_files() -> list[Path]:
    """Return the packaged files, which are ordinary ones on disk."""
    root = files("bayesdx") / "examples" / "first_hour"
    return sorted(Path(str(one)) for one in root.iterdir() if one.is_file())
