// Run folders from others: nothing that they hold or name is executed without the user's word, and what they say does nothing
// to the terminal.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HostRandom } from '../tensor/host-random.js';
import { RunFolder } from '../train/node/run-folder.js';
import { CliError } from './errors.js';
import { type Word, trustedDefinition } from './trust.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
let template: string;
let cwd: string;

function nabla(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NABLA_CPU: 'wasm' },
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

/** A definition that leaves a mark when it is executed, and takes no time. */
const DEFINITION = `import { appendFileSync } from 'node:fs';
import { tensor } from 'nabla';
import { Module, Parameter } from 'nabla/nn';
import { SGD } from 'nabla/optim';
appendFileSync(process.env.MARK ?? 'executed', import.meta.url + '\\n');
class Point extends Module { at = new Parameter(tensor([0])); }
export default {
  name: 'point', title: 'A number becomes 3', settings: { epochs: 2, lr: 0.1 },
  create({ epochs, lr }) {
    const model = new Point();
    const batches = { length: 2, async *batches() { for (let i = 0; i < 2; i++) yield { x: tensor([3]) }; } };
    const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
    return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, test: batches, forward, epochs };
  },
};`;

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = template = mkdtempSync(join(tmpdir(), 'nabla-foreign-'));
  writeFileSync(join(cwd, 'own.mjs'), DEFINITION);
  const { status, stdout, stderr } = nabla('train', './own.mjs', '--out', 'runs/shared');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/Next: .*predict --definition \.\/own\.mjs --test( +test it again)?\n/);
  rmSync(join(cwd, 'executed'));
  return () => rmSync(template, { recursive: true, force: true });
}, 300_000);

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'nabla-foreign-'));
  cpSync(template, cwd, { recursive: true });
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const shared = (name: string) => join(cwd, 'runs', 'shared', name);
const executed = () => existsSync(join(cwd, 'executed'));

/** Makes the folder name another file. */
function name(run: string): void {
  const config = JSON.parse(readFileSync(shared('config.json'), 'utf8')) as object;
  writeFileSync(shared('config.json'), JSON.stringify({ ...config, run }));
}

/** All commands that open the folder and would need the definition. */
const OPENING: readonly (readonly string[])[] = [
  ['eval', 'runs/shared'],
  ['predict'],
  ['predict', '--test'],
  ['train', '--resume', 'runs/shared'],
];

function expectRefused(args: readonly string[], message: RegExp): void {
  const { status, stdout, stderr } = nabla(...args);
  const said = stderr.replace(/^weights: .*\n/, '');
  expect([args, said]).toEqual([args, expect.stringMatching(message)]);
  expect(said).toMatch(/^nabla: [^\n]+\n$/);
  expect([status, stdout, executed()]).toEqual([2, '', false]);
}

/** What opening the folder comes to in this process, for the many ways to name a file; it must not come to executing it. */
async function refusal(run: string, word: Word = { trust: true }, folder = 'runs/shared'): Promise<string> {
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const config = { run, settings: {}, device: 'cpu', facts: {} };
    await trustedDefinition(new RunFolder(folder), config, word, (file) => `--definition ${file}`);
    return 'it was accepted';
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return error.message;
  } finally {
    process.chdir(before);
  }
}

test('a file in the folder is never executed, whatever it is called and whatever the user says', async () => {
  writeFileSync(shared('payload.mjs'), DEFINITION);
  mkdirSync(shared('deep/er'), { recursive: true });
  writeFileSync(shared('deep/er/payload.mjs'), DEFINITION);
  mkdirSync(join(cwd, 'runs', 'other'));
  for (const file of ['config.json', 'metrics.jsonl']) cpSync(shared(file), join(cwd, 'runs', 'other', file));
  writeFileSync(join(cwd, 'runs', 'other', 'payload.mjs'), DEFINITION);
  symlinkSync('runs/shared/payload.mjs', join(cwd, 'innocent.mjs'));
  symlinkSync('runs/shared', join(cwd, 'folder'));
  symlinkSync('../../own.mjs', shared('link.mjs'));
  const lies = /lies in the run folder .*, and code from a run folder is not executed\. Look at it, and copy it/;
  const names = [
    './runs/shared/payload.mjs',
    shared('payload.mjs'),
    'runs/other/../shared/payload.mjs',
    './runs/shared/deep/er/payload.mjs',
    './innocent.mjs',
    './folder/payload.mjs',
    './runs/shared/link.mjs',
    './runs/other/payload.mjs',
  ];
  for (const run of names) {
    expect([run, await refusal(run)]).toEqual([run, expect.stringMatching(lies)]);
    expect(await refusal(run, { definition: run })).toMatch(lies);
    expect(await refusal('./own.mjs', { definition: run })).toMatch(lies);
    expect(await refusal(run, { trust: true }, 'folder')).toMatch(lies); // a link to the run folder itself
  }
  name(names[0]);
  for (const args of OPENING) expectRefused(args, lies);
  expectRefused(['train', './runs/shared/payload.mjs', '--out', 'runs/new'], lies);
}, 300_000);

