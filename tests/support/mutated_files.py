"""Clean CSV files, faults of their row structure, and a judge of how a reader takes them."""

import csv
import io
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = tuple[str, ...]
WORDS = ("", "", "", "present", "absent", "50_to_59", "3.1", "0.4", "unknown", "7 months", "é")
NOTES = ("plain", "a, b", 'the "bad" leg', "first\nsecond", "a, b\nc, d\ne", '"', "", "x\r\ny", ",")
HEADER = -1


@dataclass
class File:
    """A CSV file whose bytes know which record they belong to.

    Attributes
    ----------
    data : bytearray
    owner : list of int
        Number of the record of each byte, -1 for the header.
    header : tuple of str
    rows : list of tuple of str
        Of the clean file.
    touched : set of int
    fresh : list of bool
        Of each byte, whether it was put in.
    """

    data: bytearray
    owner: list[int]
    header: Row
    rows: list[Row]
    touched: set[int] = field(default_factory=set)
    fresh: list[bool] = field(default_factory=list)

    def replace(self, at: int, count: int, by: bytes) -> None:
        """Put other bytes in the place of some, and note whom it concerns."""
        whom = self.owner[min(at, len(self.owner) - 1)]
        self.touched.update(self.owner[at : at + count + 1] or [whom])
        self.touched.add(whom)
        self.touched.add(self.owner[max(at - 1, 0)])
        self.data[at : at + count] = by
        self.owner[at : at + count] = [whom] * len(by)
        self.fresh[at : at + count] = [True] * len(by)

    def beginnings(self) -> list[int]:
        """Where a record of the clean file begins, or a line that was put in."""
        return [
            i
            for i in range(1, len(self.data))
            if self.data[i - 1] in b"\r\n"
            and (self.owner[i] != self.owner[i - 1] or self.fresh[i - 1] or self.fresh[i])
        ]


def clean_file(rng: random.Random) -> File:
    """Draw a file as a well-behaved program writes it; the first cell of each row is its own."""
    columns = rng.choice((1, 2, 3, 3, 4, 5, 8, 20))
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    # With ends of "\r" the module does not quote a "\n" by itself.
    minimal = csv.QUOTE_ALL if end == "\r" else csv.QUOTE_MINIMAL
    quoting = rng.choice((minimal, minimal, csv.QUOTE_ALL))
    notes = rng.random() < 0.5 and columns > 1
    header = tuple(f"c{i}" for i in range(columns))
    rows = []
    for number in range(rng.randrange(1, 16)):
        cells = [f"r{number}", *(rng.choice(WORDS) for _ in header[1:])]
        if notes and rng.random() < 0.6:
            cells[rng.randrange(1, columns)] = rng.choice(NOTES)
        rows.append(tuple(cells))
    data, owner = bytearray(), []
    for number, row in enumerate([header, *rows], start=HEADER):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=end, quoting=quoting).writerow(row)
        data += text.getvalue().encode()
        owner += [number] * (len(data) - len(owner))
    return File(data, owner, header, rows, fresh=[False] * len(data))


def _at(rng: random.Random, file: File, of: bytes) -> int | None:
    """Some place of one of several bytes, mostly below the header."""
    places = [i for i, byte in enumerate(file.data) if byte in of]
    below = [i for i in places if file.owner[i] != HEADER]
    if below and rng.random() < 0.95:
        places = below
    return rng.choice(places) if places else None


def _anywhere(rng: random.Random, file: File) -> int:
    first = next(i for i, owner in enumerate(file.owner) if owner != HEADER)
    return rng.randrange(0 if rng.random() < 0.05 else first, len(file.data))


def _insert(what: bytes) -> Callable[[random.Random, File], None]:
    def mutate(rng: random.Random, file: File) -> None:
        file.replace(_anywhere(rng, file), 0, what)

    return mutate


def _exchange(of: bytes, by: Sequence[bytes]) -> Callable[[random.Random, File], None]:
    def mutate(rng: random.Random, file: File) -> None:
        at = _at(rng, file, of)
        if at is not None:
            file.replace(at, 1, rng.choice(by))

    return mutate


def _drop_cell(rng: random.Random, file: File) -> None:
    at = _at(rng, file, b",")
    if at is None:
        return
    stop = at + 1
    while stop < len(file.data) and file.data[stop] not in b',\r\n"':
        stop += 1
    file.replace(at, stop - at, b"")


def _quote_cell_start(rng: random.Random, file: File) -> None:
    at = _at(rng, file, b",\n\r")
    if at is not None and at + 1 < len(file.data):
        file.replace(at + 1, 0, b'"')


