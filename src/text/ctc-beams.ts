// Prefix beam search (Hannun et al. 2014): beginnings of sequences with the probabilities of all ways through the steps so far that give them,
// those that end with a blank and those that do not. Beginnings are nodes of a tree, so that ways that meet in one are added.
// Numbers in, numbers out. Must not know: tensors, texts.

/** The logarithm of the probability of the token `next` after those of `prefix`. */
export type CtcLanguageModel = (prefix: readonly number[], next: number) => number;

/** Logarithms of probabilities, [steps, classes] one after the other. */
export interface Scores {
  readonly logs: ArrayLike<number>;
  readonly steps: number;
  readonly classes: number;
}

export interface BeamSettings {
  readonly blank: number;
  readonly beamWidth: number;
  readonly count: number;
  readonly tokensPerStep: number;
  /** What a token after others adds to the score of a sequence. */
  readonly added: CtcLanguageModel;
}

/** A beginning of a sequence. */
class Prefix {
  readonly parent: Prefix | undefined;
  readonly token: number;
  readonly ids: readonly number[];
  /** What the language model and the bonuses add. */
  readonly added: number;
  readonly children = new Map<number, Prefix>();
  /** Logarithms of the probabilities of all ways that end with a blank, and with the last token. */
  endsBlank = -Infinity;
  endsToken = -Infinity;
  nextBlank = -Infinity;
  nextToken = -Infinity;
  isLive = false;

  constructor(parent: Prefix | undefined, token: number, ids: readonly number[], added: number) {
    this.parent = parent;
    this.token = token;
    this.ids = ids;
    this.added = added;
  }

  get score(): number {
    return logSum(this.endsBlank, this.endsToken) + this.added;
  }

  /** The probabilities of the step become those so far. */
  turn(): void {
    this.endsBlank = this.nextBlank;
    this.endsToken = this.nextToken;
    this.nextBlank = -Infinity;
    this.nextToken = -Infinity;
  }
}

/** Beginnings that were dropped stay in the tree as long as others begin with them. */
function leaveTree(dropped: Prefix): void {
  let node: Prefix = dropped;
  while (node.parent !== undefined && !node.isLive && node.children.size === 0) {
    node.parent.children.delete(node.token);
    node = node.parent;
  }
}

function logSum(a: number, b: number): number {
  if (a === -Infinity) return b;
  if (b === -Infinity) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** The best sequences, best first. */
export function beamSearch(
  { logs, steps, classes }: Scores,
  settings: BeamSettings,
): { readonly ids: readonly number[]; readonly score: number }[] {
  const { blank, beamWidth, count, added } = settings;
  const root = new Prefix(undefined, -1, [], 0);
  root.endsBlank = 0;
  root.isLive = true;
  let beams = [root];
  for (let t = 0; t < steps; t++) {
    const at = (token: number): number => logs[t * classes + token];
    const tried = triedTokens(at, classes, settings);
    const reached = new Set<Prefix>();
    const extend = (prefix: Prefix, token: number, log: number): void => {
      if (log === -Infinity) return;
      let child = prefix.children.get(token);
      if (child === undefined) {
        child = new Prefix(prefix, token, [...prefix.ids, token], prefix.added + added(prefix.ids, token));
        prefix.children.set(token, child);
      }
      child.nextToken = logSum(child.nextToken, log);
      reached.add(child);
    };
    for (const prefix of beams) {
      const all = logSum(prefix.endsBlank, prefix.endsToken);
      prefix.nextBlank = logSum(prefix.nextBlank, all + at(blank));
      if (prefix.token >= 0) prefix.nextToken = logSum(prefix.nextToken, prefix.endsToken + at(prefix.token));
      reached.add(prefix);
      // the same token once more is another one only after a blank
      for (const token of tried) extend(prefix, token, (token === prefix.token ? prefix.endsBlank : all) + at(token));
    }
    const candidates = [...reached];
    for (const prefix of candidates) prefix.turn();
    const scores = new Map(candidates.map((prefix) => [prefix, prefix.score]));
    candidates.sort((a, b) => scores.get(b)! - scores.get(a)!);
    beams = candidates.slice(0, beamWidth);
    for (const prefix of candidates) prefix.isLive = false;
    for (const prefix of beams) prefix.isLive = true;
    for (const prefix of candidates.slice(beamWidth)) {
      prefix.endsBlank = -Infinity;
      prefix.endsToken = -Infinity;
      leaveTree(prefix);
    }
  }
  return beams.slice(0, count).map((prefix) => ({ ids: prefix.ids, score: prefix.score }));
}

/** The most probable classes of a step, without the blank. */
function triedTokens(
  at: (token: number) => number,
  classes: number,
  { blank, tokensPerStep }: BeamSettings,
): readonly number[] {
  const tokens = Array.from({ length: classes }, (_, c) => c).filter((c) => c !== blank);
  if (tokensPerStep >= tokens.length) return tokens;
  return tokens.sort((a, b) => at(b) - at(a)).slice(0, tokensPerStep);
}
