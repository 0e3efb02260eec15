// Starts a program as several processes of MPI, for tests. Without MPI there is a reason to skip them.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const isThere = (command: string, option: string): boolean =>
  spawnSync(command, [option], { stdio: 'ignore' }).status === 0;

/** Why programs cannot be started as several processes; undefined where they can. */
export const obstacle: string | undefined = !isThere(process.env['NABLA_MPICC'] ?? 'mpicc', '-show')
  ? 'no mpicc: install openmpi-bin and libopenmpi-dev'
  : !isThere(launcher(), '--version')
    ? 'no mpirun: install openmpi-bin'
    : undefined;

/** MPICH's launcher ends all processes at once when one dies: what is said of it is its own, on standard output. */
export const isHydra: boolean =
  obstacle === undefined && /hydra/i.test(spawnSync(launcher(), ['--version'], { encoding: 'utf8' }).stdout);

/** NABLA_MPIRUN names that of another MPI. */
function launcher(): string {
  return process.env['NABLA_MPIRUN'] ?? 'mpirun';
}

/** Tests run what is published: it is built where that is older than the sources. */
export function build(): void {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0 || !existsSync(`${root}/dist/distributed/index.js`)) throw new Error(built.stderr);
}

const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  // More processes than cores, in containers that run as root, without networks of their own.
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_btl_base_warn_component_unused: '0',
  NABLA_THREADS: '1',
  NABLA_CPU: 'wasm', // what is compared must not change its tier on the way
  NABLA_MPI_TIMEOUT: '60',
  ...more,
});

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `program` is a file beside this one, or a path, with its arguments. */
export function startRanks(
  ranks: number,
  [program, ...args]: readonly string[],
  more: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(launcher(), ['-n', `${ranks}`, process.execPath, path, ...args], {
    cwd: root,
    env: environment(more),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (part: Buffer) => (stdout += String(part)));
  child.stderr?.on('data', (part: Buffer) => (stderr += String(part)));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, ended };
}

/** What process 0 prints as JSON, line by line. Throws with all that was said if the job fails. */
export async function runRanks(
  ranks: number,
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  const { status, stdout, stderr } = await startRanks(ranks, command, more).ended;
  if (status !== 0) throw new Error(`${command.join(' ')} ends with ${status}:\n${stdout}\n${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => /^[[{]/.test(line))
    .map((line) => JSON.parse(line) as unknown);
}
