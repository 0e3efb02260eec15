// Commands that several processes carry out together: process 0 is the one that a person sees. The others print nothing, and what
// ends all of them is said once.

import type { World } from '../distributed/index.js';
import { CliError } from './errors.js';

/** How long another process waits with an error of its own: where process 0 has the same, it says so and ends the job before. */
const AFTER_YOU_MS = 1500;

/**
 * The processes that this command was started with; undefined without --distributed. Throws CliError where a launcher has started several that
 * would not know of each other.
 */
export async function joinProcesses(option: true | undefined, device: string): Promise<World | undefined> {
  if (option !== true) {
    const { findLaunch } = await import('../distributed/mpi/find.js');
    const { size = 1 } = findLaunch() ?? {};
    if (size > 1)
      throw new CliError(
        `a launcher of MPI has started ${size} processes, each of which would do all of the work. Add --distributed, or start one.`,
      );
    return undefined;
  }
  if (device !== 'cpu') throw new CliError(`--distributed trains on cpu. Leave out --device ${device}.`);
  const { init } = await import('../distributed/index.js');
  return init();
}

export const isFirst = (world: World | undefined): boolean => (world?.rank ?? 0) === 0;

/** What `body` does, the errors of other processes named, and after those of process 0. */
export async function speakingInTurn<T>(world: World | undefined, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (world !== undefined && !isFirst(world)) await new Promise((resolve) => setTimeout(resolve, AFTER_YOU_MS));
    throw error;
  }
}

/** `command` as a launcher starts it. */
export function launched(world: World, command: string): string {
  return `mpirun -n ${world.worldSize} ${command}`;
}
