// The dashboard's server: one page and what it asks for, on this machine alone. Who does not know the token of the address gets
// nothing, and no request names a file: runs are numbers, and what is served of them is what was read.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SeriesData } from './api.js';
import type { LiveRun } from './run.js';
import { LiveRuns } from './runs.js';

export interface Dashboard {
  /** With the token. */
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

interface Answer {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly nonce?: string;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves the runs below `folder` at a free port, or at `port`. `page` has the HTML, with NONCE where its scripts and styles are to be
 * allowed. Rejects with the system's error where the port is taken.
 */
export async function serve(folder: string, page: string, port = 0): Promise<Dashboard> {
  const token = randomBytes(16).toString('hex');
  const runs = new LiveRuns(folder);
  const server = createServer((request, response) => {
    void answer(request, runs, page, token, server).then(
      (found) => send(response, 200, found),
      (error: unknown) => {
        const status = error instanceof Refusal ? error.status : 500;
        send(response, status, { type: 'text/plain', body: `${(error as Error).message}\n` });
      },
    );
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, HOST, done);
  });
  return {
    url: `http://${HOST}:${portOf(server)}/?token=${token}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function answer(
  request: IncomingMessage,
  runs: LiveRuns,
  page: string,
  token: string,
  server: Server,
): Promise<Answer> {
  const hosts = [`${HOST}:${portOf(server)}`, `localhost:${portOf(server)}`];
  // a page of another origin can make a browser ask, also under a name of its own that leads here
  if (!hosts.includes(request.headers.host ?? '')) throw new Refusal(403, 'This host is not known here.');
  const { origin } = request.headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    throw new Refusal(403, 'Other origins get nothing here.');
  if (request.method !== 'GET') throw new Refusal(405, 'Only GET is answered.');
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
  if (!isToken(searchParams.get('token'), token))
    throw new Refusal(401, 'The address lacks the token that nabla dashboard printed.');
  if (pathname === '/') {
    const nonce = randomBytes(16).toString('base64');
    return { type: 'text/html; charset=utf-8', body: page.replaceAll('NONCE', nonce), nonce };
  }
  return await api(pathname, searchParams, runs);
}

function isToken(given: string | null, token: string): boolean {
  return given?.length === token.length && timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(token, 'latin1'));
}

async function api(path: string, query: URLSearchParams, runs: LiveRuns): Promise<Answer> {
  if (path === '/api/runs') {
    await runs.refresh();
    return json(runs.list(number(query, 'known', -1)));
  }
  if (path === '/api/series') {
    const ids = (query.get('runs') ?? '')
      .split(',')
      .filter((id) => id !== '')
      .map(Number);
    const [from, to] = [number(query, 'from', -Infinity), number(query, 'to', Infinity)];
    const series: SeriesData[][] = [];
    for (const id of ids) {
      const run = runs.run(id); // one that is gone has no curves
      await run?.whole();
      series.push(run?.series(from, to) ?? []);
    }
    return json(series.flat());
  }
  if (path === '/api/details') {
    const run = runOf(query, runs);
    await run.whole();
    return json(run.details());
  }
  if (path === '/api/image') {
    const bytes = runOf(query, runs).image(query.get('tag') ?? '', number(query, 'step', 0));
    if (bytes === undefined) throw new Refusal(404, 'There is no such image.');
    return { type: bytes[0] === 0xff ? 'image/jpeg' : bytes[0] === 0x47 ? 'image/gif' : 'image/png', body: bytes };
  }
  throw new Refusal(404, 'There is nothing here.');
}

function runOf(query: URLSearchParams, runs: LiveRuns): LiveRun {
  const run = runs.run(number(query, 'run', NaN));
  if (run === undefined) throw new Refusal(404, 'There is no such run any more.');
  return run;
}

function number(query: URLSearchParams, name: string, otherwise: number): number {
  const value = query.get(name);
  return value === null || value === '' ? otherwise : Number(value);
}

/** What JSON cannot hold is null: NaN, and what is infinite. */
const json = (value: unknown): Answer => ({ type: 'application/json', body: JSON.stringify(value) });

function send(response: ServerResponse, status: number, { type, body, nonce }: Answer): void {
  const own = nonce === undefined ? '' : `script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; `;
  response.writeHead(status, {
    'content-type': type,
    'content-security-policy': `default-src 'none'; ${own}img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  response.end(body);
}
