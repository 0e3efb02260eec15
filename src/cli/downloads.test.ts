// `--download` as it is built (dist/cli/main.js), against a server on this machine that has small files under the names of the
// real ones. The program expects sizes and digests of the small ones; everything else is as it is.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HostRandom } from '../data/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = (path: string) => pathToFileURL(join(root, 'dist', path)).href;
let work: string;
let cwd: string;
let server: Server;
let mirror: string;
let asked: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

const files: Record<string, Buffer> = {};

function makeFiles(): void {
  const random = new HostRandom(1);
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.below(256));
  const idx = (shape: readonly number[], content: Uint8Array) => {
    const head = Buffer.alloc(4 + 4 * shape.length);
    head.writeUInt16BE(0x0800 + shape.length, 2);
    shape.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
    return gzipSync(Buffer.concat([head, content]));
  };
  for (const [part, count] of [
    ['train', 48],
    ['t10k', 12],
  ] as const) {
    files[`mnist/${part}-images-idx3-ubyte.gz`] = idx([count, 28, 28], bytes(count * 784));
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
    files[`mnist/${part}-labels-idx1-ubyte.gz`] = idx([count], labels);
  }
  const names = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), 'test_batch.bin'];
  const blocks = names.map((name) => {
    const records = bytes(10 * 3073);
    for (let i = 0; i < 10; i++) records[i * 3073] = i % 4;
    const block = Buffer.alloc(512 + Math.ceil(records.length / 512) * 512);
    block.write(`cifar-10-batches-bin/${name}`);
    block.write(records.length.toString(8).padStart(11, '0'), 124);
    block.write('0', 156);
    block.write('        ', 148);
    const sum = block.subarray(0, 512).reduce((a, b) => a + b, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    block.set(records, 512);
    return block;
  });
  files['cifar10/cifar-10-binary.tar.gz'] = gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  files['tinyshakespeare/tinyshakespeare.txt'] = Buffer.from('to be, or not to be: that is the question.\n'.repeat(40));
}

/** A module that is loaded before the command: the sets expect the small files. */
function writePreload(): void {
  const expected = Object.fromEntries(
    Object.entries(files).map(([path, content]) => [
      path.slice(path.indexOf('/') + 1),
      { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
    ]),
  );
  writeFileSync(
    join(work, 'small.mjs'),
    `import { CIFAR10, MNIST, SHAKESPEARE } from '${dist('internals.js')}';
     const expected = ${JSON.stringify(expected)};
     for (const file of [...MNIST, CIFAR10, SHAKESPEARE]) Object.assign(file, expected[file.name]);`,
  );
}

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  work = mkdtempSync(join(tmpdir(), 'nabla-downloads-'));
  makeFiles();
  writePreload();
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

beforeEach(async () => {
  cwd = mkdtempSync(join(work, 'run-'));
  asked = [];
  answer = serve;
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sets/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function serve(request: IncomingMessage, response: ServerResponse): void {
  const content = files[(request.url ?? '').replace('/sets/', '')];
  if (content === undefined) return void response.writeHead(404).end();
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = content.subarray(from);
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...(from > 0 && range) }).end(part);
}

function nabla(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  onStart?: (child: ChildProcess) => void,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const command = ['--import', pathToFileURL(join(work, 'small.mjs')).href, join(root, 'dist', 'cli', 'main.js')];
    const child = spawn(process.execPath, [...command, ...args], {
      cwd,
      env: { ...process.env, NABLA_CPU: 'wasm', NABLA_DATA: join(cwd, 'data'), NABLA_MIRROR: mirror, ...env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin.end();
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    onStart?.(child);
  });
}

const stored = (set: string) => (existsSync(join(cwd, 'data', set)) ? readdirSync(join(cwd, 'data', set)).sort() : []);
const short = ['--epochs', '1', '--batch-size', '8'];

test('mnist is not there: one sentence with the option that the command has; then it comes, once', async () => {
  const without = await nabla(['train', 'mnist', '--model', 'mlp', ...short]);
  expect([without.status, without.stdout, asked]).toEqual([1, '', []]);
  expect(without.stderr).toMatch(
    /^nabla: mnist: the files are not there\. Looked for train-images[^\n]* Add --download to this command \(0\.0 MB from 127\.0\.0\.1:\d+\), put them there, or set NABLA_DATA\.\n$/,
  );
  expect(existsSync(join(cwd, 'runs')) ? readdirSync(join(cwd, 'runs')) : []).toEqual([]);
  const { status, stdout, stderr } = await nabla(['train', 'mnist', '--download', '--model', 'mlp', ...short]);
  expect([status, stderr.match(/^Downloading \S+\.gz, [\d.]+ (?:Ki)?B from 127\.0\.0\.1:\d+$/gm)?.length]).toEqual([
    0, 4,
  ]);
  expect(stdout).toMatch(/Test accuracy/);
  expect(stored('mnist')).toEqual([
    't10k-images-idx3-ubyte.gz',
    't10k-labels-idx1-ubyte.gz',
    'train-images-idx3-ubyte.gz',
    'train-labels-idx1-ubyte.gz',
  ]);
  const again = await nabla([
    'lr-find',
    'mnist',
    '--download',
    '--steps',
    '10',
    '--set',
    'model=mlp',
    '--set',
    'batchSize=8',
  ]);
  expect([again.status, again.stderr, asked.length]).toEqual([0, '', 4]);
}, 60_000);

test.each([
  ['augment', 'cifar10'],
  ['lr-find', 'char-lm', '--steps', '10', '--set', 'context=8', '--set', 'model=lstm'],
])(
  '%s %s downloads what it needs',
  async (...args) => {
    const { status, stderr } = await nabla([...args, '--download']);
    expect([status, stderr.replaceAll(/^Downloading .*\n/gm, ''), asked.length]).toEqual([0, '', 1]);
  },
  60_000,
);

/** A run that reads a set and takes no time. */
const own = (read: string) => `import { tensor } from 'nabla';
import * as data from 'nabla/data';
import { Module, Parameter } from 'nabla/nn';
import { SGD } from 'nabla/optim';
class Point extends Module { at = new Parameter(tensor([0])); }
export default {
  name: 'own', title: 'Own', settings: { epochs: 1, lr: 0.1 },
  async create({ epochs, lr }) {
    await data.${read};
    const model = new Point();
    const batches = { length: 1, async *batches() { yield { x: tensor([3]) }; } };
    const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
    return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, test: batches, forward, epochs };
  },
};`;

test('own runs download, too; NABLA_DOWNLOAD does the same for any program', async () => {
  writeFileSync(join(cwd, 'own.mjs'), own('mnist()'));
  expect((await nabla(['train', './own.mjs'])).stderr).toContain('Add --download to this command');
  expect((await nabla(['train', './own.mjs'], { NABLA_DOWNLOAD: 'yes' })).stderr).toMatch(
    /^nabla: own\.mjs:\d+:\d+: NABLA_DOWNLOAD: 'yes' is not known\. Use 1 or 0\.\n$/,
  );
  expect((await nabla(['train', './own.mjs', '--download'])).status).toBe(0);
  const [folder] = readdirSync(join(cwd, 'runs'));
  for (const again of [
    ['eval', `runs/${folder}`, '--trust', '--download'],
    ['predict', '--test', '--trust', '--download'],
  ]) {
    rmSync(join(cwd, 'data'), { recursive: true });
    expect((await nabla(again)).status).toBe(0);
  }
  rmSync(join(cwd, 'data'), { recursive: true });
  expect((await nabla(['train', './own.mjs'], { NABLA_DOWNLOAD: '1' })).status).toBe(0);
  expect(asked).toHaveLength(16);
}, 60_000);

test('offline: the addresses and the folder, in one sentence', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const nowhere = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((resolve) => closed.close(resolve));
  const { status, stdout, stderr } = await nabla(['train', 'mnist', '--download'], {
    NABLA_MIRROR: nowhere,
  });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^nabla: mnist: http:\/\/127\.0\.0\.1:\d+\/mnist\/train-images-idx3-ubyte\.gz cannot be reached \(connect ECONNREFUSED [\d.:]+\)\. Try again later\. Or fetch train-images-idx3-ubyte\.gz, [^\n]* from http:\/\/127\.0\.0\.1:\d+\/mnist\/ in another way, and put them into [^\n]*data.mnist\.\n$/,
  );
  expect(stored('mnist')).toEqual([]);
  expect((await nabla(['train', 'mnist', '--download'], { NABLA_MIRROR: 'mirror' })).stderr).toBe(
    "nabla: NABLA_MIRROR: 'mirror' is no address. Use one that begins with http:// or https://.\n",
  );
}, 60_000);

