// Sequences of several lengths in batches, samplers by length, and the sets of texts, scenes and films.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  BucketSampler,
  DataLoader,
  HostRandom,
  SequenceDataset,
  dates,
  movingShapes,
  multi30k,
  readCsv,
  captionedScenes,
  smsSpam,
} from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'nabla-texts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const row = (length: number, start = 1) => Int32Array.from({ length }, (_, i) => start + i);

describe('SequenceDataset', () => {
  const data = new SequenceDataset({
    x: [row(3), row(9), row(1, 7)],
    y: { data: Int32Array.of(4, 5, 6), shape: [] },
  });

  test('pads to multiples of 8, keeps other fields', async () => {
    const { x, y } = data.batch([2, 0]);
    expect(x.shape).toEqual([2, 8]);
    expect(await x.array()).toEqual([
      [7, 0, 0, 0, 0, 0, 0, 0],
      [1, 2, 3, 0, 0, 0, 0, 0],
    ]);
    expect(await y.array()).toEqual([6, 4]);
    expect(data.batch([0, 1]).x.shape).toEqual([2, 16]);
    expect(data.get(1)).toEqual({ x: row(9), y: Int32Array.of(5) });
    expect([...data.lengths]).toEqual([3, 9, 1]);
    const narrow = new SequenceDataset({ a: [row(3), row(2)], b: [row(1), row(5)] }, { padId: -1, multipleOf: 1 });
    const batch = narrow.batch([0, 1]);
    expect([batch.a.shape, await batch.b.array()]).toEqual([
      [2, 3],
      [
        [1, -1, -1, -1, -1],
        [1, 2, 3, 4, 5],
      ],
    ]);
    expect(Object.keys(batch)).toEqual(['a', 'b']);
  });

  test('parts', async () => {
    const part = data.subset([1, 2]).subset([1]);
    expect(part.length).toBe(1);
    const { x, y } = part.batch([0]);
    expect([await x.array(), await y.array()]).toEqual([[[7, 0, 0, 0, 0, 0, 0, 0]], [6]]);
  });

  test('what is wrong is said', () => {
    const make =
      (...args: unknown[]) =>
      () =>
        Reflect.construct(SequenceDataset, args);
    expect(make([row(1)])).toThrow('SequenceDataset: the argument');
    expect(make({ x: [[1, 2]] })).toThrow("sequence 0 of 'x'");
    expect(make({ x: { data: row(2), shape: [] } })).toThrow('Use an ArrayDataset');
    expect(make({ x: [row(1)], y: { data: row(2), shape: [] } })).toThrow('x has 1 items, y has 2');
    expect(make({ x: [row(1)] }, { multipleOf: 0 })).toThrow('multipleOf is 0');
    expect(() => data.batch([3])).toThrow('SequenceDataset: item 3 of 3. Use 0 to 2.');
  });
});

describe('BucketSampler', () => {
  const random = new HostRandom(3);
  const lengths = Array.from({ length: 103 }, () => 1 + random.below(40));

  test('all items once, those of a batch of like length, others in each epoch', () => {
    const sampler = new BucketSampler(lengths, { batchSize: 10, seed: 4 });
    const order = sampler.order(0);
    expect([...order].sort((a, b) => a - b)).toEqual([...row(103, 0)]);
    expect(sampler.order(0)).toEqual(order);
    expect(sampler.order(1)).not.toEqual(order);
    const buckets = (from: number) =>
      new Set([...order.subarray(from, from + 10)].map((i) => Math.ceil(lengths[i] / 8))).size;
    const counts = Array.from({ length: 10 }, (_, b) => buckets(10 * b));
    expect(counts.filter((n) => n === 1).length).toBeGreaterThan(4);
    const firsts = Array.from({ length: 10 }, (_, b) => lengths[order[10 * b]]);
    expect(firsts).not.toEqual([...firsts].sort((a, b) => a - b)); // short and long ones in turn
  });

  test('without shuffling in the order of length; in a DataLoader', async () => {
    const sampler = new BucketSampler(lengths, { batchSize: 10, shuffle: false });
    const widths = [...sampler.order(5)].map((i) => Math.ceil(lengths[i] / 8));
    expect(widths).toEqual([...widths].sort((a, b) => a - b));
    const data = new SequenceDataset({ x: lengths.map((n) => row(n)) });
    const sizes: number[][] = [];
    for await (const { x } of new DataLoader(data, { batchSize: 10, sampler })) sizes.push([...x.shape]);
    expect(sizes).toHaveLength(11);
    expect([sizes[0], sizes[10]]).toEqual([
      [10, 8],
      [3, 40],
    ]);
  });

  test('what is wrong is said', () => {
    const make =
      (...args: unknown[]) =>
      () =>
        Reflect.construct(BucketSampler, args);
    expect(make('abc', { batchSize: 2 })).toThrow('BucketSampler: the lengths');
    expect(make([1], {})).toThrow('BucketSampler');
    expect(make([1], { batchSize: 0 })).toThrow('batchSize is 0');
    expect(make([1], { batchSize: 1, width: 0 })).toThrow('width is 0');
  });
});

