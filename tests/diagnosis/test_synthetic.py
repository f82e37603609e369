"""Drawn cases are told as the options say, and mean what was drawn."""

import numpy as np
import pytest
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.measured import measured_targets
from bayesdx.diagnosis.synthetic import BLOCK, CaseSampler, SampleOptions, Told, ToldCases
from bayesdx.diagnosis.tied_findings import Relations
from bayesdx.errors import BayesdxError
from bayesdx.inference import no_evidence
from bayesdx.inference.noisy.sampling import ForwardSampler
from bayesdx.knowledge.reading import read_knowledge


@pytest.fixture(scope="module")
def core(real_knowledge) -> Core:
    return build_core(real_knowledge, "numpy")


@pytest.fixture(scope="module")
def small_core(tmp_path_factory) -> Core:
    folder = write_priors(tmp_path_factory.mktemp("priors"), SMALL)
    return build_core(read_knowledge(folder), "numpy")


def texts(sampler: CaseSampler, cases: ToldCases) -> dict[str, np.ndarray]:
    """Cells by column: words and numbers, None where nothing is told."""
    cells = {}
    for column, told in zip(sampler.columns, cases.cells, strict=True):
        values: np.ndarray = told.values.astype(object)
        if column.words is not None:
            values = np.array(column.words, dtype=object)[told.values]
        cells[column.name] = np.where(told.told, values, None)
    return cells


def read_back(core: Core, cells: dict[str, np.ndarray]) -> Cases:
    return core.reader.read(cells, BLOCK, range(BLOCK))


