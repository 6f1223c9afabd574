// The votes: each class of equivalent answers with its weight, its count and its candidates.

import { el, shown } from "./dom.js";
import { fsum } from "./fsum.js";
import { answerNode } from "./math.js";

/** A table of `votes`, heaviest first; `best` is the winning candidate's index. */
export function voteTable(votes, best) {
  if (votes.length === 0) return el("p", { class: "hint" }, "No candidate has an answer to vote with.");
  const total = fsum(votes.map((vote) => vote.weight));
  return el("table", { class: "votes" },
    el("caption", {}, "Votes"),
    el("thead", {}, el("tr", {}, ["Answer", "Weight", "Candidates"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, votes.map((vote) => row(vote, total, vote.indices.includes(best)))));
}

function row({ answer, weight, indices }, total, wins) {
  const share = total > 0 ? weight / total : 0;
  const who = indices.map((index) => index + 1).join(", ");
  return el("tr", { class: wins ? "wins" : "" },
    el("th", { scope: "row" }, wins && el("span", { class: "mark", title: "the pick" }, "★ "), answerNode(answer)),
    el("td", {}, el("span", { class: "vote-bar", vars: { share: share.toFixed(4) } }),
      `${shown(weight)} (${Math.round(100 * share)} %)`),
    el("td", {}, who));
}
