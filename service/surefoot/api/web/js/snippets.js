// The request as text to paste elsewhere. The key stands for itself: the variable SUREFOOT_API_KEY.

const VARIABLE = "SUREFOOT_API_KEY";

/** A `curl` command for a POSIX shell. */
export function asCurl(base, { path, body }, withKey) {
  const start = `curl ${body.stream ? "-N " : ""}-sS ${quoted(`${base}${path}`)}`;
  const lines = [start, "-H 'content-type: application/json'"];
  if (withKey) lines.push(`-H "authorization: Bearer $${VARIABLE}"`);
  lines.push(`-d ${quoted(JSON.stringify(body, null, 2))}`);
  return `${lines.join(" \\\n  ")}\n`;
}

/** The same in Python, with httpx. */
export function asPython(base, { path, body }, withKey) {
  const headers = withKey ? [`headers = {"authorization": f"Bearer {os.environ['${VARIABLE}']}"}`] : [];
  const further = withKey ? ", headers=headers" : "";
  const address = literal(`${base}${path}`);
  const asked = body.stream
    ? [
      `with httpx.stream("POST", ${address}, json=body${further}, timeout=300) as response:`,
      "    for line in response.iter_lines():",
      "        print(line)",
    ]
    : [`response = httpx.post(${address}, json=body${further}, timeout=300)`, "print(response.json())"];
  const imports = withKey ? ["import os", "", "import httpx"] : ["import httpx"];
  return [...imports, "", `body = ${literal(body)}`, ...headers, ...asked, ""].join("\n");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function literal(value, indent = "") {
  const inner = `${indent}    `;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  // JSON's texts are Python's, but for halves of characters, which both spell as \ud800.
  if (typeof value !== "object") return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((each) => literal(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each, inner)}`);
  if (parts.length === 0) return open + close;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${close}`;
}
