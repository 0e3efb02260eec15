// Sets that lie in files: where they are looked for, what is said when they are not there, damaged files; and, where
// NABLA_DATA has them, the real ones.
import { gzipSync } from 'fflate';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FormatError, NablaError } from '../../tensor/library.js';
import {
  CharVocabulary,
  cifar10,
  cifar100,
  fashionMnist,
  membrane,
  mnist,
  readCsv,
  readIdx,
  readText,
  tinyShakespeare,
} from '../index.js';

const data = process.env['NABLA_DATA'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-sets-'));
  vi.stubEnv('NABLA_DATA', folder);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, bytes: Uint8Array | string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
};
const images = (count: number, fill: number) =>
  Uint8Array.of(0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28, ...new Array<number>(count * 784).fill(fill));
const labels = (...list: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, list.length, ...list);

function putMnist(at: string): void {
  put(`${at}train-images-idx3-ubyte.gz`, gzipSync(images(3, 200)));
  put(`${at}train-labels-idx1-ubyte`, labels(4, 0, 9));
  put(`${at}t10k-images-idx3-ubyte`, images(1, 7));
  put(`${at}t10k-labels-idx1-ubyte.gz`, gzipSync(labels(5)));
}

test.each(['mnist/', '', 'cache/nabla/data/mnist/'])('mnist is found in %j, compressed or not', async (at) => {
  if (process.platform !== 'linux' && at.startsWith('cache')) return;
  putMnist(at);
  const { train, test: rest } = await mnist();
  expect([...train.column('y'), ...rest.column('y')]).toEqual([4, 0, 9, 5]);
  expect(train.column('x')).toEqual(new Uint8Array(3 * 784).fill(200));
  expect(rest.gather([0]).x.shape).toEqual([1, 1, 28, 28]);
});

test('membrane: slices and their masks; what does not fit is named', async () => {
  const idx = (count: number, fill: number) =>
    Uint8Array.of(0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3, ...new Array<number>(count * 6).fill(fill));
  put('membrane/train-images-idx3-ubyte.gz', gzipSync(idx(2, 90)));
  put('membrane/train-labels-idx3-ubyte', idx(2, 1));
  const slices = await membrane();
  expect([slices.gather([1]).x.shape, slices.gather([1]).mask.shape]).toEqual([
    [1, 1, 2, 3],
    [1, 2, 3],
  ]);
  expect([...slices.column('mask')]).toEqual(new Array(12).fill(1));
  put('membrane/train-labels-idx3-ubyte', idx(1, 1));
  await expect(membrane()).rejects.toThrow(/holds \[1, 2, 3\], and the images are \[2, 2, 3\]/);
  put('membrane/train-labels-idx3-ubyte', idx(2, 2));
  await expect(membrane()).rejects.toThrow(/a pixel of slice 0 of 2 is 2, neither 0 nor 1/);
  await expect(membrane({ folder: join(folder, 'none') })).rejects.toThrow(NablaError);
});

test('a folder that is named is the only one; fashionMnist has a folder of its own', async () => {
  putMnist('mnist/');
  putMnist('fashion-mnist/');
  expect((await fashionMnist()).test.length).toBe(1);
  expect((await mnist({ folder: join(folder, 'fashion-mnist') })).train.length).toBe(3);
  await expect(mnist({ folder: join(folder, 'nowhere') })).rejects.toThrow(
    `mnist: the files are not there. Looked for train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (with or without .gz) in ${join(folder, 'nowhere')}. Put them there, set NABLA_DATA or folder, or give download: true (11.6 MB from ossci-datasets.s3.amazonaws.com).`,
  );
  rmSync(join(folder, 'mnist', 't10k-labels-idx1-ubyte.gz'));
  await expect(mnist()).rejects.toThrow(NablaError);
});

test('damaged files are named', async () => {
  putMnist('mnist/');
  put('mnist/train-labels-idx1-ubyte', labels(4, 0));
  await expect(mnist()).rejects.toThrow(/train-labels-idx1-ubyte holds \[2\], and there are 3 images/);
  put('mnist/train-labels-idx1-ubyte', labels(4, 0, 10));
  await expect(mnist()).rejects.toThrow(/label 2 is 10/);
  put('mnist/train-labels-idx1-ubyte', labels(4, 0, 9).subarray(0, 9));
  const error: unknown = await mnist().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FormatError);
  expect([(error as FormatError).path, (error as FormatError).offset]).toEqual([
    join(folder, 'mnist', 'train-labels-idx1-ubyte'),
    9,
  ]);
  put('mnist/train-labels-idx1-ubyte', labels(4, 0, 9));
  put('mnist/t10k-images-idx3-ubyte', labels(1));
  await expect(mnist()).rejects.toThrow('not images of 28 × 28');
});

