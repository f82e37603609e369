/**
 * How probable causes are: given the risks that are known, over those that are not.
 *
 * @typedef {import("./model.mjs").Network} Network
 * @typedef {import("./conditioning.mjs").Lanes} Lanes
 */

/**
 * What causes add up to each, multiplied.
 *
 * @param {Float64Array[]} weights
 * @param {number[]} causes
 * @param {number[]} absent Of these only that they are absent.
 * @returns {Float64Array}
 */
export function summedOut(weights, causes, absent) {
  const half = weights[causes[0]].length / 2;
  const table = new Float64Array(half).fill(1);
  for (const c of causes) {
    const [out, own] = [absent.includes(c), weights[c]];
    for (let i = 0; i < half; i++) table[i] *= out ? own[i] : own[i] + own[half + i];
  }
  return table;
}

/**
 * Weights of one cause, over itself and its unknown shared risks; private unknown risks averaged.
 *
 * @param {Network} network
 * @param {Int8Array} known
 * @param {Lanes} lanes
 * @param {Map<number, number>} shared
 * @param {Float64Array} plain Its probabilities where nothing is assumed.
 * @param {number} c
 * @param {number} on
 * @returns {{scope: number[], table: Float64Array}} It is absent in the first half, present in the second.
 */
export function weigh(network, known, lanes, shared, plain, c, on) {
  const { risks } = network.causes[c];
  const n = lanes.count;
  const size = plain.every((p) => p === plain[0]) ? 1 : plain.length;
  const table = new Float64Array(2 * size * n);
  for (let lane = 0; lane < n; lane++) {
    const held = lanes.held?.[lane] ?? null;
    const here = held && risks.includes(held.risk) && !shared.has(held.risk) ? held : null;
    const given = here ? sliced(network, c, heldAt(known, here), shared) : plain;
    const scale = here ? network.risks[here.risk].prior[here.state] : 1;
    const factor = on * (lanes.on ? lanes.on[c * n + lane] : 1) * scale;
    for (let j = 0; j < size; j++) {
      table[j * n + lane] = (1 - given[j]) * scale;
      table[(size + j) * n + lane] = given[j] * factor;
    }
  }
  return { scope: size === 1 ? [] : risks.flatMap((r) => shared.get(r) ?? []), table };
}

/**
 * @param {Int8Array} known
 * @param {{risk: number, state: number}} held
 */
function heldAt(known, held) {
  return known.map((state, r) => (r === held.risk ? held.state : state));
}

/**
 * P(cause | risks that are kept): known risks sliced, the others averaged.
 *
 * @param {Network} network
 * @param {number} c
 * @param {Int8Array} known
 * @param {{has: (risk: number) => boolean}} kept
 * @returns {Float64Array}
 */
export function sliced(network, c, known, kept) {
  const { risks, sizes, table } = network.causes[c];
  let now = table;
  let behind = 1;
  // The last axis first, so that what lies behind an axis is what was left of the later ones.
  for (let axis = risks.length - 1; axis >= 0; axis--) {
    const size = sizes[axis];
    if (kept.has(risks[axis])) {
      behind *= size;
      continue;
    }
    const state = known[risks[axis]];
    const { prior } = network.risks[risks[axis]];
    const next = new Float64Array(now.length / size);
    for (let i = 0; i < next.length; i++) {
      const at = Math.floor(i / behind) * behind * size + (i % behind);
      if (state >= 0) next[i] = now[at + state * behind];
      else for (let s = 0; s < size; s++) next[i] += prior[s] * now[at + s * behind];
    }
    now = next;
  }
  return now;
}

/**
 * P(cause | the known risks), the others averaged.
 *
 * @param {Network} network
 * @param {number} c
 * @param {Int8Array} known
 * @returns {number}
 */
export function priorGiven(network, c, known) {
  return sliced(network, c, known, new Set())[0];
}
