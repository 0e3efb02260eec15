// `nabla augment`: the sheet is a PNG of the right size, the same for the same seed, for every transform by name.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../program.js';
import { AUGMENT_TRANSFORMS } from '../augment/names.js';

let folder: string;
let printed = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-augment-'));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((printed += String(text)), true));
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

async function sheet(name: string, ...options: string[]): Promise<Buffer> {
  printed = '';
  const out = join(folder, name);
  expect(await run(['augment', 'digits', '--rows', '2', '--samples', '3', '--out', out, ...options])).toBe(0);
  return readFileSync(out);
}

test('two rows of an image and three copies, each 64 pixels wide', async () => {
  const file = await sheet('a.png');
  expect(file.subarray(1, 4).toString()).toBe('PNG');
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([4 * 68 + 4, 2 * (64 + 14 + 4) + 4]);
  expect(printed).toMatch(/a\.png: 2 images of digits, each as it is and 3 times augmented/);
  expect((await sheet('b.png')).equals(file)).toBe(true);
  expect((await sheet('c.png', '--seed', '1')).equals(file)).toBe(false);
});

test.each(AUGMENT_TRANSFORMS)('--transform %s', async (name) => {
  const file = await sheet(`${name}.png`, '--transform', name, '--json');
  expect(JSON.parse(printed)).toMatchObject({ event: 'sheet', preset: 'digits', transform: name, rows: 2, samples: 3 });
  expect(file.length).toBeGreaterThan(500);
});

test('faults are named', async () => {
  const fault = async (...args: string[]) => {
    printed = '';
    return [await run(['augment', ...args]), printed];
  };
  expect(await fault('nothing')).toEqual([
    2,
    expect.stringMatching(/'nothing' is invalid .* Allowed choices are digits/),
  ]);
  expect(await fault('digits', '--transform', 'melt')).toEqual([
    2,
    expect.stringContaining('Allowed choices are flip'),
  ]);
  expect(await fault('digits', '--rows', '0')).toEqual([
    2,
    expect.stringContaining('Use a whole number from 1 to 64.'),
  ]);
  const nowhere = join(folder, 'no', 'x.png');
  expect(await fault('digits', '--out', nowhere)).toEqual([
    2,
    expect.stringContaining('there is no such file or folder'),
  ]);
});

test.skipIf(!process.env['NABLA_DATA'])('pictures of NABLA_DATA (skipped where it is not set)', async () => {
  for (const preset of ['mnist', 'cifar10']) {
    const out = join(folder, `${preset}.png`);
    expect(await run(['augment', preset, '--rows', '2', '--samples', '2', '--out', out])).toBe(0);
    expect(readFileSync(out).readUInt32BE(16)).toBe(preset === 'mnist' ? 3 * 60 + 4 : 3 * 68 + 4);
  }
});
