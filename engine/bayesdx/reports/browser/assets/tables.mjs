/**
 * Tables over variables: two of them combined, a variable closed, and the way back of both.
 *
 * Rows are joint states, the last variable of a scope fastest; each row has one number a lane.
 * Ordinary variables of two tables go together state by state. Of a meeting variable the result is
 * reached where either is: with n not reached, p reached and t = n + p,
 *
 *   n = n1 n2,  p = p1 t2 + n1 p2,  and closed with l0, l1:  n1 (l0 n2 + l1 p2) + p1 (l1 t2),
 *
 * so that nothing is ever subtracted. The second table is prepared: it is given t as a third state, or
 * the two brackets in place of its states.
 *
 * @typedef {import("./conditioning.mjs").Variable} Variable
 * @typedef {[one: Int32Array, two: Int32Array, result: Int32Array]} Rows Rows of the first table, of the
 *   second and of the result that go together.
 * @typedef {{stride: number, closing: [number, number] | null}} Preparation Of a meeting variable of the
 *   second table.
 *
 * @typedef {object} Combination
 * @property {number} size Rows of the result.
 * @property {Preparation[]} prepare The fastest variable first.
 * @property {Rows} outer By the states of the slow variables and of the fast ones; a row is their sum.
 * @property {Rows} inner
 */

/** Of meeting variables: states of the first table, of the second, and of the result. */
const MEET = [
  [0, 0, 0],
  [1, 2, 1],
  [0, 1, 1],
];
/** States of the fast variables that are gone through at once. */
const INNER = 32;

/**
 * @param {Variable[]} variables
 * @param {number[]} one Scopes.
 * @param {number[]} two
 * @param {number[]} result
 * @param {number} closes The variable of both that is closed, -1 for none.
 * @returns {Combination}
 */
export function combination(variables, one, two, result, closes) {
  const meets = (/** @type {number} */ v) => variables[v].closing !== null && one.includes(v) && two.includes(v);
  const plain = (/** @type {number} */ v) => variables[v].size;
  const wide = (/** @type {number} */ v) => (meets(v) && v !== closes ? 3 : plain(v));
  const [inOne, inTwo, inResult] = [stridesOf(one, plain), stridesOf(two, wide), stridesOf(result, plain)];
  /** @type {Rows} */
  let inner = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
  let outer = inner;
  const every = closes >= 0 ? [...result, closes] : result;
  for (let at = every.length - 1; at >= 0; at--) {
    const v = every[at];
    const steps = [inOne.get(v) ?? 0, inTwo.get(v) ?? 0, inResult.get(v) ?? 0];
    const states = wide(v) > plain(v) ? MEET : Array.from({ length: plain(v) }, (_, s) => [s, s, s]);
    if (inner[0].length < INNER) inner = extended(inner, states, steps);
    else outer = extended(outer, states, steps);
  }
  const prepare = two.filter(meets).reverse().map((v) => ({
    stride: inTwo.get(v) ?? 1,
    closing: v === closes ? variables[v].closing : null,
  }));
  return { size: result.reduce((product, v) => product * plain(v), 1), prepare, outer, inner };
}

/**
 * @param {number[]} scope
 * @param {(v: number) => number} size
 * @returns {Map<number, number>}
 */
function stridesOf(scope, size) {
  /** @type {Map<number, number>} */
  const strides = new Map();
  scope.reduceRight((stride, v) => {
    // A variable that is there twice stands for equal states of both.
    strides.set(v, (strides.get(v) ?? 0) + stride);
    return stride * size(v);
  }, 1);
  return strides;
}

/**
 * Rows by the states of one more variable, slower than those before.
 *
 * @param {Rows} rows
 * @param {number[][]} states
 * @param {number[]} steps
 * @returns {Rows}
 */
function extended(rows, states, steps) {
  const next = rows.map((before, table) => {
    const after = new Int32Array(before.length * states.length);
    states.forEach((state, s) => {
      const [step, at] = [state[table] * steps[table], s * before.length];
      for (let i = 0; i < before.length; i++) after[at + i] = before[i] + step;
    });
    return after;
  });
  return /** @type {Rows} */ (next);
}

/**
 * @param {Combination} how
 * @param {Float64Array} one
 * @param {Float64Array} two As `prepared`.
 * @param {number} n Lanes.
 * @returns {Float64Array}
 */
