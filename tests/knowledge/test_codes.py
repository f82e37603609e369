"""Codes: ICD-10-CM as it is, HPO terms that exist, and a map of one's own, bounded and checked."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import bayesdx
from bayesdx.cli import main
from bayesdx.knowledge.codes import codes_of, read_codes
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge

TERMS = Path(__file__).with_name("hpo_terms.tsv")


@pytest.fixture(scope="module")
def packaged() -> Knowledge:
    return read_knowledge()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "map.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_icd_code_is_one_of_icd_10_cm(packaged: Knowledge) -> None:
    with warnings.catch_warnings():
        # It reads its tables by a function of importlib that Python 3.11 deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        import simple_icd_10_cm as icd
    wrong = []
    for cause in packaged.causes.values():
        for code in cause.icd10:
            # "M16.-" and "M84.48X-": a category that needs more, with or without a placeholder X.
            plain = code.rstrip("-").rstrip(".")
            open_ = code.endswith("-")
            if open_ and not icd.is_valid_item(plain):
                plain = plain.rstrip("X")
            if not icd.is_valid_item(plain) or icd.is_leaf(plain) == open_:
                wrong.append((cause.id, code))
    assert wrong == []
    assert sum(bool(cause.icd10) for cause in packaged.causes.values()) > 70


def test_every_hpo_term_is_one_that_was_looked_up(packaged: Knowledge) -> None:
    lines = [line for line in TERMS.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    known = dict(line.split("\t") for line in lines)
    named = {term for finding in packaged.findings.values() for term in finding.hpo}
    assert named == known.keys()
    assert len(named) > 60


def test_no_code_of_snomed_is_shipped(packaged: Knowledge) -> None:
    systems = {
        code.system
        for name in (*packaged.causes, *packaged.findings)
        for code in codes_of(packaged, name)
    }
    assert systems == {"ICD-10-CM", "HPO"}


def test_a_map_of_ones_own_is_shown_beside_them(written: Callable[[str], Path]) -> None:
    path = written("ID,system,code,display\nfever,local,F1,Fieber\n\ndvt,local,7\ndvt,local,7\n")
    engine = bayesdx.load(codes=path)
    told = engine.diagnose({"fever": "present"}).to_dict()["codes"]
    assert told["fever"] == [
        {"system": "HPO", "code": "HP:0001945", "display": ""},
        {"system": "local", "code": "F1", "display": "Fieber"},
    ]
    assert told["dvt"][-1] == {"system": "local", "code": "7", "display": ""}
    assert told["dvt"][0]["system"] == "ICD-10-CM"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got nothing"),
        ("id,code\nfever,1\n", "the columns id, system, code"),
        ("id,system,code,code\nfever,a,1,2\n", "the columns id, system, code"),
        ("id,system,code\nfevr,a,1\n", "map.csv:2: expected the id .* Nearest: fever"),
        ("id,system,code\nfever,,1\n", "map.csv:2: expected a system, got nothing"),
        ("id,system,code\nfever,a\n", "map.csv:2: expected a code, got nothing"),
        ("id,system,code\nfever,a,1,2\n", "map.csv:2: expected as many cells .* got 1 more"),
        ('id,system,code\n"fever,a,1\n', "expected a system, got nothing"),
    ],
)
def test_a_map_is_refused_with_line_and_reason(
    packaged: Knowledge, written: Callable[[str], Path], text: str, said: str
) -> None:
    with pytest.raises(bayesdx.InvalidKnowledge, match=said):
        read_codes(written(text), packaged)


def test_every_fault_of_a_map_is_told_at_once(
    packaged: Knowledge, written: Callable[[str], Path]
) -> None:
    path = written("id,system,code\nfevr,a,1\nfever,a,\nx,,\n")
    with pytest.raises(bayesdx.InvalidKnowledge) as caught:
        read_codes(path, packaged)
    assert len(caught.value.faults) == 5


def test_the_list_of_causes_shows_codes(
    written: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written("id,system,code\nmeralgia,local,M-9\n")
    options = ("list", "causes", "--search", "meralgia", "--json", "--codes", str(path))
    assert main(options) == 0
    (row,) = json.loads(capsys.readouterr().out)["causes"]
    assert [(one["system"], one["code"]) for one in row["codes"]] == [
        ("ICD-10-CM", "G57.1-"),
        ("local", "M-9"),
    ]
