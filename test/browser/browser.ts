// Runs a piece of this repository in headless Chromium: bundles an entry file with esbuild, serves it from a local
// server with or without cross-origin isolation, and returns what the entry's `main()` resolves to.
// Input: the entry's path; output: its result, or an error with the page's text and console.

import { existsSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Why there can be no browser test here, or undefined. */
export const whyNoBrowser = existsSync(CHROMIUM) ? undefined : `${CHROMIUM} is not installed`;
if (whyNoBrowser) console.log(`browser tests are skipped: ${whyNoBrowser}`);

export interface PageOptions {
  /** Cross-origin isolated: memory can be shared between threads. */
  readonly isolated: boolean;
  /** Run the entry in a web worker of the page. */
  readonly worker?: boolean;
  /** The Content-Security-Policy of the page and its worker. */
  readonly policy?: string;
  /** What else the server has, by path. */
  readonly files?: Readonly<Record<string, ServedFile>>;
}

export type ServedFile = readonly [type: string, content: string | Uint8Array];

/** One for all files that share this process; it ends with it. */
let shared: Promise<Browser> | undefined;

/** Opens a browser; `run` loads one entry in a fresh page with a profile of its own. */
export async function openBrowser(): Promise<{ run: (entry: string, options: PageOptions) => Promise<unknown> }> {
  const browser = await (shared ??= chromium.launch({ executablePath: CHROMIUM, args: ARGS.split(' ') }));
  return { run: (entry, options) => runInPage(entry, options, browser) };
}

async function runInPage(entry: string, options: PageOptions, browser: Browser): Promise<unknown> {
  const bundled = bundles.get(entry) ?? bundle(entry);
  bundles.set(entry, bundled);
  const script = await bundled;
  const server = await serve(script, options);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const lines: string[] = [];
    page.on('console', (message) => lines.push(message.text()));
    page.on('pageerror', (error) => lines.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const outcome = (await page.evaluate('outcome')) as { result?: unknown; error?: string };
    if (outcome.error !== undefined) throw new Error([`in the page: ${outcome.error}`, ...lines].join('\n'));
    return outcome.result;
  } finally {
    await context.close();
    server.close();
  }
}

/** By entry: one is loaded in several kinds of page. */
const bundles = new Map<string, Promise<string>>();

/** A script that leaves a promise of { result } or { error } in the global `outcome`. */
function bundle(entry: string): Promise<string> {
  return bundleText(`import { main } from ${JSON.stringify(entry)};
    globalThis.outcome = main().then((result) => ({ result }), (error) => ({ error: String(error?.stack ?? error) }));
    if (typeof document === 'undefined') globalThis.outcome.then((outcome) => postMessage(outcome));`);
}

/** A module in TypeScript and all that it imports, as one script. */
export async function bundleText(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    tsconfigRaw: {},
    logLevel: 'error',
    alias: Object.fromEntries(
      ['', '/nn', '/optim', '/data', '/io', '/train', '/models', '/vision', '/browser']
        .map((name) => `nabla${name}`)
        .toReversed()
        .map((name) => [name, `${root}src${name.slice('nabla'.length)}/index.ts`]),
    ),
  });
  return outputFiles[0]!.text;
}

function serve(script: string, { isolated, worker = false, policy, files: others }: PageOptions): Promise<Server> {
  const start = worker
    ? `globalThis.outcome = new Promise((resolve) => {
        const worker = new Worker('/entry.js');
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => resolve({ error: event.message });
      });`
    : script;
  const files: Record<string, ServedFile> = {
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><title>nabla</title><script src="/start.js"></script>'],
    '/start.js': ['text/javascript', start],
    '/entry.js': ['text/javascript', script],
    '/dataset.js': ['text/javascript', 'export default () => ({ length: 4, get: (index) => index });'],
    ...others,
  };
  const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  const server = createServer((request, response) => {
    const [type, content] = files[request.url ?? ''] ?? ['text/plain', ''];
    response.writeHead(content.length > 0 ? 200 : 404, {
      'Content-Type': type.startsWith('text/') ? `${type}; charset=utf-8` : type,
      ...(isolated ? isolation : {}),
      ...(policy === undefined ? {} : { 'Content-Security-Policy': policy }),
    });
    response.end(content);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
