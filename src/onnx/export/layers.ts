// Layers that are an operator of ONNX: one row a class. A row looks at a call and gives what writes it, or undefined where ONNX
// means something else: the layer is then written by what it does (operators.ts), as all layers without a row are.

import * as nn from '../../nn/index.js';
import type { Module } from '../../nn/index.js';
import { Tensor } from '../../tensor/tensor.js';
import {
  type Attributes,
  type Draft,
  type Input,
  type Made,
  float,
  int,
  ints,
  number,
  shape,
  string,
} from './draft.js';

/** Writes the call; the results in the order of the tensors that forward returns. */
export type LayerWriter = (draft: Draft, x: Input) => readonly Input[];

type Row<M> = (layer: M, x: Tensor, opset: number, given: readonly unknown[]) => LayerWriter | undefined;

const ROWS = new Map<unknown, Row<never>>();

type AnyLayer = abstract new (...given: never) => Module;

function row<L extends AnyLayer>(layers: readonly L[], write: Row<InstanceType<L>>): void {
  for (const layer of layers) ROWS.set(layer, write as Row<never>);
}

/** Of a call of a module of exactly a known class: what extends one may mean something else. */
export function layerWriter(module: Module, given: readonly unknown[], opset: number): LayerWriter | undefined {
  const write = ROWS.get(module.constructor) as Row<Module> | undefined;
  const [x] = given;
  if (write === undefined || !(x instanceof Tensor)) return undefined;
  return write(module, x, opset, given.slice(1));
}

/** The names of all classes with a row. */
export const exportedLayers = (): string[] => [...ROWS.keys()].map((layer) => (layer as { name: string }).name);

const node =
  (op: string, attributes: Attributes = {}): LayerWriter =>
  (draft, x) => [draft.add(op, [x], attributes)];

type PerAxis = number | readonly number[];
const perAxis = (value: PerAxis, dims: number): number[] =>
  typeof value === 'number' ? new Array<number>(dims).fill(value) : [...value];

const optional = (draft: Draft, t: Tensor | undefined): Input[] => (t === undefined ? [] : [draft.weight(t)]);

// ---------------------------------------------------------------- products

row([nn.Linear], ({ weight, bias }, x) => (draft, input) => {
  const w = draft.weight(weight);
  if (x.rank === 2) return [draft.add('Gemm', [input, w, ...optional(draft, bias)], { transB: int(1) })];
  const turned = draft.add('Transpose', [w], { perm: ints([1, 0]) });
  const product = draft.add('MatMul', [input, turned]);
  return [bias === undefined ? product : draft.add('Add', [product, draft.weight(bias)])];
});

row([nn.Embedding], ({ weight, maxNorm }) => {
  if (maxNorm !== undefined) return undefined; // rows are shortened first
  return (draft, index) => [draft.add('Gather', [draft.weight(weight), index], { axis: int(0) })];
});

row([nn.Conv1d, nn.Conv2d, nn.Conv3d], ({ weight, bias, options }, x) => {
  const kernel: readonly number[] = weight.shape.slice(2);
  const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = 'zeros' } = options;
  const dims = kernel.length;
  if (x.rank !== dims + 2) return undefined;
  if (paddingMode !== 'zeros' && padding !== 0 && padding !== 'valid') return undefined;
  const dilations = perAxis(dilation, dims);
  const totals = kernel.map((k, i) => dilations[i] * (k - 1));
  let [lo, hi] = [totals.map((n) => Math.floor(n / 2)), totals.map((n) => Math.ceil(n / 2))];
  if (padding !== 'same') lo = hi = perAxis(padding === 'valid' ? 0 : padding, dims);
  return (draft, input) => [
    draft.add('Conv', [input, draft.weight(weight), ...optional(draft, bias)], {
      kernel_shape: ints(kernel),
      strides: ints(perAxis(stride, dims)),
      dilations: ints(dilations),
      pads: ints([...lo, ...hi]),
      group: int(groups),
    }),
  ];
});

row([nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d], ({ weight, bias, options }, x) => {
  const kernel: readonly number[] = weight.shape.slice(2);
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
  const dims = kernel.length;
  if (x.rank !== dims + 2) return undefined;
  const pads = perAxis(padding, dims);
  return (draft, input) => [
    draft.add('ConvTranspose', [input, draft.weight(weight), ...optional(draft, bias)], {
      kernel_shape: ints(kernel),
      strides: ints(perAxis(stride, dims)),
      dilations: ints(perAxis(dilation, dims)),
      pads: ints([...pads, ...pads]),
      output_padding: ints(perAxis(outputPadding, dims)),
      group: int(groups),
    }),
  ];
});

