/**
 * What to ask next: first what an answer by itself makes a rule above the present urgency fire, then
 * what tells most about the causes for its cost. How much is the mutual information of the answer and
 * each cause, added up over the causes, in bits.
 *
 * @typedef {import("./answering.mjs").Engine} Engine
 * @typedef {import("./answering.mjs").Answer} Answer
 * @typedef {import("./conditioning.mjs").Evidence} Evidence
 * @typedef {import("./reading.mjs").Given} Given
 * @typedef {{given: Given, facts: Map<string, number>}} Choice An answer, and what is known then.
 * @typedef {{id: string, kind: string, label: string, text: string, by: string,
 *   measure: string, cost: number, values: number[], choices: Choice[]}} Question
 *
 * @typedef {object} Ranked
 * @property {Question} question
 * @property {number} level Of the most pressing rule that an answer fires, Infinity for none.
 * @property {string[]} rules Titles of these.
 * @property {number} information In bits; 0 where it was not worked out.
 *
 * @typedef {{share: number, lane: number}} Term An answer is a sum of lanes, each with its share.
 */

import { condition } from "./conditioning.mjs";
import { truth } from "./conditions.mjs";
import { MOST_WORK, eliminate, makePlan } from "./elimination.mjs";
import { excluded, readCase } from "./reading.mjs";
import { MOST_ROOM } from "./tables.mjs";

/** Products that are computed before others get their turn. */
const PART = 1 << 20;
const PART_LANES = 64;
/** Work of a case from which questions are no longer ranked: it is done again for every answer. */
const MOST_RANKED = 1 << 19;

/**
 * Questions that leave two or more answers.
 *
 * @param {Engine} engine
 * @param {Given[]} given
 * @param {Set<string>} skipped Questions that were put and could not be answered.
 * @param {string[] | null} observers Who can answer; null for everybody.
 * @returns {Question[]}
 */
export function openQuestions({ network, judging }, given, skipped, observers) {
  const { facts } = readCase(network, judging, given);
  const soft = new Set(given.filter(({ kind }) => kind === "soft").map(({ id }) => id));
  // Given as a whole: the model has no probability of a part given what it is part of.
  const whole = judging.logic
    .filter(({ id, any_of: parts }) => parts.length && facts.has(id) && !parts.some((part) => facts.has(part)))
    .flatMap((one) => one.any_of);
  return judging.questions.filter((question) => {
    if (skipped.has(question.id) || soft.has(question.id) || whole.includes(question.id)) return false;
    if (observers && !observers.includes(question.by)) return false;
    return fitting(question, facts, judging.logic).length > 1;
  });
}

/**
 * @param {Question} question
 * @param {Map<string, number>} facts
 * @param {import("./reading.mjs").Logic[]} logic
 * @returns {Choice[]}
 */
export function fitting(question, facts, logic) {
  const before = excluded(facts, logic).length;
  return question.choices.filter(
    ({ facts: told }) =>
      [...told].every(([id, state]) => (facts.get(id) ?? state) === state) &&
      excluded(new Map([...facts, ...told]), logic).length === before,
  );
}

/**
 * @param {Engine} engine
 * @param {Given[]} given
 * @param {Question[]} open
 * @param {Answer} answer As things stand.
 * @returns {Ranked[]} In the order of their ids, without information.
 */
export function withFlags({ judging }, given, open, { facts, urgency }) {
  const above = judging.rules.filter((rule) => rule.level < urgency.level && truth(rule.when, facts) < 1);
  return open.map((question) => {
    const known = fitting(question, facts, judging.logic).map((one) => completed(judging.logic, facts, one.facts));
    const fires = above.filter((rule) => known.some((one) => truth(rule.when, one) === 1));
    const level = Math.min(Infinity, ...fires.map((rule) => rule.level));
    return { question, level, rules: fires.map(({ title }) => title), information: 0 };
  });
}

/**
 * @param {import("./reading.mjs").Logic[]} logic
 * @param {Map<string, number>} facts
 * @param {Map<string, number>} told
 */
