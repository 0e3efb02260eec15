// Each preset on a few made-up samples in the files it reads: it trains, evaluates, reports, and its predictor fits its weights.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyTensor, manualSeed, tensor } from '../../index.js';
import { HostRandom } from '../../data/index.js';
import { encodePng } from '../../io/png.js';
import { type Predictor, type RunDefinition, type RunPlan, Trainer } from '../../train/index.js';
import { PRESETS, loadDefinition } from '../definitions.js';
import { readImageFile } from '../predict/image-files.js';
import { predictImages } from '../predict/images.js';
import { generateText } from '../predict/text.js';
import { chooseSettings } from '../settings.js';

let folder: string;
let before: string | undefined;

function idx(shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt16BE(0x0800 + shape.length, 2);
  shape.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return gzipSync(Buffer.concat([head, bytes]));
}

const TEXT = 'to be, or not to be: that is the question.\n'.repeat(12);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-presets-'));
  before = process.env.NABLA_DATA;
  process.env.NABLA_DATA = folder;
  const random = new HostRandom(5);
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.below(256));
  mkdirSync(join(folder, 'mnist'));
  for (const [part, count] of [
    ['train', 48],
    ['t10k', 12],
  ] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
    writeFileSync(join(folder, 'mnist', `${part}-images-idx3-ubyte.gz`), idx([count, 28, 28], bytes(count * 784)));
    writeFileSync(join(folder, 'mnist', `${part}-labels-idx1-ubyte.gz`), idx([count], labels));
  }
  mkdirSync(join(folder, 'cifar10'));
  for (const [name, count] of [
    ['train10k.bin', 40],
    ['test5k.bin', 10],
  ] as const) {
    const records = bytes(count * 3073);
    for (let i = 0; i < count; i++) records[i * 3073] = i % 4;
    writeFileSync(join(folder, 'cifar10', name), records);
  }
  writeFileSync(join(folder, 'text.txt'), TEXT);
});

afterAll(() => {
  if (before === undefined) delete process.env.NABLA_DATA;
  else process.env.NABLA_DATA = before;
  rmSync(folder, { recursive: true });
});

async function runPreset(name: string, given: Readonly<Record<string, unknown>>) {
  const definition = await loadDefinition(name);
  const settings = chooseSettings(definition, { epochs: 1, ...given }, String);
  manualSeed(settings.seed);
  const plan = await definition.create(settings as never);
  const { report: _, facts: __, ...training } = plan;
  const result = await new Trainer(training).fit();
  const predictor = (await definition.predictor?.(settings as never, plan.facts ?? {})) as Predictor;
  predictor.model.loadStateDict(plan.model.stateDict());
  return { definition, plan, result, predictor, lines: await reportLines(plan) };
}

async function reportLines(plan: RunPlan): Promise<string> {
  const lines: string[] = [];
  const plain = (text: string) => text;
  const style = { bold: plain, dim: plain, red: plain, green: plain, cyan: plain };
  await plan.report?.({ line: (text = '') => void lines.push(text), columns: 80, style });
  return lines.join('\n');
}

test.each([
  ['mnist', { model: 'lenet', batchSize: 8 }],
  ['mnist', { model: 'mlp', batchSize: 8, augment: false }],
  ['cifar10', { model: 'cnn', batchSize: 8 }],
] as const)('%s %j', async (name, given) => {
  const { result, lines, predictor } = await runPreset(name, given);
  expect(result).toMatchObject({ reason: 'completed', epoch: 1, test: { accuracy: expect.any(Number) } });
  expect(result.history[0].validation).toMatchObject({ loss: expect.any(Number), accuracy: expect.any(Number) });
  expect(lines).toMatch(/\d+ of 1[02] images are classified correctly[\s\S]*Confusion matrix/);
  expect(predictor).toMatchObject({ kind: 'image', most: 255 });
});

test('the larger networks can be chosen', async () => {
  for (const [name, model] of [
    ['mnist', 'cnn'],
    ['cifar10', 'resnet18'],
    ['char-lm', 'lstm'],
  ]) {
    const definition: RunDefinition = await loadDefinition(name);
    const settings = chooseSettings(definition, { model }, String);
    const { model: network, shape } = {
      shape: [1, 4],
      ...(await definition.predictor?.(settings as never, { vocabulary: 'abc' })),
    } as { model: { forward(x: AnyTensor): AnyTensor }; shape: readonly number[] };
    const isText = name === 'char-lm';
    const size = shape.reduce((a, b) => a * b, 1);
    const x = isText
      ? tensor(Int32Array.of(0, 1, 2, 0), { shape: [1, 4] })
      : tensor(new Float32Array(size) as never, { shape: [1, ...shape] });
    expect(network.forward(x as unknown as AnyTensor).shape).toEqual(isText ? [1, 4, 3] : [1, 10]);
    expect(() => chooseSettings(definition, { model: 'bert' }, (n) => `--${n}`)).toThrow(/--model: 'bert' is invalid/);
  }
});

