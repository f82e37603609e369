/**
 * How soon somebody should act: by rules on what was found, and by danger scores that no positive
 * finding lowers. Neither looks at posteriors, so an impossible case is judged as well.
 *
 * @typedef {import("./model.mjs").Network} Network
 * @typedef {import("./conditions.mjs").Facts} Facts
 * @typedef {import("./conditions.mjs").Gate} Gate
 *
 * @typedef {{id: string, level: number, title: string, advice: string, sources: number[], basis: string,
 *   when: Gate}} Rule
 * @typedef {{cause: number, present: number, absent: number, beyond: number, sharp: number}} Term
 * @typedef {{finding: string, terms: Term[]}} Level
 *   `beyond` is what a present finding tells against the ordinary cause that is most alike.
 * @typedef {{id: string, at: number, level: number, ratio: number, threshold: number}} Dangerous
 * @typedef {{shut: number, causes: Dangerous[], scales: Level[][]}} TriageData By scale
 *   the levels of an ordinal finding, rising, or one finding.
 *
 * @typedef {{rule: Rule, fired: boolean, because: string[], notAsked: string[]}} Flag
 * @typedef {{cause: Dangerous, expectedLoss: number, because: string[]}} Call
 * @typedef {{level: number, flags: Flag[], calls: Call[]}} Urgency
 */

import { priorGiven } from "./cause_weights.mjs";
import { trueLeaves, truth, unknownSubjects } from "./conditions.mjs";

/**
 * @param {{levels: string[], rules: Rule[], triage: TriageData}} data
 * @param {Network} network
 * @param {Facts} facts
 * @returns {Urgency}
 */
export function judge(data, network, facts) {
  const flags = data.rules.flatMap((rule) => {
    const held = truth(rule.when, facts);
    if (!held) return [];
    const fired = held === 1;
    const because = fired ? trueLeaves(rule.when, facts) : [];
    return [{ rule, fired, because, notAsked: fired ? [] : unknownSubjects(rule.when, facts) }];
  });
  flags.sort((a, b) => Number(b.fired) - Number(a.fired) || a.rule.level - b.rule.level);
  const calls = dangerCalls(data.triage, network, facts);
  // The most pressing rule that fired is now the first, else it is routine; triage raises it and never lowers it.
  const byRules = flags[0]?.fired ? flags[0].rule.level : data.levels.indexOf("routine");
  return { level: Math.min(byRules, ...calls.map(({ cause }) => cause.level)), flags, calls };
}

/**
 * Dangerous causes that call for action, the greatest expected loss of waiting first.
 *
 * @param {TriageData} triage
 * @param {Network} network
 * @param {Facts} facts
 * @returns {Call[]}
 */
function dangerCalls(triage, network, facts) {
  const known = Int8Array.from(network.risks, ({ id }) => facts.get(id) ?? -1);
  const score = triage.causes.map(({ at }) => {
    const prior = priorGiven(network, at, known);
    return Math.log(prior) - Math.log1p(-prior);
  });
  const against = { anybody: triage.causes.map(() => 0), twin: triage.causes.map(() => 0) };
  const speaks = triage.causes.map(() => false);
  for (const levels of triage.scales) {
    // Only the highest level reached, and the lowest one missed.
    const reached = [...levels].reverse().find(({ finding }) => facts.get(finding) === 1);
    const missed = levels.find(({ finding }) => facts.get(finding) === 0);
    for (const { cause, present, beyond, sharp } of reached?.terms ?? []) {
      against.anybody[cause] += present;
      against.twin[cause] += beyond;
      if (sharp) speaks[cause] = true;
    }
    for (const { cause, absent } of missed?.terms ?? []) score[cause] += absent;
  }
  const calls = triage.causes.flatMap((cause, k) => {
    // Risks alone call for nothing.
    if (!speaks[k] && against.anybody[k] <= 0) return [];
    const told = speaks[k] ? against.anybody[k] : against.twin[k] - Math.log(triage.shut);
    const weighed = 1 / (1 + Math.exp(-(score[k] + told)));
    if (!(weighed >= cause.threshold)) return [];
    const because = telling(triage, k).filter((finding) => facts.get(finding) === 1);
    return [{ cause, expectedLoss: weighed * cause.ratio, because }];
  });
  return calls.sort((a, b) => b.expectedLoss - a.expectedLoss);
}

/**
 * Findings that discriminate a cause, those that tell most first.
 *
 * @param {TriageData} triage
 * @param {number} k
 * @returns {string[]}
 */
function telling(triage, k) {
  const found = triage.scales.flat().flatMap(({ finding, terms }) =>
    terms.filter(({ cause, sharp }) => cause === k && sharp).map(({ present }) => ({ finding, present })),
  );
  return found.sort((a, b) => b.present - a.present).map(({ finding }) => finding);
}

/**
 * Dangerous causes of this posterior for which only what was not asked could speak, with that.
 *
 * @param {TriageData} triage
 * @param {Facts} facts
 * @param {Call[]} calls
 * @param {(cause: Dangerous) => number} posterior
 * @returns {{cause: Dangerous, findings: string[]}[]}
 */
export function askFirst(triage, facts, calls, posterior) {
  return triage.causes.flatMap((cause, k) => {
    if (calls.some((call) => call.cause === cause) || posterior(cause) < cause.threshold) return [];
    const findings = telling(triage, k).filter((finding) => !facts.has(finding));
    return findings.length ? [{ cause, findings }] : [];
  });
}
