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
 * How far a condition is true: 1, 0, or 0.5 where it is unknown.
 *
 * @param {Leaf | Gate} item
 * @param {Facts} facts
 * @returns {number}
 */
export function truth(item, facts) {
  if (isLeaf(item)) {
    const state = facts.get(item[1]);
    return state === undefined ? 0.5 : Number(item[2].includes(state));
  }
  const [least, parts, negated] = item;
  let [sure, possible] = [0, 0];
  const count = (/** @type {number} */ held) => {
    if (held === 1) sure++;
    if (held > 0) possible++;
  };
  for (const part of parts) count(truth(part, facts));
  for (const part of negated) count(1 - truth(part, facts));
  return sure >= least ? 1 : possible >= least ? 0.5 : 0;
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
    .filter((part) => truth(part, facts) === 1)
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
    .filter((part) => truth(part, facts) === 0.5)
    .flatMap((part) => (isLeaf(part) ? [part[1]] : unknownSubjects(part, facts)));
  return [...new Set(found)];
}
