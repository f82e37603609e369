"""The page that answers by itself: whole, locked, small, and never reassuring."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import bayesdx
from bayesdx.cli.interview_course import PARTS
from bayesdx.knowledge.addresses import every_number
from bayesdx.reports.browser import writing
from bayesdx.reports.browser.support_data import cited_sources
from bayesdx.reports.browser.writing import standalone_page, unsqueezed

ASSETS = Path(writing.__file__).parent / "assets"
#: What no sentence may say; "Nothing is ruled out" is the one way in which these words are said.
REASSURING = re.compile(
    r"\b(safe|safely|unlikely|no need|reassur\w*|no danger|all[- ]clear|nothing serious|harmless"
    r"|not serious|do(?:n't| not) worry|no cause for|can wait"
    r"|(?<!Nothing is )ruled out|(?<!not )excludes?)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture(scope="module")
def page(engine: bayesdx.Engine) -> str:
    return standalone_page(engine)


class Parts(HTMLParser):
    """What of a page loads something, and its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.policy, self._in = "", ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.loads += [key for key in ("src", "href", "srcset", "action", "style") if key in told]
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told["content"] or ""
        runs = tag == "style" or (tag == "script" and "type" not in told)
        self._in = tag if runs else ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.inline[self._in].append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._in = ""


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_nothing_but_what_is_inside(page: str) -> None:
    parts = Parts(page)
    assert parts.loads == []
    (script,), (style,) = parts.inline["script"], parts.inline["style"]
    program = unsqueezed(page, "program")
    assert parts.policy == "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashed(script)} {hashed(program)}",
            f"style-src {hashed(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    assert "unsafe" not in parts.policy


