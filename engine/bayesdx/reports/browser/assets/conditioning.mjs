/**
 * What is known of one case, made a graph of factors: variables, and tables over some of them.
 *
 * A cause is an ordinary variable with two states, an unknown risk that several causes share one with
 * its own. A cause that no finding ties is summed out before an order is looked for: it is a factor on
 * its risks, one with those that hang on the same. Absent findings and "at most a level" are factors on
 * active causes. A finding that is present or soft is a *meeting* variable: every link, and the leak,
 * contributes a table over its two states, not reached and reached; contributions meet by "or"
 * (convergent variables of Zhang and Poole 1996, JAIR 5:301-328), and the likelihood of what was seen
 * closes it. Inhibitors meet in a variable of their own, whose state then says whether the leak of their
 * finding acts. All numbers are 0 or more and only sums of products of them are taken, so that no digits
 * are lost however many findings are present.
 *
 * "Or" costs three products where an ordinary variable costs two. Where few digits are lost by it, a
 * finding is a *difference* instead, an ordinary variable: its states are "not reached" and "either",
 * contributions are multiplied state by state, and the likelihood of what was seen is
 * (l0 - l1) not + l1 either. Nothing is lost where l0 >= l1. How much was lost is measured later.
 *
 * @typedef {import("./model.mjs").Network} Network
 * @typedef {import("./model.mjs").Finding} Finding
 *
 * @typedef {object} Evidence
 * @property {Float64Array} findings 0 absent, 1 present, in between soft, NaN not known.
 * @property {Int8Array} lower Lowest level of each ordinal finding that fits.
 * @property {Int8Array} upper
 * @property {Int8Array} risks State, -1 not known.
 *
 * @typedef {object} Variable
 * @property {string} name
 * @property {number} size
 * @property {[number, number] | null} closing Of a meeting variable the likelihoods of not reached and
 *   reached; null for an ordinary one.
 * @property {number} becomes The ordinary variable that a meeting one becomes once all of it is known.
 *
 * @typedef {object} Factor
 * @property {number[]} scope Variables, the last one fastest.
 * @property {Float64Array} table By joint state and lane.
 * @property {number[]} of Causes whose weights it is made of: a single one that is in its scope or, of causes
 *   that no finding ties and that hang on the same risks, what each adds up to, multiplied.
 *
 * @typedef {object} Link A cause that may have produced a finding which is present for certain.
 * @property {number} cause
 * @property {number} strength
 * @property {number} weight Of the finding.
 * @property {number} factor Position of its table, over cause and finding.
 * @property {boolean} differs Whether the finding is a difference.
 *
 * @typedef {object} Seen A finding that is present or soft, or "at least a level".
 * @property {string} id
 * @property {[number, number]} closing Likelihoods of what was seen if it is not reached, and if it is.
 * @property {number} leak
 * @property {{cause: number, strength: number}[]} links
 * @property {{cause: number, factor: number}[]} inhibitors
 * @property {number} weight -1 where it is not present for certain.
 * @property {number} loss How many times larger than their sum the terms of a difference are.
 *
 * @typedef {object} Lanes The same case under several assumptions, side by side.
 * @property {number} count
 * @property {Float64Array | null} on Factors on the weights of active causes, (causes, lanes).
 * @property {({risk: number, state: number} | null)[] | null} held A risk held at a state, by lane.
 *
 * @typedef {object} Problem
 * @property {Variable[]} variables The causes first; those that no finding ties are in no scope.
 * @property {Factor[]} factors
 * @property {Float64Array[]} weights Of each cause: it is absent and it is present, by its risks and lane.
 * @property {Link[]} links
 * @property {number} causes How many there are.
 * @property {number} lanes
 * @property {number} logScale
 */

import { sliced, summedOut, weigh } from "./cause_weights.mjs";

/** One lane in which nothing is assumed. @type {Lanes} */
export const AS_IT_IS = { count: 1, on: null, held: null };

/** Whether the leak of a finding acts decides by itself. */
const OPEN = /** @type {[number, number]} */ ([1, 1]);

/**
 * @param {Network} network
 * @returns {Evidence}
 */
export function noEvidence(network) {
  return {
    findings: new Float64Array(network.findings.length).fill(NaN),
    lower: new Int8Array(network.ordinals.length),
    upper: Int8Array.from(network.ordinals, (one) => one.size - 1),
    risks: new Int8Array(network.risks.length).fill(-1),
  };
}

/**
 * @param {Network} network
 * @param {Evidence} evidence
 * @param {Lanes} lanes
 * @param {number} mostLost What differences may lose together: at most the digits of such a number.
 * @returns {Problem}
 */
