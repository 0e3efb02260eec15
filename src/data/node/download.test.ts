// The downloader against a server on this machine: whole, broken and resumed, refused, false, too long.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { locate, namesOf } from '../sets/files.js';
import { type DownloadOptions, type DownloadProgress, download } from '../../io/node/download.js';

const content = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) >> 3));
const sha256 = createHash('sha256').update(content).digest('hex');

let folder: string;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let ranges: (string | undefined)[];
let options: DownloadOptions;
let hangUp: { readonly at: number; readonly response: ServerResponse } | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-download-'));
  ranges = [];
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.gz`;
  options = { url, path: join(folder, 'sub', 'file.gz'), sha256, bytes: content.length, wait: 1, onProgress: heard };
  hangUp = undefined;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Sends the file as asked, but stops after `most` bytes and hangs up when these have been stored: what a broken connection
 * had still under way is lost.
 */
function serve(response: ServerResponse, request: IncomingMessage, most = Infinity, data = content): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const headers = {
    'content-length': data.length - from,
    'content-range': `bytes ${from}-${data.length - 1}/${data.length}`,
  };
  response.writeHead(from > 0 ? 206 : 200, headers);
  const part = data.subarray(from);
  if (part.length <= most) response.end(part);
  else {
    response.write(part.subarray(0, most));
    hangUp = { at: from + most, response };
  }
}

/** For onProgress: the other half of `serve`. */
function heard({ received }: DownloadProgress): void {
  if (received === hangUp?.at) hangUp.response.destroy();
}

const files = (): string[] => (existsSync(join(folder, 'sub')) ? readdirSync(join(folder, 'sub')) : []);

test('a file comes as a whole, with progress, once', async () => {
  answer = (request, response) => serve(response, request);
  const seen: DownloadProgress[] = [];
  await download({ ...options, onProgress: (progress) => seen.push(progress) });
  expect(readFileSync(options.path).equals(content)).toBe(true);
  expect(seen.at(-1)).toEqual({ url: options.url, received: content.length, total: content.length });
  await download(options);
  expect([ranges, files()]).toEqual([[undefined], ['file.gz']]);
});

test('a broken connection is taken up where it broke, in the same call and in a later one', async () => {
  answer = (request, response) => serve(response, request, 60_000);
  await download(options);
  expect(readFileSync(options.path).equals(content)).toBe(true);
  expect(ranges.length).toBe(4);
  expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);

  rmSync(options.path);
  ranges = [];
  writeFileSync(`${options.path}.part`, content.subarray(0, 150_000));
  const seen: number[] = [];
  await download({ ...options, onProgress: (progress) => (seen.push(progress.received), heard(progress)) });
  expect([ranges, seen[0] > 150_000]).toEqual([['bytes=150000-'], true]);
  expect(readFileSync(options.path).equals(content)).toBe(true);
  expect(files()).toEqual(['file.gz']);
});

test('a server without ranges sends all of it again', async () => {
  let times = 0;
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    if (times++ > 0) response.end(content);
    else response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 5));
  };
  await download(options);
  expect(readFileSync(options.path).equals(content)).toBe(true);
});

test('a connection that breaks before the first byte is given up; what was there stays', async () => {
  answer = (_, response) => response.destroy();
  await expect(download(options)).rejects.toThrow(/broke off 3 times in a row \(.+\)\. Try again later\.$/);
  expect([ranges.length, files()]).toEqual([3, []]);
  writeFileSync(`${options.path}.part`, content.subarray(0, 10));
  await expect(download(options)).rejects.toThrow(
    /Try again later: .*file\.gz\.part is kept, and the download goes on/,
  );
  expect(files()).toEqual(['file.gz.part']);
  answer = (_, response) => response.writeHead(503).end();
  await expect(download({ ...options, attempts: 2 })).rejects.toThrow('answers 503');
});

test('false content is deleted; an old part of another version is not the end', async () => {
  const other = Buffer.from(content).fill(7, 100, 200);
  answer = (request, response) => serve(response, request, Infinity, other);
  await expect(download(options)).rejects.toThrow(/has the SHA-256 [0-9a-f]{64}, and .* was expected/);
  expect(files()).toEqual([]);
  answer = (request, response) => serve(response, request);
  writeFileSync(`${options.path}.part`, other.subarray(0, 5000));
  await download(options);
  expect(readFileSync(options.path).equals(content)).toBe(true);
  rmSync(options.path);
  writeFileSync(`${options.path}.part`, Buffer.concat([content, content]));
  await download(options);
  expect(readFileSync(options.path).equals(content)).toBe(true);
});

test('a range that the server does not have, and another one than was asked for', async () => {
  answer = (request, response) => {
    if (request.headers.range === undefined) serve(response, request);
    else if (ranges.length === 1) response.writeHead(416).end();
    else response.writeHead(206, { 'content-range': 'bytes 0-9/10' }).end('0123456789');
  };
  for (const _ of [1, 2]) {
    rmSync(options.path, { force: true });
    await download({ ...options, path: options.path });
    expect(readFileSync(options.path).equals(content)).toBe(true);
    rmSync(options.path);
    writeFileSync(`${options.path}.part`, content.subarray(0, 10));
  }
  await download(options);
  expect(readFileSync(options.path).equals(content)).toBe(true);
});

test('what is too long, not there or called off leaves no file', async () => {
  answer = (_, response) => response.writeHead(200).end(Buffer.concat([content, content]));
  await expect(download(options)).rejects.toThrow('sends more than the 200000 bytes that the file has');
  answer = (_, response) => response.writeHead(404).end();
  rmSync(`${options.path}.part`, { force: true });
  ranges = [];
  await expect(download(options)).rejects.toThrow('answers 404 Not Found');
  expect(ranges).toHaveLength(1);
  const stop = new AbortController();
  answer = (request, response) => serve(response, request, 60_000);
  const stopped = download({ ...options, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
  await expect(stopped).rejects.toThrow('enough');
  expect(existsSync(options.path)).toBe(false);
});

test('a set is found where it was downloaded, and only downloaded when that is asked for', async () => {
  answer = (request, response) => serve(response, request, 120_000);
  const set = { name: 'tiny', call: 'tiny', layouts: [{ all: namesOf('file.gz') }] };
  const remote = [{ name: 'file.gz', url: options.url, bytes: content.length, sha256 }];
  await expect(locate(set, remote, { folder })).rejects.toThrow('give download: true (0.2 MB from 127.0.0.1');
  expect(ranges).toEqual([]);
  writeFileSync(join(folder, 'file.gz.part'), content.subarray(0, 100));
  const received: number[] = [];
  const found = await locate(set, remote, {
    folder,
    download: true,
    onProgress: (p) => (received.push(p.received), heard(p)),
  });
  expect(found).toEqual({ layout: 0, paths: { all: join(folder, 'file.gz') } });
  expect([ranges[0], received.at(-1)]).toEqual(['bytes=100-', content.length]);
});

test('downloads of the same file at the same time do not disturb each other', async () => {
  answer = (request, response) => {
    // slowly, so that each is under way when the others begin
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 70_000));
    setTimeout(() => response.end(content.subarray(70_000)), 30);
    void request;
  };
  await Promise.all([download(options), download(options), download(options)]);
  expect(readFileSync(options.path).equals(content)).toBe(true);
  expect([ranges, files()]).toEqual([[undefined, undefined, undefined], ['file.gz']]);
});

test('what a killed process has left is gone on with; what a living one writes is not touched', async () => {
  answer = (request, response) => serve(response, request);
  await mkdir(dirname(options.path), { recursive: true });
  const own = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  const { pid } = spawnSync(process.execPath, ['-e', '']); // a process that has ended
  const alive = `${options.path}.${own}-${process.pid}-00000001.part`;
  const foreign = `${options.path}.00000000-${pid}-00000002.part`;
  writeFileSync(alive, content.subarray(0, 10));
  writeFileSync(foreign, content.subarray(0, 20));
  writeFileSync(`${options.path}.${own}-${pid}-00000003.part`, content.subarray(0, 90_000));
  await download(options);
  expect(ranges).toEqual(['bytes=90000-']);
  expect(readFileSync(options.path).equals(content)).toBe(true);
  expect(files().toSorted()).toEqual(['file.gz', basename(alive), basename(foreign)].toSorted());
});
