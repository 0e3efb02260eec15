// What all pages share: the style sheet and the script for light and dark, search and threads. Input: a folder; output: files there.
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

export async function buildFrame(out) {
  mkdirSync(out, { recursive: true });
  cpSync(join(here, 'style.css'), join(out, 'style.css'));
  cpSync(join(here, 'page/isolate-worker.js'), join(out, 'isolate.js'));
  await build({
    entryPoints: [join(here, 'page/site.ts')],
    outfile: join(out, 'site.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: {},
    minify: true,
    logLevel: 'error',
  });
}
