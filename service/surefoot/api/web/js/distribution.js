// Where the first error is: a bar a step, one for none. It answers hovering over steps, and their focus.

import { el, shown } from "./dom.js";
import { firstErrorDistribution } from "./probability.js";

/** The figure, and a function that points out a step (`null` for none). */
export function distribution(scores) {
  const { firstErrors, noError } = firstErrorDistribution(scores);
  const bars = firstErrors.map((share, place) => bar(share, String(place + 1)));
  const none = bar(noError, "none", "none");
  const said = el("p", { class: "dist-said" });
  const most = firstErrors.reduce((best, share, place) => (share > firstErrors[best] ? place : best), 0);
  const summary = noError >= firstErrors[most]
    ? `Most likely there is no error: ${percent(noError)}.`
    : `Most likely the first error is step ${most + 1}: ${percent(firstErrors[most])}.`;
  said.textContent = summary;
  const point = (place) => {
    bars.forEach((each, index) => each.classList.toggle("pointed", index === place));
    said.textContent = place === null ? summary : pointed(scores[place], firstErrors[place], place);
  };
  const chart = el("div", { class: "dist-bars", role: "img", "aria-label": summary }, bars, none);
  const figure = el("figure", { class: "dist" }, el("figcaption", {}, "Where is the first error?"), chart, said);
  return { figure, point, sayOf: (place) => pointed(scores[place], firstErrors[place], place) };
}

function bar(share, label, kind = "") {
  return el("span", { class: `dist-bar ${kind}`, vars: { share: share.toFixed(4) }, title: percent(share) },
    el("span", { class: "dist-fill" }), el("span", { class: "dist-label" }, label));
}

const pointed = (score, share, place) =>
  `Step ${place + 1}: right ${shown(score, 3)}, first error here ${shown(share, 3)}.`;

function percent(share) {
  const text = (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0);
  return `${text} %`;
}