def _truncate(rng: random.Random, file: File) -> None:
    at = _anywhere(rng, file)
    file.touched.update(file.owner[at:])
    if at:
        file.touched.add(file.owner[at - 1])
    del file.data[at:], file.owner[at:], file.fresh[at:]


MUTATIONS: dict[str, Callable[[random.Random, File], None]] = {
    "missing cell": _drop_cell,
    "missing delimiter": _exchange(b",", (b"",)),
    "extra delimiter": _insert(b","),
    "stray quote": _insert(b'"'),
    "quote before a cell": _quote_cell_start,
    "lost quote": _exchange(b'"', (b"",)),
    "doubled quote": _exchange(b'"', (b'""',)),
    "foreign delimiter": _exchange(b",", (b";", b"\t", b"|")),
    "lost line end": _exchange(b"\n\r", (b"",)),
    "line end for delimiter": _exchange(b",", (b"\n", b"\r\n", b"\r")),
    "delimiter for line end": _exchange(b"\n\r", (b",",)),
    "extra line end": _insert(b"\n"),
    "truncated": _truncate,
    "not UTF-8": _insert(b"\xff"),
    "NUL": _insert(b"\0"),
}


def mutate(rng: random.Random, file: File, most: int = 3) -> list[str]:
    """Make one to some mutations; return their names."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, most))):
        if not any(owner != HEADER for owner in file.owner):
            break
        name = rng.choice(list(MUTATIONS))
        MUTATIONS[name](rng, file)
        names.append(name)
    return names


@dataclass(frozen=True)
class Reading:
    """What a reader made of a file.

    Attributes
    ----------
    header : tuple of str
    rows : list of tuple of str
        What it took for sound, in order.
    rejected : int
        Records that it reported.
    refused : bool
        Whether it refused the file, at once or from some place on.
    """

    header: Row
    rows: list[Row]
    rejected: int = 0
    refused: bool = False


def strict_rows(data: bytes, most: int | None = None) -> tuple[list[Row], bool]:
    """What the strict reader of the standard library gives: rows, and whether it got to the end."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    rows: list[Row] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if row:
                rows.append(tuple(row))
            if len(rows) == most:
                break
    except csv.Error:
        return rows, False
    return rows, True


def verdict(file: File, reading: Reading) -> str:
    """Judge what a reader made of a mutated file.

    Returns
    -------
    str
        "refused", "reported" (untouched rows as in the clean file, others told), "harmless" (the
        same rows as the clean file), "as written" (what a strict reader makes of the bytes), or
        "SILENT: ..." with what was misread.
    """
    oracle, whole = strict_rows(bytes(file.data))
    names = tuple(name.strip() for name in oracle[0]) if oracle else ()
    if reading.header and reading.header != names:
        return f"SILENT: header {reading.header}"
    same_header = reading.header == file.header
    wrong = _misread(file, reading, oracle, same_header=same_header)
    if wrong:
        return f"SILENT: row {wrong[0]}"
    if reading.refused:
        return "refused"
    if same_header and not reading.rejected and reading.rows == file.rows:
        return "harmless"
    untouched = [row for i, row in enumerate(file.rows) if i not in file.touched]
    # Under another header, rows of another width are ragged, touched or not.
    untouched = [row for row in untouched if len(row) == len(names)]
    if reading.rejected and _holds(reading.rows, untouched):
        return "reported"
    if whole and reading.rows == [row for row in oracle[1:] if _is_sound(row, len(names))]:
        return "as written"
    return "SILENT: rows are missing"


def _misread(file: File, reading: Reading, oracle: list[Row], *, same_header: bool) -> list[Row]:
    """Rows that neither the clean file nor the strict reader has, nor where a record begins."""
    told = Counter(oracle[1:])
    clean = Counter(file.rows if same_header else ())
    doubtful = [
        row for row, count in Counter(reading.rows).items() if count > max(clean[row], told[row])
    ]
    if not doubtful:
        return []
    alone = {tuple(strict_rows(bytes(file.data[i:]), 1)[0][:1]) for i in file.beginnings()}
    return [row for row in doubtful if (row,) not in alone]


def _is_sound(row: Row, width: int) -> bool:
    text = "".join(row)
    return len(row) == width and "\0" not in text and "\udcff" not in text


def _holds(rows: list[Row], some: list[Row]) -> bool:
    """Whether some rows are among others, in their order."""
    rest = iter(rows)
    return all(any(row == other for other in rest) for row in some)
