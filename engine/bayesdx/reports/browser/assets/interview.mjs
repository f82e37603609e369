/**
 * The interview: one question after the other, what was answered, and a way to any other question.
 *
 * @typedef {import("./knowledge.mjs").Knowledge} Knowledge
 * @typedef {import("./reading.mjs").Given} Given
 * @typedef {import("./asking.mjs").Question} Question
 * @typedef {import("./asking.mjs").Ranked} Ranked
 * @typedef {{given: Given[], skipped: string[], question: string, part: string}} Moment
 */

import { diagnose } from "./answering.mjs";
import { FIRST, MAIN, PARTS, isFirst, mainComplaint, partOf } from "./course.mjs";
import { addInformation, fitting, inOrder, openQuestions, withFlags } from "./asking.mjs";
import { button, counted, details, element, form, inWords, percent, spaced } from "./elements.mjs";
import { readCase } from "./reading.mjs";

/** Below so many bits in all a question tells next to nothing. */
const LITTLE = 0.01;
const MOST_FOUND = 12;

export class Interview {
  /**
   * @param {Knowledge} knowledge
   * @param {(answer: import("./answering.mjs").Answer, said: string) => void} onChange
   */
  constructor(knowledge, onChange) {
    this.knowledge = knowledge;
    this.onChange = onChange;
    /** @type {Given[]} */
    this.given = [];
    /** @type {Set<string>} */
    this.skipped = new Set();
    /** Whether it keeps to `PARTS`; whether the question was looked for, and does not count. */
    [this.limited, this.sought] = [true, false];
    /** What was before each question. @type {Moment[]} */
    this.past = [];
    const { askers } = knowledge.engine.judging;
    this.observers = /** @type {string[] | null} */ (["patient"]);
    /** @type {Ranked | null} */
    this.current = null;
    this.turn = 0;
    this.card = element("div", { class: "card" });
    /** What is urgent, in sight of who answers on a narrow screen. */
    this.notice = element("div", { role: "alert" });
    this.answers = element("div", {});
    this.main = element(
      "section",
      { "aria-labelledby": "interview" },
      element("h2", { id: "interview" }, "Questions"),
      this.observerChoice(askers),
      this.notice,
      this.card,
      this.answers,
      this.finder(),
    );
    this.answer = diagnose(knowledge.engine, this.given);
  }

  /** Begin. */
  start() {
    this.changed("", false);
  }

  /** @param {{id: string, label: string, asks: string[]}[]} askers */
  observerChoice(askers) {
    const select = /** @type {HTMLSelectElement} */ (
      element(
        "select",
        { id: "observers" },
        element("option", { value: "patient" }, "The person concerned"),
        ...askers.map(({ label, asks }) => element("option", { value: asks.join(" ") }, label)),
      )
    );
    select.addEventListener("change", () => {
      this.observers = select.value.split(" ");
      this.changed("", false);
    });
    return element("p", {}, element("label", { for: "observers" }, "Who can answer: "), select);
  }

