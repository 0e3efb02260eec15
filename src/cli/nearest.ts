// Did you mean …? The known name that is nearest to what was typed.

/** undefined where none is near: more than a third of its characters would have to change. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const text = typed.toLowerCase();
  const distances = known.map((name) => ({ name, distance: distance(text, name.toLowerCase()) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(best.name.length / 3))) return best.name;
  return text.length < 3 ? undefined : known.find((name) => name.toLowerCase().includes(text));
}

/** Letters that are put in, left out or changed, or neighbours that are exchanged. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2] + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
