// Which candidate is best: the service's selection.py again, so that strategies are switched without a request.
// A test holds every strategy against the service's own answers.

import { fsum } from "./fsum.js";

/** A candidate's value is the product of the named scores, 1 without any; votes sum the values per answer. */
export const STRATEGIES = {
  process: { scores: ["process"], byVote: false, title: "Process", says: "The process model's solution score." },
  outcome: { scores: ["outcome"], byVote: false, title: "Outcome", says: "The outcome model's score." },
  majority: { scores: [], byVote: true, title: "Majority", says: "One vote for each candidate's answer." },
  process_weighted: {
    scores: ["processUnit"], byVote: true, title: "Process weighted", says: "Votes weigh the process score.",
  },
  outcome_weighted: {
    scores: ["outcomeUnit"], byVote: true, title: "Outcome weighted", says: "Votes weigh the outcome score.",
  },
  process_outcome: {
    scores: ["processUnit", "outcomeUnit"], byVote: false, title: "Process × outcome", says: "Both scores multiplied.",
  },
};

/** The scores that a strategy needs and some candidate lacks. */
export function missingScores(strategy, entries) {
  const live = entries.filter((entry) => !entry.failed);
  return STRATEGIES[strategy].scores.filter((name) => live.some((entry) => typeof entry[name] !== "number"));
}

/**
 * Ranks entries `{index, answer, answerGroup, process, processUnit, outcome, outcomeUnit, failed}`. The lowest index
 * wins a tie. `relevance` is a Map by index, null for what failed.
 */
export function select(strategy, entries) {
  const { scores, byVote } = STRATEGIES[strategy];
  const sorted = [...entries].sort((one, other) => one.index - other.index);
  const byIndex = new Map(sorted.map((entry) => [entry.index, entry]));
  const values = new Map(sorted.filter((entry) => !entry.failed).map((entry) => [entry.index, valueOf(entry, scores)]));
  const classes = answerClasses(sorted);
  const weights = new Map([...classes].map(([group, members]) =>
    [group, byVote ? fsum(members.map((index) => values.get(index))) : members.length]));
  const ranking = byVote ? rankByVote(values, classes, weights) : rankByScore(values);
  const failed = sorted.filter((entry) => entry.failed).map((entry) => entry.index);
  const hasChoice = byVote ? classes.size > 0 : values.size > 0;
  const best = hasChoice ? ranking.order[0] : null;
  const sizes = [...classes.values()].map((members) => members.length);
  return {
    order: [...ranking.order, ...failed],
    relevance: new Map(sorted.map(({ index }) => [index, ranking.relevance.get(index) ?? null])),
    best,
    answer: best === null ? null : byIndex.get(best).answer,
    votes: votesOf(byIndex, classes, weights, ranking.order),
    agreement: sizes.length ? Math.max(...sizes) / fsum(sizes) : null,
    tie: ranking.tie,
  };
}

function valueOf(entry, scores) {
  return scores.reduce((value, name) => value * entry[name], 1);
}

function answerClasses(sorted) {
  const classes = new Map();
  for (const { index, answer, answerGroup, failed } of sorted) {
    if (failed || answer === null || answerGroup === null) continue;
    classes.set(answerGroup, [...(classes.get(answerGroup) ?? []), index]);
  }
  return classes;
}

function byValue(values, indices) {
  return [...indices].sort((one, other) => values.get(other) - values.get(one) || one - other);
}

function rankByScore(values) {
  const order = byValue(values, values.keys());
  const tied = order.filter((index) => values.get(index) === values.get(order[0]));
  return { order, relevance: values, tie: tied.length > 1 };
}

function rankByVote(values, classes, weights) {
  const groups = heaviestFirst(classes, weights);
  const tied = groups.filter((group) => weights.get(group) === weights.get(groups[0]));
  const total = fsum(weights.values());
  const relevance = new Map([...values.keys()].map((index) => [index, 0]));
  const order = [];
  for (const group of groups) {
    const share = total > 0 ? weights.get(group) / total : 0;
    for (const index of classes.get(group)) relevance.set(index, share);
    order.push(...byValue(values, classes.get(group)));
  }
  const voted = new Set(order);
  order.push(...byValue(values, [...values.keys()].filter((index) => !voted.has(index))));
  return { order, relevance, tie: tied.length > 1 };
}

function heaviestFirst(classes, weights) {
  return [...classes.keys()].sort((one, other) =>
    weights.get(other) - weights.get(one) || classes.get(one)[0] - classes.get(other)[0]);
}

function votesOf(byIndex, classes, weights, order) {
  const spelling = new Map();
  for (const index of order) {
    const { answer, answerGroup } = byIndex.get(index);
    if (answer !== null && answerGroup !== null && !spelling.has(answerGroup)) spelling.set(answerGroup, answer);
  }
  return heaviestFirst(classes, weights).map((group) => ({
    answer: spelling.get(group),
    weight: weights.get(group),
    count: classes.get(group).length,
    indices: classes.get(group),
  }));
}
