// The form: what is asked, read from it and written into it.

import { byId, el, fill, show } from "./dom.js";

const MODES = ["paste", "sample", "jsonl"];
const NUMBERS = { n: "n", temperature: "temperature", max_tokens: "max-tokens" };

/** What is asked, as it stands in the form. */
export function readAsk(threshold) {
  const seed = byId("seed").value.trim();
  return {
    mode: document.querySelector("input[name=mode]:checked").value,
    problem: byId("problem").value,
    solutions: solutionBoxes().map((box) => box.value),
    jsonl: byId("jsonl").value,
    sampling: {
      ...Object.fromEntries(Object.entries(NUMBERS).map(([name, id]) => [name, byId(id).valueAsNumber])),
      seed: seed === "" ? null : Number(seed),
      generator: byId("generator").value,
    },
    model: byId("model").value,
    outcome: byId("outcome-model").value,
    compare: byId("compare-model").value,
    threshold,
  };
}

/** Write an ask into the form; what is missing in it, or is of another kind, stays as it is. */
export function writeAsk(ask) {
  if (MODES.includes(ask.mode)) setMode(ask.mode);
  for (const [id, value] of [["problem", ask.problem], ["jsonl", ask.jsonl]]) {
    if (typeof value === "string") byId(id).value = value;
  }
  if (Array.isArray(ask.solutions)) setSolutions(ask.solutions.filter((each) => typeof each === "string"));
  const sampling = ask.sampling ?? {};
  for (const [name, id] of Object.entries(NUMBERS)) {
    if (typeof sampling[name] === "number") byId(id).value = sampling[name];
  }
  if (typeof sampling.seed === "number") byId("seed").value = sampling.seed;
  const menus = [["generator", sampling.generator], ["model", ask.model], ["outcome-model", ask.outcome],
    ["compare-model", ask.compare]];
  for (const [id, value] of menus) {
    // What is not served here is not chosen.
    if ([...byId(id).options].some((option) => option.value === value)) byId(id).value = value;
  }
}

/** Whether all numbers in the form are such as can be sent; says what is wrong with the first that is not. */
export function complaint() {
  if (readMode() !== "sample") return null;
  const wrong = [...byId("panel-sample").querySelectorAll("input")].find((input) => !input.validity.valid);
  return wrong ? `${wrong.labels[0].textContent}: ${wrong.validationMessage}` : null;
}

export const readMode = () => document.querySelector("input[name=mode]:checked").value;

function setMode(mode) {
  document.querySelector(`input[name=mode][value=${mode}]`).checked = true;
  for (const each of MODES) show(byId(`panel-${each}`), each === mode);
  // Rows bring their problems along.
  show(byId("problem-field"), mode !== "jsonl");
  byId("run").textContent = mode === "sample" ? "Sample and score" : "Score";
}

const solutionBoxes = () => [...byId("solutions").querySelectorAll("textarea")];

function setSolutions(texts) {
  fill(byId("solutions"), (texts.length ? texts : [""]).map(solutionField));
  number();
}

function solutionField(text) {
  const box = el("textarea", { rows: 3, spellcheck: "false", placeholder: "One step a line." });
  box.value = text;
  const field = el("div", { class: "solution" },
    el("label", {}, el("span", { class: "label" }), box),
    el("button", { type: "button", class: "quiet small", on: { click: () => remove(field) } }, "Remove"));
  return field;
}

function remove(field) {
  const next = field.nextElementSibling ?? field.previousElementSibling;
  field.remove();
  if (solutionBoxes().length === 0) setSolutions([]);
  number();
  (next?.querySelector("textarea") ?? solutionBoxes()[0]).focus();
}

function number() {
  const fields = [...byId("solutions").children];
  fields.forEach((field, place) => {
    field.querySelector(".label").textContent = `Solution ${place + 1}`;
    field.querySelector("button").setAttribute("aria-label", `Remove solution ${place + 1}`);
  });
}

/** Wire the form. `submit` is told when somebody wants an answer. */
export function startForm(submit) {
  setSolutions([""]);
  byId("modes").addEventListener("change", (event) => setMode(event.target.value));
  byId("add-solution").addEventListener("click", () => {
    byId("solutions").append(solutionField(""));
    number();
    solutionBoxes().at(-1).focus();
  });
  byId("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  byId("ask-form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  });
  setMode("paste");
}
