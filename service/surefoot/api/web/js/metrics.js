// Prometheus' text format, as far as a strip of four numbers needs it.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/;

/** The sum of each series' values by its name. */
export function totals(text) {
  const sums = new Map();
  for (const line of text.split("\n")) {
    const found = LINE.exec(line);
    if (found) sums.set(found[1], (sums.get(found[1]) ?? 0) + Number(found[2]));
  }
  return sums;
}

/** What is going on between two readings `{at, sums}`, `at` in seconds; rates are `null` before the second one. */
export function activity(before, now) {
  const value = (name) => now.sums.get(name) ?? 0;
  const rate = (name) => {
    const seconds = before ? now.at - before.at : 0;
    // A restart begins at 0 again: no rate is negative.
    return seconds > 0 ? Math.max(0, value(name) - (before.sums.get(name) ?? 0)) / seconds : null;
  };
  return {
    waiting: value("surefoot_queue_requests"),
    waitingTokens: value("surefoot_queue_tokens"),
    scored: rate("surefoot_prompt_tokens_total"),
    sampled: rate("surefoot_sampled_tokens_total"),
    busy: rate("surefoot_forward_seconds_sum"),
  };
}