function completed(logic, facts, told) {
  const after = new Map([...facts, ...told]);
  for (const { id, any_of: parts } of logic) {
    if (!parts.length || after.has(id)) continue;
    if (parts.some((part) => after.get(part) === 1)) after.set(id, 1);
    else if (parts.every((part) => after.get(part) === 0)) after.set(id, 0);
  }
  return after;
}

/**
 * The best question first.
 *
 * @param {Ranked[]} ranked
 * @returns {Ranked[]}
 */
export function inOrder(ranked) {
  return [...ranked].sort((a, b) => {
    if (a.level !== b.level) return a.level - b.level;
    const [one, other] = [a.question.cost, b.question.cost];
    if (a.level < Infinity && one !== other) return one - other;
    return b.information / other - a.information / one;
  });
}

/**
 * Work out the information of questions, a part at a time.
 *
 * @param {Engine} engine
 * @param {Given[]} given
 * @param {Ranked[]} ranked Their information is written.
 * @param {() => Promise<unknown>} pause Lets others have their turn.
 * @returns {Promise<void>}
 */
export async function addInformation(engine, given, ranked, pause) {
  const { network, judging } = engine;
  const { evidence, facts, contradicted } = readCase(network, judging, given);
  const problem = condition(network, evidence);
  const plan = makePlan(problem);
  if (contradicted.length || plan.work > MOST_RANKED) return;
  const base = eliminate(problem, plan, true);
  if (!(base.log[0] > -Infinity)) return;
  const lanes = new LaneSet(network.causes.length);
  const rows = ranked.map(({ question }) => termsOf(engine, question, facts, lanes));
  const modelled = network.shown.map(({ at }) => at).filter((at) => at >= 0);
  /** P(lane | evidence) and P(cause, lane | evidence). @type {Float64Array[]} */
  const joints = [];
  const most = Math.max(1, Math.min(PART_LANES, Math.floor(PART / plan.work), Math.floor(MOST_ROOM / plan.room)));
  for (let first = 0; first < lanes.count; first += most) {
    await pause();
    joints.push(...lanes.joints(engine, evidence, plan, base.log[0], first, most, modelled));
  }
  const prior = modelled.map((c) => base.posterior[c]);
  for (const [i, one] of ranked.entries()) {
    const answers = rows[i];
    if (answers) one.information = informationOf(answers, joints, prior);
    else if (one.question.kind === "measure") {
      await pause();
      one.information = directInformation(engine, given, one.question, facts, base.log[0], prior, modelled);
    }
  }
}

/** Lanes that answers are made of. */
class LaneSet {
  /** @param {number} causes */
  constructor(causes) {
    this.causes = causes;
    /** @type {{on: Float64Array | null, held: {risk: number, state: number} | null, scale: number}[]} */
    this.every = [];
  }

  get count() {
    return this.every.length;
  }

  /**
   * @param {Float64Array | null} on
   * @param {number} scale
   * @param {{risk: number, state: number} | null} held
   */
  add(on, scale, held = null) {
    return this.every.push({ on, held, scale }) - 1;
  }

  /**
   * @param {Engine} engine
   * @param {Evidence} evidence
   * @param {import("./elimination.mjs").Plan} plan
   * @param {number} log
   * @param {number} first
   * @param {number} most
   * @param {number[]} modelled
   * @returns {Float64Array[]} Of each lane P(lane | evidence), then P(cause, lane | evidence).
   */
  joints({ network }, evidence, plan, log, first, most, modelled) {
    const some = this.every.slice(first, first + most);
    const n = some.length;
    const on = new Float64Array(this.causes * n).fill(1);
    some.forEach((lane, l) => lane.on?.forEach((factor, c) => (on[c * n + l] = factor)));
    const held = some.map((lane) => lane.held);
    const found = eliminate(condition(network, evidence, { count: n, on, held }), plan, true);
    return some.map(({ scale }, l) => {
      const share = scale * Math.exp(found.log[l] - log);
      return Float64Array.from([1, ...modelled.map((c) => found.posterior[c * n + l])], (p) => p * share);
    });
  }
}

/**
 * The answers of a question as sums of lanes; null where they are no such sums.
 *
 * @param {Engine} engine
 * @param {Question} question
 * @param {Map<string, number>} facts
 * @param {LaneSet} lanes
 * @returns {Term[][] | null}
 */
