// Threads of processes that share a machine: each takes its part of the cores, unless NABLA_THREADS says how many it shall have.
// Launchers may bind processes to cores; then those are divided among the processes that are bound to the same ones.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

const { readFileSync } = process.getBuiltinModule('node:fs');
const { availableParallelism, hostname } = process.getBuiltinModule('node:os');

/** What all processes say, in the order of their ranks. */
type Exchange = (value: unknown) => unknown[];

export function shareCores(rank: number, exchange: Exchange): void {
  const all = exchange([hostname(), boundTo()]) as [host: string, cores: string][];
  const [host, cores] = all[rank];
  const sharing = all.filter(([otherHost, otherCores]) => otherHost === host && otherCores === cores).length;
  const { NABLA_THREADS: threads } = process.env;
  if (sharing === 1 || (threads !== undefined && threads !== '')) return;
  process.env['NABLA_THREADS'] = `${Math.max(1, Math.floor(availableParallelism() / sharing))}`;
}

/** The cores that this process may use, in the system's words; nothing where it does not say. */
function boundTo(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return ''; // not Linux
  }
}
