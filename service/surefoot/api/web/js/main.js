// The page: wires its parts, loads what is served, and opens what a link holds.

import { ApiError } from "./api.js";
import { drawControls, startControls } from "./controls.js";
import { startCopy } from "./copy.js";
import { byId } from "./dom.js";
import { showError } from "./errors.js";
import { EXAMPLE } from "./example.js";
import { complaint, readAsk, startForm, writeAsk } from "./form.js";
import { startKey } from "./key.js";
import { startLabelling } from "./label_view.js";
import { loadModels, noteModel } from "./models.js";
import { drawResults } from "./results.js";
import { run, stop } from "./run.js";
import { STRATEGIES } from "./selection.js";
import { readLink } from "./share.js";
import { onChange, state, update } from "./state.js";
import { startStrip } from "./strip.js";
import { startTheme } from "./theme.js";

function submit() {
  const wrong = complaint();
  if (wrong) showError(byId("error"), new ApiError(0, { code: "incomplete", message: wrong }));
  else run(readAsk(state.threshold));
}

async function loadAll() {
  showError(byId("error"), null);
  try {
    await loadModels();
  } catch (error) {
    showError(byId("error"), error, loadAll);
  }
  startStrip();
}

async function openLink() {
  try {
    const ask = await readLink(location.hash);
    if (ask === null) return;
    writeAsk(ask);
    const strategy = Object.hasOwn(STRATEGIES, ask.strategy) ? ask.strategy : state.strategy;
    update({ strategy, threshold: typeof ask.threshold === "number" ? ask.threshold : null });
    byId("status").textContent = "This request came with the link. Nothing was sent yet.";
  } catch (error) {
    showError(byId("error"), new ApiError(0, { code: "link_damaged", message: error.message }));
  }
}

startTheme();
startForm(submit);
startControls();
startKey(loadAll);
startLabelling();
startCopy();
onChange(drawControls);
onChange(drawResults);
for (const id of ["model", "generator"]) byId(id).addEventListener("change", noteModel);
byId("stop").addEventListener("click", stop);
byId("example").addEventListener("click", () => {
  writeAsk(EXAMPLE);
  submit();
});
addEventListener("hashchange", openLink);
update({});
await loadAll();
await openLink();
