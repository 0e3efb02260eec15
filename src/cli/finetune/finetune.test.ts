// `nabla finetune`: a new head learns stripes on a body that is frozen, then with it; the run folder is used, resumed, handed on, converted.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { disposeDevices, manualSeed, setDevice, zeros } from '../../index.js';
import { HostRandom, parseNpy } from '../../data/index.js';
import { encodePng, loadSafetensors, saveSafetensors } from '../../io/index.js';
import { squeezenet11 } from '../../models/index.js';
import { BatchNorm2d, Conv2d, Flatten, GlobalAvgPool2d, Linear, ReLU, Sequential, Softmax } from '../../nn/index.js';
import { loadOnnx, saveOnnx } from '../../onnx/index.js';
import { type Printed, commandLine } from '../../../test/support/command-line.js';

let folder: string;
const at = (name: string): string => join(folder, name);
const SIDE = 16;
const CLASSES = ['across', 'down', 'even'];

/** Stripes across, stripes down, or none, in colours and with noise. */
function picture(label: number, random: HostRandom): Uint8Array {
  const phase = random.below(4);
  const shades = [random.uniform(), random.uniform(), random.uniform()];
  return Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
    const [c, y, x] = [Math.floor(i / SIDE ** 2), Math.floor(i / SIDE) % SIDE, i % SIDE];
    const at = (label === 0 ? y : label === 1 ? x : 0) + phase;
    const isLight = label < 2 && at % 4 < 2;
    return 20 + 50 * shades[c] + (isLight ? 170 : 0) + 10 * random.uniform();
  });
}

