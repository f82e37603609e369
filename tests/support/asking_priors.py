"""A small knowledge with everything that a next question and its certificate have to cope with.

Dangerous causes, rules that fall open, an inhibitor, a finding without a probability, a measure
that settles two findings, a finding made of others, efforts and askers.
"""

from small_priors import SMALL

EXTRA_FINDINGS = """
[bulge]
label = "Bulge"
question = "Is there a bulge?"
kind = "binary"
observed_by = "examiner"
category = "exam"
[bulge.background]
value = 0.1
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[bulge_front]
label = "Bulge in front"
question = "Is there a bulge in front?"
kind = "binary"
observed_by = "examiner"
category = "exam"
[bulge_front.background]
value = 0.05
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[bulge_any]
label = "A bulge anywhere"
question = "Is there a bulge anywhere?"
kind = "binary"
any_of = ["bulge", "bulge_front"]
observed_by = "examiner"
category = "exam"
[bulge_any.background]
value = 0.15
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[long_lasting]
label = "For more than half a year"
question = "Has it lasted more than half a year?"
kind = "binary"
implies = ["lasting"]
observed_by = "patient"
category = "timing"
[long_lasting.background]
value = 0.3
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"

[lasting]
label = "For more than two weeks"
question = "Has it lasted more than two weeks?"
kind = "observation"
observed_by = "patient"
category = "timing"
"""

EXTRA_MEASURES = """
[weeks]
label = "Weeks since it began"
question = "For how many weeks has it been there?"
unit = "weeks"
range = [0, 1000]
observed_by = "patient"
sets = [{ finding = "long_lasting", present = "> 26" }, { finding = "lasting", present = "> 2" }]
"""

CLOT = """
label = "Clot"
kind = "cause"
urgency = "urgent"
dangerous = true
description = "A vein is blocked."
[prior]
value = 0.02
basis = "JUDGEMENT"
source = "clin"
denominator = "R"
primary_share = 0.01
[links.bulge]
probability = 0.7
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
[links.bulge_any]
probability = 0.75
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
[links.cramp]
probability = 0.15
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
[links.long_lasting]
probability = 0.05
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
"""

RULES = """
[[rule]]
id = "worn"
level = "soon"
title = "Lasting, with a bulge"
advice = "See somebody."
sources = ["study"]
basis = "SEEN"
when = { all = ["lasting", "bulge_any"] }
[[rule]]
id = "wait"
level = "self_care"
title = "Nothing severe and not lasting"
advice = "Wait."
sources = ["study"]
basis = "SEEN"
when = { all = ["!lasting"], none = ["severe_pain", "radiation:foot"] }
[triage]
basis = "JUDGEMENT"
sources = ["clin"]
[triage.loss_ratio]
emergency = 100.0
urgent = 9.0
soon = 4.0
"""

QUESTIONS = """
[[effort]]
observed_by = "patient"
cost = 1.0
delay_hours = 0.0
basis = "JUDGEMENT"
source = "clin"
[[effort]]
observed_by = "examiner"
cost = 3.0
delay_hours = 0.0
basis = "JUDGEMENT"
source = "clin"
[[effort]]
observed_by = "examiner"
category = "exam"
cost = 2.0
delay_hours = 0.5
basis = "SEEN"
source = "study"
[[effort]]
observed_by = "laboratory"
cost = 10.0
delay_hours = 24.0
basis = "JUDGEMENT"
source = "clin"
[[asker]]
id = "clinician"
label = "Somebody who can ask and examine"
asks = ["patient", "examiner"]
"""

ASKING = {
    **SMALL,
    "findings.toml": SMALL["findings.toml"] + EXTRA_FINDINGS,
    "measures.toml": SMALL["measures.toml"] + EXTRA_MEASURES,
    "red_flags.toml": SMALL["red_flags.toml"] + RULES,
    "causes/clot.toml": CLOT,
    "causes/strain.toml": SMALL["causes/strain.toml"]
    + """
[links.long_lasting]
probability = 0.1
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
[links.bulge_front]
probability = 0.2
basis = "JUDGEMENT"
source = "clin"
parameterisation = "in_population"
""",
    "causes/statin_myopathy.toml": SMALL["causes/statin_myopathy.toml"].replace(
        'urgency = "soon"', 'urgency = "soon"\ndangerous = true'
    ),
    "groups.toml": SMALL["groups.toml"].replace(
        'members = ["statin_myopathy"]', 'members = ["statin_myopathy", "clot"]'
    ),
    "questions.toml": QUESTIONS,
}
