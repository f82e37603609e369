"""Options of tables: one list for all commands that read some, and what they do."""

import re

import pytest

from bayesdx.cli.case_tables import column_names

PLAIN = "case_id,age,fair_pos,fever,ward\na,41.5,present,,3\nb,60,absent,present,4\n"
#: The same in another dialect, with columns that mean nothing here.
FOREIGN = "Nr;Stra\xdfe;age;fair_pos;fever;ward\na;x;41,5;oui;egal;3\nb;y;60;non;yes;4\n".encode(
    "cp1252"
)
OPTIONS = (
    *("--delimiter", ";", "--decimal", ",", "--encoding", "cp1252", "--id", "Nr"),
    *("--keep", "ward", "--ignore", "Stra\xdfe", "--yes", "oui", "--no", "non"),
    *("--unknown", "egal"),
)
NAMES = [word for word in OPTIONS if word.startswith("--")]


@pytest.fixture
def tables(tmp_path):
    plain, foreign = tmp_path / "plain.csv", tmp_path / "foreign.csv"
    plain.write_text(PLAIN)
    foreign.write_bytes(FOREIGN)
    return str(plain), str(foreign)


@pytest.mark.parametrize("command", ["score", "report", "compare"])
def test_all_commands_that_read_tables_have_all_options(run, command) -> None:
    said = run(command, "-h").out
    assert [name for name in NAMES if not re.search(rf"^  {name}\b", said, re.M)] == []


@pytest.mark.parametrize("command", ["learn", "drift"])
def test_commands_for_labelled_cases_have_all_but_what_is_copied(run, command) -> None:
    said = run(command, "-h").out
    listed = [name for name in NAMES if re.search(rf"^  {name}\b", said, re.M)]
    assert [name for name in NAMES if name not in listed] == ["--keep"]


LABELLED = "case_id,date,nausea,cause:migraine\n" + "".join(
    f"p{i},2026-0{1 + i % 2}-01,0.{1 + i % 8},{'present' if i % 3 else 'absent'}\n"
    for i in range(24)
)
FOREIGN_LABELLED = LABELLED.replace(",", ";").replace("0.", "0,").replace("case_id", "Stra\xdfe")
FOREIGN_LABELLED = FOREIGN_LABELLED.replace("present", "oui").replace("absent", "non")


def test_labelled_cases_are_read_the_same(run, tmp_path) -> None:
    plain, foreign = tmp_path / "plain.csv", tmp_path / "foreign.csv"
    plain.write_text(LABELLED)
    foreign.write_bytes(FOREIGN_LABELLED.encode("cp1252"))
    words = [
        *("--delimiter", ";", "--decimal", ",", "--encoding", "cp1252"),
        *("--id", "Stra\xdfe", "--yes", "oui", "--no", "non"),
    ]
    said, dated = [], ("--ignore", "date")
    for number, (table, options) in enumerate(((plain, []), (foreign, words))):
        given = ("examples/headache", str(table), "--quiet", *options)
        learned, windows = tmp_path / f"new{number}", tmp_path / f"windows{number}.csv"
        sums = tmp_path / f"sums{number}.json"
        assert run("learn", *given, *dated, "--folds", "2", "-o", str(learned)).code == 0
        assert run("learn", *given, *dated, "--statistics", str(sums)).code == 0
        assert run("drift", *given, "--time", "date", "-o", str(windows)).code == 0
        files = (learned / "learned.toml", sums, windows)
        said.append([one.read_text(encoding="utf-8") for one in files])
    assert said[0] == said[1]
    refused = run("learn", "examples/headache", str(foreign), "-o", str(tmp_path / "x"))
    assert refused.code == 2
    assert "--delimiter ';' reads them" in refused.err


def test_a_network_has_those_that_mean_something(run) -> None:
    said = run("network", "-h").out
    own = [
        "--delimiter",
        "--decimal",
        "--encoding",
        "--cases-encoding",
        "--id",
        "--keep",
        "--ignore",
        "--unknown",
    ]
    listed = re.findall(r"^  (--[a-z-]+)", said, re.M)
    assert [name for name in own if name not in listed] == []
    assert {"--yes", "--no"}.isdisjoint(listed)


