// Loggers: event files read by a decoder of their own (test/support/event-file.ts), text files, the console; crashes and
// resumed runs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fields, readEvents, readRecords, scalarsOf } from '../../../test/support/event-file.js';
import { type AnyTensor, ArgumentError, FormatError, ShapeError, rand, tensor } from '../../index.js';
import { BatchNorm1d, Linear, ReLU, Sequential } from '../../nn/index.js';
import type { EpochEvent, RunEvent, StartEvent } from '../record.js';
import { ConsoleLogger, CsvLogger, JsonLinesLogger, SummaryWriter, TensorBoardLogger } from '../index.js';
import { AppendFile } from '../node/append-file.js';
import { histogramOf } from './histogram.js';
import { formatNumber } from './console.js';
import { crc32c, frameRecord } from './tf-record.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-logging-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (resumedFrom?: number): StartEvent => ({
  event: 'start',
  time: '2030-01-01T00:00:00Z',
  config: { lr: 0.1, model: { width: 8, name: 'mlp' }, sizes: [1, 2], nothing: null, amp: false },
  facts: { parameters: 1234, optimizer: 'Adam', epochs: 12, trainSamples: 60_000 },
  ...(resumedFrom !== undefined && { resumedFrom }),
});
const epoch = (n: number, more: Partial<EpochEvent> = {}): EpochEvent => ({
  event: 'epoch',
  epoch: n,
  step: 10 * n,
  train: { loss: 1 / n, accuracy: 1 - 0.5 / n },
  lr: 0.1,
  seconds: 1.5,
  samplesPerSecond: 640,
  ...more,
});
const step = (n: number): RunEvent => ({ event: 'step', step: n, epoch: 1, loss: 1 / n, lr: 0.1, gradNorm: 2 });
const end: RunEvent = { event: 'end', reason: 'completed', step: 20, seconds: 3, test: { accuracy: 0.98 } };

