// `npm run site`: the site as static files in site/dist/: the tour (the pages of docs/) and the lab. `-- --open` serves it at 127.0.0.1.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const site = fileURLToPath(new URL('../site', import.meta.url));
const [isOpen, ...unknown] = process.argv.slice(2).map((argument) => argument === '--open' || argument);
if ((isOpen !== undefined && isOpen !== true) || unknown.length > 0) {
  console.error(`npm run site: ${process.argv.slice(2).join(' ')} is not known. Use -- --open, or nothing.`);
  process.exit(1);
}
const installed = join(site, 'node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(join(site, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs) {
  const options = { cwd: site, stdio: 'inherit', shell: process.platform === 'win32' };
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
const { buildSite } = await import(pathToFileURL(join(site, 'build.mjs')).href);
const out = join(site, 'dist');
const begin = performance.now();
const pages = await buildSite(out);
console.log(`${pages} pages in ${out} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
if (isOpen) {
  const { serve } = await import(pathToFileURL(join(site, 'serve.mjs')).href);
  console.log(`Serving it at ${await serve(out)}. Ctrl-C ends it.`);
}
