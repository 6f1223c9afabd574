// What follows from the scores of a solution's steps: the same formulas as the service's aggregation.py.

/** The lowest index whose score is strictly below the threshold, `null` where there is none. */
export function firstError(scores, threshold) {
  const index = scores.findIndex((score) => score < threshold);
  return index === -1 ? null : index;
}

/** P(first error = i) = (1 - p_i) · Π_{j<i} p_j for each step, and Π p_j: together they sum to 1. */
export function firstErrorDistribution(probabilities) {
  let noErrorYet = 1;
  const firstErrors = probabilities.map((probability) => {
    const here = noErrorYet * (1 - probability);
    noErrorYet *= probability;
    return here;
  });
  return { firstErrors, noError: noErrorYet };
}

/** Where a score stands for its colour: from -1 (lowest) over 0 (at the threshold) to 1 (highest). */
export function side(score, scale, threshold) {
  if (scale === "unbounded") return Math.tanh((score - threshold) / 2);
  const lowest = scale === "signed" ? -1 : 0;
  const room = score < threshold ? threshold - lowest : 1 - threshold;
  return room > 0 ? Math.max(-1, Math.min(1, (score - threshold) / room)) : 0;
}

/** What the threshold can be moved over. */
export function thresholdRange(scale, scores) {
  if (scale === "probability") return { min: 0, max: 1, step: 0.01 };
  if (scale === "signed") return { min: -1, max: 1, step: 0.01 };
  const all = scores.length ? scores : [0];
  return { min: Math.floor(Math.min(0, ...all)), max: Math.ceil(Math.max(0, ...all)), step: 0.05 };
}