// ---------------------------------------------------------------- normalisation

row([nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d], ({ weight, bias, runningMean, runningVar, eps }) => {
  if (!weight || !bias || !runningMean || !runningVar) return undefined;
  return (draft, x) => {
    const inputs = [weight, bias, runningMean, runningVar].map((t: Tensor) => draft.weight(t));
    return [draft.add('BatchNormalization', [x, ...inputs], { epsilon: float(eps) })];
  };
});

row([nn.LayerNorm], ({ weight, bias, normalizedShape, eps }, _, opset) => {
  if (weight === undefined || opset < 17) return undefined;
  const axis = int(-(normalizedShape as readonly number[]).length);
  return (draft, x) => {
    const inputs: Input[] = [x, draft.weight(weight), ...optional(draft, bias)];
    return [draft.add('LayerNormalization', inputs, { axis, epsilon: float(eps) })];
  };
});

row([nn.GroupNorm], ({ weight, bias, numGroups, eps }, _, opset) => {
  if (!weight || !bias || opset < 21) return undefined; // before, scale and bias were for groups
  return (draft, x) => {
    const inputs = [x, draft.weight(weight), draft.weight(bias)];
    return [draft.add('GroupNormalization', inputs, { num_groups: int(numGroups), epsilon: float(eps) })];
  };
});

row([nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d], ({ weight, bias, runningMean, eps }, x) => {
  if (!weight || !bias || runningMean !== undefined || x.rank < 3) return undefined;
  return (draft, input) => [
    draft.add('InstanceNormalization', [input, draft.weight(weight), draft.weight(bias)], { epsilon: float(eps) }),
  ];
});

row([nn.LocalResponseNorm], ({ size, alpha, beta, k }) => {
  if (size % 2 === 0) return undefined; // the middle of an even window is another one
  return node('LRN', { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(k) });
});

// ---------------------------------------------------------------- pooling

interface PoolLike {
  readonly kernelSize: PerAxis;
  readonly options: nn.MaxPoolOptions & nn.AvgPoolOptions;
}

/** Attributes of a pool, or undefined where the last window begins in the padding, which exporters and runtimes disagree on. */
function poolAttributes({ kernelSize, options }: PoolLike, x: Tensor, dims: number): Attributes | undefined {
  if (x.rank !== dims + 2) return undefined;
  const { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = options;
  const [kernel, strides, pads] = [kernelSize, stride, padding].map((value) => perAxis(value, dims));
  const dilations = perAxis(dilation, dims);
  const isCut = kernel.some((k, i) => {
    const room = x.shape[i + 2] + 2 * pads[i] - dilations[i] * (k - 1) - 1;
    return Math.ceil(room / strides[i]) * strides[i] >= x.shape[i + 2] + pads[i];
  });
  if (ceilMode && isCut) return undefined;
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    pads: ints([...pads, ...pads]),
    ...(dilations.some((n) => n !== 1) && { dilations: ints(dilations) }),
    ...(ceilMode && { ceil_mode: int(1) }),
  };
}

for (const [i, layer] of [nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d].entries()) {
  row([layer as AnyLayer], (pool, x) => {
    const attributes = poolAttributes(pool as Module & PoolLike, x, i + 1);
    return attributes && node('MaxPool', attributes);
  });
}

for (const [i, layer] of [nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d].entries()) {
  row([layer as AnyLayer], (pool, x) => {
    const { divisorOverride, ceilMode, countIncludePad = true } = (pool as Module & PoolLike).options;
    const attributes = poolAttributes(pool as Module & PoolLike, x, i + 1);
    if (attributes === undefined || divisorOverride !== undefined || ceilMode === true) return undefined;
    return node('AveragePool', { ...attributes, count_include_pad: int(countIncludePad ? 1 : 0) });
  });
}

interface AdaptiveLike {
  readonly outputSize: number | null | readonly (number | null)[];
}

/** One window for the whole, or windows that divide it. */
function adaptive(pool: AdaptiveLike, x: Tensor, dims: number, whole: string, part: string): LayerWriter | undefined {
  if (x.rank !== dims + 2) return undefined;
  const { outputSize } = pool;
  const spatial = x.shape.slice(2);
  const wanted = spatial.map(
    (own, i) => (Array.isArray(outputSize) ? (outputSize[i] as number | null) : outputSize) ?? own,
  );
  if (wanted.every((n) => n === 1)) return node(whole);
  if (wanted.some((n, i) => typeof n !== 'number' || spatial[i] % n !== 0)) return undefined;
  const kernel = spatial.map((n, i) => n / (wanted[i] as number));
  return node(part, { kernel_shape: ints(kernel), strides: ints(kernel) });
}

