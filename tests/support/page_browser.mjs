// Opens a page in headless Chromium, answers it by keyboard alone and writes down what happened:
// node page_browser.mjs PAGE CHROMIUM NODE_MODULES CASE PICTURES
import fs from "node:fs";
import { createRequire } from "node:module";

const [file, executablePath, modules, caseText, pictures] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
// Without these Chromium itself looks for its maker's servers.
const args = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const browser = await chromium.launch({ executablePath, args });

const opened = async (width, colorScheme) => {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const noted = { requests: [], errors: [] };
  page.on("request", (request) => noted.requests.push(request.url()));
  page.on("pageerror", (error) => noted.errors.push(String(error)));
  page.on("console", (message) => noted.errors.push(message.text()));
  await page.goto(`file://${file}`);
  await page.waitForSelector(".card h3");
  return { context, page, noted };
};

/** Press Tab until an element with this text has the focus; fails where none ever has. */
const tabTo = async (page, matches) => {
  for (let i = 0; i < 400; i++) {
    await page.keyboard.press("Tab");
    const [name, id] = await page.evaluate(() => [
      document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "",
      document.activeElement?.id ?? "",
    ]);
    if (matches(name, id)) return;
  }
  throw new Error(`not reached by keyboard: ${matches}`);
};
const card = (page) => page.textContent(".card h3");
const settled = async (page, before) => {
  await page.waitForFunction((text) => {
    const now = document.querySelector(".card h3")?.textContent;
    return now && now !== text && document.activeElement?.tagName === "H3";
  }, before);
};

/** Search for a question. */
const lookFor = async (page, label) => {
  await tabTo(page, (_, id) => id === "find");
  await page.keyboard.press("Control+A");
  await page.keyboard.type(label);
  await tabTo(page, (name) => name === label);
  await page.keyboard.press("Enter");
};

/** Answer a case by searching for each question. */
const answerCase = async (page, answers) => {
  for (const [label, word] of answers) {
    await lookFor(page, label);
    const before = await card(page);
    await tabTo(page, (name) => name === word);
    await page.keyboard.press("Enter");
    await settled(page, before);
  }
};

/** Say "not known" to every question until there is none, age aside. */
const interview = async (page) => {
  const put = [await card(page)];
  let limited = 0;
  await tabTo(page, (_, id) => id === "number");
  await page.keyboard.type("41");
  await page.keyboard.press("Enter");
  await settled(page, put[0]);
  for (;;) {
    const question = await card(page);
    if (question === "Nothing is left to ask") return { put, limited };
    if (question === "The interview is over") {
      limited = put.length;
      await tabTo(page, (name) => name === "Keep asking");
      await page.keyboard.press("Enter");
      await settled(page, question);
      continue;
    }
    put.push(question);
    await tabTo(page, (name) => name === "Not known, go on");
    await page.keyboard.press("Enter");
    await settled(page, question);
  }
};

const unfold = (page) =>
  page.evaluate(async () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
    await new Promise((done) => setTimeout(done, 100));
  });
const violations = async (page) => {
  const found = await page.evaluate(`${axe}; axe.run()`);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).slice(0, 3)}`);
};
const left = (page) =>
  page.evaluate(async () => ({
    url: location.href,
    cookies: document.cookie,
    stored: localStorage.length + sessionStorage.length + (await indexedDB.databases()).length,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
  }));

const result = { looks: [] };
for (const width of [320, 1200]) {
  for (const scheme of ["light", "dark"]) {
    const { context, page, noted } = await opened(width, scheme);
    const look = { width, scheme, violations: await violations(page) };
    await page.screenshot({ path: `${pictures}/${width}-${scheme}-start.png` });
    await answerCase(page, JSON.parse(caseText).emergency);
    await page.screenshot({ path: `${pictures}/${width}-${scheme}-emergency.png` });
    await page.selectOption("#owner", { index: 1 });
    await unfold(page);
    await page.screenshot({ path: `${pictures}/${width}-${scheme}-all.png`, fullPage: true });
    look.violations.push(...(await violations(page)));
    look.urgency = await page.textContent("#urgency");
    look.notice = await page.textContent("[role=alert]");
    result.looks.push({ ...look, ...noted, ...(await left(page)) });
    await context.close();
  }
}
{
  const { context, page, noted } = await opened(1200, "light");
  await answerCase(page, JSON.parse(caseText).case);
  await unfold(page);
  result.rows = await page.$$eval("section table tbody tr", (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)),
  );
  result.digest = await page.textContent("#digest");
  await tabTo(page, (name) => name === "Back");
  await page.keyboard.press("Enter");
  result.answersAfterBack = await page.$$eval("[aria-label^='Take back']", (all) => all.length);
  result.readme = { ...noted, ...(await left(page)) };
  await context.close();
}
{
  const { context, page, noted } = await opened(1200, "light");
  ({ put: result.questions, limited: result.limited } = await interview(page));
  result.interview = { ...noted, ...(await left(page)) };
  await context.close();
}
{
  const { context, page, noted } = await opened(1200, "light");
  const [[label, word]] = JSON.parse(caseText).emergency;
  const state = async () => ({
    urgency: await page.textContent("#urgency .level"),
    answers: await page.$$eval("[aria-label^='Take back']", (all) => all.map((one) => one.getAttribute("aria-label"))),
    card: await page.textContent(".card"),
  });
  const said = result.again = { noted };
  await answerCase(page, [[label, word]]);
  said.answered = await state();
  await lookFor(page, label);
  said.sought = await state();
  await tabTo(page, (name) => name === "Back");
  await page.keyboard.press("Enter");
  await settled(page, "");
  said.left = await state();
  await answerCase(page, [[label, "No"]]);
  said.corrected = await state();
  await lookFor(page, label);
  await tabTo(page, (name) => name === "Not known, go on");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("[aria-label^='Take back']"));
  said.unknown = await state();
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify(result));
