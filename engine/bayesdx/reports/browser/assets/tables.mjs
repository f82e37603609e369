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
 * the two brackets in place of its states. One meeting variable, the pair, needs no preparation, and
 * neighbouring variables along which all three tables go on alike, the run, are gone through at once:
 * positions are looked up once a run.
 *
 * @typedef {import("./conditioning.mjs").Variable} Variable
 * @typedef {[one: Int32Array, two: Int32Array, result: Int32Array]} Rows Rows of the first table, of the
 *   second and of the result that go together.
 * @typedef {{stride: number, closing: [number, number] | null}} Preparation Of a meeting variable of the
 *   second table.
 *
 * @typedef {object} Combination
 * @property {number} size Rows of the result.
 * @property {number} two Rows of the second table.
 * @property {Preparation[]} prepare The fastest variable first.
 * @property {Rows} rows Where a run begins.
 * @property {number} length Of a run.
 * @property {number[]} steps From one row of a run to the next, in each of the three tables.
 * @property {number[] | null} pair Steps from "not reached" to "reached".
 * @property {boolean} sums Whether the pair is rather the states of a variable that is summed out.
 * @property {number} room Numbers of all tables that it makes.
 */

/** Numbers of all tables together. */
export const MOST_ROOM = 1 << 24;
/** They lie in one array, as code is twice as fast that knows where; what is not touched takes no memory. */
const HEAP = new Float64Array(MOST_ROOM);
let filled = 0;

/**
 * A table that lasts until all behind a mark before it is released; of any numbers.
 *
 * @param {number} size
 */
export function taken(size) {
  filled += size;
  return HEAP.subarray(filled - size, filled);
}

export function mark() {
  return filled;
}

/** @param {number} to */
export function release(to) {
  filled = to;
}

/** @param {Float64Array} table */
function startOf(table) {
  return table.byteOffset / 8;
}

/** Of meeting variables: states of the first table, of the second, and of the result. */
const MEET = [
  [0, 0, 0],
  [1, 2, 1],
  [0, 1, 1],
];

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
  const pair = two.filter((v) => meets(v) && v !== closes).pop() ?? (closes >= 0 && plain(closes) === 2 ? closes : -1);
  const wide = (/** @type {number} */ v) => (meets(v) && v !== closes && v !== pair ? 3 : plain(v));
  const [inOne, inTwo, inResult] = [stridesOf(one, plain), stridesOf(two, wide), stridesOf(result, plain)];
  const stepsOf = (/** @type {number} */ v) => [inOne.get(v) ?? 0, inTwo.get(v) ?? 0, inResult.get(v) ?? 0];
  const every = closes >= 0 ? [...result, closes] : result;
  // Neighbours that go on alike in all three tables are one; the longest of these is gone through at once.
  /** @type {{size: number, steps: number[], meets: boolean}[]} */
  const parts = [];
  let run = -1;
  for (const v of [...every].reverse()) {
    if (v === pair) continue;
    const steps = stepsOf(v);
    const size = plain(v);
    const last = parts[parts.length - 1];
    const meets = wide(v) > size;
    if (last && !meets && !last.meets && steps.every((s, i) => s === last.size * last.steps[i])) {
      last.size *= size;
    } else parts.push({ size, steps, meets });
    const at = parts.length - 1;
    if (!meets && (run < 0 || parts[at].size > parts[run].size)) run = at;
  }
  const [{ size: length, steps }] = run < 0 ? [{ size: 1, steps: [0, 0, 0] }] : parts.splice(run, 1);
  const rows = runsOf(parts);
  const prepare = two.filter((v) => (v !== pair || v === closes) && meets(v)).reverse().map((v) => ({
    stride: inTwo.get(v) ?? 1,
    closing: v === closes ? variables[v].closing : null,
  }));
  const sizeOf = (/** @type {number[]} */ scope) => scope.reduce((product, v) => product * plain(v), 1);
  const size = sizeOf(result);
  // Forward, the way back, and forward once more for a group; prepared tables are made in steps.
  let ready = sizeOf(two);
  let room = 3 * size + sizeOf(one) + ready;
  for (const { closing } of prepare) room += 3 * (ready *= closing ? 1 : 1.5);
  const sums = pair >= 0 && pair === closes;
  return { size, two: sizeOf(two), room, prepare, rows, length, steps, pair: pair < 0 ? null : stepsOf(pair), sums };
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
 * Rows by the states of variables, each slower than those before.
 *
 * @param {{size: number, steps: number[], meets: boolean}[]} parts
 * @returns {Rows}
 */