export function condition(network, evidence, lanes = AS_IT_IS, mostLost = 1) {
  const on = new Float64Array(network.causes.length).fill(1);
  let logScale = 0;
  network.findings.forEach((finding, f) => {
    if (evidence.findings[f] === 0.5) logScale += Math.log(0.5);
    if (evidence.findings[f] !== 0) return;
    for (const { cause } of finding.links) on[cause] *= finding.absent[cause];
    logScale += Math.log(finding.absentLeak);
  });
  network.ordinals.forEach((ordinal, o) => {
    const high = evidence.upper[o];
    if (high === ordinal.size - 1) return;
    ordinal.causes.forEach((cause, i) => {
      on[cause] *= 1 - ordinal.exceed[i][high];
    });
    logScale += Math.log(1 - ordinal.leak[high]);
  });
  network.risks.forEach((risk, r) => {
    if (evidence.risks[r] >= 0) logScale += Math.log(risk.prior[evidence.risks[r]]);
  });
  const builder = new Builder(network, evidence, lanes, on);
  const every = [
    ...network.findings.flatMap((finding, f) => builder.findingSeen(finding, evidence.findings[f])),
    ...network.ordinals.flatMap((ordinal, o) => builder.levelSeen(ordinal, evidence.lower[o], evidence.upper[o])),
  ];
  let left = mostLost;
  for (const seen of every.sort((a, b) => a.loss - b.loss)) builder.addSeen(seen, (left /= seen.loss) >= 1);
  builder.addCauses();
  const { variables, factors, links, weights } = builder;
  return { variables, factors, links, weights, causes: on.length, lanes: lanes.count, logScale };
}

class Builder {
  /**
   * @param {Network} network
   * @param {Evidence} evidence
   * @param {Lanes} lanes
   * @param {Float64Array} on
   */
  constructor(network, evidence, lanes, on) {
    this.lanes = lanes.count;
    /** @type {Variable[]} */
    this.variables = network.causes.map(() => ordinary("", 2));
    /** @type {Factor[]} */
    this.factors = [];
    /** @type {Link[]} */
    this.links = [];
    /** Variables of unknown risks that several causes share. @type {Map<number, number>} */
    const shared = new Map();
    network.risks.forEach((risk, r) => {
      if (evidence.risks[r] < 0 && network.shared[r]) {
        shared.set(r, this.variables.push(ordinary(risk.id, risk.prior.length)) - 1);
      }
    });
    /** @type {Float64Array[]} */
    this.weights = [];
    /** Unknown risks of each cause. @type {number[][]} */
    this.hangs = [];
    // How probable a cause roughly is, 0 where it cannot be; what lanes assume changes no structure.
    this.rough = network.causes.map((_, c) => {
      const plain = sliced(network, c, evidence.risks, shared);
      const { scope, table } = weigh(network, evidence.risks, lanes, shared, plain, c, on[c]);
      this.hangs.push(scope);
      this.weights.push(table);
      const mean = plain.reduce((sum, p) => sum + p, 0) / plain.length;
      return mean > 0 ? (mean * on[c]) / (1 - mean + mean * on[c]) : 0;
    });
    for (const [r, v] of shared) this.addRisk(network.risks[r].prior, r, v, lanes);
  }

  /**
   * @param {number[]} scope
   * @param {number[]} table The same in all lanes.
   */
  add(scope, table) {
    const n = this.lanes;
    const wide = new Float64Array(table.length * n);
    table.forEach((value, i) => wide.fill(value, i * n, (i + 1) * n));
    return this.factors.push({ scope, table: wide, of: [] }) - 1;
  }

  /** Once all that ties causes is there. */
  addCauses() {
    const tied = new Set(this.factors.flatMap(({ scope }) => scope));
    /** Causes that nothing ties, by their risks. @type {Map<string, number[]>} */
    const alike = new Map();
    this.hangs.forEach((scope, c) => {
      const key = String(scope);
      if (tied.has(c)) this.factors.push({ scope: [c, ...scope], table: this.weights[c], of: [c] });
      else if (!alike.get(key)?.push(c)) alike.set(key, [c]);
    });
    for (const of of alike.values()) {
      this.factors.push({ scope: this.hangs[of[0]], table: summedOut(this.weights, of, []), of });
    }
  }

  /**
   * @param {string} name
   * @param {[number, number]} closing
   */
  meeting(name, closing) {
    return this.variables.push({ name, size: 2, closing, becomes: -1 }) - 1;
  }

  /**
   * @param {number[]} prior
   * @param {number} r
   * @param {number} v
   * @param {Lanes} lanes
   */
  addRisk(prior, r, v, lanes) {
    const { table } = this.factors[this.add([v], prior)];
    lanes.held?.forEach((held, lane) => {
      if (held?.risk !== r) return;
      for (let s = 0; s < prior.length; s++) if (s !== held.state) table[s * this.lanes + lane] = 0;
    });
  }

