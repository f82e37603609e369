"""The page: everything is there, nothing is loaded, nothing is let through unescaped."""

import re
from html.parser import HTMLParser

import pytest

import bayesdx
from bayesdx.knowledge.learning_schema import Learning
from bayesdx.presentation.brief_view import candidates, speaking
from bayesdx.presentation.words import range_of_percents, whole_percent
from bayesdx.reports.gathering import CaseReport, Thoroughness, gather
from bayesdx.reports.page import page

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present", "age": 52}
EMERGENCY = {"saddle_numbness": "present", "fever": "present"}
QUICK = Thoroughness(draws=10)
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Checks that tags are balanced, and collects what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "svg" not in self.open[:-1]:
            self.ids += [told["id"]] if told.get("id") else []
        if tag == "a":
            self.links.append(told["href"])
        elif "svg" not in self.open[:-1]:
            self.loaded += [told[key] for key in ("src", "href") if told.get(key)]

    def handle_startendtag(self, tag, _attrs) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if not {"style", "svg"} & set(self.open):
            self.text.append(data)


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def gathered(
    engine: bayesdx.Engine, name: str, findings: dict[str, object], effort: Thoroughness = QUICK
) -> CaseReport:
    case = engine.core.read_case(findings)
    return gather(engine.core, [(name, {}, case, findings)], effort)[0]


GIVEN = {"<script>alert(1)</script>": CASE, "emergency": EMERGENCY, "nothing": {}}


@pytest.fixture(scope="module")
def reports(engine: bayesdx.Engine) -> list[CaseReport]:
    return [gathered(engine, name, findings) for name, findings in GIVEN.items()]


@pytest.fixture(scope="module")
def html(engine: bayesdx.Engine, reports: list[CaseReport]) -> str:
    return page(engine, reports, "Three & <more>")


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def words(read: Reader) -> str:
    return " ".join(" ".join(read.text).split())


def test_page_is_whole_and_loads_nothing(html: str, read: Reader) -> None:
    assert read.open == []
    assert read.loaded == []
    assert "script" not in read.tags
    assert "default-src 'none'" in html
    assert "http://" not in html
    assert "https://" not in html


def test_names_are_escaped(html: str, read: Reader) -> None:
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "Three &amp; &lt;more&gt;" in html
    assert "<script>alert(1)</script>" in words(read)


def test_every_link_leads_somewhere_and_ids_are_unique(read: Reader) -> None:
    assert len(read.ids) == len(set(read.ids))
    assert read.links
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)


def test_red_flags_come_first_and_nothing_is_ruled_out(
    engine: bayesdx.Engine, html: str, read: Reader
) -> None:
    text = words(read)
    second = text[text.index("emergency Understood: ") :]
    first_page = second[: second.index("More about this case")]
    for hit in engine.diagnose(EMERGENCY).red_flags:
        if hit.outcome == "fired" and hit.level == "emergency":
            assert hit.title in first_page
            assert hit.advice in first_page
    assert "do not wait for it" in first_page
    assert text.count("Nothing is ruled out") >= 3
    assert text.count("Intended use.") == 1
    assert text.index("not a medical device") < text.index("Understood: ")
    assert not re.search(r"\b(safe|unlikely|no need|harmless|reassur)", text, re.IGNORECASE)


def test_numbers_are_those_of_the_short_answer(
    engine: bayesdx.Engine, reports: list[CaseReport], read: Reader
) -> None:
    brief = reports[0].brief
    text = words(read)
    first_page = text[text.index("Understood: ") : text.index("More about this case")]
    assert "low back pain; FAIR test" in first_page
    assert "Answered no: " in first_page
    assert "age in years: 52" in first_page
    for _, name, row in candidates(brief):
        low, high = brief.ranges.loc[name]
        assert f"{row['label']} {whole_percent(row['posterior'])}" in first_page
        assert f"range {range_of_percents(low, high)}" in first_page
    assert all(one in first_page for one in speaking(brief)[0][:3])
    assert brief.questions["text"].map(first_page.__contains__).all()
    for label in engine.diagnose(CASE).table["label"]:
        assert label[1:] in text  # below the first page, the improbable ones too


def test_bars_have_one_scale_and_noise_is_not_drawn(
    reports: list[CaseReport], html: str, engine: bayesdx.Engine
) -> None:
    bars = re.findall(r'<svg class="bar" viewBox="0 0 100 10".*?</svg>', html, re.DOTALL)
    listed = [one for report in reports for one in candidates(report.brief)]
    assert len(bars) == len(listed) == html.count("<svg")
    for bar, (_, _, row) in zip(bars, listed, strict=True):
        assert f"present now: {whole_percent(row['posterior'])}".replace("<", "&lt;") in bar
        drawn = re.search(r'class="now" y="2" width="([\d.]+)"', bar)
        if row["posterior"] < 0.005:
            assert drawn is None
        else:
            assert drawn is not None
            assert float(drawn[1]) == pytest.approx(100.0 * row["posterior"], abs=0.006)


def test_statements_named_are_told_in_our_words(engine: bayesdx.Engine, read: Reader) -> None:
    named = {link.removeprefix("#") for link in read.links if not link.startswith("#case-")}
    assert named
    text = words(read)
    for name in named:
        assert " ".join(engine.knowledge.statements[name].says.split()) in text


def test_the_same_cases_give_the_same_bytes(
    engine: bayesdx.Engine, reports: list[CaseReport], html: str
) -> None:
    again = [gathered(engine, name, findings) for name, findings in GIVEN.items()]
    assert page(engine, again, "Three & <more>") == html


def test_an_impossible_case_has_rules_and_no_probabilities(engine: bayesdx.Engine) -> None:
    clash: dict[str, object] = {"sex": "male", "menstrual_cyclic": "present"}
    text = page(engine, [gathered(engine, "clash", clash)], "One")
    assert "cannot occur together" in text
    assert "<h3>Look at these" not in text


def test_ranges_can_be_left_out(engine: bayesdx.Engine) -> None:
    text = page(engine, [gathered(engine, "one", dict(CASE), Thoroughness(draws=0))], "One")
    assert "; range" not in text
    assert "Range:" not in text


@pytest.mark.slow
def test_all_adds_what_takes_longer(engine: bayesdx.Engine) -> None:
    effort = Thoroughness(draws=10, every=True, references=199, explained=1)
    text = page(engine, [gathered(engine, "one", {"fair_pos": "present"}, effort)], "One")
    for summary in ("Why ", "What to ask next", "Does the model fit", "most unsure of"):
        assert f"<summary>{summary}" in text or summary in text
    assert "disablement" in text


def test_a_page_says_that_numbers_were_learned(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    learning = Learning(computed_from="", cases=120, labelled=90, sample="selected")
    assert "Numbers that were learned" not in page(engine, [], "none")
    learned = engine.knowledge.model_copy(update={"learning": learning})
    monkeypatch.setattr(type(engine), "knowledge", property(lambda _: learned))
    text = " ".join(page(engine, [], "learned").split())
    assert "learned, not stated: 0, from 120 selected cases, 90 of them labelled" in text
