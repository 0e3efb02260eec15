// Transformer layers and stacks, positions, residual and parallel containers: parity with PyTorch, and what does not fit.
import { expect, test } from 'vitest';
import { type AnyTensor, type Tensor, ones, setDevice, tensor, zeros } from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import { expectNear } from '../../test/support/pytorch.js';
import * as nn from './index.js';

const small = { dimFeedforward: 3, dropout: 0 } as const;
const encoderLayer = (options: object = {}) => new nn.TransformerEncoderLayer(4, 2, { ...small, ...options });
const decoderLayer = (options: object = {}) => new nn.TransformerDecoderLayer(4, 2, { ...small, ...options });

const subjects: Record<string, () => Subject> = {
  'encoder layer': () => ({ layer: encoderLayer() }),
  'encoder layer gelu, norm first, batch first, no bias': () => ({
    layer: encoderLayer({ activation: 'gelu', normFirst: true, batchFirst: true, bias: false, layerNormEps: 1e-3 }),
  }),
  'encoder layer masks': () => {
    const layer = encoderLayer();
    const mask = ones([3, 3], { dtype: 'bool' }).triu(1) as AnyTensor;
    const call = (x: Tensor, keyPaddingMask: AnyTensor) => layer.forward(x as never, { mask, keyPaddingMask });
    return { layer, call };
  },
  'encoder layer in evaluation': () => ({ layer: encoderLayer({ dropout: 0.5 }) }),
  'decoder layer': () => ({ layer: decoderLayer() }),
  'decoder layer norm first, masks': () => {
    const layer = decoderLayer({ normFirst: true });
    const call = (x: Tensor, memory: Tensor, memoryKeyPaddingMask: AnyTensor) =>
      layer.forward(x as never, memory, { isCausal: true, memoryKeyPaddingMask });
    return { layer, call };
  },
  encoder: () => ({ layer: new nn.TransformerEncoder(encoderLayer(), 2, new nn.LayerNorm(4)) }),
  decoder: () => ({ layer: new nn.TransformerDecoder(decoderLayer(), 2) }),
  Transformer: () => {
    const layer = new nn.Transformer(4, 2, { ...small, numEncoderLayers: 1, numDecoderLayers: 1 });
    return { layer, call: (src: Tensor, tgt: Tensor) => layer.forward(src, tgt as never, { tgtIsCausal: true }) };
  },
  Residual: () => ({ layer: new nn.Residual([new nn.Linear(4, 3), new nn.Tanh(), new nn.Linear(3, 4)]) }),
  'Residual with a shortcut': () => ({
    layer: new nn.Residual([new nn.Conv2d(2, 3, 3, { stride: 2, padding: 1 })], new nn.Conv2d(2, 3, 1, { stride: 2 })),
  }),
  Parallel: () => ({
    layer: new nn.Parallel([
      new nn.Conv2d(2, 3, 1),
      new nn.Conv2d(2, 2, 3, { padding: 1 }),
      new nn.MaxPool2d(3, { stride: 1, padding: 1 }),
    ]),
  }),
  'Parallel along the last dimension': () => ({ layer: new nn.Parallel([new nn.Linear(3, 2), new nn.Identity()], -1) }),
  Sequential: () => ({
    layer: new nn.Sequential(
      new nn.Linear(3, 4, { bias: false }),
      new nn.Sequential(new nn.BatchNorm1d(4), new nn.ReLU()),
      new nn.Linear(4, 2),
    ),
  }),
  'Sequential in evaluation': () => ({
    layer: new nn.Sequential(
      new nn.Conv2d(2, 3, 3),
      new nn.BatchNorm2d(3),
      new nn.Dropout(0.5),
      new nn.Flatten(),
      new nn.Linear(12, 2),
    ),
  }),
  'decoder layer gelu, batch first, no bias': () => ({
    layer: decoderLayer({ activation: 'gelu', batchFirst: true, bias: false }),
  }),
  'decoder layer in evaluation': () => ({ layer: decoderLayer({ dropout: 0.5 }) }),
  'encoder norm first, batch first, masks': () => {
    const layer = new nn.TransformerEncoder(encoderLayer({ normFirst: true, batchFirst: true }), 2);
    const call = (x: Tensor, keyPaddingMask: AnyTensor) =>
      layer.forward(x as never, { isCausal: true, keyPaddingMask });
    return { layer, call };
  },
  'decoder with a norm, masks': () => {
    const layer = new nn.TransformerDecoder(decoderLayer(), 1, new nn.LayerNorm(4));
    const call = (x: Tensor, memory: Tensor, memoryKeyPaddingMask: AnyTensor) =>
      layer.forward(x as never, memory, { isCausal: true, memoryKeyPaddingMask });
    return { layer, call };
  },
  'Transformer batch first, norm first, gelu': () => {
    const options = { batchFirst: true, normFirst: true, activation: 'gelu' } as const;
    const layer = new nn.Transformer(4, 2, { ...small, ...options, numEncoderLayers: 2, numDecoderLayers: 1 });
    const call = (src: Tensor, tgt: Tensor, tgtKeyPaddingMask: AnyTensor) =>
      layer.forward(src, tgt as never, { tgtIsCausal: true, tgtKeyPaddingMask });
    return { layer, call };
  },
  SinusoidalPositions: () => ({ layer: new nn.SinusoidalPositions(6) }),
  'SinusoidalPositions unbatched': () => ({ layer: new nn.SinusoidalPositions(4) }),
  LearnedPositions: () => ({ layer: new nn.LearnedPositions(5, 4) }),
  'LearnedPositions all of them': () => ({ layer: new nn.LearnedPositions(3, 2) }),
};

