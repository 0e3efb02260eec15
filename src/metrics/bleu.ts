// BLEU of a corpus (Papineni et al. 2002): matching n-grams of translations and references, punished for brevity. The
// figures are sacrebleu's (Post 2018), whose defaults these are. Works on text: there is nothing to do for a device.

import { ArgumentError, checkOptions, type OptionNames, checkList, checkText } from '../tensor/library.js';
import { TOKENISATIONS, type Tokenisation, tokenize } from './tokenize.js';

export type Smoothing = 'none' | 'floor' | 'add-k' | 'exp';

export interface BleuOptions {
  /** Default '13a'; 'none' splits at white space. */
  readonly tokenize?: Tokenisation;
  readonly lowercase?: boolean;
  /** What an n-gram order without a match counts (Chen and Cherry 2014). Default 'exp'. */
  readonly smoothing?: Smoothing;
  /** Of 'floor' (default 0.1) and 'add-k' (default 1). */
  readonly smoothingValue?: number;
  /** Longest n-gram. Default 4. */
  readonly maxOrder?: number;
  /** Leave out orders longer than all sentences: for the BLEU of single sentences. Default false. */
  readonly effectiveOrder?: boolean;
}

const BLEU_OPTIONS: OptionNames<BleuOptions> = {
  tokenize: true,
  lowercase: true,
  smoothing: true,
  smoothingValue: true,
  maxOrder: true,
  effectiveOrder: true,
};

export interface BleuScore {
  /** 0 … 100. */
  readonly score: number;
  /** Of each order, in percent. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  readonly length: number;
  readonly referenceLength: number;
}

const SMOOTHING_VALUES: Readonly<Record<Smoothing, number>> = { none: 0, floor: 0.1, 'add-k': 1, exp: 0 };

/**
 * BLEU over all sentences given to `update`, 0 … 100; NaN without any. sacrebleu: corpus_bleu.
 *
 *     const bleu = new Bleu();
 *     bleu.update(['The cat sat.'], [['The cat is sitting.', 'A cat sat.']]);
 *     bleu.compute().score
 */
export class Bleu {
  readonly name = 'bleu';
  readonly better = 'higher';
  private readonly options: Required<BleuOptions>;
  private sentences = 0;
  private readonly matches: number[];
  private readonly totals: number[];
  private length = 0;
  private referenceLength = 0;

  constructor(options: BleuOptions = {}) {
    checkOptions(new.target.name, options, BLEU_OPTIONS);
    const smoothing = options.smoothing ?? 'exp';
    if (!Object.hasOwn(SMOOTHING_VALUES, smoothing))
      throw new ArgumentError(
        `Bleu: smoothing is '${String(smoothing)}'. Use ${quote(Object.keys(SMOOTHING_VALUES))}.`,
      );
    const { maxOrder = 4, tokenize: how = '13a' } = options;
    if (!TOKENISATIONS.includes(how))
      throw new ArgumentError(`Bleu: tokenize is '${String(how)}'. Use ${quote(TOKENISATIONS)}.`);
    if (!Number.isInteger(maxOrder) || maxOrder < 1)
      throw new ArgumentError(`Bleu: maxOrder is ${maxOrder}. Use a whole number above 0.`);
    this.options = {
      tokenize: how,
      lowercase: options.lowercase ?? false,
      smoothing,
      smoothingValue: options.smoothingValue ?? SMOOTHING_VALUES[smoothing],
      maxOrder,
      effectiveOrder: options.effectiveOrder ?? false,
    };
    this.matches = new Array<number>(maxOrder).fill(0);
    this.totals = new Array<number>(maxOrder).fill(0);
  }

