/**
 * Answers as they were given, made evidence and facts; what follows from them, what contradicts.
 *
 * @typedef {import("./model.mjs").Network} Network
 * @typedef {import("./conditioning.mjs").Evidence} Evidence
 *
 * @typedef {{target: string, compare?: [string, number], cuts?: number[], closed?: string,
 *   falling?: boolean}} Setting
 * @typedef {{id: string, label: string, unit: string, units: Record<string, number>,
 *   range: [number, number], integer: boolean, sets: Setting[]}} Measure
 * @typedef {{id: string, implies: string[], any_of: string[], excludes: [string, number[]][]}} Logic
 * @typedef {{states: Record<string, string[]>, logic: Logic[], measures: Measure[]}} ReadingData
 *
 * @typedef {object} Given One answer: the state of a finding or risk, how far something speaks for a
 *   finding (between 0 and 1), or a number in the unit of a measure.
 * @property {"state" | "soft" | "number"} kind
 * @property {string} id
 * @property {number} value
 *
 * @typedef {object} Case
 * @property {Evidence} evidence
 * @property {Map<string, number>} facts State of each known finding and risk; what rules look at.
 * @property {string[]} contradicted Ids about which the answers contradict each other.
 */

import { noEvidence } from "./conditioning.mjs";

/** @type {Record<string, (value: number, threshold: number) => boolean>} */
const COMPARE = {
  "<": (value, threshold) => value < threshold,
  "<=": (value, threshold) => value <= threshold,
  ">": (value, threshold) => value > threshold,
  ">=": (value, threshold) => value >= threshold,
};

/**
 * State that a measured number stands for.
 *
 * @param {Setting} setting
 * @param {number} value
 * @returns {number}
 */
export function stateOf(setting, value) {
  if (setting.compare) {
    const [sign, threshold] = setting.compare;
    return Number(COMPARE[sign](value, threshold));
  }
  const cuts = setting.cuts ?? [];
  const below = cuts.filter((cut) => (setting.closed === "left" ? cut <= value : cut < value)).length;
  return setting.falling ? cuts.length - below : below;
}

/**
 * @param {Network} network
 * @param {ReadingData} data
 * @param {Given[]} given
 * @returns {Case}
 */
export function readCase(network, data, given) {
  /** Values by finding or risk; between 0 and 1 soft. @type {Map<string, number>} */
  const told = new Map();
  /** @type {string[]} */
  const contradicted = [];
  const tell = (/** @type {string} */ id, /** @type {number} */ value) => {
    if (told.has(id) && told.get(id) !== value) contradicted.push(id);
    else told.set(id, value);
  };
  for (const one of given) {
    if (one.kind !== "number") tell(one.id, one.value);
    else {
      const measure = data.measures.find(({ id }) => id === one.id);
      measure?.sets.forEach((setting) => tell(setting.target, stateOf(setting, one.value)));
    }
  }
  const evidence = noEvidence(network);
  network.ordinals.forEach((ordinal, o) => {
    const [lower, upper] = boundLevels(told, ordinal, contradicted);
    evidence.lower[o] = lower;
    evidence.upper[o] = upper;
  });
  imply(told, data.logic, contradicted);
  const dropped = combine(told, data.logic, contradicted);
  contradicted.push(...excluded(told, data.logic));
  network.findings.forEach(({ id }, f) => {
    const value = told.get(id);
    if (value !== undefined && !dropped.has(id)) evidence.findings[f] = value;
  });
  const facts = factsOf(told);
  network.risks.forEach(({ id }, r) => {
    evidence.risks[r] = facts.get(id) ?? -1;
  });
  return { evidence, facts, contradicted: [...new Set(contradicted)] };
}

/**
 * Intersect what is said of an ordinal finding and of its thresholds; fill in the thresholds.
 *
 * @param {Map<string, number>} told
 * @param {import("./model.mjs").Ordinal} ordinal
 * @param {string[]} contradicted
 * @returns {[number, number]} Lowest and highest level that fit.
 */
function boundLevels(told, ordinal, contradicted) {
  let lower = 0;
  let upper = ordinal.size - 1;
  const own = told.get(ordinal.id);
  if (own !== undefined) lower = upper = own;
  let said = own !== undefined;
  for (const [id, level] of ordinal.thresholds) {
    const value = told.get(id);
    if (value === undefined) continue;
    said = true;
    if (value === 1) lower = Math.max(lower, level);
    else if (value === 0) upper = Math.min(upper, level - 1);
  }
  if (!said && ordinal.thresholds.every(([, level]) => level > 0)) return [lower, upper];
  if (lower > upper) {
    contradicted.push(ordinal.id);
    upper = lower;
  }
  for (const [id, level] of ordinal.thresholds) {
    if (lower >= level) told.set(id, 1);
    else if (upper < level) told.set(id, 0);
    else told.delete(id);
  }
  if (lower === upper) told.set(ordinal.id, lower);
  else told.delete(ordinal.id);
  return [lower, upper];
}

/**
 * Present implies present, absent implies absent the other way round.
 *
 * @param {Map<string, number>} told
 * @param {Logic[]} logic
 * @param {string[]} contradicted
 */
function imply(told, logic, contradicted) {
  for (const { id, implies } of logic) {
    for (const implied of implies) {
      const [narrow, wide] = [told.get(id), told.get(implied)];
      if (narrow === 1 && wide === 0) contradicted.push(implied);
      if (wide === undefined && narrow === 1) told.set(implied, 1);
      if (narrow === undefined && wide === 0) told.set(id, 0);
    }
  }
}

/**
 * What cannot be, since something else is present.
 *
 * @param {Map<string, number>} told
 * @param {Logic[]} logic
 */
export function excluded(told, logic) {
  return logic.flatMap(({ id, excludes }) =>
    excludes.filter(([other, states]) => told.get(id) === 1 && states.includes(told.get(other) ?? -1)).map(([other]) => other),
  );
}

/**
 * Settle findings that are positive when any component is; return those that are no evidence of
 * their own, since a component is known.
 *
 * @param {Map<string, number>} told
 * @param {Logic[]} logic
 * @param {string[]} contradicted
 * @returns {Set<string>}
 */
function combine(told, logic, contradicted) {
  /** @type {Set<string>} */
  const dropped = new Set();
  for (const { id, any_of: parts } of logic) {
    if (!parts.length) continue;
    const whole = told.get(id);
    const known = parts.filter((part) => told.has(part));
    const anyPresent = parts.some((part) => told.get(part) === 1);
    const allAbsent = parts.every((part) => told.get(part) === 0);
    if ((whole === 0 && anyPresent) || (whole === 1 && allAbsent)) contradicted.push(id);
    if (!known.length) continue;
    const open = parts.filter((part) => !told.has(part));
    if (whole === 1 && !anyPresent && open.length === 1) told.set(open[0], 1);
    if (whole === 0) for (const part of open) told.set(part, 0);
    if (whole === undefined && (anyPresent || allAbsent)) told.set(id, Number(anyPresent));
    dropped.add(id);
  }
  return dropped;
}

/**
 * States for the rules: soft evidence that leans to present counts as present, other as not known.
 *
 * @param {Map<string, number>} told
 * @returns {Map<string, number>}
 */
function factsOf(told) {
  /** @type {Map<string, number>} */
  const facts = new Map();
  for (const [id, value] of told) {
    if (Number.isInteger(value)) facts.set(id, value);
    else if (value >= 0.5) facts.set(id, 1);
  }
  return facts;
}
