"""Taking a priors folder in: where it is, what bounds it, what identifies it."""

import copy
import pickle
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import bayesdx
import bayesdx.knowledge
from bayesdx.errors import Fault, InvalidKnowledge
from bayesdx.knowledge import folders
from bayesdx.knowledge.folders import Folder, find_priors, read_folder
from bayesdx.knowledge.profiles import settings_of
from bayesdx.knowledge.reading import check_folder, read_knowledge

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]


# ---- the folder


def test_priors_of_the_checkout_are_found() -> None:
    assert find_priors() in (ROOT / "priors", ROOT / "engine" / "bayesdx" / "priors")


def test_priors_inside_the_package_come_first(
    small: dict[str, str], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged, checkout = write(small, "packaged"), write(small, "checkout")
    monkeypatch.setattr(folders, "PLACES", (packaged, checkout))
    assert find_priors() == packaged
    (packaged / "model.toml").unlink()
    assert find_priors() == checkout


def test_priors_that_are_nowhere_tell_where_they_were_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PLACES", (tmp_path / "a", tmp_path / "b"))
    with pytest.raises(
        InvalidKnowledge, match=r"priors: expected a folder with model\.toml"
    ) as caught:
        find_priors()
    assert f"at {tmp_path / 'a'} or {tmp_path / 'b'}, got nothing." in str(caught.value)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidKnowledge, match="nowhere: expected a priors folder, got nothing"):
        read_knowledge(tmp_path / "nowhere")


def test_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "priors").write_text("x")
    with pytest.raises(InvalidKnowledge, match="priors: expected a priors folder, got a file"):
        read_knowledge(tmp_path / "priors")


def test_folder_may_be_given_as_text(small: dict[str, str], write: Write) -> None:
    folder = write(small)
    assert read_knowledge(str(folder)) == read_knowledge(folder)


def test_missing_files_are_all_named(small: dict[str, str], write: Write) -> None:
    small = {name: text for name, text in small.items() if name.startswith("causes/s")}
    with pytest.raises(InvalidKnowledge, match="4 faults") as caught:
        read_knowledge(write(small))
    # risks.toml is needed because a cause refers to a risk.
    wanted = sorted((*folders.NEEDED_FILES, "risks.toml"))
    assert [fault.place for fault in caught.value.faults] == wanted


def test_three_files_and_a_cause_are_a_folder(write: Write) -> None:
    least = {
        "model.toml": 'name = "A"\nversion = "1"\nreference_population = "R"\nintended_use = "T"\n',
        "sources.toml": '[me]\ntitle = "Me"\nseen = true\n',
        "findings.toml": '[cough]\nlabel = "Cough"\nquestion = "Cough?"\nkind = "binary"\n'
        'category = "a"\nobserved_by = "patient"\n[cough.background]\nvalue = 0.2\n'
        'basis = "JUDGEMENT"\nsource = "me"\ndenominator = "R"\n',
        "causes/flu.toml": 'label = "Flu"\nkind = "cause"\ndescription = "-"\nurgency = "routine"\n'
        '[prior]\nvalue = 0.1\nbasis = "JUDGEMENT"\nsource = "me"\ndenominator = "R"\n'
        '[links.cough]\nprobability = 0.7\nbasis = "JUDGEMENT"\nsource = "me"\n'
        'parameterisation = "alone"\n',
    }
    engine = bayesdx.load(write(least))
    # With the cause alone the finding is there in 0.7, without it in 0.2.
    told = engine.diagnose({"cough": "present"}).table.loc["flu", "posterior"]
    assert told == pytest.approx(0.1 * 0.7 / (0.1 * 0.7 + 0.9 * 0.2), abs=1e-12)


def test_comments_alone_may_stand_for_a_file_that_is_not_needed(
    small: dict[str, str], write: Write
) -> None:
    before = read_knowledge(write(small))
    assert read_knowledge(write(small | {"pitfalls.toml": "# later\n"})).causes == before.causes
    with pytest.raises(InvalidKnowledge, match=r"pitfalls\.toml: expected one key or more"):
        read_knowledge(write(small | {"pitfalls.toml": " \n"}))
    with pytest.raises(InvalidKnowledge, match=r"findings\.toml: expected one key or more"):
        read_knowledge(write(small | {"findings.toml": "# later\n"}))


