// Models of text against transformers: keys, counts, outputs, a training step, greedy continuations. test/fixtures/text.json is made by
// tools/parity/text.py, which states how weights and inputs are made.
import { expect, test } from 'vitest';
import { type AnyTensor, type FloatDType, type Tensor, compile, noGrad, ones, setDevice, tensor } from 'nabla';
import { type Module, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import {
  Bert,
  BertClassifier,
  BertMaskedLM,
  BertQuestionAnswering,
  BertTokenClassifier,
  Config,
  DistilBert,
  DistilBertClassifier,
  DistilBertMaskedLM,
  DistilBertQuestionAnswering,
  DistilBertTokenClassifier,
  Electra,
  ElectraClassifier,
  ElectraDiscriminator,
  ElectraMaskedLM,
  ElectraQuestionAnswering,
  ElectraTokenClassifier,
  GPT2,
  type Ids,
  Llama,
  type LlamaOptions,
  Roberta,
  RobertaClassifier,
  RobertaMaskedLM,
  RobertaQuestionAnswering,
  RobertaTokenClassifier,
  T5,
  T5Encoder,
  ViT,
  ViTClassifier,
} from 'nabla/models';
import { classOf } from './architectures.js';
import { bucketOf } from './relative-position.js';
import { readFixture } from '../../../test/support/pytorch.js';
import { noNative } from '../../../test/support/tiers.js';
import {
  type Digest,
  type Step,
  expectDigest,
  fill,
  images,
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
  readonly train?: Omit<Step, 'logits_after'>;
  /** What transformers writes into config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly greedy: readonly number[];
}

interface Buckets {
  readonly bidirectional: boolean;
  readonly count: number;
  readonly most: number;
  /** [class, how many in a row] */
  readonly runs: readonly (readonly [number, number])[];
}

const { models: rows, buckets } = readFixture<{ models: Record<string, Row>; buckets: readonly Buckets[] }>(
  'text.json',
);

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

/** Ids of `encoder` in tools/parity/text.py: from 2 on, and three of padding at the end of row 1. */
function encoderIds(pad: number): Ids {
  return tensor(
    Int32Array.from(u01(3, 24), (u, i) => (i >= 21 ? pad : 2 + Math.floor(u * 98))),
    { shape: [2, 12] },
  );
}

const SMALL = { vocabSize: 100, hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 48 };
const ENCODER = { ...SMALL, maxPositionEmbeddings: 24 };
const DISTIL = { vocabSize: 100, dim: 32, nLayers: 2, nHeads: 4, hiddenDim: 48, maxPositionEmbeddings: 24 };
const encoderMask = maskOf([2, 12], 9);
const encoderTypes: Ids = tensor(
  Int32Array.from({ length: 24 }, (_, i) => (i % 12 < 6 ? 0 : 1)),
  { shape: [2, 12] },
);

interface Head extends Module {
  forward(ids: Ids, inputs: object): Tensor | { readonly start: Tensor; readonly end: Tensor };
  pooled?(features: Tensor): Tensor;
}

/** Stands in for the model that a case makes: the same one, made from the config.json that transformers writes. */
let fromFile: Module | undefined;

function own<M extends Module>(model: M): M {
  if (fromFile === undefined) return model;
  expect(fromFile.constructor).toBe(model.constructor);
  return fromFile as M; // of the same class, as was just seen
}

/** The outputs that `encoder` of tools/parity/text.py has. */
function encoderCase(made: Head, kind: 'features' | 'logits' | 'class' | 'answer', pad = 0, types?: Ids): Case {
  const model = own(made);
  const inputs = { attentionMask: encoderMask, ...(types !== undefined && { tokenTypeIds: types }) };
  const parts = (x: Tensor, name: string, end = name): Record<string, Tensor> => ({
    [`${name}[0]`]: x.select(0, 0),
    [`${end}[1, :9]`]: x.select(0, 1).slice(0, 0, 9),
  });
  return {
    model,
    outputs(): Readonly<Record<string, Tensor>> {
      const found = model.forward(encoderIds(pad), inputs);
      if ('start' in found)
        return { 'start[0]': found.start.select(0, 0), 'end[1, :9]': found.end.select(0, 1).slice(0, 0, 9) };
      if (kind === 'class') return { logits: found };
      const pooled: Record<string, Tensor> = model.pooled === undefined ? {} : { pooled: model.pooled(found) };
      return { ...parts(found, kind), ...pooled };
    },
  };
}

const TINY = { vocabSize: 100, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 3, numAttentionHeads: 4 };

function tiny(options: LlamaOptions, length = 20): Case {
  const model = own(new Llama({ ...TINY, numKeyValueHeads: 2, maxPositionEmbeddings: 32, ...options }));
  const ids = idsOf(3, [2, length], 100);
  return { model, outputs: () => ({ logits: model.forward(ids) }) };
}

function gpt2Variant(options: object): Case {
  const model = own(new GPT2({ vocabSize: 100, nPositions: 32, nEmbd: 32, nLayer: 3, nHead: 4, ...options }));
  const ids = idsOf(3, [2, 12], 100);
  return { model, outputs: () => ({ logits: model.forward(ids) }) };
}

const T5_SIZES = { vocabSize: 200, dModel: 48, dKv: 8, dFf: 96, numLayers: 2, numHeads: 4 };
const T5_POSITIONS = { relativeAttentionNumBuckets: 8, relativeAttentionMaxDistance: 20 };

function t5(options: object): Case {
  const model = own(new T5({ ...T5_SIZES, ...T5_POSITIONS, numDecoderLayers: 3, ...options }));
  const [ids, answer, wanted] = [idsOf(3, [2, 24], 200), idsOf(4, [2, 10], 200), idsOf(5, [2, 10], 200)];
  const inputs = { attentionMask: maskOf([2, 24], 17) };
  const logits = (): Tensor => model.forward(ids, answer, inputs);
  return {
    model,
    outputs: () => ({ 'encoder[0]': model.encode(ids, inputs).select(0, 0), logits: logits() }),
    loss() {
      const guesses: Tensor<[number, number]> = logits().reshape([-1, 200]);
      const targets: Tensor<[number], 'int32'> = wanted.reshape([-1]);
      return crossEntropy(guesses, targets);
    },
  };
}

const VIT = { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 64, patchSize: 8 };
const YARN = { ropeType: 'yarn', factor: 4, originalMaxPositionEmbeddings: 8 } as const;

const GEMMA2 = {
  headDim: 16,
  gemma: true,
  sandwichNorms: true,
  tieWordEmbeddings: true,
  hiddenAct: 'gelu_pytorch_tanh',
} as const;
const PHI = { fusedProjections: true, rmsNormEps: 1e-5 } as const;
const LONGROPE = {
  ropeType: 'longrope',
  factor: 4,
  originalMaxPositionEmbeddings: 8,
  shortFactor: [1, 1.1, 1.2, 1.5],
  longFactor: [1.5, 2, 3, 4],
} as const;

/** Variants of the same kinds. */
const VARIANTS: Readonly<Record<string, () => Case>> = {
  t5: () => t5({}),
  't5-gated': () => t5({ feedForwardProj: 'gated-gelu', scaleDecoderOutputs: false }),
  't5-encoder'() {
    const model = own(new T5Encoder({ ...T5_SIZES, ...T5_POSITIONS, feedForwardProj: 'gated-silu' }));
    return { model, outputs: () => ({ features: model.forward(idsOf(3, [2, 24], 200)) }) };
  },
  vit() {
    const model = own(new ViTClassifier({ ...VIT, imageSize: 32, numLabels: 10 }));
    return { model, outputs: () => ({ logits: model.forward(like(images([2, 3, 32, 32]), model)) }) };
  },
  'vit-model'() {
    const odd = { imageSize: [16, 24], qkvBias: false, hiddenAct: 'gelu_fast' } as const;
    const model = own(new ViT({ ...VIT, ...odd, poolerOutputSize: 20, poolerAct: 'sigmoid' }));
    return {
      model,
      outputs() {
        const features = model.forward(like(images([2, 3, 16, 24]), model));
        return { features, pooled: model.pooled(features) };
      },
    };
  },
  bertModel: () => encoderCase(new Bert(ENCODER), 'features', 0, encoderTypes),
  bertForMaskedLM: () => encoderCase(new BertMaskedLM(ENCODER), 'logits', 0, encoderTypes),
  bertForSequenceClassification: () =>
    encoderCase(new BertClassifier({ ...ENCODER, numLabels: 3 }), 'class', 0, encoderTypes),
  bertForTokenClassification: () =>
    encoderCase(new BertTokenClassifier({ ...ENCODER, numLabels: 3 }), 'logits', 0, encoderTypes),
  bertForQuestionAnswering: () => encoderCase(new BertQuestionAnswering(ENCODER), 'answer', 0, encoderTypes),
  robertaModel: () => encoderCase(new Roberta(ENCODER), 'features', 1),
  robertaForMaskedLM: () => encoderCase(new RobertaMaskedLM(ENCODER), 'logits', 1),
  robertaForSequenceClassification: () => encoderCase(new RobertaClassifier({ ...ENCODER, numLabels: 3 }), 'class', 1),
  robertaForTokenClassification: () =>
    encoderCase(new RobertaTokenClassifier({ ...ENCODER, numLabels: 3 }), 'logits', 1),
  robertaForQuestionAnswering: () => encoderCase(new RobertaQuestionAnswering(ENCODER), 'answer', 1),
  electraModel: () => encoderCase(new Electra(ENCODER), 'features', 0, encoderTypes),
  electraForMaskedLM: () => encoderCase(new ElectraMaskedLM(ENCODER), 'logits', 0, encoderTypes),
  electraForSequenceClassification: () =>
    encoderCase(new ElectraClassifier({ ...ENCODER, numLabels: 3 }), 'class', 0, encoderTypes),
  electraForTokenClassification: () =>
    encoderCase(new ElectraTokenClassifier({ ...ENCODER, numLabels: 3 }), 'logits', 0, encoderTypes),
  electraForQuestionAnswering: () => encoderCase(new ElectraQuestionAnswering(ENCODER), 'answer', 0, encoderTypes),
  electraForPreTraining: () =>
    encoderCase(new ElectraDiscriminator({ ...ENCODER, hiddenAct: 'silu' }), 'logits', 0, encoderTypes),
  'electra-wide': () => encoderCase(new ElectraMaskedLM({ ...ENCODER, embeddingSize: 32 }), 'logits', 0, encoderTypes),
  distilbertModel: () => encoderCase(new DistilBert(DISTIL), 'features'),
  distilbertForMaskedLM: () => encoderCase(new DistilBertMaskedLM(DISTIL), 'logits'),
  distilbertForSequenceClassification: () =>
    encoderCase(new DistilBertClassifier({ ...DISTIL, numLabels: 3 }), 'class'),
  distilbertForTokenClassification: () =>
    encoderCase(new DistilBertTokenClassifier({ ...DISTIL, numLabels: 3 }), 'logits'),
  distilbertForQuestionAnswering: () => encoderCase(new DistilBertQuestionAnswering(DISTIL), 'answer'),
  linear: () => tiny({ ropeTheta: 100, ropeScaling: { ropeType: 'linear', factor: 2 } }),
  dynamic: () => tiny({ ropeTheta: 100, ropeScaling: { ropeType: 'dynamic', factor: 4 } }, 40),
  yarn: () => tiny({ ropeTheta: 100, ropeScaling: { ...YARN, betaFast: 2, betaSlow: 0.5 } }),
  'yarn-scaled': () =>
    tiny({ ropeTheta: 1000, ropeScaling: { ...YARN, mscale: 1.5, mscaleAllDim: 0.5, truncate: false } }),
  mistral: () => tiny({ slidingWindow: 5, headDim: 12 }),
  qwen2: () =>
    tiny({
      attentionBias: true,
      attentionOutputBias: false,
      tieWordEmbeddings: true,
      slidingWindow: 5,
      layerTypes: ['full_attention', 'sliding_attention', 'sliding_attention'],
    }),
  qwen3: () => tiny({ headDim: 16, attentionBias: true, queryKeyNorm: true }),
  gemma: () =>
    tiny({ headDim: 16, numKeyValueHeads: 1, gemma: true, hiddenAct: 'gelu_pytorch_tanh', tieWordEmbeddings: true }),
  gemma2: () =>
    tiny({
      ...GEMMA2,
      slidingWindow: 5,
      queryPreAttnScalar: 20,
      attnLogitSoftcapping: 1.5,
      finalLogitSoftcapping: 2.5,
      layerTypes: ['sliding_attention', 'full_attention', 'sliding_attention'],
    }),
  'gemma2-uncapped': () =>
    tiny({
      ...GEMMA2,
      tieWordEmbeddings: false,
      attentionBias: true,
      queryPreAttnScalar: 256,
      slidingWindow: 4,
      layerTypes: ['full_attention', 'sliding_attention', 'sliding_attention'],
    }),
  phi3: () => tiny({ ...PHI, ropeTheta: 100, slidingWindow: 6, partialRotaryFactor: 0.5 }),
  'phi3-longrope': () => tiny({ ...PHI, ropeTheta: 100, ropeScaling: LONGROPE }),
  'phi3-short': () => tiny({ ...PHI, ropeTheta: 100, ropeScaling: { ...LONGROPE, attentionFactor: 1.25 } }, 8),
  'gpt2-scaled': () => gpt2Variant({ scaleAttnByInverseLayerIdx: true, activationFunction: 'quick_gelu' }),
  'gpt2-unscaled': () =>
    gpt2Variant({ scaleAttnWeights: false, nInner: 40, activationFunction: 'relu', tieWordEmbeddings: false }),
};

/** x in the dtype of the model. */
function like(x: Tensor, model: Module): Tensor {
  const [{ dtype }] = model.parameters();
  return x.to(dtype) as Tensor;
}

const ALL = { ...CASES, ...VARIANTS };

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

const ROTARY = /^(llama|linear|dynamic|yarn|mistral|qwen|gemma|phi)/;

/** The rotary angles of transformers are float32, in a float64 model too. */
function dtypesOf(name: string): readonly FloatDType[] {
  if (ROTARY.test(name)) return ['float32'];
  return isComplete ? ['float32', 'float64'] : [/^(gpt2|t5-gated)/.test(name) ? 'float32' : 'float64'];
}

test('keys and numbers of parameters are those of transformers, of the defaults with NABLA_PARITY=all', () => {
  for (const [name, make] of Object.entries(isComplete ? { ...ALL, ...LARGE } : ALL)) {
    const { model } = make();
    const lines = keyLines(model);
    const found = { parameters: model.parameterCount, keys: { count: lines.length, sha256: sha256(lines) } };
    const { parameters, keys } = rows[name];
    expect({ name, ...found }).toEqual({ name, parameters, keys });
  }
});

const cases = Object.keys(ALL).flatMap((name) => dtypesOf(name).map((dtype) => [name, dtype] as const));

test.each(cases)('%s in %s: outputs, and a step of training', async (name, dtype) => {
  const { config } = rows[name];
  if (config !== undefined) {
    const file = new Config(config);
    fromFile = classOf('the test', file).fromConfig(file);
  }
  const { model, outputs, loss } = ALL[name]();
  fromFile = undefined;
  fill(model, 1);
  model.eval().to(dtype);
  const found = noGrad(outputs);
  const { outputs: wanted, train } = rows[name];
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [key, digest] of Object.entries(wanted))
    await expectDigest(found[key], digest, key, toleranceOf(dtype, digest.noise));
  if (loss === undefined || train === undefined) return;
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

test('classes of distances are those of transformers', () => {
  for (const { bidirectional: isBidirectional, count, most: maxDistance, runs } of buckets) {
    const wanted = runs.flatMap(([bucket, times]) => new Array<number>(times).fill(bucket));
    const found = wanted.map((_, i) => bucketOf(i - 300, { count, maxDistance, isBidirectional }));
    expect({ count, maxDistance, isBidirectional, found }).toEqual({
      count,
      maxDistance,
      isBidirectional,
      found: wanted,
    });
  }
});

test('what does not fit is refused in a sentence', () => {
  expect(() => new GPT2({ nEmbd: 10, nHead: 3 })).toThrow('GPT2: 3 heads do not divide width 10.');
  expect(() => new Llama({ numAttentionHeads: 8, numKeyValueHeads: 3 })).toThrow(/numKeyValueHeads 3 does not divide/);
  const caps = { ...TINY, finalLogitSoftcapping: 0 };
  expect(() => new Llama(caps)).toThrow('Llama: finalLogitSoftcapping is 0. Use a number above 0.');
  expect(() => new Llama({ ...TINY, fusedProjections: true, mlpBias: true })).toThrow(
    'fusedProjections have no biases',
  );
  expect(() => new Llama({ ...TINY, partialRotaryFactor: 0.1 })).toThrow(
    'partialRotaryFactor is 0.1, which leaves 0 of 8',
  );
  expect(() => new Llama({ ...TINY, ropeScaling: { ...LONGROPE, longFactor: [1, 2] } })).toThrow(
    'ropeScaling.longFactor has 2 factors, and heads have 4 pairs',
  );
  const t5 = new T5({ ...T5_SIZES });
  expect(() => t5.forward(idsOf(3, [2, 4], 200), idsOf(3, [1, 4], 200))).toThrow(
    'T5: decoderIds [1, 4] and ids [2, 4]: needs an answer for each source',
  );
  expect(() => new T5({ relativeAttentionNumBuckets: 2 })).toThrow(/relativeAttentionNumBuckets is 2. Use a whole/);
  expect(() => new ViT({ imageSize: 8, patchSize: 16 })).toThrow('patches of 16×16 are larger than images of 8×8');
  expect(() => new Llama({ ...TINY, layerTypes: ['sliding_attention'] })).toThrow('1 layerTypes for 3 layers');
  expect(() => new Roberta({ ...ENCODER, padTokenId: 23 })).toThrow('leaves no positions behind padTokenId 23');
  const bert = new Bert({ ...BERT, maxPositionEmbeddings: 8 });
  expect(() => bert.forward(idsOf(3, [1, 9], 200))).toThrow('ids [1, 9]: at most 8 positions');
  expect(() => bert.forward(idsOf(3, [2, 4], 200), { attentionMask: ones([1, 4]) })).toThrow(
    'Bert: attentionMask [1, 4] does not have the shape of the ids [2, 4]',
  );
});
