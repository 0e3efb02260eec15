// Models of text against transformers: keys, counts, outputs, a training step, greedy continuations. test/fixtures/text.json is made by
// tools/parity/text.py, which states how weights and inputs are made.
import { expect, test } from 'vitest';
import { type AnyTensor, type FloatDType, type Tensor, compile, noGrad, ones, setDevice, tensor } from 'nabla';
import { type Module, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { Bert, BertClassifier, BertMaskedLM, GPT2, type Ids, Llama } from 'nabla/models';
import { readFixture } from '../../../test/support/pytorch.js';
import { noNative } from '../../../test/support/tiers.js';
import {
  type Digest,
  type Step,
  expectDigest,
  fill,
  keyLines,
  labels,
  sha256,
  toleranceOf,
  u01,
} from '../../../test/support/zoo.js';

interface Row {
  readonly parameters: number;
  readonly keys: { readonly count: number; readonly sha256: string };
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly train: Omit<Step, 'logits_after'>;
  readonly greedy: readonly number[];
}

const { models: rows } = readFixture<{ models: Record<string, Row> }>('text.json');

setDevice('cpu');

function idsOf(seed: number, shape: readonly [number, number], vocabulary: number): Ids {
  return tensor(
    Int32Array.from(u01(seed, shape[0] * shape[1]), (u) => Math.floor(u * vocabulary)),
    { shape },
  );
}

/** Ones; zeros where, in row 1, the padding begins. */
function maskOf(shape: readonly [number, number], from: number): AnyTensor {
  return tensor(
    Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => (i >= shape[1] + from && i < 2 * shape[1] ? 0 : 1)),
    { shape },
  );
}

const BERT = { vocabSize: 200, hiddenSize: 48, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 96 };
const CLASSIFIER = { vocabSize: 1000, hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 256 };
const LLAMA = { vocabSize: 200, hiddenSize: 48, intermediateSize: 96, numHiddenLayers: 2, numAttentionHeads: 6 };
const LLAMA_REST = { numKeyValueHeads: 2, maxPositionEmbeddings: 64 };
const LLAMA3 = { ropeType: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4 } as const;

const bertMask = maskOf([2, 16], 11);
const bertTypes: Ids = tensor(
  Int32Array.from({ length: 32 }, (_, i) => (i % 16 < 8 ? 0 : 1)),
  { shape: [2, 16] },
);

interface Case {
  readonly model: Module;
  outputs(): Readonly<Record<string, Tensor>>;
  loss?(): Tensor;
}

/** Next-token cross-entropy. */
function nextLoss(logits: Tensor, ids: Ids): Tensor {
  const vocabulary = logits.shape[2];
  const guesses: Tensor<[number, number]> = logits.slice(1, 0, -1).reshape([-1, vocabulary]);
  const targets: Tensor<[number], 'int32'> = ids.slice(1, 1).reshape([-1]);
  return crossEntropy(guesses, targets);
}

function decoder(model: GPT2 | Llama, ids: Ids, names: readonly (string | undefined)[]): Case {
  return {
    model,
    outputs() {
      const states = model.hiddenStates(ids);
      const named = names.flatMap((name, i) => (name === undefined ? [] : [[name, states.at(i)!] as const]));
      return { ...Object.fromEntries(named), last: states.at(-1)!, logits: model.forward(ids) };
    },
    loss: () => nextLoss(model.forward(ids), ids),
  };
}

const llama = (options: object): Case =>
  decoder(new Llama({ ...LLAMA, ...LLAMA_REST, ...options }), idsOf(3, [2, 16], 200), [undefined, 'layer 1']);

const CASES: Readonly<Record<string, () => Case>> = {
  bert() {
    const model = new BertMaskedLM({ ...BERT, maxPositionEmbeddings: 32 });
    const ids = idsOf(3, [2, 16], 200);
    const inputs = { attentionMask: bertMask, tokenTypeIds: bertTypes };
    return {
      model,
      outputs() {
        const [embeddings, first] = model.hiddenStates(ids, inputs);
        const logits = model.forward(ids, inputs);
        return {
          embeddings,
          'layer 1': first,
          'logits[0]': logits.select(0, 0),
          'logits[1, :11]': logits.select(0, 1).slice(0, 0, 11),
        };
      },
    };
  },
  'bert-small'() {
    const model = new BertClassifier({ ...CLASSIFIER, maxPositionEmbeddings: 64, numLabels: 3 });
    const ids = idsOf(3, [4, 16], 1000);
    const logits = (): Tensor<[number, number]> => model.forward(ids, { attentionMask: maskOf([4, 16], 11) });
    return { model, outputs: () => ({ logits: logits() }), loss: () => crossEntropy(logits(), labels(4, 3)) };
  },
  'gpt2-small'() {
    const model = new GPT2({ vocabSize: 500, nPositions: 64, nEmbd: 64, nLayer: 3, nHead: 4 });
    return decoder(model, idsOf(3, [2, 24], 500), ['embeddings', 'block 1']);
  },
  llama: () => llama({}),
  'llama-tied': () => llama({ tieWordEmbeddings: true, attentionBias: true, mlpBias: true, headDim: 12 }),
  llama3: () => llama({ ropeTheta: 500, ropeScaling: { ...LLAMA3, originalMaxPositionEmbeddings: 16 } }),
};

