// Readers of nabla's own files against damage: weights, checkpoints, records, configurations, trials of a search, drawings as
// text and as pictures, event files. Files are damaged as bytes, and, where they are JSON, value by value. The outcome is what the file
// says, or one of the errors that the reader promises; never another error, and no memory beyond the file's size.
// NABLA_FUZZ_SEED repeats a run; the seed is in the name of a test that fails. NABLA_FUZZ_COUNT: mutations a reader.
// What reads data files (npy, zip, CSV, …) has such a test of its own: src/data/formats/fuzz.test.ts.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ArgumentError, FormatError, manualSeed, setDevice } from '../src/index.js';
import { CliError } from '../src/cli/errors.js';
import { readImageFile } from '../src/cli/predict/image-files.js';
import { parseImages } from '../src/cli/predict/image-text.js';
import { readRun } from '../src/cli/records.js';
import { readConfig } from '../src/cli/run-config.js';
import { openRun } from '../src/cli/trained-run.js';
import { loadWeights } from '../src/cli/weights.js';
import { ArrayDataset, DataLoader } from '../src/data/index.js';
import { encodePng, formatSafetensors, fromSafetensors, loadTorch, parseSafetensors } from '../src/io/index.js';
import { openTensors } from '../src/io/tensor-file.js';
import { BatchNorm1d, Linear, Sequential, StateDictError, mseLoss } from '../src/nn/index.js';
import { Adam } from '../src/optim/index.js';
import {
  SummaryWriter,
  Trainer,
  chartText,
  describeHealth,
  formatJson,
  formatStudy,
  integer,
  learningCurves,
  logUniform,
  parseEvent,
  parseJson,
  search,
  summariseRun,
} from '../src/train/index.js';
import { RunFolder } from '../src/train/node/run-folder.js';
import { HostRandom } from '../src/tensor/host-random.js';
import { sizeOf } from '../src/tensor/library.js';
import data from './fixtures/data.json' with { type: 'json' };
import torchFiles from './fixtures/torch-files.json' with { type: 'json' };
import { watchAllocations } from './support/allocations.js';
import { Fields, readRecords, scalarsOf } from './support/event-file.js';
import { mutate, mutateJson } from './support/mutate.js';
import { bytesOfBase64 } from './support/torch-files.js';