def test_likelihoods_of_a_network_take_a_decimal_mark(run, tmp_path) -> None:
    net, table = tmp_path / "n.net", tmp_path / "t.csv"
    net.write_text('net{} node A { states = ("no" "yes"); } potential ( A ) { data = (0.8 0.2); }')
    table.write_text("A=no;A=yes\n0,25;0,5\n")
    given = ("network", str(net), "--cases", str(table), "--delimiter", ";")
    refused = run(*given)
    assert refused.code == 2
    assert "0,25" in refused.err
    ran = run(*given, "--decimal", ",")
    assert ran.code == 0, ran.err
    no, yes = map(float, ran.out.splitlines()[1].split(",")[:2])
    assert no == pytest.approx(0.8 * 0.25 / (0.8 * 0.25 + 0.2 * 0.5))
    assert yes == pytest.approx(1.0 - no)


def test_score_reads_the_same(run, tables) -> None:
    plain, foreign = tables
    right = run("score", plain, "--keep", "ward", "--quiet")
    found = run("score", foreign, *OPTIONS, "--quiet")
    assert (right.code, found.code) == (0, 0)
    assert found.out == right.out.replace("case_id", "Nr", 1)


def test_report_reads_the_same_and_shows_what_is_kept(run, tables, tmp_path) -> None:
    pages = []
    for table, options in ((tables[0], ("--keep", "ward")), (tables[1], OPTIONS)):
        out = tmp_path / "page.html"
        assert run("report", table, *options, "--draws", "0", "-o", str(out)).code == 0
        pages.append(out.read_text(encoding="utf-8"))
    assert '<p class="meta">ward: 3</p>' in pages[0]
    # What was understood stands as it was written.
    assert pages[0] == pages[1].replace("41,5", "41.5")


@pytest.mark.parametrize("command", ["score", "report", "compare"])
def test_a_hint_names_an_option_that_the_command_has(run, tables, tmp_path, command) -> None:
    out = ("-o", str(tmp_path / "out.html" if command == "report" else tmp_path / "out.csv"))
    ran = run(command, tables[1], *out)
    assert ran.code == 2
    assert "--encoding" in ran.err or "--delimiter ';'" in ran.err
    with_encoding = run(command, tables[1], "--encoding", "cp1252", *out)
    assert with_encoding.code == 2
    assert "semicolons: --delimiter ';' reads them" in with_encoding.err
    wrong = run(command, tables[1], "--encoding", "cp1252", "--delimiter", ";", *out)
    assert "id, keep and ignore are for others" in wrong.err
    words = [one for one in OPTIONS if one not in ("--no", "non")]
    no_word = run(command, tables[1], *words, *out)
    assert "take more by --yes, --no, --unknown), got 'non'" in " ".join(no_word.err.split())
    assert f"{tables[1]}:3:4, column fair_pos" in no_word.err


@pytest.mark.parametrize("command", ["score", "report", "compare"])
def test_decimal_and_delimiter_must_differ(run, tables, tmp_path, command) -> None:
    out = ("-o", str(tmp_path / "out.html" if command == "report" else tmp_path / "out.csv"))
    ran = run(command, tables[0], "--decimal", ",", *out)
    assert ran.code == 2
    assert "another mark between cells than the decimal one" in ran.err


def test_a_network_takes_further_words_for_not_known(run, tmp_path) -> None:
    net, table = tmp_path / "n.net", tmp_path / "t.csv"
    net.write_text('net{} node A { states = ("no" "yes"); } potential ( A ) { data = (0.8 0.2); }')
    table.write_text("A\negal\n")
    refused = run("network", str(net), "--cases", str(table))
    assert refused.code == 2
    assert "a state (no, yes), got 'egal'" in refused.err
    ran = run("network", str(net), "--cases", str(table), "--unknown", "egal")
    assert ran.code == 0
    assert ran.out.splitlines() == ["A=no,A=yes,log_evidence,status", '0.8,0.2,0,"ok"']


def test_column_names_may_hold_commas() -> None:
    assert column_names(['a, "b, c"', "d"]) == ("a", "b, c", "d")
