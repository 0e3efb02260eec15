// Exports layers for onnx_export.py (models: onnx_zoo.py): OUT/NAME.onnx and OUT/NAME.json with inputs and nabla's outputs. Needs a built dist/.
//   node tools/parity/onnx_export.mjs OUT
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor, manualSeed, randn, setDevice, tensor } from '../../dist/index.js';
import * as models from '../../dist/models/index.js';
import * as nn from '../../dist/nn/index.js';
import { exportOnnx } from '../../dist/onnx/index.js';

const [out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
setDevice('cpu');
manualSeed(7);

const layers = new Map(Object.entries(nn));

const image = [2, 4, 8, 8];
/** [name, model, shape of the input (or the input), options, shape of another input] */
const CASES = [
  ['linear', new nn.Linear(3, 4), [2, 3]],
  ['linear_sequence', new nn.Linear(3, 4), [2, 5, 3]],
  ['embedding', new nn.Embedding(6, 3), tensor(Int32Array.of(1, 5, 0, 2)).reshape([2, 2])],
  ['conv1d_same', new nn.Conv1d(4, 2, 3, { padding: 'same', dilation: 2 }), [2, 4, 9]],
  ['conv2d', new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }), image],
  ['conv2d_reflect', new nn.Conv2d(4, 2, 3, { padding: 1, paddingMode: 'reflect' }), image],
  ['conv3d', new nn.Conv3d(2, 2, 2), [1, 2, 3, 4, 4]],
  ['transposed', new nn.ConvTranspose2d(4, 2, 3, { stride: 2, padding: 1, outputPadding: 1 }), image],
  ['batch_norm', new nn.BatchNorm2d(4), image],
  ['layer_norm', new nn.LayerNorm(8), image],
  ['group_norm', new nn.GroupNorm(2, 4), image],
  ['group_norm_21', new nn.GroupNorm(2, 4), image, { opset: 21 }],
  ['instance_norm', new nn.InstanceNorm2d(4, { affine: true }), image],
  ['rms_norm', new nn.RMSNorm(8), image],
  ['response_norm', new nn.LocalResponseNorm(3), image],
  ['max_pool', new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), image],
  ['avg_pool', new nn.AvgPool2d(3, { stride: 2, padding: 1 }), image],
  ['adaptive', new nn.AdaptiveAvgPool2d([2, 4]), image],
  ['adaptive_parts', new nn.AdaptiveAvgPool2d(3), image],
  ['upsample', new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), image],
  ...[
    'ReLU',
    'Tanh',
    'Sigmoid',
    'Softsign',
    'SELU',
    'Hardsigmoid',
    'Hardswish',
    'Mish',
    'GELU',
    'SiLU',
    'LeakyReLU',
    'ELU',
    'CELU',
    'Softplus',
  ]
    .concat([
      'ReLU6',
      'Hardtanh',
      'PReLU',
      'Softmax',
      'LogSoftmax',
      'Softmin',
      'LogSigmoid',
      'Tanhshrink',
      'Softshrink',
    ])
    .map((name) => [name, new (layers.get(name))(), image]),
  ['gelu_20', new nn.GELU('tanh'), image, { opset: 20 }],
  ['mish_18', new nn.Mish(), image, { opset: 18 }],
  ['lstm', new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true, batchFirst: true }), [2, 4, 3]],
  ['gru', new nn.GRU(3, 2, { numLayers: 2 }), [4, 2, 3]],
  ['rnn', new nn.RNN(3, 2, { bidirectional: true, nonlinearity: 'relu' }), [4, 2, 3]],
  ['encoder', new nn.TransformerEncoderLayer(8, 2), [2, 3, 8]],
  [
    'gpt',
    new models.GPT({ vocabulary: 5, context: 4, width: 8, heads: 2, layers: 1 }),
    tensor(Int32Array.of(1, 4, 2, 0, 3, 3)).reshape([2, 3]),
  ],
  [
    'cnn_any',
    models.cnn({ channels: 1, stages: [[4], [6]] }),
    [1, 1, 12, 12],
    { dynamic: { 0: 'batch' }, foldBatchNorm: true },
    [3, 1, 12, 12],
  ],
  [
    'vit_any',
    new models.VisionTransformer({ classes: 3, imageSize: 16, patchSize: 8, layers: 1, heads: 2, width: 8 }),
    [1, 3, 16, 16],
    { dynamic: { 0: 'batch' } },
    [3, 3, 16, 16],
  ],
];

const leaves = (value) => (value instanceof Tensor ? [value] : Object.values(value).flatMap(leaves));
const plain = async (t) => ({ dtype: t.dtype, shape: t.shape, data: Array.from(await t.data()) });

for (const [name, made, given, options, other] of CASES) {
  const model = typeof made === 'function' ? made() : made;
  const x = Array.isArray(given) ? randn(given) : given;
  try {
    writeFileSync(join(out, `${name}.onnx`), await exportOnnx(model, x, options));
  } catch (error) {
    console.log(`${name}: not exported: ${error.message}`);
    continue;
  }
  const input = other === undefined ? x : randn(other);
  const outputs = leaves(model.eval().forward(input));
  writeFileSync(
    join(out, `${name}.json`),
    JSON.stringify({ input: await plain(input), outputs: await Promise.all(outputs.map(plain)) }),
  );
}
