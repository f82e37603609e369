"""What `bayesdx network convert` and `export` do: a network read, its names mended, written."""

from __future__ import annotations

from pathlib import Path

from bayesdx.building.knowledge_network import labelled_network
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidNetwork, Phrase
from bayesdx.formats import Renaming, write_network
from bayesdx.formats.files import find_format
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.network.network import Network
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted
from bayesdx.tables import check_place, write_whole

#: Beside a network whose names had to change: the file of both.
NAMES_SUFFIX = ".names.json"
#: Bytes of a file of names.
LARGEST_NAMES = 20_000_000


def export(folder: str | None, output: str) -> None:
    """Write the network of a knowledge folder; names are made such that the format holds them.

    Parameters
    ----------
    folder : str or None
        The packaged one when None.
    output : str
        A file whose name says the format.
    """
    find_format(Path(output))
    check_place(output)
    with patience("reading the priors"):
        network = labelled_network(read_knowledge(None if folder is None else Path(folder)))
    written(network, output, rename=True)


def written(network: Network, output: str, *, rename: bool) -> None:
    """Write a network, beside it the names that were changed, and tell so.

    Parameters
    ----------
    network : Network
    output : str
    rename : bool
        Whether names may be changed.
    """
    check_place(output)
    with patience(f"writing {Path(output).name}"):
        names = write_network(network, output, rename=rename)
    tell(f"bayesdx: {counted(len(network.variables), 'variable')} written to {output}")
    if names:
        beside = Path(f"{output}{NAMES_SUFFIX}")
        write_whole(beside, names.reversed().to_json().encode())
        tell(f"bayesdx: some names are others there; {beside} has them: --names {beside}")


def read_names(path: str) -> Renaming:
    """Read the names that `written` put beside a file.

    Returns
    -------
    Renaming
        From those of the file to those of the network.

    Raises
    ------
    InvalidNetwork
        If there is no such file, or it is something else.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            text = stream.read(LARGEST_NAMES).decode()
    except (OSError, UnicodeDecodeError) as reason:
        expected = "a file of names, as --rename writes it"
        got = Phrase(getattr(reason, "strerror", None) or type(reason).__name__)
        raise InvalidNetwork(Fault(path, expected, got)) from None
    return Renaming.from_json(text, place.name)
