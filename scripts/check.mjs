// `npm run check`: everything that can be said about the sources in under 30 seconds. Runs every step even when an
// earlier one fails, with its own output, and ends with one line per step.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const require = createRequire(import.meta.url);

const steps = [
  { name: 'types', command: ['scripts/check-types.mjs', binary('typescript', 'tsc')] },
  { name: 'lint', command: [binary('oxlint')] },
  { name: 'format', command: [binary('oxfmt'), '--check'], advice: 'npm run format repairs it' },
  { name: 'layers', command: ['scripts/check-layers.mjs'] },
  { name: 'smoke', command: [binary('vitest'), 'run', 'test/smoke.test.ts', '--reporter=dot'], needs: 'src/index.ts' },
];

const summary = steps.map(({ name, command, advice, needs }) => {
  if (needs && !existsSync(needs)) return { ok: true, text: `${name}: nothing to run, there is no ${needs}` };
  const begin = performance.now();
  const result = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (result.error) throw result.error;
  const ok = result.status === 0;
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  return { ok, text: `${name}: ${ok ? 'ok' : 'FAILED'} (${seconds} s)${ok || !advice ? '' : `; ${advice}`}` };
});

console.log(`\n${summary.map(({ text }) => text).join('\n')}`);
process.exit(summary.every(({ ok }) => ok) ? 0 : 1);

/** The script behind a package's command, to be run by this very Node. */
function binary(packageName, command = packageName) {
  const manifest = findManifest(packageName);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]);
}

function findManifest(packageName) {
  for (const folder of require.resolve.paths(packageName)) {
    const file = join(folder, packageName, 'package.json');
    if (existsSync(file)) return file;
  }
  throw new Error(`${packageName} is not installed: run npm ci.`);
}
