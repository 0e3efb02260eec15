// Did you mean …? The known name that is nearest to what was typed.

import { editDistance } from '../engine/ir/options.js';

/** undefined where none is near: more than a third of its characters would have to change. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const text = typed.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const name of known) {
    const most = Math.max(2, Math.floor(name.length / 3));
    if (Math.abs(name.length - text.length) > most) continue; // so many have to be put in or left out
    const edits = editDistance(text, name.toLowerCase());
    if (edits <= most && edits < least) [best, least] = [name, edits];
  }
  if (best !== undefined) return best;
  return text.length < 3 ? undefined : known.find((name) => name.toLowerCase().includes(text));
}
