// Requests to the service. Addresses are relative, so that the page works behind a prefix too.

import { askForKey, key } from "./key.js";

/** What went wrong, by the service's stable code; `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(status, { code, message, param = null }, retryAfter = null) {
    super(message);
    Object.assign(this, { status, code, param, retryAfter });
  }
}

/** The answer to a request, whatever its status. Raises `ApiError` where none comes; aborting raises as in `fetch`. */
export async function send(path, { body, signal } = {}) {
  const headers = key() === null ? {} : { authorization: `Bearer ${key()}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const options = { method: body === undefined ? "GET" : "POST", headers, signal, cache: "no-store" };
  try {
    return await fetch(path, body === undefined ? options : { ...options, body: JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
}

export const unreachable = () =>
  new ApiError(0, { code: "unreachable", message: "no answer came from the service" });

/** A response that is good; a refused key is asked for once more. Raises `ApiError`. */
export async function call(path, options = {}) {
  const used = key();
  const response = await send(path, options);
  if (response.ok) return response;
  if (response.status === 401) {
    // Another request may have been given a key meanwhile.
    const why = used === null ? "This service asks for an API key." : "The service does not know this key.";
    if (key() !== used || await askForKey(why)) return call(path, options);
  }
  throw await errorOf(response);
}

export const getJson = async (path) => (await call(path)).json();

export async function errorOf(response) {
  const header = Number.parseFloat(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(header) ? header : null;
  const body = await response.json().catch(() => null);
  const error = body?.error ?? { code: `http_${response.status}`, message: "the answer was not the service's" };
  return new ApiError(response.status, error, retryAfter);
}