  /**
   * @param {number} cause
   * @param {number} target
   * @param {number} strength
   * @param {number} weight
   * @param {boolean} differs
   */
  addLink(cause, target, strength, weight, differs = false) {
    if (!(strength > 0) || !this.rough[cause]) return;
    const table = differs ? [1, 1, 1 - strength, 1] : [1, 0, 1 - strength, strength];
    const factor = this.add([cause, target], table);
    if (weight >= 0) this.links.push({ cause, strength, weight, factor, differs });
  }

  /**
   * A finding that is present or soft; an absent one whose inhibitors couple is added at once.
   *
   * @param {Finding} finding
   * @param {number} l1 Likelihood of what was seen if the finding is present.
   * @returns {Seen[]}
   */
  findingSeen({ id, leak, links, coupled, weight }, l1) {
    if (Number.isNaN(l1) || l1 === 0.5) return [];
    const inhibitors = links.filter(({ cause, factor }) => factor < 1 && this.rough[cause]);
    if (l1 === 0 && coupled) this.addSuppressed(id, inhibitors, [1 - leak, 1]);
    if (l1 === 0) return [];
    return [this.seen(id, [1 - l1, l1], leak, links, inhibitors, l1 === 1 ? weight : -1)];
  }

  /**
   * @param {string} id
   * @param {[number, number]} closing
   * @param {number} leak
   * @param {Seen["links"]} links
   * @param {Seen["inhibitors"]} inhibitors
   * @param {number} weight
   * @returns {Seen}
   */
  seen(id, closing, leak, links, inhibitors, weight) {
    const [l0, l1] = closing;
    const not = links.reduce((left, { cause, strength }) => left * (1 - strength * this.rough[cause]), 1 - leak);
    const loss = 1 + (2 * Math.max(l1 - l0, 0) * not) / (l0 * not + l1 * (1 - not));
    return { id, closing, leak, links, inhibitors, weight, loss };
  }

  /**
   * @param {Seen} seen
   * @param {boolean} differs
   */
  addSeen({ id, closing, leak, links, inhibitors, weight }, differs) {
    const v = differs ? this.variables.push(ordinary(id, 2)) - 1 : this.meeting(id, closing);
    for (const { cause, strength } of links) this.addLink(cause, v, strength, weight, differs);
    const [l0, l1] = closing;
    const acts = (/** @type {number} */ p) => (differs ? [(l0 - l1) * (1 - p), l1] : [1 - p, p]);
    if (inhibitors.length === 0) this.add([v], acts(leak));
    else if (inhibitors.length === 1) {
      this.add([inhibitors[0].cause, v], [...acts(leak), ...acts(leak * inhibitors[0].factor)]);
    } else {
      const suppressed = this.addSuppressed(id, inhibitors, OPEN);
      const known = this.variables.push(ordinary(id, 2)) - 1;
      this.variables[suppressed].becomes = known;
      this.add([known, v], [...acts(leak), ...acts(0)]);
    }
  }

  /**
   * Where inhibitors meet: some of them suppresses the leak, or none does.
   *
   * @param {string} name
   * @param {{cause: number, factor: number}[]} inhibitors
   * @param {[number, number]} closing
   */
  addSuppressed(name, inhibitors, closing) {
    const v = this.meeting(name, closing);
    this.add([v], [1, 0]);
    for (const { cause, factor } of inhibitors) this.addLink(cause, v, 1 - factor, -1);
    return v;
  }

  /**
   * "At least a level", given "at most another":
   * P(low <= Y <= high) = P(Y <= high) (1 - P(Y < low) / P(Y <= high)).
   *
   * @param {import("./model.mjs").Ordinal} ordinal
   * @param {number} low
   * @param {number} high
   * @returns {Seen[]}
   */
  levelSeen({ id, size, leak, causes, exceed, weights }, low, high) {
    if (low === 0) return [];
    const strength = (/** @type {number[]} */ levels) =>
      high === size - 1 ? levels[low - 1] : remaining(levels[low - 1], levels[high]);
    const links = causes.map((cause, i) => ({ cause, strength: strength(exceed[i]) }));
    return [this.seen(id, [0, 1], strength(leak), links, [], weights[low][high])];
  }
}

/**
 * @param {string} name
 * @param {number} size
 * @returns {Variable}
 */
function ordinary(name, size) {
  return { name, size, closing: null, becomes: -1 };
}

/**
 * @param {number} reachedBy
 * @param {number} passedBy
 * @returns {number}
 */
function remaining(reachedBy, passedBy) {
  return passedBy < 1 ? (reachedBy - passedBy) / (1 - passedBy) : 0;
}
