// Tokenizers, generation and embeddings. Vocabularies of tests are small and made here; with NABLA_MODELS the published ones are read.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type Tensor, engineStats, noGrad, setDevice, tensor } from 'nabla';
import { GPT2, Llama, T5 } from 'nabla/models';
import {
  type GenerativeModel,
  decodeStream,
  embed,
  generate,
  generateBatch,
  loadTokenizer,
  meanPool,
  nearest,
} from 'nabla/text';
import { Message } from '../io/formats/protobuf.js';
import { HostRandom } from '../tensor/host-random.js';
import { readFixture } from '../../test/support/pytorch.js';
import { wordPieceTokenizer } from '../../test/support/word-piece.js';
import { fill, u01 } from '../../test/support/zoo.js';
import { candidatesFor, pickToken } from './sampling.js';

setDevice('cpu');

/** What transformers' generate gave behind each prompt with each of SEARCHES; up to the end's id, which is the last one then. */
interface Search {
  readonly eos: number;
  readonly prompts: readonly (readonly number[])[];
  /** [prompt][search][0] */
  readonly alone: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** A tokenizer.json of kind Unigram, and what the tokenizers library makes of texts. */
interface UnigramFile {
  readonly tokenizer: {
    readonly model: { readonly vocab: readonly (readonly [string, number])[]; readonly unk_id: number };
  };
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
}

const {
  models: rows,
  searches,
  unigram,
} = readFixture<{
  models: Record<string, { greedy: number[] }>;
  searches: Record<string, Search>;
  unigram: UnigramFile;
}>('text.json');

async function made(model: GenerativeModel, prompt: readonly number[], options: object): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generate(model, prompt, options)) ids.push(id);
  return ids;
}

