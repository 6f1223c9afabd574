// What is written in the form as the exact request that is sent, copied and shared.

import { groupsFromJsonl } from "./jsonl.js";

/** A request `{path, body}`. Raises `Error` with what is missing. */
export function requestOf(ask, strategy) {
  const ranking = { strategy };
  if (ask.model) ranking.model = ask.model;
  if (ask.outcome) ranking.outcome_model = ask.outcome;
  if (ask.threshold !== null) ranking.threshold = ask.threshold;
  if (ask.mode === "sample") return sampling(ask, ranking);
  const groups = ask.mode === "jsonl" ? groupsFromJsonl(ask.jsonl) : [pasted(ask)];
  const given = groups.length === 1 ? groups[0] : { items: groups };
  return { path: "rerank", body: { ...given, ...ranking, return_documents: true } };
}

/** The same solutions for another process model, which is asked for its steps alone. */
export function comparisonOf(groups, model) {
  const items = groups.map(({ problem, candidates }) => ({
    problem,
    candidates: candidates.filter((each) => !each.failed).map(({ steps, text }) =>
      (steps ? { steps: steps.map((step) => step.text) } : { text })),
  })).filter(({ candidates }) => candidates.length > 0);
  return { path: "rerank", body: { items, model, strategy: "process", return_documents: true } };
}

function problemOf(ask) {
  if (ask.problem.trim() === "") throw new Error("Write the problem first.");
  return ask.problem;
}

function pasted(ask) {
  const candidates = ask.solutions.filter((solution) => solution.trim() !== "");
  const problem = problemOf(ask);
  if (candidates.length === 0) throw new Error("Write a solution, or choose “Sample” to have some drawn.");
  return { problem, candidates };
}

function sampling(ask, ranking) {
  const { n, temperature, max_tokens, seed, generator } = ask.sampling;
  const options = { n, temperature, max_tokens };
  if (seed !== null) options.seed = seed;
  if (generator) options.generator = generator;
  return { path: "best_of_n", body: { problem: problemOf(ask), sampling: options, ranking, stream: true } };
}
