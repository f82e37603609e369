/**
 * The answer as it is read: how soon to act, what explains the findings, how probable each cause is,
 * what was not asked, what to read.
 *
 * @typedef {import("./knowledge.mjs").Knowledge} Knowledge
 * @typedef {import("./answering.mjs").Answer} Answer
 * @typedef {(id: string) => Node} Asker What asks about a finding.
 */

import { bar, counted, details, element, inWords, percent, spaced, table } from "./elements.mjs";

const CAUSES = 10;
const WITHOUT_NUMBERS = ["impossible", "too_complex", "contradiction"];

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 * @param {Asker} ask
 * @returns {HTMLElement[]}
 */
export function answerView(knowledge, answer, ask) {
  const numbers = !WITHOUT_NUMBERS.includes(answer.status);
  const parts = [urgencySection(knowledge, answer), statusNote(knowledge, answer)];
  if (numbers) parts.push(shortlistSection(answer), causesSection(knowledge, answer), groupsSection(answer));
  parts.push(notAskedSection(knowledge, answer, ask), textsSection(knowledge, answer));
  return parts.filter((part) => part !== null);
}

/**
 * One sentence for who does not see what changed.
 *
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 */
export function spokenSummary({ engine }, answer) {
  const level = spaced(engine.judging.levels[answer.urgency.level]);
  const first = answer.shortlist[0]?.row;
  return `Urgency: ${level}.${first ? ` First: ${first.label}, ${percent(first.posterior)}.` : ""}`;
}

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 */
function urgencySection({ engine, labels, support }, answer) {
  const { levels } = engine.judging;
  const { level, flags, calls } = answer.urgency;
  const own = levels[level];
  const fired = flags.filter((flag) => flag.fired);
  const told = fired.map(({ rule, because }) =>
    element(
      "li",
      {},
      element("strong", {}, `${spaced(levels[rule.level])}: ${rule.title}`),
      element("p", {}, rule.advice),
      element("p", { class: "quiet" }, `Because of: ${because.map((leaf) => inWords(leaf, labels)).join("; ")}.`),
      details("What this rule rests on", () => element("p", {}, rests(support, rule.sources))),
    ),
  );
  const called = calls.map(({ cause, because }) => {
    const row = answer.rows.find(({ id }) => id === cause.id);
    const when = support.words.when[levels[cause.level]] ?? spaced(levels[cause.level]);
    const reasons = because.map((finding) => inWords(finding, labels)).join("; ");
    const chance = WITHOUT_NUMBERS.includes(answer.status) ? "" : `, ${percent(row?.posterior ?? 0)}`;
    return element(
      "li",
      {},
      element("strong", {}, `To be looked for ${when}: ${row?.label ?? cause.id}${chance}`),
      element("p", {}, `A miss is held ${cause.ratio} times as bad as a false alarm.`),
      reasons ? element("p", { class: "quiet" }, `Ordinary causes hardly give this: ${reasons}.`) : null,
    );
  });
  const byRule = fired.some(({ rule }) => rule.level === level);
  const where = calls.some(({ cause }) => cause.level === level) && !byRule ? support.words.where[own] : null;
  const told_ = [...told, ...called];
  return element(
    "section",
    { class: `urgency ${own}`, "aria-labelledby": "urgency" },
    element("h2", { id: "urgency" }, "How soon somebody should look: ", element("span", { class: "level" }, spaced(own))),
    where ? element("p", {}, where) : null,
    told_.length ? element("ul", {}, ...told_) : null,
    element("p", {}, waitingText(engine.judging.levels, answer) ?? support.words.nothing_ruled_out),
  );
}

/**
 * Rules above the urgency that was reached, or its equals in an emergency, which wait for answers.
 *
 * @param {Answer} answer
 */
function openRules({ urgency }) {
  return urgency.flags.filter(({ fired, rule }) => !fired && rule.level < Math.max(urgency.level, 1));
}

/**
 * @param {string[]} levels
 * @param {Answer} answer
 */
function waitingText(levels, answer) {
  const waiting = openRules(answer).length;
  if (!waiting) return null;
  const kind = answer.urgency.level === 0 ? `other ${levels[0]}` : "more urgent";
  const wait = waiting === 1 ? "rule waits" : "rules wait";
  return `Nothing is ruled out: ${waiting} ${kind} ${wait} for what was not asked.`;
}

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 */
function statusNote({ labels, support }, { status, named }) {
  const names = named.map((name) => inWords(name, labels)).join(", ");
  const counts = "What is said about urgency rests on the answers alone, and still counts.";
  /** @type {Record<string, string>} */
  const texts = {
    no_findings: support.words.no_findings,
    impossible: `${support.words.clash.replace("{}", names)} So there are no probabilities: check these answers. ${counts}`,
    too_complex: `${support.words.coupled.replace("{}", names)} So this page has no probabilities; an answer more about one of the risks helps, or the program that wrote the page. ${counts}`,
    contradiction: `The answers contradict each other about: ${names}. Take one of them back. ${counts}`,
  };
  return status in texts ? element("p", { class: "use" }, texts[status]) : null;
}