export function combined(how, one, two, n) {
  const result = new Float64Array(how.size * n);
  const [[a, b, c], [ai, bi, ci]] = [how.outer, how.inner];
  const [rows, inside] = [c.length, ci.length];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < inside; j++) {
      // Pointers that run are three times as fast as positions that are added up.
      let x = (a[i] + ai[j]) * n;
      let y = (b[i] + bi[j]) * n;
      let z = (c[i] + ci[j]) * n;
      for (const end = z + n; z < end; z++, x++, y++) result[z] += one[x] * two[y];
    }
  }
  return result;
}

/**
 * Derivatives by both tables, of one by the result.
 *
 * @param {Combination} how
 * @param {Float64Array} one
 * @param {Float64Array} two
 * @param {Float64Array} by
 * @param {number} n
 * @returns {[Float64Array, Float64Array]}
 */
export function combinedBack(how, one, two, by, n) {
  const [byOne, byTwo] = [new Float64Array(one.length), new Float64Array(two.length)];
  const [[a, b, c], [ai, bi, ci]] = [how.outer, how.inner];
  const [rows, inside] = [c.length, ci.length];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < inside; j++) {
      let x = (a[i] + ai[j]) * n;
      let y = (b[i] + bi[j]) * n;
      let z = (c[i] + ci[j]) * n;
      for (const end = z + n; z < end; z++, x++, y++) {
        byOne[x] += by[z] * two[y];
        byTwo[y] += by[z] * one[x];
      }
    }
  }
  return [byOne, byTwo];
}

/**
 * @param {Combination} how
 * @param {Float64Array} table
 * @param {number} n
 */
export function prepared(how, table, n) {
  return how.prepare.reduce((now, { stride, closing }) => {
    const [from, block] = [stride * n, closing ? 2 : 3];
    const result = new Float64Array((now.length / 2) * block);
    const [l0, l1] = closing ?? [1, 1];
    for (let at = 0, to = 0; at < now.length; at += 2 * from, to += block * from) {
      for (let i = 0; i < from; i++) {
        const [not, yes] = [now[at + i], now[at + from + i]];
        if (closing) {
          result[to + i] = l0 * not + l1 * yes;
          result[to + from + i] = l1 * (not + yes);
        } else {
          result[to + i] = not;
          result[to + from + i] = yes;
          result[to + 2 * from + i] = not + yes;
        }
      }
    }
    return result;
  }, table);
}

/**
 * @param {Combination} how
 * @param {Float64Array} by
 * @param {number} n
 */
export function preparedBack(how, by, n) {
  return how.prepare.reduceRight((now, { stride, closing }) => {
    const [from, block] = [stride * n, closing ? 2 : 3];
    const result = new Float64Array((now.length / block) * 2);
    const [l0, l1] = closing ?? [1, 1];
    for (let at = 0, to = 0; at < now.length; at += block * from, to += 2 * from) {
      for (let i = 0; i < from; i++) {
        const either = closing ? l1 * now[at + from + i] : now[at + 2 * from + i];
        result[to + i] = (closing ? l0 * now[at + i] : now[at + i]) + either;
        result[to + from + i] = (closing ? l1 * now[at + i] : now[at + from + i]) + either;
      }
    }
    return result;
  }, by);
}

/**
 * Sum a variable out of a table, its states weighed.
 *
 * @param {Float64Array} table
 * @param {number} stride Lanes counted.
 * @param {number[]} weights
 * @returns {Float64Array}
 */
export function closed(table, stride, weights) {
  const result = new Float64Array(table.length / weights.length);
  for (let at = 0, to = 0; to < result.length; to += stride) {
    for (const weight of weights) {
      for (let i = 0; i < stride; i++, at++) result[to + i] += weight * table[at];
    }
  }
  return result;
}

/**
 * @param {Float64Array} by
 * @param {number} stride
 * @param {number[]} weights
 * @returns {Float64Array}
 */
export function closedBack(by, stride, weights) {
  const result = new Float64Array(by.length * weights.length);
  for (let at = 0, from = 0; from < by.length; from += stride) {
    for (const weight of weights) {
      for (let i = 0; i < stride; i++, at++) result[at] = weight * by[from + i];
    }
  }
  return result;
}
