"""What verify finds: nothing where nothing changed, and each thing that did."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_cases import case_table, write_cases
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.errors import BayesdxError, InvalidCase
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.tables.execution.audit import LARGEST_KEY, canonical, read_key
from bayesdx.tables.execution.network_subject import NetworkSubject
from bayesdx.tables.execution.publish import describe
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import run_table, score_table
from bayesdx.tables.execution.verification import verify_output
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.target import Target

OUTPUTS = [
    ("o.csv", OutputOptions()),
    ("o.csv.gz", OutputOptions(causes=("strain",))),
    ("o.jsonl", OutputOptions()),
    ("o.parquet", OutputOptions()),
    ("scores/", OutputOptions("long")),
    ("long.csv", OutputOptions("long", top=1)),
    ("long.jsonl.zst", OutputOptions("long", threshold=0.2)),
]


@pytest.mark.parametrize(("name", "output"), OUTPUTS)
def test_all_is_as_written(core: Core, tmp_path: Path, name: str, output: OutputOptions) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text(case_table([number % 5 != 2 for number in range(60)]))
    out = f"{tmp_path}/{name}"
    score_table(core, cases, out, RunOptions(output=output, chunk_rows=7, on_error="skip"))
    for sample, seed in ((1000, 0), (9, 1), (9, 2)):
        found = verify_output(core, out, sample=sample, seed=seed)
        assert found.differences == ()
        assert (found.compared, found.scored) == (min(sample, 48), 48)


def _tampered(path: Path) -> None:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        column = table["strain"].to_pylist()
        column[4] = column[4] + 1e-9
        position = table.column_names.index("strain")
        pq.write_table(table.set_column(position, "strain", [column]), path)
        return
    lines = path.read_text().splitlines(keepends=True)
    # Header or not: the fifth case.
    at = 5 if path.suffix == ".csv" else 4
    lines[at] = lines[at].replace("self_care", "routine").replace("0.", "0.1", 1)
    path.write_text("".join(lines))


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.parquet"])
def test_changed_values_are_found(core: Core, tmp_path: Path, name: str) -> None:
    cases = write_cases(tmp_path / "cases.csv", 20)
    out = tmp_path / name
    score_table(core, cases, out, RunOptions(chunk_rows=7))
    _tampered(out)
    found = verify_output(core, out)
    assert found.differences[0].startswith("output changed: ")
    assert any(one.startswith("values changed: case c4, ") for one in found.differences[1:])
    assert all("case c4, " in one for one in found.differences[1:])


def test_changed_knowledge_is_found(core: Core, tmp_path: Path, priors: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 20)
    out = tmp_path / "o.csv"
    score_table(core, cases, out)
    text = SMALL["findings.toml"].replace("value = 0.25", "value = 0.26")
    other = write_priors(tmp_path / "other", {**SMALL, "findings.toml": text})
    found = verify_output(bayesdx.load(other, backend="numpy").core, out)
    assert found.differences[0].startswith("knowledge changed: digest ")
    assert found.differences[1].startswith("values changed: case c")
    # Other knowledge, which has none of these columns: the table is what it was.
    strange = Path(__file__).parents[3] / "examples" / "headache"
    unread = verify_output(bayesdx.load(strange, backend="numpy").core, out)
    assert unread.differences[1].startswith("input cannot be read by it: ")
    # More cells than can be told are counted.
    assert found.differences[-1].endswith(" more cells of the sample")


def test_changed_input_is_found(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 20)
    out = tmp_path / "o.csv"
    score_table(core, cases, out)
    text = cases.read_text()
    cases.write_text(text.replace("\nc3,", "\nc3x,"))
    found = verify_output(core, out)
    assert found.differences[0] == f"input changed: {cases} is not what was scored"
    assert found.differences[1].startswith("values changed: case c3x, case_id: 'c3' in the output")
    cases.write_text(case_table([True] * 5))
    found = verify_output(core, out)
    assert found.differences[1].startswith("input changed: ")
    assert "expected 20 records, got 5 that can be scored" in found.differences[1]
    assert found.compared == 0


def test_input_that_moved_is_named(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 20)
    score_table(core, cases, tmp_path / "o.csv")
    moved = cases.rename(tmp_path / "moved.csv")
    with pytest.raises(InvalidCase, match="or --input with its new name, got no such file"):
        verify_output(core, tmp_path / "o.csv")
    assert verify_output(core, tmp_path / "o.csv", source=moved).differences == ()


def test_without_output_or_audit(core: Core, tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="an output of score or network, got no such"):
        verify_output(core, tmp_path / "o.csv")
    (tmp_path / "o.csv").write_text("x\n")
    with pytest.raises(InvalidCase, match="the audit of an output, got none"):
        verify_output(core, tmp_path / "o.csv")
    (tmp_path / "o.csv.audit.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InvalidCase, match="the audit of an output, got one of a newer bayesdx"):
        verify_output(core, tmp_path / "o.csv")
    (tmp_path / "o.csv.audit.json").write_text("{")
    with pytest.raises(InvalidCase, match="the audit of an output, got a damaged one"):
        verify_output(core, tmp_path / "o.csv")


def test_an_audit_that_cannot_be_opened_is_not_called_damaged(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "o.csv").write_text("x\n")
    (tmp_path / "o.csv.audit.json").write_text("{}")

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidCase, match=r"audit\.json: expected a readable file, got Permission"):
        verify_output(core, tmp_path / "o.csv")


@pytest.mark.parametrize("name", ["knowledge", "input", "counts", "options", "output", "run"])
@pytest.mark.parametrize("content", [None, {}, [], "x"], ids=str)
def test_a_damaged_audit_is_said_to_be_so(
    core: Core, tmp_path: Path, name: str, content: object
) -> None:
    cases = write_cases(tmp_path / "cases.csv", 5)
    score_table(core, cases, tmp_path / "o.csv")
    path = tmp_path / "o.csv.audit.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, name: content}))
    if (name, content) == ("output", {}):
        assert verify_output(core, tmp_path / "o.csv").differences != ()
        return
    with pytest.raises(InvalidCase, match=f"the audit of an output, got a damaged one: {name}"):
        verify_output(core, tmp_path / "o.csv")


def rewritten(path: Path, **changes: object) -> None:
    """Change an audit as somebody would who puts its digest right."""
    audit = {**json.loads(path.read_text()), **changes}
    audit["digest"] = hashlib.sha256(canonical(audit)).hexdigest()
    path.write_text(json.dumps(audit))


@pytest.fixture
def mixed(core: Core, tmp_path: Path) -> Path:
    """An output with rejected records beside it."""
    cases = tmp_path / "cases.csv"
    cases.write_text(case_table([number % 5 != 2 for number in range(30)]))
    options = RunOptions(on_error="skip", chunk_rows=7)
    score_table(core, cases, tmp_path / "o.csv", options)
    return tmp_path / "o.csv"


def test_all_rows_and_all_counts_are_compared(core: Core, mixed: Path) -> None:
    found = verify_output(core, mixed, sample=None)
    assert found.differences == ()
    assert (found.compared, found.scored) == (24, 24)


def test_one_posterior_changed_with_all_digests_put_right(core: Core, mixed: Path) -> None:
    audit = mixed.with_name("o.csv.audit.json")
    _tampered(mixed)
    target = Target(str(mixed), mixed, "csv", "", folder=False)
    rewritten(audit, output=describe(mixed, target))
    told = verify_output(core, mixed, sample=None).differences
    assert told
    assert all(one.startswith("values changed: case c") for one in told)
    # A sample finds it where it holds that row, and another is drawn for another seed.
    seen = {bool(verify_output(core, mixed, sample=6, seed=seed).differences) for seed in range(20)}
    assert seen == {True, False}


@pytest.mark.parametrize("content", ["", "row,line\n", None])
def test_rejected_records_changed(core: Core, mixed: Path, content: str | None) -> None:
    rejected = mixed.with_name("o.csv.rejected.csv")
    if content is None:
        rejected.unlink()
    else:
        rejected.write_text(content)
    (told,) = verify_output(core, mixed).differences
    assert told.startswith("rejected records changed: ")
    if content:
        about = {"bytes": len(content), "digest": hashlib.sha256(content.encode()).hexdigest()}
        rewritten(mixed.with_name("o.csv.audit.json"), rejected=about)
        (told,) = verify_output(core, mixed).differences
        assert told.startswith("rejected records changed: ")


def test_counts_versions_and_options_changed(core: Core, mixed: Path) -> None:
    path = mixed.with_name("o.csv.audit.json")
    whole = json.loads(path.read_text())
    changes = ("counts", "faults", 70), ("engine", "version", "7"), ("options", "threshold", 0.7)
    for name, key, value in changes:
        path.write_text(json.dumps({**whole, name: {**whole[name], key: value}}))
        assert "audit changed: it is not what its digest was made of" in (
            verify_output(core, mixed).differences
        )
    path.write_text(json.dumps(whole))
    rewritten(path, counts={**whole["counts"], "faults": 99, "status": {"ok": 1}})
    (told,) = verify_output(core, mixed, sample=5).differences
    assert told.startswith("counts changed: 99 faults in the audit, ")
    assert len(verify_output(core, mixed, sample=None).differences) == 2


def test_a_signature_needs_the_key(core: Core, tmp_path: Path) -> None:
    cases, out = write_cases(tmp_path / "cases.csv", 5), tmp_path / "o.csv"
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef\n")
    score_table(core, cases, out, RunOptions(key=key))
    secret = read_key(key)
    assert verify_output(core, out, key=secret).differences == ()
    assert verify_output(core, out, key=b"another key, long").differences == (
        "audit changed, or signed with another key",
    )
    path = tmp_path / "o.csv.audit.json"
    assert "0123456789" not in path.read_text()
    rewritten(path, seed=1)
    assert verify_output(core, out).differences == ()
    assert "audit changed, or signed with another key" in (
        verify_output(core, out, key=secret).differences
    )
    score_table(core, cases, out)
    assert verify_output(core, out, key=secret).differences == ("audit not signed",)


def test_keys_that_cannot_be(core: Core, tmp_path: Path) -> None:
    cases, key = write_cases(tmp_path / "cases.csv", 5), tmp_path / "key"
    with pytest.raises(InvalidCase, match="got no such file"):
        score_table(core, cases, tmp_path / "o.csv", RunOptions(key=key))
    key.write_text("short\n")
    with pytest.raises(InvalidCase, match="a key of at least 16 bytes, got 5 bytes"):
        score_table(core, cases, tmp_path / "o.csv", RunOptions(key=key))
    with pytest.raises(
        InvalidCase, match="zero: expected a file, got a folder, a pipe or a device"
    ):
        read_key(Path("/dev/zero"))
    key.write_bytes(b"k" * (LARGEST_KEY + 1))
    with pytest.raises(InvalidCase, match="a key of at most 65536 bytes, got more"):
        read_key(key)
    assert not (tmp_path / "o.csv").exists()


def _places(value: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    return [at, *(place for key, one in inner for place in _places(one, (*at, key)))]


def _judged(asked: Core | None, out: Path) -> None:
    """Put something else in each place of an audit: it is found to be changed, or damaged."""
    beside = out.with_name(f"{out.name}.audit.json")
    good = json.loads(beside.read_text())
    others = (None, "tall", -1, [], {}, {"x": 1}, True, 10**30, "\ud800")
    for place in [*_places(good["options"], ("options",)), ("counts", "scored")]:
        for other in others:
            changed = json.loads(json.dumps(good))
            inside = changed
            for key in place[:-1]:
                inside = inside[key]
            if inside[place[-1]] == other and type(inside[place[-1]]) is type(other):
                continue
            inside[place[-1]] = other
            beside.write_text(json.dumps(changed))
            try:
                found = verify_output(asked, out, sample=1)
            except BayesdxError:
                continue
            assert any("audit changed" in one for one in found.differences), (place, other)


def test_an_audit_with_anything_in_it_is_judged_or_said_to_be_damaged(
    core: Core, tmp_path: Path
) -> None:
    cases, out = tmp_path / "cases.csv", tmp_path / "o.csv"
    cases.write_text(case_table([True, True, True]))
    score_table(core, cases, out)
    _judged(core, out)


@pytest.mark.parametrize("search", [None, SearchLimits(k=2)])
def test_so_is_that_of_a_network(tmp_path: Path, search: SearchLimits | None) -> None:
    rain = bayesdx.Network(
        [bayesdx.Variable("rain", ("no", "yes"))], [bayesdx.TableCPD("rain", (), [0.8, 0.2])]
    )
    place, cases, out = tmp_path / "rain.bif", tmp_path / "rows.csv", tmp_path / "o.csv"
    bayesdx.write_network(rain, place)
    cases.write_text("case_id,rain\na,yes\nb,\n")
    run_table(NetworkSubject(rain, place, [], 1e6, search=search), cases, out, RunOptions())
    assert verify_output(None, out).differences == ()
    _judged(None, out)


def test_the_format_does_not_switch_the_digest_off(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 5)
    score_table(core, cases, tmp_path / "o.csv")
    path = tmp_path / "o.csv.audit.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, "format": 1}))
    found = verify_output(core, tmp_path / "o.csv")
    assert found.differences == ("audit changed: it is not what its digest was made of",)
    path.write_text(json.dumps({**whole, "format": True}))
    with pytest.raises(InvalidCase, match="the audit of an output, got a damaged one"):
        verify_output(core, tmp_path / "o.csv")


def test_an_audit_of_another_question_than_the_output_answers(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 5)
    score_table(core, cases, tmp_path / "o.csv")
    path = tmp_path / "o.csv.audit.json"
    options = json.loads(path.read_text())["options"]
    rewritten(path, options={**options, "shape": "long"})
    differences = verify_output(core, tmp_path / "o.csv").differences
    assert len(differences) == 2
    assert differences[0].startswith("counts changed: 5 lines in the audit, ")
    assert differences[1].startswith("values changed: columns ")
    rewritten(path, options={**options, "causes": ["strian"]})
    with pytest.raises(
        InvalidCase,
        match=r"audit: options: causes: expected the id of a cause, got 'strian'. Nearest: strain",
    ):
        verify_output(core, tmp_path / "o.csv")


def test_an_audit_nested_beyond_reading_is_damaged(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 5)
    score_table(core, cases, tmp_path / "o.csv")
    (tmp_path / "o.csv.audit.json").write_text('{"a":' + "[" * 100_000)
    with pytest.raises(InvalidCase, match="the audit of an output, got a damaged one"):
        verify_output(core, tmp_path / "o.csv")
