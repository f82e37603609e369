/**
 * Conditions on what was found, in Kleene's logic: true, false, or unknown when something is missing.
 *
 * @typedef {[text: string, subject: string, states: number[]]} Leaf
 * @typedef {[least: number, parts: (Leaf | Gate)[], negated: (Leaf | Gate)[]]} Gate True where so many
 *   of its parts are, the negated ones being false.
 * @typedef {Map<string, number>} Facts
 */

/**
 * @param {Leaf | Gate} item
 * @returns {item is Leaf}
 */
function isLeaf(item) {
  return typeof item[0] === "string";
}

/**
 * Whether a condition is true; with `possible`, whether it is true or unknown.
 *
 * @param {Leaf | Gate} item
 * @param {Facts} facts
 * @param {boolean} possible
 * @returns {boolean}
 */
export function holds(item, facts, possible = false) {
  if (isLeaf(item)) {
    const state = facts.get(item[1]);
    return state === undefined ? possible : item[2].includes(state);
  }
  const [least, parts, negated] = item;
  const held =
    parts.filter((part) => holds(part, facts, possible)).length +
    negated.filter((part) => !holds(part, facts, !possible)).length;
  return held >= least;
}

/**
 * Leaves on which a true condition rests, as the rule writes them.
 *
 * @param {Gate} gate
 * @param {Facts} facts
 * @returns {string[]}
 */
export function trueLeaves([, parts], facts) {
  const found = parts
    .filter((part) => holds(part, facts))
    .flatMap((part) => (isLeaf(part) ? [part[0]] : trueLeaves(part, facts)));
  return [...new Set(found)];
}

/**
 * What could still decide an unknown condition.
 *
 * @param {Gate} gate
 * @param {Facts} facts
 * @returns {string[]}
 */
export function unknownSubjects([, parts, negated], facts) {
  const found = [...parts, ...negated]
    .filter((part) => holds(part, facts, true) && !holds(part, facts))
    .flatMap((part) => (isLeaf(part) ? [part[1]] : unknownSubjects(part, facts)));
  return [...new Set(found)];
}
