// Weights that others have published, into networks built like theirs: outputs as PyTorch's. The files are not part of this repository: set
// NABLA_MODELS to the folder that has them.
import { expect, describe, test } from 'vitest';
import { type Tensor, noGrad, setDevice, tensor } from '../src/index.js';
import { readNpz } from '../src/data/index.js';
import { loadWeights } from '../src/io/index.js';
import { mobilenetV2 } from '../src/models/index.js';
import type { Module } from '../src/nn/index.js';
import { Gtcrn, ONet, PNet, RNet, SileroVad } from './support/published-nets.js';

setDevice('cpu');
const models = process.env['NABLA_MODELS'];
const at = (name: string): string => `${models}/weights/${name}`;

type Arrays = Awaited<ReturnType<typeof readNpz>>;

function given(arrays: Arrays, name: string): Tensor {
  const { data, shape } = arrays[name];
  const t: Tensor = tensor(Float32Array.from(data as Float32Array), { shape: [...shape] });
  return t;
}

/** The largest difference from what was expected, as a share of the largest number. */
async function difference(out: Tensor, arrays: Arrays, name: string): Promise<number> {
  const { data, shape } = arrays[name];
  expect(out.shape).toEqual(shape);
  const [seen, wanted] = [await out.data(), data as Float32Array];
  let [worst, most] = [0, 0];
  wanted.forEach((w, i) => {
    worst = Math.max(worst, Math.abs(w - seen[i]));
    most = Math.max(most, Math.abs(w));
  });
  return worst / most;
}

const TOLERANCE = 1e-4;

async function loaded<M extends Module>(model: M, file: string): Promise<M> {
  const { missing, unexpected } = await loadWeights(model, at(file));
  expect({ missing, unexpected }).toEqual({ missing: [], unexpected: [] });
  model.eval();
  return model;
}

describe.skipIf(models === undefined)('published weights (skipped where NABLA_MODELS is not set)', () => {
  test('MobileNet-v2 of torchvision: two photographs', async () => {
    const net = await loaded(mobilenetV2(), 'mobilenet_v2-imagenet/mobilenet_v2-b0353104.pth');
    const arrays = await readNpz(at('mobilenet_v2-imagenet/expected.npz'));
    const { data, shape } = arrays['in_images_u8_nhwc'];
    const pixels: Tensor = tensor(Float32Array.from(data as Uint8Array), { shape: [...shape] });
    const mean: Tensor = tensor([0.485, 0.456, 0.406]);
    const std: Tensor = tensor([0.229, 0.224, 0.225]);
    const images: Tensor = pixels.div(255).sub(mean).div(std).permute([0, 3, 1, 2]);
    const logits = noGrad(() => net.forward(images));
    expect(await difference(logits, arrays, 'out_logits')).toBeLessThan(TOLERANCE);
    expect(await logits.argmax(1).array()).toEqual([698, 599]); // palace, honeycomb
  });

  test.each([
    ['p', () => new PNet()],
    ['r', () => new RNet()],
    ['o', () => new ONet()],
  ] as const)('MTCNN, %s-net', async (letter, make) => {
    const net = await loaded(make(), `mtcnn-facenet/${letter}net.pt`);
    const arrays = await readNpz(at('mtcnn-facenet/expected.npz'));
    const outs = noGrad(() => net.forward(given(arrays, `in_${letter}`)));
    for (const [i, out] of outs.entries())
      expect(await difference(out, arrays, `out_${letter}${i}`)).toBeLessThan(TOLERANCE);
  });

  test('Silero VAD: a frame, and the same again with the state', async () => {
    const net = await loaded(new SileroVad(), 'silero_vad/silero_vad_16k.safetensors');
    const arrays = await readNpz(at('silero_vad/expected.npz'));
    const x = given(arrays, 'in_input');
    const [probability, h, c] = noGrad(() => net.forward(x));
    const [again] = noGrad(() => net.forward(x, [h, c]));
    for (const [out, name] of [
      [probability, 'out_prob'],
      [h, 'out_h'],
      [c, 'out_c'],
      [again, 'out_prob2'],
    ] as const)
      expect(await difference(out, arrays, name)).toBeLessThan(TOLERANCE);
  });

  test.each(['dns3', 'vctk'])('GTCRN, trained on %s', async (name) => {
    const net = await loaded(new Gtcrn(), `gtcrn/model_trained_on_${name}.tar`);
    const arrays = await readNpz(at('gtcrn/expected.npz'));
    const out = noGrad(() => net.forward(given(arrays, 'in_spec')));
    expect(await difference(out, arrays, `out_${name}`)).toBeLessThan(TOLERANCE);
  });
});
