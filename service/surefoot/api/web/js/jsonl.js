// Problems and solutions out of pasted JSON lines, in the ways in which this service and its tools write them.

const PROBLEM = ["problem", "question", "query", "prompt"];
const WHOLE = ["solution", "text", "response", "completion"];

/** Groups `{problem, candidates}` in order of appearance. Raises `Error`, which names the line. */
export function groupsFromJsonl(text) {
  const groups = new Map();
  text.split("\n").forEach((line, place) => {
    if (line.trim() === "") return;
    const row = rowOf(line, place + 1);
    const problem = PROBLEM.map((name) => row[name]).find((value) => typeof value === "string" && value.trim());
    if (problem === undefined) throw at(place + 1, `has no ${PROBLEM[0]}`);
    const candidates = candidatesOf(row, place + 1);
    groups.set(problem, [...(groups.get(problem) ?? []), ...candidates]);
  });
  if (groups.size === 0) throw new Error("There is no line. Paste one JSON object a line.");
  return [...groups].map(([problem, candidates]) => ({ problem, candidates }));
}

const at = (line, what) => new Error(`Line ${line} ${what}.`);

function rowOf(line, number) {
  let row;
  try {
    row = JSON.parse(line);
  } catch {
    throw at(number, "is not JSON: one object a line is wanted");
  }
  if (row === null || typeof row !== "object" || Array.isArray(row)) throw at(number, "is no JSON object");
  return row;
}

function candidatesOf(row, number) {
  const many = row.candidates ?? row.documents;
  if (Array.isArray(many)) {
    if (many.length === 0) throw at(number, "has no candidates in its list");
    return many.map((each) => candidate(typeof each === "string" ? { text: each } : each ?? {}, number));
  }
  return [candidate(row, number)];
}

function candidate(row, number) {
  const named = typeof row.id === "string" ? { id: row.id } : {};
  if (isTexts(row.steps)) return { ...named, steps: row.steps };
  const text = WHOLE.map((name) => row[name]).find((value) => typeof value === "string");
  if (text === undefined) throw at(number, "has neither steps (a list of texts) nor a solution");
  return { ...named, text };
}

const isTexts = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((step) => typeof step === "string");
