// A model at work on several texts at once: prompts are taken in, then a token of each text after the other. Keys and values stay in buffers of fixed
// size, and what changes from token to token is an argument: one compiled program serves all positions. Shorter prompts begin later, behind padding
// that nobody sees.
//   Ids in, logits out. Must not know: how the next token is chosen.

import type { CausalModel, EncoderDecoderModel, KeyValueCache } from '../models/text/cache.js';
import { tensor } from '../tensor/creation.js';
import { compile } from '../tensor/compile.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, runPending } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';

export type GenerativeModel = CausalModel | EncoderDecoderModel;

export const readsSource = (model: GenerativeModel): model is EncoderDecoderModel => 'newAnswerCache' in model;

/** Tokens of prompts that are taken in at once. */
const CHUNK = 32;
/** Buffers have room for a multiple of so many tokens, so that prompts of other lengths find the same programs. */
const ROOM = 256;

type IdRows = Tensor<[number, number], 'int32'>;
type IdRow = Tensor<[number], 'int32'>;

/** Logits of the texts, one row after the other. */
export interface Rows {
  readonly data: Float64Array;
  readonly width: number;
}

export class Decoding {
  /** What each text begins with: its prompt, or for a model that answers its first id. */
  readonly beginnings: readonly (readonly number[])[];
  private readonly step: (tokens: IdRows, first: IdRow) => Promise<Tensor>;
  private readonly reorderedStep: (tokens: IdRows, first: IdRow, from: IdRow) => Promise<Tensor>;
  private readonly beams: number;
  private readonly cache: KeyValueCache;
  private seen = 0;
  /** Longer texts are turned in another way: undefined where that is no matter, or has happened. */
  private shortLength: number | undefined;
  /** What the texts have, as far as it may have to be read again. */
  private texts: readonly (readonly number[])[] = [];

  /** `beams`: texts for each of the prompts. */
  constructor(
    call: string,
    model: GenerativeModel,
    prompts: readonly (readonly number[])[],
    beams: number,
    made: number,
  ) {
    this.beams = beams;
    const isAnswer = readsSource(model);
    this.beginnings = isAnswer ? prompts.map(() => [model.decoderStartTokenId]) : prompts;
    const longest = this.beginnings.reduce((most, { length }) => Math.max(most, length), 0);
    const room = Math.min(model.contextLength, Math.ceil((longest + made) / ROOM) * ROOM);
    const count = prompts.length * beams;
    const cache = isAnswer ? answerCache(model, prompts, count, room) : model.newCache(count, room);
    this.cache = cache;
    if (!isAnswer) {
      this.pad(call, cache, longest);
      this.shortLength = model.shortLength;
    }
    this.step = compile((tokens: IdRows, first: IdRow) => withoutGrad(() => model.step(tokens, first, cache)));
    this.reorderedStep = compile((tokens: IdRows, first: IdRow, from: IdRow) =>
      withoutGrad(() => {
        cache.reorder(from);
        return model.step(tokens, first, cache);
      }),
    );
    if (beams > 1 && !('reorder' in cache))
      throw new ArgumentError(`${call}: the model's cache has no reorder(rows), which numBeams needs. Use 1.`);
  }

  private pad(call: string, cache: KeyValueCache, longest: number): void {
    const starts = this.beginnings.flatMap(({ length }) => new Array<number>(this.beams).fill(longest - length));
    if (starts.every((start) => start === 0)) return;
    if (!('starts' in cache))
      throw new ArgumentError(
        `${call}: the model's cache has no starts, which prompts of several lengths need. Give them one by one.`,
      );
    cache.starts.assign_(tensor(Int32Array.from(starts), { shape: [starts.length] }));
  }

  /** Takes in what the texts begin with: logits behind it. */
  async begin(): Promise<Rows> {
    const longest = this.beginnings.reduce((most, { length }) => Math.max(most, length), 0);
    const rows = this.beginnings.map((ids) => [...new Array<number>(longest - ids.length).fill(0), ...ids]);
    return read(await this.takeAll(rows.flatMap((ids) => new Array<number[]>(this.beams).fill(ids))));
  }

  /** Rows of one length, from their beginning. */
  private async takeAll(rows: readonly (readonly number[])[]): Promise<Tensor> {
    const { length } = rows[0];
    this.seen = 0;
    this.texts = this.goOn(length) === undefined ? [] : rows;
    for (;;) {
      const count = length - this.seen >= CHUNK ? CHUNK : 1;
      const logits = await this.take(rows.map((ids) => ids.slice(this.seen, this.seen + count)));
      if (this.seen === length) return logits;
      runPending(); // the cache is written, the logits are not asked for
    }
  }

  /** Says that the texts become so long; whether they may become too long for what the cache holds. */
  private goOn(length: number): number | undefined {
    if (this.shortLength === undefined || length <= this.shortLength) return this.shortLength;
    this.cache.reach.assign_(tensor([length - 1], { dtype: 'int32' }));
    this.shortLength = undefined;
    return undefined;
  }

  /** A token for each text; with `from`, text i goes on from what text `from[i]` has. Logits behind it. */
  async next(ids: readonly number[], from?: readonly number[]): Promise<Rows> {
    if (this.shortLength !== undefined) {
      this.texts = ids.map((id, i) => [...this.texts[from?.[i] ?? i], id]);
      if (this.goOn(this.seen + 1) === undefined) return read(await this.takeAll(this.texts));
    }
    return read(
      await this.take(
        ids.map((id) => [id]),
        from,
      ),
    );
  }

  private take(piece: readonly (readonly number[])[], from?: readonly number[]): Promise<Tensor> {
    const count = piece[0].length;
    const tokens: IdRows = tensor(Int32Array.from(piece.flat()), { shape: [piece.length, count] });
    const first: IdRow = tensor([this.seen], { dtype: 'int32' });
    this.seen += count;
    if (this.beams === 1 || count > 1) return this.step(tokens, first);
    const order = from ?? piece.map((_, i) => i);
    return this.reorderedStep(tokens, first, tensor(Int32Array.from(order), { shape: [order.length] }));
  }
}

async function read(logits: Tensor): Promise<Rows> {
  return { data: Float64Array.from(await logits.data()), width: logits.shape[1] };
}

/** With the sources in it: padded behind, to lengths that other sources have as well. */
function answerCache(
  model: EncoderDecoderModel,
  sources: readonly (readonly number[])[],
  count: number,
  room: number,
): KeyValueCache {
  const longest = sources.reduce((most, { length }) => Math.max(most, length), 0);
  const width = Math.ceil(longest / CHUNK) * CHUNK;
  const filled = (of: (ids: readonly number[]) => readonly number[]): IdRows => {
    const numbers = new Int32Array(sources.length * width);
    for (const [i, ids] of sources.entries()) numbers.set(of(ids), i * width);
    return tensor(numbers, { shape: [sources.length, width] });
  };
  const cache = model.newAnswerCache(count, room, width);
  const [ids, mask] = [filled((all) => all), filled((all) => all.map(() => 1))];
  withoutGrad(() => model.read(ids, mask, cache));
  runPending();
  return cache;
}