describe('SummaryWriter', () => {
  const clock = () => 1700000000.25;
  const make = () => new SummaryWriter(folder, { now: clock });

  test('scalars', async () => {
    const writer = make();
    [0.5, NaN, -Infinity].forEach((value, i) => writer.addScalar('loss/train', value, i + 2 ** 40));
    await writer.close();
    const [version, ...events] = readEvents(folder);
    expect(version.text(3)).toBe('brain.Event:2');
    expect(version.number(1)).toBe(clock());
    expect(scalarsOf(events)['loss/train']).toEqual([
      [2 ** 40, 0.5],
      [2 ** 40 + 1, NaN],
      [2 ** 40 + 2, -Infinity],
    ]);
  });

  test('histograms', async () => {
    const writer = make();
    await writer.addHistogram('w', tensor([1, 2, 2.05, -3, 0, NaN]) as AnyTensor, 4);
    await writer.addHistogram('nothing', [NaN], 4);
    await writer.close();
    const events = readEvents(folder);
    expect(events.length).toBe(2);
    const [value] = events[1].message(5).messages(1);
    const histogram = value.message(5);
    expect([1, 2, 3].map((field) => histogram.number(field))).toEqual([-3, expect.closeTo(2.05, 6), 5]);
    expect(histogram.number(4)).toBeCloseTo(2.05, 5);
    expect(histogram.number(5)).toBeCloseTo(1 + 4 + 9 + 2.05 ** 2, 4);
    const [limits, counts] = [histogram.doubles(6), histogram.doubles(7)];
    expect(counts.length).toBe(limits.length);
    expect(counts.reduce((a, b) => a + b)).toBe(5);
    expect(counts[0]).toBe(0);
    counts.forEach((count, i) => {
      const inside = [1, 2, 2.05, -3, 0].filter((v) => v < limits[i] && v >= (limits[i - 1] ?? -Infinity)).length;
      expect(count).toBe(inside);
    });
  });

  test('images', async () => {
    const writer = make();
    await writer.addImage('rgb', rand([3, 4, 6]) as AnyTensor, 1);
    await writer.addImage('bytes', { data: new Uint8Array(20), shape: [1, 4, 5] }, 2);
    await expect(writer.addImage('batch', rand([2, 3, 4, 6]) as AnyTensor)).rejects.toThrow(ShapeError);
    await writer.close();
    const [, rgb, bytes] = readEvents(folder).map((event) => event.message(5).messages(1)[0]?.message(4));
    expect([1, 2, 3].map((field) => rgb.number(field))).toEqual([4, 6, 3]);
    expect([1, 2, 3].map((field) => bytes.number(field))).toEqual([4, 5, 1]);
    expect([...rgb.bytes(4).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  });

  test('text', async () => {
    const writer = make();
    writer.addText('note', 'größer\nals **2**', 3);
    await writer.close();
    const [value] = readEvents(folder)[1].message(5).messages(1);
    expect(value.text(1)).toBe('note/text_summary');
    expect(value.message(9).message(1).text(1)).toBe('text');
    expect(value.message(8).number(1)).toBe(7);
    expect(value.message(8).text(8)).toBe('größer\nals **2**');
  });

  test('the graph of a model, with a box for each module; its mode and statistics stay as they are', async () => {
    const writer = make();
    const model = new Sequential(new Linear(4, 8), new BatchNorm1d(8), new ReLU(), new Linear(8, 2));
    const before = await (model.stateDict()['1.running_mean'] as AnyTensor).data();
    writer.addGraph(model, rand([3, 4]) as AnyTensor);
    await writer.close();
    expect(model.training).toBe(true);
    expect([...(await (model.stateDict()['1.running_mean'] as AnyTensor).data())]).toEqual([...before]);
    const nodes = new Fields(readEvents(folder)[1].bytes(4)).messages(1);
    const names = nodes.map((node) => node.text(1));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['input', '0/weight', '0/matmul', '1/running_var', '2/relu', '3/bias']),
    );
    for (const node of nodes) for (const input of node.texts(3)) expect(names).toContain(input);
    const matmul = nodes.find((node) => node.text(1) === '0/matmul');
    const shape = matmul?.messages(5)[0].message(2).message(1).message(7).messages(2);
    expect(shape?.map((dim) => dim.number(1))).toEqual([3, 8]);
    expect(() => make().addGraph(model)).toThrow('there is no input');
  });

  test('hyper-parameters, and curves of one chart, in folders of their own', async () => {
    const writer = make();
    writer.addHparams({ lr: 0.1, name: 'a', amp: true }, { accuracy: 0.9 }, { runName: 'first' });
    writer.addScalars('loss', { train: 1, validation: 2 }, 3);
    await writer.close();
    expect(readdirSync(folder).filter((name) => !name.includes('tfevents'))).toEqual([
      'first',
      'loss_train',
      'loss_validation',
    ]);
    const events = readEvents(join(folder, 'first'));
    const values = events.flatMap((event) => event.message(5).messages(1));
    expect(values.map((value) => value.text(1))).toEqual([
      '_hparams_/experiment',
      '_hparams_/session_start_info',
      '_hparams_/session_end_info',
      'accuracy',
    ]);
    const data = values.map((value) => value.message(9).message(1).message(2));
    expect(
      data[0]
        .message(2)
        .messages(4)
        .map((info) => [info.text(1), info.number(4)]),
    ).toEqual([
      ['lr', 3],
      ['name', 1],
      ['amp', 2],
    ]);
    const given = data[1]
      .message(3)
      .messages(1)
      .map((entry) => entry.message(2));
    expect([given[0].number(2), given[1].text(3), given[2].number(4)]).toEqual([0.1, 'a', 1]);
    expect(scalarsOf(readEvents(join(folder, 'loss_validation')))).toEqual({ loss: [[3, 2]] });
  });

  test('what is wrong is said', async () => {
    const writer = make();
    expect(() => writer.addScalar('a', 1, -1)).toThrow(ArgumentError);
    expect(() => writer.addScalar('', 1)).toThrow('the tag is empty');
    expect(() => writer.addHparams({ lr: [1] as never }, {})).toThrow('hyper-parameter lr is a object');
    await writer.close();
    expect(() => writer.addScalar('a', 1)).toThrow('it is closed');
    expect(() => new SummaryWriter('')).toThrow('no name');
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(new SummaryWriter(file).flush()).rejects.toThrow('file');
  });

  test('a reader gets all records but the one that is cut off', async () => {
    const writer = make();
    for (let i = 0; i < 5; i++) writer.addScalar('a', i, i);
    await writer.close();
    const path = join(folder, readdirSync(folder)[0]);
    truncateSync(path, statSync(path).size - 3);
    expect(scalarsOf(readEvents(folder)).a).toEqual([0, 1, 2, 3].map((i) => [i, i]));
  });
});

test('checksums and records', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283); // RFC 3720's check value
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  const records = [0, 1, 127, 128, 70_000].map((n) => Uint8Array.from({ length: n }, (_, i) => i % 251));
  const file = new Uint8Array(records.flatMap((record) => [...frameRecord(record)]));
  expect(readRecords(file)).toEqual(records);
});

