// The switches beside an answer: strategy, threshold, problem, mathematics. None of them asks the service again.

import { byId, el, fill, show, shown } from "./dom.js";
import { drawMath } from "./math.js";
import { thresholdRange } from "./probability.js";
import { missingScores, STRATEGIES } from "./selection.js";
import { group, scale, state, threshold, update } from "./state.js";

/** Wire the switches. */
export function startControls() {
  fill(byId("strategies"), Object.entries(STRATEGIES).map(([name, { title, says }]) =>
    el("label", { class: "segment", title: says },
      el("input", { type: "radio", name: "strategy", value: name, checked: name === state.strategy }),
      el("span", {}, title))));
  byId("strategies").addEventListener("change", (event) => update({ strategy: event.target.value }));
  byId("threshold").addEventListener("input", (event) => update({ threshold: Number(event.target.value) }));
  byId("threshold-reset").addEventListener("click", () => update({ threshold: null }));
  byId("group").addEventListener("change", (event) => update({ active: Number(event.target.value) }));
  byId("math").addEventListener("change", (event) => {
    drawMath(event.target.checked);
    update({});
  });
}

/** Have the switches say what holds. */
export function drawControls() {
  const candidates = group()?.candidates ?? [];
  for (const input of byId("strategies").querySelectorAll("input")) {
    input.checked = input.value === state.strategy;
    input.disabled = !state.isRunning && candidates.length > 0 && missingScores(input.value, candidates).length > 0;
  }
  byId("strategy-says").textContent = STRATEGIES[state.strategy].says;
  const slider = byId("threshold");
  const scores = candidates.flatMap((each) => (each.steps ?? []).map((step) => step.score));
  const { min, max, step } = thresholdRange(scale(), scores);
  Object.assign(slider, { min, max, step });
  slider.value = threshold();
  byId("threshold-value").textContent = shown(threshold());
  show(byId("threshold-reset"), state.threshold !== null);
  show(byId("threshold-row"), scores.length > 0);
}