const record = (...start: number[]) => Uint8Array.of(...start, ...new Array<number>(3072).fill(start[0]));

/** An archive of these files. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const blocks = Object.entries(files).map(([name, content]) => {
    const block = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
    block.write(name);
    block.write(content.length.toString(8).padStart(11, '0'), 124);
    block.write('0', 156);
    block.write('        ', 148);
    block.write(
      `${block
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    block.set(content, 512);
    return block;
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

test('cifar10: batches, the archive, or a part; the whole set first', async () => {
  await expect(cifar10()).rejects.toThrow(/Looked for data_batch_1.bin, .* \(170\.1 MB from www\.cs\.toronto\.edu\)/);
  put('cifar10/train10k.bin.gz', gzipSync(Uint8Array.from([...record(1), ...record(2)])));
  put('cifar10/test5k.bin', record(3));
  const part = await cifar10();
  expect([part.isPart, [...part.train.column('y')], [...part.test.column('y')]]).toEqual([true, [1, 2], [3]]);
  await expect(cifar10({ part: false })).rejects.toThrow(NablaError);
  const batches = Object.fromEntries(
    [1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-bin/data_batch_${i}.bin`, record(i)]),
  );
  const files = { ...batches, 'cifar-10-batches-bin/test_batch.bin': record(9) };
  put('cifar10/cifar-10-binary.tar.gz', gzipSync(tar(files)));
  const whole = await cifar10();
  expect([whole.isPart, [...whole.train.column('y')], whole.test.column('x')[0]]).toEqual([false, [1, 2, 3, 4, 5], 9]);
  expect((await cifar10({ part: true })).isPart).toBe(true);
  put('cifar10/cifar-10-binary.tar.gz', gzipSync(tar(batches)));
  await expect(cifar10()).rejects.toThrow('has no file cifar-10-batches-bin/test_batch.bin');
  for (const [name, bytes] of Object.entries(files)) put(`cifar10/${name}`, bytes);
  expect((await cifar10()).train.length).toBe(5);
});

test('cifar100: fine and coarse labels', async () => {
  put('cifar100/train.bin', record(19, 99));
  put('cifar100/cifar-100-binary/test.bin.gz', gzipSync(record(1, 2)));
  const { train, test: rest } = await cifar100();
  expect([train.column('coarse')[0], train.column('y')[0], rest.column('y')[0]]).toEqual([19, 99, 2]);
});

test('files are read from paths, URLs and bytes; one that is not there is named', async () => {
  put('a.csv', gzipSync(new TextEncoder().encode('n\n1\n')));
  expect((await readCsv(join(folder, 'a.csv'))).length).toBe(1);
  expect(await readText(new URL(`file://${join(folder, 'a.csv')}`))).toBe('n\n1\n');
  expect(await readText('data:text/plain,hello')).toBe('hello');
  expect((await readIdx(labels(1, 2))).shape).toEqual([2]);
  await expect(readText(join(folder, 'b.txt'))).rejects.toThrow(/b\.txt cannot be read \(there is no such file\)/);
  put('tinyshakespeare/tinyshakespeare.txt', 'O');
  expect(await tinyShakespeare()).toBe('O');
});

describe.skipIf(data === undefined)('the real files (set NABLA_DATA to the folder that has them)', () => {
  beforeEach(() => vi.stubEnv('NABLA_DATA', data));

  test('mnist', async () => {
    const { train, test: rest } = await mnist();
    expect([train.length, rest.length]).toEqual([60_000, 10_000]);
    expect([...train.column('y').subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    const mean = train.column('x').reduce((a, b) => a + b, 0) / (60_000 * 784 * 255);
    expect(mean).toBeCloseTo(0.1307, 4); // as everybody normalises
  });

  test('cifar10', async () => {
    const { train, test: rest, isPart } = await cifar10();
    if (isPart) expect([train.length, rest.length]).toEqual([10_000, 5000]);
    expect(new Set(train.column('y')).size).toBe(10);
  });

  test('tiny Shakespeare', async () => {
    const text = await tinyShakespeare();
    expect([text.length, CharVocabulary.of(text).size]).toEqual([1_115_394, 65]);
    expect(text.startsWith('First Citizen:\nBefore we proceed')).toBe(true);
  });
});
