"""How tables of cases are written, and what their columns are for: options of many commands."""

# Annotations are values here, not text: they are what typer is given.

import csv
import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bayesdx.tables.table_options import TableOptions

#: The argument of a command in the place of which the options stand.
TABLE = "table"


def _word(meaning: str) -> Any:
    return typer.Option(metavar="WORD", help=f"One more word for {meaning}.", show_default=False)


def table_options(
    delimiter: Annotated[
        str,
        typer.Option(
            metavar="MARK",
            help="What stands between the cells of CSV, such as ';' or tab.",
            show_default=False,
        ),
    ] = "",
    decimal: Annotated[
        str, typer.Option(metavar=".|,", help="The decimal mark of numbers in CSV.")
    ] = ".",
    encoding: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Of CSV that is not UTF-8, such as cp1252 or utf-16.",
            show_default=False,
        ),
    ] = "",
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="COLUMN",
            help="The column that names the cases, copied to the result; by default case_id.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMNS",
            help="Columns to copy to the result, with commas between; evidence all the same where "
            "they name a finding.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMNS",
            help="Columns that are no evidence, with commas between; one without a name is "
            "'Unnamed: 0' by its place.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[list[str] | None, _word("present")] = None,
    no: Annotated[list[str] | None, _word("absent")] = None,
    unknown: Annotated[list[str] | None, _word("not known")] = None,
) -> "TableOptions":
    """Make of the options of a command line what the readers of tables take."""
    # Imported here: help does not wait for the readers.
    from bayesdx.diagnosis.values import Words
    from bayesdx.tables.sources.dialect import Dialect
    from bayesdx.tables.table_options import TableOptions

    return TableOptions(
        Dialect(delimiter, encoding),
        Words(tuple(yes or ()), tuple(no or ()), tuple(unknown or ()), decimal),
        id_column,
        column_names(keep),
        column_names(ignore),
    )


def reads_tables(*lacks: str, **called: str) -> Callable[[Callable[..., None]], Any]:
    """Give a command the options of `table_options`, as its argument ``table``.

    Parameters
    ----------
    *lacks : str
        Parameters of `table_options` that mean nothing to it.
    **called : str
        Other names, where it has an option of the same name for something else.
    """
    own = inspect.signature(table_options).parameters
    options = {called.get(name, name): one for name, one in own.items() if name not in lacks}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(*args: Any, **given: Any) -> None:
            table = {one.name: given.pop(name, one.default) for name, one in options.items()}
            command(*args, **given, **{TABLE: table_options(**table)})

        keyword = inspect.Parameter.KEYWORD_ONLY
        # Its type is imported for type checkers alone; the other annotations are what typer reads.
        del command.__annotations__[TABLE]
        signature = inspect.signature(command, eval_str=True)
        first = [one for one in signature.parameters.values() if one.name != TABLE]
        more = [one.replace(name=name, kind=keyword) for name, one in options.items()]
        # What typer reads: the options themselves in the place of the argument.
        run.__signature__ = signature.replace(parameters=[*first, *more])  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in (*first, *more)}
        return run

    return decorate


def column_names(texts: list[str] | None) -> tuple[str, ...]:
    """Column names with commas between; a name with a comma in it stands in quotation marks."""
    rows = csv.reader(texts or (), skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row)
