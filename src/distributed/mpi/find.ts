// The MPI of this machine: which compiler wrapper (mpicc) belongs to it, which implementation and version that is, and the library
// that the shim becomes with it. And whether this process was started by a launcher (mpirun, srun), and by whose.
// Environment in, description or path out.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { compileLibrary } from '../../tensor/library.js';
import { DistributedError } from '../error.js';
import { SHIM_SOURCE } from './shim-source.js';

const { spawnSync } = process.getBuiltinModule('node:child_process');

/** An MPI that programs can be compiled for. */
export interface MpiInstallation {
  /** The compiler wrapper. */
  readonly command: string;
  readonly family: 'Open MPI' | 'MPICH' | 'another MPI';
  /** Of the implementation: `4.1.4`. */
  readonly version: string;
  /** Of the standard that it implements: `3.1`. */
  readonly standard: string;
}

/** What a launcher has told this process. */
export interface Launch {
  /** Processes of the job, where the launcher says so. */
  readonly size: number | undefined;
  /** Whose launcher it is, where that can be seen. */
  readonly family: MpiInstallation['family'] | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined for a process that nobody has started as one of several. */
export function findLaunch(environment: Environment = process.env): Launch | undefined {
  const sizeOf = (...names: readonly string[]): number | undefined => {
    const text = names.map((name) => environment[name]).find((value) => value !== undefined);
    return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  if (environment['OMPI_COMM_WORLD_SIZE'] !== undefined)
    return { size: sizeOf('OMPI_COMM_WORLD_SIZE'), family: 'Open MPI' };
  if (environment['PMI_SIZE'] !== undefined || environment['PMI_FD'] !== undefined)
    // MPICH's launcher and Slurm's pmi2 use the same names: only the first says where its processes are
    return { size: sizeOf('PMI_SIZE'), family: environment['MPI_LOCALNRANKS'] === undefined ? undefined : 'MPICH' };
  if (environment['PMIX_RANK'] !== undefined)
    return { size: sizeOf('SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'), family: undefined };
  return undefined;
}

const PROBE = `
#include <mpi.h>
#define TEXT(x) #x
#define SAY(x) TEXT(x)
#if defined(OPEN_MPI)
nabla "Open MPI"|SAY(OMPI_MAJOR_VERSION).SAY(OMPI_MINOR_VERSION).SAY(OMPI_RELEASE_VERSION)|MPI_VERSION.MPI_SUBVERSION
#elif defined(MPICH_VERSION)
nabla "MPICH"|MPICH_VERSION|MPI_VERSION.MPI_SUBVERSION
#else
nabla "another MPI"|unknown|MPI_VERSION.MPI_SUBVERSION
#endif
`;

const QUESTION_TIMEOUT_MS = 10_000;

/** What this compiler wrapper compiles for, or why it does not. */
function ask(command: string): MpiInstallation | string {
  const { status, stdout, stderr, error } = spawnSync(command, ['-E', '-P', '-x', 'c', '-'], {
    input: PROBE,
    encoding: 'utf8',
    timeout: QUESTION_TIMEOUT_MS,
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) return `${command}: ${(error as NodeJS.ErrnoException).code ?? error.message}`;
  // Macros come back as tokens, with blanks between them.
  const found = /^nabla "(Open MPI|MPICH|another MPI)" ?\| ?(.*?) ?\| ?(\d+) ?\. ?(\d+)/m.exec(stdout);
  if (status !== 0 || found === null) return `${command}: ${stderr.trim().split('\n')[0] || `exit ${status}`}`;
  const [, family, version, major, minor] = found;
  return {
    command,
    family: family as MpiInstallation['family'],
    version: version.replaceAll(/["\s]/g, ''),
    standard: `${major}.${minor}`,
  };
}

const INSTALL =
  'Install MPI with its compiler (Debian: apt-get install openmpi-bin libopenmpi-dev gcc, or mpich libmpich-dev gcc), or name its mpicc in NABLA_MPICC';

/** The MPI whose launcher started this process, or the first there is. Throws DistributedError that says what to install. */
export function findMpi(wanted?: MpiInstallation['family']): MpiInstallation {
  const named = process.env['NABLA_MPICC'];
  const isNamed = named !== undefined && named !== '';
  const commands = isNamed ? [named] : ['mpicc', 'mpicc.openmpi', 'mpicc.mpich'];
  const reasons: string[] = [];
  const others: MpiInstallation[] = [];
  for (const command of commands) {
    const found = ask(command);
    if (typeof found === 'string') reasons.push(found);
    else if (wanted === undefined || found.family === wanted) return found;
    else others.push(found);
  }
  const [other] = others;
  if (other !== undefined) {
    throw new DistributedError(
      `init: the program was started by a launcher of ${wanted}, and ${other.command} is that of ${other.family} ${other.version}. Start it with the launcher of ${other.family}, or name the mpicc of ${wanted} in NABLA_MPICC.`,
    );
  }
  throw new DistributedError(`init: there is no MPI to compile with (${reasons[0]}). ${INSTALL}.`);
}

const FLAGS = ['-O3', '-std=gnu11', '-fPIC', '-shared', '-pthread'];

/** The MPI that `init` would use; undefined where there is none. */
export function findInstallation(): MpiInstallation | undefined {
  try {
    return findMpi(findLaunch()?.family);
  } catch (error) {
    if (error instanceof DistributedError) return undefined;
    throw error;
  }
}

/** The path of the shim, compiled for this MPI where that has not been done before. */
export function shimLibrary({ command, family, version, standard }: MpiInstallation): string {
  try {
    return compileLibrary(process, {
      command,
      // Its thread outlives koffi, which unloads libraries when the process ends.
      flags: [...FLAGS, ...(process.platform === 'linux' ? ['-Wl,-z,nodelete'] : [])],
      source: SHIM_SOURCE,
      identity: [family, version, standard, process.arch].join(' '),
    });
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    throw new DistributedError(`init: ${command} cannot compile what nabla needs of ${family} (${line}). ${INSTALL}.`);
  }
}
