// Run folders that others, crashes and full disks have been at: what is kept, what is refused, what is said.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArrayDataset, DataLoader } from '../../data/index.js';
import { ArgumentError, FormatError, NablaError, manualSeed, setDevice } from '../../index.js';
import { formatSafetensors, parseSafetensors } from '../../io/index.js';
import { Linear, mseLoss } from '../../nn/index.js';
import { AdamW, SGD } from '../../optim/index.js';
import { HostRandom } from '../../tensor/host-random.js';
import { type RunEvent, Trainer, type TrainerOptions, parseEvent } from '../index.js';
import { summariseRun } from '../compare.js';
import { readRecordFile } from './run-folder.js';

let root: string;
beforeEach(() => {
  setDevice('reference');
  root = mkdtempSync(join(tmpdir(), 'nabla-run-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Changes {
  readonly batchSize?: number;
  readonly count?: number;
  readonly shift?: number;
  readonly sgd?: boolean;
  readonly more?: Partial<TrainerOptions>;
}

function makeTrainer({ batchSize = 4, count = 16, shift = 0, sgd, more }: Changes = {}): Trainer {
  manualSeed(3);
  const x = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i) + shift);
  const data = new ArrayDataset({ x: { data: x, shape: [2] }, y: { data: x.slice(0, count), shape: [1] } });
  const model = new Linear(2, 1);
  const options = {
    model,
    optimizer: sgd ? new SGD(model.parameters(), { lr: 0.01 }) : new AdamW(model.parameters(), { lr: 0.01 }),
    train: new DataLoader(data, { batchSize, shuffle: true, seed: 5 }),
    loss: mseLoss,
    epochs: 3,
    folder: join(root, 'run'),
    ...more,
  };
  return new Trainer(options as never) as unknown as Trainer;
}

const record = (): string => readFileSync(join(root, 'run', 'metrics.jsonl'), 'utf8');
const kinds = (): string[] =>
  record()
    .split('\n')
    .flatMap((line) => parseEvent(line)?.event ?? []);
const epochs = (): number[] =>
  record()
    .split('\n')
    .flatMap((line) => {
      const event = parseEvent(line);
      return event?.event === 'epoch' ? [event.epoch] : [];
    });

describe('the record', () => {
  test('blank and damaged lines stay, and so does what follows them', async () => {
    await makeTrainer().fit();
    const whole = record().trimEnd().split('\n');
    const damaged = [
      ...whole.slice(0, 2),
      '',
      '{"event":"ep\u0000',
      ...whole.slice(2, 6),
      '{"event":"step","step":"x"}',
    ];
    const rest = whole.slice(6);
    writeFileSync(
      join(root, 'run', 'metrics.jsonl'),
      Buffer.concat([
        Buffer.from(`${damaged.join('\n')}\n`),
        Buffer.from([0xff, 0xfe, 0x0a]),
        Buffer.from(`${rest.join('\n')}\n{"event":"no`),
      ]),
    );
    const again = makeTrainer({ more: { epochs: 4 } });
    await again.resume(join(root, 'run'));
    await again.fit();
    expect(epochs()).toEqual([1, 2, 3, 4]);
    expect(record()).toContain('{"event":"ep\u0000\n');
    expect(record()).not.toContain('{"event":"no');
    expect(kinds().filter((kind) => kind === 'end')).toHaveLength(1);
    expect(readFileSync(join(root, 'run', 'metrics.jsonl')).includes(Buffer.from([0x0a, 0xff, 0xfe, 0x0a]))).toBe(true);
    const { events, damaged: lines } = await readRecordFile(join(root, 'run', 'metrics.jsonl'));
    expect([events.length, lines]).toEqual([whole.length + 6, [4, 9, 10]]); // 4 steps, an epoch, and the other end
  });

  test('a run that goes on beyond its end says so in its record and in config.json; one that does not writes neither', async () => {
    const config = (epochs: number) => ({ settings: { epochs } });
    const schedule = () => 0.01;
    await makeTrainer({ more: { epochs: 2, config: config(2), schedule } }).fit();
    const resume = async (epochs: number) => {
      const trainer = makeTrainer({ more: { epochs, config: config(epochs), schedule } });
      await trainer.resume(join(root, 'run'));
      return trainer.fit();
    };
    const written = () => JSON.parse(readFileSync(join(root, 'run', 'config.json'), 'utf8')) as unknown;
    expect((await resume(2)).epoch).toBe(2);
    expect([kinds().filter((kind) => kind === 'start').length, written()]).toEqual([1, config(2)]);
    expect((await resume(4)).epoch).toBe(4);
    const { events } = await readRecordFile(join(root, 'run', 'metrics.jsonl'));
    expect([epochs(), written()]).toEqual([[1, 2, 3, 4], config(4)]);
    expect(events.flatMap((event) => (event.event === 'start' ? [event.facts.epochs] : []))).toEqual([2, 4]);
    expect(events.find((event) => event.event === 'notice')).toMatchObject({
      code: 'other-end',
      text: 'the run goes on to epoch 4, it was planned for 2; from here on the learning rate is that of a run of 4 epochs.',
    });
    expect(summariseRun(events)).toMatchObject({ plannedEpochs: 4, status: 'completed' });
    await resume(4);
    expect(kinds().filter((kind) => kind === 'start').length).toBe(2);
  });

  test('resuming alone changes nothing in the folder', async () => {
    await makeTrainer().fit();
    writeFileSync(join(root, 'run', '.notes.tmp'), 'mine');
    writeFileSync(join(root, 'run', '.nabla-1-00000000.tmp'), 'of a killed process');
    const content = () =>
      readdirSync(join(root, 'run')).map((name) => [name, readFileSync(join(root, 'run', name), 'hex')]);
    const before = content();
    const again = makeTrainer({ more: { epochs: 4 } });
    await again.resume(join(root, 'run'));
    expect(content()).toEqual(before);
    await again.fit();
    expect(readdirSync(join(root, 'run'))).toContain('.notes.tmp');
    expect(readdirSync(join(root, 'run')).join()).not.toContain('.nabla-');
  });

  test('a record of epochs without a checkpoint is not started over', async () => {
    await makeTrainer().fit();
    rmSync(join(root, 'run', 'checkpoint.safetensors'));
    const before = record();
    const again = makeTrainer();
    await again.resume(join(root, 'run'));
    await expect(again.fit()).rejects.toThrow(/a record of 3 epochs, and no checkpoint.safetensors to go on from/);
    expect(record()).toBe(before);
  });

  test.skipIf(!existsSync('/dev/full'))(
    'a full disk ends the run with its error, and the folder is free again',
    async () => {
      const trainer = makeTrainer();
      mkdirSync(join(root, 'run'));
      symlinkSync('/dev/full', join(root, 'run', 'metrics.jsonl'));
      await expect(trainer.fit()).rejects.toThrow(/ENOSPC/);
      expect(readdirSync(join(root, 'run'))).not.toContain('lock');
    },
  );
});

describe('checkpoints', () => {
  async function progressOf(change: (progress: Record<string, never>) => unknown): Promise<void> {
    const path = join(root, 'run', 'checkpoint.safetensors');
    const { tensors, metadata } = parseSafetensors(readFileSync(path));
    const progress = JSON.parse(metadata.progress) as Record<string, never>;
    change(progress);
    writeFileSync(path, formatSafetensors(tensors, { ...metadata, progress: JSON.stringify(progress) }));
  }

  const faults: [name: string, change: (p: Record<string, never>) => unknown, message: RegExp][] = [
    ['a negative epoch', (p) => (p.epoch = -1 as never), /'epoch' is damaged/],
    ['half a step', (p) => (p.step = 0.5 as never), /'step' is damaged/],
    ['a batch that is text', (p) => (p.batch = '1' as never), /'batch' is damaged/],
    ['no random state', (p) => delete p.random, /'random' is damaged/],
    ['a list for the optimiser', (p) => (p.optimizer = [] as never), /'optimizer' is damaged/],
    ['steps that are no list', (p) => ((p.optimizer as { steps: unknown }).steps = 3), /'optimizer' is damaged/],
    [
      'parameters in a group',
      (p) => ((p.optimizer as { groups: Record<string, unknown>[] }).groups[0].params = [1]),
      /'optimizer' is damaged/,
    ],
    ['a watch without best', (p) => (p.watches = {} as never), /'watches' is damaged/],
    ['a history of nulls', (p) => (p.history = [null] as never), /'history' is damaged/],
    ['totals of text', (p) => ((p.totals as { loss: unknown }).loss = 'x'), /'totals' is damaged/],
    ['a plateau that is a number', (p) => (p.plateau = 3 as never), /'plateau' is damaged/],
    ['another version', (p) => (p.version = 2 as never), /version 2, known is 1/],
    ['traits that are none', (p) => (p.traits = { batchSize: 'x' } as never), /'traits' is damaged/],
  ];

  test.each(faults)('%s', async (_, change, message) => {
    await makeTrainer({ more: { epochs: 1 } }).fit();
    await progressOf(change);
    const again = makeTrainer();
    const error: unknown = await again.resume(join(root, 'run')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(message);
    expect(again.step).toBe(0);
  });

  test('a batch beyond the epoch is refused', async () => {
    await makeTrainer({ more: { epochs: 1 } }).fit();
    await progressOf((p) => (p.batch = 9 as never));
    await expect(makeTrainer().resume(join(root, 'run'))).rejects.toThrow(
      /batch 9 of its epoch, and here an epoch has 4/,
    );
  });

  test('damaged checkpoints end in an error of ours, or in a run (seeded)', async () => {
    await makeTrainer({ more: { epochs: 1 } }).fit();
    const path = join(root, 'run', 'checkpoint.safetensors');
    const whole = readFileSync(path);
    const { tensors, metadata } = parseSafetensors(whole);
    for (let i = 0; i < 400; i++) {
      const random = new HostRandom(17, i);
      let bytes: Uint8Array;
      if (i % 2 === 0) {
        bytes = Uint8Array.from(whole);
        for (let n = 1 + random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
        if (random.below(4) === 0) bytes = bytes.slice(0, random.below(bytes.length));
      } else {
        const progress = JSON.parse(metadata.progress) as Record<string, unknown>;
        mutate(progress, random);
        bytes = formatSafetensors(tensors, { ...metadata, progress: JSON.stringify(progress) });
      }
      writeFileSync(path, bytes);
      await makeTrainer()
        .resume(join(root, 'run'))
        .catch((error: unknown) => {
          if (!(error instanceof NablaError)) throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
        });
    }
  }, 30_000);
});

/** Puts a strange value somewhere into plain data. */
function mutate(value: object, random: HostRandom): void {
  const strange = [null, -1, 0.5, 1e300, '', 'x', [], {}, true, [null], 2 ** 60];
  const target = value as Record<string, unknown>;
  const names = Object.keys(target);
  if (names.length === 0) return;
  const name = names[random.below(names.length)];
  const inner = target[name];
  if (typeof inner === 'object' && inner !== null && random.below(3) > 0) mutate(inner, random);
  else if (random.below(5) === 0) delete target[name];
  else target[name] = strange[random.below(strange.length)];
}

describe('going on', () => {
  const said: [name: string, changes: Changes, text: RegExp | undefined][] = [
    ['the same', {}, undefined],
    ['another batch size', { batchSize: 8 }, /batch size: 8, was 4/],
    ['more samples', { count: 20 }, /training samples: 20, was 16/],
    ['other numbers', { shift: 1 }, /other training data/],
    ['another optimiser', { sgd: true }, /optimiser: SGD, was AdamW/],
    ['another loss', { more: { loss: (a: never, b: never) => mseLoss(a, b) } }, /loss: loss, was mseLoss/],
    ['more batches an update', { more: { accumulate: 2 } }, /batches an update: 2, was 1/],
  ];

  test.each(said)('with %s is said', async (_, changes, text) => {
    await makeTrainer({ more: { epochs: 1 } }).fit();
    const notices: string[] = [];
    const onEvent = (event: RunEvent) =>
      void (event.event === 'notice' && notices.push(`${event.code}: ${event.text}`));
    const again = makeTrainer({ ...changes, more: { ...changes.more, epochs: 2, listeners: [{ onEvent }] } });
    await again.resume(join(root, 'run'));
    await again.fit();
    if (text === undefined) expect(notices).toEqual([]);
    else expect(notices).toEqual([expect.stringMatching(text)]);
  });

  test('two trainings on one folder: the second is refused and leaves the record alone; afterwards it may', async () => {
    let second: unknown;
    const tryAgain = async (): Promise<void> => {
      second ??= await makeTrainer()
        .fit()
        .catch((error: unknown) => error);
    };
    await makeTrainer({ more: { callbacks: [{ onEpochEnd: tryAgain }] } }).fit();
    expect(second).toBeInstanceOf(NablaError);
    expect((second as Error).message).toMatch(/^Trainer: .*run is in use: this process writes to it already\.$/);
    expect(epochs()).toEqual([1, 2, 3]);
    expect(kinds().filter((kind) => kind === 'end')).toHaveLength(1);
    expect(readdirSync(join(root, 'run'))).not.toContain('lock');

    const [one, two] = [makeTrainer({ more: { epochs: 4 } }), makeTrainer({ more: { epochs: 4 } })];
    await one.resume(join(root, 'run'));
    await two.resume(join(root, 'run'));
    await one.fit();
    await expect(two.fit()).rejects.toThrow(/has gone on since its checkpoint was read/);
    expect(epochs()).toEqual([1, 2, 3, 4]);
    await expect(makeTrainer().fit()).rejects.toThrow(ArgumentError);
  });

  test('the working directory may change meanwhile', async () => {
    const before = process.cwd();
    mkdirSync(join(root, 'elsewhere'));
    try {
      process.chdir(root);
      const chdir = (): void => process.chdir(join(root, 'elsewhere'));
      const trainer = makeTrainer({ more: { folder: 'run', callbacks: [{ onEpochStart: chdir }] } });
      await trainer.fit();
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
    expect(epochs()).toEqual([1, 2, 3]);
  });
});

describe('nothing to do', () => {
  test.each([
    ['epochs 0', { epochs: 0 }, /epochs is 0. Use a whole number of at least 1/],
    ['steps 0', { steps: 0 }, /steps is 0/],
    ['epochs NaN', { epochs: NaN }, /epochs is NaN/],
  ])('%s', (_, more, message) => {
    expect(() => makeTrainer({ more })).toThrow(message);
  });

  test('no samples, no whole batch, no validation', async () => {
    const empty = new DataLoader(
      new ArrayDataset({ x: { data: new Float32Array(0), shape: [2] }, y: { data: new Float32Array(0), shape: [1] } }),
    );
    const nothing = { batches: async function* () {} };
    const { train } = makeTrainer().options;
    const dataset = train.dataset as never;
    const cases: [Partial<TrainerOptions>, RegExp][] = [
      [{ train: empty as never }, /the training data have no batch\. Give at least one sample/],
      [
        { train: new DataLoader(dataset, { batchSize: 32, dropLast: true }) as never },
        /training data have no batch \(16 samples, batches of 32, and dropLast\)/,
      ],
      [{ train: nothing }, /the training data have no batch in epoch 1/],
      [{ validation: empty as never }, /the validation data have no batch/],
      [{ validation: nothing }, /the data to evaluate on have no batch/],
      [{ test: empty as never }, /the test data have no batch/],
      [{ train: nothing, epochs: undefined as never, steps: 5 }, /no batch in epoch 1/],
    ];
    for (const [more, message] of cases) {
      const error: unknown = await makeTrainer({ more })
        .fit()
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(message);
      rmSync(join(root, 'run'), { recursive: true, force: true });
    }
  });
});

test('mutated records are read without an error, and events that are left have the right types (seeded)', async () => {
  await makeTrainer({ more: { doctor: { every: 1 } as never } }).fit();
  const { examine } = await import('../doctor/diagnose.js');
  const { learningCurves } = await import('../curves.js');
  const { summariseRun } = await import('../compare.js');
  const lines = record().trimEnd().split('\n');
  let refused = 0;
  for (let i = 0; i < 1500; i++) {
    const random = new HostRandom(29, i);
    const changed = lines.map((line) => {
      if (random.below(6) > 0) return line;
      if (random.below(2) === 0)
        return line.slice(0, random.below(line.length)) + line.slice(random.below(line.length));
      const event = JSON.parse(line) as object;
      mutate(event, random);
      return JSON.stringify(event);
    });
    const events = changed.flatMap((line) => parseEvent(line) ?? []);
    refused += changed.length - events.length;
    try {
      examine(events);
      summariseRun(events);
      learningCurves([{ name: 'r', events }], { steps: true });
    } catch (error) {
      if (!(error instanceof NablaError)) throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
    }
  }
  expect(refused).toBeGreaterThan(1000);
}, 60_000);
