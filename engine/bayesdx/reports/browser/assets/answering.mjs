/**
 * One case: how probable each cause is, what explains the picture, how soon to act, what to read.
 *
 * @typedef {import("./model.mjs").Network} Network
 * @typedef {import("./reading.mjs").Given} Given
 * @typedef {import("./reading.mjs").ReadingData} ReadingData
 * @typedef {import("./conditioning.mjs").Evidence} Evidence
 * @typedef {import("./texts.mjs").TextsData} TextsData
 * @typedef {{by_share: number, by_fit: number, little: number, unusual: number, digits: number,
 *   words: Record<string, string>}} ShortlistData
 * @typedef {ReadingData & {levels: string[], rules: import("./urgency.mjs").Rule[],
 *   triage: import("./urgency.mjs").TriageData, shortlist: ShortlistData, pitfalls: TextsData,
 *   management: TextsData, questions: import("./asking.mjs").Question[], complaints: string[],
 *   askers: {id: string, label: string, asks: string[]}[]}} JudgingData
 *
 * @typedef {{network: Network, judging: JudgingData}} Engine
 *
 * @typedef {object} Row A cause as people see it; the last one stands for "no modelled cause".
 * @property {string} id
 * @property {string} label
 * @property {number} prior
 * @property {number} posterior
 * @property {number} ratio Posterior odds over prior odds.
 * @property {number} explains Share of the picture that it is credited with.
 *
 * @typedef {object} Answer
 * @property {"ok" | "no_findings" | "impossible" | "too_complex" | "contradiction"} status
 * @property {number} logEvidence
 * @property {Row[]} rows
 * @property {{id: string, label: string, kind: string, prior: number, posterior: number}[]} groups
 * @property {{row: Row, why: string}[]} shortlist
 * @property {import("./urgency.mjs").Urgency} urgency
 * @property {{cause: import("./urgency.mjs").Dangerous, findings: string[]}[]} askFirst
 * @property {import("./texts.mjs").TextData[]} pitfalls
 * @property {import("./texts.mjs").TextData[]} management
 * @property {string[]} named What clashes, couples too much or contradicts itself.
 * @property {Map<string, number>} facts
 */

import { AS_IT_IS, condition, noEvidence } from "./conditioning.mjs";
import { MOST_WORK, eliminate, makePlan, missing, shareWithout } from "./elimination.mjs";
import { readCase } from "./reading.mjs";
import { shownTexts } from "./texts.mjs";
import { askFirst, judge } from "./urgency.mjs";

/** What differences may lose as it seems before, and what may be missing in the end. */
const MOST_LOST = 1000;
const MOST_MISSING = 1e-13;

/**
 * @param {Engine} engine
 * @param {Given[]} given
 * @returns {Answer}
 */
export function diagnose({ network, judging }, given) {
  const { evidence, facts, contradicted } = readCase(network, judging, given);
  const urgency = judge(judging, network, facts);
  const weight = contradicted.length ? null : weighed(network, evidence);
  const found = weight && weight.found;
  const possible = found !== null && found.log[0] > -Infinity;
  /** @type {Answer["status"]} */
  let status = given.length ? "ok" : "no_findings";
  let named = contradicted;
  if (contradicted.length) status = "contradiction";
  else if (weight && !found) [status, named] = ["too_complex", coupled(weight.problem)];
  else if (!possible) [status, named] = ["impossible", smallestClash(network, evidence)];
  // P(every member of a group is absent | evidence), and last P(no modelled cause is present).
  const sets = [...network.groups.map(({ members }) => members), network.shown.map(({ at }) => at)];
  const without = possible && weight ? sets.map((members) => shareWithout(weight.problem, weight.plan, found, members)) : null;
  const rows = rowsOf(network, evidence, found, without);
  const groups = network.groups.map(({ id, label, kind, prior }, g) => {
    const posterior = without ? clip(1 - without[g]) : prior;
    return { id, label, kind, prior, posterior };
  });
  const ok = status === "ok";
  const leading = rows.slice(0, -1).reduce((best, row) => (row.posterior > best.posterior ? row : best));
  const matter = {
    facts,
    causes: new Map(ok ? rows.map((row) => [row.id, row.posterior]) : []),
    drivers: new Map(ok ? groups.map((group) => [group.id, group.posterior]) : []),
    leading: ok ? leading.id : null,
  };
  const posterior = new Map(rows.map((row) => [row.id, row.posterior]));
  return {
    status,
    logEvidence: found ? found.log[0] : -Infinity,
    rows,
    groups,
    shortlist: ok ? shortList(judging.shortlist, rows.slice(0, -1)) : [],
    urgency,
    askFirst: ok
      ? askFirst(judging.triage, facts, urgency.calls, ({ id }) => posterior.get(id) ?? 0)
      : [],
    pitfalls: shownTexts(judging.pitfalls, matter),
    management: shownTexts(judging.management, matter),
    named,
    facts,
  };
}

/**
 * @param {Network} network
 * @param {Evidence} evidence
 * @param {number} mostLost
 * @returns {{problem: import("./conditioning.mjs").Problem, plan: import("./elimination.mjs").Plan,
 *   found: import("./elimination.mjs").Found | null}} Nothing found where the work is too much.
 */
function weighed(network, evidence, mostLost = MOST_LOST) {
  const problem = condition(network, evidence, AS_IT_IS, mostLost);
  const plan = makePlan(problem);
  const found = plan.work > MOST_WORK ? null : eliminate(problem, plan, true);
  // Nothing is lost the second time. What differences call impossible may be possible as well.
  const again = mostLost > 1 && found !== null && !(missing(problem, found) < MOST_MISSING);
  return again ? weighed(network, evidence, 1) : { problem, plan, found };
}

/**
 * Findings and unknown risks that couple causes.
 *
 * @param {import("./conditioning.mjs").Problem} problem
 */
function coupled({ variables, causes }) {
  return [...new Set(variables.slice(causes).map(({ name }) => name))];
}

/**
 * @param {Network} network
 * @param {Evidence} evidence
 * @param {import("./elimination.mjs").Found | null} found
 * @param {number[] | null} without
 * @returns {Row[]}
 */
function rowsOf(network, evidence, found, without) {
  const total = picture(network, evidence);
  const claimed = found ? Math.max(total, sum(found.credit)) : 0;
  let left = 1;
  const rows = network.shown.map(({ id, label, at, prior }) => {
    if (!found || !without) return { id, label, prior, posterior: prior, ratio: 1, explains: 0 };
    const posterior = at < 0 ? 0 : Math.min(found.posterior[at], 1);
    const explains = at < 0 || !(claimed > 0) ? 0 : found.credit[at] / claimed;
    left -= explains;
    return { id, label, prior, posterior, ratio: oddsRatio(prior, posterior), explains };
  });
  const prior = network.unexplained;
  const posterior = without ? Math.min(without[without.length - 1], 1) : prior;
  const last = { id: "unexplained", label: "No modelled cause", prior, posterior };
  rows.push({ ...last, ratio: oddsRatio(prior, posterior), explains: clip(left) });
  return rows;
}

/**
 * Sum of the weights of the findings that are present for certain.
 *
 * @param {Network} network
 * @param {Evidence} evidence
 */
function picture(network, evidence) {
  const findings = network.findings.map(({ weight }, f) => (evidence.findings[f] === 1 ? weight : 0));
  const ordinals = network.ordinals.map(({ weights }, o) => weights[evidence.lower[o]][evidence.upper[o]]);
  return sum(findings) + sum(ordinals);
}

/**
 * What is shown first: causes by the share of the picture that they explain, then others whose odds
 * rose most.
 *
 * @param {ShortlistData} data
 * @param {Row[]} every
 * @returns {{row: Row, why: string}[]}
 */
function shortList(data, every) {
  const rows = every.filter((row) => row.posterior > 0);
  const { by_share: byShare, by_fit: byFit, words } = data;
  if (!rows.some((row) => row.explains > 0)) {
    const first = sorted(rows, ["posterior"], data.digits).slice(0, byShare + byFit);
    return first.map((row) => ({ row, why: words.nothing }));
  }
  const first = sorted(rows, ["explains", "posterior"], data.digits).slice(0, byShare);
  const risen = 1 + 0.5 * 10 ** -data.digits;
  const others = rows.filter((row) => row.ratio > risen && !first.includes(row));
  const fitting = sorted(others, ["ratio", "explains", "posterior"], data.digits).slice(0, byFit);
  const usual = Math.max(...first.map((row) => row.prior));
  return [
    ...first.map((row, at) => {
      const word = at === 0 && row.explains < data.little ? words.little : words.share;
      return { row, why: word.replace("{}", halfEven(100 * row.explains)) };
    }),
    ...fitting.map((row) => {
      const fits = row.ratio >= data.unusual ? "unusual" : "risen";
      return { row, why: words[row.prior < usual ? `rarer_${fits}` : fits] };
    }),
  ];
}

/**
 * @param {Row[]} rows
 * @param {("explains" | "posterior" | "ratio")[]} keys
 * @param {number} digits Behind the point that count.
 * @returns {Row[]}
 */
function sorted(rows, keys, digits) {
  const unit = 10 ** digits;
  const rounded = (/** @type {number} */ value) => Math.round(value * unit) / unit;
  return [...rows].sort((a, b) => {
    for (const key of keys) {
      const [one, other] = [rounded(a[key]), rounded(b[key])];
      if (one !== other) return other - one;
    }
    return 0;
  });
}

/**
 * A smallest set of what is known that cannot occur together: things are left out one after the other
 * for as long as the rest stays impossible.
 *
 * @param {Network} network
 * @param {Evidence} evidence
 * @returns {string[]}
 */
function smallestClash(network, evidence) {
  const blank = noEvidence(network);
  /** @typedef {"findings" | "risks" | "ordinals"} Kind */
  /** @type {[Kind, number][]} */
  let kept = [
    ...positions(network.findings, (f) => !Number.isNaN(evidence.findings[f]), "findings"),
    ...positions(network.risks, (r) => evidence.risks[r] >= 0, "risks"),
    ...positions(
      network.ordinals,
      (o) => evidence.lower[o] > 0 || evidence.upper[o] < blank.upper[o],
      "ordinals",
    ),
  ];
  for (const item of kept) {
    const trial = kept.filter((one) => one !== item);
    const rest = noEvidence(network);
    for (const [kind, i] of trial) {
      if (kind === "findings") rest.findings[i] = evidence.findings[i];
      else if (kind === "risks") rest.risks[i] = evidence.risks[i];
      else [rest.lower[i], rest.upper[i]] = [evidence.lower[i], evidence.upper[i]];
    }
    const problem = condition(network, rest);
    if (eliminate(problem, makePlan(problem), false).log[0] === -Infinity) kept = trial;
  }
  return kept.map(([kind, i]) => network[kind][i].id);
}

/**
 * @template {string} K
 * @param {unknown[]} every
 * @param {(at: number) => boolean} chosen
 * @param {K} kind
 * @returns {[K, number][]}
 */
function positions(every, chosen, kind) {
  return every.flatMap((_, i) => (chosen(i) ? [/** @type {[K, number]} */ ([kind, i])] : []));
}

/**
 * Posterior odds over prior odds; 1 where both are 0 or both are 1.
 *
 * @param {number} prior
 * @param {number} posterior
 */
function oddsRatio(prior, posterior) {
  const ratio = posterior / (1 - posterior) / (prior / (1 - prior));
  return Number.isNaN(ratio) ? 1 : ratio;
}

/** A whole number of percent, halves to the even one. @param {number} value */
function halfEven(value) {
  const below = Math.floor(value);
  const up = value - below > 0.5 || (value - below === 0.5 && below % 2 === 1);
  return String(up ? below + 1 : below);
}

/** @param {number} value */
function clip(value) {
  return Math.min(Math.max(value, 0), 1);
}

/** @param {Iterable<number>} values */
function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
