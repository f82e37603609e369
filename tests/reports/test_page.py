"""The page: everything is there, nothing is loaded, nothing is let through unescaped."""

import re
from html.parser import HTMLParser

import pytest

import bayesdx
from bayesdx.reports.gathering import CaseReport, Thoroughness, gather
from bayesdx.reports.page import page

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present", "age": 52}
EMERGENCY = {"saddle_numbness": "present", "fever": "present"}
QUICK = Thoroughness(draws=50, references=199)
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


@pytest.fixture(scope="module")
def reports(engine: bayesdx.Engine) -> list[CaseReport]:
    given = {"<script>alert(1)</script>": CASE, "emergency": EMERGENCY, "nothing": {}}
    return [
        gather(engine.core, name, {}, engine.core.read_case(findings), QUICK)
        for name, findings in given.items()
    ]


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
    # Names of the drawing standards are no addresses that anything is fetched from.
    outside = set(re.findall(r"https?://[^\s\"'<]+", html))
    assert all(
        re.match(r"http://(www\.w3\.org|purl\.org|creativecommons\.org)", u)
        or "matplotlib.org" in u
        for u in outside
    )


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
    second = text[text.index("emergency Urgency: emergency") :]
    for hit in engine.diagnose(EMERGENCY).red_flags:
        if hit.outcome == "fired":
            assert hit.title in second[: second.index("How probable each cause is")]
    assert text.count("Nothing is ruled out") == 3
    assert text.count("Intended use.") == 2
    assert not re.search(r"\b(safe|unlikely|no need|harmless|reassur)", text, re.IGNORECASE)


def test_numbers_are_those_of_the_engine(
    engine: bayesdx.Engine, reports: list[CaseReport], read: Reader
) -> None:
    table = engine.diagnose(CASE).table
    text = words(read)
    first = table.iloc[0]
    assert f"{first['label']}: {100 * first['prior']:.1f} % before" in text
    assert f"{100 * first['posterior']:.1f} % after" in text
    for label in table["label"]:
        assert label in text


def test_statements_named_are_told_in_our_words(engine: bayesdx.Engine, read: Reader) -> None:
    named = {link.removeprefix("#") for link in read.links if not link.startswith("#case-")}
    assert named
    text = words(read)
    for name in named:
        assert " ".join(engine.knowledge.statements[name].says.split()) in text


def test_figures_say_what_they_show(html: str, read: Reader) -> None:
    assert html.count("<svg") == html.count('<div class="wide" role="img"') * 2
    for label in re.findall(r'role="img" aria-label="([^"]*)"', html):
        assert len(label) > 30


def test_the_same_cases_give_the_same_bytes(
    engine: bayesdx.Engine, reports: list[CaseReport], html: str
) -> None:
    again = [
        gather(engine.core, one.name, {}, engine.core.read_case(found), QUICK)
        for one, found in zip(reports, (CASE, EMERGENCY, {}), strict=True)
    ]
    assert page(engine, again, "Three & <more>") == html


def test_an_impossible_case_has_rules_and_no_probabilities(engine: bayesdx.Engine) -> None:
    clash = {"sex": "male", "menstrual_cyclic": "present"}
    made = gather(
        engine.core,
        "clash",
        {},
        engine.core.read_case(clash),
        Thoroughness(draws=0, references=199),
    )
    text = page(engine, [made], "One")
    assert "cannot occur together" in text
    assert "<h3>How probable" not in text


def test_intervals_can_be_left_out(engine: bayesdx.Engine) -> None:
    made = gather(
        engine.core, "one", {}, engine.core.read_case(CASE), Thoroughness(draws=0, references=199)
    )
    text = page(engine, [made], "One")
    assert "interval" not in text
    assert "most unsure of" not in text
