// What the page knows, in one place. Whoever changes it says so; whoever draws listens.

export const state = {
  /** Reward models and generators as /v1/models tells them. */
  models: [],
  generators: [],
  /** The request that the shown answer belongs to, and its problems. */
  sent: null,
  groups: [],
  active: 0,
  isRunning: false,
  strategy: "process",
  threshold: null,
  /** Names of the models that answered, and of the one that is compared. */
  process: null,
  outcome: null,
  compared: null,
  /** Solutions chosen to be labelled, by their keys. */
  chosen: new Map(),
};

const listeners = [];

export const onChange = (listener) => listeners.push(listener);

/** Take over what has changed, and have it drawn. */
export function update(changes) {
  Object.assign(state, changes);
  for (const listener of listeners) listener(Object.keys(changes));
}

export const model = (name) => state.models.find((each) => each.id === name) ?? null;
export const group = () => state.groups[state.active] ?? null;
export const scale = () => model(state.process)?.scale ?? "probability";
export const threshold = () => state.threshold ?? model(state.process)?.threshold ?? 0.5;

/** What names a solution among all: its problem and its text. */
export const solutionKey = (problem, candidate) => JSON.stringify([problem, candidate.text]);
