/**
 * The data of the page made what the other modules take: positions become ids again.
 *
 * @typedef {import("./answering.mjs").Engine} Engine
 * @typedef {import("./asking.mjs").Choice} Choice
 *
 * @typedef {object} Support Where the numbers come from, and sentences; see support_data.py.
 * @property {string[]} kinds
 * @property {string[]} bases
 * @property {string[]} sources
 * @property {string[]} notes
 * @property {string[]} keys
 * @property {number[]} kind
 * @property {number[]} owner
 * @property {number[]} key
 * @property {(number | number[])[]} value
 * @property {(number | null)[]} low
 * @property {(number | null)[]} high
 * @property {number[]} basis
 * @property {number[]} source
 * @property {number[]} note
 * @property {Record<string, string>} labels
 * @property {string} population
 * @property {string} intended_use
 * @property {any} words
 *
 * @typedef {object} Knowledge
 * @property {Engine} engine
 * @property {Support} support
 * @property {string[]} names
 * @property {Map<string, string>} labels Of findings, risks, measures and causes.
 * @property {{name: string, knowledge: string, digest: string, program: string, format: string,
 *   version: number}} about
 */

import { makeNetwork } from "./model.mjs";
import { readCase } from "./reading.mjs";

/** The format that this page reads. */
export const FORMAT = "bayesdx page";
export const VERSION = 3;

/**
 * Make records again of what travels as {columns: {key: [...]}}.
 *
 * @param {any} part
 * @returns {any}
 */
function recordsOf(part) {
  if (Array.isArray(part)) return part.map(recordsOf);
  if (part === null || typeof part !== "object") return part;
  const whole = Object.fromEntries(Object.entries(part).map(([key, one]) => [key, recordsOf(one)]));
  if (!whole.columns) return whole;
  const columns = Object.entries(whole.columns);
  return columns[0][1].map((/** @type {any} */ _, /** @type {number} */ row) =>
    Object.fromEntries(columns.map(([key, cells]) => [key, cells[row]])),
  );
}

/**
 * @param {any} laid As page_data of writing.py returns it, in columns.
 * @returns {Knowledge}
 */
export function makeKnowledge(laid) {
  const data = recordsOf(laid);
  if (data.format !== FORMAT || data.version !== VERSION) {
    throw new Error(`expected ${FORMAT} ${VERSION}, got ${data.format} ${data.version}`);
  }
  const { names, network: raw, judging, support } = data;
  const named = (/** @type {any} */ one) => ({ ...one, id: names[one.id] });
  const network = makeNetwork({
    ...raw,
    risks: raw.risks.map(named),
    findings: raw.findings.map(named),
    ordinals: raw.ordinals.map((/** @type {any} */ one) => ({
      ...named(one),
      thresholds: one.thresholds.map((/** @type {number[]} */ [id, level]) => [names[id], level]),
    })),
    shown: raw.shown.map(named),
  });
  const conditional = (/** @type {any} */ one) => ({ ...one, when: one.when && gateOf(one.when) });
  const textsOf = (/** @type {any} */ data_) => ({ ...data_, texts: data_.texts.map(conditional) });
  const engine = {
    network,
    judging: {
      ...judging,
      states: Object.fromEntries(
        judging.subjects.map((/** @type {any} */ [id, states]) => [names[id], states ?? ["absent", "present"]]),
      ),
      rules: judging.rules.map(conditional),
      pitfalls: textsOf(judging.pitfalls),
      management: textsOf(judging.management),
      triage: {
        ...judging.triage,
        scales: scalesOf(judging.triage, names),
      },
      questions: judging.questions.map(named),
      complaints: judging.complaints.map((/** @type {number} */ id) => names[id]),
    },
  };
  for (const question of engine.judging.questions) question.choices = choicesOf(engine, question);
  const labels = new Map([
    ...network.shown.map(({ id, label }) => /** @type {[string, string]} */ ([id, label])),
    ...engine.judging.measures.map((/** @type {any} */ { id, label }) => [id, label]),
    ...engine.judging.questions.map((/** @type {any} */ { id, label }) => [id, label]),
    .../** @type {[string, string][]} */ (Object.entries(support.labels)),
  ]);
  return { engine, support, names, labels, about: data };
}

/**
 * Findings with what they tell of dangerous causes, the levels of a scale together.
 *
 * @param {{findings: number[], scales: number[], terms: (import("./urgency.mjs").Term & {finding: number})[]}} triage
 * @param {string[]} names
 * @returns {import("./urgency.mjs").Level[][]}
 */
function scalesOf({ findings, scales, terms }, names) {
  let next = 0;
  return scales.map((count) =>
    findings.slice(next, (next += count)).map((id, i) => ({
      finding: names[id],
      terms: terms.filter(({ finding }) => finding === next - count + i),
    })),
  );
}

/**
 * A condition whose leaves are written out: "fever" is present, "!fever" absent.
 *
 * @param {any} gate
 * @returns {import("./conditions.mjs").Gate}
 */
function gateOf([least, parts, negated]) {
  const part = (/** @type {any} */ one) => {
    if (typeof one === "string") {
      const absent = one.startsWith("!");
      return [one, absent ? one.slice(1) : one, [absent ? 0 : 1]];
    }
    return typeof one[0] === "string" ? one : gateOf(one);
  };
  return [least, parts.map(part), negated.map(part)];
}

/**
 * How a question can be answered, and what is known then.
 *
 * @param {Engine} engine
 * @param {import("./asking.mjs").Question} question
 * @returns {Choice[]}
 */
function choicesOf({ network, judging }, { id, kind, values }) {
  /** @type {import("./reading.mjs").Given[]} */
  const answers =
    kind === "measure"
      ? values.map((value) => ({ kind: "number", id, value }))
      : judging.states[id].map((_, value) => ({ kind: "state", id, value }));
  /** @type {Map<string, Choice>} */
  const different = new Map();
  for (const given of answers) {
    const { facts } = readCase(network, judging, [given]);
    const key = JSON.stringify([...facts]);
    if (!different.has(key)) different.set(key, { given, facts });
  }
  return [...different.values()];
}