test('a histogram of large, small and equal values', () => {
  expect(histogramOf([])).toBeUndefined();
  expect(histogramOf([0, 0])).toMatchObject({ count: 2, min: 0, max: 0, counts: [0, 2], limits: [0, 1e-12] });
  const wide = histogramOf([1e30, -1e30, 1e-30]);
  expect(wide?.counts.reduce((a, b) => a + b)).toBe(3);
  expect(wide?.limits.at(-1)).toBe(Number.MAX_VALUE);
});

describe('TensorBoardLogger', () => {
  test('a run', async () => {
    const logger = new TensorBoardLogger(folder, { every: 2 });
    const events: RunEvent[] = [
      start(),
      step(1),
      step(2),
      {
        event: 'layers',
        step: 2,
        layers: [{ name: 'fc', kind: 'Linear', mean: 0, std: 1, zero: 0.5, dead: 0, notFinite: 0 }],
        parameters: [{ name: 'fc.weight', norm: 3, updateRatio: 1e-3 }],
      },
      { event: 'check', name: 'initial-loss', passed: true, text: 'as expected' },
      { event: 'notice', step: 2, code: 'odd', text: 'look' },
      epoch(1, { validation: { loss: 2 } }),
      end,
    ];
    for (const event of events) logger.onEvent(event);
    await logger.close();
    const read = readEvents(folder);
    expect(scalarsOf(read)).toMatchObject({
      'step/loss': [[2, 0.5]],
      'step/gradNorm': [[2, 2]],
      'output.zero/fc': [[2, 0.5]],
      'parameter.updateRatio/fc.weight': [[2, expect.closeTo(1e-3, 8)]],
      'loss/train': [[10, 1]],
      'loss/validation': [[10, 2]],
      'accuracy/test': [[20, expect.closeTo(0.98, 6)]],
    });
    const tags = read.flatMap((event) =>
      event
        .message(5)
        .messages(1)
        .map((value) => value.text(1)),
    );
    expect(tags).toEqual(expect.arrayContaining(['config/text_summary', 'notice/odd/text_summary']));
    const session = read
      .flatMap((event) => event.message(5).messages(1))
      .find((value) => value.text(1) === '_hparams_/session_start_info');
    const names = session
      ?.message(9)
      .message(1)
      .message(2)
      .message(3)
      .messages(1)
      .map((entry) => entry.text(1));
    expect(names).toEqual(['lr', 'model.width', 'model.name', 'sizes', 'amp', 'optimizer']);
  });

  test('a resumed run voids what lies behind', async () => {
    const logger = new TensorBoardLogger(folder);
    logger.onEvent(start(20));
    await logger.close();
    const restart = readEvents(folder)[1];
    expect([restart.number(2), restart.message(7).number(1)]).toEqual([21, 1]);
  });
});

describe('JSON lines', () => {
  const log = async (path: string, ...events: RunEvent[]) => {
    const logger = new JsonLinesLogger(path);
    for (const event of events) await logger.onEvent(event);
    logger.close();
  };
  const kinds = (path: string) =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as RunEvent).event);

  test('every event is a line', async () => {
    const path = join(folder, 'deep', 'run.jsonl');
    await log(path, start(), step(1), epoch(1, { train: { loss: NaN } }), end);
    expect(kinds(path)).toEqual(['start', 'step', 'epoch', 'end']);
    expect(readFileSync(path, 'utf8')).toContain('"loss":"NaN"');
    await log(path, start());
    expect(kinds(path)).toEqual(['start']);
  });

  test('a resumed run goes on behind the step it starts from, also after a cut-off line', async () => {
    const path = join(folder, 'run.jsonl');
    await log(path, start(), step(9), epoch(1), step(15), epoch(2));
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"event":"st`);
    await log(path, start(10), step(11), end);
    expect(kinds(path)).toEqual(['start', 'step', 'epoch', 'step', 'end']);
  });
});

