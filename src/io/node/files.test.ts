// Writing files: what is replaced, what is refused, and in which order.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NablaError, setDevice, tensor } from '../../index.js';
import { Parameter } from '../../nn/index.js';
import { SGD } from '../../optim/index.js';
import { loadSafetensors, saveSafetensors, toSafetensors } from '../index.js';
import { writeFileAtomic } from './files.js';

let folder: string;
beforeEach(() => {
  setDevice('reference');
  folder = mkdtempSync(join(tmpdir(), 'nabla-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(inFolder(name), 'utf8');

describe.skipIf(process.platform === 'win32')('what is in the way', () => {
  test('the file keeps its mode', async () => {
    writeFileSync(inFolder('f'), 'old');
    for (const mode of [0o600, 0o640, 0o666, 0o755]) {
      chmodSync(inFolder('f'), mode);
      await writeFileAtomic(inFolder('f'), `new ${mode}`);
      expect([read('f'), statSync(inFolder('f')).mode & 0o777]).toEqual([`new ${mode}`, mode]);
    }
  });

  test('links stay, and what they point to is written: through several, relative, and to nothing yet', async () => {
    mkdirSync(inFolder('sub'));
    mkdirSync(inFolder('links'));
    writeFileSync(inFolder('sub/target'), 'old');
    symlinkSync('../sub/target', inFolder('links/one'));
    symlinkSync('links/one', inFolder('two'));
    symlinkSync('sub/fresh', inFolder('dangling'));
    symlinkSync('links', inFolder('folder-link'));
    await writeFileAtomic(inFolder('two'), 'new');
    await writeFileAtomic(inFolder('dangling'), 'fresh');
    expect([read('sub/target'), read('sub/fresh')]).toEqual(['new', 'fresh']);
    await writeFileAtomic(inFolder('folder-link/one'), 'newer');
    expect(read('sub/target')).toBe('newer');
    for (const name of ['two', 'links/one', 'dangling', 'folder-link'])
      expect(lstatSync(inFolder(name)).isSymbolicLink()).toBe(true);
    expect(readdirSync(inFolder('sub')).toSorted()).toEqual(['fresh', 'target']);
  });

  test('folders, devices, read-only files and circles of links are refused and stay', async () => {
    mkdirSync(inFolder('folder'));
    writeFileSync(inFolder('locked'), 'old');
    chmodSync(inFolder('locked'), 0o444);
    symlinkSync('locked', inFolder('to-locked'));
    symlinkSync('/dev/null', inFolder('to-device'));
    symlinkSync('circle', inFolder('circle'));
    const cases: [string, RegExp][] = [
      [inFolder('folder'), /folder is a folder, which is not replaced\. Choose another path/],
      ['/dev/null', /\/dev\/null is a device/],
      [inFolder('to-device'), /to-device is a device/],
      [inFolder('locked'), /locked is read-only/],
      [inFolder('to-locked'), /to-locked is read-only/],
      [inFolder('circle'), /circle of links/],
    ];
    for (const [path, message] of cases) {
      const error: unknown = await writeFileAtomic(path, 'new').catch((e: unknown) => e);
      expect(error).toBeInstanceOf(NablaError);
      expect((error as Error).message).toMatch(message);
    }
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(read('locked')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

test('the last of several calls at once wins, also after one that fails', async () => {
  const contents = Array.from({ length: 12 }, (_, i) => 'x'.repeat((12 - i) * 10_000) + i);
  await Promise.all(contents.map((content) => writeFileAtomic(inFolder('f'), content)));
  expect(read('f')).toBe(contents.at(-1));
  const failing = writeFileAtomic(inFolder('none/f'), 'a');
  const second = failing.catch(() => mkdirSync(inFolder('none'))).then(() => writeFileAtomic(inFolder('none/f'), 'b'));
  await expect(failing).rejects.toThrow(/ENOENT/);
  await second;
  expect(read('none/f')).toBe('b');
});

test('a name of 255 bytes leaves room for the temporary file', async () => {
  const name = 'n'.repeat(255);
  await writeFileAtomic(inFolder(name), 'x');
  expect(read(name)).toBe('x');
});

test('paths count from the folder that the process is in at the call', async () => {
  const before = process.cwd();
  mkdirSync(inFolder('elsewhere'));
  try {
    process.chdir(folder);
    const saving = [writeFileAtomic('a', '1'), saveSafetensors('b', { t: tensor([1]) })];
    process.chdir('elsewhere');
    await Promise.all(saving);
  } finally {
    process.chdir(before);
  }
  expect(readdirSync(folder).toSorted()).toEqual(['a', 'b', 'elsewhere']);
  expect(readdirSync(inFolder('elsewhere'))).toEqual([]);
});

test.each(['reference', 'cpu'])('an un-awaited save holds the numbers of its call (%s)', async (device) => {
  setDevice(device);
  const params = Array.from({ length: 20 }, () => new Parameter(tensor([0])));
  const optimizer = new SGD(params, { lr: 1 });
  const saving: Promise<unknown>[] = [];
  for (let step = 0; step < 4; step++) {
    const named = Object.fromEntries(params.map((p, i) => [`p${i}`, p]));
    saving.push(saveSafetensors(inFolder(`${step}`), named, { step }), toSafetensors(named));
    params
      .map((p) => p.sum())
      .reduce((a, b) => a.add(b) as never)
      .backward();
    await optimizer.step();
    optimizer.zeroGrad();
  }
  await Promise.all(saving);
  for (let step = 0; step < 4; step++) {
    const { tensors, metadata } = await loadSafetensors(inFolder(`${step}`));
    expect(metadata).toEqual({ step: `${step}` });
    const values = await Promise.all(Object.values(tensors).map((t) => t.item()));
    expect(values).toEqual(params.map(() => 0 - step));
  }
});

test('metadata are texts: numbers and truth values become some, anything else is refused before a file is touched', async () => {
  writeFileSync(inFolder('f'), 'old');
  const tensors = { t: tensor([1]) };
  for (const value of [null, undefined, { a: 1 }, [1], () => 1, Symbol('s'), 3n])
    await expect(saveSafetensors(inFolder('f'), tensors, { value } as never)).rejects.toThrow(
      /metadata "value" is .*Give a text, a number or a truth value/,
    );
  expect(read('f')).toBe('old');
  await saveSafetensors(inFolder('f'), tensors, { epoch: 3, done: true, rate: 1e-3, note: '', loss: NaN });
  expect((await loadSafetensors(inFolder('f'))).metadata).toEqual({
    epoch: '3',
    done: 'true',
    rate: '0.001',
    note: '',
    loss: 'NaN',
  });
});
