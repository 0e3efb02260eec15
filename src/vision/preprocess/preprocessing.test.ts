// Preprocessing against Pillow, torchvision and transformers (test/fixtures/preprocessing.json, from tools/parity/preprocessing.py), the
// forms that pictures come in, class names and predictions in words.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { setDevice, tensor } from 'nabla';
import { type Image, functional } from 'nabla/data/transforms';
import {
  type PreprocessingName,
  type PreprocessingOptions,
  classNames,
  imagePreprocessing,
  loadImagePreprocessing,
  topK,
  topKOfEach,
} from 'nabla/vision';
import fixture from '../../../test/fixtures/preprocessing.json' with { type: 'json' };
import { expectNear } from '../../../test/support/pytorch.js';

beforeAll(() => setDevice('cpu'));

/** As tools/parity/preprocessing.py makes them. */
function picture(height: number, width: number, channels = 3): Image<Uint8Array> {
  let seed = height * 1000 + width;
  const data = new Uint8Array(channels * height * width);
  for (let at = 0; at < data.length; at++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const wave = ((at % width) * 5 + Math.floor(at / width) * 3) % 256;
    data[at] = (wave + ((seed >> 16) % 64)) % 256;
  }
  return { data, shape: [channels, height, width] };
}

interface Sampled {
  readonly shape: number[];
  readonly some: number[];
  readonly sum: number;
}

async function expectSampled(
  x: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  wanted: Sampled,
  what: string,
) {
  expect(x.shape.slice(-3), `${what}: shape`).toEqual(wanted.shape);
  const some = Array.from(wanted.some, (_, i) => x.data[i * fixture.every]);
  expectNear(some, wanted.some, what, 1e-6);
  const sum = Array.from(x.data).reduce((total, v) => total + Math.abs(v), 0);
  expect(Math.abs(sum - wanted.sum) / wanted.sum, `${what}: sum`).toBeLessThan(1e-6);
}

describe('as Pillow, torchvision and transformers', () => {
  test('every filter, byte for byte', () => {
    for (const [from, to, interpolation, text] of fixture.resize as [number[], number[], string, string][]) {
      const image = picture(from[0], from[1]);
      const out = functional.resize(image, [to[0], to[1]], { interpolation: interpolation as 'bicubic' });
      const wanted = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      expect(out.data, `${interpolation} ${from.join('×')} → ${to.join('×')}`).toEqual(wanted);
    }
  });

  test('rows of the table', () => {
    for (const [name, row] of Object.entries(fixture.rows)) {
      const { settings } = imagePreprocessing(name as PreprocessingName);
      const { resize, crop, mean, std, interpolation } = settings;
      expect({ resize, crop: crop?.[0] ?? null, mean, std, interpolation }, `row ${name}`).toEqual(row);
    }
  });

  test('torchvision: weights.transforms()', async () => {
    for (const [name, [height, width], wanted] of fixture.recipes as unknown as [
      PreprocessingName,
      number[],
      Sampled,
    ][]) {
      const preprocess = imagePreprocessing(name);
      const x = await preprocess(picture(height, width));
      expect(x.shape[0]).toBe(1);
      await expectSampled({ data: await x.data(), shape: x.shape }, wanted, name);
    }
  });

  test("transformers: a preprocessor_config.json's entries", async () => {
    for (const [config, [height, width], wanted] of fixture.configs as unknown as [
      Record<string, unknown>,
      number[],
      Sampled,
    ][]) {
      const preprocess = await loadImagePreprocessing(config);
      const { data, shape } = preprocess.transform(picture(height, width), undefined as never);
      await expectSampled({ data, shape }, wanted, JSON.stringify(config));
    }
  });
});