const MEANS: readonly (readonly AnyLayer[])[] = [
  [nn.AdaptiveAvgPool1d, nn.GlobalAvgPool1d],
  [nn.AdaptiveAvgPool2d, nn.GlobalAvgPool2d],
  [nn.AdaptiveAvgPool3d],
];
const MAXIMA: readonly (readonly AnyLayer[])[] = [
  [nn.AdaptiveMaxPool1d, nn.GlobalMaxPool1d],
  [nn.AdaptiveMaxPool2d, nn.GlobalMaxPool2d],
  [nn.AdaptiveMaxPool3d],
];
for (const [i, layers] of MEANS.entries())
  row(layers, (m, x) => adaptive(m as Module & AdaptiveLike, x, i + 1, 'GlobalAveragePool', 'AveragePool'));
for (const [i, layers] of MAXIMA.entries())
  row(layers, (m, x) => adaptive(m as Module & AdaptiveLike, x, i + 1, 'GlobalMaxPool', 'MaxPool'));

// ---------------------------------------------------------------- activations

row([nn.ReLU], () => node('Relu'));
row([nn.Tanh], () => node('Tanh'));
row([nn.Sigmoid], () => node('Sigmoid'));
row([nn.Softsign], () => node('Softsign'));
row([nn.SELU], () => node('Selu', { alpha: float(1.6732632423543772), gamma: float(1.0507009873554805) }));
row([nn.Hardsigmoid], () => node('HardSigmoid', { alpha: float(1 / 6), beta: float(0.5) }));
row([nn.Hardswish], (_, __, opset) => (opset < 14 ? undefined : node('HardSwish')));
row([nn.Mish], (_, __, opset) => (opset < 18 ? undefined : node('Mish')));
row([nn.GELU], ({ approximate }, _, opset) =>
  opset < 20 ? undefined : node('Gelu', { approximate: string(approximate) }),
);
row([nn.LeakyReLU], (m) => node('LeakyRelu', { alpha: float(m['arguments'][0]) }));
row([nn.ELU], (m) => node('Elu', { alpha: float(m['arguments'][0]) }));
row([nn.CELU], (m) => node('Celu', { alpha: float(m['arguments'][0]) }));
row([nn.Softplus], (m) => (m['arguments'][0] === 1 && m['arguments'][1] >= 20 ? node('Softplus') : undefined));
row([nn.Softmax], ({ dim }) => node('Softmax', { axis: int(dim) }));
row([nn.LogSoftmax], ({ dim }) => node('LogSoftmax', { axis: int(dim) }));

const clip =
  (dtype: Tensor['dtype'], min: number, max: number): LayerWriter =>
  (draft, x) => [draft.add('Clip', [x, number(min, dtype), number(max, dtype)])];
row([nn.ReLU6], (_, { dtype }) => clip(dtype, 0, 6));
row([nn.Hardtanh], (m, { dtype }) => clip(dtype, m['arguments'][0], m['arguments'][1]));

row([nn.PReLU], ({ weight }, x) => (draft, input) => {
  const w = draft.weight(weight);
  const column = x.shape.slice(1).map((_, i) => (i === 0 ? weight.size : 1));
  return [draft.add('PRelu', [input, weight.size === 1 ? w : draft.add('Reshape', [w, shape(column)])])];
});

row([nn.Flatten], ({ start, end }, x) => {
  if (start !== 1 || (end !== -1 && end !== x.rank - 1) || x.rank < 2) return undefined;
  return node('Flatten', { axis: int(1) });
});

// ---------------------------------------------------------------- recurrent networks

interface RecurrentLike {
  readonly hiddenSize: number;
  readonly inputSize: number;
  readonly options: Required<nn.RecurrentOptions>;
  fields(): Iterable<readonly [string, unknown]>;
}

/** The rows of each gate in another order. */
function reordered(numbers: ArrayLike<number>, order: readonly number[]): number[] {
  const rows = numbers.length / order.length;
  return order.flatMap((gate) => Array.from({ length: rows }, (_, i) => numbers[gate * rows + i]));
}

