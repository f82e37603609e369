/**
 * Where each number comes from: chosen by cause, finding or risk.
 *
 * @typedef {import("./knowledge.mjs").Knowledge} Knowledge
 */

import { element, spaced, table } from "./elements.mjs";

/**
 * @param {Knowledge} knowledge
 * @returns {HTMLElement}
 */
export function sourcesSection(knowledge) {
  const { support, names, labels } = knowledge;
  const owners = [...new Set(support.owner)].map((at) => names[at]);
  const causes = new Set(knowledge.engine.network.shown.map(({ id }) => id));
  const options = (/** @type {string[]} */ ids) =>
    ids.map((id) => element("option", { value: id }, labels.get(id) ?? spaced(id)));
  const chosen = /** @type {HTMLSelectElement} */ (
    element(
      "select",
      { id: "owner" },
      element("option", { value: "" }, "Choose a cause, finding or risk"),
      element("optgroup", { label: "Causes" }, ...options(owners.filter((id) => causes.has(id)))),
      element("optgroup", { label: "Findings and risks" }, ...options(owners.filter((id) => !causes.has(id)))),
    )
  );
  const place = element("div", {});
  chosen.addEventListener("change", () => place.replaceChildren(...(chosen.value ? numbersOf(knowledge, chosen.value) : [])));
  return element(
    "section",
    {},
    element("h2", {}, "Where the numbers come from"),
    element("p", {}, element("label", { for: "owner" }, "Numbers of "), chosen),
    place,
  );
}

/**
 * @param {Knowledge} knowledge
 * @param {string} id
 * @returns {HTMLElement[]}
 */
function numbersOf({ engine, support, names, labels }, id) {
  const at = names.indexOf(id);
  const rows = support.owner.flatMap((owner, i) => (owner === at ? [i] : []));
  const keys = [...names, ...support.keys];
  const cells = rows.map((i) => {
    const key = keys[support.key[i]];
    const kind = support.words.number_kinds[support.kinds[support.kind[i]]] ?? spaced(support.kinds[support.kind[i]]);
    const note = support.notes[support.note[i]];
    const range = support.low[i] === null ? "" : `${support.low[i]} to ${support.high[i]}`;
    return [
      key ? `${kind}${/ (in|with)$/.test(kind) ? "" : ":"} ${labels.get(key) ?? spaced(key)}` : kind,
      [support.value[i]].flat().join(", "),
      range,
      [
        `${support.bases[support.basis[i]]}. ${support.sources[support.source[i]]}. `,
        note ? element("span", { class: "quiet" }, note) : null,
      ],
    ];
  });
  const description = engine.network.shown.find((one) => one.id === id)?.description;
  return [
    ...(description ? [element("p", {}, description)] : []),
    element("p", { class: "quiet" }, `The reference population: ${support.population}`),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Numbers" }, table(["number", "value", "range", "basis and source"], cells, labels.get(id) ?? id)),
  ];
}