  /** A way to every question. */
  finder() {
    const input = /** @type {HTMLInputElement} */ (element("input", { id: "find", type: "search", autocomplete: "off" }));
    const found = element("ul", { class: "plain" });
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = this.knowledge.engine.judging.questions.filter(({ label, text }) =>
        words.every((word) => `${label} ${text}`.toLowerCase().includes(word)),
      );
      const shown = words.length ? hits.slice(0, MOST_FOUND) : [];
      found.replaceChildren(
        ...shown.map((question) => element("li", {}, button(question.label, () => {
          input.value = "";
          found.replaceChildren();
          this.askAbout(question.id);
        }))),
        ...(words.length ? [element("li", { class: "quiet" }, counted(hits.length, "question"))] : []),
      );
    });
    return element(
      "div",
      {},
      element("h3", {}, "Answer something else"),
      element("p", {}, element("label", { for: "find" }, "Search all questions: "), input),
      found,
    );
  }

  /**
   * Put the question that tells of a finding or risk.
   *
   * @param {string} id
   */
  askAbout(id) {
    const { questions } = this.knowledge.engine.judging;
    const question = questions.find((one) => one.id === id) ?? questions.find((one) => one.choices.some(({ facts }) => facts.has(id)));
    if (!question) return;
    this.turn += 1;
    this.current = { question, level: Infinity, rules: [], information: 0 };
    this.sought = true;
    this.show(true);
  }

  /**
   * Whether there is a question that tells of a finding or risk.
   *
   * @param {string} id
   */
  canAsk(id) {
    return this.knowledge.engine.judging.questions.some((one) => one.id === id || one.choices.some(({ facts }) => facts.has(id)));
  }

  /**
   * Note an answer, or that there is none, and go on.
   *
   * @param {Given[]} given
   */
  take(given) {
    const question = this.current?.question.id ?? "";
    const part = this.current && !this.sought ? partOf(this.current) : "";
    this.past.push({ given: this.given, skipped: [...this.skipped], question, part });
    this.given = [...this.others(), ...given];
    if (!given.length || question === MAIN) this.skipped.add(question);
    const label = this.current?.question.label ?? "";
    this.changed(given.length ? `Noted: ${given.map((one) => this.said(one)).join(", ")}.` : `Not known: ${label}.`, true);
  }

  /** What was answered but for the question that is put. */
  others() {
    const { id = "", measure = "" } = this.current?.question ?? {};
    return this.given.filter((one) => one.id !== id && one.id !== measure);
  }

  /** Leave a question that was looked for, or take the last answer back and put its question again. */
  back() {
    const before = this.sought ? null : this.past.pop();
    if (!before) return this.changed("", true);
    this.given = before.given;
    this.skipped = new Set(before.skipped);
    this.changed("The last answer was taken back.", true, before.question);
  }

  /** @param {Given} one */
  forget(one) {
    for (const moment of [this, ...this.past]) moment.given = moment.given.filter((other) => other !== one);
    this.changed(`Taken back: ${this.said(one)}.`, true);
  }

  /**
   * What an answer says, in words.
   *
   * @param {Given} one
   */
  said({ kind, id, value }) {
    const { engine, labels } = this.knowledge;
    const measure = kind === "number" ? engine.judging.measures.find((one) => one.id === id) : null;
    const label = measure?.label ?? inWords(id, labels);
    if (kind === "soft") return `${label}: speaks for it to ${percent(value)}`;
    if (kind === "number") return `${label}: ${Number(value.toPrecision(6))} ${measure?.unit ?? ""}`;
    const state = engine.judging.states[id][value];
    return state === "present" ? `${label}: yes` : state === "absent" ? `${label}: no` : `${label}: ${spaced(state)}`;
  }

  /**
   * @param {string} said For who does not see what changed.
   * @param {boolean} focus Whether the next question gets the focus.
   * @param {string} wanted The question to put.
   */
  async changed(said, focus, wanted = "") {
    this.turn += 1;
    const turn = this.turn;
    this.answer = diagnose(this.knowledge.engine, this.given);
    this.onChange(this.answer, said);
    this.showNotice();
    this.showAnswers();
    const next = await this.next(turn, wanted);
    if (turn !== this.turn) return;
    this.current = next;
    this.sought = false;
    this.show(focus);
  }

  /**
   * The next question: age and sex, the complaint, red flags, then what tells most.
   *
   * @param {number} turn
   * @param {string} wanted
   * @returns {Promise<Ranked | null>}
   */
  async next(turn, wanted) {
    const { engine } = this.knowledge;
    const open = openQuestions(engine, this.given, this.skipped, this.observers);
    const ranked = withFlags(engine, this.given, open, this.answer);
    const named = ranked.find(({ question }) => question.id === (wanted || FIRST.find((id) => open.some((one) => one.id === id))));
    if (named && wanted !== MAIN) return named;
    const complaints = engine.judging.complaints.flatMap((id) => open.filter((one) => one.id === id));
    if (complaints.length > 1 && !this.skipped.has(MAIN)) return mainComplaint(complaints);
    const flags = ranked.filter(({ level }) => level < Infinity);
    if (flags.length && this.room("red flag")) return inOrder(flags)[0];
    const rest = this.limited ? ranked.filter(({ level }) => level === Infinity) : ranked;
    if (!this.room("telling")) return null;
    this.card.replaceChildren(element("p", { class: "quiet" }, "Looking for the question that tells most …"));
    // Others get their turn meanwhile: whoever answers something else starts this anew.
    const pause = () => new Promise((go, stop) => setTimeout(turn === this.turn ? go : stop, 0));
    try {
      await addInformation(engine, this.given, rest, pause);
    } catch (stopped) {
      if (stopped !== undefined) throw stopped;
      return null;
    }
    const ranks = this.limited && rest.some(({ information }) => information > 0);
    return inOrder(ranks ? rest.filter(({ information }) => information > LITTLE) : rest)[0] ?? null;
  }

  /**
   * How many questions of a part may still be put.
   *
   * @param {string} part
   */
  room(part) {
    return this.limited ? PARTS[part] - this.past.filter((one) => one.part === part).length : Infinity;
  }

  /** @param {boolean} focus */
  show(focus) {
    const { current } = this;
    const back = this.past.length || this.sought ? button("Back", () => this.back(), { class: "side" }) : null;
    const more = !current && this.limited;
    const heading = element("h3", { tabindex: "-1" }, current?.question.text ?? (more ? "The interview is over" : "Nothing is left to ask"));
    const number = this.past.length + 1;
    const little = current && current.level === Infinity && current.information > 0 && current.information < LITTLE;
    this.card.replaceChildren(
      ...(more ? [] : [element("p", { class: "quiet" }, `Question ${number}${this.about(number)}`)]),
      heading,
      ...(little ? [element("p", { class: "use" }, `The answers that are left tell next to nothing about the causes. ${this.knowledge.support.words.nothing_ruled_out}`)] : []),
      ...(current ? this.controls(current) : []),
      ...(more ? [element("p", {}, this.knowledge.support.words.nothing_ruled_out, " ", button("Keep asking", () => this.keepAsking()))] : []),
      element("p", {}, current ? button("Not known, go on", () => this.take([])) : null, " ", back),
      ...(current ? [this.why(current)] : []),
    );
    if (focus) heading.focus();
  }

  /** Put what the limits left out. */
  keepAsking() {
    this.limited = false;
    this.changed("", true);
  }

  /**
   * How many questions there are about.
   *
   * @param {number} number
   */
  about(number) {
    const { engine } = this.knowledge;
    const open = openQuestions(engine, this.given, this.skipped, this.observers);
    const flags = withFlags(engine, this.given, open, this.answer).filter(({ level }) => level < Infinity).length;
    const first = Math.min(open.filter(isFirst).length + (this.skipped.has(MAIN) ? 0 : 1), this.room("opening"));
    const left = Math.min(first + Math.min(flags, this.room("red flag")) + Math.min(PARTS.telling, this.room("telling")), open.length);
    return left ? ` of about ${number - 1 + left}` : "";
  }

  /**
   * How a question can be answered.
   *
   * @param {Ranked} ranked
   * @returns {HTMLElement[]}
   */
  controls({ question }) {
    if (question.id === MAIN) {
      const complaints = question.choices.map(({ given }) => button(inWords(given.id, this.knowledge.labels), () => this.take([given])));
      return [element("div", { class: "choices column" }, ...complaints)];
    }
    const { network, judging } = this.knowledge.engine;
    const { states, measures } = judging;
    const measure = measures.find(({ id }) => id === question.measure);
    const parts = [];
    if (question.kind !== "measure") {
      const names = states[question.id];
      const choices = fitting(question, readCase(network, judging, this.others()).facts, judging.logic).map(({ given }) => {
        const name = names[given.value];
        const word = name === "present" ? "Yes" : name === "absent" ? "No" : spaced(name);
        return button(word, () => this.take([given]));
      });
      // Yes comes first, as it is said.
      if (names[0] === "absent" && names.length === 2) choices.reverse();
      if (!measure) parts.push(element("div", { class: "choices" }, ...choices));
      else parts.push(this.numberForm(measure), details("Or by a range", () => element("div", { class: "choices" }, ...choices)));
    } else if (measure) parts.push(this.numberForm(measure));
    if (question.kind === "finding") parts.push(this.softForm(question));
    return parts;
  }

  /** @param {import("./reading.mjs").Measure} measure */
  numberForm(measure) {
    const [low, high] = measure.range;
    const input = /** @type {HTMLInputElement} */ (
      element("input", { id: "number", inputmode: "decimal", autocomplete: "off", size: "8", "aria-describedby": "range" })
    );
    const names = [measure.unit, ...Object.keys(measure.units)];
    const units = /** @type {HTMLSelectElement} */ (
      element("select", { "aria-label": "Unit" }, ...names.map((unit) => element("option", {}, unit)))
    );
    const range = element("p", { class: "quiet", id: "range" }, `From ${low} to ${high} ${measure.unit}.`);
    const read = () => {
      const text = input.value.trim();
      const value = Number(text) * (measure.units[units.value] ?? 1);
      const wrong = !/^[+]?(\d+\.?\d*|\.\d+)$/.test(text) || value < low || value > high || (measure.integer && !Number.isInteger(value));
      if (!wrong) return this.take([{ kind: "number", id: measure.id, value }]);
      range.setAttribute("role", "alert");
      range.textContent = `Expected a ${measure.integer ? "whole " : ""}number from ${low} to ${high} ${measure.unit}, got "${text} ${units.value}".`;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    };
    return form([element("label", { for: "number" }, `${measure.label}: `), input, " ", names.length > 1 ? units : null, " ", element("button", { type: "submit" }, "Take this"), range], read);
  }

  /** @param {Question} question */
  softForm(question) {
    return details("Not quite sure?", () => {
      const input = /** @type {HTMLInputElement} */ (element("input", { id: "soft", type: "number", min: "1", max: "99", step: "1", value: "75" }));
      const hint = element("p", { class: "quiet" });
      const read = () => {
        const value = Number(input.value) / 100;
        if (value > 0 && value < 1) this.take([{ kind: "soft", id: question.id, value }]);
        else {
          hint.setAttribute("role", "alert");
          hint.textContent = "Expected a number from 1 to 99.";
          input.focus();
        }
      };
      return form(
        [element("label", { for: "soft" }, "How far what was seen speaks for yes, in % (50 says nothing): "), input, " ", element("button", { type: "submit" }, "Take this"), hint],
        read,
      );
    });
  }

  /**
   * Why a question comes now.
   *
   * @param {Ranked} ranked
   */
  why({ question, rules, information }) {
    return details("Why this question?", () => {
      const { levels } = this.knowledge.engine.judging;
      const reasons = rules.map((title) => `An answer would make a rule apply by itself: ${title}.`);
      if (information > 0) reasons.push(`It is expected to tell ${information.toPrecision(2)} bits about the causes, at a cost of ${question.cost} (a question to the patient costs 1).`);
      if (!reasons.length) reasons.push(isFirst(question) ? "Many causes depend on it." : `It was chosen from all questions; urgency goes from ${levels.map(spaced).join(", ")}.`);
      return reasons.map((reason) => element("p", {}, reason));
    });
  }

  /** What the most pressing rules say, once one applies. */
  showNotice() {
    const { engine, support } = this.knowledge;
    const { level, flags } = this.answer.urgency;
    const name = engine.judging.levels[level];
    const rules = flags.filter(({ fired, rule }) => fired && rule.level === level);
    const text = rules.map(({ rule }) => `${rule.title}. ${rule.advice}`).join(" ") || support.words.where[name];
    const pressing = support.words.pressing.includes(name);
    this.notice.replaceChildren(
      ...(pressing ? [element("p", { class: "notice" }, element("strong", {}, `${spaced(name)}: `), text)] : []),
    );
  }

  /** What was answered, each with a way to take it back. */
  showAnswers() {
    const rows = this.given.map((one) =>
      element("li", {}, `${this.said(one)} `, button("Take back", () => this.forget(one), { "aria-label": `Take back: ${this.said(one)}` })),
    );
    this.answers.replaceChildren(
      ...(rows.length ? [element("h3", {}, counted(rows.length, "answer")), element("ul", { class: "plain" }, ...rows)] : []),
    );
  }
}
