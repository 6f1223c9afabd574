// The description of the API, drawn from /openapi.json: every route with its fields, and a box to try it.

import { ApiError, call, getJson } from "./api.js";
import { byId, el, fill } from "./dom.js";
import { showError } from "./errors.js";
import { startKey } from "./key.js";
import { exampleOf, fieldsOf } from "./schema.js";
import { startTheme } from "./theme.js";

const LONGEST = 200_000;

function operation(path, method, described, document) {
  const schema = described.requestBody?.content?.["application/json"]?.schema;
  const scopes = described.security?.[0]?.key;
  return el("details", { class: "operation" },
    el("summary", {}, el("span", { class: "method" }, method.toUpperCase()), el("code", {}, path),
      el("span", { class: "hint" }, described.summary ?? "")),
    el("div", { class: "operation-body" },
      described.description && el("p", {}, worded(described.description)),
      scopes && el("p", { class: "hint" }, scopes.length ? `The key needs: ${scopes.join(", ")}.` : "Any key will do."),
      schema && fieldTable(fieldsOf(schema, document)),
      tryIt(path, method, schema && exampleOf(schema, document))));
}

/** A description with what stands between backticks as code. */
function worded(text) {
  return text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));
}

function fieldTable(fields) {
  if (fields.length === 0) return null;
  return el("div", { class: "fields-box", tabindex: "0", role: "region", "aria-label": "Fields of the body" },
    el("table", { class: "fields" },
      el("thead", {}, el("tr", {}, ["Field", "Kind", ""].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, fields.map(({ name, kind, isRequired, says }) => el("tr", {},
        el("th", { scope: "row" }, isRequired ? `${name} *` : name),
        el("td", {}, kind), el("td", {}, worded(says)))))));
}

function tryIt(path, method, example) {
  const rows = Math.min(14, (example ?? "").split("\n").length + 1);
  const box = example ? el("textarea", { rows, spellcheck: "false" }) : null;
  if (box) box.value = example;
  const target = el("input", { type: "text", spellcheck: "false" });
  target.value = path;
  const said = el("pre", { class: "said", hidden: true, tabindex: "0", "aria-label": `Answer of ${path}` });
  const status = el("p", { class: "hint", role: "status" });
  const go = async () => {
    status.textContent = "Sent…";
    try {
      const body = box ? JSON.parse(box.value) : method === "post" ? {} : undefined;
      const response = await call(target.value.slice(1), { body });
      status.textContent = `${response.status} ${response.statusText}`;
      said.textContent = pretty(await response.text()).slice(0, LONGEST);
      said.hidden = false;
    } catch (error) {
      status.textContent = error instanceof ApiError
        ? `${error.status} ${error.code}: ${error.message}`
        : `The body is not JSON: ${error.message}`;
    }
  };
  const holes = path.includes("{");
  return el("div", { class: "operation-body" },
    holes && el("label", {}, el("span", { class: "label" }, "Path"), target),
    box && el("label", {}, el("span", { class: "label" }, "Body"), box),
    el("div", { class: "actions" }, el("button", { type: "button", on: { click: go } }, "Send")),
    status, said);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function grouped(document) {
  const groups = new Map();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, described] of Object.entries(operations)) {
      const [tag] = described.tags ?? ["other"];
      groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, described, document)]);
    }
  }
  return groups;
}

async function load() {
  showError(byId("error"), null);
  try {
    const document_ = await getJson("openapi.json");
    byId("docs-lead").textContent = `${document_.info.summary ?? ""} Version ${document_.info.version}.`;
    byId("docs-status").textContent = "";
    fill(byId("operations"), [...grouped(document_)].flatMap(([tag, each]) => [el("h2", {}, tag), ...each]));
  } catch (error) {
    byId("docs-status").textContent = "";
    showError(byId("error"), error, load);
  }
}

startTheme();
startKey(() => {});
await load();
