// Copying: a link, a curl command, a Python program. What is copied is the request as the form has it now.

import { byId } from "./dom.js";
import { readAsk } from "./form.js";
import { key } from "./key.js";
import { requestOf } from "./request.js";
import { linkTo } from "./share.js";
import { asCurl, asPython } from "./snippets.js";
import { state } from "./state.js";

const SHOWN_MS = 4000;
let timer = null;

/** Wire the buttons. */
export function startCopy() {
  const base = () => new URL(".", location.href).href.split("#")[0];
  const asked = () => readAsk(state.threshold);
  const request = () => requestOf(asked(), state.strategy);
  on("copy-link", "Link", () => linkTo({ ...asked(), strategy: state.strategy }, location.href));
  on("copy-curl", "curl command", async () => asCurl(base(), request(), key() !== null));
  on("copy-python", "Python program", async () => asPython(base(), request(), key() !== null));
}

function on(id, what, make) {
  byId(id).addEventListener("click", async () => {
    try {
      const text = await make();
      await copied(text);
      say(`${what} copied.`);
    } catch (error) {
      say(error.message, true);
    }
  });
}

async function copied(text) {
  const place = byId("copy-text");
  place.value = text;
  try {
    await navigator.clipboard.writeText(text);
    place.hidden = true;
  } catch {
    // Without https there is no clipboard to write to: the text is shown, to be copied by hand.
    place.hidden = false;
    place.select();
    throw new Error("This browser lets nothing be copied here; the text is below.");
  }
}

function say(text, stays = false) {
  clearTimeout(timer);
  byId("copy-said").textContent = text;
  if (!stays) timer = setTimeout(() => { byId("copy-said").textContent = ""; }, SHOWN_MS);
}