/** @param {Answer} answer */
function shortlistSection({ shortlist, rows }) {
  if (!shortlist.length) return null;
  const background = rows[rows.length - 1].explains;
  return element(
    "section",
    {},
    element("h2", {}, "Look at first"),
    table(
      ["cause", "why", "now"],
      shortlist.map(({ row, why }) => [row.label, why, percent(row.posterior)]),
      "Chosen by what they do for the findings that are present",
    ),
    // Where nothing is present there is no picture to divide.
    background === 1 ? null : element(
      "p",
      { class: "quiet" },
      `${percent(background)} of the picture is left to the background: to what is common anyway, or to a cause that is not modelled.`,
    ),
  );
}

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 */
function causesSection({ support }, { rows }) {
  const said = (/** @type {number} */ p) => percent(p, support.words.by_definition);
  const cells = (/** @type {import("./answering.mjs").Row} */ { label, prior, posterior }) => [
    [label, bar(posterior)],
    said(prior),
    said(posterior),
  ];
  const sorted = rows.slice(0, -1).sort((a, b) => b.posterior - a.posterior);
  const heads = ["cause", "before", "now"];
  return element(
    "section",
    {},
    element("h2", {}, "How probable each cause is"),
    element("p", {}, support.words.several),
    table(heads, [...sorted.slice(0, CAUSES), rows[rows.length - 1]].map(cells), "Probability that it is present and contributes"),
    sorted.length <= CAUSES ? null : details(`The other ${sorted.length - CAUSES} causes`, () => [
      table(heads, sorted.slice(CAUSES).map(cells), "Probability that it is present and contributes"),
      element("p", { class: "quiet" }, `${support.words.by_definition}: ${support.words.why_nothing}.`),
    ]),
  );
}

/** @param {Answer} answer */
function groupsSection({ groups }) {
  if (!groups.length) return null;
  const sorted = [...groups].sort((a, b) => b.posterior - a.posterior);
  return element(
    "section",
    {},
    element("h2", {}, "Groups of causes"),
    table(
      ["at least one of", "before", "now"],
      sorted.map(({ label, prior, posterior }) => [[label, bar(posterior)], percent(prior), percent(posterior)]),
      "Probability that at least one member is present",
    ),
  );
}

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 * @param {Asker} ask
 */
function notAskedSection({ engine, labels }, answer, ask) {
  const { levels } = engine.judging;
  const rules = openRules(answer).sort((a, b) => a.rule.level - b.rule.level || a.notAsked.length - b.notAsked.length);
  const first = answer.askFirst.map(({ cause, findings }) => {
    const label = answer.rows.find(({ id }) => id === cause.id)?.label ?? cause.id;
    return element("li", {}, `These tell ${label} from what is common: `, findings.map(ask));
  });
  const waiting = rules.map(({ rule, notAsked }) =>
    element("li", {}, element("strong", {}, `${spaced(levels[rule.level])}: `), `${rule.title}. `, notAsked.map(ask)),
  );
  if (!first.length && !waiting.length) return null;
  const shown = waiting.filter((_, i) => rules[i].rule.level === rules[0].rule.level);
  const rest = waiting.slice(shown.length);
  return element(
    "section",
    {},
    element("h2", {}, "What was not asked"),
    first.length ? element("ul", {}, ...first) : null,
    waiting.length ? element("p", {}, "Each of these rules could raise the urgency:") : null,
    shown.length ? element("ul", {}, ...shown) : null,
    rest.length ? details(`${counted(rest.length, "rule")} more`, () => element("ul", {}, ...rest)) : null,
  );
}

/**
 * @param {Knowledge} knowledge
 * @param {Answer} answer
 */
function textsSection({ engine, support }, answer) {
  const { headings, waiting, pressing, help_later: later } = support.words;
  const level = engine.judging.levels[answer.urgency.level];
  // Where somebody has to look first, how to help oneself comes last and under another heading.
  const waits = pressing.includes(level) || answer.urgency.calls.length > 0 || answer.askFirst.length > 0;
  const list = (/** @type {import("./texts.mjs").TextData[]} */ texts) =>
    element(
      "dl",
      {},
      ...texts.flatMap(({ title, text, sources }) => [
        element("dt", {}, title),
        element("dd", {}, text, rests(support, sources)),
      ]),
    );
  const kinds = Object.keys(headings).filter((kind) => answer.management.some((text) => text.kind === kind));
  const heading = (/** @type {string} */ kind) => (waits && kind === "advice" ? later : headings[kind]);
  if (!kinds.length && !answer.pitfalls.length) return null;
  kinds.sort((a, b) => Number(waits && waiting.includes(a)) - Number(waits && waiting.includes(b)));
  return element(
    "section",
    {},
    element("h2", {}, "To read"),
    answer.pitfalls.length
      ? details(`Easily missed in such a case (${answer.pitfalls.length})`, () => list(answer.pitfalls))
      : null,
    ...kinds.map((kind) => {
      const texts = answer.management.filter((text) => text.kind === kind);
      return details(`${heading(kind)} (${texts.length})`, () => list(texts));
    }),
  );
}

/**
 * @param {import("./knowledge.mjs").Support} support
 * @param {number[]} places
 */
function rests(support, places) {
  return element("span", { class: "quiet" }, ` Rests on: ${places.map((at) => support.sources[at]).join("; ")}.`);
}
