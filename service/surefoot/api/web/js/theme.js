// Light or dark: what the system says, unless somebody chooses.

import { byId } from "./dom.js";

const NAME = "surefoot-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

function name() {
  byId("theme").setAttribute("aria-pressed", String(isDark()));
}

/** The button, and what was chosen before. */
export function startTheme() {
  const chosen = localStorage.getItem(NAME);
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  byId("theme").addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(NAME, next);
    name();
  });
  system.addEventListener("change", name);
  name();
}