test('char-lm learns a text and goes on with it', async () => {
  const { result, lines, predictor, plan } = await runPreset('char-lm', {
    text: join(folder, 'text.txt'),
    context: 16,
    batchSize: 8,
    epochs: 40,
    lr: 0.005,
  });
  expect(result.history.at(-1)?.train.loss).toBeLessThan(0.4);
  expect(result.history.at(-1)?.validation?.loss).toBeLessThan(0.4);
  expect(lines).toMatch(/^A sample:\n/);
  if (predictor.kind !== 'text') throw new Error('not a text predictor');
  expect(plan.facts).toEqual({ vocabulary: predictor.vocabulary });
  const write = async (prompt: string, temperature: number, seed = 0) => {
    let text = '';
    for await (const part of generateText(predictor, { prompt, length: 20, temperature, seed })) text += part;
    return text;
  };
  expect(await write('that is', 0)).toBe('that is the question.\nto be'.slice(0, 27));
  expect(await write('to', 2, 1)).toBe(await write('to', 2, 1));
  expect(await write('to', 2, 1)).not.toBe(await write('to', 2, 2));
  await expect(write('Zürich', 0)).rejects.toThrow(/does not know 'Z'/);
});

test('image files', async () => {
  const format = { shape: [1, 28, 28], most: 255, classes: 10 } as const;
  const images = await readImageFile(join(folder, 'mnist', 't10k-images-idx3-ubyte.gz'), format);
  expect([images?.count, images?.pixels.length]).toEqual([12, 12 * 784]);
  const png = join(folder, 'one.png');
  const pixels = Uint8Array.from({ length: 784 }, (_, i) => i % 251);
  writeFileSync(png, encodePng({ data: pixels, shape: [1, 28, 28] }));
  expect((await readImageFile(png, format))?.pixels).toEqual(Float32Array.from(pixels, (p) => p / 255));
  const colour = { shape: [3, 2, 1], most: 255, classes: 10 } as const;
  writeFileSync(png, encodePng({ data: Uint8Array.of(255, 0, 51, 102, 0, 255), shape: [3, 2, 1] }));
  const read = await readImageFile(png, colour);
  expect([...(read?.pixels ?? [])].map((p) => Math.round(p * 255))).toEqual([255, 0, 51, 102, 0, 255]);
  expect(await readImageFile('numbers.csv', format)).toBeUndefined();
  await expect(readImageFile(join(folder, 'none.png'), format)).rejects.toThrow(/cannot read .*none.png/);
  await expect(readImageFile(join(folder, 'none-idx3-ubyte'), format)).rejects.toThrow(/none-idx3-ubyte/);
  const labels = join(folder, 'mnist', 't10k-labels-idx1-ubyte.gz');
  await expect(readImageFile(labels, format)).rejects.toThrow(/takes images of 28x28/);
});

test('what is transparent is the opposite of what is drawn on it', async () => {
  const { default: sharp } = await import('sharp');
  const format = { shape: [1, 8, 8], most: 16, classes: 10 } as const;
  for (const [ink, edge] of [
    [0, 1],
    [255, 0],
  ]) {
    const bytes = Uint8Array.from({ length: 16 * 16 * 4 }, (_, i) => {
      const [x, y] = [Math.floor(i / 4) % 16, Math.floor(i / 64)];
      return i % 4 < 3 ? ink : x > 4 && x < 11 && y > 2 && y < 13 ? 255 : 0;
    });
    const path = join(folder, 'glass.png');
    await sharp(bytes, { raw: { width: 16, height: 16, channels: 4 } })
      .png()
      .toFile(path);
    const { pixels } = (await readImageFile(path, format)) ?? {};
    expect([pixels?.[0], Math.abs((pixels?.[36] ?? NaN) - edge)]).toEqual([edge, 1]);
  }
});

test('predictions as JSON lines', async () => {
  const { predictor } = await runPreset('mnist', { model: 'mlp', batchSize: 8 });
  if (predictor.kind !== 'image') throw new Error('not an image predictor');
  const lines: string[] = [];
  const terminal = { line: (text: string) => void lines.push(text) };
  await predictImages(predictor, join(folder, 'mnist', 't10k-images-idx3-ubyte.gz'), terminal as never, {
    json: true,
    invert: true,
  });
  expect(lines).toHaveLength(12);
  expect(JSON.parse(lines[3])).toMatchObject({ image: '4', prediction: expect.stringMatching(/^\d$/) });
});

test('all presets are there', async () => {
  for (const name of Object.keys(PRESETS)) expect((await loadDefinition(name)).name).toBe(name);
});
