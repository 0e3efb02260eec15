// `npm run site`: the site as static files in site/dist/: tour, lab, exams, reference, search. `-- --open` serves it at 127.0.0.1;
// `--check` tries it in Chromium (`--check-all` with every example; `--report FILE` writes what passed); `--no-reference` leaves out what
// takes longest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const site = fileURLToPath(new URL('../site', import.meta.url));
const options = {
  open: { type: 'boolean' },
  check: { type: 'boolean' },
  'check-all': { type: 'boolean' },
  'no-reference': { type: 'boolean' },
  report: { type: 'string' },
};
let values;
try {
  ({ values } = parseArgs({ options }));
} catch (error) {
  console.error(
    `npm run site: ${error.message}\nKnown after --: --open, --check, --check-all, --no-reference, --report FILE.`,
  );
  process.exit(1);
}
const installed = join(site, 'node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(join(site, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: site, shell: process.platform === 'win32' });
}
const module = (name) => import(pathToFileURL(join(site, name)).href);
const begin = performance.now();
const scratch = mkdtempSync(join(tmpdir(), 'nabla-site-'));
const out = join(site, 'dist');
try {
  const reference = values['no-reference'] ? undefined : join(scratch, 'reference');
  if (reference)
    run(process.execPath, [fileURLToPath(new URL('reference.mjs', import.meta.url)), '--markdown', reference]);
  const { buildSite } = await module('build.mjs');
  const pages = await buildSite(out, { reference });
  console.log(`${pages} pages in ${out} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (values.check || values['check-all']) {
  const { checkSite } = await module('check.mjs');
  process.exitCode = await checkSite(out, { report: values.report, isAll: values['check-all'] });
}
if (values.open) {
  const { serve } = await module('serve.mjs');
  console.log(`Serving it at ${(await serve(out)).url}. Ctrl-C ends it.`);
}

function run(command, args, how = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...how });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