def meant(core: Core, cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the cells say of the network, worked out from the words alone; NaN unknown."""
    said = {}
    model = core.model
    for name in (*model.risks, *model.findings, *model.ordinals):
        states = core.states[name]
        column = np.full(BLOCK, np.nan)
        for row, cell in enumerate(cells[name]):
            if cell in states:
                column[row] = states.index(cell)
            elif cell is not None:
                column[row] = float(cell)
        said[name] = column
    for measure in core.knowledge.measures.values():
        for setting in measure.sets:
            if setting.target not in said or measure.id not in cells:
                continue
            own = measure.id == setting.target
            for row, cell in enumerate(cells[measure.id]):
                if cell is None or (own and cell in core.states[measure.id]):
                    continue
                said[setting.target][row] = state_of(float(cell), setting)
    return said


def state_of(number: float, setting) -> float:
    if setting.comparison is not None:
        sign, threshold = setting.comparison
        return float(eval_comparison(number, sign, threshold))
    if setting.falling:
        above = number.__lt__ if setting.closed == "left" else number.__le__
        return float(sum(above(cut) for cut in setting.cuts))
    if setting.closed == "left":
        return float(sum(number >= cut for cut in setting.cuts))
    return float(sum(number > cut for cut in setting.cuts))


def eval_comparison(number: float, sign: str, threshold: float) -> bool:
    found = {
        "<": number < threshold,
        "<=": number <= threshold,
        ">": number > threshold,
        ">=": number >= threshold,
    }
    return found[sign]


OPTIONS = [
    SampleOptions(),
    SampleOptions(seed=1, asked=(1.0, 1.0), thresholds=0.0, measures=0.0),
    SampleOptions(seed=2, asked=(0.9, 1.0), measures=1.0, thresholds=1.0),
    SampleOptions(seed=3, flip=0.1, soft=0.4, strangers=0.3, risks_asked=(0.0, 0.1)),
]


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("which", ["core", "small_core"])
def test_the_evidence_read_back_is_what_was_told(request, which: str, options) -> None:
    core = request.getfixturevalue(which)
    sampler = CaseSampler(core, options)
    cells = texts(sampler, sampler.block(0))
    evidence, said = read_back(core, cells).evidence, meant(core, cells)
    model = core.model
    for f, name in enumerate(model.findings):
        np.testing.assert_array_equal(evidence.findings[:, f], said[name], err_msg=name)
    for r, name in enumerate(model.risks):
        np.testing.assert_array_equal(evidence.risks[:, r], np.nan_to_num(said[name], nan=-1))
    blank = no_evidence(model, BLOCK)
    for o, name in enumerate(model.ordinals):
        lower, upper = blank.lower[:, o].copy(), blank.upper[:, o].copy()
        known = ~np.isnan(said[name])
        lower[known] = upper[known] = said[name][known]
        for finding in core.knowledge.findings.values():
            if finding.threshold_of == name and options.thresholds:
                level = core.states[name].index(finding.at_least)
                lower[cells[finding.id] == "present"] = level
                upper[cells[finding.id] == "absent"] = level - 1
        np.testing.assert_array_equal(evidence.lower[:, o], lower)
        np.testing.assert_array_equal(evidence.upper[:, o], upper)


def test_without_noise_what_is_told_is_true(core: Core) -> None:
    options = SampleOptions(seed=4, asked=(0.5, 1.0))
    sampler = CaseSampler(core, options)
    evidence = read_back(core, texts(sampler, sampler.block(2))).evidence
    truth = ForwardSampler(core.model).draw(
        BLOCK, np.random.SFC64(np.random.SeedSequence((4, 2, 0)))
    )
    known = ~np.isnan(evidence.findings)
    assert known.mean() > 0.6
    np.testing.assert_array_equal(evidence.findings[known], truth.findings[known])
    assert ((evidence.lower <= truth.ordinals) & (truth.ordinals <= evidence.upper)).all()
    told = evidence.risks >= 0
    np.testing.assert_array_equal(evidence.risks[told], truth.risks[told])


def test_the_causes_are_those_that_made_the_case(core: Core) -> None:
    cases = CaseSampler(core, SampleOptions(seed=4)).block(2)
    truth = ForwardSampler(core.model).draw(
        BLOCK, np.random.SFC64(np.random.SeedSequence((4, 2, 0)))
    )
    for position, name in enumerate(core.causes):
        expected = np.zeros(BLOCK, dtype=bool)
        if name in core.model.causes:
            expected = truth.causes[:, core.model.causes.index(name)]
        np.testing.assert_array_equal(cases.causes[:, position], expected)


def share(told: Told) -> float:
    return float(told.told.mean())


def cells_of(sampler: CaseSampler, block: int = 0) -> dict[str, Told]:
    cases = sampler.block(block)
    return {column.name: cell for column, cell in zip(sampler.columns, cases.cells, strict=True)}


def test_the_shares_that_are_told(core: Core) -> None:
    options = SampleOptions(asked=(0.2, 0.4), risks_asked=(0.7, 0.9), measures=0.25, thresholds=0.0)
    cells = cells_of(CaseSampler(core, options))
    assert share(cells["sex"]) == pytest.approx(0.8, abs=0.02)
    assert share(cells["cramp_spasm"]) == pytest.approx(0.3, abs=0.02)
    assert share(cells["leg_radiation"]) == pytest.approx(0.3, abs=0.02)
    assert share(cells["k_level"]) == pytest.approx(0.3 * 0.75, abs=0.02)
    assert share(cells["potassium"]) == pytest.approx(0.3 * 0.25, abs=0.02)
    # A case that tells much of one thing tells much of the others too.
    told = np.array([one.told for name, one in cells.items() if name in core.model.findings])
    assert told.sum(axis=0).std() > 1.1 * np.sqrt(len(told) * 0.3 * 0.7)


def test_a_share_of_ordinals_is_told_by_one_threshold_each(core: Core) -> None:
    cells = cells_of(CaseSampler(core, SampleOptions(asked=(1.0, 1.0), thresholds=0.4)))
    one, other = cells["leg_radiation_any"].told, cells["leg_radiation_below_knee"].told
    assert not (one & other).any()
    assert (one | other).mean() == pytest.approx(0.4, abs=0.02)
    np.testing.assert_array_equal(cells["leg_radiation"].told, ~(one | other))


def test_wrong_answers_are_as_common_as_said(core: Core) -> None:
    quiet = cells_of(CaseSampler(core, SampleOptions(asked=(1.0, 1.0), measures=0.0, thresholds=0)))
    noisy = cells_of(
        CaseSampler(core, SampleOptions(asked=(1.0, 1.0), measures=0.0, thresholds=0, flip=0.1))
    )
    for name in ("cramp_spasm", "leg_radiation", "sex", "age", "known_cord_injury"):
        wrong = quiet[name].values != noisy[name].values
        assert wrong.mean() == pytest.approx(0.1, abs=0.015), name
    # Any other state alike.
    instead = noisy["age"].values[(quiet["age"].values == 0) & (noisy["age"].values != 0)]
    np.testing.assert_allclose(
        np.bincount(instead, minlength=8)[1:] / len(instead), 1 / 7, atol=0.1
    )


def test_soft_evidence_says_what_it_means(core: Core) -> None:
    """Among cases told p, the finding is present as often as its odds times p / (1 - p)."""
    options = SampleOptions(asked=(1.0, 1.0), soft=1.0)
    sampler = CaseSampler(core, options)
    words = {column.name: column.words for column in sampler.columns}
    quiet = CaseSampler(core, SampleOptions(asked=(1.0, 1.0)))
    p, present = [], []
    for block in range(4):
        graded, plain = cells_of(sampler, block)["bilateral"], cells_of(quiet, block)["bilateral"]
        p.append([float(words["bilateral"][code]) for code in graded.values])
        present.append(plain.values == 1)
    grade, true = np.concatenate(p), np.concatenate(present)
    odds = true.mean() / (1 - true.mean())
    for low, high in ((0.01, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        inside = (grade >= low) & (grade < high)
        expected = odds * grade[inside] / (1 - grade[inside])
        expected = expected / (1 + expected)
        spread = np.sqrt((expected * (1 - expected)).sum()) / inside.sum()
        assert true[inside].mean() == pytest.approx(expected.mean(), abs=5 * spread)


def test_strangers_keep_the_frequencies_and_lose_the_causes(core: Core) -> None:
    own = SampleOptions(asked=(1.0, 1.0), measures=0.0, thresholds=0.0)
    mixed = SampleOptions(asked=(1.0, 1.0), measures=0.0, thresholds=0.0, strangers=1.0)
    one, other = cells_of(CaseSampler(core, own)), cells_of(CaseSampler(core, mixed))
    cases = CaseSampler(core, mixed).block(0)
    assert cases.strangers.all()
    radiculopathy = cases.causes[:, core.causes.index("lumbar_radiculopathy")]
    slr = {True: one["slr_pos"].values == 1, False: other["slr_pos"].values == 1}
    assert slr[False].mean() == pytest.approx(slr[True].mean(), abs=0.02)
    assert slr[True][radiculopathy].mean() > 2 * slr[True][~radiculopathy].mean()
    apart = slr[False][radiculopathy].mean() - slr[False][~radiculopathy].mean()
    assert abs(apart) < 0.06
    np.testing.assert_array_equal(one["sex"].values, other["sex"].values)
    few = CaseSampler(core, SampleOptions(strangers=0.1)).block(0)
    assert few.strangers.mean() == pytest.approx(0.1, abs=0.01)
    assert not CaseSampler(core, SampleOptions()).block(0).strangers.any()


def test_an_option_changes_only_what_it_is_about(core: Core) -> None:
    plain, noisy = SampleOptions(seed=9), SampleOptions(seed=9, soft=0.5, measures=0.0)
    one, other = CaseSampler(core, plain).block(1), CaseSampler(core, noisy).block(1)
    np.testing.assert_array_equal(one.causes, other.causes)
    a = cells_of(CaseSampler(core, plain), 1)["sex"]
    b = cells_of(CaseSampler(core, noisy), 1)["sex"]
    np.testing.assert_array_equal(a.told, b.told)
    np.testing.assert_array_equal(a.values, b.values)


def test_every_measured_number_stands_for_its_state(core: Core) -> None:
    found = measured_targets(core, Relations(core.knowledge, core.model))
    assert set(found) >= {"age", "k_level", "ck_level", "spasticity", "ferritin_low"}
    assert found["spasticity"].numbers.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    below = found["k_level"].numbers[found["k_level"].first[1] :]
    assert below.min() >= 1.0
    assert below.max() < 3.5


def test_another_seed_gives_other_cases(core: Core) -> None:
    one, other = (CaseSampler(core, SampleOptions(seed=seed)).block(0).causes for seed in (0, 1))
    assert (one != other).any()


def test_options_that_make_no_sense_are_all_told() -> None:
    with pytest.raises(BayesdxError) as caught:
        SampleOptions(seed=-1, asked=(0.5, 0.2), risks_asked=(0.1,), flip=1.5, soft=float("nan"))  # type: ignore[arg-type]
    said = str(caught.value)
    for place in ("seed:", "asked:", "risks_asked:", "flip:", "soft:"):
        assert place in said
    assert "strangers" not in said