describe('generate', () => {
  const gpt2 = new GPT2({ vocabSize: 500, nPositions: 64, nEmbd: 64, nLayer: 3, nHead: 4 });
  fill(gpt2, 1);
  gpt2.eval();
  const prompt = rows['gpt2-small'].greedy.slice(0, 4);

  test("greedy continuations are transformers', with one program for all tokens", async () => {
    const programs = [engineStats().programs];
    const ids: number[] = [];
    for await (const id of generate(gpt2, prompt, { maxNewTokens: 20 })) {
      ids.push(id);
      programs.push(engineStats().programs);
    }
    expect([...prompt, ...ids]).toEqual(rows['gpt2-small'].greedy);
    const [before, first, ...later] = programs;
    expect(first - before).toBeLessThanOrEqual(2);
    expect(later).toEqual(later.map(() => first));
    await made(gpt2, [1, 2, 3], { maxNewTokens: 5 }); // another text
    expect(engineStats().programs).toBe(first);
  });

  test('Llama with grouped queries and rotary positions', async () => {
    const sizes = { hiddenSize: 48, intermediateSize: 96, numHiddenLayers: 2, numAttentionHeads: 6 };
    const llama = new Llama({ ...sizes, vocabSize: 200, numKeyValueHeads: 2, maxPositionEmbeddings: 64 });
    fill(llama, 1);
    const { greedy } = rows['llama'];
    expect([...greedy.slice(0, 4), ...(await made(llama.eval(), greedy.slice(0, 4), { maxNewTokens: 16 }))]).toEqual(
      greedy,
    );
  });

  test('rotary angles that change as a text grows change for all of it', async () => {
    const longrope = {
      ropeType: 'longrope',
      factor: 4,
      originalMaxPositionEmbeddings: 8,
      shortFactor: [1, 1.1, 1.2, 1.5],
      longFactor: [1.5, 2, 3, 4],
    } as const;
    const sizes = { vocabSize: 100, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 3, numAttentionHeads: 4 };
    const options = { ...sizes, numKeyValueHeads: 2, maxPositionEmbeddings: 32, ropeTheta: 100, rmsNormEps: 1e-5 };
    const phi = new Llama({ ...options, fusedProjections: true, ropeScaling: longrope });
    fill(phi, 1);
    const { greedy } = rows['phi3-longrope'];
    const { programs } = engineStats();
    const ids = await made(phi.eval(), greedy.slice(0, 4), { maxNewTokens: 20 });
    expect([...greedy.slice(0, 4), ...ids]).toEqual(greedy);
    expect(engineStats().programs - programs).toBeLessThanOrEqual(3);
    // a prompt that is too long from the start, one that becomes it, and one behind padding
    const [long, short] = [greedy.slice(0, 11), greedy.slice(0, 6)];
    const batch = await generateBatch(phi, [long, short], { maxNewTokens: 10 });
    expect(batch[0]).toEqual(greedy.slice(11, 21));
    expect(await generateBatch(phi, [short], { maxNewTokens: 10, numBeams: 2 })).toHaveLength(1);
  });

  test('a long prompt is taken in at once, and gives what forward gives; it ends at the context', async () => {
    const long = Array.from(u01(9, 59), (u) => Math.floor(u * 500));
    const [first, ...rest] = await made(gpt2, long, {});
    const logits = noGrad(() => gpt2.forward(tensor(Int32Array.from(long), { shape: [1, 59] })));
    const last = await logits.select(1, 58).data();
    expect(first).toBe(last.indexOf(Math.max(...last)));
    expect(rest).toHaveLength(4);
  });

  test('a seed gives the same tokens again; stop ends it', async () => {
    const options = { maxNewTokens: 8, temperature: 1, seed: 3 };
    const ids = await made(gpt2, prompt, options);
    expect(await made(gpt2, prompt, options)).toEqual(ids);
    expect(await made(gpt2, prompt, { ...options, seed: 4 })).not.toEqual(ids);
    expect(await made(gpt2, prompt, { ...options, stop: [ids[3]] })).toEqual(ids.slice(0, ids.indexOf(ids[3])));
  });

  test('T5 writes what transformers makes of it, with one program for all tokens', async () => {
    const sizes = { vocabSize: 200, dModel: 48, dKv: 8, dFf: 96, numLayers: 2, numDecoderLayers: 3, numHeads: 4 };
    const t5 = new T5({ ...sizes, relativeAttentionNumBuckets: 8, relativeAttentionMaxDistance: 20 });
    fill(t5, 1);
    t5.eval();
    const source = Array.from(u01(3, 24), (u) => Math.floor(u * 200));
    const programs: number[] = [];
    const ids: number[] = [];
    for await (const id of generate(t5, source, { maxNewTokens: 12 })) {
      ids.push(id);
      programs.push(engineStats().programs);
    }
    expect([0, ...ids]).toEqual(rows['t5'].greedy);
    expect(programs).toEqual(programs.map(() => programs[0]));
    await made(t5, source.slice(0, 7), { maxNewTokens: 3 }); // another source
    expect(engineStats().programs).toBe(programs[0]);
  });

  const small = { vocabSize: 60, nPositions: 64, nEmbd: 32, nLayer: 2, nHead: 4 };
  const llama = { vocabSize: 60, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 3, numAttentionHeads: 4 };
  const SEARCHED: Readonly<Record<string, () => GenerativeModel>> = {
    gpt2: () => filled(new GPT2(small), 2),
    mistral: () => filled(new Llama({ ...llama, numKeyValueHeads: 2, maxPositionEmbeddings: 64, slidingWindow: 6 }), 2),
    t5: () => filled(new T5({ vocabSize: 60, dModel: 32, dKv: 8, dFf: 48, numLayers: 2, numHeads: 4 }), 3),
  };

  function filled<M extends GPT2 | Llama | T5>(model: M, gain: number): M {
    fill(model, gain);
    model.eval();
    return model;
  }

  /** Those of tools/parity/text.py. */
  const SEARCHES = [
    { numBeams: 3, maxNewTokens: 12 },
    { numBeams: 4, maxNewTokens: 10, lengthPenalty: 2, noRepeatNgramSize: 2 },
    { numBeams: 3, maxNewTokens: 12, earlyStopping: true, lengthPenalty: -1 },
    { numBeams: 2, maxNewTokens: 12, earlyStopping: 'never', lengthPenalty: 0.5, repetitionPenalty: 1.3 },
    { numBeams: 1, maxNewTokens: 12, noRepeatNgramSize: 2 },
    { numBeams: 1, maxNewTokens: 12 },
  ] as const;

  test.each(Object.keys(SEARCHED))('%s: beam search and batches of prompts, as transformers has them', async (name) => {
    const model = SEARCHED[name]();
    const { eos, prompts, alone } = searches[name];
    const stop = [eos];
    for (const [i, options] of SEARCHES.entries()) {
      const wanted = alone.map((texts) => texts[i][0].filter((id) => id !== eos));
      expect({ options, texts: await generateBatch(model, prompts, { ...options, stop }) }).toEqual({
        options,
        texts: wanted,
      });
      if (i === 0) expect(await made(model, prompts[1], { ...options, stop })).toEqual(wanted[1]);
    }
  });

  test('beams go on with one program', async () => {
    const model = SEARCHED['gpt2']();
    const search = (): Promise<number[][]> => generateBatch(model, [[1, 2, 3]], { numBeams: 3, maxNewTokens: 9 });
    await search();
    const { programs } = engineStats();
    await search();
    await generateBatch(model, [[4, 5, 6, 7, 8]], { numBeams: 3, maxNewTokens: 4 });
    expect(engineStats().programs).toBe(programs);
  });

  test('texts of a batch are drawn as if each were alone', async () => {
    const options = { maxNewTokens: 4, temperature: 1, topK: 1, seed: 3 };
    const prompts = [[1, 2, 3], Array.from(u01(4, 40), (u) => Math.floor(u * 500)), [7]];
    const texts = await generateBatch(gpt2, prompts, options);
    for (const [i, text] of prompts.entries()) expect(texts[i]).toEqual(await made(gpt2, text, options));
  });

  test('wrong arguments are sentences', async () => {
    await expect(made(gpt2, [1], { numBeams: 2, topK: 3 })).rejects.toThrow('with numBeams 2 nothing is drawn');
    await expect(made(gpt2, [1], { numBeams: 0 })).rejects.toThrow('generate: numBeams is 0. Use a whole number of at');
    await expect(made(gpt2, [1], { earlyStopping: 'always' })).rejects.toThrow(
      "generate: earlyStopping is 'always'. Use true, false or 'never'.",
    );
    await expect(made(gpt2, [1], { noRepeatNgramSize: 0 })).rejects.toThrow('generate: noRepeatNgramSize is 0');
    await expect(generateBatch(gpt2, [])).rejects.toThrow('generateBatch: there are no prompts. Give at least one.');
    await expect(generateBatch(gpt2, [[1], []])).rejects.toThrow('generateBatch: prompt 1 is empty.');
    await expect(made(gpt2, [], {})).rejects.toThrow('generate: the prompt is empty.');
    await expect(made(gpt2, [0.5], {})).rejects.toThrow('generate: the prompt has 0.5. Give ids');
    await expect(made(gpt2, new Array<number>(65).fill(1), {})).rejects.toThrow('context is 64');
    await expect(made(gpt2, [1], { topP: 0 })).rejects.toThrow('generate: topP is 0. Use a number above 0, at most 1.');
  });
});

