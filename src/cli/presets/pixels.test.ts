// The presets on pictures and films, small: they learn a little, measure, report, and keep a picture; taken up again.
import { afterEach, expect, test } from 'vitest';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { printedBy } from '../../../test/support/command-line.js';

let folder = '';
afterEach(() => {
  delete process.env['NABLA_DATA'];
  rmSync(folder, { recursive: true, force: true });
});

const train = (...args: string[]): Promise<string> => printedBy('train', ...args);

const set = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

const sizeOf = (name: string): number[] => {
  const file = readFileSync(join(folder, 'run', name));
  return [file.readUInt32BE(16), file.readUInt32BE(20)];
};

function inFolder(): string {
  folder = mkdtempSync(join(tmpdir(), 'nabla-pixels-'));
  return join(folder, 'run');
}

test('shapes-segmentation: a network, its picture, and going on', async () => {
  const out = inFolder();
  const small = set({ samples: 60, held: 12, batchSize: 12, lr: 0.01 });
  const text = await train('shapes-segmentation', '--model', 'fcn', '--epochs', '2', '--out', out, ...small);
  expect(text).toMatch(/Test meanIoU [\d.]+ %, accuracy [\d.]+ %, loss \S+/);
  expect(text).toMatch(/Intersection over union of each class:\n +background +\d[\s\S]*triangle/);
  expect(sizeOf('segmentation.png')).toEqual([6 * 68 + 4, 3 * (64 + 14 + 4) + 4]);
  const longer = await train('--resume', out, '--epochs', '3');
  expect(longer).toMatch(/3\/3/);
}, 60_000);

test('shapes-detection: mean average precision', async () => {
  const out = inFolder();
  const small = set({ samples: 24, held: 6, batchSize: 12 });
  const text = await train('shapes-detection', '--epochs', '1', '--out', out, ...small);
  expect(text).toMatch(/Test mAP \S+/);
  expect(text).toMatch(/Average precision, the mean over overlaps/);
  expect(sizeOf('detections.png')).toEqual([4 * 260 + 4, 2 * (256 + 14 + 4) + 4]);
}, 60_000);

test('tracks: IDF1 and MOTA', async () => {
  const out = inFolder();
  const small = set({ scenes: 24, held: 2, batchSize: 4, hidden: 16, steps: 2, lr: 0.01 });
  const text = await train('tracks', '--epochs', '8', '--out', out, ...small);
  const [, score] = /Test IDF1 ([\d.]+) %/.exec(text) ?? [];
  expect(Number(score)).toBeGreaterThan(50);
  expect(text).toMatch(/objects in all frames: \d+ not found/);
  expect(sizeOf('tracks.png')[0]).toBe(2 * 304 + 4); // of each scene that was held back
}, 60_000);

test('membrane: crops of slices, whole slices to test', async () => {
  const out = inFolder();
  process.env['NABLA_DATA'] = folder;
  const [count, side] = [8, 32];
  const head = (): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32BE(0x0803, 0);
    [count, side, side].forEach((n, i) => bytes.writeUInt32BE(n, 4 + 4 * i));
    return bytes;
  };
  const labels = Uint8Array.from({ length: count * side * side }, (_, i) => ((i % side) % 8 > 1 ? 1 : 0));
  const images = labels.map((label) => (label === 1 ? 170 : 60));
  mkdirSync(join(folder, 'membrane'));
  for (const [name, data] of [
    ['images-idx3', images],
    ['labels-idx3', labels],
  ] as const)
    writeFileSync(join(folder, 'membrane', `train-${name}-ubyte.gz`), gzipSync(Buffer.concat([head(), data])));
  const small = set({ crop: 16, crops: 24, batchSize: 4, lr: 0.01 });
  const text = await train('membrane', '--epochs', '4', '--out', out, ...small);
  const [, accuracy] = /Test accuracy ([\d.]+) %/.exec(text) ?? [];
  expect(Number(accuracy)).toBeGreaterThan(90); // membranes are dark
  expect(sizeOf('segmentation.png')).toEqual([2 * 68 + 4, 3 * (64 + 14 + 4) + 4]);
}, 60_000);
