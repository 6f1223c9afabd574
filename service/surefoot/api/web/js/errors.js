// Errors in words that say what to do, with the stable code beside them.

import { el, fill, plural, show } from "./dom.js";

const WORDS = {
  unreachable: ["The service is away", "It may be stopped or starting. Nothing you wrote is lost."],
  unauthorized: ["The service wants a key", "Give one with “Key” at the top; it stays in this tab only."],
  forbidden: ["Your key may not do this", "It lacks a scope that this needs. Use a key that has it."],
  input_too_long: ["That is too long for the model", "Shorten the problem or the solution."],
  body_too_large: ["That is more than one request may hold", "Send fewer or shorter solutions."],
  group_too_large: ["More than the queue can ever hold", "Send fewer solutions at once."],
  queue_full: ["The queue is full", "Others are being served. Your request was not started."],
  not_ready: ["The model is not ready", "It is loading, or the service is stopping."],
  sampler_unavailable: ["Nothing here can sample", "It has no generator, or that failed: paste solutions instead."],
  generator_not_found: ["There is no such generator", "It was changed since this page was loaded. Reload the page."],
  model_not_found: ["There is no such model", "It was changed since this page was loaded. Reload the page."],
  aggregation_not_defined: ["These scores have no such reading", "Choose another strategy or model."],
  request_timeout: ["It took too long", "Ask for fewer candidates or fewer tokens."],
  deadline_exceeded: ["It waited too long", "The service is busy. Try again."],
  too_many_steps: ["Too many steps", "Shorten the solution."],
  no_steps: ["There is nothing to score", "The solution is empty."],
  empty_problem: ["The problem is empty", "Write the question that the solutions answer."],
  invalid_request: ["The service does not take this", ""],
  stream_ended: ["The stream broke off", "What had come until then is shown."],
};

/** Title and advice for an error. */
export function wordsFor(error) {
  return WORDS[error.code] ?? ["That did not work", ""];
}

/** An error as a box; `retry` puts a button into it. */
export function errorBox(error, retry = null) {
  const [title, advice] = wordsFor(error);
  const wait = error.retryAfter ? `The service says: try again in ${plural(error.retryAfter, "second")}.` : null;
  return el("div", { class: "error-box" },
    el("strong", {}, title),
    advice && el("p", {}, advice),
    wait && el("p", { class: "retry-after" }, wait),
    el("p", { class: "error-detail" }, el("code", {}, error.code), ` ${error.message}`),
    retry && el("button", { type: "button", class: "quiet", on: { click: retry } }, "Try again"));
}

/** Show an error in `place`, a live region, or nothing. */
export function showError(place, error, retry = null) {
  fill(place, error && errorBox(error, retry));
  show(place, error !== null);
}
