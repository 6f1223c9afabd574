// One request from the form to its answer: at once for solutions that are there, as a stream for those being drawn.

import { ApiError, call, unreachable } from "./api.js";
import { compareWith } from "./compare.js";
import { byId, plural, show } from "./dom.js";
import { showError } from "./errors.js";
import { groupOf, groupsOf, scored, unscored } from "./group.js";
import { requestOf } from "./request.js";
import { events } from "./sse.js";
import { state, update } from "./state.js";

let running = null;

export const stop = () => running?.abort();

/** Send what is asked and show what comes. */
export async function run(ask) {
  stop();
  showError(byId("error"), null);
  let request;
  try {
    request = requestOf(ask, state.strategy);
  } catch (error) {
    showError(byId("error"), new ApiError(0, { code: "incomplete", message: error.message }));
    return;
  }
  const mine = new AbortController();
  running = mine;
  begin(ask, request);
  try {
    await (request.body.stream ? stream(request, mine.signal) : rank(request, mine.signal));
    if (ask.compare) {
      say(`Asking ${ask.compare} too…`);
      await compareWith(ask.compare, mine.signal);
    }
    say(done());
  } catch (error) {
    if (running === mine) fail(error, ask, mine.signal.aborted);
  } finally {
    if (running === mine) {
      running = null;
      busy(false);
      update({ isRunning: false });
    }
  }
}

function begin(ask, request) {
  busy(true);
  // On a phone the answer stands below the form.
  if (byId("answer-region").getBoundingClientRect().top > innerHeight) byId("answer-region").scrollIntoView();
  say(request.body.stream ? "Waiting for the first candidate…" : "Scoring…");
  update({
    sent: request, groups: [], active: 0, isRunning: true, compared: null, process: ask.model, outcome: ask.outcome,
  });
}

function fail(error, ask, wasStopped) {
  if (wasStopped) {
    say("Stopped.");
    return;
  }
  say("");
  const isOurs = error instanceof ApiError;
  const told = isOurs ? error : new ApiError(0, { code: "page_error", message: String(error?.message ?? error) });
  showError(byId("error"), told, told.status === 422 ? null : () => run(ask));
}

async function rank({ path, body }, signal) {
  const answer = await (await call(path, { body, signal })).json();
  update({ groups: groupsOf(body, answer), isRunning: false });
}

async function stream({ path, body }, signal) {
  const response = await call(path, { body, signal });
  const candidates = new Map();
  let result = null;
  let numScored = 0;
  const redraw = () => {
    const inOrder = [...candidates.values()].sort((one, other) => one.index - other.index);
    update({ groups: [{ problem: body.problem, candidates: inOrder, error: null }] });
  };
  for await (const { name, data } of watched(response)) {
    if (name === "error") throw new ApiError(200, data.error);
    if (name === "candidate") candidates.set(data.index, drawn(data));
    if (name === "score" && candidates.has(data.index)) {
      candidates.set(data.index, scored(candidates.get(data.index), data));
      numScored += 1;
    }
    if (name === "result") result = data;
    say(`${candidates.size} of ${body.sampling.n} sampled, ${numScored} scored…`);
    redraw();
  }
  if (result === null) throw new ApiError(200, { code: "stream_ended", message: "no result came" });
  update({ groups: [groupOf(body.problem, result.ranking, candidates)], isRunning: false });
}

async function* watched(response) {
  try {
    yield* events(response);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
}

const drawn = ({ index, text, answer, finish_reason: finish }) => unscored(index, text, { answer, finish });

function done() {
  const candidates = state.groups.flatMap((each) => each.candidates);
  const failed = candidates.filter((each) => each.failed).length;
  const problems = state.groups.length > 1 ? ` of ${plural(state.groups.length, "problem")}` : "";
  return `${plural(candidates.length - failed, "candidate")}${problems} scored${failed ? `, ${failed} failed` : ""}.`;
}

const say = (text) => { byId("status").textContent = text; };

function busy(is) {
  byId("ask-form").setAttribute("aria-busy", String(is));
  show(byId("stop"), is);
}