def test_misspelt_file_is_named_with_the_right_one(small: dict[str, str], write: Write) -> None:
    small["fidings.toml"] = small.pop("findings.toml")
    with pytest.raises(InvalidKnowledge, match="2 faults") as caught:
        read_knowledge(write(small))
    assert [str(fault) for fault in caught.value.faults] == [
        "fidings.toml: expected the name of a knowledge file, got 'fidings.toml'. "
        "Nearest: findings.toml, risks.toml, red_flags.toml.",
        "findings.toml: expected this file, got nothing.",
    ]


def test_a_file_that_would_not_be_read_is_told(small: dict[str, str], write: Write) -> None:
    small["causes/other.TOML"] = "label = 1"
    with pytest.raises(InvalidKnowledge, match=r"causes/other\.TOML: expected a name that ends in"):
        read_knowledge(write(small))


def test_files_without_causes(small: dict[str, str], write: Write) -> None:
    small = {name: text for name, text in small.items() if not name.startswith("causes/")}
    small["groups.toml"] = '[any]\nlabel = "Any"\nkind = "class"\nmembers = ["nobody"]\n'
    with pytest.raises(InvalidKnowledge, match="causes: expected one TOML file a cause"):
        read_knowledge(write(small))


OPTIONAL = {
    "statements.toml": """
[S1-02]
document = "S1"
section = "Symptoms"
kind = "finding"
says = "A strain often cramps."
strength = "often"
denominator = "people with a strain"
realised_by = ["causes/strain.toml:links.cramp"]
""",
    "constraints.toml": """
[[constraint]]
id = "strain_bound"
statements = ["S1-02"]
hard = true
event = "strain"
between = [0.0, 0.5]
""",
    "management.toml": """
[settings]
driver_from = 0.25
cause_from = 0.15
[[text]]
id = "rest"
kind = "advice"
title = "Rest"
text = "Rest for two days."
statements = ["S1-02"]
sources = ["study"]
basis = "SEEN"
drivers = ["load"]
""",
    "pitfalls.toml": """
[[text]]
id = "cramp_or_spasm"
kind = "pitfall"
title = "A cramp is no spasm"
text = "Ask how long it lasts."
sources = ["study"]
basis = "SEEN"
always = true
""",
    "calibration.toml": """
computed_from = "0"
[[move]]
number = "causes/strain.toml:prior"
elicited = 0.13
calibrated = 0.12
constraint = "strain_bound"
""",
}


def test_optional_files_arrive_where_they_belong(small: dict[str, str], write: Write) -> None:
    before = read_knowledge(write(small, "before"))
    assert (before.statements, before.constraints, before.management) == ({}, (), ())
    assert (before.pitfalls, before.text_settings, before.calibration) == ((), None, None)
    after = read_knowledge(write(small | OPTIONAL, "after"))
    assert after.statements["S1-02"].realised_by == ("causes/strain.toml:links.cramp",)
    assert [one.id for one in after.constraints] == ["strain_bound"]
    assert [text.id for text in (*after.management, *after.pitfalls)] == ["rest", "cramp_or_spasm"]
    assert after.text_settings is not None
    assert after.text_settings.cause_from == 0.15
    assert after.calibration is not None
    assert after.calibration.move[0].calibrated == 0.12


@pytest.mark.parametrize("name", OPTIONAL)
def test_optional_files_count_for_the_digest(
    small: dict[str, str], write: Write, name: str
) -> None:
    before = read_knowledge(write(small | OPTIONAL, "before")).digest
    changed = small | OPTIONAL | {name: OPTIONAL[name] + "# reviewed\n"}
    assert read_knowledge(write(changed, "after")).digest != before


@pytest.mark.parametrize("name", OPTIONAL)
def test_optional_files_are_validated(small: dict[str, str], write: Write, name: str) -> None:
    small |= OPTIONAL | {name: OPTIONAL[name] + "zzz = 1\n"}
    with pytest.raises(InvalidKnowledge, match=rf"^{name}:.*\.zzz: expected one of the keys"):
        read_knowledge(write(small))


def test_texts_about_the_folder_do_not_count_for_the_digest(
    small: dict[str, str], write: Write
) -> None:
    before = read_knowledge(write(small, "before")).digest
    small["README.md"] = "how to read this"
    assert read_knowledge(write(small, "after")).digest == before


