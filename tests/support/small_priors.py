"""A priors folder that is as small as it can be and still has one of everything."""

from collections.abc import Mapping
from pathlib import Path

NUMBER = 'basis = "JUDGEMENT"\nsource = "clin"\n'

SMALL = {
    "model.toml": """
name = "small"
version = "1"
reference_population = "adults"
intended_use = "tests"
leak_floor = 0.1
[equivalent_sample_size]
SEEN = 100
SEEN-ADAPTED = 20
RECALL = 20
SEED = 15
JUDGEMENT = 8
""",
    "sources.toml": """
[clin]
title = "Clinical consensus"
seen = false
[study]
title = "A study of spasms"
seen = true
note = "read in full"
""",
    "word_scale.toml": """
[[word]]
wording = "often / frequent"
rule = "0.60"
mean = 0.6
distribution = "beta"
parameters = [6, 4]
basis = "RECALL"
[[word]]
wording = "most frequent"
rule = "first of its stratum"
distribution = "ordinal"
basis = "SEED"
""",
    "groups.toml": """
[load]
label = "Load"
kind = "driver"
members = ["strain"]
[drug]
label = "Drugs"
kind = "driver"
members = ["statin_myopathy"]
[any_muscle]
label = "Any muscle"
kind = "class"
members = ["strain", "statin_myopathy"]
""",
    "risks.toml": """
[statin_use]
label = "Statin use"
question = "Do you take a statin?"
aliases_lay = ["cholesterol tablet"]
observed_by = "patient"
[statin_use.prevalence]
value = 0.2
range = [0.15, 0.25]
basis = "SEEN-ADAPTED"
source = "study"
denominator = "R"

[age]
label = "Age"
question = "How old are you?"
states = ["under_60", "60_or_over"]
observed_by = "patient"
[age.prevalence]
value = [0.7, 0.3]
basis = "JUDGEMENT"
source = "clin"
denominator = "R"
""",
    "findings.toml": """
[cramp]
label = "Cramp"
question = "Does it cramp?"
kind = "binary"
aliases_lay = ["charley horse"]
aliases_professional = ["muscle cramp"]
observed_by = "patient"
category = "quality"
[cramp.background]
value = 0.25
range = [0.15, 0.4]
basis = "JUDGEMENT"
source = "clin"
statements = ["S1-01"]
denominator = "R, cause absent"
[[cramp.background_effects]]
when = { age = ["60_or_over"] }
measure = "probability"
value = 0.4
range = [0.3, 0.5]
basis = "SEEN"
source = "study"

[radiation]
label = "Radiation"
question = "How far does it go?"
kind = "ordinal"
states = ["none", "thigh", "foot"]
observed_by = "patient"
category = "site"

[radiation_any]
label = "Any radiation"
question = "Does it go into the leg?"
kind = "threshold"
threshold_of = "radiation"
at_least = "thigh"
observed_by = "patient"
category = "site"
[radiation_any.background]
value = 0.2
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[radiation_foot]
label = "Radiation to the foot"
question = "Does it go to the foot?"
kind = "threshold"
threshold_of = "radiation"
at_least = "foot"
observed_by = "patient"
category = "site"
implies = ["radiation_any"]
[radiation_foot.background]
value = 0.05
range = [0.02, 0.1]
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[ck_high]
label = "Raised CK"
question = "Was the CK raised?"
kind = "binary"
observed_by = "laboratory"
category = "laboratory"
[ck_high.background]
value = 0.05
range = [0.02, 0.1]
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[severe_pain]
label = "Severe pain"
question = "Is the pain severe?"
kind = "observation"
observed_by = "patient"
category = "quality"
""",
    "measures.toml": """
[age]
label = "Age"
unit = "years"
range = [18, 120]
integer = true
observed_by = "patient"
sets = [{ risk = "age", cuts = [60] }]
[ck]
label = "CK"
unit = "times the upper limit"
range = [0, 5000]
units = { "percent of the limit" = 0.01 }
observed_by = "laboratory"
sets = [{ finding = "ck_high", present = "> 4" }]
[reach]
label = "Reach of the pain"
unit = "cm"
range = [0, 150]
observed_by = "examiner"
sets = [{ finding = "radiation", cuts = [20, 80], closed = "right" }]
""",
    "red_flags.toml": """
[[rule]]
id = "dark"
level = "emergency"
title = "Severe pain in somebody on a statin"
advice = "Go now."
statements = ["S2-02"]
sources = ["study"]
basis = "SEEN"
when = { all = ["severe_pain", { any = ["statin_use", "age:60_or_over", "!cramp"] }] }
""",
    "causes/strain.toml": """
label = "Muscle strain"
kind = "cause"
icd10 = ["M62.838"]
urgency = "self_care"
aliases_lay = ["pulled muscle"]
description = "A muscle that was loaded more than it could bear."
effects = [
  { any_of = [{ risk = "age", states = ["under_60"] }], measure = "case_share", value = 0.8, \
range = [0.7, 0.9], basis = "SEEN", source = "study", statements = ["S1-05"] },
]
[prior]
value = 0.13
range = [0.06, 0.2]
basis = "JUDGEMENT"
source = "clin"
statements = ["S0-05"]
denominator = "R"
primary_share = 0.09
[links.cramp]
probability = 0.5
range = [0.3, 0.7]
basis = "SEED"
source = "clin"
statements = ["S1-02"]
parameterisation = "in_population"
[links.radiation_any]
probability = 0.1
range = [0.05, 0.2]
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
[links.radiation_foot]
probability = 0.02
range = [0.01, 0.05]
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
""",
    "causes/statin_myopathy.toml": """
label = "Statin myopathy"
kind = "cause"
urgency = "soon"
description = "Muscle symptoms that a statin causes."
requires = [{ risk = "statin_use", states = ["present"] }]
requires_source = "study"
requires_statements = ["S2-01"]
effects = [
  { any_of = [{ risk = "age", states = ["60_or_over"] }], measure = "relative_risk", value = 2.0, \
range = [1.2, 3.0], basis = "RECALL", source = "clin" },
]
[prior]
value = 0.01
range = [0.005, 0.02]
basis = "SEEN-ADAPTED"
source = "study"
denominator = "R"
primary_share = 0.005
[links.cramp]
probability = 0.6
range = [0.4, 0.8]
basis = "SEEN"
source = "study"
statements = ["S2-03"]
parameterisation = "alone"
note = "as reported by patients"
[links.ck_high]
probability = 0.3
range = [0.2, 0.4]
basis = "SEEN"
source = "study"
parameterisation = "net"
""",
    "causes/bowel.toml": """
label = "Irritable bowel"
kind = "excluded"
description = "A disorder of smooth muscle."
reason = "It cannot make a skeletal muscle cramp."
[prior]
value = 0.0
basis = "SEED"
source = "clin"
denominator = "R"
""",
    "causes/leak_other.toml": """
label = "Anything else"
kind = "leak"
description = "What no modelled cause explains."
[prior]
primary_share = 0.905
""",
}


def write_priors(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder and return it."""
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder
