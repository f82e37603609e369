// Answers cases with the program of a page: node page_answers.mjs PROGRAM DATA CASES OUT
import fs from "node:fs";
import vm from "node:vm";

const [program, data, cases, out] = process.argv.slice(2);
const read = (name) => fs.readFileSync(name, "utf8");
// A script of a browser may not declare these by let or const, and would not run at all.
for (const name of ["window", "document", "location", "top"]) {
  Object.defineProperty(globalThis, name, { value: undefined, configurable: false });
}
vm.runInThisContext(read(program));
const page = vm.runInThisContext(
  "({ makeKnowledge, diagnose, openQuestions, withFlags, addInformation, inOrder })",
);
const knowledge = page.makeKnowledge(JSON.parse(read(data)));
const { engine } = knowledge;
const by = (rows, key) => Object.fromEntries(rows.map((row) => [row.id, row[key]]));

const told = (given) => {
  const before = process.cpuUsage();
  const found = page.diagnose(engine, given);
  const { user, system } = process.cpuUsage(before);
  const { urgency } = found;
  return {
    status: found.status,
    urgency: engine.judging.levels[urgency.level],
    logEvidence: found.logEvidence,
    posterior: by(found.rows, "posterior"),
    explains: by(found.rows, "explains"),
    groups: by(found.groups, "posterior"),
    shortlist: Object.fromEntries(found.shortlist.map(({ row, why }) => [row.id, why])),
    flags: urgency.flags.map(({ rule, fired, because, notAsked }) => [
      rule.id,
      fired ? "fired" : "open",
      because,
      notAsked,
    ]),
    calls: urgency.calls.map(({ cause, because }) => [cause.id, because]),
    askFirst: found.askFirst.map(({ cause, findings }) => [cause.id, findings]),
    texts: [...found.pitfalls, ...found.management].map(({ id }) => id),
    clashes: found.named,
    milliseconds: (user + system) / 1000,
  };
};

const questions = async (given) => {
  const open = page.openQuestions(engine, given, new Set(), null);
  const ranked = page.withFlags(engine, given, open, page.diagnose(engine, given));
  await page.addInformation(engine, given, ranked, async () => {});
  return page.inOrder(ranked).map(({ question, level, information }) => [
    question.id,
    engine.judging.levels[level] ?? "",
    information,
  ]);
};

const found = [];
for (const { given, ask } of JSON.parse(read(cases)).map((one) => (Array.isArray(one) ? { given: one } : one))) {
  found.push(ask ? await questions(given) : told(given));
}
fs.writeFileSync(out, JSON.stringify(found));
