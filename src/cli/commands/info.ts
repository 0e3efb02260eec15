// `nabla info`: the version, the machine, the devices.

import { devices, disposeDevices, memoryStats } from '../../index.js';
import { bytes, terminalOf } from '../terminal.js';
import { version } from '../version.js';
import { availableParallelism, cpus } from 'node:os';

export async function info(options: { readonly json?: true }): Promise<void> {
  const machine = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    mpi: await mpiOf(),
  };
  const list = devices().map((device) => ({ ...device, memory: memoryStats(device.name) }));
  await disposeDevices();
  const terminal = terminalOf(process.stdout);
  if (options.json) {
    terminal.line(JSON.stringify({ version: version(), ...machine, devices: list }));
    return;
  }
  const { style } = terminal;
  const row = (name: string, value: string) => terminal.line(`  ${name.padEnd(20)} ${value}`);
  terminal.line(style.bold(`nabla ${version()}`));
  row('Node.js', machine.node);
  row('system', machine.platform);
  row('processor', `${machine.processor}, ${machine.cores} core${machine.cores === 1 ? '' : 's'}`);
  row('MPI', machine.mpi);
  for (const { name, isDefault, details, memory } of list) {
    terminal.line();
    terminal.line(`${style.bold(`device ${name}`)}${isDefault ? ' (default)' : ''}`);
    for (const [key, value] of Object.entries(details))
      row(key === 'simd' ? 'SIMD' : key, typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));
    row('heap in use', `${bytes(memory.usedBytes)} in ${memory.buffers} buffer${memory.buffers === 1 ? '' : 's'}`);
    row('heap reserved', bytes(memory.reservedBytes));
    row('heap limit', Number.isFinite(memory.limitBytes) ? bytes(memory.limitBytes) : 'none of its own');
  }
}

/** The MPI that nabla/distributed would use, or what to do to have one. */
async function mpiOf(): Promise<string> {
  const { findInstallation } = await import('../../distributed/index.js');
  const found = findInstallation();
  return found === undefined
    ? 'none (openmpi-bin and libopenmpi-dev, or mpich and libmpich-dev)'
    : `${found.family} ${found.version}, MPI ${found.standard}, ${found.command}`;
}