async function makePictures(root: string, count: number, seed: number): Promise<void> {
  const random = new HostRandom(seed);
  for (const [label, name] of CLASSES.entries()) {
    mkdirSync(join(root, name), { recursive: true });
    for (let i = 0; i < count; i++)
      writeFileSync(
        join(root, name, `${i}.png`),
        await encodePng({ data: picture(label, random), shape: [3, SIDE, SIDE] }),
      );
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-finetune-'));
  setDevice('cpu');
  manualSeed(3);
  const body = [new Conv2d(3, 32, 3), new BatchNorm2d(32), new ReLU(), new GlobalAvgPool2d(), new Flatten()] as const;
  const net = new Sequential(...body, new Linear(32, 10), new Softmax(1));
  await saveOnnx(at('model.onnx'), net, zeros([1, 3, SIDE, SIDE]), { dynamic: { 0: 'batch' } });
  await saveOnnx(at('single.onnx'), net, zeros([1, 3, SIDE, SIDE]));
  const convHead = [
    new Conv2d(3, 8, 3),
    new ReLU(),
    new Conv2d(8, 10, 1),
    new GlobalAvgPool2d(),
    new Flatten(),
  ] as const;
  await saveOnnx(at('conv.onnx'), new Sequential(...convHead), zeros([1, 3, SIDE, SIDE]), { dynamic: { 0: 'batch' } });
  await makePictures(at('photos'), 20, 1);
  await makePictures(at('parts/train'), 6, 2);
  await makePictures(at('parts/val'), 3, 3);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One command line: its exit code, and what it prints. */
async function nabla(...args: string[]): Promise<Printed> {
  const printed = await commandLine(args, folder);
  await disposeDevices();
  return printed;
}

interface Event {
  readonly event: string;
  readonly epoch?: number;
  readonly validation?: { readonly accuracy: number };
}
const eventsOf = (path: string): Event[] =>
  readFileSync(join(path, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
const epochsOf = (path: string): Event[] => eventsOf(path).filter(({ event }) => event === 'epoch');

const PLAIN = ['--preprocess', 'none', '--augment', 'none', '--batch-size', '8', '--seed', '1'];

test('a new head on a frozen ONNX model learns; the folder says all that using it needs', async () => {
  const { code, out, err } = await nabla(
    'finetune',
    at('model.onnx'),
    at('photos'),
    ...PLAIN,
    '--epochs',
    '10',
    '--lr',
    '0.05',
    '--out',
    at('run'),
  );
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('48 to train on, 12 to validate');
  expect(out).toMatch(/Curves: …\/run\/curves\.svg\n$/);
  const epochs = epochsOf(at('run'));
  expect(epochs).toHaveLength(10);
  expect(epochs.at(-1)!.validation!.accuracy).toBeGreaterThan(0.9);
  expect(readdirSync(at('run')).toSorted()).toEqual([
    'base.onnx',
    'best.safetensors',
    'checkpoint.safetensors',
    'config.json',
    'curves.svg',
    'graph.json',
    'metrics.jsonl',
    'weights.safetensors',
  ]);
  expect(readFileSync(at('run/curves.svg'), 'utf8')).toContain('<svg');
  const { tensors } = await loadSafetensors(at('run/weights.safetensors'));
  expect([tensors['head.weight'].shape, tensors['head.bias'].shape]).toEqual([[3, 32], [3]]);
  const before = (await loadOnnx(at('model.onnx'))).stateDict();
  const frozen = Object.keys(before).filter((key) => Object.hasOwn(tensors, `body.${key}`));
  expect(frozen.length).toBeGreaterThanOrEqual(6); // convolution, batch norm
  for (const key of frozen) expect(await tensors[`body.${key}`].data()).toEqual(await before[key].data());

  // handed on: the model that it began with is gone
  renameSync(at('model.onnx'), at('elsewhere.onnx'));
  renameSync(at('run'), at('moved'));
  for (const name of CLASSES) {
    const seen = await nabla('run', at('moved'), '-i', at(`photos/${name}/0.png`), '--top', '1');
    expect([seen.err, seen.out]).toEqual(['', expect.stringMatching(new RegExp(`^${name} `))]);
  }
  expect((await nabla('predict', at('photos/down/1.png'), '--weights', at('moved'))).out).toMatch(/1\.png +down +\d/);
  expect((await nabla('eval', at('moved'), '--on', 'validation')).out).toMatch(/^Validation accuracy (9\d|100)/);
  // and as ONNX
  await nabla('convert', at('moved'), at('tuned.onnx'));
  await nabla('run', at('moved'), '-i', at('photos/even/0.png'), '-o', at('a.npy'));
  await nabla('run', at('tuned.onnx'), '-i', at('photos/even/0.png'), '-o', at('b.npy'));
  const [a, b] = ['a.npy', 'b.npy'].map((name) => parseNpy(readFileSync(at(name))).data as Float32Array);
  expect(a).toHaveLength(3);
  a.forEach((n, i) => expect(b[i]).toBeCloseTo(n, 3));
  copyFileSync(at('elsewhere.onnx'), at('model.onnx'));
}, 60_000);

test('the body learns after some epochs, at its own rate; a run that is broken off goes on', async () => {
  const { code, err } = await nabla(
    'finetune',
    at('model.onnx'),
    at('photos'),
    ...PLAIN,
    '--epochs',
    '2',
    '--unfreeze',
    '1',
    '--body-lr',
    '0.001',
    '--out',
    at('thaw'),
    '--doctor',
  );
  expect([code, err]).toEqual([0, '']);
  const before = (await loadOnnx(at('model.onnx'))).stateDict();
  const key = Object.keys(before).find((name) => before[name].shape.length === 4)!;
  const changed = async (path: string): Promise<boolean> => {
    const { tensors } = await loadSafetensors(path);
    const [old, now] = [await before[key].data(), await tensors[`body.${key}`].data()];
    return old.some((n, i) => n !== now[i]);
  };
  expect(await changed(at('thaw/weights.safetensors'))).toBe(true);
  const resumed = await nabla('train', '--resume', at('thaw'), '--epochs', '3');
  expect([resumed.code, resumed.err, epochsOf(at('thaw')).length]).toEqual([0, '', 3]);
  expect((await nabla('doctor', at('thaw'))).code).toBe(0);
}, 60_000);

test('a graph of one picture, a convolution as head, a network by name with folders of its own to validate', async () => {
  const one = await nabla(
    'finetune',
    at('single.onnx'),
    at('photos'),
    ...PLAIN,
    '--epochs',
    '10',
    '--lr',
    '0.05',
    '--out',
    at('one'),
  );
  expect([one.code, one.err]).toEqual([0, '']);
  expect(epochsOf(at('one')).at(-1)!.validation!.accuracy).toBeGreaterThan(0.8);
  const conv = await nabla(
    'finetune',
    at('conv.onnx'),
    at('photos'),
    '--epochs',
    '1',
    '--augment',
    'strong',
    '--out',
    at('conv'),
  );
  expect([conv.code, conv.err]).toEqual([0, '']);
  expect((await loadSafetensors(at('conv/weights.safetensors'))).tensors['head.weight'].shape).toEqual([3, 8]);
  await saveSafetensors(at('net.safetensors'), squeezenet11({ classes: 5 }).stateDict());
  const zoo = await nabla(
    'finetune',
    'squeezenet1_1',
    at('parts'),
    '--weights',
    at('net.safetensors'),
    '--size',
    '32',
    '--epochs',
    '1',
    '--out',
    at('zoo'),
  );
  expect([zoo.code, zoo.err]).toEqual([0, '']);
  expect(zoo.out).toContain('18 to train on, 9 to validate');
  expect(existsSync(at('zoo/base.onnx'))).toBe(false);
  rmSync(at('net.safetensors'));
  expect((await nabla('run', at('zoo'), '-i', at('photos/even/0.png'))).out).toMatch(/^(across|down|even) /);
}, 120_000);

test('what cannot be fine-tuned is told in one sentence', async () => {
  mkdirSync(at('few/a'), { recursive: true });
  copyFileSync(at('photos/even/0.png'), at('few/a/0.png'));
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['none.onnx', at('photos')], /there is no file and no network 'none\.onnx'/],
    [['resnet18', at('photos')], /--weights: resnet18 is a network without weights/],
    [[at('model.onnx'), at('nowhere')], /cannot read …\/nowhere: there is no such file or folder/],
    [[at('model.onnx'), at('few')], /few has one class, a\. There have to be two folders at least/],
    [[at('model.onnx'), folder], /class '.*' has no pictures/],
    [
      [at('model.onnx'), at('photos'), '--no-freeze', '--unfreeze', '3'],
      /--unfreeze: with --no-freeze nothing is frozen/,
    ],
    [[at('model.onnx'), at('photos'), '--size', '32'], /--size 32x32: …\/model\.onnx takes pictures of 16x16/],
    [[at('model.onnx'), at('photos'), '--features', 'nothing'], /until: the graph has no value "nothing"/],
    [[at('model.onnx'), at('photos'), '--weights', 'x.pt'], /--weights: …\/model\.onnx has its own/],
    [[at('model.onnx'), at('photos'), '--preprocess', 'imagnet'], /--preprocess imagnet: .*Did you mean imagenet/],
    [[at('model.onnx'), at('photos'), '--augment', 'much'], /Allowed choices are none, light, strong/],
    [[at('photos/even/0.png'), at('photos')], /0\.png is no ONNX model/],
    [['unet', at('photos'), '--weights', 'x.pt'], /unet is no network for classifying images/],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await nabla('finetune', ...args, '--out', at('no'));
    expect([args, code, err.split('\n').length]).toEqual([args, 2, 2]);
    expect(err).toMatch(message);
    expect(existsSync(at('no'))).toBe(false);
  }
  expect((await nabla('train', 'finetune', '--out', at('no'))).err).toMatch(/nabla finetune resnet18 photos --weights/);
}, 60_000);
