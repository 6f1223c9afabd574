// Labels of chosen solutions: what a key does to them, and the rows that `surefoot train prm` reads.

/** `solutions` are `{problem, steps, id}`; every label is 1 (right), 0 (neutral), -1 (wrong) or null. */
export function startLabels(solutions) {
  const labels = solutions.map(({ steps }) => steps.map(() => null));
  return { solutions, labels, at: { solution: 0, step: 0 }, past: [] };
}

/** Label the present step and go on: to the next step, or behind a wrong one to the next solution. */
export function setLabel(state, value) {
  const { solution, step } = state.at;
  const labels = state.labels.map((each) => [...each]);
  labels[solution][step] = value;
  const labelled = { ...state, labels, past: [...state.past, state] };
  return value === -1 && solution + 1 < state.solutions.length
    ? { ...labelled, at: { solution: solution + 1, step: 0 } }
    : move(labelled, 1);
}

/** The step before (-1) or behind (1) the present one, across solutions; at either end it stays. */
export function move(state, by) {
  let { solution, step } = state.at;
  step += by;
  if (step < 0 && solution > 0) {
    solution -= 1;
    step = state.solutions[solution].steps.length - 1;
  } else if (step >= state.solutions[solution].steps.length && solution + 1 < state.solutions.length) {
    solution += 1;
    step = 0;
  }
  const last = state.solutions[solution].steps.length - 1;
  return { ...state, at: { solution, step: Math.max(0, Math.min(step, last)) } };
}

/** As it was before the last label. */
export function undo(state) {
  return state.past.at(-1) ?? state;
}

/** Whether a solution's steps are labelled up to the first wrong one, or all of them. */
export function isJudged(labels) {
  const first = labels.indexOf(-1);
  return labels.slice(0, first === -1 ? labels.length : first).every((label) => label !== null);
}

/** JSON lines of the judged solutions; the others would say of a step what nobody has said. */
export function labelledRows(state) {
  return state.solutions.map((solution, place) => [solution, state.labels[place]])
    .filter(([, labels]) => isJudged(labels))
    .map(([{ problem, steps, id }, labels]) => {
      const first = labels.indexOf(-1);
      const row = { problem, steps, labels, first_error: first === -1 ? null : first, source: "surefoot page" };
      return `${JSON.stringify(id ? { ...row, id } : row)}\n`;
    })
    .join("");
}
