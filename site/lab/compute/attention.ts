import { type Tensor, cat, manualSeed, randn, realize, tensor } from 'nabla';
import { sinusoidalEncoding } from 'nabla/nn';

export interface Settings {
  /** Whose words ask. */
  first: string;
  /** Whose words are looked at; empty: those of the first. */
  second: string;
  heads: string;
  mask: string;
  /** Add positional encodings. */
  positions: boolean;
  /** Divide scores by √d. */
  scaled: boolean;
  seed: number;
}

const WIDTH = 32;

/** A vector for each word; equal words have equal vectors. */
function embed(words: readonly string[], vectors: Map<string, Tensor>): Tensor {
  for (const word of words) if (!vectors.has(word)) vectors.set(word, randn([1, WIDTH]));
  return cat(words.map((word): Tensor => vectors.get(word)!));
}

/** Scaled dot-product attention of two sentences, or of one with itself, step by step. */
export async function* run(settings: Settings) {
  const { mask, positions, scaled } = settings;
  const heads = Number(settings.heads);
  const split = (text: string) => text.trim().split(/\s+/).filter(Boolean).slice(0, 14);
  const queries = split(settings.first);
  const keys = split(settings.second).length > 0 ? split(settings.second) : queries;
  if (queries.length === 0) throw new Error('First sentence: it has no word. Write a few, with spaces between them.');
  manualSeed(settings.seed);
  const vectors = new Map<string, Tensor>();
  const placed = (x: Tensor): Tensor => (positions ? x.add(sinusoidalEncoding(x.shape[0], WIDTH)) : x);
  const [x, y] = [placed(embed(queries, vectors)), placed(embed(keys, vectors))];

  // Two matrices for all heads, each head a part of the columns. Queries and keys begin alike: alike words find each other.
  const width = WIDTH / heads;
  const project: Tensor = randn([WIDTH, WIDTH]).div(Math.sqrt(WIDTH));
  const apart: Tensor = randn([WIDTH, WIDTH]).div(Math.sqrt(WIDTH)).mul(0.4);
  const inHeads = (z: Tensor): Tensor => z.reshape([z.shape[0], heads, width]).transpose(0, 1); // [heads, L, width]
  const [q, k] = [inHeads(x.matmul(project)), inHeads(y.matmul(project.add(apart)))];
  let scores: Tensor = q.matmul(k.transpose(1, 2)).div(scaled ? Math.sqrt(width) : 1);
  if (mask === 'causal') {
    // A word must not look at what comes after it: −∞ before softmax is 0 after it.
    const hidden = queries.flatMap((_, i) => keys.map((_word, j) => (j > i ? -1e9 : 0)));
    scores = scores.add(tensor(Float32Array.from(hidden), { shape: [1, queries.length, keys.length] }));
  }
  const weights: Tensor = scores.softmax(-1);
  const entropy: Tensor = weights.mul(weights.clamp(1e-12, 1).log()).sum(-1).neg().div(Math.LN2).mean();
  await realize(weights, entropy);
  const numbers = await weights.data();
  const [row, most] = [
    queries.length - 1,
    numbers.subarray((queries.length - 1) * keys.length, queries.length * keys.length),
  ];
  yield {
    values: {
      [`'${queries[row]}' looks most at`]: keys[most.indexOf(Math.max(...most))],
      'with weight': Math.max(...most),
      'entropy, bits': await entropy.item(),
    },
    queries,
    keys,
    heads,
    weights: numbers,
  };
}
