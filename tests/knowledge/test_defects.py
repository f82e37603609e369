"""Every kind of slip in a priors folder is found, with its file and key, and all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge import read_knowledge

Write = Callable[[Mapping[str, str]], Path]


@dataclass(frozen=True)
class Defect:
    """A change to one file of the small folder and the message that it must give."""

    file: str
    old: str
    new: str
    message: str


STRAIN, STATIN = "causes/strain.toml", "causes/statin_myopathy.toml"

DEFECTS = {
    # ---- shape
    "unknown key": Defect(
        STRAIN,
        'label = "Muscle strain"',
        'label = "Muscle strain"\nicd = "M62.838"',
        "causes/strain.toml:icd: expected a known key, got 'icd'. Nearest: icd10.",
    ),
    "unknown key without near names": Defect(
        "groups.toml",
        'label = "Load"',
        'label = "Load"\nzzz = 1',
        "groups.toml:load.zzz: expected one of the keys kind, label, members, note, got 'zzz'.",
    ),
    "unknown key in a nested table": Defect(
        "findings.toml",
        "range = [0.15, 0.4]",
        "rnge = [0.15, 0.4]",
        "findings.toml:cramp.background.rnge: expected a known key, got 'rnge'. Nearest: range.",
    ),
    "missing denominator of a prior": Defect(
        STATIN,
        'denominator = "R"\n',
        "",
        "causes/statin_myopathy.toml:prior.denominator: expected the population that the value is "
        "a share of, got nothing.",
    ),
    "missing denominator of a prevalence": Defect(
        "risks.toml",
        'denominator = "R"\n\n[age]',
        "[age]",
        "risks.toml:statin_use.prevalence.denominator: expected the population that the value is "
        "a share of, got nothing.",
    ),
    "missing parameterisation": Defect(
        STATIN,
        'parameterisation = "alone"\n',
        "",
        "causes/statin_myopathy.toml:links.cramp.parameterisation: expected one of in_population, "
        "alone, net, got nothing.",
    ),
    "missing label": Defect(
        STRAIN,
        'label = "Muscle strain"\n',
        "",
        "causes/strain.toml:label: expected a text, got nothing.",
    ),
    "unknown parameterisation": Defect(
        STATIN,
        'parameterisation = "alone"',
        'parameterisation = "aloone"',
        "causes/statin_myopathy.toml:links.cramp.parameterisation: expected one of in_population, "
        "alone, net, got 'aloone'. Nearest: alone.",
    ),
    "unknown basis": Defect(
        STATIN,
        'basis = "SEEN-ADAPTED"',
        'basis = "SEEN_ADAPTED"',
        "causes/statin_myopathy.toml:prior.basis: expected one of SEEN, SEEN-ADAPTED, RECALL, "
        "SEED, JUDGEMENT, got 'SEEN_ADAPTED'. Nearest: SEEN-ADAPTED.",
    ),
    "unknown urgency": Defect(
        STRAIN,
        'urgency = "self_care"',
        'urgency = "selfcare"',
        "causes/strain.toml:urgency: expected one of emergency, urgent, soon, routine, self_care, "
        "got 'selfcare'. Nearest: self_care.",
    ),
    "text for a number": Defect(
        STRAIN,
        "value = 0.13",
        'value = "0.13"',
        "causes/strain.toml:prior.value: expected a number, got '0.13'.",
    ),
    "number for a flag": Defect(
        STRAIN,
        'kind = "cause"',
        'kind = "cause"\ndangerous = 1',
        "causes/strain.toml:dangerous: expected true or false, got 1.",
    ),
    "not a number": Defect(
        STRAIN,
        "value = 0.13",
        "value = nan",
        "causes/strain.toml:prior.value: expected a finite number, got nan.",
    ),
    "range of one number": Defect(
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.06]",
        "causes/strain.toml:prior.range[1]: expected a number, got nothing.",
    ),
    "a table that is no table": Defect(
        "groups.toml",
        "[load]",
        "zzz = 3\n[load]",
        "groups.toml:zzz: expected a table, got 3.",
    ),
    "an id in capitals": Defect(
        "groups.toml",
        "[any_muscle]",
        "[AnyMuscle]",
        "groups.toml:AnyMuscle: expected an id in snake_case, got 'AnyMuscle'.",
    ),
    "an id given twice over": Defect(
        STRAIN,
        'kind = "cause"',
        'kind = "cause"\nid = "strain"',
        "causes/strain.toml:id: expected no id: the table or file gives it, got 'strain'.",
    ),
    "a share outside the prior": Defect(
        STRAIN,
        'kind = "cause"',
        'kind = "cause"\nprimary_share = 0.1',
        "causes/strain.toml:primary_share: expected one of the keys aliases_lay, "
        "aliases_professional, dangerous, description, effects, icd10, kind, label, links, prior, "
        "reason, requires, requires_source, requires_statements, urgency, urgency_note, "
        "got 'primary_share'.",
    ),
    # ---- syntax
    "a key given twice": Defect(
        STATIN,
        'urgency = "soon"',
        'urgency = "soon"\nurgency = "soon"',
        "causes/statin_myopathy.toml:5: expected valid TOML, got cannot overwrite a value.",
    ),
    "a finding given twice": Defect(
        STATIN,
        "[links.ck_high]",
        "[links.cramp]\nprobability = 0.5\n[links.ck_high]",
        "causes/statin_myopathy.toml:27: expected valid TOML, "
        "got cannot declare ('links', 'cramp') twice.",
    ),
    "a text that is not closed": Defect(
        "groups.toml",
        'label = "Load"',
        'label = "Load',
        "groups.toml:3: expected valid TOML, got illegal character '\\n'.",
    ),
    "an empty file": Defect(
        "groups.toml",
        "*",
        "\n# nothing yet\n",
        "groups.toml: expected one key or more, got an empty file.",
    ),
    # ---- values
    "a probability above 1": Defect(
        STATIN,
        "probability = 0.6",
        "probability = 1.6",
        "causes/statin_myopathy.toml:links.cramp.probability: expected a probability strictly "
        "between 0 and 1, got 1.6.",
    ),
    "a background of 0": Defect(
        "findings.toml",
        "value = 0.25",
        "value = 0.0",
        "findings.toml:cramp.background.value: expected a probability strictly between 0 and 1, "
        "got 0.0.",
    ),
    "a range upside down": Defect(
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.2, 0.06]",
        "causes/strain.toml:prior.range: expected a pair [low, high] with low at most high, "
        "got [0.2, 0.06].",
    ),
    "a range beside its value": Defect(
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.2, 0.3]",
        "causes/strain.toml:prior.range: expected a range that contains 0.13, got [0.2, 0.3].",
    ),
    "a range beyond 1": Defect(
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.06, 1.2]",
        "causes/strain.toml:prior.range: expected bounds between 0 and 1, got [0.06, 1.2].",
    ),
    "a relative risk of 0": Defect(
        STATIN,
        "value = 2.0, range = [1.2, 3.0],",
        "value = 0.0,",
        "causes/statin_myopathy.toml:effects[0].value: expected a ratio above 0, got 0.0.",
    ),
    "prevalences that do not sum to 1": Defect(
        "risks.toml",
        "value = [0.7, 0.3]",
        "value = [0.7, 0.2]",
        "risks.toml:age.prevalence.value: expected probabilities that sum to 1, got 0.9.",
    ),
    "a prevalence too few": Defect(
        "risks.toml",
        "value = [0.7, 0.3]",
        "value = [1.0]",
        "risks.toml:age.prevalence.value: expected 2 probabilities, one a state, got 1.",
    ),
    "a share above the prior": Defect(
        STATIN,
        "primary_share = 0.005",
        "primary_share = 0.02",
        "causes/statin_myopathy.toml:prior.primary_share: expected at most the prior, 0.01, "
        "got 0.02.",
    ),
    "an excluded cause with a prior": Defect(
        "causes/bowel.toml",
        "value = 0.0",
        "value = 0.1",
        "causes/bowel.toml:prior.value: expected 0.0, the cause is excluded, got 0.1.",
    ),
    "a leak floor of 1": Defect(
        "model.toml",
        "leak_floor = 0.1",
        "leak_floor = 1.0",
        "model.toml:leak_floor: expected a share from 0 to below 1, got 1.0.",
    ),
    "a basis without sample size": Defect(
        "model.toml",
        "SEED = 15\n",
        "",
        "model.toml:equivalent_sample_size.SEED: expected a number above 0, got nothing.",
    ),
    "an unknown distribution of a word": Defect(
        "word_scale.toml",
        'distribution = "ordinal"',
        'distribution = "normal"',
        "word_scale.toml:word[1].distribution: expected one of beta, lognormal, dirichlet, "
        "ordinal, quantile, got 'normal'.",
    ),
    "a mean that its parameters do not have": Defect(
        "word_scale.toml",
        "mean = 0.6",
        "mean = 0.7",
        "word_scale.toml:word[0].mean: expected 0.6, the mean of its parameters, got 0.7.",
    ),
    # ---- references
    "a link to an unknown finding": Defect(
        STRAIN,
        "[links.cramp]",
        "[links.kramp]",
        "causes/strain.toml:links.kramp: expected a finding, got 'kramp'. Nearest: cramp.",
    ),
    "a link to an ordinal": Defect(
        STRAIN,
        "[links.cramp]",
        "[links.radiation]",
        "causes/strain.toml:links.radiation: expected one of its thresholds: radiation_any, "
        "radiation_foot, got the ordinal finding 'radiation'.",
    ),
    "a link to an observation": Defect(
        STRAIN,
        "[links.cramp]",
        "[links.severe_pain]",
        "causes/strain.toml:links.severe_pain: expected a finding with a background, "
        "got 'severe_pain', an observation without probability.",
    ),
    "an effect of an unknown risk": Defect(
        STRAIN,
        'risk = "age"',
        'risk = "agee"',
        "causes/strain.toml:effects[0].any_of[0].risk: expected a risk, got 'agee'. Nearest: age.",
    ),
    "a condition on an unknown state": Defect(
        STRAIN,
        'states = ["under_60"]',
        'states = ["under60"]',
        "causes/strain.toml:effects[0].any_of[0].states[0]: expected a state of age: under_60, "
        "60_or_over, got 'under60'. Nearest: under_60.",
    ),
    "a condition that always holds": Defect(
        STRAIN,
        'states = ["under_60"]',
        'states = ["under_60", "60_or_over"]',
        "causes/strain.toml:effects[0].any_of[0].states: expected not every state: the condition "
        "would always hold, got ['under_60', '60_or_over'].",
    ),
    "an unknown source": Defect(
        "findings.toml",
        'source = "clin"\nstatements = ["S1-01"]',
        'source = "clinn"\nstatements = ["S1-01"]',
        "findings.toml:cramp.background.source: expected a key of sources.toml, got 'clinn'. "
        "Nearest: clin.",
    ),
    "an unknown member of a group": Defect(
        "groups.toml",
        'members = ["strain", "statin_myopathy"]',
        'members = ["strains", "statin_myopathy"]',
        "groups.toml:any_muscle.members[0]: expected a cause, got 'strains'. Nearest: strain.",
    ),
    "an excluded member of a group": Defect(
        "groups.toml",
        'members = ["strain", "statin_myopathy"]',
        'members = ["strain", "bowel"]',
        "groups.toml:any_muscle.members[1]: expected a modelled cause, "
        "got 'bowel', of kind 'excluded'.",
    ),
    "a cause without driver": Defect(
        "groups.toml",
        'members = ["strain"]',
        'members = ["statin_myopathy"]',
        "groups.toml:strain: expected 'strain' among the members of a driver (load, drug), "
        "got nothing.",
    ),
    "an unknown implied finding": Defect(
        "findings.toml",
        'implies = ["radiation_any"]',
        'implies = ["radiation_all"]',
        "findings.toml:radiation_foot.implies[0]: expected a finding, got 'radiation_all'. "
        "Nearest: radiation_any, radiation.",
    ),
    "a measure of an unknown finding": Defect(
        "measures.toml",
        'finding = "ck_high"',
        'finding = "ck_hihg"',
        "measures.toml:ck.sets[0].finding: expected a finding, got 'ck_hihg'. Nearest: ck_high.",
    ),
    "a measure of an unknown risk": Defect(
        "measures.toml",
        'risk = "age"',
        'risk = "agee"',
        "measures.toml:age.sets[0].risk: expected a risk, got 'agee'. Nearest: age.",
    ),
    "a red flag on an unknown finding": Defect(
        "red_flags.toml",
        '"severe_pain"',
        '"severe_pian"',
        "red_flags.toml:rule[0].when severe_pian: expected a finding or risk, got 'severe_pian'. "
        "Nearest: severe_pain.",
    ),
    "a red flag on an unknown state": Defect(
        "red_flags.toml",
        '"age:60_or_over"',
        '"age:60_or_more"',
        "red_flags.toml:rule[0].when age:60_or_more: expected a state of age: under_60, "
        "60_or_over, got '60_or_more'. Nearest: 60_or_over.",
    ),
    "a red flag of an unknown source": Defect(
        "red_flags.toml",
        'sources = ["study"]',
        'sources = ["studdy"]',
        "red_flags.toml:rule[0].sources[0]: expected a key of sources.toml, got 'studdy'. "
        "Nearest: study.",
    ),
    "a red flag that is no condition": Defect(
        "red_flags.toml",
        '"!cramp"',
        '"!!cramp"',
        "red_flags.toml:rule[0].when.all[1].any[2]: expected a leaf such as 'fever', '!fever' or "
        "'age:65_to_69|70_or_over', got '!!cramp'.",
    ),
    # ---- names
    "an id in two files": Defect(
        "groups.toml",
        "[any_muscle]",
        "[ck_high]",
        "groups.toml:ck_high: expected an id of its own, "
        "got 'ck_high', which is also findings.toml:ck_high.",
    ),
    "an id that is a column": Defect(
        "groups.toml",
        "[any_muscle]",
        "[status]",
        "groups.toml:status: expected an id that is no reserved column name, got 'status'.",
    ),
    "an alias of two findings": Defect(
        "risks.toml",
        '["cholesterol tablet"]',
        '["Muscle  Cramp"]',
        "risks.toml:statin_use.aliases_lay[0]: expected an alias of its own, "
        "got 'Muscle  Cramp', which also means findings.toml:cramp.",
    ),
    "an alias that is another's id": Defect(
        "risks.toml",
        '["cholesterol tablet"]',
        '["CK-high"]',
        "risks.toml:statin_use.aliases_lay[0]: expected an alias of its own, "
        "got 'CK-high', which also means findings.toml:ck_high.",
    ),
    # ---- what must fit together
    "a threshold of no ordinal": Defect(
        "findings.toml",
        'threshold_of = "radiation"\nat_least = "foot"',
        'threshold_of = "cramp"\nat_least = "foot"',
        "2 faults:\n"
        "  findings.toml:radiation.states: expected one threshold finding at 'foot', got none.\n"
        "  findings.toml:radiation_foot.threshold_of: expected an ordinal finding, got 'cramp'.",
    ),
    "a threshold at an unknown state": Defect(
        "findings.toml",
        'at_least = "foot"',
        'at_least = "toe"',
        "2 faults:\n"
        "  findings.toml:radiation.states: expected one threshold finding at 'foot', got none.\n"
        "  findings.toml:radiation_foot.at_least: expected one of thigh, foot, got 'toe'.",
    ),
    "backgrounds that grow with the threshold": Defect(
        "findings.toml",
        "value = 0.2\n",
        "value = 0.04\n",
        "findings.toml:radiation_foot.background.value: expected at most 0.04, the background of "
        "radiation_any, got 0.05.",
    ),
    "links that grow with the threshold": Defect(
        STRAIN,
        "probability = 0.02\nrange = [0.01, 0.05]",
        "probability = 0.3\nrange = [0.01, 0.5]",
        "causes/strain.toml:links.radiation_foot.probability: expected at most 0.1, "
        "that of radiation_any, got 0.3.",
    ),
    "a binary finding without background": Defect(
        "findings.toml",
        '[ck_high.background]\nvalue = 0.05\nrange = [0.02, 0.1]\nbasis = "JUDGEMENT"\n'
        'source = "clin"\ndenominator = "R, cause absent"\n',
        "",
        "findings.toml:ck_high.background: expected a table with value and denominator, "
        "got nothing.",
    ),
    "states of a binary finding": Defect(
        "findings.toml",
        'category = "laboratory"',
        'category = "laboratory"\nstates = ["low", "high"]',
        "findings.toml:ck_high.states: expected no states: only an ordinal finding has them, "
        "got kind 'binary'.",
    ),
    "a background that cannot be averaged": Defect(
        "findings.toml",
        "value = 0.4\nrange = [0.3, 0.5]",
        "value = 0.9",
        "findings.toml:cramp.background_effects[0].value: expected a value that can average to "
        "the background, 0.25, got 0.9.",
    ),
    "a necessary risk rarer than the finding": Defect(
        "findings.toml",
        'when = { age = ["60_or_over"] }\nmeasure = "probability"\nvalue = 0.4\nrange = [0.3, 0.5]',
        'when = { age = ["60_or_over"], statin_use = ["present"] }\nmeasure = "zero_otherwise"',
        "findings.toml:cramp.background_effects[0].when: expected conditions that hold at least "
        "as often as the background, 0.25, got 0.06.",
    ),
    "effects that push a probability above 1": Defect(
        STATIN,
        "value = 0.01\nrange = [0.005, 0.02]",
        # 0.15 = base x 0.2 x (0.7 + 0.3 x 2), so base x 2 = 1.153...
        "value = 0.15",
        "causes/statin_myopathy.toml:effects: expected effects that keep every probability at or "
        "below 1, got 1.15385.",
    ),
    "a requirement rarer than the cause": Defect(
        STATIN,
        "value = 0.01\nrange = [0.005, 0.02]",
        "value = 0.3",
        "causes/statin_myopathy.toml:requires: expected at least the prior, 0.3, as the chance "
        "that all requirements hold, got 0.2.",
    ),
    "shares of the cases above 1": Defect(
        STRAIN,
        "effects = [",
        'effects = [\n{ any_of = [{ risk = "age", states = ["60_or_over"] }], '
        'measure = "case_share", value = 0.4, basis = "SEEN", source = "study" },',
        "causes/strain.toml:effects[1].value: expected shares of the cases that add up to "
        "at most 1, got 1.2.",
    ),
    "a leak with a prior": Defect(
        "causes/leak_other.toml",
        "[prior]",
        '[prior]\nvalue = 0.1\nbasis = "SEED"\nsource = "clin"\ndenominator = "R"',
        "causes/leak_other.toml:prior.value: expected no prior: the leak has none, got 0.1.",
    ),
    "an excluded cause without reason": Defect(
        "causes/bowel.toml",
        'reason = "It cannot make a skeletal muscle cramp."\n',
        "",
        "causes/bowel.toml:reason: expected why it is excluded, got nothing.",
    ),
    "cuts out of order": Defect(
        "measures.toml",
        "cuts = [20, 80]",
        "cuts = [80, 20]",
        "measures.toml:reach.sets[0].cuts: expected cuts in increasing order, got [80.0, 20.0].",
    ),
    "a cut too few": Defect(
        "measures.toml",
        "cuts = [20, 80]",
        "cuts = [20]",
        "measures.toml:reach.sets[0].cuts: expected 2 cuts between 3 states, got [20.0].",
    ),
    "a threshold outside the measure": Defect(
        "measures.toml",
        '"> 4"',
        '"> 6000"',
        "measures.toml:ck.sets[0].present: expected thresholds within the range, 0 to 5000, "
        "got [6000.0].",
    ),
    "a comparison that is none": Defect(
        "measures.toml",
        '"> 4"',
        '"above 4"',
        "measures.toml:ck.sets[0].present: expected a comparison with a number, such as '< 3.5', "
        "got 'above 4'.",
    ),
    "present of an ordinal": Defect(
        "measures.toml",
        'cuts = [20, 80], closed = "right"',
        'present = "> 20"',
        "measures.toml:reach.sets[0].present: expected cuts: what is set has more states than "
        "absent and present, got '> 20'.",
    ),
    "neither present nor cuts": Defect(
        "measures.toml",
        ', present = "> 4"',
        "",
        "measures.toml:ck.sets[0]: expected either present or cuts, got neither.",
    ),
    "a unit that divides by nothing": Defect(
        "measures.toml",
        '"percent of the limit" = 0.01',
        '"percent of the limit" = 0.0',
        "measures.toml:ck.units.percent of the limit: expected a multiplier above 0, got 0.0.",
    ),
}


def spoil(files: dict[str, str], defect: Defect) -> None:
    text = files[defect.file]
    if defect.old == "*":
        files[defect.file] = defect.new
        return
    assert defect.old in text, "the defect no longer fits the small folder"
    files[defect.file] = text.replace(defect.old, defect.new, 1)


def message_of(folder: Path) -> str:
    with pytest.raises(InvalidKnowledge, match="expected") as caught:
        read_knowledge(folder)
    return str(caught.value)


def test_small_folder_itself_is_valid(small: dict[str, str], write: Write) -> None:
    assert set(read_knowledge(write(small)).causes) == {
        "bowel",
        "leak_other",
        "statin_myopathy",
        "strain",
    }


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_the_only_fault(small: dict[str, str], write: Write, name: str) -> None:
    spoil(small, DEFECTS[name])
    assert message_of(write(small)) == DEFECTS[name].message


TOGETHER = (
    "unknown key",
    "missing parameterisation",
    "unknown basis",
    "a range beside its value",
    "an effect of an unknown risk",
    "a link to an unknown finding",
    "an unknown source",
    "prevalences that do not sum to 1",
    "an alias of two findings",
    "an unknown member of a group",
    "a measure of an unknown finding",
    "a red flag on an unknown finding",
    "a leak floor of 1",
    "an excluded cause without reason",
    "a mean that its parameters do not have",
)


def test_defects_in_all_files_are_reported_at_once(small: dict[str, str], write: Write) -> None:
    defects = [DEFECTS[name] for name in TOGETHER]
    for defect in defects:
        spoil(small, defect)
    lines = message_of(write(small)).splitlines()
    assert lines[0] == f"{len(defects)} faults:"
    assert sorted(line.removeprefix("  ") for line in lines[1:]) == sorted(
        defect.message for defect in defects
    )


def test_all_faults_of_one_entry_are_reported_at_once(small: dict[str, str], write: Write) -> None:
    small[STATIN] = (
        small[STATIN]
        .replace('label = "Statin myopathy"\n', "")
        .replace("probability = 0.6", 'probability = "often"')
        .replace("probability = 0.3", "probability = 3")
        .replace('risk = "age"', 'risk = "agee"')
        .replace('basis = "RECALL"', 'basis = "GUESS"')
        .replace('note = "as', 'nota = "as')
        .replace('source = "study"\nstatements = ["S2-03"]', 'source = "studdy"')
    )
    assert {
        line.split(": expected")[0].strip() for line in message_of(write(small)).splitlines()[1:]
    } == {
        "causes/statin_myopathy.toml:label",
        "causes/statin_myopathy.toml:links.cramp.probability",
        "causes/statin_myopathy.toml:links.cramp.nota",
        "causes/statin_myopathy.toml:links.cramp.source",
        "causes/statin_myopathy.toml:links.ck_high.probability",
        "causes/statin_myopathy.toml:effects[0].any_of[0].risk",
        "causes/statin_myopathy.toml:effects[0].basis",
    }


def test_file_that_cannot_be_parsed_hides_no_other_fault_and_adds_none(
    small: dict[str, str], write: Write
) -> None:
    small["findings.toml"] += "\n[cramp\n"
    small["risks.toml"] = small["risks.toml"].replace("value = 0.2\n", "value = 2.0\n")
    places = [line.split(": expected")[0].strip() for line in message_of(write(small)).splitlines()]
    assert places[1:] == [
        f"findings.toml:{small['findings.toml'].count(chr(10))}",
        "risks.toml:statin_use.prevalence.value",
    ]
