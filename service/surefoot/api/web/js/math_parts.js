// Where a text holds mathematics: $…$, $$…$$, \(…\), \[…\], and \boxed{…} on its own.

const CLOSERS = { "\\(": "\\)", "\\[": "\\]", "$$": "$$" };
const OPENERS = /\\\(|\\\[|\$\$|\$|\\boxed\{/g;

/** The text in parts `{text, math, display}`; put together again, the parts' `text` is what was given. */
export function mathParts(text) {
  const parts = [];
  let from = 0;
  let match;
  OPENERS.lastIndex = 0;
  while ((match = OPENERS.exec(text)) !== null) {
    const end = endOf(text, match.index, match[0]);
    if (end === null) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    const whole = text.slice(match.index, end);
    const cut = match[0] === "\\boxed{" ? 0 : match[0].length;
    parts.push({
      text: whole, math: whole.slice(cut, whole.length - cut), display: match[0] === "$$" || match[0] === "\\[",
    });
    from = OPENERS.lastIndex = end;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

/** Behind the mathematics that begins at `start`, `null` where it has no end or is none. */
function endOf(text, start, opener) {
  const inside = start + opener.length;
  if (opener === "\\boxed{") return behindBrace(text, inside);
  if (opener === "$") return behindDollar(text, inside);
  const close = text.indexOf(CLOSERS[opener], inside);
  return close <= inside ? null : close + CLOSERS[opener].length;
}

// Pandoc's rule: no space inside at either end, no digit behind. "$5 and $6" stays money.
function behindDollar(text, inside) {
  if (/\s/.test(text[inside] ?? " ")) return null;
  for (let at = inside; at < text.length && text[at] !== "\n"; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "$") {
      return at > inside && !/\s/.test(text[at - 1]) && !/\d/.test(text[at + 1] ?? "") ? at + 1 : null;
    }
  }
  return null;
}

function behindBrace(text, inside) {
  let depth = 1;
  for (let at = inside; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return null;
}
