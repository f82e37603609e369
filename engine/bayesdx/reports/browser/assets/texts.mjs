/**
 * Which texts a case is shown; they never change a probability or an urgency.
 *
 * @typedef {import("./conditions.mjs").Facts} Facts
 * @typedef {{id: string, kind: string, title: string, text: string, unknown: string,
 *   at_least: number | null, when: import("./conditions.mjs").Gate | null,
 *   drivers: string[] | null, causes: string[] | null, leading: string[] | null,
 *   accompanies: string[] | null, show: string[] | null, sources: number[]}} TextData
 * @typedef {{driver_from: number, cause_from: number, texts: TextData[]}} TextsData
 * @typedef {{facts: Facts, causes: Map<string, number>, drivers: Map<string, number>,
 *   leading: string | null}} Matter
 */

import { truth } from "./conditions.mjs";

/**
 * @param {TextsData} data
 * @param {Matter} matter
 * @returns {TextData[]}
 */
export function shownTexts(data, matter) {
  let waiting = data.texts.filter((text) => isBroughtUp(data, text, matter));
  /** @type {Set<string>} */
  const shown = new Set();
  // In rounds: a text may wait for one that it accompanies.
  for (;;) {
    const ready = waiting.filter(
      ({ accompanies }) => !accompanies || accompanies.some((id) => shown.has(id)),
    );
    if (!ready.length) break;
    ready.forEach(({ id }) => shown.add(id));
    waiting = waiting.filter(({ id }) => !shown.has(id));
  }
  return data.texts.filter(({ id }) => shown.has(id));
}

/**
 * @param {TextsData} data
 * @param {TextData} text
 * @param {Matter} matter
 */
function isBroughtUp(data, text, { facts, causes, drivers, leading }) {
  const { when, at_least: own } = text;
  const reached = (/** @type {string[]} */ names, /** @type {Map<string, number>} */ by, /** @type {number} */ least) =>
    names.some((name) => (by.get(name) ?? 0) >= least);
  const pushed =
    reached(text.drivers ?? [], drivers, own ?? data.driver_from) ||
    reached(text.causes ?? [], causes, own ?? data.cause_from) ||
    (leading !== null && (text.leading ?? []).includes(leading));
  if (!pushed && (text.drivers || text.causes || text.leading)) return false;
  const held = when ? truth(when, facts) : 1;
  return held === 1 || (text.unknown === "show" && held > 0);
}
