// What a row of the doctor's tables is, and what it says when it applies.

import type { Readings } from './readings.js';

export type Severity = 'error' | 'warning';

/** A number that shows it, with the words around it. */
export interface Evidence {
  readonly text: string;
  /** Where: as in the record. */
  readonly step?: number;
  readonly epoch?: number;
  readonly layers?: readonly string[];
  /** The figures of the text, by name. */
  readonly numbers?: Readonly<Record<string, number>>;
}

export interface Diagnosis {
  /** Stable, in kebab-case. */
  readonly code: string;
  readonly title: string;
  /** An error spoils the training, a warning is worth a look. */
  readonly severity: Severity;
  readonly evidence: readonly Evidence[];
  /** What to do, in the course's terms. */
  readonly remedy: string;
}

/** What a rule looks at: listed for a healthy run, and as missing where the record has none of it. */
export type Need = 'losses' | 'epochs' | 'validation' | 'layers' | 'notices' | 'labels' | 'inputs' | 'checks';

/**
 * One illness. Tables are in the order of causes: a row may assume that those before it do not apply, as an error
 * hides what is only inferred in later rows.
 */
export interface Illness {
  readonly code: string;
  readonly title: string;
  /** What it is and why it hurts, for somebody who meets it for the first time. */
  readonly about: string;
  /** What in a record shows it, in words. */
  readonly sign: string;
  readonly severity: Severity;
  readonly needs: readonly Need[];
  /** Certain once it is seen, and so never hidden by an earlier row. Default false. */
  readonly isCertain?: boolean;
  /** What shows it; undefined or empty if it does not apply. `severity` may be milder than the row's. */
  detect(readings: Readings): Finding | undefined;
  readonly remedy: string;
}

export interface Finding {
  readonly evidence: readonly Evidence[];
  readonly severity?: Severity;
}

/** A finding of one sentence. */
export function found(text: string, rest: Omit<Evidence, 'text'> & { readonly severity?: Severity } = {}): Finding {
  const { severity, ...evidence } = rest;
  return { evidence: [{ text, ...evidence }], ...(severity !== undefined && { severity }) };
}

/** 0.0123, 12.3, 1.2e-7 */
export function figure(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  return size >= 1e-3 && size < 1e5 ? String(Number(x.toPrecision(3))) : x.toExponential(1);
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(share < 0.995 ? 2 : 3))} %`;
}