function termsOf({ network, judging }, question, facts, lanes) {
  const whole = -1;
  const f = network.findings.findIndex(({ id }) => id === question.id);
  if (f >= 0) {
    const finding = network.findings[f];
    const absent = [{ share: 1, lane: lanes.add(finding.absent, finding.absentLeak) }];
    if (finding.coupled) {
      const on = finding.absent.slice();
      for (const { cause, factor } of finding.links) on[cause] *= factor;
      absent.push({ share: -finding.leak, lane: lanes.add(on, 1) });
    }
    return [absent, [{ share: 1, lane: whole }, ...absent.map((one) => ({ ...one, share: -one.share }))]];
  }
  const o = network.ordinals.findIndex(({ id }) => id === question.id);
  if (o >= 0) {
    const ordinal = network.ordinals[o];
    if (fitting(question, facts, judging.logic).length < ordinal.size) return null;
    const upTo = ordinal.leak.map((leak, level) => {
      const on = new Float64Array(network.causes.length).fill(1);
      ordinal.causes.forEach((cause, i) => (on[cause] = 1 - ordinal.exceed[i][level]));
      return lanes.add(on, 1 - leak);
    });
    return [...upTo, whole].map((lane, level) => {
      const below = level ? [{ share: -1, lane: upTo[level - 1] }] : [];
      return [{ share: 1, lane }, ...below];
    });
  }
  const risk = network.risks.findIndex(({ id }) => id === question.id);
  if (risk < 0 || !network.causes.some(({ risks }) => risks.includes(risk))) return null;
  return fitting(question, facts, judging.logic).map(({ given }) => {
    return [{ share: 1, lane: lanes.add(null, 1, { risk, state: given.value }) }];
  });
}

/**
 * @param {Term[][]} answers
 * @param {Float64Array[]} joints
 * @param {number[]} prior
 */
function informationOf(answers, joints, prior) {
  let bits = 0;
  for (const terms of answers) {
    const joint = new Float64Array(prior.length + 1);
    for (const { share, lane } of terms) {
      if (lane < 0) [1, ...prior].forEach((p, i) => (joint[i] += share * p));
      else joints[lane].forEach((p, i) => (joint[i] += share * p));
    }
    bits += divergence(joint, prior);
  }
  return Math.max(bits, 0);
}

/**
 * Of a question whose answers tell of several findings: each answer is a case of its own.
 *
 * @param {Engine} engine
 * @param {Given[]} given
 * @param {Question} question
 * @param {Map<string, number>} facts
 * @param {number} log
 * @param {number[]} prior
 * @param {number[]} modelled
 */
function directInformation({ network, judging }, given, question, facts, log, prior, modelled) {
  const joints = fitting(question, facts, judging.logic).map((choice) => {
    const problem = condition(network, readCase(network, judging, [...given, choice.given]).evidence);
    const plan = makePlan(problem);
    if (plan.work > MOST_WORK) return new Float64Array(prior.length + 1);
    const found = eliminate(problem, plan, true);
    const share = Math.exp(found.log[0] - log);
    return Float64Array.from([1, ...modelled.map((c) => found.posterior[c])], (p) => p * share);
  });
  const total = joints.reduce((sum, joint) => sum + joint[0], 0);
  if (!(total > 0)) return 0;
  return joints.reduce((bits, joint) => bits + divergence(joint.map((p) => p / total), prior), 0);
}

/**
 * P(answer) times how far it moves the causes, in bits.
 *
 * @param {Float64Array} joint P(answer), then P(cause, answer).
 * @param {number[]} prior
 */
function divergence(joint, prior) {
  const [p] = joint;
  if (!(p > 1e-12)) return 0;
  let nats = 0;
  prior.forEach((before, i) => {
    const after = Math.min(Math.max(joint[i + 1] / p, 0), 1);
    if (before <= 0 || before >= 1) return;
    if (after > 0) nats += after * Math.log(after / before);
    if (after < 1) nats += (1 - after) * Math.log((1 - after) / (1 - before));
  });
  return (p * nats) / Math.LN2;
}
