/**
 * Variables eliminated one after the other, and the derivatives pulled back through the same steps:
 * weight times derivative of log P(evidence) is the share of each cause (Darwiche 2003).
 *
 * @typedef {import("./conditioning.mjs").Problem} Problem
 * @typedef {import("./tables.mjs").Combination} Combination
 *
 * @typedef {object} Step One variable: tables are combined two by two, which closes it.
 * @property {number} first The table that it begins with.
 * @property {{two: number, how: Combination, swapped: boolean}[]} combine
 * @property {{stride: number, weights: number[]} | null} close Where there is but one table.
 * @property {number} result Number of the table that comes out.
 * @property {boolean} last Whether nothing is left in it but a number.
 *
 * @typedef {object} Plan The order of work of a problem; it serves others of the same structure.
 * @property {Step[]} steps
 * @property {number} work Products.
 *
 * @typedef {object} Found
 * @property {Float64Array} log Log P(evidence) by lane, -Infinity where it is impossible.
 * @property {Float64Array} posterior P(cause | evidence) by cause and lane; empty without `backward`.
 * @property {Float64Array} credit Weights of findings times how far each cause is credited with them,
 *   of the first lane: the mean of "nothing else would have produced it" and "its link acted".
 */

import { findOrder } from "./ordering.mjs";
import { closed, closedBack, combination, combined, combinedBack, prepared, preparedBack } from "./tables.mjs";

/** Most products of a case that is answered: a second or two. */
export const MOST_WORK = 1 << 24;

/**
 * @param {Problem} problem
 * @returns {Plan} Without steps where the work is too much.
 */
export function makePlan({ variables, factors }) {
  const { buckets, work } = findOrder(variables, factors.map(({ scope }) => scope));
  if (work > MOST_WORK) return { steps: [], work };
  const steps = buckets.map(({ variable: v, first, scope, combine, result, left }) => {
    const { closing, size, becomes } = variables[v];
    const stride = scope.slice(scope.indexOf(v) + 1).reduce((product, u) => product * variables[u].size, 1);
    return {
      first,
      combine: combine.map(({ two, big, small, swapped, scope: joint, closes }) => ({
        two,
        how: combination(variables, big, small, joint, closes ? v : -1),
        swapped,
      })),
      close: combine.length || becomes >= 0 ? null : { stride, weights: closing ?? new Array(size).fill(1) },
      result,
      last: left.length === 0,
    };
  });
  return { steps, work };
}

/**
 * @param {Problem} problem
 * @param {Plan} plan
 * @param {boolean} backward Whether posteriors are wanted.
 * @returns {Found}
 */
export function eliminate(problem, plan, backward) {
  const { factors, causes, lanes: n } = problem;
  const tables = factors.map(({ table }) => table);
  const log = new Float64Array(n).fill(problem.logScale);
  /** @type {(() => void)[]} */
  const tape = [];
  /** Derivatives by each table. @type {Float64Array[]} */
  const by = [];
  for (const step of plan.steps) {
    const { combine, close, result, last } = step;
    let table = tables[step.first];
    /** @type {((adjoint: Float64Array) => Float64Array)[]} */
    const back = [];
    for (const { two, how, swapped } of combine) {
      const other = two < 0 ? new Float64Array(n).fill(1) : tables[two];
      const [one, small] = swapped ? [other, table] : [table, other];
      const ready = prepared(how, small, n);
      table = combined(how, one, ready, n);
      if (!backward) delete tables[two];
      else {
        back.push((adjoint) => {
          const [byOne, byReady] = combinedBack(how, one, ready, adjoint, n);
          const bySmall = preparedBack(how, byReady, n);
          if (two >= 0) by[two] = swapped ? byOne : bySmall;
          return swapped ? bySmall : byOne;
        });
      }
    }
    if (close) table = closed(table, close.stride * n, close.weights);
    if (!backward) delete tables[step.first];
    const factor = last ? 1 : normalised(table);
    tables[result] = table;
    for (let l = 0; l < n; l++) log[l] += last ? Math.log(table[l]) : -Math.log(factor);
    if (!backward) continue;
    tape.push(() => {
      let adjoint = last ? table.map((value) => (value > 0 ? 1 / value : 0)) : by[result];
      if (factor !== 1) adjoint = adjoint.map((value) => value * factor);
      if (close) adjoint = closedBack(adjoint, close.stride * n, close.weights);
      for (const undo of back.reverse()) adjoint = undo(adjoint);
      by[step.first] = adjoint;
    });
  }
  const none = { posterior: new Float64Array(backward ? causes * n : 0), credit: new Float64Array(causes) };
  if (!backward || !log.some((value) => value > -Infinity)) return { log, ...none };
  for (const undo of tape.reverse()) undo();
  return { log, ...shares(problem, by) };
}

/**
 * Keep a table in the range of floats by a power of two, all lanes alike; return the power.
 *
 * @param {Float64Array} table
 */
function normalised(table) {
  let most = 0;
  for (let i = 0; i < table.length; i++) if (table[i] > most) most = table[i];
  if (!(most > 0) || most > 1e-6) return 1;
  const factor = 2 ** -Math.floor(Math.log2(most));
  for (let i = 0; i < table.length; i++) table[i] *= factor;
  return factor;
}

/**
 * @param {Problem} problem
 * @param {Float64Array[]} by
 */
function shares({ factors, links, causes, lanes: n }, by) {
  const posterior = new Float64Array(causes * n);
  for (let c = 0; c < causes; c++) {
    const both = new Float64Array(2 * n);
    const { table } = factors[c];
    for (let i = 0; i < table.length; i++) both[i % (2 * n)] += table[i] * by[c][i];
    for (let l = 0; l < n; l++) {
      const total = both[l] + both[n + l];
      posterior[c * n + l] = total > 0 ? both[n + l] / total : 0;
    }
  }
  const credit = new Float64Array(causes);
  for (const { cause, strength, weight, factor } of links) {
    const own = posterior[cause * n];
    // P(cause, nothing but its link reaches the finding) over its strength and over P(evidence).
    const alone = by[factor][3 * n] - by[factor][2 * n];
    credit[cause] += 0.5 * weight * strength * (own + (2 - strength) * alone);
  }
  return { posterior, credit };
}
