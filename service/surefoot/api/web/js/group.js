// The service's answers as what the page draws: problems, each with candidates in their own order.

/** Texts of steps by spans, which count code points, as JavaScript's indices do not. */
export function stepTexts(text, steps) {
  const points = Array.from(text);
  return steps.map(({ span: [start, end] }) => points.slice(start, end).join(""));
}

/** A candidate before anything is known of it but its text. */
export function unscored(index, text, further = {}) {
  return {
    index, text, id: null, answer: null, answerGroup: null, steps: null, other: null, error: null, finish: null,
    process: null, processUnit: null, outcome: null, outcomeUnit: null, failed: false, ...further,
  };
}

/** A candidate with what the models say of it; `result` is one of /rerank's, or the data of a `score` event. */
export function scored(candidate, result) {
  if (result.error) return { ...candidate, error: result.error, failed: true };
  const text = result.document?.text ?? candidate.text;
  const texts = result.steps ? stepTexts(text, result.steps) : null;
  return {
    ...candidate,
    text,
    id: result.id ?? candidate.id,
    answer: result.answer ?? candidate.answer,
    steps: texts && result.steps.map((step, place) => ({ ...step, text: texts[place] })),
    process: result.score ?? null,
    processUnit: result.unit_score ?? null,
    outcome: result.outcome_score ?? null,
    outcomeUnit: result.unit_outcome_score ?? null,
  };
}

/** One problem's ranking: `drawn` are its candidates by index, as far as they are known without it. */
export function groupOf(problem, ranking, drawn = new Map()) {
  const candidates = (ranking.results ?? []).map((result) =>
    scored(drawn.get(result.index) ?? unscored(result.index, ""), result));
  (ranking.votes ?? []).forEach(({ indices }, group) => {
    for (const candidate of candidates) if (indices.includes(candidate.index)) candidate.answerGroup = group;
  });
  candidates.sort((one, other) => one.index - other.index);
  return { problem, candidates, error: ranking.error ?? null };
}

/** Every problem of an answer of /rerank to `body`. */
export function groupsOf(body, answer) {
  const asked = body.items ?? [body];
  return (answer.groups ?? [answer]).map((ranking, place) => {
    const { problem, candidates } = asked[place];
    return groupOf(problem, ranking, new Map(candidates.map((each, index) => [index, unscored(index, textOf(each))])));
  });
}

const textOf = (given) => (typeof given === "string" ? given : given.text ?? given.steps.join("\n"));
