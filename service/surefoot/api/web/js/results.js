// The answer as a whole: the pick, the votes, and the candidates in the order of the chosen strategy.

import { candidateCard } from "./card.js";
import { byId, el, fill, plural, show, shown } from "./dom.js";
import { answerNode, textNode } from "./math.js";
import { missingScores, select, STRATEGIES } from "./selection.js";
import { group, scale, solutionKey, state, threshold, update } from "./state.js";
import { voteTable } from "./votes.js";

const BY_VALUE = { process: "a process model's score", processUnit: "a process score in (0, 1)",
  outcome: "an outcome model's score", outcomeUnit: "an outcome score in (0, 1)" };

/** Draw everything anew; what had the focus keeps it. */
export function drawResults() {
  const shownGroup = group();
  show(byId("answer"), shownGroup !== null);
  if (shownGroup === null) return;
  const focused = document.activeElement?.dataset?.focus;
  drawGroupPicker();
  fill(byId("problem-shown"), textNode(shownGroup.problem));
  const candidates = shownGroup.candidates;
  const settled = !state.isRunning && candidates.length > 0;
  const missing = missingScores(state.strategy, candidates);
  const selection = settled && missing.length === 0 ? select(state.strategy, candidates) : null;
  fill(byId("pick"), settled ? pick(selection, missing, candidates, shownGroup.error) : null);
  fill(byId("votes"), selection && voteTable(selection.votes, selection.best));
  const order = selection?.order ?? candidates.map(({ index }) => index);
  const byIndex = new Map(candidates.map((each) => [each.index, each]));
  fill(byId("cards"), order.map((index, place) => card(shownGroup, byIndex.get(index), selection, place)));
  if (focused) document.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  byId("label-open").textContent = `Label ${plural(state.chosen.size, "solution")}`;
  byId("label-open").disabled = state.chosen.size === 0;
}

function card(shownGroup, candidate, selection, place) {
  const key = solutionKey(shownGroup.problem, candidate);
  return candidateCard(candidate, {
    rank: selection === null || candidate.failed ? null : place + 1,
    relevance: selection?.relevance.get(candidate.index) ?? null,
    isBest: selection !== null && selection.best === candidate.index,
    byVote: STRATEGIES[state.strategy].byVote,
    scale: scale(),
    threshold: threshold(),
    compared: state.compared,
    isRunning: state.isRunning,
    isChosen: state.chosen.has(key),
    choose: (wanted) => choose(key, wanted, { problem: shownGroup.problem, candidate }),
  });
}

function choose(key, wanted, solution) {
  if (wanted) state.chosen.set(key, solution);
  else state.chosen.delete(key);
  update({ chosen: state.chosen });
}

function pick(selection, missing, candidates, error) {
  if (error) return el("p", {}, `This problem was not ranked: ${error.code}, ${error.message}`);
  if (selection === null) {
    return el("p", {}, `This strategy needs ${missing.map((name) => BY_VALUE[name]).join(" and ")}.`);
  }
  if (selection.best === null) return el("p", {}, "Nothing to pick: no candidate has what this strategy goes by.");
  const parts = [`Candidate ${selection.best + 1} is picked`];
  if (selection.answer !== null) parts.push(", its answer is ", el("strong", {}, answerNode(selection.answer)));
  const share = Math.round(100 * (selection.agreement ?? 0));
  const agree = selection.agreement === null ? "" : ` ${share} % agree on the most common answer.`;
  const tie = selection.tie ? " It was a tie, which the first one wins." : "";
  const relevance = selection.relevance.get(selection.best);
  const failed = candidates.filter((each) => each.failed).length;
  const left = failed ? ` ${plural(failed, "candidate")} could not be scored.` : "";
  return el("p", {}, parts, ` (${shown(relevance, 3)}).${agree}${tie}${left}`);
}

function drawGroupPicker() {
  const menu = byId("group");
  show(byId("group-row"), state.groups.length > 1);
  fill(menu, state.groups.map(({ problem }, place) =>
    el("option", { value: place, selected: place === state.active }, `${place + 1}: ${problem.slice(0, 60)}`)));
}
