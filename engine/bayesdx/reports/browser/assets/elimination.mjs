/**
 * Variables eliminated one after the other, and the derivatives pulled back through the same steps:
 * weight times derivative of log P(evidence) is the share of each cause (Darwiche 2003).
 *
 * @typedef {import("./conditioning.mjs").Problem} Problem
 * @typedef {import("./tables.mjs").Combination} Combination
 *
 * @typedef {object} Step One variable: tables are combined two by two, which closes it.
 * @property {number[]} inputs Tables, beginning with the first.
 * @property {{two: number, how: Combination, swapped: boolean}[]} combine
 * @property {number} result Number of the table that comes out.
 * @property {boolean} last Whether nothing is left in it but a number.
 *
 * @typedef {object} Plan The order of work of a problem; it serves others of the same structure.
 * @property {Step[]} steps
 * @property {number[]} roots The number that each table becomes a factor of in the end.
 * @property {number} work Products, Infinity where there is no room for the tables.
 * @property {number} room Numbers that tables hold, of a lane.
 *
 * @typedef {[one: Float64Array, ready: Float64Array]} Joined Two tables, the second one prepared.
 *
 * @typedef {object} Found
 * @property {Float64Array} log Log P(evidence) by lane, -Infinity where it is impossible.
 * @property {Float64Array} posterior P(cause | evidence) by cause and lane; empty without `backward`.
 * @property {Float64Array} credit Weights of findings times how far each cause is credited with them,
 *   of the first lane: the mean of "nothing else would have produced it" and "its link acted".
 * @property {Float64Array[]} tables By number, with `backward` all of them.
 * @property {Float64Array[]} by Derivatives of log P(evidence) by each table, with `backward`.
 * @property {number[]} scales What each table was multiplied by.
 */

import { summedOut } from "./cause_weights.mjs";
import { findOrder } from "./ordering.mjs";
import {
  MOST_ROOM,
  combination,
  combined,
  combinedBack,
  dot,
  mark,
  neutral,
  normalising,
  prepared,
  preparedBack,
  release,
  scaled,
  taken,
} from "./tables.mjs";

/** Most products of a case that is answered: half a second. */
export const MOST_WORK = 1 << 24;

/**
 * @param {Problem} problem
 * @returns {Plan} Without steps where the work is too much.
 */
export function makePlan({ variables, factors }) {
  const { buckets, work } = findOrder(variables, factors.map(({ scope }) => scope));
  if (work > MOST_WORK) return { steps: [], roots: [], work, room: 0 };
  const steps = buckets.map(({ variable, first, combine, result, left }) => ({
    inputs: [first, ...combine.map(({ two }) => two)],
    combine: combine.map(({ two, big, small, swapped, scope, closes }) => ({
      two,
      how: combination(variables, big, small, scope, closes ? variable : -1),
      swapped,
    })),
    result,
    last: left.length === 0,
  }));
  /** @type {number[]} */
  const roots = [];
  for (const { inputs, result, last } of [...steps].reverse()) {
    if (last) roots[result] = result;
    for (const number of inputs) roots[number] = roots[result];
  }
  const own = factors.reduce((sum, { scope }) => scope.reduce((size, v) => size * variables[v].size, 3) + sum, 0);
  const room = steps.reduce((sum, { combine }) => combine.reduce((more, { how }) => more + how.room, sum), own);
  return { steps, roots, work: room > MOST_ROOM ? Infinity : work, room };
}

/**
 * @param {Problem} problem
 * @param {Plan} plan
 * @param {boolean} backward Whether posteriors are wanted.
 * @returns {Found}
 */
export function eliminate(problem, plan, backward) {
  const { causes, lanes: n } = problem;
  release(0);
  const tables = problem.factors.map(({ table }) => copied(table));
  const log = new Float64Array(n).fill(problem.logScale);
  /** @type {Joined[][]} */
  const joins = [];
  /** @type {number[]} */
  const scales = [];
  for (const step of plan.steps) {
    const { inputs, result, last } = step;
    const table = joined(step, (number) => tables[number], n, (joins[result] = []));
    const scale = last ? 1 : normalising(table);
    tables[result] = scaled(table, scale);
    scales[result] = scale;
    for (let l = 0; l < n; l++) log[l] += last ? Math.log(table[l]) : -Math.log(scale);
    if (backward) continue;
    joins.pop();
    for (const number of inputs) delete tables[number];
  }
  /** Derivatives by each table. @type {Float64Array[]} */
  const by = [];
  const none = { posterior: new Float64Array(backward ? causes * n : 0), credit: new Float64Array(causes) };
  if (!backward || !log.some((value) => value > -Infinity)) return { log, ...none, tables, by, scales };
  for (const { inputs, combine, result, last } of [...plan.steps].reverse()) {
    if (last) by[result] = copied(tables[result].map((value) => (value > 0 ? 1 / value : 0)));
    /** @type {Float64Array} */
    let adjoint = scales[result] === 1 ? by[result] : scaled(copied(by[result]), scales[result]);
    for (let i = combine.length - 1; i >= 0; i--) {
      const { two, how, swapped } = combine[i];
      const [byOne, byReady] = combinedBack(how, ...joins[result][i], adjoint, n);
      const bySmall = preparedBack(how, byReady, n);
      if (two >= 0) by[two] = swapped ? byOne : bySmall;
      adjoint = swapped ? bySmall : byOne;
    }
    by[inputs[0]] = adjoint;
  }
  return { log, ...shares(problem, by), tables, by, scales };
}