describe('sampling', () => {
  const logits = [2, 0, -1, 1];
  const softmax = (values: readonly number[]): number[] => {
    const weights = values.map((v) => Math.exp(v));
    return weights.map((w) => w / weights.reduce((a, b) => a + b, 0));
  };
  const rounded = (list: readonly number[]): number[] => list.map((p) => Math.round(p * 1e12) / 1e12);

  test('temperature, top-k, top-p and repetition penalty, against closed forms', () => {
    const at = (options: object, seen: readonly number[] = []) => {
      const { ids, probabilities } = candidatesFor(logits, seen, options);
      return { ids, probabilities: rounded(probabilities) };
    };
    expect(at({})).toEqual({ ids: [0], probabilities: [1] });
    expect(at({ temperature: 2 })).toEqual({ ids: [0, 3, 1, 2], probabilities: rounded(softmax([1, 0.5, 0, -0.5])) });
    expect(at({ topK: 2 })).toEqual({ ids: [0, 3], probabilities: rounded(softmax([2, 1])) });
    // 0.644, 0.237, 0.087, 0.032: two make 0.88
    expect(at({ topP: 0.85 })).toEqual({ ids: [0, 3], probabilities: rounded(softmax([2, 1])) });
    expect(at({ topP: 0.89 })).toEqual({ ids: [0, 3, 1], probabilities: rounded(softmax([2, 1, 0])) });
    expect(at({ topP: 0.1 })).toEqual({ ids: [0], probabilities: [1] });
    expect(at({ temperature: 1, repetitionPenalty: 4 }, [0, 2, 0])).toEqual({
      ids: [3, 0, 1, 2],
      probabilities: rounded(softmax([1, 0.5, 0, -4])),
    });
    expect(at({ temperature: 0, topK: 3, repetitionPenalty: 4 }, [0])).toEqual({ ids: [3], probabilities: [1] });
  });

  test('tokens are drawn as often as they should be', () => {
    const random = new HostRandom(5);
    const draws = 20_000;
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < draws; i++) counts[pickToken(logits, [], { temperature: 1 }, random)]++;
    for (const [i, p] of softmax(logits).entries())
      expect(Math.abs(counts[i] / draws - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
  });
});

describe('embeddings', () => {
  test('means over the tokens, lengths of 1, neighbours', async () => {
    const features: Tensor = tensor([
      [
        [1, 2],
        [3, 4],
        [100, 100],
      ],
      [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    ]);
    const attentionMask = tensor(
      [
        [1, 1, 0],
        [1, 1, 1],
      ],
      { dtype: 'int32' },
    );
    expect(await meanPool(features, attentionMask).array()).toEqual([
      [2, 3],
      [2, 0],
    ]);
    const ids = tensor(
      [
        [5, 6, 0],
        [7, 8, 9],
      ],
      { dtype: 'int32' },
    );
    const vectors = embed({ forward: () => features }, { ids, attentionMask });
    expect((await vectors.square().sum(1).data()).map((x) => Math.round(x * 1e6) / 1e6)).toEqual(Float32Array.of(1, 1));
    const rowsOf = tensor([
      [0, 1],
      [1, 0],
      [-1, 0],
      [5, 5],
    ]);
    const found = await nearest(
      tensor([
        [2, 0],
        [0, -1],
      ]),
      rowsOf,
      2,
    );
    expect(found.map((list) => list.map(({ index }) => index))).toEqual([
      [1, 3],
      [1, 2],
    ]);
    expect(found[0][1].similarity).toBeCloseTo(Math.SQRT1_2, 6);
    await expect(nearest(rowsOf, rowsOf, 5)).rejects.toThrow('nearest: count is 5, and there are 4 rows.');
  });
});

const WORDS = wordPieceTokenizer(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'play', '##ing', 'the', 'game'], 4, false);

describe('tokenizers', () => {
  const bytes = (): Uint8Array => new TextEncoder().encode(JSON.stringify(WORDS));

  test('texts, pairs and batches of them', async () => {
    const tokenizer = await loadTokenizer(bytes());
    expect(tokenizer.encode('Playing the GAME')).toEqual({
      ids: [2, 4, 5, 6, 7, 3],
      tokens: ['[CLS]', 'play', '##ing', 'the', 'game', '[SEP]'],
      tokenTypeIds: [0, 0, 0, 0, 0, 0],
    });
    expect(tokenizer.encode('the game', { addSpecialTokens: false }).ids).toEqual([6, 7]);
    expect(tokenizer.encode('the', { pair: 'game' })).toMatchObject({
      ids: [2, 6, 3, 7, 3],
      tokenTypeIds: [0, 0, 0, 1, 1],
    });
    expect(tokenizer.decode([2, 4, 5, 6, 3])).toBe('playing the');
    expect(tokenizer.decode([2, 4, 5], { skipSpecialTokens: false })).toContain('[CLS]');
    const batch = tokenizer.encodeBatch(['game', ['the', 'game'], 'playing the game'], { maxLength: 5 });
    expect(await batch.ids.array()).toEqual([
      [2, 7, 3, 0, 0],
      [2, 6, 3, 7, 3],
      [2, 4, 5, 6, 3],
    ]);
    expect(await batch.attentionMask.array()).toEqual([
      [1, 1, 1, 0, 0],
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
    ]);
    expect(await batch.tokenTypeIds.sum(1).data()).toEqual(Int32Array.of(0, 2, 0));
    expect([tokenizer.padId, tokenizer.idOf('game'), tokenizer.tokenOf(7), tokenizer.vocabularySize]).toEqual([
      0,
      7,
      'game',
      8,
    ]);
  });

  test('without @huggingface/tokenizers it is said how to get it', async () => {
    vi.doMock('@huggingface/tokenizers', () => {
      throw new Error('Cannot find package');
    });
    await expect(loadTokenizer(bytes())).rejects.toThrow(
      'loadTokenizer: this needs the package @huggingface/tokenizers, which is not installed. Run npm install @huggingface/tokenizers.',
    );
    vi.doUnmock('@huggingface/tokenizers');
  });

  test('what is no tokenizer is refused', async () => {
    await expect(loadTokenizer(new TextEncoder().encode('{}'))).rejects.toThrow('it has no model');
    await expect(loadTokenizer(new TextEncoder().encode('nothing'))).rejects.toThrow('is not JSON');
    await expect(loadTokenizer('no/such/folder')).rejects.toThrow('no/such/folder cannot be read');
  });
});

/** The bytes of a SentencePiece model: pieces with scores and types (1 normal, 2 unknown, 3 control, 6 a byte). */
function pieceModel(
  type: 1 | 2,
  pieces: readonly (readonly [string, number, number])[],
  { unk = 0, bos = 1, eos = 2 } = {},
): Uint8Array {
  const model = new Message();
  for (const [text, score, kind] of pieces)
    model.message(1, new Message().string(1, text).float(2, score).int(3, kind));
  return model
    .message(
      2,
      new Message()
        .int(3, type)
        .int(35, type === 2)
        .int(40, unk)
        .int(41, bos)
        .int(42, eos),
    )
    .message(3, new Message().string(1, 'identity').int(3, true).int(4, true))
    .finish();
}

const CONTROL = [
  ['<unk>', 0, 2],
  ['<s>', 0, 3],
  ['</s>', 0, 3],
] as const;

describe("SentencePiece's files", () => {
  test('BPE: the pairs with the best scores first, bytes for what is unknown, <s> in front', async () => {
    const bytes = Array.from(
      { length: 256 },
      (_, i) => [`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, 0, 6] as const,
    );
    const words = ['ab', '▁a', '▁ab', 'bc', 'abc'].map((text, i) => [text, -i, 1] as const);
    const letters = ['▁', 'a', 'b', 'c'].map((text, i) => [text, -10 - i, 1] as const);
    const tokenizer = await loadTokenizer(pieceModel(2, [...CONTROL, ...bytes, ...words, ...letters]));
    expect(tokenizer.encode('ab  bc é ').tokens).toEqual(['<s>', '▁ab', '▁', 'bc', '▁', '<0xC3>', '<0xA9>']);
    const { ids } = tokenizer.encode('ab  bc é ');
    expect(tokenizer.decode(ids)).toBe('ab bc é');
    const pieces: string[] = [];
    for await (const piece of decodeStream(tokenizer, ids)) pieces.push(piece);
    expect(pieces.join('')).toBe('ab bc é');
    expect(pieces).not.toContain('\ufffd');
    expect(tokenizer.encode('', { addSpecialTokens: false }).ids).toEqual([]);
  });

  test("Unigram: the most probable pieces, T5's end and its places", async () => {
    const pieces = [
      ['▁the', -1, 1],
      ['▁', -3, 1],
      ['▁cat', -2, 1],
      ['s', -2.5, 1],
      ['▁c', -4, 1],
      ['ats', -4, 1],
    ] as const;
    const [unknown, , end] = CONTROL;
    const tokenizer = await loadTokenizer(pieceModel(1, [unknown, ['<pad>', 0, 3], end, ...pieces]));
    expect(tokenizer.encode('the cats').tokens).toEqual(['▁the', '▁cat', 's', '</s>']);
    expect(tokenizer.encode('the <extra_id_0>').ids).toEqual([3, 9 + 99, 2]);
    expect([tokenizer.vocabularySize, tokenizer.padId]).toEqual([109, 1]);
  });

  test("Unigram of tokenizer.json, and the same pieces in SentencePiece's file, give the ids of transformers", async () => {
    const { tokenizer: json, cases } = unigram;
    const own = await loadTokenizer(new TextEncoder().encode(JSON.stringify(json)));
    const kinds = new Map([
      ['<pad>', 3],
      ['</s>', 3],
      ['<unk>', 2],
    ]);
    const pieces = json.model.vocab.map(([text, score]) => [text, score, kinds.get(text) ?? 1] as const);
    const alone = await loadTokenizer(pieceModel(1, pieces, { unk: 2, bos: -1, eos: 1 }));
    for (const { text, ids, decoded } of cases) {
      expect({ text, ids: own.encode(text).ids, decoded: own.decode(ids) }).toEqual({ text, ids, decoded });
      // its table of characters is the identity here
      if (text.normalize('NFKC') === text) expect({ text, ids: alone.encode(text).ids }).toEqual({ text, ids });
    }
  });

  test('tokenizer_config.json says what stands around texts; what is damaged is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-pieces-'));
    const bytes = pieceModel(1, [...CONTROL, ['▁a', -1, 1]]);
    writeFileSync(join(folder, 'spiece.model'), bytes);
    writeFileSync(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify({ tokenizer_class: 'X', add_eos_token: false }),
    );
    expect((await loadTokenizer(folder)).encode('a').tokens).toEqual(['<s>', '▁a']);
    rmSync(folder, { recursive: true });
    await expect(loadTokenizer(bytes.subarray(0, 12))).rejects.toThrow(
      /is no file of SentencePiece's, or a damaged one/,
    );
    const words = new Message().message(1, new Message().string(1, 'a')).message(2, new Message().int(3, 3)).finish();
    await expect(loadTokenizer(words)).rejects.toThrow('has a model of kind WORD. There are Unigram and BPE.');
  });
});

const published = process.env['NABLA_MODELS'];
interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded: string;
}
interface Pair {
  readonly a: string;
  readonly b: string;
  readonly ids: readonly number[];
  readonly type_ids: readonly number[];
}

describe.skipIf(published === undefined)('published vocabularies (skipped where NABLA_MODELS is not set)', () => {
  const folder = (name: string): string => `${published}/tokenizers/${name}`;
  const expected = (name: string): unknown => JSON.parse(readFileSync(`${folder(name)}/expected.json`, 'utf8'));

  test('gpt2: all texts, both ways', async () => {
    const tokenizer = await loadTokenizer(folder('gpt2'));
    for (const { text, ids, decoded } of expected('gpt2') as Case[]) {
      expect({ text, ids: tokenizer.encode(text).ids }).toEqual({ text, ids });
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(decoded);
    }
  });

  test("sp-bpe-tok512: SentencePiece's own ids from its model alone, both ways", async () => {
    const tokenizer = await loadTokenizer(folder('sp-bpe-tok512'));
    const { cases } = expected('sp-bpe-tok512') as { cases: Case[] };
    for (const { text, ids, decoded } of cases) {
      const found = tokenizer.encode(text, { addSpecialTokens: false });
      expect({ text, ids: found.ids }).toEqual({ text, ids });
      expect({ text, decoded: tokenizer.decode(ids) }).toEqual({ text, decoded });
    }
  });

  test('bert-uncased: all but what the package is known to do otherwise', async () => {
    const tokenizer = await loadTokenizer(folder('bert-uncased'));
    const { single, pairs } = expected('bert-uncased') as { single: Case[]; pairs: Pair[] };
    const wrong = single.filter(({ text, ids }) => tokenizer.encode(text).ids.join() !== ids.join());
    // CJK characters beyond U+FFFF, the Greek sigma at the end of a word, and U+061D, punctuation since Unicode 14
    const known = /[\u{20000}-\u{2fa1f}]|Σ|\u061d/u;
    expect(wrong.filter(({ text }) => !known.test(text)).map(({ text }) => text)).toEqual([]);
    for (const { a, b, ids, type_ids: tokenTypeIds } of pairs)
      if (!known.test(a + b)) expect(tokenizer.encode(a, { pair: b })).toMatchObject({ ids, tokenTypeIds });
  });
});