def test_the_program_sends_and_stores_nothing(page: str) -> None:
    text = unsqueezed(page, "program") + "".join(Parts(page).inline["script"])
    for word in (
        *("fetch", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "RTCPeer"),
        *("localStorage", "sessionStorage", "indexedDB", "cookie", "caches", "pushState"),
        *("eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "location"),
        *("import(", "http:", "https:"),
    ):
        assert word not in text.replace("http://www.w3.org/2000/svg", ""), word


def test_the_page_is_small_and_the_same_each_time(engine: bayesdx.Engine, page: str) -> None:
    assert len(page.encode()) <= writing.LARGEST
    assert standalone_page(engine) == page


def test_notes_are_left_out_where_the_page_would_be_large(
    engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LARGEST", 1 << 30)
    whole = standalone_page(engine)
    monkeypatch.setattr(writing, "LARGEST", len(whole.encode()) - 1)
    smaller = standalone_page(engine)
    assert len(smaller) < len(whole)
    assert writing.notes_left_out(smaller, engine)
    assert not writing.notes_left_out(whole, engine)
    # All but the notes is there.
    assert '"notes":[""]' in unsqueezed(smaller, "knowledge")
    assert f'"digest":"{engine.knowledge.digest}"' in unsqueezed(smaller, "knowledge")


def test_the_packaged_page_tells_notes_and_sources(engine: bayesdx.Engine, page: str) -> None:
    carried = json.loads(unsqueezed(page, "knowledge"))
    support, rules = carried["support"], carried["judging"]["rules"]["columns"]
    numbers = every_number(engine.knowledge)
    # Those of the rules, by title; and none that nothing on the page rests on.
    told = [[support["sources"][at] for at in own] for own in rules["sources"]]
    assert told == [
        [engine.knowledge.sources[name].title for name in rule.sources]
        for rule in engine.core.rules.every
    ]
    cited = cited_sources(engine.core)
    assert support["sources"] == [engine.knowledge.sources[name].title for name in cited]
    assert not {"chen13", "mosteller"} & set(cited)
    assert [support["sources"][at] for at in support["source"]] == [
        engine.knowledge.sources[one.stated.source].title for one in numbers
    ]
    assert [support["notes"][at] for at in support["note"]] == [one.stated.note for one in numbers]


def test_a_browser_reads_what_the_page_carries(page: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    carried = dict(re.findall('id="(knowledge|program)" data-bytes="[0-9]+">(.*?)<', page))
    size = dict(re.findall('id="(knowledge|program)" data-bytes="([0-9]+)"', page))
    parts = {
        name: {"textContent": text, "dataset": {"bytes": size[name]}}
        for name, text in carried.items()
    }
    script = f"""
        const parts = {json.dumps(parts)}, made = {{}};
        globalThis.document = {{
          getElementById: (id) => parts[id], createElement: () => made, head: {{ append() {{}} }},
        }};
        globalThis.start = (data) => console.log(JSON.stringify([data, made.textContent]));
        {(ASSETS / "start.js").read_text(encoding="utf-8").replace('"use strict";', "")}
    """
    (tmp_path / "start.js").write_text(script, encoding="utf-8")
    ran = subprocess.run(
        [node, str(tmp_path / "start.js")], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [
        json.loads(unsqueezed(page, "knowledge")),
        unsqueezed(page, "program"),
    ]


def test_no_sentence_of_the_page_reassures(engine: bayesdx.Engine, page: str) -> None:
    data = writing.page_data(engine)
    said = [data["support"]["words"], data["support"]["intended_use"]]
    said += [[one["title"], one["advice"]] for one in data["judging"]["rules"]]
    for kind in ("pitfalls", "management"):
        said += [[one["title"], one["text"]] for one in data["judging"][kind]["texts"]]
    said += [one["text"] for one in data["judging"]["questions"]]
    said += data["support"]["notes"]
    strings = re.findall(r"[\"`]([^\"`]*)[\"`]", unsqueezed(page, "program"))
    found = [text for text in (*_texts(said), *strings) if REASSURING.search(text)]
    assert found == []
    assert "never rules" in page
    assert "Not a medical device" in page


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    values = part.values() if isinstance(part, dict) else part
    return (
        [text for one in values for text in _texts(one)] if isinstance(part, (dict, list)) else []
    )


def test_every_module_is_joined_behind_what_it_imports() -> None:
    assert {path.stem for path in ASSETS.glob("*.mjs")} == set(writing.MODULES)
    for at, name in enumerate(writing.MODULES):
        text = (ASSETS / f"{name}.mjs").read_text(encoding="utf-8")
        assert len(text.splitlines()) < 400
        for imported in re.findall(r'^import .* from "\./(\w+)\.mjs";$', text, re.MULTILINE):
            assert imported in writing.MODULES[:at], (name, imported)


def test_the_interview_has_the_limits_of_the_one_on_a_terminal() -> None:
    module = (ASSETS / "course.mjs").read_text(encoding="utf-8")
    stated = re.search(r"const PARTS = .*\(\{ (.*) \}\);", module)
    assert stated is not None
    pairs = (one.replace('"', "").rsplit(": ", 1) for one in stated[1].split(", "))
    assert {part: int(most) for part, most in pairs} == dict(PARTS)


def test_the_joined_program_is_one_script(page: str, tmp_path: Path) -> None:
    program = unsqueezed(page, "program")
    assert "import " not in program
    assert "/**" not in program
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    (tmp_path / "program.js").write_text(program, encoding="utf-8")
    # Names that two modules declare would not pass.
    subprocess.run([node, "--check", str(tmp_path / "program.js")], check=True)


def test_types_hold(tmp_path: Path) -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("TypeScript is not installed")
    options = {
        **{"allowJs": True, "checkJs": True, "noEmit": True, "strict": True, "types": []},
        **{"target": "es2022", "module": "es2022", "lib": ["es2022", "dom", "dom.iterable"]},
    }
    project = {"compilerOptions": options, "files": [str(ASSETS / "main.mjs")]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(project), encoding="utf-8")
    ran = subprocess.run(
        [compiler, "--project", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ran.stdout == ""
    assert ran.returncode == 0


def test_markup_in_a_knowledge_stays_text(engine: bayesdx.Engine) -> None:
    label = "</script><script>alert(1)</script>"
    card = engine.knowledge.model.model_copy(update={"name": label, "intended_use": label})
    other = engine.knowledge.model_copy(update={"model": card})
    page = standalone_page(bayesdx.Engine(other))
    assert "alert(1)</script>" not in page.replace("&lt;/script&gt;", "")
    assert len(Parts(page).inline["script"]) == 1