/** `order`: where each gate of ONNX is among nabla's. */
function recurrent(op: string, layer: RecurrentLike, x: Tensor, order: readonly number[], attributes: Attributes) {
  const { hiddenSize, inputSize, options } = layer;
  const { numLayers, bias, batchFirst, bidirectional } = options;
  if (x.rank !== 3) return undefined;
  const ways = bidirectional ? 2 : 1;
  const rows = order.length * hiddenSize;
  const state = new Map(layer.fields());
  const made = (draft: Draft, name: string, keys: readonly string[], width: readonly number[]): Made => ({
    kind: 'made',
    name: `${draft.path === '' ? '' : `${draft.path}.`}${name}`,
    from: keys.map((key) => state.get(key) as Tensor),
    dims: [ways, ...width],
    make: (numbers) => numbers.flatMap((list) => reordered(list, order)),
  });
  const states = op === 'LSTM' ? 2 : 1;
  return (draft: Draft, input: Input, initial: readonly Input[]): Input[] => {
    let sequence = batchFirst ? draft.add('Transpose', [input], { perm: ints([1, 0, 2]) }) : input;
    const ends: string[][] = [];
    for (let i = 0; i < numLayers; i++) {
      const suffixes = bidirectional ? [`l${i}`, `l${i}_reverse`] : [`l${i}`];
      const keys = (...names: string[]): string[] => suffixes.flatMap((s) => names.map((name) => `${name}_${s}`));
      const inputs: Input[] = [
        sequence,
        made(draft, `W_l${i}`, keys('weight_ih'), [rows, i === 0 ? inputSize : hiddenSize * ways]),
        made(draft, `R_l${i}`, keys('weight_hh'), [rows, hiddenSize]),
        bias ? made(draft, `B_l${i}`, keys('bias_ih', 'bias_hh'), [2 * rows]) : '',
      ];
      if (initial.length > 0) {
        const part = (all: Input): string =>
          numLayers === 1
            ? (all as string)
            : draft.add('Slice', [
                all,
                { kind: 'sizes', sizes: [i * ways], isShape: false },
                { kind: 'sizes', sizes: [(i + 1) * ways], isShape: false },
                { kind: 'sizes', sizes: [0], isShape: false },
              ]);
        inputs.push('');
        for (const one of initial) inputs.push(part(one));
      }
      const [y, ...last] = draft.addAll(op, inputs, 1 + states, {
        hidden_size: int(hiddenSize),
        direction: string(bidirectional ? 'bidirectional' : 'forward'),
        ...attributes,
      });
      ends.push(last);
      // [T, directions, N, hidden] → [T, N, directions · hidden]; 0 is the size as it is
      const apart = draft.add('Transpose', [y], { perm: ints([0, 2, 1, 3]) });
      sequence = draft.add('Reshape', [apart, { kind: 'sizes', sizes: [0, 0, -1], isShape: false }]);
    }
    const output = batchFirst ? draft.add('Transpose', [sequence], { perm: ints([1, 0, 2]) }) : sequence;
    const joined = Array.from({ length: states }, (_, k) =>
      ends.length === 1
        ? ends[0][k]
        : draft.add(
            'Concat',
            ends.map((end) => end[k]),
            { axis: int(0) },
          ),
    );
    return [output, ...joined];
  };
}

function sequenceRow(op: string, order: readonly number[], attributesOf: (layer: never, ways: number) => Attributes) {
  return (layer: Module, x: Tensor, _: number, [initial, options]: readonly unknown[]): LayerWriter | undefined => {
    if (options !== undefined && Object.keys(options as object).length > 0) return undefined; // lengths
    const like = layer as Module & RecurrentLike;
    // The table calls it with a layer of its own class.
    const write = recurrent(op, like, x, order, attributesOf(layer as never, like.options.bidirectional ? 2 : 1));
    if (write === undefined) return undefined;
    const starts = initial === undefined ? [] : initial instanceof Tensor ? [initial] : (initial as readonly Tensor[]);
    return (draft, input) =>
      write(
        draft,
        input,
        starts.map((t) => draft.ofTensor(t)),
      );
  };
}

row(
  [nn.LSTM],
  sequenceRow('LSTM', [0, 3, 1, 2], () => ({})),
); // i f g o → i o f c
row(
  [nn.GRU],
  sequenceRow('GRU', [1, 0, 2], () => ({ linear_before_reset: int(1) })),
); // r z n → z r h
row(
  [nn.RNN],
  sequenceRow('RNN', [0], ({ nonlinearity }: nn.RNN<number, number>, ways) => ({
    activations: { strings: new Array<string>(ways).fill(nonlinearity === 'tanh' ? 'Tanh' : 'Relu') },
  })),
);