describe('sets', () => {
  test('messages', async () => {
    writeFileSync(join(folder, 'sms_spam.csv'), 'label,message\nham,"hello, you"\nspam,WIN 100\n');
    expect(await smsSpam({ folder })).toEqual({ texts: ['hello, you', 'WIN 100'], labels: Int32Array.of(0, 1) });
    writeFileSync(join(folder, 'sms_spam.csv'), 'label,message\nham,a\nother,b\n');
    await expect(smsSpam({ folder })).rejects.toThrow(/line 3: 'other' is no label: ham or spam/);
    await expect(smsSpam({ folder: join(folder, 'none') })).rejects.toThrow('smsSpam: the files are not there');
  });

  test('a table is read with options of its own', async () => {
    const bytes = new TextEncoder().encode('a;b\n1;x\n');
    const table = await readCsv(bytes, { delimiter: ';', types: { a: 'text' }, maxBytes: 100 });
    expect([table.column('a').values, table.column('b').values]).toEqual([['1'], ['x']]);
    await expect(readCsv(bytes, { maxBytes: 100, size: 3 } as never)).rejects.toThrow(
      "readCsv: there is no option 'size'",
    );
  });

  test('translations', async () => {
    mkdirSync(join(folder, 'm'));
    for (const name of ['train', 'val', 'test_2016_flickr'])
      for (const language of ['de', 'en'])
        writeFileSync(join(folder, 'm', `${name}.${language}`), `${name} ${language}\n`);
    const { train, test: tested } = await multi30k({ folder: join(folder, 'm') });
    expect([train.source, tested.target]).toEqual([['train de'], ['test_2016_flickr en']]);
    expect((await multi30k({ folder: join(folder, 'm'), from: 'en' })).train.source).toEqual(['train en']);
    writeFileSync(join(folder, 'm', 'val.en'), 'a\nb\n');
    await expect(multi30k({ folder: join(folder, 'm') })).rejects.toThrow('has 1 lines, the translation has 2');
    expect(() => Reflect.apply(multi30k, undefined, [{ from: 'fr' }])).toThrow("from is 'fr'");
  });

  test('dates', () => {
    const { source, target } = dates({ samples: 300, seed: 1 });
    expect(target.every((text) => /^(19[7-9]|20[0-6])\d-[01]\d-[0-3]\d$/.test(text))).toBe(true);
    const long = source.findIndex((text) => /^\d+ [A-Z][a-z]+ \d{4}$/.test(text)); // '3 March 1998'
    expect(new Date(`${source[long]} UTC`).toISOString().slice(0, 10)).toBe(target[long]);
    expect(new Set(source.map((text) => text.replaceAll(/\d+/g, '0').replaceAll(/[A-Za-z]+/g, 'a'))).size).toBe(6);
    expect(dates({ samples: 300, seed: 1 }).source).toEqual(source);
    expect(() => dates({ samples: 0 })).toThrow('samples is 0');
  });

  test('scenes: the first shape stands as the caption says', () => {
    const size = 32;
    const { pictures, captions } = captionedScenes({ samples: 60, size, noise: 0, seed: 2 });
    const x = pictures.column('x');
    const centre = (i: number, channel: number) => {
      let [sum, across, down] = [0, 0, 0];
      for (let p = 0; p < size * size; p++) {
        const at = (c: number) => x[(i * 3 + c) * size * size + p];
        const weight = Math.max(0, at(channel) - Math.max(at((channel + 1) % 3), at((channel + 2) % 3)));
        [sum, across, down] = [sum + weight, across + weight * (p % size), down + weight * Math.floor(p / size)];
      }
      return [across / sum, down / sum];
    };
    let seen = 0;
    captions.forEach((caption, i) => {
      const [, first, relation, second] =
        /^a (\w+) \w+ (left of|right of|above|below) a (\w+) (?:circle|square|triangle)$/.exec(caption) ?? [];
      expect(relation).toBeDefined();
      const channels = ['red', 'green', 'blue'];
      if (first === second || !channels.includes(first) || !channels.includes(second)) return;
      const [a, b] = [centre(i, channels.indexOf(first)), centre(i, channels.indexOf(second))];
      const [dx, dy] = [a[0] - b[0], a[1] - b[1]];
      const is = { 'left of': dx < -9, 'right of': dx > 9, above: dy < -9, below: dy > 9 };
      expect(is[relation as keyof typeof is]).toBe(true);
      seen++;
    });
    expect(seen).toBeGreaterThan(10);
    expect(() => captionedScenes({ size: 8 })).toThrow('size is 8');
    expect(() => captionedScenes({ noise: -1 })).toThrow('noise is -1');
  });

  test('films: shapes move, keep their size and stay inside', () => {
    const films = movingShapes({ samples: 6, frames: 30, size: 20, shapes: 1, seed: 5 });
    const x = films.column('x');
    expect(films.storage['x'].shape).toEqual([30, 1, 20, 20]);
    for (let film = 0; film < 6; film++) {
      const frames = Array.from({ length: 30 }, (_, t) => x.subarray((film * 30 + t) * 400, (film * 30 + t + 1) * 400));
      const areas = frames.map((pixels) => pixels.reduce((a, b) => a + b, 0));
      for (const area of areas) expect(Math.abs(area / areas[0] - 1)).toBeLessThan(0.12);
      const moved = frames
        .slice(1)
        .map((pixels, t) => pixels.reduce((sum, v, i) => sum + Math.abs(v - frames[t][i]), 0));
      expect(Math.min(...moved)).toBeGreaterThan(0.3);
    }
    expect(() => movingShapes({ frames: 0 })).toThrow('frames is 0');
  });
});
