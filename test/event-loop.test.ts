// Loops that wait for promises only must let the event loop turn: timers, signals, servers and standard input get their
// turn while they run. Each case is a process of its own, which goes on until it has seen what it waits for; one that never
// lets the event loop turn runs out of rounds.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { noNative } from './support/tiers.js';

const root = fileURLToPath(new URL('..', import.meta.url));

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
}, 60_000);

/** A model and its data; `rounds` calls a body until `seen` holds everything, or some thousand times. */
const PROLOGUE = `
  import { compile, tensor, realize, manualSeed } from 'nabla';
  import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
  import { SGD } from 'nabla/optim';
  import { DataLoader, digits } from 'nabla/data';
  import { Trainer, randomSearch, search, uniform } from 'nabla/train';
  manualSeed(0);
  const seen = new Set();
  const wanted = Number(process.env.WANTED ?? 1);
  const train = digits();
  const model = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const x = tensor(new Float32Array(64 * 64), { shape: [64, 64] });
  const y = tensor(new Int32Array(64), { shape: [64] });
  const update = async (a = x, b = y) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(a), b);
    loss.backward();
    await optimizer.step();
    return loss;
  };
  const forward = (m, { x, y }) => crossEntropy(m.forward(x.reshape([-1, 64])), y);
  const rounds = async (body) => {
    for (let i = 0; i < 20000 && seen.size < wanted; i++) await body(i);
  };
  const finish = () => {
    console.log([...seen].sort().join(' '));
    process.exit(0);
  };
`;

function start(body: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', `${PROLOGUE}${body}`], {
    cwd: root,
    env: { ...process.env, NABLA_CPU: 'wasm', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (part: Buffer) => (text += part.toString()));
  await once(child, 'close');
  return text;
}

const TIMER = `const timer = setInterval(() => seen.size < wanted && seen.add('tick ' + seen.size), 1);`;

describe('a timer ticks during a loop of', () => {
  test.each([
    ['steps', 'await rounds(() => update());'],
    ['reads', 'await rounds(async () => (await x.sum().item(), await x.data(), await x.array()));'],
    ['realize', 'await rounds(() => realize(x.add(1)));'],
    ['compiled calls', 'const f = compile((a) => a.add(1)); await rounds(() => f(x));'],
    ['captured steps', 'const f = compile(async (a, b) => update(a, b)); await rounds(() => f(x, y));'],
    [
      'a Trainer',
      `const trainer = new Trainer({ model, optimizer, train: new DataLoader(train, { batchSize: 64 }), forward, epochs: 500,
         callbacks: [{ onStep: (t) => { if (seen.size >= wanted) t.stop(); } }] });
       await trainer.fit();`,
    ],
    ['batches', 'await rounds(async () => { for await (const _ of new DataLoader(train, { batchSize: 8 })); });'],
    [
      'trials of a search',
      `await search({ lr: uniform(0, 1) }, async ({ lr }) => { for (let i = 0; i < 1e5; i++) Math.hypot(i, lr); return lr; },
         { trials: 3000, strategy: randomSearch(), onTrial: () => { if (seen.size >= wanted) finish(); } });`,
    ],
  ])(
    '%s',
    async (_, loop) => {
      const text = await output(start(`${TIMER} ${loop} finish();`, { WANTED: '5' }));
      expect(text).toBe('tick 0 tick 1 tick 2 tick 3 tick 4\n');
    },
    60_000,
  );
});

describe.each(['wasm', ...(noNative === undefined ? ['native'] : [])])('during training (%s)', (NABLA_CPU) => {
  test('signals are handled, standard input is read, and a server answers', async () => {
    const child = start(
      `import { createServer } from 'node:http';
       process.on('SIGINT', () => seen.add('SIGINT'));
       process.stdin.on('data', () => seen.add('input'));
       const server = createServer((request, response) => {
         seen.add('request');
         response.end('training', () => seen.add('answered'));
       });
       server.listen(0, '127.0.0.1', () => console.log(server.address().port));
       await rounds(() => update());
       finish();`,
      { NABLA_CPU, WANTED: '4' },
    );
    const whole = output(child);
    const [first] = (await once(child.stdout!, 'data')) as [Buffer];
    const port = Number.parseInt(first.toString(), 10);
    child.kill('SIGINT');
    child.stdin?.write('a line\n');
    const [answer] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [NodeJS.ReadableStream];
    const [text] = (await once(answer, 'data')) as [Buffer];
    expect(text.toString()).toBe('training');
    expect((await whole).split('\n')[1]).toBe('SIGINT answered input request');
  }, 60_000);

  test('a timer ends the process, and an AbortSignal the Trainer', async () => {
    const ending = start(
      `setTimeout(() => { console.log('timer'); process.exit(3); }, 20); await rounds(() => update());`,
      { NABLA_CPU },
    );
    expect(await output(ending)).toBe('timer\n');
    expect(ending.exitCode).toBe(3);
    const aborting = start(
      `const trainer = new Trainer({ model, optimizer, train: new DataLoader(train, { batchSize: 64 }),
         forward, epochs: 2000, signal: AbortSignal.timeout(20) });
       console.log((await trainer.fit()).reason);
       process.exit(0);`,
      { NABLA_CPU },
    );
    expect(await output(aborting)).toBe('aborted\n');
  }, 60_000);

  test('a trial in a process of its own ends with the search that was killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-trial-'));
    const [objective, sign] = [join(folder, 'objective.mjs'), join(folder, 'sign')];
    // It imports nabla from here, and would train for ever.
    writeFileSync(
      objective,
      `import { appendFileSync } from 'node:fs';
       const { tensor } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
       export default async () => {
         const x = tensor([1, 2, 3]);
         for (;;) {
           for (let i = 0; i < 100; i++) await x.sum().item();
           appendFileSync(${JSON.stringify(sign)}, 'x');
         }
       };`,
    );
    const child = start(
      `await search({ lr: uniform(0, 1) }, new URL(${JSON.stringify(pathToFileURL(objective).href)}));`,
      {
        NABLA_CPU,
      },
    );
    const ended = once(child, 'close');
    while (!existsSync(sign)) await pause(50);
    child.kill('SIGKILL');
    await ended;
    const end = Date.now() + 15_000;
    let size = -1;
    for (let now = statSync(sign).size; now !== size && Date.now() < end; now = statSync(sign).size) {
      size = now;
      await pause(1000);
    }
    expect(statSync(sign).size).toBe(size);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});
