// One step: its text, its score as colour, number and mark, and what another model says of it.

import { el, shown } from "./dom.js";
import { textNode } from "./math.js";
import { side } from "./probability.js";

/** `at` holds `scale`, `threshold`, `first` (the first error), `compared` and a name for the focus. */
export function stepRow(step, other, at) {
  const { index, score } = step;
  const isBelow = score < at.threshold;
  const isFirst = index === at.first;
  const where = side(score, at.scale, at.threshold);
  const verdict = isFirst ? "first error" : isBelow ? "below the threshold" : "fine";
  const pill = el("button", {
    type: "button", class: "pill", "data-focus": `${at.focus}-${index}`,
    "aria-label": `Step ${index + 1}: ${shown(score)}, ${verdict}`,
  }, el("span", { class: "mark", "aria-hidden": "true" }, isBelow ? "✕" : "✓"), shown(score));
  const classes = ["step", isBelow ? "leans-wrong" : "leans-right", isBelow && "below", isFirst && "first-error"];
  return el("li", { class: classes.filter(Boolean).join(" "), vars: { strength: (Math.abs(where) ** 0.7).toFixed(3) } },
    el("div", { class: "step-line" },
      isFirst && el("span", { class: "flag" }, "First error"),
      textNode(step.text, "div"),
      other && comparison(score, other.score, at.compared)),
    pill);
}

function comparison(score, other, name) {
  const difference = other - score;
  const sign = difference >= 0 ? "+" : "";
  const text = `${name}: ${shown(other)} (${sign}${shown(difference)})`;
  return el("p", { class: Math.abs(difference) >= 0.2 ? "other far" : "other" }, text);
}

/** A step that was not scored. */
export const plainStep = (text) => el("li", { class: "step unscored" }, textNode(text, "div"));
