// Beam search: several continuations of a text at once, the most probable ones as a whole. Finished ones compete by their mean log-probabilities,
// or as `lengthPenalty` says. Rules and their order are those of transformers, so that the same texts come out.
//   Logits of each beam in, the next token of each and the beam that it goes on from out. Must not know: models, tensors.

import { type LogitRules, applyRules } from './sampling.js';
import { smallest } from '../tensor/extremes.js';

export interface BeamOptions {
  readonly numBeams: number;
  /** Scores are divided by the length to this power. */
  readonly lengthPenalty: number;
  /** true: end as soon as there are as many finished texts as beams; false: when better ones are improbable; 'never': when there can be none. */
  readonly earlyStopping: boolean | 'never';
  readonly maxNewTokens: number;
  readonly stops: ReadonlySet<number>;
  readonly rules: LogitRules;
}

/** What the model is to be asked next: a token for each beam, and which beam it continues. */
export interface BeamStep {
  readonly ids: readonly number[];
  readonly from: readonly number[];
}

interface Running {
  /** Behind the prompt. */
  readonly made: readonly number[];
  readonly score: number;
}

interface Finished extends Running {
  readonly isWhole: boolean;
}

interface Candidate extends Running {
  readonly from: number;
  readonly ends: boolean;
}

const NEVER = -1e9;

/** The search for one prompt. */
export class BeamSearch {
  private readonly prompt: readonly number[];
  private readonly options: BeamOptions;
  private running: readonly Running[];
  private finished: readonly Finished[];
  private length = 0;
  private canImprove = true;
  isDone = false;

  constructor(prompt: readonly number[], options: BeamOptions) {
    this.prompt = prompt;
    this.options = options;
    // all beams begin alike: only the first one counts
    this.running = Array.from({ length: options.numBeams }, (_, i) => ({ made: [], score: i === 0 ? 0 : NEVER }));
    this.finished = this.running.map(() => ({ made: [], score: NEVER, isWhole: false }));
  }

  /** The best text, without the id that it ended at. */
  get best(): readonly number[] {
    const { made } = this.finished[0];
    return this.options.stops.has(made.at(-1) ?? -1) ? made.slice(0, -1) : made;
  }

  /** `logits` of a beam: those of the token behind what it has. */
  advance(logits: (beam: number) => ArrayLike<number>): BeamStep {
    const { numBeams, stops, maxNewTokens } = this.options;
    const kept = Math.max(2, 1 + stops.size) * numBeams;
    const candidates = this.bestContinuations(logits, kept);
    this.keepFinished(candidates);
    const next = stableTop(
      candidates.map((candidate) => (candidate.ends ? { ...candidate, score: candidate.score + NEVER } : candidate)),
      numBeams,
    );
    this.running = next;
    this.length++;
    this.canImprove &&= this.mayImprove();
    const isFull = this.options.earlyStopping === true && this.finished.every(({ isWhole }) => isWhole);
    this.isDone = !this.canImprove || isFull || candidates.every(({ ends }) => ends) || this.length >= maxNewTokens;
    return { ids: next.map(({ made }) => made[made.length - 1]), from: next.map(({ from }) => from) };
  }

  private bestContinuations(logits: (beam: number) => ArrayLike<number>, count: number): readonly Candidate[] {
    const { rules, stops, maxNewTokens } = this.options;
    const all: { readonly from: number; readonly id: number; readonly score: number }[] = [];
    for (const [from, { made, score }] of this.running.entries()) {
      const scores = logSoftmax(logits(from));
      applyRules(scores, [...this.prompt, ...made], rules);
      for (const id of largest(scores, count)) all.push({ from, id, score: score + scores[id] });
    }
    const isLast = this.length + 1 >= maxNewTokens;
    return stableTop(all, count).map(({ from, id, score }) => {
      const made = [...this.running[from].made, id];
      return { from, made, score, ends: isLast || stops.has(id) };
    });
  }

  /** Candidates that end, of the first ones, among the texts that have ended before. */
  private keepFinished(candidates: readonly Candidate[]): void {
    const { numBeams, lengthPenalty, earlyStopping } = this.options;
    const isFull = earlyStopping === true && this.finished.every(({ isWhole }) => isWhole);
    const ended = candidates.map(({ made, score, ends }, i): Finished => {
      const isWhole = ends && i < numBeams;
      const fair = score / (this.length + 1) ** lengthPenalty;
      const loss = Number(isFull) + Number(!this.canImprove) + Number(!isWhole);
      return { made, score: fair + loss * NEVER, isWhole };
    });
    this.finished = stableTop([...this.finished, ...ended], numBeams);
  }

  /** Could the best of the running beams still come before one of the finished texts? */
  private mayImprove(): boolean {
    const { earlyStopping, lengthPenalty, maxNewTokens } = this.options;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : this.length;
    const possible = this.running[0].score / length ** lengthPenalty;
    const worst = smallest(this.finished.map(({ score }) => score));
    return this.finished.some(({ isWhole }) => possible > (isWhole ? worst : NEVER));
  }
}

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(logits);
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = scores.reduce((sum, x) => sum + Math.exp(x - most), 0);
  const shift = most + Math.log(total);
  return scores.map((x) => x - shift);
}

/** Positions of the `count` largest numbers, the largest first; of equal ones the earlier. */
function largest(numbers: Float64Array, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    if (found.length === count && !(numbers[i] > numbers[found[count - 1]])) continue;
    let at = Math.min(found.length, count - 1);
    for (; at > 0 && numbers[found[at - 1]] < numbers[i]; at--) found[at] = found[at - 1];
    found[at] = i;
  }
  return found;
}

/** Those with the largest scores; of equal ones the earlier. */
function stableTop<T extends { readonly score: number }>(list: readonly T[], count: number): readonly T[] {
  return list.toSorted((a, b) => b.score - a.score).slice(0, count);
}
