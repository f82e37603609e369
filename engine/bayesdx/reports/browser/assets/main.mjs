/** The page: an interview on one side, the answer on the other, the data it rests on below. */

import { answerView, spokenSummary } from "./answer_view.mjs";
import { button, element, inWords } from "./elements.mjs";
import { Interview } from "./interview.mjs";
import { makeKnowledge } from "./knowledge.mjs";
import { sourcesSection } from "./sources_view.mjs";

/**
 * Called by the page with its data.
 *
 * @param {any} data
 */
export function start(data) {
  const knowledge = makeKnowledge(data);
  const place = /** @type {HTMLElement} */ (document.getElementById("main"));
  const footer = /** @type {HTMLElement} */ (document.getElementById("footer"));
  const live = element("p", { role: "status", class: "unseen" });
  const result = element("div", { class: "answer" });
  /** @type {Interview} */
  let interview;
  const ask = (/** @type {string} */ id) => {
    const label = inWords(id, knowledge.labels);
    if (!interview.canAsk(id)) return element("span", { class: "chip" }, label);
    return button(label, () => interview.askAbout(id), { class: "chip", "aria-label": `Ask: ${label}` });
  };
  interview = new Interview(knowledge, (answer, said) => {
    result.replaceChildren(...answerView(knowledge, answer, ask));
    live.textContent = said && `${said} ${spokenSummary(knowledge, answer)}`;
  });
  place.replaceChildren(live, element("div", { class: "sides" }, interview.main, result), sourcesSection(knowledge));
  const { name, knowledge: version, digest, program, format, version: number } = knowledge.about;
  footer.replaceChildren(
    element("p", {}, `Knowledge: ${name} ${version}, digest `, element("code", { id: "digest" }, digest), `. Written by ${program}; data: ${format} ${number}.`),
    element("p", { class: "use" }, element("strong", {}, "Educational. Not a medical device. "), knowledge.support.intended_use),
  );
  interview.start();
}
