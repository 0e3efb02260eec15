// nabla info: what this machine offers.

import { devices, memoryStats } from '../index.js';

const megabytes = (n: number): string => `${(n / 2 ** 20).toFixed(0)} MiB`;

export function info(version: string, options: { readonly json?: boolean }): void {
  const list = devices().map((d) => ({ ...d, memory: memoryStats(d.name) }));
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ version, node: process.version, devices: list })}\n`);
    return;
  }
  const lines = [`nabla ${version}, Node ${process.version}`];
  for (const { name, isDefault, details, memory } of list) {
    lines.push('', `${name}${isDefault ? ' (default)' : ''}`);
    for (const [key, value] of Object.entries(details))
      lines.push(`  ${key.padEnd(20)} ${value === true ? 'yes' : value === false ? 'no' : value}`);
    if (memory.limitBytes > 0 && Number.isFinite(memory.limitBytes))
      lines.push(
        `  ${'heap'.padEnd(20)} ${megabytes(memory.reservedBytes)} of at most ${megabytes(memory.limitBytes)}`,
      );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
