// Texts with their mathematics drawn by KaTeX, which is loaded when there is some. It builds elements, never HTML.

import { el } from "./dom.js";
import { mathParts } from "./math_parts.js";

const KATEX = "../vendor/katex-0.19.1/katex.min";
const LONGEST = 2000;
/** What a text may not do: link, load, style beyond bounds, or expand without end. */
const OPTIONS = { trust: false, strict: "ignore", throwOnError: true, maxExpand: 200, maxSize: 20 };
/** KaTeX would draw these names alone, in red, and hide what they hold. */
const REFUSED = /\\(?:href|url|html|includegraphics)/;
let katex = null;
let drawn = true;

/** Whether mathematics is drawn from now on, or texts are shown as they are. */
export function drawMath(wanted) {
  drawn = wanted;
}

/** A text as an element. */
export function textNode(text, tag = "span") {
  if (!drawn) return el(tag, {}, text);
  const parts = mathParts(text);
  return el(tag, {}, parts.map((part) => (part.math === undefined ? part.text : formula(part))));
}

/** An answer as an element: the whole is mathematics where it looks like it. */
export function answerNode(answer) {
  const isMath = drawn && /\\[a-zA-Z]|[\^_]/.test(answer) && !answer.includes("$");
  return isMath ? el("span", {}, formula({ text: answer, math: answer, display: false })) : textNode(answer);
}

function formula({ text, math, display }) {
  // Until it is drawn, and where it cannot be, the source stands there.
  const place = el("span", { class: display ? "math display" : "math" }, text);
  if (math.length > LONGEST || REFUSED.test(math)) return place;
  load().then((render) => draw(render, place, { math, display }), () => {});
  return place;
}

function draw(render, place, { math, display }) {
  const copy = document.createElement("span");
  try {
    render(math, copy, { ...OPTIONS, displayMode: display });
  } catch {
    return;
  }
  place.replaceChildren(...copy.childNodes);
}

function load() {
  katex ??= (async () => {
    document.head.append(el("link", { rel: "stylesheet", href: new URL(`${KATEX}.css`, import.meta.url).href }));
    await import(`${KATEX}.js`);
    return globalThis.katex.render;
  })();
  return katex;
}