test('other ways to name code: none is executed', async () => {
  writeFileSync(shared('payload.mjs'), DEFINITION);
  mkdirSync(join(cwd, 'node_modules', 'evil'), { recursive: true });
  writeFileSync(join(cwd, 'node_modules', 'evil', 'index.mjs'), DEFINITION);
  writeFileSync(join(cwd, 'node_modules', 'evil', 'package.json'), '{"main": "index.mjs"}');
  const cases: [string, RegExp][] = [
    [pathToFileURL(shared('payload.mjs')).href, /is not here/],
    [`data:text/javascript,${encodeURIComponent(DEFINITION)}`, /is not here/],
    ['evil', /is a run of evil, which is no preset of this version/],
    ['node:fs', /no preset/],
    ['constructor', /no preset/],
    ['__proto__', /no preset/],
    ['', /no preset/],
    ['./runs/shared', /names the file \.\/runs\/shared/],
    ['evil\u001b[31m\nnabla: all is well', /evil\\u001b\[31m\\u000anabla: all is well, which/],
  ];
  for (const [run, message] of cases)
    expect([run, await refusal(run, {})]).toEqual([run, expect.stringMatching(message)]);
  expect(await refusal('digits', { definition: './own.mjs' })).toMatch(/is a run of digits, not of \.\/own\.mjs/);
  expect(await refusal('./own.mjs', { definition: 'digits' })).toMatch(/is a run of \.\/own\.mjs, not of digits/);
  expect(executed()).toBe(false);
  name('evil');
  expectRefused(['eval', 'runs/shared'], /no preset/);
}, 300_000);

test("a file elsewhere needs the user's word, and with it is used", () => {
  for (const args of OPENING)
    expectRefused(
      args,
      /names the file .*own\.mjs, and using the run would execute it\. If you trust that file: .*own\.mjs.*or --trust/,
    );
  const words: string[][] = [
    ['eval', 'runs/shared', '--trust'],
    ['eval', 'runs/shared', '--definition', './own.mjs'],
    ['predict', '--test', '--definition', 'own.mjs'],
    ['train', './own.mjs', '--resume', 'runs/shared'],
  ];
  for (const args of words) {
    const { status, stderr } = nabla(...args);
    expect([args, status, stderr.replace(/^weights: .*\n/, '')]).toEqual([args, 0, '']);
    expect(executed()).toBe(true);
    rmSync(join(cwd, 'executed'));
  }
  name('/somewhere/else/own.mjs'); // the folder comes from another machine
  expectRefused(
    ['eval', 'runs/shared', '--trust'],
    /is a run of \/somewhere\/else\/own\.mjs, which is not here\. Name its file: --definition '<file>'/,
  );
  expect(nabla('eval', 'runs/shared', '--definition', './own.mjs').status).toBe(0);
}, 300_000);

test('commands that only read records execute nothing', () => {
  writeFileSync(shared('payload.mjs'), DEFINITION);
  name('./runs/shared/payload.mjs');
  for (const args of [['runs'], ['curves', 'runs/shared'], ['doctor', 'runs/shared'], ['curves']]) {
    const { status, stderr } = nabla(...args);
    expect([args, status, stderr, executed()]).toEqual([args, 0, '', false]);
  }
}, 300_000);

test('control characters of records, folders and arguments are shown by their number', () => {
  const nasty = 'a\u001b]0;owned\u0007\u001b[2J\r\u009b31m\u202e\nnabla: ok';
  const epoch = {
    event: 'epoch',
    epoch: 1,
    step: 2,
    lr: 0.1,
    seconds: 1,
    samplesPerSecond: 1,
    train: { loss: 1, [nasty]: 2 },
  };
  const events = [
    {
      event: 'start',
      time: '',
      config: {},
      facts: { classes: 10, loss: nasty, layers: [{ name: nasty, kind: nasty }] },
    },
    ...Array.from({ length: 40 }, (_, i) => ({
      event: 'step',
      step: i + 1,
      epoch: 1,
      loss: i === 20 ? 'NaN' : 1 + i,
      lr: 0.1,
    })),
    { event: 'notice', step: 1, code: nasty, text: nasty },
    { event: 'check', name: nasty, passed: false, text: nasty },
    epoch,
    { event: 'end', reason: nasty, step: 2, seconds: 1 },
  ];
  writeFileSync(shared('metrics.jsonl'), `${events.map((event) => JSON.stringify(event)).join('\n')}\nbad line\n`);
  const folder = `runs/${nasty.replaceAll('/', '')}`;
  cpSync(join(cwd, 'runs/shared'), join(cwd, folder), { recursive: true });
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
  const commands = [
    ['runs'],
    ['runs', '--json'],
    ['doctor', folder],
    ['doctor', folder, '--json'],
    ['eval', folder],
    ['train', '--resume', folder],
    ['train', nasty],
    [nasty],
  ];
  for (const args of commands) {
    const { stdout, stderr } = nabla(...args);
    expect([args, control.test(stdout + stderr)]).toEqual([args, false]);
    expect(`${stdout}${stderr}`).not.toMatch(/^nabla: ok/m);
    if (args.includes('--json')) for (const line of stdout.trim().split('\n')) JSON.parse(line);
  }
  expect(nabla('doctor', folder).stderr).toMatch(/metrics\.jsonl: line \d+ cannot be read and count/);
}, 300_000);

test('mutated configurations end in one line (seeded)', () => {
  const whole = readFileSync(shared('config.json'), 'utf8').replace(join(template, 'own.mjs'), './own.mjs');
  for (let i = 0; i < 6; i++) {
    const random = new HostRandom(11, i);
    const at = random.below(whole.length);
    const cut = random.below(3) === 0;
    writeFileSync(
      shared('config.json'),
      cut ? whole.slice(0, at) : whole.slice(0, at) + '{[1"0x,'[random.below(7)] + whole.slice(at + 1),
    );
    const { status, stderr } = nabla('eval', 'runs/shared');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^nabla: [^\n]+\n$/)]);
    expect(executed()).toBe(false);
  }
}, 300_000);
