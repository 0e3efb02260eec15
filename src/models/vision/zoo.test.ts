// The zoo against torchvision and timm: keys, counts and shapes of all; outputs and training steps of some small ones, of all with
// NABLA_PARITY=all (many minutes). NABLA_ZOO=resnet18,vgg16 asks for these alone.
import { describe, expect, test } from 'vitest';
import { type FloatDType, type Tensor, compile, noGrad, setDevice, tensor } from 'nabla';
import type { Module } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import * as models from 'nabla/models';
import { readFixture } from '../../../test/support/pytorch.js';
import { noNative } from '../../../test/support/tiers.js';
import {
  type Row,
  expectDigest,
  fill,
  images,
  keyLines,
  labels,
  sha256,
  toleranceAfter,
  toleranceOf,
} from '../../../test/support/zoo.js';

const { models: rows } = readFixture<{ models: Record<string, Row> }>('zoo.json');

type Output = Tensor | Tensor[] | Readonly<Record<string, Tensor>>;
type Network = Module & { forward(x: Tensor): Output };

const NETWORKS: Readonly<Record<string, () => Network>> = {
  alexnet: () => models.alexnet(),
  vgg11: () => models.vgg11(),
  vgg11_bn: () => models.vgg11({ norm: 'batch' }),
  vgg13: () => models.vgg13(),
  vgg13_bn: () => models.vgg13({ norm: 'batch' }),
  vgg16: () => models.vgg16(),
  vgg16_bn: () => models.vgg16({ norm: 'batch' }),
  vgg19: () => models.vgg19(),
  vgg19_bn: () => models.vgg19({ norm: 'batch' }),
  resnet18: () => models.resnet18(),
  resnet34: () => models.resnet34(),
  resnet50: () => models.resnet50(),
  resnet101: () => models.resnet101(),
  resnet152: () => models.resnet152(),
  resnext50_32x4d: () => models.resnext50(),
  wide_resnet50_2: () => models.wideResnet50(),
  googlenet: () => models.googlenet({ dropout: 0, auxDropout: 0 }),
  inception_v3: () => models.inceptionV3(),
  legacy_xception: () => models.xception(),
  efficientnet_b0: () => models.efficientnetB0(),
  densenet121: () => models.densenet121(),
  mobilenet_v2: () => models.mobilenetV2(),
  mobilenet_v3_small: () => models.mobilenetV3Small({ dropout: 0 }),
  mobilenet_v3_large: () => models.mobilenetV3Large(),
  squeezenet1_0: () => models.squeezenet10(),
  squeezenet1_1: () => models.squeezenet11(),
  shufflenet_v2_x1_0: () => models.shufflenetV2(),
  convnext_tiny: () => models.convnextTiny(),
  vit_b_16: () => models.vitB16(),
  vit_small: () =>
    models.vitB16({ imageSize: 32, patchSize: 8, layers: 2, heads: 2, width: 32, mlpWidth: 64, classes: 10 }),
  swin_t: () => models.swinT(),
  fcn_resnet50: () => models.fcn({ auxLoss: true }),
  deeplabv3_resnet50: () => models.deeplabV3({ auxLoss: true }),
  lraspp_mobilenet_v3_large: () => models.lraspp(),
};

/** Whose keys and parameters are compared, and no numbers. */
const OTHERS: Readonly<Record<string, () => Module>> = {
  efficientnet_b1: () => models.efficientnetB1(),
  efficientnet_b2: () => models.efficientnetB2(),
  efficientnet_b3: () => models.efficientnetB3(),
  efficientnet_b4: () => models.efficientnetB4(),
  efficientnet_b5: () => models.efficientnetB5(),
  efficientnet_b6: () => models.efficientnetB6(),
  efficientnet_b7: () => models.efficientnetB7(),
  densenet161: () => models.densenet161(),
  densenet169: () => models.densenet169(),
  densenet201: () => models.densenet201(),
  shufflenet_v2_x0_5: () => models.shufflenetV2Half(),
  convnext_small: () => models.convnextSmall(),
  convnext_base: () => models.convnextBase(),
  vit_b_32: () => models.vitB32(),
  vit_l_16: () => models.vitL16(),
  swin_s: () => models.swinS(),
  swin_b: () => models.swinB(),
  fcn_resnet101: () => models.fcn({ depth: 101 }),
  deeplabv3_resnet101: () => models.deeplabV3({ depth: 101 }),
  fasterrcnn_resnet50_fpn: () => models.fasterRcnn({ classes: 21 }),
};

