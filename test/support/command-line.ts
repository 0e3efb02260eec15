// The command line `nabla …` within the test's own process.
import { vi } from 'vitest';
import { run } from '../../src/cli/program.js';

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Its exit code, and what it prints, with … in the place of `folder`. */
export async function commandLine(args: readonly string[], folder?: string): Promise<Printed> {
  let [out, err] = ['', ''];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true)),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true)),
  ];
  const code = await run(args).finally(() => spies.forEach((spy) => spy.mockRestore()));
  const shown = (text: string): string => (folder === undefined ? text : text.replaceAll(folder, '…'));
  return { code, out: shown(out), err: shown(err) };
}

/** What a command prints that ends well. Throws what it says of a failure. */
export async function printedBy(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await commandLine(args);
  if (code !== 0) throw new Error(`nabla ${args.join(' ')} ended with ${code}: ${err}`);
  return out;
}
