// The API key: asked for when the service wants one, kept for this tab's session and nowhere else.

import { byId, show } from "./dom.js";

const NAME = "surefoot-key";
let asking = null;

export const key = () => sessionStorage.getItem(NAME);

/** Ask for a key; true when one was given. Whoever asks meanwhile waits for the same answer. */
export function askForKey(why) {
  asking ??= ask(why).finally(() => { asking = null; });
  return asking;
}

function ask(why) {
  const dialog = byId("key-dialog");
  byId("key-why").textContent = why;
  byId("key-input").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((settle) => {
    dialog.addEventListener("close", () => {
      const given = byId("key-input").value.trim();
      byId("key-input").value = "";
      const taken = dialog.returnValue === "use" && given !== "";
      if (taken) sessionStorage.setItem(NAME, given);
      showKey();
      settle(taken);
    }, { once: true });
  });
}

function showKey() {
  show(byId("key-forget"), key() !== null);
}

/** The dialog's buttons, and the one that forgets the key. */
export function startKey(changed) {
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("key-dialog").close("use");
  });
  byId("key-cancel").addEventListener("click", () => byId("key-dialog").close(""));
  byId("key-forget").addEventListener("click", () => {
    sessionStorage.removeItem(NAME);
    showKey();
    changed();
  });
  showKey();
}