/**
 * P(none of these causes is present | evidence): tables that hang on two or more of them are made anew, and
 * the derivatives by the last one tell what it is worth.
 *
 * @param {Problem} problem
 * @param {Plan} plan
 * @param {Found} found Of one lane, with derivatives.
 * @param {number[]} members
 */
export function shareWithout({ factors, weights }, { steps, roots }, { tables, by, scales, posterior }, members) {
  const before = mark();
  let share = 1;
  /** How many tables are changed, by the root that they lead to. @type {Map<number, number>} */
  const count = new Map();
  /** @type {Map<number, Float64Array>} */
  const changed = new Map();
  const put = (/** @type {number} */ number, /** @type {Float64Array} */ table) => {
    if ((count.get(roots[number]) ?? 0) > 1) changed.set(number, table);
    else share *= dot(table, by[number]);
  };
  const possible = members.filter((c) => posterior[c] > 0);
  const own = [...factors.keys()].filter((number) => factors[number].of.some((c) => possible.includes(c)));
  for (const number of own) count.set(roots[number], (count.get(roots[number]) ?? 0) + 1);
  for (const number of own) {
    const { scope, table, of } = factors[number];
    const tied = scope.includes(of[0]);
    put(number, copied(tied ? table.map((p, i) => (i < table.length / 2 ? p : 0)) : summedOut(weights, of, possible)));
  }
  for (const step of steps) {
    const { inputs, result } = step;
    const hit = inputs.filter((number) => changed.has(number));
    if (!hit.length) continue;
    const table = joined(step, (number) => changed.get(number) ?? tables[number], 1, []);
    for (const number of hit) changed.delete(number);
    count.set(roots[result], (count.get(roots[result]) ?? 0) + 1 - hit.length);
    put(result, scaled(table, scales[result]));
  }
  release(before);
  return share;
}

/**
 * @param {Step} step
 * @param {(number: number) => Float64Array} of Tables.
 * @param {number} n
 * @param {Joined[]} joins Are noted.
 */
function joined({ inputs, combine }, of, n, joins) {
  let table = of(inputs[0]);
  for (const { two, how, swapped } of combine) {
    const other = two < 0 ? neutral(how.two * n, n) : of(two);
    const [one, small] = swapped ? [other, table] : [table, other];
    const ready = prepared(how, small, n);
    table = combined(how, one, ready, n);
    joins.push([one, ready]);
  }
  return table;
}

/**
 * What was lost in differences: derivatives weighed by what a table holds add up to 1 at every table. All that
 * was lost on the way to a factor is missing there.
 *
 * @param {Problem} problem
 * @param {Found} found Of one lane, with derivatives.
 * @returns {number} 1 or more where nothing is left.
 */
export function missing({ factors }, { tables, by }) {
  return by.length ? Math.max(...factors.map((_, number) => Math.abs(dot(by[number], tables[number]) - 1))) : 1;
}

/**
 * @param {Float64Array} table
 * @returns {Float64Array}
 */
function copied(table) {
  const copy = taken(table.length);
  copy.set(table);
  return copy;
}

/**
 * @param {Problem} problem
 * @param {Float64Array[]} by
 */
function shares({ factors, weights, links, causes, lanes: n }, by) {
  const posterior = new Float64Array(causes * n);
  factors.forEach(({ scope, of }, number) => {
    for (const c of of) {
      const own = weights[c];
      const half = own.length / 2;
      const others = of.filter((other) => other !== c);
      const rest = others.length ? summedOut(weights, others, []) : null;
      const present = scope.includes(c) ? half : 0;
      const both = new Float64Array(2 * n);
      for (let i = 0; i < half; i++) {
        const times = rest ? rest[i] : 1;
        both[i % n] += own[i] * times * by[number][i];
        both[n + (i % n)] += own[half + i] * times * by[number][present + i];
      }
      for (let l = 0; l < n; l++) {
        const total = both[l] + both[n + l];
        posterior[c * n + l] = total > 0 ? both[n + l] / total : 0;
      }
    }
  });
  const credit = new Float64Array(causes);
  for (const { cause, strength, weight, factor, differs } of links) {
    const own = posterior[cause * n];
    // P(cause, nothing but its link reaches the finding) over its strength and over P(evidence).
    const alone = (differs ? 0 : by[factor][3 * n]) - by[factor][2 * n];
    credit[cause] += 0.5 * weight * strength * (own + (2 - strength) * alone);
  }
  return { posterior, credit };
}
