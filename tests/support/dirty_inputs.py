"""Every kind of dirty input that we know of, and what becomes of it.

An entry says which rows must come out sound, cell by cell, and what is told of the others. The
table in ``tests/tables/dirty-input.md`` is made by running the same entries, see `dirty_report`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bayesdx.diagnosis.values import Words
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.table_options import TableOptions

#: What becomes of an input. READ: every row is sound. REJECTED: bad rows are told and left out,
#: the others are read. STOPPED: where the next row begins is not known; rows before that are read.
#: REFUSED: nothing is read.
READ, REJECTED, STOPPED, REFUSED = "read", "rows rejected", "stopped there", "refused"

HEAD = b"case_id,cramp,age\n"
TWO = b"a,present,41\nb,absent,70\n"
SEMICOLONS = (HEAD + TWO).replace(b",", b";")
SEMI = TableOptions(Dialect(";"))
A, B, C = "a|present|41", "b|absent|70", "c||50"


@dataclass(frozen=True)
class Dirty:
    """One kind of dirty input.

    Attributes
    ----------
    about : str
        In words.
    data : bytes, or mapping of file name to bytes
        The file, or the files of a folder.
    outcome : str
    rows : tuple of str
        Cells of the sound rows, joined by bars.
    told : tuple of str
        A part of each fault, in order.
    file : str
    fmt : str, optional
        Format that is stated.
    table : TableOptions, optional
    """

    about: str
    data: bytes | Mapping[str, bytes]
    outcome: str
    rows: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    file: str = "cases.csv"
    fmt: str | None = None
    table: TableOptions | None = None


LETTERS = [
    Dirty("byte order mark", b"\xef\xbb\xbf" + HEAD + TWO, READ, (A, B)),
    Dirty("line ends of Windows", (HEAD + TWO).replace(b"\n", b"\r\n"), READ, (A, B)),
    Dirty("line ends of old Macs", (HEAD + TWO).replace(b"\n", b"\r"), READ, (A, B)),
    Dirty("mixed line ends", HEAD + b"a,present,41\r\nb,absent,70\rc,,50\n", READ, (A, B, C)),
    Dirty("last line without an end", HEAD + TWO[:-1], READ, (A, B)),
    Dirty("blank lines", b"\n\n" + HEAD + b"\na,present,41\n\n\nb,absent,70\n\n", READ, (A, B)),
    Dirty("a line of blanks", HEAD + b"a,present,41\n   \n", REJECTED, (A,), (":3:2: expected 3",)),
    Dirty("a line of commas only", HEAD + b",,\n" + TWO, READ, ("||", A, B)),
    Dirty("letters beyond ASCII", HEAD + "é,present,41\n".encode(), READ, ("é|present|41",)),
    Dirty("UTF-16", (HEAD + TWO).decode().encode("utf-16"), REFUSED, (), ("save it as UTF-8",)),
    Dirty("UTF-32", (HEAD + TWO).decode().encode("utf-32"), REFUSED, (), ("got UTF-32 text",)),
    Dirty(
        "UTF-16 without a mark",
        (HEAD + TWO).decode().encode("utf-16-le"),
        REFUSED,
        (),
        ("UTF-16 without a mark",),
    ),
    Dirty(
        "Latin-1 in a cell",
        HEAD + b"\xe9,present,41\n" + TWO,
        REJECTED,
        (A, B),
        (
            ":2:1: expected UTF-8 text (save the file as UTF-8, or name its encoding: "
            "--encoding (of network: --cases-encoding))",
        ),
    ),
    Dirty(
        "Latin-1 in the header",
        b"case_id,caf\xe9\na,1\n",
        REFUSED,
        (),
        (
            ":1:2: expected UTF-8 text (save the file as UTF-8, or name its encoding: "
            "--encoding (of network: --cases-encoding))",
        ),
    ),
    Dirty(
        "NUL in a cell", HEAD + b"a,pre\0sent,41\n" + TWO, REJECTED, (A, B), (":2:2: expected t",)
    ),
    Dirty("NUL in the header", b"case_id,cr\0amp\n", REFUSED, (), (":1:2: expected text without",)),
]

ROWS = [
    Dirty("too few cells", HEAD + b"x,present\n" + TWO, REJECTED, (A, B), (":2:3: expected 3",)),
    Dirty("too many cells", HEAD + b"x,,41,9\n" + TWO, REJECTED, (A, B), (":2:4: expected 3",)),
    Dirty(
        "a comma at the end of every row",
        HEAD + b"a,present,41,\nb,absent,70,\n",
        REJECTED,
        (),
        (":2:4: expected 3", ":3:4: expected 3"),
    ),
    Dirty(
        "a comma at the end of every line",
        b"case_id,cramp,age,\na,present,41,\n",
        REFUSED,
        (),
        ("got 'Unnamed: 3'",),
    ),
    Dirty(
        "two rows on one line",
        HEAD + b"a,present,41b,absent,70\nc,,50\n",
        REJECTED,
        (C,),
        (":2:4: expected 3 values",),
    ),
    Dirty(
        "a row on two lines",
        HEAD + b"a,present\n,41\nb,absent,70\n",
        REJECTED,
        (B,),
        (":2:3: expected 3", ":3:3: expected 3"),
    ),
    Dirty("broken off", HEAD + b"a,present,41\nb,abs", REJECTED, (A,), (":3:3: expected 3",)),
    Dirty(
        "broken off in the last cell",
        HEAD + b"a,present,41\nb,abs,7",
        REJECTED,
        (A,),
        (":3:cramp: expected present", ":3:age: expected a number"),
    ),
    Dirty(
        "two files joined, header and all",
        HEAD + b"a,present,41\n" + HEAD + b"b,absent,70\n",
        REJECTED,
        (A, B),
        (":3:cramp: expected present", ":3:age: expected a number"),
    ),
    Dirty(
        "one row with semicolons",
        HEAD + b"x;present;41\n" + TWO,
        REJECTED,
        (A, B),
        (":2:2: expected 3 values",),
    ),
    Dirty(
        "a comma for the decimal point",
        b"case_id,cramp,ck\na,present,4,5\nb,absent,2.0\n",
        REJECTED,
        ("b|absent|2.0",),
        (":2:4: expected 3 values",),
    ),
    Dirty("a cell of 2 MiB", HEAD + b"x" * (2 << 20) + b",,\n" + TWO, REJECTED, (A, B), ("1 MiB",)),
    Dirty(
        "a line of 17 MiB",
        HEAD + b"a,present,41\n" + b"x" * (17 << 20) + b"\nb,absent,70\n",
        REJECTED,
        (A, B),
        (":3:1: expected a record of at most 16 MiB",),
    ),
]

HEADERS = [
    Dirty("empty file", b"", REFUSED, (), (":1:1: expected a header line, got an empty file",)),
    Dirty("blank lines only", b"\n\r\n\n", REFUSED, (), ("got an empty file",)),
    Dirty("header only", HEAD, READ),
    Dirty("no header", TWO, REFUSED, (), ("got 'a'", "got 'present'", "got '41'")),
    Dirty("blanks around names", b" case_id , cramp ,age\n" + TWO, READ, (A, B)),
    Dirty("a column twice", b"age,cramp,age\n1,,2\n", REFUSED, (), (":1:3: expected each column",)),
    Dirty(
        "a column twice but for blanks", b"age, age\n1,2\n", REFUSED, (), (":1:2: expected each",)
    ),
    Dirty("case_id twice", b"case_id,case_id,age\na,b,4\n", REFUSED, (), (":1:2: expected each",)),
    Dirty("a column without a name", b"case_id,,age\na,,41\n", REFUSED, (), ("got 'Unnamed: 1'",)),
    Dirty("an unknown column", b"case_id,shoe_size\na,41\n", REFUSED, (), ("got 'shoe_size'",)),
    Dirty(
        "a slip in a name",
        b"case_id,cramps,age\na,,41\n",
        REFUSED,
        (),
        ("got 'cramps'. Nearest: cramp",),
    ),
    Dirty(
        "a line end in a name",
        b'case_id,"cramp\nage"\na,\n',
        REFUSED,
        (),
        (r"got 'cramp\nage'",),
    ),
    Dirty("semicolons", HEAD.replace(b",", b";"), REFUSED, (), ("got semicolons",)),
    Dirty("tabs", HEAD.replace(b",", b"\t"), REFUSED, (), ("got tabs",)),
    Dirty("bars", HEAD.replace(b",", b"|"), REFUSED, (), ("got bars",)),
    Dirty("a line for spreadsheets", b"sep=,\n" + HEAD + TWO, READ, (A, B)),
    Dirty("the same with semicolons", b"sep=;\r\n" + SEMICOLONS, READ, (A, B)),
    Dirty("the same with another mark", b"sep=x\n" + HEAD, REFUSED, (), (":1:1: expected sep=",)),
    Dirty(
        "the same against --delimiter tab",
        b"sep=;\n" + SEMICOLONS,
        REFUSED,
        (),
        ("sep=\t",),
        table=TableOptions(Dialect("tab")),
    ),
    Dirty(
        "semicolons, everything in marks",
        b'"case_id";"cramp";"age"\n"a";"1";"41"\n',
        REFUSED,
        (),
        ("--delimiter ';'",),
    ),
    Dirty(
        "semicolons and decimal commas", b"case_id;cramp;ck\na;0,5;4,5\n", REFUSED, (), ("--delim",)
    ),
    Dirty("semicolons, --delimiter ';'", SEMICOLONS, READ, (A, B), table=SEMI),
    Dirty(
        "semicolons in marks, --delimiter ';'",
        b'"case_id";"cramp";"age"\n"a;,";"1";"41"\n',
        READ,
        ("a;,|1|41",),
        table=SEMI,
    ),
    Dirty(
        "tabs, --delimiter tab",
        (HEAD + TWO).replace(b",", b"\t"),
        READ,
        (A, B),
        table=TableOptions(Dialect("tab")),
    ),
    Dirty(
        "decimal commas, --delimiter ';' --decimal ,",
        b"case_id;cramp;ck\na;0,5;4,5\nb;50 %;\nc;0.5;\n",
        REJECTED,
        ("a|0,5|4,5", "b|50 %|"),
        (":4:cramp: expected present",),
        table=TableOptions(Dialect(";"), Words(decimal=",")),
    ),
    Dirty(
        "Latin-1, --encoding latin-1",
        "case_id,cramp\né,1\n".encode("latin-1"),
        READ,
        ("é|1",),
        table=TableOptions(Dialect(encoding="latin-1")),
    ),
    Dirty(
        "no byte of Windows-1252, --encoding cp1252",
        b"case_id,cramp\n\x81,1\n\x80,0\n",
        REJECTED,
        ("€|0",),
        (":2:1: expected UTF-8",),
        table=TableOptions(Dialect(encoding="cp1252")),
    ),
    Dirty(
        "UTF-16, --encoding utf-16",
        (HEAD + TWO).decode().encode("utf-16"),
        READ,
        (A, B),
        table=TableOptions(Dialect(encoding="utf-16")),
    ),
    Dirty(
        "UTF-16 that breaks off, --encoding utf-16",
        (HEAD + TWO).decode().encode("utf-16")[:-1],
        REFUSED,
        (),
        ("text in utf-16",),
        table=TableOptions(Dialect(encoding="utf-16")),
    ),
    Dirty(
        "an id by another name",
        b"Patient ID,cramp\na,1\n",
        REFUSED,
        (),
        ("id, keep and ignore",),
    ),
    Dirty(
        "the same, --id 'Patient ID'",
        b"Patient ID,cramp\na,1\n",
        READ,
        ("a|1",),
        table=TableOptions(id="Patient ID"),
    ),
    Dirty(
        "the same, --id Patient",
        b"Patient ID,cramp\na,1\n",
        REFUSED,
        (),
        ("id: expected a column of the table, got 'Patient'. Nearest: Patient ID",),
        table=TableOptions(id="Patient"),
    ),
    Dirty(
        "a date, --keep visit",
        b"case_id,cramp,visit\na,1,2024-05-01\n",
        READ,
        ("a|1|2024-05-01",),
        table=TableOptions(keep=("visit",)),
    ),
    Dirty(
        "a column of the output, --keep status",
        b"case_id,cramp,status\na,1,x\n",
        REFUSED,
        (),
        ("keep: expected a column that the answer does not have itself, got 'status'",),
        table=TableOptions(keep=("status",)),
    ),
    Dirty(
        "the index of pandas, --ignore 'Unnamed: 0'",
        b",case_id,cramp\n0,a,1\n",
        READ,
        ("0|a|1",),
        table=TableOptions(ignore=("Unnamed: 0",)),
    ),
    Dirty(
        "a comma at the end of every line, --ignore 'Unnamed: 2'",
        b"case_id,cramp,\na,1,\n",
        READ,
        ("a|1|",),
        table=TableOptions(ignore=("Unnamed: 2",)),
    ),
    Dirty(
        "none, nil and - of a finding",
        b"case_id,cramp\na,none\nb,nil\nc,-\nd,no\n",
        REJECTED,
        ("d|no",),
        ("got 'none'", "got 'nil'", "got '-'"),
    ),
    Dirty(
        "the same, --no none --unknown -",
        b"case_id,cramp\na,none\nc,-\n",
        READ,
        ("a|none", "c|-"),
        table=TableOptions(words=Words(no=("none",), unknown=("-",))),
    ),
    Dirty(
        "words of other people",
        b"case_id,cramp\na,ja\nb,denies\nc,not present\nd,+\ne,x\n",
        READ,
        ("a|ja", "b|denies", "c|not present", "d|+", "e|x"),
    ),
    Dirty(
        "1 for yes and 2 for no, --no 2",
        b"case_id,cramp\na,1\nb,2\n",
        READ,
        ("a|1", "b|2"),
        table=TableOptions(words=Words(no=("2",))),
    ),
    Dirty(
        "numbers that nobody wrote",
        "cramp,age\n0_1,\n1e-400,\n,4_1\n,٤١\n0.99999999999999999999,\n".encode(),
        REJECTED,
        (),
        ("got '0_1'", "got '1e-400'", "got '4_1'", "got '٤١'", "got '0.99999999"),
    ),
    Dirty("percentages", b"cramp\n80 %\n120 %\n", REJECTED, ("80 %",), ("got '120 %'",)),
    Dirty(
        "an unclosed mark in the header", b'case_id,"cramp\n', REFUSED, (), (":1:2: expected a C",)
    ),
    Dirty(
        "text after a mark in the header", b'"case_id"x,cramp\n', REFUSED, (), (":1:1: expected",)
    ),
]

MARKS = [
    Dirty(
        "marks as they should be",
        HEAD + b'"a, ""b""\r\nc",present,"41"\n',
        READ,
        ('a, "b"\r\nc|present|41',),
    ),
    Dirty("everything in marks", HEAD + b'"a","present","41"\n"b","absent","70"\n', READ, (A, B)),
    Dirty(
        "a mark inside a cell", HEAD + b'5" x,,41\n' + TWO, REJECTED, (A, B), (":2:1: expected a",)
    ),
    Dirty(
        "a blank before a mark", HEAD + b'x, "",41\n' + TWO, REJECTED, (A, B), (":2:2: expected",)
    ),
    Dirty(
        "text after a closing mark",
        HEAD + b'"x"y,present,41\n' + TWO,
        REJECTED,
        (A, B),
        (":2:1: expected a CSV record",),
    ),
    Dirty(
        "marks inside that are not doubled",
        HEAD + b'"the "bad" leg",present,41\n' + TWO,
        REJECTED,
        (A, B),
        (":2:1: expected a CSV record",),
    ),
    Dirty(
        "the same, and the cell goes on",
        HEAD + b'a,present,41\n"x "y",\nz,,\n",present,41\n',
        STOPPED,
        (A,),
        (":3:1: expected a CSV record",),
    ),
    Dirty(
        "an unclosed mark", HEAD + b'a,present,41\n"b,absent,70\n', STOPPED, (A,), (":3:1: expect",)
    ),
    Dirty(
        "an unclosed mark that swallows rows",
        HEAD + b'a,present,41\nb,"absent,70\nc,,50\nd,"present",60\n',
        STOPPED,
        (A,),
        (":3:2: expected a CSV record",),
    ),
    Dirty(
        "two stray marks that join rows",
        HEAD + b'a,present,41\nb,"absent,70\nc,",50\n',
        STOPPED,
        (A,),
        ("look like rows by themselves",),
    ),
    Dirty(
        "a row over several lines, too short",
        HEAD + b'a,present,41\n"b\nb",absent\nc,,50\n',
        STOPPED,
        (A,),
        (":3:3: expected 3 values",),
    ),
    Dirty("single marks", HEAD + b"a,'present',41\n", REJECTED, (), ("got \"'present'\"",)),
    Dirty("curly marks", HEAD + "a,“present”,41\n".encode(), REJECTED, (), ("got '“present”'",)),
]

CELLS = [
    Dirty("words for not known", HEAD + b"a,unknown,NA\n", READ, ("a|unknown|NA",)),
    Dirty(
        "other words", HEAD + b"a,maybe,41\n" + TWO[13:], REJECTED, (B,), (":2:cramp: expected p",)
    ),
    Dirty("a number beyond 1", HEAD + b"a,1.5,41\n", REJECTED, (), (":2:cramp: expected present",)),
    Dirty("infinity", HEAD + b"a,inf,41\n", REJECTED, (), (":2:cramp: expected present",)),
    Dirty(
        "a measure out of range",
        HEAD + b"a,,17\n",
        REJECTED,
        (),
        ("from 18 to 120 (years), or one of",),
    ),
    Dirty("part of a year", HEAD + b"a,,41.5\n", REJECTED, (), ("a whole number from 18",)),
    Dirty("a unit that is none", HEAD + b"a,,41 moons\n", REJECTED, (), ("a number in years",)),
    Dirty("a decimal comma in marks", b'ck\n"4,5"\n', REJECTED, (), (":2:ck: expected a number",)),
    Dirty("true as a measure", HEAD + b"a,,true\n", REJECTED, (), (":2:age: expected a number",)),
    Dirty(
        "a date for a number", HEAD + b"a,,01-May\n", REJECTED, (), (":2:age: expected a number",)
    ),
    Dirty("an error of a spreadsheet", HEAD + b"a,#N/A,41\n", REJECTED, (), ("got '#N/A'",)),
    Dirty("a formula", HEAD + b"a,=1+1,41\n", REJECTED, (), ("got '=1+1'",)),
    Dirty(
        "two columns of one finding disagree",
        b"cramp,charley horse\n1,0\n1,\n",
        REJECTED,
        ("1|",),
        (":2:cramp: expected one value, got present from 'cramp' and absent from 'charley horse'",),
    ),
    Dirty(
        "a level and a threshold disagree",
        b"radiation,radiation_foot\nthigh,yes\nfoot,yes\n",
        REJECTED,
        ("foot|yes",),
        (":2:radiation: expected one level, got a contradiction",),
    ),
    Dirty(
        "two thresholds disagree",
        b"radiation_any,radiation_foot\nno,yes\nyes,no\n",
        REJECTED,
        ("yes|no",),
        (":2:radiation: expected one level",),
    ),
    Dirty(
        "a measure and its finding disagree",
        b"ck,ck_high\n5,absent\n3,absent\n",
        REJECTED,
        ("3|absent",),
        (":2:ck_high: expected one value",),
    ),
]

TEXTS = [*LETTERS, *ROWS, *HEADERS, *MARKS, *CELLS]
