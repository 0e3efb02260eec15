// Whether an object in a JSON text has a key twice, which JSON.parse does not say. One pass over the text, without regular
// expressions, whose stack a string of megabytes would exhaust.

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const BLANKS = [0x20, 0x09, 0x0a, 0x0d];

/** The first key that an object of the text has twice, at any depth; undefined if there is none. `json` must be valid JSON. */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []; // keys of the objects and arrays that the place lies in
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) open.push(new Set());
    else if (code === 0x7d || code === 0x5d) open.pop();
    if (code !== QUOTE) continue;
    const begin = at;
    for (at++; json.charCodeAt(at) !== QUOTE; at++) if (json.charCodeAt(at) === BACKSLASH) at++;
    let next = at + 1;
    while (BLANKS.includes(json.charCodeAt(next))) next++;
    if (json.charCodeAt(next) !== COLON) continue;
    const key = JSON.parse(json.slice(begin, at + 1)) as string; // two spellings may be one key
    const keys = open.at(-1);
    if (keys?.has(key)) return key;
    keys?.add(key);
  }
  return undefined;
}
