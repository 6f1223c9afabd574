// The labelling view: one step at a time, by keys. Scores are kept away here: they would sway whoever labels.

import { byId, el, fill, plural } from "./dom.js";
import { isJudged, labelledRows, move, setLabel, startLabels, undo } from "./labels.js";
import { textNode } from "./math.js";
import { state } from "./state.js";

const NAMES = new Map([[1, "right"], [0, "neutral"], [-1, "wrong"], [null, "no label"]]);
const MARKS = new Map([[1, "✓ 1"], [0, "○ 0"], [-1, "✕ −1"], [null, "·"]]);
let session = null;
let isSaved = true;
let minusAt = -Infinity;

/** Wire the view's button, its keys and its buttons. */
export function startLabelling() {
  byId("label-open").addEventListener("click", open);
  byId("label-dialog").addEventListener("keydown", onKey);
  for (const button of byId("label-buttons").querySelectorAll("[data-label]")) {
    button.addEventListener("click", () => change(setLabel(session, Number(button.dataset.label))));
  }
  byId("label-next").addEventListener("click", () => change(move(session, 1)));
  byId("label-back").addEventListener("click", () => change(move(session, -1)));
  byId("label-undo").addEventListener("click", () => change(undo(session)));
  byId("label-save").addEventListener("click", save);
  byId("label-close").addEventListener("click", () => byId("label-dialog").close());
  addEventListener("beforeunload", (event) => { if (!isSaved) event.preventDefault(); });
}

function open() {
  const chosen = [...state.chosen.values()].map(({ problem, candidate }) =>
    ({ problem, steps: candidate.steps.map((step) => step.text), id: candidate.id }));
  const before = session;
  session = startLabels(chosen);
  // What was labelled before stays, where the same solution is still chosen.
  const known = new Map((before?.solutions ?? []).map((each, place) => [JSON.stringify(each), before.labels[place]]));
  session.labels = session.labels.map((labels, place) => known.get(JSON.stringify(chosen[place])) ?? labels);
  byId("label-dialog").showModal();
  draw();
}

function onKey(event) {
  if (event.ctrlKey && event.key === "z") {
    event.preventDefault();
    change(undo(session));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const done = keyed(event.key);
  if (done) event.preventDefault();
}

function keyed(key) {
  // "-" is wrong by itself; a 1 right behind it only ends "-1".
  if (key === "1" && performance.now() - minusAt < 700) {
    minusAt = -Infinity;
    return true;
  }
  if (key === "-") minusAt = performance.now();
  const label = { 1: 1, 0: 0, "-": -1 }[key];
  if (label !== undefined) change(setLabel(session, label));
  else if (key === "n" || key === "ArrowDown") change(move(session, 1));
  else if (key === "p" || key === "ArrowUp") change(move(session, -1));
  else if (key === "u") change(undo(session));
  else if (key === "s") save();
  else return false;
  return true;
}

function change(next) {
  if (next.labels !== session.labels) isSaved = false;
  session = next;
  draw();
}

function draw() {
  const { solution, step } = session.at;
  const { problem, steps } = session.solutions[solution];
  const labels = session.labels[solution];
  fill(byId("label-problem"), textNode(problem));
  fill(byId("label-steps"), steps.map((text, place) => row(text, labels[place], place, place === step)));
  byId("label-steps").querySelector("[aria-current]").scrollIntoView({ block: "nearest" });
  const where = `Solution ${solution + 1} of ${session.solutions.length}, step ${step + 1} of ${steps.length}`;
  byId("label-where").textContent = `${where}: ${NAMES.get(labels[step])}.`;
  const judged = session.labels.filter(isJudged).length;
  byId("label-progress").textContent = `${judged} of ${plural(session.solutions.length, "solution")} judged`
    + `${isSaved ? "" : ", not saved yet"}. Those that are not judged up to their first error are not saved.`;
  byId("label-save").disabled = judged === 0;
}

function row(text, label, place, isCurrent) {
  const go = () => change({ ...session, at: { ...session.at, step: place } });
  const current = isCurrent ? "step" : null;
  return el("li", { class: `label-step label-${label ?? "none"}`, "aria-current": current, on: { click: go } },
    el("span", { class: "label-mark" }, MARKS.get(label), el("span", { class: "unseen" }, ` ${NAMES.get(label)}: `)),
    textNode(text, "div"));
}

function save() {
  const rows = labelledRows(session);
  if (rows === "") return;
  const address = URL.createObjectURL(new Blob([rows], { type: "application/x-ndjson" }));
  el("a", { href: address, download: "labelled.jsonl" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  isSaved = true;
  draw();
}
