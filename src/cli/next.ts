// What to type after a run: commands that exist for this very run and lead somewhere. Facts in, command lines out.

import { dirname, normalize } from 'node:path';
import type { Settings } from '../train/index.js';
import { RUNS } from './run-folder.js';
import { commandLine, shortest } from './self.js';
import { isPath } from './trust.js';

export interface RunEnd {
  /** A preset's name, or the path of a file. */
  readonly run: string;
  readonly settings: Settings;
  readonly defaults: Settings;
  readonly folder: string;
  readonly hasDiverged: boolean;
  /** It went on to its planned end. */
  readonly isComplete: boolean;
  /** At least one epoch is finished. */
  readonly hasWeights: boolean;
  readonly hasTest: boolean;
  readonly hasValidation: boolean;
  readonly hasPredictor: boolean;
}

export interface Suggestion {
  readonly command: string;
  /** What it is for, in a few words. */
  readonly what: string;
}

/** The most useful one first. */
export function nextCommands(end: RunEnd): Suggestion[] {
  const { run, folder, hasTest, hasValidation, hasPredictor, hasWeights } = end;
  const name = isPath(run) ? shortest(run) : run;
  const definition = isPath(run) ? ['--definition', name] : [];
  // what is not said is the latest run directly below runs/
  const isLatest = dirname(normalize(folder)) === RUNS;
  if (end.hasDiverged) return [...afterDivergence(end, name, isLatest)];
  const weights = isLatest ? [] : ['--weights', folder];
  const suggestions: Suggestion[] = [];
  if (hasTest)
    suggestions.push({ command: commandLine('predict', ...weights, ...definition, '--test'), what: 'test it again' });
  else if (hasWeights && hasValidation)
    suggestions.push({
      command: commandLine('eval', folder, '--on', 'validation', ...definition),
      what: 'measure it again',
    });
  if (hasPredictor && !hasTest)
    suggestions.push({ command: commandLine('predict', ...weights, ...definition), what: 'use it' });
  suggestions.push({ command: commandLine('curves', ...(isLatest ? [] : [folder])), what: 'see how it learned' });
  const { epochs } = end.settings;
  if (end.isComplete && typeof epochs === 'number') {
    const file = isPath(run) ? [name] : [];
    const longer = String(2 * epochs);
    suggestions.push({ command: commandLine('train', ...file, '--resume', folder, '--epochs', longer), what: 'go on' });
  }
  return suggestions;
}

function afterDivergence({ settings, defaults, folder }: RunEnd, name: string, isLatest: boolean): Suggestion[] {
  const doctor = { command: commandLine('doctor', ...(isLatest ? [] : [folder])), what: 'find out why' };
  const { lr } = settings;
  const changed = Object.entries(settings)
    .filter(([key, value]) => key !== 'lr' && value !== (defaults[key] ?? (key === 'seed' ? 0 : undefined)))
    .flatMap(([key, value]) => ['--set', `${key}=${String(value)}`]);
  if (typeof lr !== 'number') return [doctor];
  const lower = String(Number((lr / 10).toPrecision(3)));
  return [
    doctor,
    { command: commandLine('lr-find', name, ...changed), what: 'find a rate that works' },
    { command: commandLine('train', name, '--lr', lower, ...changed), what: 'try a tenth of the rate' },
  ];
}
