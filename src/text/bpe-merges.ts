// Byte-pair encoding, learned (Sennrich et al. 2016): again and again the pair of neighbouring symbols that comes most often becomes a symbol.
//   Words with their counts in, symbols and merges out. Order among equals is that of huggingface/tokenizers' trainer: the pair whose symbols have
//   the lower numbers. Must not know: bytes, files, how texts are cut into words.

import { PriorityQueue } from './priority-queue.js';

export interface LearnedMerges {
  /** Symbols by their numbers. */
  readonly symbols: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

export interface MergeOptions {
  /** Symbols at the end, those at the start among them. */
  readonly size: number;
  /** Pairs that come less often stay apart. */
  readonly minFrequency: number;
}

/** A pair that may be merged next, with the words that it was found in when it was put in line. */
interface Candidate {
  readonly left: number;
  readonly right: number;
  readonly count: number;
  readonly words: ReadonlySet<number>;
}

const isBefore = (a: Candidate, b: Candidate): boolean =>
  a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right;

/** How often each pair of symbols comes, all words together, and where it was seen since the last merge. */
class PairCounts {
  private readonly counts = new Map<number, number>();
  private fresh = new Map<number, { left: number; right: number; words: Set<number> }>();

  of(left: number, right: number): number {
    return this.counts.get(left * LIMIT + right) ?? 0;
  }

  add(left: number, right: number, change: number, word: number): void {
    const key = left * LIMIT + right;
    this.counts.set(key, (this.counts.get(key) ?? 0) + change);
    if (change <= 0) return;
    const found = this.fresh.get(key);
    if (found === undefined) this.fresh.set(key, { left, right, words: new Set([word]) });
    else found.words.add(word);
  }

  /** Pairs that came up since the last call. */
  takeFresh(): Candidate[] {
    const candidates = [...this.fresh.values()].map((pair) => ({ ...pair, count: this.of(pair.left, pair.right) }));
    this.fresh = new Map();
    return candidates.filter(({ count }) => count > 0);
  }
}

/** Symbols are fewer than this. */
const LIMIT = 2 ** 26;

/** `start`: the symbols that words are made of, and others before them, in the order of their numbers. */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  start: readonly string[],
  { size, minFrequency }: MergeOptions,
): LearnedMerges {
  const symbols = [...start];
  const numbers = new Map(symbols.map((symbol, i) => [symbol, i]));
  const counts = [...words.values()];
  const spelled = [...words.keys()].map((word) => Array.from(word, (character) => numbers.get(character)!));
  const pairs = new PairCounts();
  for (const [w, ids] of spelled.entries())
    for (let i = 1; i < ids.length; i++) pairs.add(ids[i - 1], ids[i], counts[w], w);
  const line = new PriorityQueue<Candidate>(isBefore);
  for (const candidate of pairs.takeFresh()) line.push(candidate);
  const merges: (readonly [string, string])[] = [];
  while (symbols.length < size) {
    const best = line.pop();
    if (best === undefined) break;
    const { left, right } = best;
    const count = pairs.of(left, right);
    if (count !== best.count) {
      line.push({ ...best, count }); // other merges have taken some of them
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    const whole = symbols[left] + symbols[right];
    let merged = numbers.get(whole);
    if (merged === undefined) {
      merged = symbols.push(whole) - 1;
      numbers.set(whole, merged);
    }
    merges.push([symbols[left], symbols[right]]);
    for (const w of best.words)
      spelled[w] = mergeIn(spelled[w], best, merged, (a, b, sign) => pairs.add(a, b, sign * counts[w], w));
    for (const candidate of pairs.takeFresh()) line.push(candidate);
  }
  return { symbols, merges };
}

/** A word's symbols with the pair as one, from left to right; tells which neighbours went (−1) and came (1). */
function mergeIn(
  ids: readonly number[],
  { left, right }: Candidate,
  merged: number,
  tell: (left: number, right: number, sign: 1 | -1) => void,
): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== left || ids[i + 1] !== right) {
      out.push(ids[i]);
      continue;
    }
    const before = out[out.length - 1];
    if (before !== undefined) {
      tell(before, left, -1);
      tell(before, merged, 1);
    }
    i++;
    out.push(merged);
    if (i + 1 < ids.length) {
      tell(right, ids[i + 1], -1);
      tell(merged, ids[i + 1], 1);
    }
  }
  return out;
}