describe('pictures come in many forms', () => {
  const image = picture(9, 12);
  const last = new Uint8Array(image.data.length);
  for (let i = 0; i < 108; i++) for (let c = 0; c < 3; c++) last[3 * i + c] = image.data[c * 108 + i];
  const rgba = new Uint8ClampedArray(4 * 108).fill(255);
  for (let i = 0; i < 108; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = last[3 * i + c];
  const preprocess = imagePreprocessing({ resize: [8, 8], mean: 0.5, std: 0.25 });

  test('which are the same', async () => {
    const wanted = [...(await (await preprocess(image)).data())];
    const forms = {
      'channels last': { data: last, shape: [9, 12, 3] },
      ImageData: { data: rgba, width: 12, height: 9 },
      sharp: { data: last, info: { width: 12, height: 9, channels: 3 } },
      'a tensor, channels first': tensor(image.data, { shape: [3, 9, 12], dtype: 'uint8' }),
      'a tensor, channels last': tensor(last, { shape: [9, 12, 3], dtype: 'uint8' }),
    };
    for (const [form, given] of Object.entries(forms))
      expect([...(await (await preprocess(given)).data())], `as ${form}`).toEqual(wanted);
    const both = await preprocess([image, tensor(image.data, { shape: [1, 3, 9, 12], dtype: 'uint8' })]);
    expect(both.shape).toEqual([2, 3, 8, 8]);
    expect([...(await both.data())]).toEqual([...wanted, ...wanted]);
    const floats = { data: Float32Array.from(image.data, (v) => v / 255), shape: image.shape };
    expectNear([...(await (await preprocess(floats)).data())], wanted, 'floats', 0.02); // not rounded on the way
  });

  test('grey, opacity, other orders', async () => {
    const grey = picture(5, 6, 1);
    const plain = imagePreprocessing({ rescale: 1 });
    const three = await (await plain({ data: grey.data, shape: [5, 6] })).data();
    expect([...three]).toEqual([...grey.data, ...grey.data, ...grey.data]);
    const half = {
      data: Uint8ClampedArray.from([10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 51]),
      width: 3,
      height: 1,
    };
    expect([...(await (await plain(half)).data())]).toEqual([10, 255, 206, 20, 255, 208, 30, 255, 210]);
    const black = imagePreprocessing({ rescale: 1, background: [0, 0, 0], order: 'bgr' });
    expect([...(await (await black(half)).data())]).toEqual([30, 0, 6, 20, 0, 4, 10, 0, 2]);
    const one = imagePreprocessing({ rescale: 1, channels: 1 });
    expect((await one(image)).shape).toEqual([1, 1, 9, 12]);
    const square = tensor(new Uint8Array(27), { shape: [3, 3, 3], dtype: 'uint8' });
    await expect(plain(square)).rejects.toThrow(
      "preprocess: a picture [3, 3, 3] may have its channels first or last. Say which with layout: 'hwc' or 'chw'.",
    );
    expect((await imagePreprocessing({ layout: 'hwc' })(square)).shape).toEqual([1, 3, 3, 3]);
  });

  test('the longer side is held', () => {
    const bounded = imagePreprocessing({ resize: 8, maxSize: 12 });
    const { shape } = bounded.transform(picture(10, 40), undefined as never);
    expect(shape).toEqual([3, 3, 12]);
    expect(imagePreprocessing('segmentation', { maxSize: 1333 }).settings.maxSize).toBe(1333);
  });

  test('names may be written as in PyTorch, and changed', () => {
    expect(imagePreprocessing('efficientnet_b0' as PreprocessingName).settings.interpolation).toBe('bicubic');
    expect(imagePreprocessing('clip', { crop: 336, resize: 336 }).settings.crop).toEqual([336, 336]);
  });

  test('what does not fit is said', async () => {
    const refused: [unknown, unknown, string][] = [
      ['resnet5', {}, "imagePreprocessing: there is no network 'resnet5'. Did you mean resnet?"],
      ['imagenet', { resise: 3 }, "imagePreprocessing: there is no option 'resise'. Did you mean resize?"],
      [{ resize: 0 }, undefined, 'imagePreprocessing: resize is 0. Use a whole number of at least 1.'],
      [{ crop: [1, 2, 3] }, undefined, 'imagePreprocessing: crop is [1, 2, 3]. Use one number, or [height, width].'],
      [{ std: [1, 0, 1] }, undefined, 'imagePreprocessing: std is [1, 0, 1]. Use numbers above 0.'],
      [{ mean: [1, 2] }, undefined, 'imagePreprocessing: mean has 2 numbers for 3 channels. Give one for each.'],
      [{ resize: [4, 4], maxSize: 9 }, undefined, 'imagePreprocessing: maxSize is 9 and resize [4, 4].'],
      [{ interpolation: 'cubic' }, undefined, "imagePreprocessing: interpolation is 'cubic'. Use 'nearest', "],
      [undefined, undefined, "imagePreprocessing: the network is missing. Give a name ('imagenet'), or options."],
    ];
    for (const [first, second, message] of refused)
      expect(() => imagePreprocessing(first as 'imagenet', second as PreprocessingOptions)).toThrow(message);
    const given: [unknown, string][] = [
      [[], 'preprocess: no pictures. Give at least one.'],
      [
        'palace.jpg',
        "preprocess: a picture is 'palace.jpg'. Give an image { data, shape }, an ImageData, raw bytes of sharp, or a tensor.",
      ],
      [
        { data: [1, 2], shape: [1, 1, 2] },
        'preprocess: data of a picture is a list. Give pixels as Uint8Array or Float32Array.',
      ],
      [{ data: new Uint8Array(5), width: 1, height: 1 }, 'preprocess: 5 numbers are no picture [1, 1, 4]'],
      [
        { data: new Float32Array(30).fill(173), shape: [3, 2, 5] },
        'preprocess: a picture of floats with a pixel of 173. Floats go from 0 to 1',
      ],
      [
        tensor([[1, 2]], { dtype: 'int32' }),
        "preprocess: a picture of int32. Use uint8 from 0 to 255 (to('uint8')), or floats from 0 to 1.",
      ],
      [[picture(4, 5), picture(4, 6)], 'preprocess: pictures become [3, 4, 5] and [3, 4, 6], which are no batch.'],
    ];
    for (const [pictures, message] of given)
      await expect(imagePreprocessing({})(pictures as Image<Uint8Array>)).rejects.toThrow(message);
    const configs: [object, string][] = [
      [{}, 'loadImagePreprocessing: preprocessor_config.json names no image_processor_type.'],
      [
        { image_processor_type: 'DetrImageProcessor' },
        'is for DetrImageProcessor, which is not known here. Known are those of Beit, ',
      ],
      [{ image_processor_type: 'ViTImageProcessor', resample: 'x' }, "preprocessor_config.json has resample 'x'."],
      [{ image_processor_type: 'ViTImageProcessor', do_pad: true }, 'asks for do_pad, which there is not here.'],
    ];
    for (const [config, message] of configs)
      await expect(loadImagePreprocessing(config as Record<string, unknown>)).rejects.toThrow(message);
  });
});

test('class names are those of torchvision', async () => {
  const imagenet = await classNames('imagenet');
  expect([imagenet.length, imagenet[0], imagenet[698], imagenet[999]]).toEqual([
    1000,
    'tench',
    'palace',
    'toilet tissue',
  ]);
  expect(createHash('sha256').update(imagenet.join('\n')).digest('hex')).toBe(fixture.names.imagenet);
  const coco = await classNames('coco');
  expect(createHash('sha256').update(coco.join('\n')).digest('hex')).toBe(fixture.names.coco);
  expect((await classNames('coco-80')).length).toBe(80);
  expect((await classNames('voc')).at(-1)).toBe('tvmonitor');
  await expect(classNames('mnist' as 'voc')).rejects.toThrow(
    "classNames: the data set is 'mnist'. Use 'imagenet', 'coco', 'coco-80' or 'voc'.",
  );
});

test('the most probable classes in words', async () => {
  const logits = tensor([[0, 2, 1, 2]]);
  const names = ['a', 'b', 'c', 'd'];
  const best = await topK(logits, { k: 2, names });
  expect(best.map(({ label, index }) => [label, index])).toEqual([
    ['b', 1],
    ['d', 3],
  ]);
  expect(best[0].probability).toBeCloseTo(Math.exp(2) / (1 + Math.E + 2 * Math.exp(2)), 6);
  expect((await topK(logits.select(0, 0), { k: 9 })).map(({ label }) => label)).toEqual(['1', '3', '2', '0']);
  const each = await topKOfEach(
    tensor([
      [0.25, 0.75],
      [1, 0],
    ]),
    { k: 1, softmax: false },
  );
  expect(each).toEqual([[{ label: '1', index: 1, probability: 0.75 }], [{ label: '0', index: 0, probability: 1 }]]);
  await expect(
    topK(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ),
  ).rejects.toThrow('topK: logits [2, 2] are of 2 pictures. Use topKOfEach');
  await expect(topK(tensor([1, 2, 3]), { names: ['a', 'b'] })).rejects.toThrow(
    'topK: 2 names for 3 classes. Some networks have a class 0 of their own for the background: put a name in front.',
  );
  await expect(topK(logits, { k: 0 })).rejects.toThrow('topK: k is 0. Use a whole number of at least 1.');
});