const isComplete = process.env['NABLA_PARITY'] === 'all';
const asked = process.env['NABLA_ZOO']?.split(',');
const everything = Object.keys(NETWORKS);
const isSmall = (name: string): boolean => rows[name].parameters < 6e6;

/** Networks on a tier of the CPU device. */
type Chosen = readonly [device: 'wasm' | 'native', dtype: FloatDType, names: readonly string[]];

const CHOSEN: readonly Chosen[] = isComplete
  ? [
      ['wasm', 'float32', asked ?? everything],
      ['wasm', 'float64', asked ?? everything.filter(isSmall)],
      ...(noNative === undefined ? [['native', 'float32', asked ?? everything] as const] : []),
    ]
  : [
      ['wasm', 'float32', asked ?? ['squeezenet1_1', 'shufflenet_v2_x1_0']],
      ['wasm', 'float64', asked ?? ['vit_small']],
    ];

test('keys, their order, shapes and the number of parameters are those of torchvision and timm', () => {
  setDevice('cpu');
  for (const [name, build] of Object.entries({ ...NETWORKS, ...OTHERS })) {
    const model = build();
    const lines = keyLines(model);
    const found = { count: lines.length, sha256: sha256(lines) };
    expect({ name, parameters: model.parameterCount, keys: found }).toEqual({
      name,
      parameters: rows[name].parameters,
      keys: rows[name].keys,
    });
  }
});

/** Outputs by the names of the fixture. */
function named(output: Output): Readonly<Record<string, Tensor>> {
  return Array.isArray(output) || 'shape' in output ? { logits: output as Tensor } : output;
}

function near(value: number, wanted: number, what: string, tolerance: number): void {
  expect(Math.abs(value / wanted - 1), `${what} is ${value} instead of ${wanted}`).toBeLessThan(tolerance);
}

describe.each(CHOSEN)('on %s in %s', (device, dtype, names) => {
  const make = (name: string): Network => {
    setDevice(device);
    const model = NETWORKS[name]();
    fill(model, rows[name].gain);
    return model.to(dtype);
  };
  const inputOf = (name: string): Tensor => images(rows[name].input).to(dtype) as Tensor;

  test.each(names)(
    '%s: outputs',
    async (name) => {
      const model = make(name).eval();
      const y = named(noGrad(() => model.forward(inputOf(name))));
      const { outputs } = rows[name];
      expect(Object.keys(y)).toEqual(Object.keys(outputs));
      for (const [key, digest] of Object.entries(outputs))
        await expectDigest(y[key], digest, key, toleranceOf(dtype, digest.noise));
    },
    600_000,
  );

  test.each(names.flatMap((name) => (rows[name].train === undefined ? [] : [[name, rows[name].train] as const])))(
    '%s: a training step, compiled',
    async (name, train) => {
      const model = make(name).train();
      const x = inputOf(name);
      const y = labels(x.shape[0], rows[name].outputs['logits'].shape[1]);
      const parameters = Object.fromEntries(model.namedParameters());
      const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
      const loss = (): Tensor => {
        const output = model.forward(x);
        return models.auxiliaryCrossEntropy(Array.isArray(output) ? output : named(output)['logits'], y);
      };
      const step = compile(async () => {
        optimizer.zeroGrad();
        const before = loss();
        before.backward();
        const gradients = Object.keys(train.grads).map((key) => parameters[key].grad?.keep());
        await optimizer.step();
        return [before, ...gradients.filter((g) => g !== undefined)];
      });
      const [before, ...gradients] = await step();
      near(await before.item(), train.loss, 'loss', toleranceOf(dtype, train.noise));
      for (const [i, [key, digest]] of Object.entries(train.grads).entries())
        await expectDigest(gradients[i], digest, key, toleranceOf(dtype, digest.noise));
      if (dtype === 'float32' && train.noise > 1e-4) return; // PyTorch's own step in float32 says something else than in float64
      near(await loss().item(), train.loss_after, 'loss after the step', toleranceAfter(dtype, train.noise));
      model.eval();
      const after = named(noGrad(() => model.forward(x)))['logits'];
      const tolerance = toleranceAfter(dtype, train.logits_after.noise);
      await expectDigest(after, train.logits_after, 'logits after the step', tolerance);
    },
    600_000,
  );
});