test('logs stay where they were begun, and files of something else are not overwritten', async () => {
  const before = process.cwd();
  const notes = join(folder, 'notes.txt');
  writeFileSync(notes, 'Buy milk\n');
  const json = new JsonLinesLogger(notes);
  await expect(json.onEvent(start())).rejects.toThrow('notes.txt is no record of a run. Choose another path');
  await expect(new JsonLinesLogger(notes).onEvent(step(1))).rejects.toThrow(FormatError);
  expect(readFileSync(notes, 'utf8')).toBe('Buy milk\n');
  try {
    process.chdir(folder);
    const loggers = [new JsonLinesLogger('a.jsonl'), new CsvLogger('a.csv'), new TensorBoardLogger('board')];
    process.chdir(tmpdir());
    for (const logger of loggers) {
      for (const event of [start(), step(1), epoch(1), end]) await logger.onEvent(event);
      await logger.close();
    }
  } finally {
    process.chdir(before);
  }
  expect(readdirSync(folder).toSorted()).toEqual(['a.csv', 'a.jsonl', 'board', 'notes.txt']);
  const damaged = join(folder, 'a.jsonl');
  const [first, ...rest] = readFileSync(damaged, 'utf8').trimEnd().split('\n');
  writeFileSync(damaged, `${[first, '', '{"eve', ...rest].join('\n')}\n`);
  const again = new JsonLinesLogger(damaged);
  await again.onEvent(start(10));
  again.close();
  expect(readFileSync(damaged, 'utf8').trimEnd().split('\n')).toHaveLength(rest.length - 1 + 3);
});

describe('CSV', () => {
  const log = async (path: string, ...events: RunEvent[]) => {
    const logger = new CsvLogger(path);
    for (const event of events) await logger.onEvent(event);
    logger.close();
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  };

  test('columns that come later are empty in earlier rows', async () => {
    const path = join(folder, 'run.csv');
    const lines = await log(path, start(), epoch(1), epoch(2, { validation: { loss: NaN } }), epoch(4));
    expect(lines).toEqual([
      'epoch,step,lr,seconds,samplesPerSecond,train.loss,train.accuracy,validation.loss',
      '1,10,0.1,1.5,640,1,0.5,',
      '2,20,0.1,1.5,640,0.5,0.75,NaN',
      '4,40,0.1,1.5,640,0.25,0.875,',
    ]);
    const resumed = await log(path, start(20), epoch(3));
    expect(resumed.map((line) => line.split(',')[0])).toEqual(['epoch', '1', '2', '3']);
    expect(await log(path, start(), epoch(1))).toHaveLength(2);
  });

  test('another table is not taken over', async () => {
    const path = join(folder, 'other.csv');
    writeFileSync(path, 'name,age\nEva,7\n');
    for (const begin of [start(5), start()]) await expect(log(path, begin, epoch(3))).rejects.toThrow(FormatError);
    await expect(log(join(folder, 'fresh.csv'), start(), epoch(1, { train: { 'a,b': 1 } }))).rejects.toThrow(
      "called 'train.a,b'",
    );
  });
});

test('the console has a line per epoch', () => {
  const lines: string[] = [];
  const logger = new ConsoleLogger({ write: (line) => lines.push(line), everySteps: 10 });
  for (const event of [start(), step(10), step(11), epoch(3, { validation: { loss: 0.4, f1: 0.25 } }), end])
    logger.onEvent(event);
  expect(lines).toEqual([
    '1,234 parameters · Adam · 60,000 samples',
    '  step 10  loss 0.1000  lr 0.1000',
    'epoch  3/12  loss 0.3333 (val 0.4000)  accuracy 0.8333  val f1 0.2500  lr 0.1000  1.50 s',
    'completed after 20 steps, 3.00 s · test accuracy 0.9800',
  ]);
  expect([0, NaN, 1e-5, 0.012345, 123.456, 98765.4, 12345678, -2.5].map((n) => formatNumber(n))).toEqual([
    '0',
    'NaN',
    '1e-5',
    '0.0123',
    '123.5',
    '98765',
    '1.235e7',
    '-2.500',
  ]);
});

describe('files that grow', () => {
  test('records wait until the buffer is full, and are written whole', () => {
    const path = join(folder, 'log');
    const file = new AppendFile(path, { bufferBytes: 10, flushSeconds: 1000 });
    file.append('1234\n');
    expect(statSync(path).size).toBe(0);
    file.append('6789\n');
    expect(statSync(path).size).toBe(10);
    file.append('x\n');
    file.close();
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('1234\n6789\nx\n');
  });

  test('what is in the file while the rest waits is whole lines', () => {
    const path = join(folder, 'log');
    const file = new AppendFile(path, { bufferBytes: 1000, flushSeconds: 1000 });
    for (let i = 0; i < 500; i++) file.append(`line ${i}\n`);
    const text = readFileSync(path, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(text.length).toBeGreaterThan(3000);
    file.close();
  });
});

test.skipIf(process.platform === 'win32')('writing to a full disk is an error, not silence', () => {
  const result = spawnSync('sh', ['-c', 'test -e /dev/full'], {});
  if (result.status !== 0) return;
  const file = new AppendFile('/dev/full', { bufferBytes: 1 });
  expect(() => file.append('x')).toThrow('ENOSPC');
});
