// A request in the fragment of an address: browsers keep fragments to themselves, no server ever sees one.

const PREFIX = "#ask=";
/** Longer addresses are cut by chats and mail programs. */
const MAX_LINK = 8000;
const MAX_TEXT = 1_000_000;

/** The page's address with `ask` in its fragment. Raises `Error` where it would be too long. */
export async function linkTo(ask, page) {
  const packed = await squeezed(JSON.stringify(ask));
  const link = `${page.split("#")[0]}${PREFIX}${base64url(packed)}`;
  if (link.length > MAX_LINK) {
    const [length, most] = [link.length, MAX_LINK].map((count) => count.toLocaleString("en"));
    const why = `This request makes a link of ${length} characters, and more than ${most} get cut on their way.`;
    throw new Error(`${why} Copy it as curl or Python instead.`);
  }
  return link;
}

/** What the fragment holds, `null` for none. Raises `Error` where it cannot be read. */
export async function readLink(fragment) {
  if (!fragment.startsWith(PREFIX)) return null;
  try {
    const text = await expanded(bytesOf(fragment.slice(PREFIX.length)));
    const ask = JSON.parse(text);
    if (ask !== null && typeof ask === "object" && !Array.isArray(ask)) return ask;
  } catch {
    // Told below, as whatever else it may be.
  }
  throw new Error("The link is damaged: what it holds cannot be read. Ask for it again.");
}

async function squeezed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A small link can unpack into very much: what is more than a request could be is given up. */
async function expanded(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))
    .pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    if (text.length > MAX_TEXT) {
      await reader.cancel();
      throw new Error("too long");
    }
  }
}

function base64url(bytes) {
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
