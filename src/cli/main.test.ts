// The command as it is built (dist/cli/main.js), in folders of its own: exit codes, messages, files, resuming, prediction.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
let cwd: string;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end; `onOutput` sees the process and all it has printed so far. */
function nabla(
  args: readonly string[],
  input = '',
  onOutput?: (child: ChildProcess, stdout: string) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // One tier, so that runs can be compared bit for bit.
    const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, NABLA_CPU: 'wasm' } });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      onOutput?.(child, stdout);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin.on('error', () => {}); // a command that reads nothing may have ended
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Sends one SIGINT once `text` has been printed. */
function nablaInterrupted(args: readonly string[], text: string): Promise<Ended> {
  let isSent = false;
  return nabla(args, '', (child, stdout) => {
    if (isSent || !stdout.includes(text)) return;
    isSent = true;
    child.kill('SIGINT');
  });
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function expectFault(result: Ended, message: RegExp): void {
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^nabla: [^\n]+\n$/);
  expect([result.status, result.stdout]).toEqual([2, '']);
}

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = mkdtempSync(join(tmpdir(), 'nabla-cli-'));
  writeFileSync(join(cwd, 'taken'), 'a file');
  mkdirSync(join(cwd, 'full'));
  writeFileSync(join(cwd, 'full', 'x'), '');
}, 60_000);

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('help and faults', () => {
  test.concurrent.each([
    [['--help'], /Usage: nabla[\s\S]*train[\s\S]*predict[\s\S]*info/],
    [[], /Usage: nabla/],
    [['train'], /Usage: nabla train/],
    [['train', '--help'], /--epochs <n>[\s\S]*--set <key=value>[\s\S]*--resume <folder>[\s\S]*Examples:/],
    [['eval', '-h'], /--on <part>[\s\S]*--best/],
    [['predict', '-h'], /--weights <path>[\s\S]*--temperature/],
    [['info', '--help'], /Usage: nabla info/],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j', async (args, text) => {
    const { status, stdout, stderr } = await nabla(args);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(text);
  });

  test.concurrent.each([
    [['tran'], /unknown command 'tran'.*Did you mean train/],
    [['train', 'letters'], /there is no preset 'letters'. Use digits/],
    [['train', './none.ts'], /cannot read .\/none.ts: there is no such file/],
    [['train', 'digits', '--epoch', '3'], /unknown option '--epoch'.*--epochs/],
    [['train', 'digits', '--model', 'cnn'], /--model: digits has no setting 'model'. It has epochs, lr/],
    [['train', 'digits', '--set', 'weightDecay'], /'weightDecay' is invalid. Use key=value/],
    [['train', 'digits', '--set', 'weightDecay=much'], /--set weightDecay: 'much' is invalid. Use a number/],
    [['train', 'digits', '--set', 'decay=1'], /--set decay: digits has no setting 'decay'/],
    [['train', 'digits', 'more'], /too many arguments/],
    [['train', 'digits', '--epochs'], /argument missing/],
    [['train', 'digits', '--epochs', '0'], /'0' is invalid. Use a whole number from 1/],
    [['train', 'digits', '--epochs', '2.5'], /'2.5' is invalid/],
    [['train', 'digits', '--lr', '-0.1'], /'-0.1' is invalid. Use a number above 0/],
    [['train', 'digits', '--lr', 'fast'], /'fast' is invalid/],
    [['train', 'digits', '--batch-size', '0'], /'0' is invalid. Use a whole number from 1/],
    [['train', 'digits', '--seed', 'x'], /'x' is invalid/],
    [['train', 'digits', '--seed', ''], /'' is invalid/],
    [['train', 'digits', '--device', 'gpu'], /--device: 'gpu' is not known. Use one of 'cpu'/],
    [['train', 'digits', '--out', 'taken'], /cannot create the run folder taken: a file/],
    [['train', 'digits', '--out', 'taken/x'], /cannot create the run folder taken\/x: a part of the path is a file/],
    [['train', 'digits', '--out', 'full'], /full is not empty/],
    [['train', 'digits', '--resume', 'nowhere'], /cannot read nowhere\/config.json: there is no such file/],
    [['train', 'digits', '--resume', 'full', '--lr', '9'], /cannot be used with option '--lr/],
    [['train', 'digits', '--resume', 'full', '--epochs', '9'], /cannot read full\/config.json: there is no such file/],
    [['predict', '--test'], /no weights below runs\/ yet/],
    [['predict', '--test', 'file.csv'], /--test takes no file/],
    [['predict', '--test', '--weights', 'nowhere'], /cannot read nowhere: there is no such file/],
    [['predict', '--test', '--weights', 'full'], /full holds no weights/],
    [['predict', '--test', '--weights', 'taken'], /\. is no run folder: there is no config.json/],
    [['predict', '--temperature', '-1'], /'-1' is invalid. Use a number from 0/],
    [['eval'], /missing required argument 'run'/],
    [['eval', 'nowhere'], /cannot read nowhere/],
    [['predict', '--device', 'gpu'], /--device: 'gpu' is not known/],
    [['info', '--verbose'], /unknown option '--verbose'/],
  ])('%j is a fault', async (args, message) => {
    expectFault(await nabla(args), message);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  test.concurrent('info', async () => {
    expect((await nabla(['info'])).stdout).toMatch(/^nabla \d[\s\S]*device cpu \(default\)[\s\S]*threads[\s\S]*SIMD/);
    const [content] = jsonLines((await nabla(['info', '--json'])).stdout);
    expect(content).toMatchObject({
      node: process.version,
      devices: expect.arrayContaining([expect.objectContaining({ name: 'cpu' })]),
    });
  });
});

/** What must not differ between two runs of the same settings. */
function curve(folder: string) {
  const lines = jsonLines(readFileSync(join(cwd, folder, 'metrics.jsonl'), 'utf8'));
  const timeless = lines.map(
    ({
      seconds: _,
      samplesPerSecond: __,
      waiting: ___,
      time: ____,
      config: _____,
      processBytes: ______,
      tensorBytes: _______,
      ...rest
    }) => rest,
  );
  return timeless as { event: string; epoch?: number; test?: Record<string, number> }[];
}

function digest(folder: string): string {
  return readFileSync(join(cwd, folder, 'weights.safetensors')).toString('base64');
}

describe('train, interrupt, resume, predict', () => {
  const settings = ['--epochs', '3', '--batch-size', '128', '--seed', '4'];

  beforeAll(async () => {
    const { status, stderr } = await nabla(['train', 'digits', ...settings, '--out', 'runs/whole']);
    expect([status, stderr]).toEqual([0, '']);
  }, 60_000);

  test('a run folder holds configuration, metrics and weights', async () => {
    expect(readdirSync(join(cwd, 'runs', 'whole')).sort()).toEqual([
      'best.safetensors',
      'checkpoint.safetensors',
      'config.json',
      'confusion.json',
      'graph.json',
      'metrics.jsonl',
      'weights.safetensors',
    ]);
    const config = JSON.parse(readFileSync(join(cwd, 'runs', 'whole', 'config.json'), 'utf8'));
    expect(config).toMatchObject({ run: 'digits', device: 'cpu', settings: { epochs: 3, batchSize: 128, seed: 4 } });
    const events = curve('runs/whole');
    expect(events.flatMap(({ event, epoch }) => (event === 'epoch' ? [epoch] : []))).toEqual([1, 2, 3]);
    expect(events.filter(({ event }) => event === 'step')).toHaveLength(27);
    expect([events[0].event, events.at(-1)?.event]).toEqual(['start', 'end']);
    expect(events.at(-1)?.test?.accuracy).toBeGreaterThan(0.9);
    expectFault(await nabla(['train', 'digits', '--out', 'runs/whole']), /holds a run already.*--resume runs\/whole/);
  });

  test('without a terminal it prints plain lines', async () => {
    const { stdout, stderr, status } = await nabla(['train', '--resume', 'runs/whole']); // complete: tests once more
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.includes('\x1b') || stdout.includes('\r')).toBe(false);
    expect(stdout).toMatch(/3\/3 [\s\S]*Test accuracy \d\d\.\d\d %[\s\S]*Confusion matrix[\s\S]*predict --test/);
    expect(curve('runs/whole').filter(({ event }) => event !== 'step')).toHaveLength(5); // start, 3 epochs, end
  });

  test('Ctrl-C leaves a valid folder, and a resumed run continues on the same curve', async () => {
    const args = ['train', 'digits', ...settings, '--out', 'runs/broken', '--json'];
    const { stdout, stderr, status } = await nablaInterrupted(args, '"event":"epoch"');
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /^nabla: stopped after update \d+, [12] of 3 epochs finished; go on with: .* train --resume runs\/broken\n$/,
    );
    expect(jsonLines(stdout).at(-1)).toMatchObject({ event: 'end', reason: 'aborted', folder: 'runs/broken' });
    const whole = readdirSync(join(cwd, 'runs', 'whole')).filter((name) => name !== 'confusion.json'); // comes with the end
    expect(readdirSync(join(cwd, 'runs', 'broken')).sort()).toEqual(whole.sort());

    writeFileSync(join(cwd, 'runs', 'broken', 'metrics.jsonl'), '{"event": "epoch", "ep', { flag: 'a' }); // as a crash may
    const resumed = await nabla(['train', 'digits', '--resume', 'runs/broken', '--json']);
    expect([resumed.status, resumed.stderr]).toEqual([0, '']);
    const events = jsonLines(resumed.stdout);
    expect(events.map(({ event }) => event)).toEqual(['start', ...Array(events.length - 2).fill('epoch'), 'end']);
    expect(curve('runs/broken')).toEqual(curve('runs/whole'));
    expect(digest('runs/broken')).toBe(digest('runs/whole'));
  });

  test('a run that is stopped in its first epoch goes on there', async () => {
    const args = ['train', 'digits', '--epochs', '1', '--seed', '5', '--out', 'runs/early', '--json'];
    const { stderr, status } = await nablaInterrupted(args, '"event":"start"');
    expect([status, stderr]).toEqual([130, expect.stringMatching(/0 of 1 epochs finished/)]);
    expectFault(await nabla(['predict', '--test', '--weights', 'runs/early']), /no epoch of this run is finished/);
    expect((await nabla(['train', '--resume', 'runs/early', '--json'])).status).toBe(0);
  });

  test('damaged folders are refused', async () => {
    const folder = join(cwd, 'runs', 'damaged');
    mkdirSync(folder);
    const copy = (name: string) => writeFileSync(join(folder, name), readFileSync(join(cwd, 'runs', 'whole', name)));
    writeFileSync(join(folder, 'config.json'), '{"run": "digits"');
    expectFault(await nabla(['train', '--resume', folder]), /config.json is not the configuration/);
    writeFileSync(join(folder, 'config.json'), '{"run": "digits", "device": "cpu", "settings": {"lr": "fast"}}');
    expectFault(await nabla(['train', '--resume', folder]), /config.json, settings.lr: 'fast' is invalid/);
    copy('config.json');
    expectFault(await nabla(['train', './other.ts', '--resume', folder]), /is a run of digits, not of .\/other.ts/);
    copy('checkpoint.safetensors');
    truncateSync(join(folder, 'checkpoint.safetensors'), 5000);
    expectFault(await nabla(['train', 'digits', '--resume', folder]), /checkpoint.safetensors: .*damaged/);
    writeFileSync(
      join(folder, 'checkpoint.safetensors'),
      readFileSync(join(cwd, 'runs', 'whole', 'weights.safetensors')),
    );
    expectFault(await nabla(['train', 'digits', '--resume', folder]), /is not a checkpoint of a run/);
    copy('checkpoint.safetensors');
    expectFault(
      await nabla(['predict', '--test', '--weights', join(folder, 'checkpoint.safetensors')]),
      /does not hold the weights of this network/,
    );
    rmSync(folder, { recursive: true });
  });

  // The first digit of the data set, a nought, with and without its label.
  const nought =
    '0,0,5,13,9,1,0,0,0,0,13,15,10,15,5,0,0,3,15,2,0,11,8,0,0,4,12,0,0,8,8,0,0,5,8,0,0,9,8,0,0,4,11,0,1,12,7,0,0,2,14,5,10,12,0,0,0,0,6,13,10,0,0,0';

  test('predict reads files and standard input', async () => {
    writeFileSync(join(cwd, 'some.csv'), `# digits\n${nought}\n${nought},0\n${nought},3\n`);
    const { status, stdout } = await nabla(['predict', 'some.csv', '--weights', 'runs/whole']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/2 +0 +\d+\.\d %\n +3 +0 .* 0\n +4 +0 .* 3 +wrong\n\naccuracy 50.00 % \(1 of 2 right\)/);
    const piped = await nabla(
      ['predict', '--weights', 'runs/whole/weights.safetensors', '--json'],
      `${nought}\n${nought} 0`,
    );
    const lines = jsonLines(piped.stdout);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ image: '2', prediction: '0', label: '0' });
    const sum = (lines[0].probabilities as number[]).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 5);
    expect((await nabla(['predict', '-', '--weights', 'runs/whole'], nought)).stdout).toMatch(/1 +0 /);
  });

  test('a drawing on paper is inverted, said and shown; a network that is told not to sees it as it is', async () => {
    const paper = nought
      .split(',')
      .map((n) => 16 - Number(n))
      .join();
    writeFileSync(join(cwd, 'paper.csv'), `${paper}\n${nought}\n`);
    const { status, stdout } = await nabla(['predict', 'paper.csv', '--weights', 'runs/whole']);
    expect([status, stdout.split('\n').every((line) => line.length <= 80)]).toEqual([0, true]);
    expect(stdout).toMatch(
      /^1 of 2 images are dark on light: inverted, as this network has learned light\s+on dark \(--no-invert leaves them as they are\)\.\n\nWhat the network sees:\n\n[\s\S]*█[\s\S]*\n {2}image 1\n\n/,
    );
    const [first, second] = stdout.match(/^ +[12] +0 +[\d.]+ %$/gm) ?? [];
    expect(first?.slice(6)).toBe(second?.slice(6));
    const json = async (...args: string[]) =>
      jsonLines((await nabla(['predict', 'paper.csv', '--weights', 'runs/whole', '--json', ...args])).stdout);
    expect((await json()).map(({ inverted }) => inverted)).toEqual([true, undefined]);
    expect((await json('--no-invert')).map(({ inverted }) => inverted)).toEqual([undefined, undefined]);
    const shown = await nabla(['predict', '--weights', 'runs/whole', '--show'], nought);
    expect(shown.stdout).toMatch(/^What the network sees:\n\n.*▓▓/);
  });

  test('predict --test agrees with the end of the run', async () => {
    const [line] = jsonLines((await nabla(['predict', '--test', '--json', '--weights', 'runs/whole'])).stdout);
    const { accuracy, loss } = curve('runs/whole').at(-1)?.test ?? {};
    expect([line.accuracy, line.loss]).toEqual([accuracy, loss]);
    const evaluated = await nabla(['eval', 'runs/whole', '--on', 'validation', '--best', '--json']);
    expect(jsonLines(evaluated.stdout)[0]).toMatchObject({ on: 'validation', loss: expect.any(Number) });
    const latest = await nabla(['predict', '--test']); // the run that was resumed last
    expect([latest.status, latest.stderr]).toEqual([
      0,
      expect.stringMatching(/^weights: runs\/\w+\/weights.safetensors\n$/),
    ]);
    expect(latest.stdout).toMatch(/Test accuracy/);
  });

  test.concurrent.each([
    ['nothing', '', /standard input holds no image/],
    ['three numbers', '1,2,3', /standard input, line 1: 3 values/],
    ['a pixel of 130', `${nought}\n${nought.replace('13', '130')}`, /line 2: value 4 is 130/],
    ['a letter', nought.replace('13', 'x'), /value 4 is 'x', not a number/],
    ['a label of 11', `${nought},11`, /the label \(value 65\) is '11'/],
  ])('predict refuses %s', async (_, input, message) => {
    expectFault(await nabla(['predict', '--weights', 'runs/whole'], input), message);
  });

  test('predict names a file it cannot read', async () => {
    expectFault(
      await nabla(['predict', 'none.csv', '--weights', 'runs/whole']),
      /cannot read none.csv: there is no such file/,
    );
    expectFault(await nabla(['predict', 'runs', '--weights', 'runs/whole']), /cannot read runs: it is a folder/);
  });
});
