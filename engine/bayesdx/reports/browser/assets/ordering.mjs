/**
 * In which order variables are eliminated, so that tables stay small.
 *
 * Greedy: next goes the variable whose elimination connects least that was not connected (weighted
 * min-fill, Kjaerulff 1990). Where that is dear, orders with a little noise are tried too. What is compared is the number of products, which counts that two tables with k
 * meeting variables in common take (3 / 2)^k products an entry.
 *
 * @typedef {import("./conditioning.mjs").Variable} Variable
 *
 * @typedef {object} Bucket One variable, and the tables that are combined to close it.
 * @property {number} variable
 * @property {number} first Number of the table that it begins with.
 * @property {number[]} scope Of that.
 * @property {{two: number, big: number[], small: number[], swapped: boolean, scope: number[],
 *   closes: boolean}[]} combine The next table (-1: what changes nothing), scopes of the larger and of the smaller
 *   of the two, whether the next one is the larger, the scope of the result, and whether the variable is
 *   closed on the way.
 * @property {number} result Number of the table that comes out.
 * @property {number[]} left Its scope.
 */

/** Work that makes another order worth its search, by how many were tried. */
const DEAR = [0, 1 << 19, 1 << 21, 1 << 22, 1 << 22, 1 << 23];
const MOST_TRIES = 16;
const NOISE = 1.2;

/**
 * @param {Variable[]} variables
 * @param {number[][]} scopes Variables of each table.
 * @returns {{buckets: Bucket[], work: number}}
 */
export function findOrder(variables, scopes) {
  /** @type {{buckets: Bucket[], work: number}} */
  let best = { buckets: [], work: Infinity };
  const random = generator(1);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (best.work < (DEAR[tries] ?? DEAR[DEAR.length - 1])) break;
    const order = greedy(variables, scopes, tries ? random : () => 0);
    const found = bucketsOf(variables, scopes, order);
    if (found.work < best.work) best = found;
  }
  return best;
}

/**
 * Which tables meet where, in a given order.
 *
 * @param {Variable[]} variables
 * @param {number[][]} scopes
 * @param {number[]} order
 * @returns {{buckets: Bucket[], work: number}}
 */
function bucketsOf(variables, scopes, order) {
  const sizeOf = (/** @type {number[]} */ scope) => {
    let size = 1;
    for (const v of scope) size *= variables[v].size;
    return size;
  };
  /** Tables that are left, by variable. @type {Map<number, number[]>[]} */
  const over = variables.map(() => new Map());
  const put = (/** @type {number} */ number, /** @type {number[]} */ scope) => {
    for (const v of scope) over[v].set(number, scope);
  };
  scopes.forEach((scope, number) => put(number, scope));
  let work = 0;
  const joined = (/** @type {number} */ v, /** @type {[number, number[]][]} */ tables) => {
    const [[first, scope], ...rest] = tables;
    let left = scope;
    let cost = 0;
    const combine = rest.map(([two, other], i) => {
      const closes = variables[v].becomes < 0 && i === rest.length - 1;
      // The smaller table is the one that is prepared.
      const swapped = sizeOf(left) < sizeOf(other);
      const [big, small] = swapped ? [other, left] : [left, other];
      left = [...small.filter((u) => !big.includes(u)), ...big].filter((u) => !closes || u !== v);
      const meeting = small.filter((u) => u !== v && variables[u].closing !== null && big.includes(u));
      const own = closes ? variables[v].size : variables[v].closing ? 1.5 : 1;
      cost += sizeOf(left) * own * 1.5 ** meeting.length;
      return { two, big, small, swapped, scope: left, closes };
    });
    return { first, scope, combine, left, cost };
  };
  const buckets = order.map((v, at) => {
    const mine = [...over[v]].sort((a, b) => sizeOf(a[1]) - sizeOf(b[1]) || a[0] - b[0]);
    for (const [number, scope] of mine) for (const u of scope) over[u].delete(number);
    const { becomes, closing } = variables[v];
    // Small tables among themselves first, or one after the other onto the largest.
    const both = [mine, [mine[mine.length - 1], ...mine.slice(0, -1)]].map((tables) => joined(v, tables));
    const { first, scope, combine, cost, ...found } = both[0].cost <= both[1].cost ? both[0] : both[1];
    let { left } = found;
    work += cost;
    if (becomes >= 0) {
      // What it becomes may be there already: only equal states go on.
      const renamed = left.map((u) => (u === v ? becomes : u));
      left = [...new Set(renamed)];
      if (left.length < renamed.length) {
        combine.push({ two: -1, big: renamed, small: [], swapped: false, scope: left, closes: false });
        work += sizeOf(left);
      }
    } else if (!combine.length) {
      left = scope.filter((u) => u !== v);
      combine.push({ two: -1, big: scope, small: closing ? [v] : [], swapped: false, scope: left, closes: true });
      work += sizeOf(scope);
    }
    const result = scopes.length + at;
    put(result, left);
    return { variable: v, first, scope, combine, result, left };
  });
  // What hangs on nothing is a number already.
  scopes.forEach((scope, first) => {
    const result = scopes.length + buckets.length;
    if (!scope.length) buckets.push({ variable: -1, first, scope, combine: [], result, left: [] });
  });
  return { buckets, work };
}