  /** Takes in sentences; each has one reference or several. Throws ArgumentError if the lists differ in length. */
  update(candidates: readonly string[], references: readonly (string | readonly string[])[]): void {
    checkList('Bleu', 'the candidates', candidates, 'texts');
    checkList('Bleu', 'the references', references, 'texts');
    candidates.forEach((candidate, i) => checkText('Bleu', `candidate ${i}`, candidate));
    references.forEach((given, i) =>
      (Array.isArray(given) ? given : [given]).forEach((text) => checkText('Bleu', `reference ${i}`, text)),
    );
    if (candidates.length !== references.length) {
      throw new ArgumentError(
        `Bleu: ${candidates.length} candidates, ${references.length} references. Give one (or a list) for each candidate.`,
      );
    }
    candidates.forEach((candidate, i) => {
      const given = references[i];
      const list = typeof given === 'string' ? [given] : given;
      if (list.length === 0) throw new ArgumentError(`Bleu: sentence ${i} has no reference.`);
      this.count(
        this.tokens(candidate),
        list.map((text) => this.tokens(text)),
      );
    });
  }

  private tokens(text: string): string[] {
    return tokenize(this.options.lowercase ? text.toLowerCase() : text, this.options.tokenize);
  }

  private count(candidate: readonly string[], references: readonly (readonly string[])[]): void {
    const { maxOrder } = this.options;
    const own = nGrams(candidate, maxOrder);
    const most = new Map<string, number>();
    for (const reference of references)
      for (const [gram, { count }] of nGrams(reference, maxOrder)) most.set(gram, Math.max(count, most.get(gram) ?? 0));
    for (const [gram, { count, order }] of own) {
      this.totals[order - 1] += count;
      this.matches[order - 1] += Math.min(count, most.get(gram) ?? 0);
    }
    this.sentences++;
    this.length += candidate.length;
    this.referenceLength += closest(
      candidate.length,
      references.map((r) => r.length),
    );
  }

  compute(): BleuScore {
    const { matches, totals, length, referenceLength } = this;
    const brevityPenalty = length >= referenceLength ? 1 : length === 0 ? 0 : Math.exp(1 - referenceLength / length);
    const { precisions, orders } = this.precisions();
    const hasMatch = matches.some((n) => n > 0);
    const logs = precisions.slice(0, orders).reduce((sum, p) => sum + Math.log(p), 0);
    const score = this.sentences === 0 ? NaN : hasMatch ? brevityPenalty * Math.exp(logs / orders) : 0;
    return { score, precisions: hasMatch ? precisions : totals.map(() => 0), brevityPenalty, length, referenceLength };
  }

  /** In percent, smoothed; and how many of them count. */
  private precisions(): { precisions: number[]; orders: number } {
    const { smoothing, smoothingValue, maxOrder, effectiveOrder } = this.options;
    const precisions = new Array<number>(maxOrder).fill(0);
    let orders = maxOrder;
    let halved = 1;
    for (let n = 0; n < maxOrder; n++) {
      const more = smoothing === 'add-k' && n > 0 ? smoothingValue : 0;
      const [match, total] = [this.matches[n] + more, this.totals[n] + more];
      if (total === 0) break;
      if (effectiveOrder) orders = n + 1;
      if (match > 0) precisions[n] = (100 * match) / total;
      else if (smoothing === 'exp') precisions[n] = 100 / ((halved *= 2) * total);
      else if (smoothing === 'floor') precisions[n] = (100 * smoothingValue) / total;
    }
    return { precisions, orders };
  }

  reset(): void {
    this.matches.fill(0);
    this.totals.fill(0);
    [this.sentences, this.length, this.referenceLength] = [0, 0, 0];
  }
}

/** All n-grams up to the order, with their number. */
function nGrams(tokens: readonly string[], maxOrder: number): Map<string, { count: number; order: number }> {
  const found = new Map<string, { count: number; order: number }>();
  for (let start = 0; start < tokens.length; start++) {
    let gram = '';
    for (let order = 1; order <= maxOrder && start + order <= tokens.length; order++) {
      gram += `${tokens[start + order - 1]} `; // tokens contain no blank
      const known = found.get(gram);
      if (known === undefined) found.set(gram, { count: 1, order });
      else known.count++;
    }
  }
  return found;
}

/** The reference length nearest to the candidate's, the shorter of two equally near. */
function closest(length: number, references: readonly number[]): number {
  const distance = (r: number) => Math.abs(r - length);
  return references.reduce((best, r) =>
    distance(r) < distance(best) || (distance(r) === distance(best) && r < best) ? r : best,
  );
}

function quote(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
