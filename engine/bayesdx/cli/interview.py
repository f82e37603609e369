"""An interview on a terminal: the best question, its answer, what changed, and the next one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from bayesdx.cli.asking import OBSERVERS, SHORT_ANSWERS, meaning, possible_answers, range_of
from bayesdx.cli.interview_course import COMPLAINT, Put, choose
from bayesdx.cli.progress import patience
from bayesdx.diagnosis.asking.complaints import complaints_of
from bayesdx.diagnosis.values import is_missing
from bayesdx.errors import InvalidCase
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.presentation.layout import BLANK, Emphasis, Paragraph
from bayesdx.presentation.terminal import make_console, show, wrapped
from bayesdx.presentation.words import clash_text, percent, short

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.console import Console

    from bayesdx import Diagnosis, Engine
    from bayesdx.diagnosis.asking.questions import NextQuestions

HELP = (
    "Blank or skip: not known. y/n, a state or a number. ?: explain. why: why this question. back: "
    "take the last answer back. q: that is all."
)
BACK, SKIP = ("back", "u"), "skip"
CAUSES = 3
_UNKNOWN = ""


class Asked(NamedTuple):
    """One question that was put; `value` is empty where it could not be answered."""

    question: str
    name: str
    value: str
    part: str = "telling"


@dataclass(frozen=True)
class Plan:
    """How an interview is led.

    Attributes
    ----------
    cause : str, optional
        The one cause that is asked about.
    by : tuple of str
        Who can answer; everybody when empty.
    limit : int, optional
        Questions that are put at most.
    keep_asking : bool
        Go on beyond the limits of `bayesdx.cli.interview_course.PARTS`.
    opening : tuple of str
        What is asked before anything else, see `opening_of`.
    """

    cause: str | None = None
    by: tuple[str, ...] = ()
    limit: int | None = None
    keep_asking: bool = False
    opening: tuple[str, ...] = ()


class Interview:
    """Leads one interview; `answers` is what is known so far."""

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        given: dict[str, str],
        read_line: Callable[[], str] = input,
    ) -> None:
        self.engine, self.plan, self.read_line = engine, plan, read_line
        self.given, self.steps = dict(given), list[Asked]()
        self._last: tuple[dict[str, str], NextQuestions] | None = None
        #: What is being asked; those who answer for a person look at it.
        self.put: Put | None = None
        # To standard error, so that `bayesdx ask --json > case.json` stays JSON.
        self.console: Console = make_console(stderr=True)

    @property
    def answers(self) -> dict[str, str]:
        """What was given at the start and answered since."""
        return self.given | {step.name: step.value for step in self.steps if step.value}

    @property
    def unanswered(self) -> Collection[str]:
        """Questions that were put and could not be answered."""
        put = [step.question for step in self.steps if not step.value]
        return [name for name in put if name != COMPLAINT]

    def lead(self) -> None:
        """Ask until the rule, the limit or the person ends it; Ctrl-C and Ctrl-D end it too."""
        self._paragraph(HELP)
        try:
            self._lead()
        except (EOFError, KeyboardInterrupt):
            self._say("\nEnded here. What is known so far:")

    def _lead(self) -> None:
        diagnosis, section = self.engine.diagnose(self.answers), ""
        if self.given:
            self._show_flags(None, diagnosis)
            if diagnosis.urgency == LEVELS[0] and self._stops_at_once():
                return
        while True:
            found = self.ranked()
            put = self.put = self._best(found)
            if put is None:
                return
            if put.question == COMPLAINT:
                word = self._ask_complaint(put)
            else:
                row = found.table.reset_index().set_index("question", drop=False).loc[put.question]
                if row.observed_by != section:
                    section = str(row.observed_by)
                    self._say(f"\n{OBSERVERS.get(section, section)}")
                word = self._ask(row, found, put)
            if word == "q":
                return
            if word == BACK[0] and not self._undo():
                continue
            if word != BACK[0] and not self.steps[-1].value:
                continue
            with patience("working out the answer"):
                before, diagnosis = diagnosis, self.engine.diagnose(self.answers)
            self._show_change(before, diagnosis)
            risen = diagnosis.urgency == LEVELS[0] != before.urgency
            if risen and self._stops_at_once():
                return
            if risen:
                diagnosis = self.engine.diagnose(self.answers)

    def _stops_at_once(self) -> bool:
        """Ask whether an emergency is right before it ends the interview."""
        text = (
            "This would be an emergency. Is what was answered right? [y: stop here, with what to "
            "do; back: take the last answer back; more: go on asking] "
        )
        while True:
            word = self._prompt(text).lower()
            if word in ("y", "yes", "q"):
                return True
            if word == "more":
                return False
            if word in BACK:
                self._undo()
                return False
            self._paragraph("expected y, back or more.", indent=2)

    def ranked(self) -> NextQuestions:
        """Rank what is open; a question without an answer leaves the order of the others."""
        known, skipped = self.answers, self.unanswered
        if self._last is None or self._last[0] != known:
            with patience("choosing the next question"):
                self._last = known, self._rank()
        found = self._last[1]
        return replace(found, table=found.table[~found.table.index.isin(skipped)])

    def _rank(self) -> NextQuestions:
        plan = self.plan
        return self.engine.next_questions(
            self.answers,
            cause=plan.cause,
            observed_by=plan.by or None,
            without=self.unanswered,
        )

    def _best(self, found: NextQuestions) -> Put | None:
        """Choose the next question; None when the interview is over, and say why."""
        plan, done = self.plan, len(self.steps)
        if plan.limit is not None and done >= plan.limit:
            self._say(f"\n{plan.limit} questions were put: the limit that was set.")
            return None
        table = found.table
        if plan.cause is not None:
            table = table[table["information"].isna() | (table["information"] > 0.0)]
            if not len(table):
                self._say(f"\nNo answer that is left says anything about {plan.cause}.")
                return None
            return Put(str(table.index[0]), "telling", done + len(table))
        known = {*self.given, *(step.question for step in self.steps)}
        # Only the person concerned can say any of it; of some the answer may be settled.
        asks_person = "patient" in set(table["observed_by"])
        left = {COMPLAINT, *table.index} - known if asks_person else set()
        opening = [name for name in plan.opening if name in left]
        parts = [step.part for step in self.steps]
        put = choose(table, opening, parts, limited=not plan.keep_asking)
        if put is not None:
            return put
        if not len(table):
            self._say("\nNothing is left to ask.")
            return None
        with patience("looking whether the urgency can change"):
            # Ranked anew: what could not be answered is not left to be.
            certificate = self._rank().certificate
        if certificate.holds:
            self._paragraph(f"\n{certificate.reason}")
        self._say("What is left to ask tells little. It goes on with --keep-asking.")
        return None

    def _ask(self, row: Any, found: NextQuestions, put: Put) -> str:
        """Put one question until the answer can be used; note it, or return what was wished."""
        text = f"{row.text or row.label} [{self._possible(row, found)}] "
        while True:
            line = self._prompt(self._numbered(put, text))
            word = line.lower()
            if word == "q":
                return word
            if word in BACK:
                return BACK[0]
            if word == "why":
                self._explain(row, found)
            elif line == "?":
                self._describe(row)
            elif self._note(row, _read_answer(line), put.part):
                return ""

    def _ask_complaint(self, put: Put) -> str:
        """Let the main complaint be chosen by its number."""
        complaints = complaints_of(self.engine.core)
        names = list(complaints)
        for at, label in enumerate(complaints.values(), 1):
            self._paragraph(label, mark=f"{at:>2} ", indent=2)
        while True:
            text = f"Which of these is the main complaint? [1 to {len(names)}, blank: none] "
            word = self._prompt(self._numbered(put, text)).lower()
            if word == "q":
                return word
            if word in BACK:
                return BACK[0]
            if word in ("?", "why"):
                self._paragraph("It says where to begin; others are asked for later.", indent=2)
            elif not _read_answer(word):
                self.steps.append(Asked(COMPLAINT, COMPLAINT, _UNKNOWN, put.part))
                return ""
            elif word.isdecimal() and 1 <= int(word) <= len(names):
                self.steps.append(Asked(COMPLAINT, names[int(word) - 1], "yes", put.part))
                return ""
            else:
                self._paragraph(f"expected a number from 1 to {len(names)}.", indent=2)

    def _numbered(self, put: Put, text: str) -> str:
        number = len(self.steps) + 1
        return f"{number} of about {max(put.total, number)}. {text}"

    def _prompt(self, text: str) -> str:
        """Print a question, wrapped, and return the line that answers it."""
        *above, last = wrapped(text, self.console.width - 1)
        for line in above:
            self._say(line)
        self._say(f"{last} ", end="")
        line = self.read_line().strip()
        if not sys.stdin.isatty():
            # What was piped in is part of the conversation.
            self._say(line)
        return line

    def _note(self, row: Any, value: str, part: str) -> bool:
        """Keep an answer that the engine can read; say what is wrong with any other."""
        if not value:
            self.steps.append(Asked(row.question, row.question, _UNKNOWN, part))
            return True
        # A number is what was measured, a word is what it stands for.
        measured = bool(row.measure) and (value[0].isdigit() or row.kind == "measure")
        name = row.measure if measured else row.question
        try:
            self.engine.diagnose({**self.answers, name: value})
        except InvalidCase as error:
            for fault in error.faults:
                # The question says how it is answered; the words of tables are a long list.
                expected = fault.expected.partition(" (present: ")[0]
                self._paragraph(str(replace(fault, expected=expected)), indent=2)
            return False
        self.steps.append(Asked(row.question, name, value, part))
        return True

    def _undo(self) -> bool:
        if not self.steps:
            self._say("  There is no answer to take back.")
            return False
        step = self.steps.pop()
        self._say(f"  Taken back: {step.name} {step.value or '(not known)'}.")
        return True

    def _possible(self, row: Any, found: NextQuestions) -> str:
        """Say how the question can be answered."""
        labels = list(found.answers.loc[row.question].index)
        words = [] if row.kind == "measure" else [possible_answers(labels)]
        measure = self.engine.knowledge.measures.get(row.measure)
        if measure is not None:
            # What most people have at hand comes first.
            words.insert(0, f"{measure.unit} as a number")
        return ", or ".join(words)

    def _describe(self, row: Any) -> None:
        knowledge = self.engine.knowledge
        entry = knowledge.findings.get(row.question) or knowledge.risks.get(row.question)
        text = meaning(entry or knowledge.measures[row.question])
        self._paragraph(f"{row.question}: {text}", indent=2)
        measure = knowledge.measures.get(row.measure)
        if measure is not None:
            self._paragraph(f"As a number: {range_of(measure)}.", indent=2)
        self._paragraph(HELP, indent=2)

    def _explain(self, row: Any, found: NextQuestions) -> None:
        """Say why this question comes now, and where each answer leads."""
        for line in _reasons(row, self.engine, self.plan.cause):
            self._paragraph(line, indent=2)
        posterior = "posterior" in found.answers
        for label, one in found.answers.loc[row.question].iterrows():
            share = one["probability"]
            parts = ["how often: not modelled" if pd.isna(share) else percent(float(share))]
            parts.append(f"urgency {one['urgency']}")
            if one["first"]:
                parts.append(f"first: {short(self.engine.causes['label'][one['first']])}")
            if posterior and not pd.isna(one["posterior"]):
                parts.append(f"{self.plan.cause} {percent(float(one['posterior']))}")
            self._paragraph(f"{label}: {', '.join(parts)}", mark="- ", indent=2)

    def _show_change(self, before: Diagnosis, after: Diagnosis) -> None:
        """Say what an answer changed: red flags at once, the urgency, the first causes."""
        self._show_flags(before, after)
        was = f" (was {before.urgency})" if after.urgency != before.urgency else ""
        level = Paragraph(
            f"{after.urgency}{was}", indent=2, lead="Urgency: ", emphasis=after.urgency
        )
        show([level], self.console)
        if after.status == "impossible":
            self._paragraph(clash_text(after.clashes), indent=2)
            return
        chosen = [self.plan.cause] if self.plan.cause else [*after.table.index[:CAUSES]]
        now, then = after.table["posterior"], before.table["posterior"]
        said = [(percent(float(now[name])), percent(float(then[name]))) for name in chosen]
        if all(one == other for one, other in said):
            return
        labels = (short(after.table["label"][name]) for name in chosen)
        parts = [
            f"{label} {one}" + (f" (was {other})" if one != other else "")
            for label, (one, other) in zip(labels, said, strict=True)
        ]
        self._paragraph("; ".join(parts), indent=2)

    def _show_flags(self, before: Diagnosis | None, after: Diagnosis) -> None:
        """Print rules that fire, and dangerous causes that call for action, as soon as they do."""
        told = set() if before is None else {(hit.id, hit.outcome) for hit in before.red_flags}
        for hit in after.red_flags:
            if hit.outcome == "fired" and (hit.id, hit.outcome) not in told:
                text = f"{hit.level}: {hit.title}"
                self._paragraph(text, mark="! ", indent=2, emphasis=hit.level)
                self._paragraph(hit.advice, indent=4)
        called = set() if before is None else {hit.cause for hit in before.triage}
        for one in after.triage:
            if one.cause not in called:
                text = (
                    f"{one.level}: {one.label} at {percent(one.posterior)}; a miss would weigh "
                    "more than a false alarm"
                )
                self._paragraph(text, mark="! ", indent=2, emphasis=one.level)

    def _say(self, text: str, end: str = "\n") -> None:
        self.console.print(text, end=end, soft_wrap=True)
        self.console.file.flush()

    def _paragraph(
        self, text: str, mark: str = "", indent: int = 0, emphasis: Emphasis = ""
    ) -> None:
        before = [BLANK] if text.startswith("\n") else []
        show([*before, Paragraph(text.strip(), mark, indent, emphasis)], self.console)


def _read_answer(line: str) -> str:
    """Return what an answer says; nothing where the question cannot be answered."""
    word = line.lower()
    return "" if word == SKIP or is_missing(word) else SHORT_ANSWERS.get(word, line)


def _reasons(row: Any, engine: Engine, cause: str | None) -> Iterator[str]:
    rules = {rule.id: rule for rule in engine.knowledge.red_flags}
    for name in filter(None, row.red_flags.split(";")):
        rule = rules[name]
        yield f"Red flag ({rule.level}): an answer makes a rule fire by itself: {rule.title}."
    if not pd.isna(row.information):
        about = cause or "the causes"
        told = f"{row.information:.3g}, where 1 settles an even chance (in bits)"
        yield f"Expected information about {about}: {told}; cost {row.cost:g}."