/**
 * @param {Variable[]} variables
 * @param {number[][]} scopes
 * @param {() => number} random
 * @returns {number[]}
 */
function greedy(variables, scopes, random) {
  // Where meeting variables meet they cost as much as three states.
  const logs = Float64Array.from(variables, ({ size, closing }) => (closing ? 1.5 : Math.log2(size)));
  const near = new Neighbours(variables.length);
  for (const scope of scopes) near.connect(scope);
  // What a meeting variable becomes stands beside it, and waits for it.
  const waits = new Uint8Array(variables.length);
  variables.forEach(({ becomes }, v) => {
    if (becomes < 0) return;
    waits[becomes] = 1;
    near.connect([v, becomes]);
  });
  const cost = (/** @type {number} */ v) => {
    const ring = near.of(v);
    let size = logs[v];
    let fill = 0;
    for (const u of ring) {
      size += logs[u];
      fill += logs[u] * (near.missing(v, u) - 1);
    }
    return (fill - 0.2 * size) * (1 + NOISE * random());
  };
  const costs = Float64Array.from(variables, (_, v) => cost(v));
  const left = new Set(scopes.flat());
  /** @type {number[]} */
  const order = [];
  while (left.size) {
    let chosen = -1;
    for (const v of left) {
      if (!waits[v] && (chosen < 0 || costs[v] < costs[chosen])) chosen = v;
    }
    const ring = near.of(chosen);
    order.push(chosen);
    left.delete(chosen);
    if (variables[chosen].becomes >= 0) waits[variables[chosen].becomes] = 0;
    const changed = new Set(ring);
    for (const v of ring) {
      near.disconnect(v, chosen);
      // Nobody else is nearer or farther than before where all were connected already.
      if (near.missing(chosen, v) > 1) for (const u of near.of(v)) changed.add(u);
    }
    near.connect(ring);
    for (const v of changed) costs[v] = cost(v);
  }
  return order;
}

/** Which variables are connected, a bit each. */
class Neighbours {
  /** @param {number} count */
  constructor(count) {
    this.words = (count + 31) >> 5;
    this.bits = new Int32Array(count * this.words);
  }

  /** @param {number[]} ring */
  connect(ring) {
    for (const a of ring) {
      for (const b of ring) if (a !== b) this.bits[a * this.words + (b >> 5)] |= 1 << (b & 31);
    }
  }

  /**
   * @param {number} a
   * @param {number} b
   */
  disconnect(a, b) {
    this.bits[a * this.words + (b >> 5)] &= ~(1 << (b & 31));
  }

  /**
   * @param {number} v
   * @returns {number[]}
   */
  of(v) {
    const found = [];
    for (let word = 0, at = v * this.words; word < this.words; word++, at++) {
      for (let rest = this.bits[at]; rest !== 0; rest &= rest - 1) {
        found.push(32 * word + 31 - Math.clz32(rest & -rest));
      }
    }
    return found;
  }

  /**
   * How many neighbours of one variable are not those of another, itself counted.
   *
   * @param {number} v
   * @param {number} u
   */
  missing(v, u) {
    let count = 0;
    for (let word = 0, a = v * this.words, b = u * this.words; word < this.words; word++, a++, b++) {
      let rest = this.bits[a] & ~this.bits[b];
      rest -= (rest >>> 1) & 0x55555555;
      rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
      count += Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return count;
  }
}

/**
 * The same sequence of numbers from 0 to below 1 every time.
 *
 * @param {number} seed
 * @returns {() => number}
 */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
