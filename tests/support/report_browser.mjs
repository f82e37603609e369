// Opens a report in headless Chromium on a phone, on a desk and on paper, and writes down what it saw:
// node report_browser.mjs PAGE CHROMIUM NODE_MODULES PICTURES
import fs from "node:fs";
import { createRequire } from "node:module";

const [file, executablePath, modules, pictures] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const args = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const browser = await chromium.launch({ executablePath, args });
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const looks = [];
for (const [width, picture] of [[320, "report_phone.png"], [1200, "report.png"]]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`file://${file}`);
  await page.screenshot({ path: `${pictures}/${picture}` });
  await page.evaluate(axe);
  const shut = await page.evaluate((on) => axe.run({ runOnly: on }), tags);
  // By keyboard: every summary is reached and opens.
  const details = await page.locator("details").count();
  for (let i = 0; i < 400 && (await page.locator("details[open]").count()) < details; i++) {
    await page.keyboard.press("Tab");
    const fresh = await page.evaluate(() => {
      const one = document.activeElement;
      return one?.tagName === "SUMMARY" && !one.parentElement.open;
    });
    if (fresh) await page.keyboard.press("Enter");
  }
  const open = await page.evaluate((on) => axe.run({ runOnly: on }), tags);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  const opened = await page.locator("details[open]").count();
  const violations = [...shut.violations, ...open.violations].map((one) => [
    one.id,
    one.nodes.map((node) => node.target.join(" ")),
  ]);
  looks.push({ width, violations, overflow, details, opened });
  await context.close();
}
const paper = await (await browser.newContext()).newPage();
await paper.goto(`file://${file}`);
const pdf = await paper.pdf({ format: "A4", preferCSSPageSize: true });
const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
await browser.close();
console.log(JSON.stringify({ looks, pages }));
