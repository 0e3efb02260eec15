// `nabla dashboard`: the runs below a folder in a page that follows them, until Ctrl-C.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Dashboard, serve } from '../dashboard/server.js';
import { CliError, fileFault } from '../errors.js';
import { printable } from '../printable.js';
import { RUNS } from '../run-folder.js';
import { watchSignals } from '../signals.js';
import { terminalOf } from '../terminal.js';

interface Options {
  readonly port?: number;
}

export async function dashboard(folder: string | undefined, { port }: Options): Promise<void> {
  const root = folder ?? RUNS;
  if (!existsSync(root)) {
    throw new CliError(
      folder === undefined
        ? `there is no folder ${RUNS}/ here. Train first (nabla train digits), or name the folder that holds the runs.`
        : `there is no folder ${printable(root)}.`,
    );
  }
  if (!statSync(root).isDirectory())
    throw new CliError(`${printable(root)} is a file. Name the folder that holds the runs.`);
  const { url, close } = await openDashboard(root, port);
  const stop = watchSignals();
  const terminal = terminalOf(process.stdout);
  terminal.line(`The runs in ${printable(root)}: ${terminal.style.cyan(url)}`);
  terminal.line(terminal.style.dim('The address is for you alone. Ctrl-C ends.'));
  await new Promise<void>((done) => {
    if (stop.abort.aborted) done();
    else stop.abort.addEventListener('abort', () => done(), { once: true });
  });
  stop.end();
  await close();
}

/** The runs below `folder`, at a free port or at `port`. */
export async function openDashboard(folder: string, port?: number): Promise<Dashboard> {
  return await serve(folder, readPage(), port).catch((error: unknown) => {
    throw fileFault('listen at', `port ${port ?? 0}`, error);
  });
}

function readPage(): string {
  const part = (name: string): string => readFileSync(new URL(`../dashboard/${name}`, import.meta.url), 'utf8');
  const script = part('page.js').replaceAll('</script', '<\\/script');
  return part('page.html')
    .replace('STYLE', () => part('page.css'))
    .replace('SCRIPT', () => script);
}
