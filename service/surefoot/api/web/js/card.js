// One candidate: its place, its answer, its steps, and where its first error is.

import { el, shown } from "./dom.js";
import { distribution } from "./distribution.js";
import { wordsFor } from "./errors.js";
import { answerNode, textNode } from "./math.js";
import { firstError } from "./probability.js";
import { plainStep, stepRow } from "./step.js";

/**
 * The card of a candidate. `at` holds `rank` and `relevance` (null while unranked), `isBest`, `byVote`, `scale`,
 * `threshold`, `compared`, `isChosen` and `choose(wanted)`.
 */
export function candidateCard(candidate, at) {
  const id = `candidate-${candidate.index}`;
  return el("article", { class: at.isBest ? "card best" : "card", "aria-labelledby": id },
    header(candidate, at, id),
    candidate.error ? failure(candidate) : body(candidate, at, id),
    footer(candidate, at));
}

function header(candidate, at, id) {
  const place = at.rank === null ? "" : ` · rank ${at.rank}`;
  const name = candidate.id ? `Candidate ${candidate.index + 1} (${candidate.id})` : `Candidate ${candidate.index + 1}`;
  return el("header", { class: "card-head" },
    el("h3", { id }, name, el("span", { class: "rank" }, place)),
    at.isBest && el("span", { class: "badge" }, "★ best"),
    el("p", { class: "answer" }, candidate.answer === null ? "no answer found" : ["answer ", strong(candidate.answer)]),
    numbers(candidate, at));
}

const strong = (answer) => el("strong", {}, answerNode(answer));

function numbers(candidate, at) {
  const shownNumbers = [
    at.byVote ? ["share of votes", at.relevance] : null,
    ["process", candidate.process],
    ["outcome", candidate.outcome],
  ].filter((each) => each && typeof each[1] === "number");
  return el("dl", { class: "numbers" },
    shownNumbers.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, shown(value, 3)))));
}

function failure({ error, text }) {
  const [title, advice] = wordsFor(error);
  return el("div", { class: "card-failed" },
    el("strong", {}, title), advice && ` ${advice}`,
    el("p", { class: "error-detail" }, el("code", {}, error.code), ` ${error.message}`),
    text && el("details", {}, el("summary", {}, "The text"), textNode(text, "div")));
}

function body(candidate, at, id) {
  if (candidate.steps === null) {
    const note = at.isRunning ? "scoring…" : "No steps were scored.";
    return el("div", {}, el("ol", { class: "steps" }, plainStep(candidate.text)), el("p", { class: "hint" }, note));
  }
  const scores = candidate.steps.map((step) => step.score);
  const first = firstError(scores, at.threshold);
  const chart = at.scale === "probability" ? distribution(scores) : null;
  const rows = candidate.steps.map((step) =>
    stepRow(step, candidate.other?.[step.index] ?? null, { ...at, first, focus: id }));
  if (chart) rows.forEach((row, place) => answerTo(row, place, chart));
  return el("div", { class: "card-body" },
    el("ol", { class: "steps" }, rows),
    candidate.otherNote && el("p", { class: "hint" }, candidate.otherNote),
    chart?.figure);
}

function answerTo(row, place, chart) {
  row.querySelector(".pill").setAttribute("aria-description", chart.sayOf(place));
  row.addEventListener("pointerenter", () => chart.point(place));
  row.addEventListener("pointerleave", () => chart.point(null));
  row.addEventListener("focusin", () => chart.point(place));
  row.addEventListener("focusout", () => chart.point(null));
}

function footer(candidate, at) {
  if (candidate.error || candidate.steps === null) return null;
  const box = el("input", {
    type: "checkbox", checked: at.isChosen, "data-focus": `choose-${candidate.index}`,
    on: { change: (event) => at.choose(event.target.checked) },
  });
  return el("footer", { class: "card-foot" },
    el("label", { class: "check" }, box, "label this solution"),
    candidate.finish === "length" && el("span", { class: "hint" }, "cut off at the token limit"));
}