# ---- bounds


def test_large_file_is_refused(small: dict[str, str], write: Write) -> None:
    small["groups.toml"] += "#" * folders.LARGEST_FILE
    with pytest.raises(
        InvalidKnowledge, match=r"groups\.toml: expected at most 1048576 bytes, got"
    ):
        read_knowledge(write(small))


def test_many_files_are_refused(small: dict[str, str], write: Write) -> None:
    folder = write(small)
    for index in range(folders.MOST_FILES):
        (folder / "causes" / f"c{index}.toml").touch()
    with pytest.raises(InvalidKnowledge, match="expected at most 500 TOML files, got more"):
        read_knowledge(folder)


def test_folder_with_the_name_of_a_file_is_refused(small: dict[str, str], write: Write) -> None:
    del small["groups.toml"]
    folder = write(small)
    (folder / "groups.toml").mkdir()
    with pytest.raises(InvalidKnowledge, match=r"groups\.toml: expected a regular file, got"):
        read_knowledge(folder)


def test_folders_that_cannot_be_listed_are_told(
    small: dict[str, str], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty one in their place would be other knowledge."""
    folder, listed = write(small), Path.iterdir
    (folder / "settings").mkdir()
    for name, read in (
        ("causes", lambda: read_knowledge(folder)),
        ("settings", lambda: settings_of(folder)),
    ):

        def refuse(path: Path, name: str = name) -> object:
            if path.name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return listed(path)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "iterdir", refuse)
            with pytest.raises((InvalidKnowledge, PermissionError), match="Permission denied"):
                read()


def test_a_byte_order_mark_is_no_content(small: dict[str, str], write: Write) -> None:
    folder = write(small)
    digest = read_knowledge(folder).digest
    place = folder / "model.toml"
    place.write_bytes(b"\xef\xbb\xbf" + place.read_bytes())
    assert read_knowledge(folder).digest == digest


def test_other_encodings_are_refused_with_the_line(small: dict[str, str], write: Write) -> None:
    folder = write(small)
    (folder / "groups.toml").write_bytes(b"[load]\nlabel = 'Last\xe4'\n")
    with pytest.raises(
        InvalidKnowledge, match=r"groups\.toml:2: expected text in UTF-8, got b'\\xe4'"
    ):
        read_knowledge(folder)


@pytest.mark.parametrize(
    ("text", "got"),
    [("a = " + "[" * 5000, "RecursionError"), ("a = " + "9" * 5000, "ValueError")],
)
def test_hostile_toml_is_a_fault(small: dict[str, str], write: Write, text: str, got: str) -> None:
    small["groups.toml"] = text
    with pytest.raises(InvalidKnowledge, match=rf"groups\.toml: expected valid TOML, got {got}\."):
        read_knowledge(write(small))


# ---- digest


def test_digest_does_not_depend_on_line_ends_or_folder(small: dict[str, str], write: Write) -> None:
    unix = read_knowledge(write(small, "unix"))
    dos = read_knowledge(
        write({name: text.replace("\n", "\r\n") for name, text in small.items()}, "dos")
    )
    assert unix.digest == dos.digest
    assert unix.causes == dos.causes


@pytest.mark.parametrize("change", ["comment", "name"])
def test_digest_tells_contents_and_names_apart(
    small: dict[str, str], write: Write, change: str
) -> None:
    before = read_folder(write(small, "before")).digest
    if change == "comment":
        small["groups.toml"] += "# reviewed\n"
    else:
        small["causes/strain2.toml"] = small.pop("causes/strain.toml")
    assert read_folder(write(small, "after")).digest != before


# ---- what comes out


def test_values_arrive_where_they_belong(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    strain, myopathy = knowledge.causes["strain"], knowledge.causes["statin_myopathy"]
    assert strain.prior is not None
    assert (strain.prior.value, strain.prior.range, strain.primary_share) == (
        0.13,
        (0.06, 0.2),
        0.09,
    )
    assert knowledge.causes["leak_other"].prior is None
    assert knowledge.causes["leak_other"].primary_share == 0.905
    assert myopathy.links["cramp"].parameterisation == "alone"
    assert (myopathy.requires[0].risk, myopathy.requires[0].states) == ("statin_use", ("present",))
    assert knowledge.risks["statin_use"].probabilities == (0.8, 0.2)
    assert knowledge.risks["age"].probabilities == (0.7, 0.3)
    assert knowledge.measures["ck"].sets[0].comparison == (">", 4.0)
    assert knowledge.findings["severe_pain"].background is None
    assert knowledge.red_flags[0].id == "dark"
    assert [word.wording for word in knowledge.words] == ["often / frequent", "most frequent"]


def test_knowledge_is_read_only(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    strain = knowledge.causes["strain"]
    with pytest.raises(ValidationError, match="frozen"):
        strain.links["cramp"].probability = 0.9  # type: ignore[misc]
    with pytest.raises(TypeError, match="read-only"):
        knowledge.causes["strain"] = strain
    with pytest.raises(TypeError, match="read-only"):
        strain.links.clear()


def test_knowledge_survives_pickling(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    again = pickle.loads(pickle.dumps(knowledge))
    assert again == knowledge
    with pytest.raises(TypeError, match="read-only"):
        again.causes.clear()


def test_packaged_priors_are_valid() -> None:
    knowledge = read_knowledge()
    assert len(knowledge.causes) > 50
    assert len(knowledge.findings) > 100
    assert sum(len(cause.links) for cause in knowledge.causes.values()) > 400
    assert all(abs(sum(risk.probabilities) - 1.0) <= 1e-9 for risk in knowledge.risks.values())


# ---- anything else

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["", "strain", "cramp", "age", "radiation", "threshold", "leak", "R", "> 1"]),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([{}]),
    st.just({"value": {}}),
)


def nodes(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        below = [one for key in value for one in nodes(value[key], (*path, key))]
    elif isinstance(value, list):
        below = [one for index, item in enumerate(value) for one in nodes(item, (*path, index))]
    return [path, *below] if len(path) > 1 else below


def faults_of(folder: Folder) -> tuple[Fault, ...]:
    try:
        check_folder(folder)
    except InvalidKnowledge as reason:
        return reason.faults
    return ()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it is not changed
)
@given(data=st.data())
def test_whatever_the_values_are_only_invalid_knowledge_is_raised(
    small: dict[str, str], data: st.DataObject
) -> None:
    tables: dict[str, Any] = {name: tomllib.loads(text) for name, text in small.items()}
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(nodes(tables)))
        holder: Any = tables
        for step in path[:-1]:
            holder = holder[step]
        junk = data.draw(JUNK)
        if junk is None:
            del holder[path[-1]]
        else:
            holder[path[-1]] = copy.deepcopy(junk)
    faults = faults_of(Folder(Path("x"), tables, "0", ()))
    assert all(fault.place and fault.expected for fault in faults)
    # Neither pydantic's names of validators nor Python's of types may reach a clinician.
    assert not any("function-" in str(fault) or "tuple[" in str(fault) for fault in faults)


def test_exported_names() -> None:
    assert sorted(bayesdx.knowledge.__all__) == [
        "Cause",
        "Condition",
        "Effect",
        "Finding",
        "Group",
        "Knowledge",
        "Link",
        "Measure",
        "Number",
        "RedFlag",
        "Risk",
        "Source",
        "calibrated",
        "describe_cause",
        "describe_finding",
        "describe_risk",
        "describe_statement",
        "find_priors",
        "lint",
        "read_knowledge",
        "summary",
    ]


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (None, "risks.toml: expected this file, got nothing"),
        (b"x = \n", "risks.toml:{line}: expected valid TOML, got invalid value"),
        (b"# caf\xe9\n", "risks.toml:{line}: expected text in UTF-8, got b'\\xe9'"),
    ],
)
def test_the_packaged_priors_without_their_risks(
    tmp_path: Path, damage: bytes | None, place: str
) -> None:
    folder = tmp_path / "priors"
    shutil.copytree(find_priors(), folder)
    risks = folder / "risks.toml"
    data = risks.read_bytes()
    if damage is None:
        risks.unlink()
    else:
        risks.write_bytes(data + damage)
    with pytest.raises(InvalidKnowledge) as caught:
        read_knowledge(folder)
    line = data.count(b"\n") + 1
    assert str(caught.value.faults[0]).startswith(place.format(line=line))
