// A second process model on the same solutions, step by step.

import { call } from "./api.js";
import { shown } from "./dom.js";
import { groupsOf } from "./group.js";
import { comparisonOf } from "./request.js";
import { state, update } from "./state.js";

/** Ask `model` for the steps of what is shown. Raises `ApiError`. */
export async function compareWith(model, signal) {
  const { path, body } = comparisonOf(state.groups, model);
  if (body.items.length === 0) return;
  const answer = await (await call(path, { body, signal })).json();
  const others = groupsOf(body, answer);
  let place = 0;
  const groups = state.groups.map((group) => {
    const live = group.candidates.filter((each) => !each.failed);
    if (live.length === 0) return group;
    const theirs = others[place++].candidates;
    const beside = new Map(live.map((each, at) => [each.index, paired(each, theirs[at], model)]));
    return { ...group, candidates: group.candidates.map((each) => beside.get(each.index) ?? each) };
  });
  update({ groups, compared: model });
}

/** A candidate with the other model's steps beside its own, where both split the text alike. */
export function paired(candidate, theirs, model) {
  if (theirs.error) return { ...candidate, otherNote: `${model} could not score it: ${theirs.error.code}` };
  if (candidate.steps === null || theirs.steps === null) return candidate;
  const alike = candidate.steps.length === theirs.steps.length
    && candidate.steps.every((step, place) => step.text === theirs.steps[place].text);
  if (!alike) {
    const counts = `${theirs.steps.length} steps instead of ${candidate.steps.length}`;
    const otherNote = `${model} splits this text otherwise (${counts}); its score is ${shown(theirs.process, 3)}`;
    return { ...candidate, otherNote };
  }
  return { ...candidate, other: theirs.steps, otherNote: farthest(candidate.steps, theirs.steps, model) };
}

function farthest(steps, others, model) {
  const gaps = steps.map((step, place) => Math.abs(step.score - others[place].score));
  const most = gaps.indexOf(Math.max(...gaps));
  const both = `${shown(steps[most].score)} and ${shown(others[most].score)}`;
  return `Farthest apart from ${model} at step ${most + 1}: ${both}.`;
}