describeParity('transformer', subjects);

test('the layers of a stack start alike and have parameters of their own', async () => {
  setDevice('reference');
  const layer = encoderLayer();
  const stack = new nn.TransformerEncoder(layer, 2);
  const [a, b] = stack.layers.map(({ linear1 }) => linear1.weight);
  expect(a).not.toBe(b);
  expect([...(await a.data())]).toEqual([...(await layer.linear1.weight.data())]);
  a.assign_(zeros([3, 4]));
  expect([...(await b.data())]).toEqual([...(await layer.linear1.weight.data())]);
});

test('a deep copy keeps sharing, modes, options and frozen parameters', async () => {
  setDevice('reference');
  const shared = new nn.Linear(2, 2);
  const model = new nn.Sequential(shared, new nn.ReLU(), shared, new nn.Dropout(0.25), new nn.BatchNorm1d(2));
  shared.weight.requiresGrad_(false);
  model.eval();
  const copy = nn.deepCopy(model);
  expect(String(copy)).toBe(String(model));
  expect(copy.layers[0]).toBe(copy.layers[2]);
  expect(copy.layers[0]).not.toBe(shared);
  expect(copy.training).toBe(false);
  expect(copy.layers[0].weight.requiresGrad).toBe(false);
  expect(Object.keys(copy.stateDict())).toEqual(Object.keys(model.stateDict()));
  shared.weight.assign_(zeros([2, 2]));
  const weight = [...(await copy.layers[0].weight.data())];
  expect(weight.every((w) => w !== 0)).toBe(true);
  const list = nn.deepCopy(new nn.ModuleDict({ a: shared }));
  expect(list.get('a')).not.toBe(shared);
});

test('positions', async () => {
  setDevice('reference');
  const encoding = await nn.sinusoidalEncoding(3, 4).data();
  const angles = [0, 1, 2].map((p) => [Math.sin(p), Math.cos(p), Math.sin(p / 100), Math.cos(p / 100)]);
  expectNear([...encoding], angles.flat(), 'encoding', 1e-12);
  const added = new nn.SinusoidalPositions(4).forward(ones([2, 3, 4]));
  expectNear(
    [...(await added.data())].slice(12),
    angles.flat().map((v) => v + 1),
    'added',
    1e-12,
  );
  const learned = new nn.LearnedPositions(5, 4);
  expect([...(await learned.forward(zeros([1, 3, 4])).data())]).toEqual(
    [...(await learned.weight.data())].slice(0, 12),
  );
  expect(Object.keys(learned.stateDict())).toEqual(['weight']);
  expect(() => learned.forward(zeros([6, 4]))).toThrow('LearnedPositions: input [6, 4]: 6 positions, at most 5');
  expect(() => new nn.SinusoidalPositions(3)).toThrow('SinusoidalPositions: dim is 3. Use an even number.');
});

test('lists and dictionaries of modules', () => {
  setDevice('reference');
  const list = new nn.ModuleList<nn.Linear<number, number>>([new nn.Linear(1, 2), new nn.Linear(2, 3)]).append(
    new nn.Linear(3, 4),
  );
  expect([...list].map((m) => m.weight.shape[0])).toEqual([2, 3, 4]);
  expect(Object.keys(list.stateDict()).slice(0, 2)).toEqual(['0.weight', '0.bias']);
  expect(list.at(-1).weight.shape).toEqual([4, 3]);
  expect(() => list.at(3)).toThrow('ModuleList: there is no module 3, the list has 3.');
  const dict = new nn.ModuleDict<nn.Linear<number, number>>({ head: new nn.Linear(1, 1) }).set(
    '1',
    new nn.Linear(2, 2),
  );
  expect(Object.keys(dict.stateDict())).toEqual(['head.weight', 'head.bias', '1.weight', '1.bias']);
  expect([dict.size, dict.has('head'), dict.has('tail')]).toEqual([2, true, false]);
  expect(() => dict.get('tail')).toThrow("ModuleDict: there is no module 'tail', only 'head', '1'.");
  expect(() => dict.set('a.b', new nn.Linear(1, 1))).toThrow('Use one without a dot');
});

test('arguments that do not fit', () => {
  setDevice('reference');
  expect(() => encoderLayer({ activation: 'swish' })).toThrow("activation 'swish' is not known");
  expect(() => new nn.TransformerEncoderLayer(5, 2)).toThrow('2 heads do not divide embedDim 5');
  expect(() => new nn.TransformerEncoder(encoderLayer(), 0)).toThrow('TransformerEncoder: numLayers is 0');
  const x = tensor([[1, 2]]);
  expect(() => new nn.Residual([new nn.Linear(2, 3)]).forward(x as never)).toThrow(
    'Residual: the body gives [1, 3], the shortcut [1, 2]. Give a shortcut that changes the shape alike.',
  );
  expect(() => new nn.Parallel([])).toThrow('Parallel: no branches. Give at least one.');
});
