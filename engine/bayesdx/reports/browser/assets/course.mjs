/**
 * The parts of an interview: age, sex and the complaint, red flags, what tells most.
 *
 * @typedef {import("./asking.mjs").Question} Question
 * @typedef {import("./asking.mjs").Ranked} Ranked
 */

/** Asked first, where the knowledge has them; then the complaint. */
export const FIRST = ["age", "sex"];
/** The question about the complaint, which is no question of the knowledge. */
export const MAIN = "main complaint";
/** Questions of each part at most, as in `bayesdx ask`; who wants to be asked more says so. */
export const PARTS = /** @type {Record<string, number>} */ ({ opening: 3, "red flag": 16, telling: 11 });

/** @param {Ranked} ranked */
export function partOf({ question, level }) {
  return isFirst(question) ? "opening" : level < Infinity ? "red flag" : "telling";
}

/** @param {Question} question */
export function isFirst({ id }) {
  return FIRST.includes(id) || id === MAIN;
}

/**
 * One question of many: which of these is the main complaint.
 *
 * @param {Question[]} complaints
 * @returns {Ranked}
 */
export function mainComplaint(complaints) {
  const choices = complaints.flatMap(({ choices: own }) => own.filter(({ given }) => given.value > 0).slice(0, 1));
  const question = { ...complaints[0], id: MAIN, kind: "complaint", label: "Main complaint", text: "What is the main complaint?", choices };
  return { question, level: Infinity, rules: [], information: 0 };
}
