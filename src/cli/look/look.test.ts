// `nabla look`: filters, maps and where a network looks, of a run, of a network by name; what is wrong is one line.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualSeed } from '../../index.js';
import { encodePng, saveSafetensors } from '../../io/index.js';
import { squeezenet11 } from '../../models/index.js';
import { run } from '../program.js';
import { filterImages, mapImages, stretched } from './pictures.js';

let folder: string;
let printed = '';
let out = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-look-'));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((printed += String(text)), true));
  const data = Uint8Array.from({ length: 3 * 48 * 48 }, (_, i) => (i * 7) % 256);
  writeFileSync(join(folder, 'a.png'), encodePng({ data, shape: [3, 48, 48] }));
  manualSeed(0);
  await saveSafetensors(join(folder, 'net.safetensors'), squeezenet11({ classes: 4 }).stateDict());
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

async function look(...options: string[]): Promise<[code: number, printed: string, files: string]> {
  printed = '';
  const files = join(folder, `out-${out++}`);
  const code = await run(['look', ...options, '--image', join(folder, 'a.png'), '--out', files]);
  return [code, printed, files];
}

const sizeOf = (file: string): number[] => {
  const bytes = readFileSync(file);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
};

const network = (): string[] => ['squeezenet11', '--weights', join(folder, 'net.safetensors'), '--size', '48'];

test('a network by name: filters, first and last maps, the class that is asked about', async () => {
  writeFileSync(join(folder, 'names.txt'), 'ant\nbee\ncat\ndog\n');
  const [code, text, files] = await look(...network(), '--labels', join(folder, 'names.txt'), '--class', 'cat');
  expect([code, text]).toEqual([0, expect.stringMatching(/It says (ant|bee|cat|dog) \([\d.]+ %\), /)]);
  expect(text).toMatch(/filters of features\.0, the first convolution/);
  expect(text).toMatch(/maps-features\.0\.png: 64 maps of features\.0 \(Conv2d\), 23×23/);
  expect(text).toMatch(/saliency and Grad-CAM for 'cat'/);
  expect(sizeOf(join(files, 'filters.png'))).toEqual([8 * (63 + 4) + 4, 8 * (63 + 4) + 4]); // 64 filters of 3×3, 21 times as large
  expect(sizeOf(join(files, 'where.png'))).toEqual([3 * 52 + 4, 48 + 14 + 4 + 4]);
}, 60_000);

test('layers by name, as JSON', async () => {
  const [code, text, files] = await look(...network(), '--layer', 'features.3', '--json');
  expect(code).toBe(0);
  const { said, class: asked, files: written } = JSON.parse(text);
  expect(said).toHaveLength(3);
  expect(asked).toBe(said[0].label);
  expect(written.map(({ file }: { file: string }) => file)).toEqual(
    ['filters.png', 'maps-features.3.png', 'where.png'].map((name) => join(files, name)),
  );
  for (const { file } of written) expect(existsSync(file)).toBe(true);
}, 60_000);

test('what is wrong is one line', async () => {
  expect(await look(...network(), '--layer', 'features.99')).toEqual([
    2,
    expect.stringMatching(/^nabla: --layer features\.99: there is no layer .* Use .*features\.0/),
    expect.anything(),
  ]);
  expect(await look(...network(), '--class', '4')).toEqual([
    2,
    expect.stringContaining('--class 4: there is no such class. Use a name, or a number from 0 to 3.'),
    expect.anything(),
  ]);
  expect(await look(join(folder, 'a.png'))).toEqual([
    2,
    expect.stringContaining('is a file. Name a run folder'),
    expect.anything(),
  ]);
  expect(await look('resnet19')).toEqual([
    2,
    expect.stringContaining('The nearest name is resnet18'),
    expect.anything(),
  ]);
}, 60_000);

test('filters around grey, maps from dark to light', () => {
  const one = filterImages(Float32Array.of(-1, 0, 0.5, 1), [1, 1, 2, 2]);
  expect(one.map(({ data, shape }) => [[...data], shape])).toEqual([
    [
      [0, 0.5, 0.75, 1],
      [1, 2, 2],
    ],
  ]);
  const strong = filterImages(Float32Array.of(0.1, 0.1, -3, 3, 0, 1, 1, 1), [1, 4, 1, 2]); // the second channel
  expect([...strong[0].data]).toEqual([0, 1]);
  expect([...stretched(Float32Array.of(2, 4, 3))]).toEqual([0, 1, 0.5]);
  expect([...stretched(Float32Array.of(2, 2))]).toEqual([0.5, 0.5]);
  const [map] = mapImages(Float32Array.of(0, 1), [1, 1, 1, 2]);
  expect(map.data[1]).toBeGreaterThan(map.data[0]);
});
