// Did you mean …? The known name that is nearest to what was typed.

import { editDistance } from '../tensor/library.js';

/** undefined where none is near: more than a third of its characters would have to change. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const text = typed.toLowerCase();
  const distances = known.map((name) => ({ name, distance: editDistance(text, name.toLowerCase()) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(best.name.length / 3))) return best.name;
  return text.length < 3 ? undefined : known.find((name) => name.toLowerCase().includes(text));
}
