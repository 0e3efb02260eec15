// `npm run docs`: the reference of the public interface, one page a name, from the sources into docs/api/. What is public
// is what package.json exports. `--markdown FOLDER` writes it there, as the pages that the site renders.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [flag, asked] = process.argv.slice(2);
if (flag !== undefined && (flag !== '--markdown' || !asked)) {
  console.error(`npm run docs: ${flag} is not known. Use -- --markdown FOLDER, or nothing.`);
  process.exit(1);
}
const from = process.cwd();
process.chdir(fileURLToPath(new URL('../tools/reference', import.meta.url)));
const root = join('..', '..');
const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || statSync('package-lock.json').mtimeMs > statSync(installed).mtimeMs) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = Object.keys(exports)
  .filter((name) => name !== './package.json')
  .map((name) => join(root, 'src', name, 'index.ts'));
const out = asked ? resolve(from, asked) : join(root, 'docs', 'api');
rmSync(out, { recursive: true, force: true });
const markdown = [
  '--plugin',
  'typedoc-plugin-markdown',
  '--router',
  'member',
  '--entryFileName',
  'index.md',
  '--hidePageHeader',
  '--hideBreadcrumbs',
  '--disableSources', // paths of the repository, where no page lies
];
run(process.execPath, ['node_modules/typedoc/bin/typedoc', ...(asked ? markdown : []), '--out', out, ...entries]);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
