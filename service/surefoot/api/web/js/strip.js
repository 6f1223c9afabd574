// The strip at the top: what waits and how fast work is done, read from /metrics while somebody looks.

import { send } from "./api.js";
import { byId, fill, svg } from "./dom.js";
import { key } from "./key.js";
import { activity, totals } from "./metrics.js";

const EVERY_MS = 2000;
const KEPT = 60;
let before = null;
let history = [];
let timer = null;

/** Begin to look, and begin anew after a change of the key. */
export function startStrip() {
  clearTimeout(timer);
  before = null;
  look();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && timer === null) startStrip();
});

async function look() {
  timer = null;
  if (document.visibilityState === "hidden") return;
  const goesOn = await read();
  if (goesOn) timer = setTimeout(look, EVERY_MS);
}

/** Whether it is worth looking again: where the key does not reach that far, it is not. */
async function read() {
  let response;
  try {
    response = await send("metrics");
  } catch {
    say("service away");
    return true;
  }
  if (response.status === 401 || response.status === 403) {
    say(key() === null ? "live figures need a key here" : "this key may not read /metrics");
    return false;
  }
  if (!response.ok) {
    say("no figures");
    return true;
  }
  const now = { at: performance.now() / 1000, sums: totals(await response.text()) };
  draw(activity(before, now));
  before = now;
  return true;
}

function say(text) {
  byId("strip").dataset.state = "off";
  byId("strip-note").textContent = text;
}

function draw(now) {
  byId("strip").dataset.state = "on";
  byId("strip-note").textContent = "";
  byId("strip-waiting").textContent = now.waiting.toLocaleString("en");
  byId("strip-scored").textContent = rate(now.scored);
  byId("strip-sampled").textContent = rate(now.sampled);
  byId("strip-busy").textContent = now.busy === null ? "–" : `${Math.round(Math.min(1, now.busy) * 100)} %`;
  history = [...history, (now.scored ?? 0) + (now.sampled ?? 0)].slice(-KEPT);
  fill(byId("strip-line"), line());
}

const rate = (value) => (value === null ? "–" : Math.round(value).toLocaleString("en"));

function line() {
  const top = Math.max(1, ...history);
  const points = history.map((value, place) => `${KEPT - history.length + place},${15 - (14 * value) / top}`);
  return svg("polyline", { points: points.join(" "), fill: "none", stroke: "currentColor" });
}
