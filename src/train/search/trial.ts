// Trials: what was tried, what came out, and the lines of the file that keeps them. Plain data that survives JSON.
// Must not know: files, strategies.

import { ArgumentError, FormatError } from '../../tensor/library.js';
import {
  type Check,
  firstFault,
  isAnything,
  isCount,
  isNumber,
  isText,
  listOf,
  nullOr,
  oneOf,
  recordOf,
  textOf,
} from '../plain-data.js';
import type { Reports } from './pruner.js';
import { type ParamsOf, type Space, dimensionsOf, pointOf } from './space.js';

export type TrialState = 'completed' | 'pruned' | 'failed';

/** A trial that has ended. */
export interface Trial<S extends Space = Space> {
  /** From 0, in the order in which they began. */
  readonly number: number;
  readonly params: ParamsOf<S>;
  readonly state: TrialState;
  /** The result; of a pruned trial the last one it reported, NaN if there is none. */
  readonly value: number;
  /** What was reported on the way. */
  readonly reports: Reports;
  readonly seconds: number;
  /** Why it failed. */
  readonly error?: string;
}

export type Direction = 'minimize' | 'maximize';

/** What a file of trials says in its first line. Another search must not go on with it. */
export interface StudyHeader {
  readonly study: 'nabla';
  readonly space: Readonly<Record<string, string>>;
  readonly direction: Direction;
  readonly seed: number;
}

export function headerOf(space: Space, direction: Direction, seed: number): StudyHeader {
  const texts = dimensionsOf(space).map(([name, d]) => [name, d.text]);
  return { study: 'nabla', space: Object.fromEntries(texts), direction, seed };
}

/** A number, as `formatTrial` writes it; other programs write null where there is none. */
const isResult: Check = nullOr(
  oneOf(isNumber, (value) => value === 'NaN' || value === 'Infinity' || value === '-Infinity'),
);

const TRIAL: Readonly<Record<string, Check>> = {
  number: isCount,
  params: recordOf(isAnything),
  state: (value) => value === 'completed' || value === 'pruned' || value === 'failed',
  value: isResult,
  reports: listOf(
    (report) => Array.isArray(report) && report.length === 2 && isNumber(report[0]) && isResult(report[1]),
  ),
  seconds: isNumber,
};

/** The trials in the lines of a file. A last line that is cut off is left out. Throws FormatError if they belong to another search. */
export function readTrials<S extends Space>(
  lines: readonly string[],
  space: S,
  header: StudyHeader,
  path: string,
): Trial<S>[] {
  const records = lines.flatMap((line, i): unknown[] => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line)];
    } catch (error) {
      if (i >= lines.length - 2) return []; // the process ended while it was being written
      throw new FormatError(`search: ${path}, line ${i + 1} is not JSON: ${(error as Error).message}.`, path);
    }
  });
  const [first, ...rest] = records as [StudyHeader | undefined, ...Record<string, unknown>[]];
  if (first === undefined) return [];
  if (JSON.stringify(first) !== JSON.stringify(header)) {
    throw new FormatError(
      `search: ${path} belongs to another search (${describe(first)}; this one: ${describe(header)}). Choose another folder.`,
      path,
    );
  }
  return rest.map((record, i) => {
    const fault = firstFault(record, TRIAL, { error: isText });
    const trial = { ...record, value: fault === undefined ? numberFrom(record.value) : NaN } as Trial<S>;
    try {
      if (fault !== undefined) throw new ArgumentError(fault === '' ? 'it is no trial.' : `its '${fault}' is damaged.`);
      // What is no number has failed: the best trial is looked for among the others.
      if (trial.state === 'completed' && Number.isNaN(trial.value)) throw new ArgumentError('it has no result.');
      pointOf(space, trial.params);
    } catch (error) {
      throw new FormatError(`search: ${path}, trial ${i + 1} cannot be read: ${(error as Error).message}`, path);
    }
    return { ...trial, reports: trial.reports.map(([step, value]) => [step, numberFrom(value)] as const) };
  });
}

/** JSON has no NaN and no infinity: they are texts. */
export function formatTrial(trial: Trial | StudyHeader): string {
  return JSON.stringify(trial, (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v));
}

const numberFrom = (value: unknown): number => Number(value ?? NaN);

/** Of a header that may be anybody's. */
function describe(header: StudyHeader): string {
  const { space, direction, seed } = header ?? {};
  const names = Object.entries(space ?? {}).map(([name, text]) => `${name}: ${textOf(text)}`);
  return `${textOf(direction)}, seed ${textOf(seed)}, ${names.join(', ')}`;
}
