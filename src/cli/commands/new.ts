// `nabla new`: a folder with a small project that runs at once.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.js';
import { projectFiles } from '../new/template.js';
import { writeOutput } from '../output-file.js';
import { printable } from '../printable.js';
import { createFolder } from '../run-folder.js';
import { commandLine, quote } from '../self.js';
import { terminalOf } from '../terminal.js';
import { version } from '../version.js';

export async function newProject(name: string, options: { readonly nabla?: string }): Promise<void> {
  const folder = resolve(name);
  const own = basename(folder).toLowerCase();
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(own) || own === 'nabla' || own === 'node_modules')
    throw new CliError(
      `'${printable(basename(folder))}' cannot be the name of a package. Use letters, digits and -, and begin with a letter or a digit.`,
    );
  createFolder(name, 'create the folder');
  if (readdirSync(folder).some((file) => file !== '.git'))
    throw new CliError(`${name} is not empty. Choose a new folder.`);
  const { typescript } = process.features as { readonly typescript?: unknown }; // Node from 22.10
  const files = projectFiles({
    name: own,
    nabla: options.nabla ?? origin(),
    needsTransform: !typescript && process.versions.bun === undefined && process.versions.deno === undefined,
  });
  createFolder(join(folder, 'data'), 'create the folder');
  for (const [path, content] of Object.entries(files)) await writeOutput(join(folder, path), content);
  const terminal = terminalOf(process.stdout);
  terminal.line(terminal.style.bold(`${name}: a project that tells kinds of fruit apart`));
  terminal.line();
  terminal.line('  run.ts            what is trained on what: begin here');
  terminal.line('  data/fruit.csv    180 rows to learn from; data/new.csv has four more');
  terminal.line('  package.json, tsconfig.json, README.md');
  terminal.line();
  terminal.line(`Next: ${commandLine('train', `${name.replace(/[/\\]+$/, '')}/run.ts`)}`);
  terminal.line(`or:   cd ${quote(name)} && npm install && npm start`);
}

/** Where this command came from, as package.json says it: a clone or a tarball by its path, else its version. */
function origin(): string {
  const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
  if (existsSync(join(root, 'src', 'index.ts'))) return `file:${root}`;
  try {
    const modules = dirname(root);
    const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as {
      readonly packages?: Readonly<Record<string, { readonly resolved?: unknown }>>;
    };
    const resolved = lock.packages?.['node_modules/nabla']?.resolved;
    if (typeof resolved === 'string' && resolved.startsWith('file:'))
      return `file:${resolve(dirname(modules), resolved.slice('file:'.length))}`;
  } catch {
    // installed by something else than npm
  }
  return `^${version()}`;
}
