// How long runs take: the first one, which compiles, and the median and quartiles of those after it.

import { type AnyTensor, devices, realize } from '../../index.js';
import { quantile } from '../../metrics/stopwatch.js';
import { formatNumber } from '../../train/logging/console.js';
import type { Terminal } from '../terminal.js';
import type { Numbers, Runnable } from './runnable.js';

export interface Timing {
  /** Milliseconds: reading the model, its first run, later ones. */
  readonly load: number;
  readonly first: number;
  readonly runs: number;
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly least: number;
  readonly device: string;
  readonly threads: number | undefined;
  readonly tier: string | undefined;
}

/** Runs before those that are counted: replays begin with the second, and compiled code is tried out. */
const WARM = 3;

export async function timed(
  model: Runnable,
  numbers: Readonly<Record<string, Numbers>>,
  runs: number,
  device: string,
  known: { readonly load: number; readonly first: number },
): Promise<Timing> {
  const once = async (): Promise<number> => {
    const begin = performance.now();
    const outputs: AnyTensor[] = Object.values(await model.run(numbers));
    await realize(...outputs);
    return performance.now() - begin;
  };
  for (let i = 0; i < WARM; i++) await once();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await once());
  times.sort((a, b) => a - b);
  const { threads, tier } = devices().find(({ name }) => name === device)?.details ?? {};
  return {
    ...known,
    runs,
    median: quantile(times, 0.5),
    lowerQuartile: quantile(times, 0.25),
    upperQuartile: quantile(times, 0.75),
    least: times[0],
    device,
    threads: typeof threads === 'number' ? threads : undefined,
    tier: typeof tier === 'string' ? tier : undefined,
  };
}

export function printTiming(terminal: Terminal, timing: Timing): void {
  const { style } = terminal;
  const ms = (value: number): string => `${formatNumber(value)} ms`;
  const { runs, median, lowerQuartile, upperQuartile, least, load, first, device, threads, tier } = timing;
  const where = [device, tier, threads === undefined ? undefined : `${threads} thread${threads === 1 ? '' : 's'}`];
  const rows = [
    [
      'median',
      `${style.bold(ms(median))}  (quartiles ${ms(lowerQuartile)} and ${ms(upperQuartile)}, least ${ms(least)}, ${runs} runs)`,
    ],
    ['load', `${ms(load)}, first run ${ms(first)}`],
    ['device', where.filter((part) => part !== undefined).join(', ')],
  ];
  for (const [name, value] of rows) terminal.line(`${style.dim(name.padEnd(7))} ${value}`);
}