test('another size, another content, no such file, no room: nothing false is left, and the folder is said', async () => {
  writeFileSync(join(cwd, 'own.mjs'), own('tinyShakespeare()'));
  answer = (_, response) => void response.writeHead(200, { 'content-length': 10 }).end('0123456789');
  const size = await nabla(['train', './own.mjs', '--download']);
  expect(size.stderr).toMatch(
    /has 10 bytes, and 1720 were expected\. The file has changed\. Or fetch http.*txt in another way, and put it into/,
  );
  answer = (_, response) => void response.writeHead(200).end(Buffer.alloc(1720, 'x'));
  const content = await nabla(['train', './own.mjs', '--download']);
  expect(content.stderr).toMatch(/has the SHA-256 [0-9a-f]{64}, and [0-9a-f]{64} was expected/);
  answer = (_, response) => void response.writeHead(404).end();
  expect((await nabla(['train', './own.mjs', '--download'])).stderr).toMatch(/answers 404 Not Found\. Or fetch/);
  expect(stored('tinyshakespeare')).toEqual([]);
  writeFileSync(join(cwd, 'taken'), '');
  const taken = await nabla(['train', './own.mjs', '--download'], { NABLA_DATA: join(cwd, 'taken') });
  expect(taken.stderr).toMatch(
    /taken.tinyshakespeare.* cannot be written \(a part of the path is a file, not a folder\)/,
  );
  expect([size, content, taken].map(({ status }) => status)).toEqual([1, 1, 1]);
}, 60_000);

test('Ctrl-C keeps what has come, and the same command goes on with it', async () => {
  const path = 'tinyshakespeare/tinyshakespeare.txt';
  let child: ChildProcess | undefined;
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': files[path].length }).write(files[path].subarray(0, 700));
    setTimeout(() => child?.kill('SIGINT'), 300);
  };
  writeFileSync(join(cwd, 'own.mjs'), own('tinyShakespeare()'));
  const args = ['train', './own.mjs', '--download'];
  const { status, stdout, stderr } = await nabla(args, {}, (started) => (child = started));
  expect([status, stdout]).toEqual([130, '']);
  expect(stderr).toMatch(
    /\nnabla: stopped while downloading tinyshakespeare\.txt; what has come is kept, and the same command goes on with it\n$/,
  );
  expect(stored('tinyshakespeare')).toEqual(['tinyshakespeare.txt.part']);
  let range: string | undefined;
  answer = (request, response) => {
    range = request.headers.range;
    serve(request, response);
  };
  expect((await nabla(args)).status).toBe(0);
  expect([range, stored('tinyshakespeare')]).toEqual(['bytes=700-', ['tinyshakespeare.txt']]);
  expect(readFileSync(join(cwd, 'data', path)).equals(files[path])).toBe(true);
}, 60_000);