const isComplete = process.env['NABLA_PARITY'] === 'all';

/** With the sizes that are the defaults: more than 100 million parameters each. */
const LARGE: Readonly<Record<string, () => Case>> = {
  'bert-base'() {
    const model = new BertMaskedLM();
    const inputs = { attentionMask: maskOf([2, 16], 11) };
    const ids = idsOf(3, [2, 16], 30522);
    return {
      model,
      outputs() {
        const logits = model.forward(ids, inputs);
        return {
          'layer 6[0]': model.hiddenStates(ids, inputs)[6].select(0, 0),
          'logits[0, :2]': logits.select(0, 0).slice(0, 0, 2),
          'logits[1, :2]': logits.select(0, 1).slice(0, 0, 2),
        };
      },
    };
  },
  gpt2() {
    const model = new GPT2();
    const ids = idsOf(3, [1, 16], 50257);
    return {
      model,
      outputs() {
        const states = model.hiddenStates(ids);
        const logits: Tensor = model.forward(ids);
        return { 'block 6': states[6], last: states.at(-1)!, 'logits[:, :2]': logits.slice(1, 0, 2) };
      },
    };
  },
};

/** The rotary angles of transformers are float32, in a float64 model too. */
function dtypesOf(name: string): readonly FloatDType[] {
  if (name.startsWith('llama')) return ['float32'];
  return isComplete ? ['float32', 'float64'] : [name.startsWith('gpt2') ? 'float32' : 'float64'];
}

test('keys and numbers of parameters are those of transformers, of the defaults with NABLA_PARITY=all', () => {
  for (const [name, make] of Object.entries(isComplete ? { ...CASES, ...LARGE } : CASES)) {
    const { model } = make();
    const lines = keyLines(model);
    const found = { parameters: model.parameterCount, keys: { count: lines.length, sha256: sha256(lines) } };
    const { parameters, keys } = rows[name];
    expect({ name, ...found }).toEqual({ name, parameters, keys });
  }
});

const cases = Object.keys(CASES).flatMap((name) => dtypesOf(name).map((dtype) => [name, dtype] as const));

test.each(cases)('%s in %s: outputs, and a step of training', async (name, dtype) => {
  const { model, outputs, loss } = CASES[name]();
  fill(model, 1);
  model.eval().to(dtype);
  const found = noGrad(outputs);
  const { outputs: wanted, train } = rows[name];
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [key, digest] of Object.entries(wanted))
    await expectDigest(found[key], digest, key, toleranceOf(dtype, digest.noise));
  if (loss === undefined) return;
  const parameters = Object.fromEntries(model.namedParameters());
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const keys = Object.keys(train.grads);
  const step = compile(async () => {
    optimizer.zeroGrad();
    const before = loss();
    before.backward();
    const gradients = keys.map((key) => parameters[key].grad!.keep());
    await optimizer.step();
    return [before, ...gradients];
  });
  const [before, ...gradients] = await step();
  const tolerance = toleranceOf(dtype, train.noise);
  expect(Math.abs((await before.item()) / train.loss - 1)).toBeLessThan(tolerance);
  for (const [i, key] of keys.entries()) {
    const digest = train.grads[key];
    await expectDigest(gradients[i], digest, key, toleranceOf(dtype, digest.noise));
  }
  const [after] = await step();
  expect(Math.abs((await after.item()) / train.loss_after - 1)).toBeLessThan(Math.max(1e-7, tolerance));
});

const tiers = ['wasm', ...(noNative === undefined ? ['native'] : [])];
const large = Object.entries(LARGE).flatMap(([name, make]) => tiers.map((tier) => [name, tier, make] as const));

test.runIf(isComplete).each(large)(
  '%s in full size on %s: outputs (runs with NABLA_PARITY=all)',
  async (name, tier, make) => {
    setDevice(tier);
    const { model, outputs } = make();
    fill(model, 1);
    model.eval();
    const found = noGrad(outputs);
    const wanted = rows[name].outputs;
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
    for (const [key, digest] of Object.entries(wanted))
      await expectDigest(found[key], digest, key, toleranceOf('float32', digest.noise));
    setDevice('cpu');
  },
  600_000,
);

test('what does not fit is refused in a sentence', () => {
  expect(() => new GPT2({ nEmbd: 10, nHead: 3 })).toThrow('GPT2: 3 heads do not divide width 10.');
  expect(() => new Llama({ numAttentionHeads: 8, numKeyValueHeads: 3 })).toThrow(/numKeyValueHeads 3 does not divide/);
  const bert = new Bert({ ...BERT, maxPositionEmbeddings: 8 });
  expect(() => bert.forward(idsOf(3, [1, 9], 200))).toThrow('ids [1, 9]: at most 8 positions');
  expect(() => bert.forward(idsOf(3, [2, 4], 200), { attentionMask: ones([1, 4]) })).toThrow(
    'Bert: attentionMask [1, 4] does not have the shape of the ids [2, 4]',
  );
});
