/**
 * The network as it is computed with: what the data says, laid out once.
 *
 * @typedef {{id: string, prior: number[]}} RiskData
 * @typedef {{risks: number[], values: number[], at: number[]}} CauseData
 * @typedef {{id: string, leak: number, causes: number[], strengths: number[],
 *   inhibitors: number[], factors: number[], weight: number}} FindingData
 * @typedef {{id: string, leak: number[], causes: number[], exceed: number[][],
 *   thresholds: [string, number][], weights: number[][]}} OrdinalData
 * @typedef {{id: string, label: string, kind: string, members: number[], prior: number}} GroupData
 * @typedef {{id: string, label: string, description: string, at: number, prior: number}} ShownData
 * @typedef {{risks: RiskData[], causes: CauseData[], findings: FindingData[], ordinals: OrdinalData[],
 *   groups: GroupData[], shown: ShownData[], unexplained: number}} NetworkData
 *
 * @typedef {object} Link What an active cause does to an axis; see sweep.mjs.
 * @property {number} cause
 * @property {number} strength
 * @property {number} factor What an inhibitor leaves of the leak; 1 where it is none.
 *
 * @typedef {object} Finding
 * @property {string} id
 * @property {number} leak
 * @property {number} weight
 * @property {Link[]} links
 * @property {boolean} inhibited
 * @property {boolean} coupled Whether its absence couples causes.
 * @property {Float64Array} absent What "absent" leaves of the weight of each active cause.
 * @property {number} absentLeak
 * @property {number} bound P(present) when every cause is.
 *
 * @typedef {object} Cause
 * @property {number[]} risks
 * @property {number[]} sizes
 * @property {Float64Array} table P(present | risks), the last risk fastest.
 *
 * @typedef {object} Ordinal
 * @property {string} id
 * @property {number[]} leak By level, of going beyond it.
 * @property {number[]} causes
 * @property {number[][]} exceed By cause, by level.
 * @property {[string, number][]} thresholds
 * @property {number[][]} weights
 * @property {number} size
 *
 * @typedef {object} Network
 * @property {RiskData[]} risks
 * @property {Cause[]} causes
 * @property {Finding[]} findings
 * @property {Ordinal[]} ordinals
 * @property {GroupData[]} groups
 * @property {ShownData[]} shown
 * @property {number} unexplained
 * @property {boolean[]} shared Whether more than one cause depends on a risk.
 */

/**
 * @param {NetworkData} data
 * @returns {Network}
 */
export function makeNetwork(data) {
  const uses = data.risks.map(() => 0);
  for (const cause of data.causes) for (const r of cause.risks) uses[r] += 1;
  return {
    risks: data.risks,
    causes: data.causes.map((cause) => ({
      risks: cause.risks,
      sizes: cause.risks.map((r) => data.risks[r].prior.length),
      table: Float64Array.from(cause.at, (at) => cause.values[at]),
    })),
    findings: data.findings.map((finding) => makeFinding(finding, data.causes.length)),
    ordinals: data.ordinals.map((one) => ({ ...one, size: one.leak.length + 1 })),
    groups: data.groups,
    shown: data.shown,
    unexplained: data.unexplained,
    shared: uses.map((count) => count > 1),
  };
}

/**
 * @param {FindingData} data
 * @param {number} nCauses
 * @returns {Finding}
 */
function makeFinding(data, nCauses) {
  /** @type {Map<number, Link>} */
  const links = new Map();
  data.causes.forEach((cause, i) => {
    links.set(cause, { cause, strength: data.strengths[i], factor: 1 });
  });
  data.inhibitors.forEach((cause, i) => {
    const link = links.get(cause) ?? { cause, strength: 0, factor: 1 };
    links.set(cause, { ...link, factor: data.factors[i] });
  });
  const count = data.inhibitors.length;
  // A lone inhibitor is a factor on its cause; two of them act on one leak and are coupled by it.
  const coupled = count >= 2 || (count > 0 && data.leak >= 1);
  const absent = new Float64Array(nCauses).fill(1);
  let spared = 1 - data.leak;
  for (const { cause, strength, factor } of links.values()) {
    absent[cause] = 1 - strength;
    spared *= 1 - strength;
    if (factor < 1 && !coupled) absent[cause] *= (1 - data.leak * factor) / (1 - data.leak);
  }
  return {
    id: data.id,
    leak: data.leak,
    weight: data.weight,
    links: [...links.values()],
    inhibited: count > 0,
    coupled,
    absent,
    absentLeak: coupled ? 1 : 1 - data.leak,
    bound: 1 - spared,
  };
}
