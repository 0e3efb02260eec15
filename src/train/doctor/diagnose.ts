// From the record of a run to the names of its illnesses. The tables are gone through in the order of causes: once an error
// is found, rows that only infer something from curves and layers after it are skipped, as it may be the reason.
// RunEvents in, diagnoses and a statement of what was looked at out. Must not know: files, models.

import { checkHas, checkIterable } from '../../tensor/library.js';
import type { RunEvent } from '../record.js';
import type { Diagnosis, Illness, Need } from './illness.js';
import { CURVES, REGULARISATION } from './illnesses/curves.js';
import { DATA } from './illnesses/data.js';
import { LAYERS } from './illnesses/layers.js';
import { PROCESS } from './illnesses/process.js';
import { EXPLOSION, RATE, RATE_TOO_LOW } from './illnesses/rate.js';
import { START } from './illnesses/start.js';
import { type Readings, readingsOf } from './readings.js';

export type { Diagnosis, Evidence, Illness, Severity } from './illness.js';

/** Everything that the doctor knows, causes before what follows from them. */
export const ILLNESSES: readonly Illness[] = [
  ...PROCESS,
  ...DATA,
  ...EXPLOSION,
  ...START,
  ...RATE,
  ...REGULARISATION,
  ...LAYERS,
  ...RATE_TOO_LOW,
  ...CURVES,
];

/** What is found in a record, and what there was to find it in. */
export interface Examination {
  /** The likeliest cause first; none for a healthy run. */
  readonly diagnoses: readonly Diagnosis[];
  /** What was looked at, in words: `120 losses`, `9 looks into 6 layers`, … */
  readonly examined: readonly string[];
  /** What the record lacks, in words: illnesses that need it cannot be seen. */
  readonly missing: readonly string[];
}

/** What is wrong with a run, the likeliest cause first; an empty list for a healthy one. */
export function diagnose(events: Iterable<RunEvent>): Diagnosis[] {
  checkEvents('diagnose', events);
  return [...examine(events).diagnoses];
}

function checkEvents(op: string, events: unknown): void {
  checkIterable(op, 'the argument', events, 'events');
  if (!Array.isArray(events)) return; // others can perhaps be gone through only once
  for (const event of events) checkHas(op, 'an event', event, ['event'], 'Give the events of a record');
}

export function examine(events: Iterable<RunEvent>): Examination {
  checkEvents('examine', events);
  const readings = readingsOf(events);
  const diagnoses: Diagnosis[] = [];
  for (const illness of ILLNESSES) {
    const isHidden = diagnoses.some(({ severity }) => severity === 'error') && illness.isCertain !== true;
    const finding = isHidden ? undefined : illness.detect(readings);
    if (finding === undefined || finding.evidence.length === 0) continue;
    const { code, title, remedy } = illness;
    diagnoses.push({ code, title, severity: finding.severity ?? illness.severity, evidence: finding.evidence, remedy });
  }
  const seen = NEEDS.map(([need, describe]) => ({ need, text: describe(readings) }));
  return {
    // of the same severity in the order of causes
    diagnoses: [
      ...diagnoses.filter(({ severity }) => severity === 'error'),
      ...diagnoses.filter(({ severity }) => severity === 'warning'),
    ],
    examined: seen.flatMap(({ text }) => text ?? []),
    missing: seen.flatMap(({ need, text }) => (text === undefined ? LACKING[need] : [])),
  };
}

const count = (n: number, one: string, many = `${one}s`): string | undefined =>
  n === 0 ? undefined : `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

/** What of each need a record has, in words; undefined if nothing. */
const NEEDS: readonly (readonly [Need, (readings: Readings) => string | undefined])[] = [
  ['losses', ({ losses }) => count(losses.length, 'loss', 'losses')],
  ['epochs', ({ epochs }) => count(epochs.length, 'epoch')],
  ['validation', ({ epochs }) => count(epochs.filter((e) => e.validation !== undefined).length, 'validation')],
  [
    'layers',
    ({ looks }) =>
      looks.length === 0
        ? undefined
        : `${count(looks.length, 'look')} into ${count(looks[0].layers.length, 'layer') ?? 'no layer'}`,
  ],
  ['inputs', ({ looks }) => (looks.some(({ input }) => input !== undefined) ? 'the inputs' : undefined)],
  ['labels', ({ looks }) => (looks.some(({ targets }) => targets !== undefined) ? 'the targets' : undefined)],
  ['checks', ({ checks }) => count(checks.length, 'check')],
];

const LACKING: Readonly<Record<Need, readonly string[]>> = {
  losses: ['losses'],
  epochs: ['epochs'],
  validation: ['validation'],
  layers: ['statistics of layers'],
  notices: [],
  inputs: [],
  labels: [],
  checks: [],
};