test('keys of timm become those of torchvision', () => {
  const norm = (name: string) =>
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((part) => `${name}.${part}`);
  const se = ['reduce', 'expand'].flatMap((part) => ['weight', 'bias'].map((name) => `se.conv_${part}.${name}`));
  const first = ['conv_dw.weight', ...norm('bn1'), ...se, 'conv_pw.weight', ...norm('bn2')];
  const later = [
    'conv_pw.weight',
    ...norm('bn1'),
    'conv_dw.weight',
    ...norm('bn2'),
    ...se,
    'conv_pwl.weight',
    ...norm('bn3'),
  ];
  const blocks = [1, 2, 2, 3, 3, 4, 1].flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) =>
      (stage === 0 ? first : later).map((key) => `blocks.${stage}.${i}.${key}`),
    ).flat(),
  );
  const ends = ['classifier.weight', 'classifier.bias'];
  const keys = ['conv_stem.weight', ...norm('bn1'), ...blocks, 'conv_head.weight', ...norm('bn2'), ...ends];
  const state = models.efficientnetB0().stateDict();
  expect(keys.map((key) => models.efficientNetKey(key))).toEqual(Object.keys(state));
  const lines = Object.values(state).map(({ shape }, i) => `${keys[i]} [${shape.join(', ')}]`);
  expect(sha256(lines)).toBe(rows['efficientnet_b0_timm'].keys.sha256);
  expect(models.efficientNetKey('head.weight')).toBe('head.weight');
});

test.runIf(isComplete || asked?.includes('fasterrcnn_resnet50_fpn'))(
  'Faster R-CNN, part by part; and it detects',
  async () => {
    setDevice('cpu');
    const { gain, input, boxes, outputs } = rows['fasterrcnn_resnet50_fpn'];
    const model = models.fasterRcnn({ classes: 21 });
    fill(model, gain);
    model.eval();
    const x = images(input);
    const found = noGrad(() => {
      const maps = model.maps(x);
      const { objectness, changes } = model.forward(x);
      const said = model.classify(maps, [tensor(boxes ?? [])], [128, 160]);
      const all = Object.fromEntries(maps.map((map, i) => [`map ${i === 4 ? 'pool' : i}`, map]));
      const { pooled, features, logits } = said;
      const anchors = model.anchorsOf(x, maps);
      return { ...all, objectness, changes, anchors, pooled, features, logits, 'box changes': said.changes };
    });
    const named: Readonly<Record<string, Tensor>> = found;
    expect(Object.keys(named).sort()).toEqual(Object.keys(outputs).sort());
    for (const [key, digest] of Object.entries(outputs))
      await expectDigest(named[key], digest, key, toleranceOf('float32', digest.noise));
    const [one] = await model.detect(x, { proposals: 50, detections: 5, scoreThreshold: 0 });
    expect(one.boxes).toHaveLength(5);
    expect(one.scores).toEqual(one.scores.toSorted((a, b) => b - a));
    for (const [x1, y1, x2, y2] of one.boxes) expect(x1 >= 0 && y1 >= 0 && x2 <= 160 && y2 <= 128).toBe(true);
  },
  600_000,
);
