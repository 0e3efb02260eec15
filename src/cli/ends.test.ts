// However a command ends, it says so in one line and with an exit code: closed and full outputs, definitions that never come,
// a working directory that is gone, files in the way, a search that was interrupted.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 300_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
const isPosix = process.platform !== 'win32';
let cwd: string;

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = mkdtempSync(join(tmpdir(), 'nabla-ends-'));
  writeFileSync(join(cwd, 'run.mjs'), definition(''));
  expect(nabla(['train', 'digits', '--epochs', '1', '--out', 'digits']).status).toBe(0);
}, 300_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const env = { ...process.env, NABLA_CPU: 'wasm' };

function nabla(args: readonly string[], stdio: { stdout?: number; cwd?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: stdio.cwd ?? cwd,
    encoding: 'utf8',
    env,
    stdio: ['ignore', stdio.stdout ?? 'pipe', 'pipe'],
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

const oneLine = (message: RegExp) => expect.stringMatching(new RegExp(`^nabla: [^\\n]*${message.source}[^\\n]*\\n$`));

/** A quick definition; `create` begins with `code`. */
function definition(code: string, before = ''): string {
  return `import { tensor } from 'nabla';
import { Module, Parameter } from 'nabla/nn';
import { SGD } from 'nabla/optim';
${before}
class Point extends Module { at = new Parameter(tensor([0])); }
export default {
  name: 'point', title: 'A number becomes 3', settings: { epochs: 2, lr: 0.1, pause: 0 },
  async create({ epochs, lr, pause }) {
    ${code}
    const model = new Point();
    const rest = () => new Promise((resolve) => setTimeout(resolve, pause));
    const batches = { length: 4, async *batches() { for (let i = 0; i < 4; i++) { await rest(); yield { x: tensor([3]) }; } } };
    const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
    return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, validation: batches, forward, epochs };
  },
};`;
}

describe('outputs', () => {
  test
    .skipIf(!existsSync('/dev/full'))
    .each([
      [['info']],
      [['--help']],
      [['predict', '--test', '--weights', 'digits', '--json']],
      [['train', './run.mjs', '--out', 'full-run']],
    ])('%j into a full device', (args) => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = nabla(args, { stdout: full });
      expect([status, stderr]).toEqual([1, oneLine(/cannot write standard output: the disk is full/)]);
    } finally {
      closeSync(full);
    }
  });

  test.skipIf(!isPosix).each([['info'], ['train ./run.mjs --out closed-run --set pause=20']])(
    '%s into a closed pipe',
    (args) => {
      const { status, stderr } = spawnSync(
        '/bin/sh',
        ['-c', `{ sleep 0.1; "${process.execPath}" "${main}" ${args}; echo "code $?" >&2; } | true`],
        {
          cwd,
          encoding: 'utf8',
          env,
        },
      );
      expect([status, stderr]).toEqual([
        0,
        expect.stringMatching(/^nabla: cannot write standard output: whoever reads it has closed it\.\ncode 1\n$/),
      ]);
      expect(existsSync(join(cwd, 'closed-run', 'lock'))).toBe(false);
    },
  );

  test.skipIf(!isPosix)('standard input that comes slowly', () => {
    const nought =
      '0,0,5,13,9,1,0,0,0,0,13,15,10,15,5,0,0,3,15,2,0,11,8,0,0,4,12,0,0,8,8,0,0,5,8,0,0,9,8,0,0,4,11,0,1,12,7,0,0,2,14,5,10,12,0,0,0,0,6,13,10,0,0,0';
    // both ends of the terminal's pipe do not block
    const script = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(main)}, 'predict', '--weights', 'digits'], { stdio: ['pipe', 'inherit', 'inherit'] });
      const parts = ${JSON.stringify(`${nought}\n${nought}\n`)}.match(/.{1,90}/gs);
      const next = () => (parts.length ? (child.stdin.write(parts.shift()), setTimeout(next, 150)) : child.stdin.end());
      setTimeout(next, 300);
      child.on('exit', (code) => (process.exitCode = code));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8', env });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(3);
  });

  test('files in the way of --out stay', () => {
    writeFileSync(join(cwd, 'locked.png'), 'old');
    chmodSync(join(cwd, 'locked.png'), 0o444);
    mkdirSync(join(cwd, 'folder.svg'));
    if (isPosix) symlinkSync('/dev/null', join(cwd, 'device.png'));
    const cases: [string[], RegExp][] = [
      [['augment', 'digits', '--out', 'locked.png'], /locked\.png is read-only/],
      [['curves', 'digits', '--out', 'folder.svg'], /folder\.svg is a folder/],
      [['augment', 'digits', '--out', 'none/x.png'], /cannot write none\/x\.png: there is no such file or folder/],
      ...(isPosix
        ? [[['augment', 'digits', '--out', 'device.png'], /device\.png is a device/] as [string[], RegExp]]
        : []),
    ];
    for (const [args, message] of cases)
      expect(nabla([...args])).toEqual({ status: 2, stdout: '', stderr: oneLine(message) });
    expect(readFileSync(join(cwd, 'locked.png'), 'utf8')).toBe('old');
    expect(statSync('/dev/null').isFile()).toBe(false);
    expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('definitions', () => {
  test.each([
    [
      'a module that never comes',
      definition('', 'await new Promise(() => {});'),
      /the module \.\/never\.mjs never comes: nothing is left/,
      1,
    ],
    ['a plan that never comes', definition('await new Promise(() => {});'), /what point creates never comes/, 1],
    [
      'a module that throws',
      definition('', 'throw new SyntaxError("line 1\\n  of it");'),
      /cannot load \.\/never\.mjs: line 1 of it/,
      2,
    ],
    ['epochs of 0', definition('epochs = 0;'), /epochs is 0\. Use a whole number of at least 1/, 1],
  ])('%s', (_, text, message, code) => {
    writeFileSync(join(cwd, 'never.mjs'), text);
    for (const command of [
      ['train', './never.mjs'],
      ['lr-find', './never.mjs'],
    ].slice(0, code === 1 && /epochs/.test(message.source) ? 1 : 2)) {
      const { status, stderr } = nabla(command);
      expect([status, stderr]).toEqual([code, oneLine(message)]);
    }
    const left = existsSync(join(cwd, 'runs'))
      ? readdirSync(join(cwd, 'runs')).flatMap((name) => readdirSync(join(cwd, 'runs', name)))
      : [];
    expect(left).toEqual([]);
    rmSync(join(cwd, 'runs'), { recursive: true, force: true });
  });

  test('Ctrl-C while it is waited for, and what it leaves running', async () => {
    writeFileSync(
      join(cwd, 'waits.mjs'),
      definition('setInterval(() => {}, 100); console.error("waiting"); await new Promise(() => {});'),
    );
    const { status, stderr } = await interrupted(['train', './waits.mjs', '--out', 'waits'], 'waiting');
    expect([status, stderr]).toEqual([
      130,
      expect.stringMatching(/^waiting\nnabla: stopped while waiting for what point creates\n$/),
    ]);
    expect(existsSync(join(cwd, 'waits'))).toBe(false);
    writeFileSync(join(cwd, 'lingers.mjs'), definition('setInterval(() => {}, 100);'));
    expect(nabla(['train', './lingers.mjs', '--out', 'lingers']).status).toBe(0);
  });
});

test.skipIf(process.platform !== 'linux')(
  'a working directory that is gone',
  () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "${process.execPath}" "${main}"`;
    for (const args of ['train digits', 'augment digits']) {
      const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `${script} ${args}`], {
        cwd,
        encoding: 'utf8',
        env,
      });
      expect([args, status === 0, stdout, stderr]).toEqual([
        args,
        false,
        '',
        expect.stringMatching(/^nabla: [^\n]+\n$/),
      ]);
    }
  },
  60_000,
);

/** Sends SIGINT once `text` has been printed. */
function interrupted(
  args: readonly string[],
  text: string,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(process.execPath, [main, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    let isSent = false;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (part: string) => {
        said[name] += part;
        if (isSent || !(said.stdout + said.stderr).includes(text)) return;
        isSent = true;
        setTimeout(() => child.kill('SIGINT'), 120);
      });
    }
    child.on('close', (status) => resolve({ status, ...said }));
  });
}

test.each([[[]], [['--parallel', '2']]])(
  'an interrupted search goes on by the command that it prints (%j)',
  async (more) => {
    const out = `found${more.length}`;
    const args = [
      'search',
      './run.mjs',
      '--space',
      'lr=0.01..0.9:log',
      '--set',
      'pause=60',
      '--trials',
      '4',
      '--out',
      out,
      ...more,
    ];
    const { status, stderr } = await interrupted(args, '1/4');
    expect(status).toBe(130);
    const command = /^nabla: stopped after ([0-3]) of 4 trials; go on with: (.*)\n$/.exec(stderr)?.[2] ?? stderr;
    const again = spawnSync('/bin/sh', ['-c', command.replace(/^node \S+/, `"${process.execPath}" "${main}"`)], {
      cwd,
      encoding: 'utf8',
      env,
    });
    expect([again.status, again.stderr]).toEqual([0, '']);
    const lines = readFileSync(join(cwd, out, 'search.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const numbers = lines.slice(1).map((line) => (JSON.parse(line) as { number: number }).number);
    expect(numbers.toSorted()).toEqual([0, 1, 2, 3]);
    expect(command.includes('--parallel 2')).toBe(more.length > 0);
    expect(existsSync(join(cwd, out, 'lock'))).toBe(false);
  },
  60_000,
);

test('two commands on one run folder: the second is refused', async () => {
  const first = interrupted(
    ['train', './run.mjs', '--set', 'pause=150', '--set', 'epochs=50', '--out', 'shared', '--json'],
    '"epoch":4', // long after the first checkpoint: the second command needs its time
  );
  while (!existsSync(join(cwd, 'shared', 'checkpoint.safetensors')))
    await new Promise((resolve) => setTimeout(resolve, 20));
  const second = nabla(['train', './run.mjs', '--resume', 'shared', '--json']);
  expect([second.status, second.stderr]).toEqual([1, oneLine(/shared is in use: process \d+ writes to it/)]);
  expect((await first).status).toBe(130);
  const lines = readFileSync(join(cwd, 'shared', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const kinds = lines.map((line) => (JSON.parse(line) as { event: string }).event);
  expect([kinds.filter((kind) => kind === 'start').length, kinds.filter((kind) => kind === 'end').length]).toEqual([
    1, 1,
  ]);
});