const COUNT = process.env['NABLA_FUZZ_COUNT'];
const MUTATIONS = Number(COUNT ?? 400);
const seed = Number(process.env['NABLA_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const allocations = watchAllocations();

interface Reader {
  readonly file: () => Uint8Array;
  /** A damaged copy, where damage to bytes would mostly be no JSON. */
  readonly damage?: (file: Uint8Array, random: HostRandom) => Uint8Array;
  /** Reads and checks what it got. */
  readonly read: (bytes: Uint8Array) => unknown;
  readonly errors: readonly (abstract new (...args: never) => Error)[];
  /** Bytes that may be asked for at once, for each byte of the file; unwatched where a model is made for each file. */
  readonly ratio?: number;
  /** Bytes that may be asked for at once whatever the file's size: 4096, if nothing else is said. */
  readonly spare?: number;
  /** Of the mutations, where a file takes long and no number was asked for. */
  readonly share?: number;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

let root: string;
const at = (name: string): string => join(root, name);
/** The bytes as the file that a reader asks for. */
function put(name: string, bytes: Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

function makeTrainer(folder?: string): Trainer {
  manualSeed(3);
  const x = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
  const data = new ArrayDataset({ x: { data: x, shape: [2] }, y: { data: x.slice(0, 8), shape: [1] } });
  const model = makeModel();
  const options = {
    model,
    optimizer: new Adam(model.parameters(), { lr: 0.01 }),
    train: new DataLoader(data, { batchSize: 4, shuffle: true, seed: 5 }),
    loss: mseLoss,
    epochs: 3,
    ...(folder !== undefined && { folder }),
  };
  return new Trainer(options) as unknown as Trainer;
}

function makeModel() {
  return new Sequential(new Linear(2, 3), new BatchNorm1d(3), new Linear(3, 1));
}

/** Bytes, or the header, value by value: offsets and shapes, metadata, and the progress that a checkpoint has among them. */
function damageSafetensors(file: Uint8Array, random: HostRandom): Uint8Array {
  if (random.below(3) === 0) return mutate(file, random);
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(decode(file.subarray(8, 8 + length))) as Record<string, Record<string, string>>;
  let damaged: unknown = header;
  const progress = header['__metadata__']?.['progress'];
  if (progress !== undefined && random.below(4) > 0)
    header['__metadata__']['progress'] = formatJson(mutateJson(parseJson(progress), random));
  else damaged = mutateJson(header, random);
  const json = encode(JSON.stringify(damaged));
  const bytes = new Uint8Array(8 + json.length + file.length - 8 - length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(file.subarray(8 + length), 8 + json.length);
  return bytes;
}

/** Bytes of the archive, or of a member, which then has a right checksum: the pickle three times of four. */
function damageArchive(file: Uint8Array, random: HostRandom): Uint8Array {
  if (random.below(5) === 0) return mutate(file, random);
  const members = unzipSync(file);
  const names = Object.keys(members).sort((a, b) => Number(b.endsWith('.pkl')) - Number(a.endsWith('.pkl')));
  const name = names[random.below(4) > 0 ? 0 : random.below(names.length)];
  return zipSync({ ...members, [name]: mutate(members[name], random) }, { level: 0, mtime: '1980-01-02' });
}

/** Each in turn, picked by the random numbers. */
const oneOf = (names: readonly (keyof typeof torchFiles.read)[]) => {
  const files = names.map((name) => bytesOfBase64(torchFiles.read[name].file));
  return {
    file: () => files[0],
    pick: (random: HostRandom) => files[random.below(files.length)],
  };
};
const archives = oneOf([
  'dtypes, zip',
  'views, zip',
  'nested, zip, protocol 2',
  'nested, zip, protocol 5',
  'checkpoint, zip',
  'torchscript, traced',
  'deflated',
  'zip64',
]);
const legacies = oneOf(['dtypes, legacy', 'views, legacy', 'nested, legacy', 'a pickle of arrays']);
/** What an expanded tensor may take of a small file (stored-tensor.ts). */
const EXPANDED = (1 << 20) + 4096;

/** Everything in a file is looked at, and read. */
async function readStored(bytes: Uint8Array): Promise<void> {
  const { tensors } = await openTensors('fuzz', bytes);
  for (const stored of tensors.values()) {
    const numbers = stored.dtype.startsWith('complex') ? 2 : 1;
    expect((await stored.data()).length).toBe(numbers * sizeOf(stored.shape));
  }
}

/** Bytes, or values of one of the lines. */
function damageLines(file: Uint8Array, random: HostRandom): Uint8Array {
  if (random.below(4) === 0) return mutate(file, random);
  const lines = decode(file).trimEnd().split('\n');
  for (let times = 1 + random.below(3); times > 0; times--) {
    const which = random.below(lines.length);
    lines[which] = JSON.stringify(mutateJson(JSON.parse(lines[which]), random));
  }
  return encode(`${lines.join('\n')}\n`);
}

const damageConfig = (file: Uint8Array, random: HostRandom): Uint8Array =>
  random.below(4) === 0 ? mutate(file, random) : encode(JSON.stringify(mutateJson(JSON.parse(decode(file)), random)));

const space = { lr: logUniform(1e-4, 1e-1), hidden: integer(1, 8) };
const SMALL = { shape: [1, 2, 3], most: 255, classes: 10 } as const;

/** All that is done with a record. */
function useRecord(events: Awaited<ReturnType<typeof readRun>>['events']): void {
  summariseRun(events);
  describeHealth(events);
  for (const x of ['epoch', 'step', 'time'] as const)
    for (const chart of learningCurves([{ name: 'run', events }], { x, steps: true }))
      chartText(chart, { columns: 60 });
}

const READERS: Readonly<Record<string, Reader>> = {
  safetensors: {
    file: () =>
      formatSafetensors(
        {
          weight: { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) },
          steps: { dtype: 'int32', shape: [], data: Int32Array.of(7) },
          mask: { dtype: 'bool', shape: [5], data: Uint8Array.of(1, 0, 1, 1, 0) },
        },
        { epoch: 3, note: 'é' },
      ),
    damage: damageSafetensors,
    read: (bytes) => {
      for (const { data, shape } of Object.values(parseSafetensors(bytes).tensors))
        expect(data.length).toBe(sizeOf(shape));
      fromSafetensors(bytes);
    },
    errors: [FormatError],
    ratio: 4,
  },
  'PyTorch, zip': {
    file: archives.file,
    damage: (_, random) => damageArchive(archives.pick(random), random),
    read: async (bytes) => {
      if (bytes[0] === 0x50 && bytes[1] === 0x4b) (await loadTorch(bytes)).stored();
      await readStored(bytes);
    },
    errors: [FormatError],
    ratio: 1032,
    spare: EXPANDED,
  },
  'PyTorch, old layout': {
    file: legacies.file,
    damage: (_, random) => mutate(legacies.pick(random), random),
    read: async (bytes) => {
      (await loadTorch(bytes)).stored();
      await readStored(bytes);
    },
    errors: [FormatError],
    ratio: 16,
    spare: EXPANDED,
  },
  'npz, an array at a time': {
    file: () => bytesOfBase64(data.files.npz),
    damage: (file, random) => mutate(random.below(2) === 0 ? file : bytesOfBase64(data.files.npzCompressed), random),
    read: readStored,
    errors: [FormatError],
    ratio: 1032,
  },
  'safetensors, a tensor at a time': {
    file: () =>
      formatSafetensors({
        weight: { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) },
        steps: { dtype: 'int32', shape: [], data: Int32Array.of(7) },
      }),
    damage: damageSafetensors,
    read: readStored,
    errors: [FormatError],
    ratio: 4,
  },
  'weights of a model': {
    file: () => readFileSync(at('run/weights.safetensors')),
    damage: damageSafetensors,
    read: async (bytes) => loadWeights(put('weights.safetensors', bytes), makeModel()),
    errors: [FormatError, StateDictError, CliError],
  },
  checkpoint: {
    file: () => readFileSync(at('run/checkpoint.safetensors')),
    damage: damageSafetensors,
    read: async (bytes) => {
      put('resumed/checkpoint.safetensors', bytes);
      const trainer = makeTrainer();
      await trainer.resume(at('resumed'));
      // what was accepted can be gone on from, or has ended
      expect(await trainer.state()).toMatchObject({ progress: { version: 1 } });
    },
    errors: [FormatError, StateDictError, ArgumentError],
    share: 0.5,
  },
  'metrics.jsonl': {
    file: () => readFileSync(at('run/metrics.jsonl')),
    damage: damageLines,
    read: async (bytes) => {
      const { events } = await readRun(put('metrics.jsonl', bytes));
      for (const event of events) expect(parseEvent(formatJson(event))?.event).toBe(event.event);
      useRecord(events);
    },
    errors: [CliError, ArgumentError], // a record without a step has no curves
    share: 0.5,
  },
  'config.json': {
    file: () =>
      encode(
        JSON.stringify({
          run: 'digits',
          settings: { lr: 0.001, epochs: 3, seed: 1, labelSmoothing: 0.1 },
          device: 'cpu',
          facts: { classes: ['0', '1'] },
        }),
      ),
    damage: damageConfig,
    read: async (bytes) => {
      readConfig(put('configured/config.json', bytes));
      await openRun(new RunFolder(at('configured')), {});
    },
    errors: [CliError],
  },
  'search.jsonl': {
    file: () => readFileSync(at('study/search.jsonl')),
    damage: damageLines,
    read: async (bytes) => {
      put('searched/search.jsonl', bytes);
      const study = await search(space, ({ lr }) => lr, { trials: 5, folder: at('searched') });
      expect(study.trials.length).toBeGreaterThanOrEqual(5);
      formatStudy(study);
    },
    errors: [FormatError],
    share: 0.25,
  },
  'drawings as text': {
    file: () => encode('a,b,c,d,e,f,label\n0,1,2,3,4,5,7\n# none\n255;0;0;0;0;1e1\n'),
    read: (bytes) => {
      const { pixels, count, names, labels } = parseImages(decode(bytes), 'x.csv', SMALL);
      expect([pixels.length, names.length, labels.length]).toEqual([6 * count, count, count]);
      expect(pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
    },
    errors: [CliError],
    ratio: 32,
  },
  pictures: {
    file: () => encodePng({ data: Uint8Array.from({ length: 3 * 8 * 9 }, (_, i) => (i * 7) % 256), shape: [3, 8, 9] }),
    read: async (bytes) => {
      const images = await readImageFile(put('drawn.png', bytes), SMALL);
      expect(images?.pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
    },
    errors: [CliError],
    share: 0.25,
  },
  'drawings as IDX': {
    file: () => Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...new Array<number>(12).fill(9)),
    read: async (bytes) => {
      const images = await readImageFile(put('drawn.idx', bytes), SMALL);
      expect(images?.pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
    },
    errors: [CliError],
    ratio: 8,
  },
};

beforeAll(async () => {
  setDevice('reference');
  root = mkdtempSync(join(tmpdir(), 'nabla-readers-'));
  await makeTrainer(at('run')).fit();
  await search(space, ({ lr }) => lr, { trials: 4, folder: at('study') });
  for (const folder of ['resumed', 'configured', 'searched']) mkdirSync(at(folder));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true); // lines that cannot be read are told
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

test.each(Object.entries(READERS))(`%s: ${MUTATIONS} mutations (seed ${seed})`, async (name, reader) => {
  const { errors, damage = mutate, ratio, spare = 4096 } = reader;
  const file = reader.file();
  const count = Math.ceil(MUTATIONS * ((COUNT === undefined ? reader.share : undefined) ?? 1));
  let [refused, read] = [0, 0];
  await reader.read(file);
  for (let i = 0; i < count; i++) {
    const bytes = damage(file, new HostRandom(seed, i));
    allocations.largest = 0;
    try {
      await reader.read(bytes);
      read++;
    } catch (error) {
      if (!errors.some((kind) => error instanceof kind))
        throw new Error(`${name}, seed ${seed}, mutation ${i}: ${String(error)}`, { cause: error });
      refused++;
    }
    if (ratio !== undefined && allocations.largest > ratio * bytes.length + spare)
      throw new Error(
        `${name}, seed ${seed}, mutation ${i}: ${allocations.largest} bytes asked for by ${bytes.length}`,
      );
  }
  expect(refused).toBeGreaterThan(0);
  expect(read + refused).toBe(count);
});

test(`what reads event files in tests notices damage (seed ${seed})`, async () => {
  const writer = new SummaryWriter(at('events'));
  for (let step = 0; step < 3; step++) writer.addScalar('loss', 1 / (1 + step), step);
  await writer.close();
  const [name] = readdirSync(at('events'));
  const file = new Uint8Array(readFileSync(at(`events/${name}`)));
  const whole = readRecords(file).map((record) => new Fields(record));
  expect(scalarsOf(whole).loss.map(([step]) => step)).toEqual([0, 1, 2]);
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(file, new HostRandom(seed, i));
    let records: Uint8Array[] = [];
    try {
      records = readRecords(bytes);
    } catch (error) {
      expect(String(error)).toMatch(/checksum/);
    }
    expect(records.length).toBeLessThanOrEqual(whole.length + 1);
  }
});