function runsOf(parts) {
  const count = parts.reduce((product, { size, meets }) => product * (meets ? MEET.length : size), 1);
  const every = [0, 1, 2].map((table) => {
    const rows = new Int32Array(count);
    let to = 1;
    for (const { size, steps, meets } of parts) {
      const block = to;
      for (let s = 1; s < (meets ? MEET.length : size); s++) {
        const step = (meets ? MEET[s][table] : s) * steps[table];
        for (let i = 0; i < block; i++) rows[to++] = rows[i] + step;
      }
    }
    return rows;
  });
  return /** @type {Rows} */ (every);
}

/**
 * @param {Combination} how
 * @param {Float64Array} one
 * @param {Float64Array} two As `prepared`.
 * @param {number} n Lanes.
 * @returns {Float64Array}
 */
export function combined({ size, rows: [a, b, c], length, steps, pair, sums }, one, two, n) {
  const result = taken(size * n).fill(0);
  const [ones, twos, results] = [startOf(one), startOf(two), startOf(result)];
  // Inside are the lanes or, where there is but one, the run.
  const [within, times] = n > 1 ? [n, length] : [length, 1];
  const [sx, sy, sz] = n > 1 ? [1, 1, 1] : steps;
  const [mx, my, mz] = (pair ?? steps).map((step) => step * n);
  for (let i = 0; i < c.length; i++) {
    for (let j = 0; j < times; j++) {
      // Whole numbers of 32 bits, which it need not look for.
      let x = (ones + (a[i] + j * steps[0]) * n) | 0;
      let y = (twos + (b[i] + j * steps[1]) * n) | 0;
      let z = (results + (c[i] + j * steps[2]) * n) | 0;
      if (!pair) {
        for (let k = 0; k < within; k++) {
          HEAP[z] += HEAP[x] * HEAP[y];
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
      } else if (sums) {
        for (let k = 0; k < within; k++) {
          HEAP[z] += HEAP[x] * HEAP[y] + HEAP[x + mx] * HEAP[y + my];
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
      } else {
        for (let k = 0; k < within; k++) {
          const n1 = HEAP[x];
          const n2 = HEAP[y];
          const p2 = HEAP[y + my];
          HEAP[z] += n1 * n2;
          HEAP[z + mz] += n1 * p2 + HEAP[x + mx] * (n2 + p2);
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
      }
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
export function combinedBack({ rows: [a, b, c], length, steps, pair, sums }, one, two, by, n) {
  const [byOne, byTwo] = [taken(one.length).fill(0), taken(two.length).fill(0)];
  const [ones, twos, bys] = [startOf(one), startOf(two), startOf(by)];
  const [toOne, toTwo] = [startOf(byOne) - ones, startOf(byTwo) - twos];
  const [within, times] = n > 1 ? [n, length] : [length, 1];
  const [sx, sy, sz] = n > 1 ? [1, 1, 1] : steps;
  const [mx, my, mz] = (pair ?? steps).map((step) => step * n);
  for (let i = 0; i < c.length; i++) {
    for (let j = 0; j < times; j++) {
      let x = (ones + (a[i] + j * steps[0]) * n) | 0;
      let y = (twos + (b[i] + j * steps[1]) * n) | 0;
      let z = (bys + (c[i] + j * steps[2]) * n) | 0;
      if (!pair) {
        for (let k = 0; k < within; k++) {
          const by = HEAP[z];
          HEAP[x + toOne] += by * HEAP[y];
          HEAP[y + toTwo] += by * HEAP[x];
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
      } else if (sums) {
        for (let k = 0; k < within; k++) {
          const by = HEAP[z];
          HEAP[x + toOne] += by * HEAP[y];
          HEAP[x + mx + toOne] += by * HEAP[y + my];
          HEAP[y + toTwo] += by * HEAP[x];
          HEAP[y + my + toTwo] += by * HEAP[x + mx];
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
      } else {
        for (let k = 0; k < within; k++) {
          const n1 = HEAP[x];
          const p1 = HEAP[x + mx];
          const n2 = HEAP[y];
          const p2 = HEAP[y + my];
          const not = HEAP[z];
          const yes = HEAP[z + mz];
          HEAP[x + toOne] += not * n2 + yes * p2;
          HEAP[x + mx + toOne] += yes * (n2 + p2);
          HEAP[y + toTwo] += not * n1 + yes * p1;
          HEAP[y + my + toTwo] += yes * (n1 + p1);
          x = (x + sx) | 0;
          y = (y + sy) | 0;
          z = (z + sz) | 0;
        }
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
    const result = taken((now.length / 2) * block);
    const [l0, l1] = closing ?? [1, 1];
    const end = startOf(now) + now.length;
    for (let at = startOf(now) | 0, to = startOf(result) | 0; at < end; at += from) {
      for (let i = 0; i < from; i++, at++, to++) {
        const not = HEAP[at];
        const yes = HEAP[at + from];
        HEAP[to] = closing ? l0 * not + l1 * yes : not;
        HEAP[to + from] = closing ? l1 * (not + yes) : yes;
        if (!closing) HEAP[to + 2 * from] = not + yes;
      }
      to += (block - 1) * from;
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
    const result = taken((now.length / block) * 2);
    const [l0, l1] = closing ?? [1, 1];
    const end = startOf(now) + now.length;
    for (let at = startOf(now) | 0, to = startOf(result) | 0; at < end; to += from) {
      for (let i = 0; i < from; i++, at++, to++) {
        const not = HEAP[at];
        const yes = HEAP[at + from];
        const either = closing ? l1 * yes : HEAP[at + 2 * from];
        HEAP[to] = l0 * not + either;
        HEAP[to + from] = (closing ? l1 * not : yes) + either;
      }
      at += (block - 1) * from;
    }
    return result;
  }, by);
}

/**
 * What changes nothing: the number 1, or "not reached" for certain.
 *
 * @param {number} size
 * @param {number} n
 */
export function neutral(size, n) {
  return taken(size).fill(0).fill(1, 0, n);
}

/**
 * @param {Float64Array} one
 * @param {Float64Array} two
 */
export function dot(one, two) {
  const [x, y] = [startOf(one), startOf(two)];
  let sum = 0;
  // In parts, since a long sum loses digits.
  for (let i = 0; i < one.length; ) {
    let part = 0;
    for (const end = Math.min(i + 256, one.length); i < end; i++) part += HEAP[x + i] * HEAP[y + i];
    sum += part;
  }
  return sum;
}

/**
 * The power of two that keeps a table in the range of floats, all lanes alike.
 *
 * @param {Float64Array} table
 */
export function normalising(table) {
  const from = startOf(table);
  let most = 0;
  for (let i = from; i < from + table.length && most <= 1e-6; i++) most = Math.max(most, Math.abs(HEAP[i]));
  return !(most > 0) || most > 1e-6 ? 1 : 2 ** -Math.floor(Math.log2(most));
}

/**
 * @param {Float64Array} table Is scaled in place.
 * @param {number} scale
 */
export function scaled(table, scale) {
  const from = startOf(table);
  if (scale !== 1) for (let i = from; i < from + table.length; i++) HEAP[i] *= scale;
  return table;
}
