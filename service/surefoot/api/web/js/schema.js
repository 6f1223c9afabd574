// OpenAPI's schemas in words: fields of a body, their kinds, an example.

/** The schema that a reference leads to. */
export function resolved(schema, document) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref.slice(2).split("/").reduce((at, part) => at[part], document);
}

/** `{name, kind, isRequired, says}` for each field of an object. */
export function fieldsOf(schema, document) {
  const object = resolved(schema, document);
  const required = new Set(object.required ?? []);
  return Object.entries(object.properties ?? {}).map(([name, field]) => ({
    name, kind: kindOf(field, document), isRequired: required.has(name), says: saysOf(field, document),
  }));
}

function saysOf(field, document) {
  const parts = [field.description ?? resolved(field, document).description ?? ""];
  if (field.default !== undefined && field.default !== null) parts.push(`Default: ${JSON.stringify(field.default)}.`);
  return parts.filter(Boolean).join(" ");
}

function kindOf(field, document, depth = 0) {
  if (field.$ref) {
    const target = resolved(field, document);
    return target.enum ? kindOf(target, document, depth) : field.$ref.split("/").at(-1);
  }
  const either = field.anyOf ?? field.oneOf;
  if (either) return either.map((each) => kindOf(each, document, depth)).filter((each) => each !== "null").join(" or ");
  if (field.enum) return field.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (field.const !== undefined) return JSON.stringify(field.const);
  if (field.type === "array") return `list of ${kindOf(field.items ?? {}, document, depth + 1)}`;
  return field.type ?? "anything";
}

/** An example of a body as text, "{}" where the description has none. */
export function exampleOf(schema, document) {
  const [example] = resolved(schema, document).examples ?? [{}];
  return JSON.stringify(example, null, 2);
}
