// The served models and generators, and the menus that offer them.

import { getJson } from "./api.js";
import { byId, el, fill } from "./dom.js";
import { model, state, update } from "./state.js";

const NONE = "";

/** Ask what is served. Raises `ApiError`. */
export async function loadModels() {
  const { data, generators } = await getJson("v1/models");
  update({ models: data, generators });
  const process = data.filter((each) => each.kind === "process");
  offer("model", process, process.length ? [] : [[NONE, "none is served"]]);
  offer("outcome-model", data.filter((each) => each.kind === "outcome"), [[NONE, "none"]], 1);
  offer("compare-model", process, [[NONE, "nothing"]]);
  offer("generator", generators, generators.length ? [] : [[NONE, "none is configured"]]);
  noteModel();
  if (process.length === 0 && state.strategy === "process") {
    update({ strategy: data.length ? "outcome" : "majority" });
  }
}

/** Fill a menu; `chosen` is the place of what is selected unless something was before. */
function offer(id, served, further, chosen = 0) {
  const menu = byId(id);
  const before = menu.value;
  const named = served.map(({ id: name }) => [name, name]);
  const all = [...further, ...named];
  fill(menu, all.map(([value, text]) => el("option", { value }, text)));
  const kept = all.findIndex(([value]) => value === before && value !== NONE);
  menu.selectedIndex = kept >= 0 ? kept : Math.min(chosen, all.length - 1);
}

/** What there is to say of the chosen models: how long an input may be, and whether they know anything. */
export function noteModel() {
  const chosen = model(byId("model").value);
  const generator = state.generators.find(({ id }) => id === byId("generator").value);
  const notes = [];
  if (chosen) notes.push(`Scores are ${SCALES[chosen.scale]}, at most ${chosen.max_input_tokens} tokens a solution.`);
  if (chosen?.notice) notes.push(chosen.notice);
  byId("model-note").textContent = notes.join(" ");
  byId("generator-note").textContent = generator ? (STATES[generator.state] ?? "") : "This service cannot sample.";
}

const SCALES = {
  probability: "probabilities that a step is right", signed: "between −1 and 1", unbounded: "unbounded numbers",
};
const STATES = {
  idle: "It starts with the first request, which can take a minute.",
  starting: "It is starting, which can take a minute.",
  failed: "It has failed; the service's log says why.",
};
