// An examination as text for a person: lines without colours or widths.

import type { RunEvent } from '../record.js';
import { type Examination, examine } from './diagnose.js';

/**
 * What the doctor has to say about a run, as text.
 *
 *     console.log(describeHealth(probe.events));
 */
export function describeHealth(events: Iterable<RunEvent>): string {
  return healthLines(examine(events)).join('\n');
}

export function healthLines({ diagnoses, examined, missing }: Examination): string[] {
  const looked = examined.length === 0 ? 'The record holds nothing to look at.' : `Looked at ${joined(examined)}.`;
  const lacking = missing.length === 0 ? [] : [`Not in the record: ${joined(missing)}.`];
  if (examined.length === 0) return [looked];
  if (diagnoses.length === 0) return [`Healthy: nothing found. ${looked}`, ...lacking];
  const found = diagnoses.flatMap(({ code, title, severity, evidence, remedy }, i) => [
    ...(i > 0 ? [''] : []),
    `${severity === 'error' ? 'Error' : 'Warning'}: ${title} (${code})`,
    ...evidence.map(({ text, step, epoch }) => `  ${where(step, epoch)}${capital(text, step ?? epoch)}`),
    `  Remedy: ${remedy}`,
  ]);
  return [...found, '', looked, ...lacking];
}

function where(step: number | undefined, epoch: number | undefined): string {
  if (step !== undefined) return `Step ${step}: `;
  return epoch === undefined ? '' : `Epoch ${epoch}: `;
}

function capital(text: string, prefix: number | undefined): string {
  return prefix === undefined ? text[0].toUpperCase() + text.slice(1) : text;
}

function joined(list: readonly string[]): string {
  return list.length < 2 ? list.join('') : `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
}
