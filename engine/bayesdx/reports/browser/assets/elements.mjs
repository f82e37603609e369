/**
 * Elements of the page, and how numbers and names read on it. Text is put in as text, never as markup.
 *
 * @typedef {string | number | Node | null | (string | number | Node | null)[]} Content
 */

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | (() => void)>} attributes A function is what a click does.
 * @param {Content[]} content
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...content.flat().flatMap((one) => (one === null ? [] : [typeof one === "number" ? String(one) : one])));
  return made;
}

/**
 * @param {string} text
 * @param {() => void} action
 * @param {Record<string, string>} attributes
 */
export function button(text, action, attributes = {}) {
  return element("button", { type: "button", ...attributes, click: action }, text);
}

/**
 * What unfolds below a summary; made when it is first opened.
 *
 * @param {string} summary
 * @param {() => Content} make
 */
export function details(summary, make) {
  const made = element("details", {}, element("summary", {}, summary));
  made.addEventListener("toggle", () => {
    if (made.childElementCount === 1) made.append(element("div", {}, make()));
  });
  return made;
}

/**
 * @param {Content[]} content
 * @param {() => void} read
 */
export function form(content, read) {
  const made = element("form", {}, ...content);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  return made;
}

/**
 * @param {string[]} heads
 * @param {Content[][]} rows
 * @param {string} caption
 */
export function table(heads, rows, caption) {
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element(
      "tbody",
      {},
      ...rows.map(([first, ...rest]) =>
        element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))),
      ),
    ),
  );
}

/**
 * A bar of a probability; the number stands beside it.
 *
 * @param {number} share
 */
export function bar(share) {
  const space = "http://www.w3.org/2000/svg";
  const [svg, rail, rect] = ["svg", "rect", "rect"].map((tag) => document.createElementNS(space, tag));
  const set = (/** @type {Element} */ one, /** @type {Record<string, string>} */ values) =>
    Object.entries(values).forEach(([name, value]) => one.setAttribute(name, value));
  set(svg, { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true", class: "bar" });
  set(rail, { width: "100", height: "4", class: "rail" });
  set(rect, { width: (100 * share).toFixed(2), height: "4" });
  svg.append(rail, rect);
  return svg;
}

/**
 * A probability, so that what is small can be told from nothing.
 *
 * @param {number} probability
 * @param {string} nothing
 */
export function percent(probability, nothing = "0\u00a0%") {
  if (probability === 0) return nothing;
  if (probability < 0.0001) return "<\u00a00.01\u00a0%";
  if (probability >= 0.999 && probability < 1) return ">\u00a099.9\u00a0%";
  return `${(100 * probability).toFixed(probability >= 0.01 ? 1 : 2)}\u00a0%`;
}

/** An identifier as words. @param {string} name */
export function spaced(name) {
  return name.replaceAll("_", " ");
}

/**
 * A leaf of a condition, or an id, by its label.
 *
 * @param {string} leaf
 * @param {Map<string, string>} labels
 */
export function inWords(leaf, labels) {
  const [name, states] = leaf.replace(/^!/, "").split(":");
  const label = labels.get(name) ?? spaced(name);
  if (states) return `${label}: ${spaced(states.replaceAll("|", " or "))}`;
  return leaf.startsWith("!") ? `absent: ${label}` : label;
}

/**
 * @param {number} count
 * @param {string} word
 */
export function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
