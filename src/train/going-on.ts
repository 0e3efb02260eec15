// What is said of a run that goes on otherwise than it began: with other data or options, or to another end.

import type { TrainerOptions } from './options.js';
import type { NoticeEvent } from './record.js';
import { type RunTraits, differences, traitsOf } from './traits.js';
import type { Watch } from './watch.js';

/** How a run began that goes on now; undefined where that is not known, or it has not gone on. */
export interface Beginning {
  /** Epochs that it was planned for. */
  readonly planned: number | undefined;
  readonly traits: RunTraits | undefined;
}

/** What has changed since, in notices of update `step`. Where a run is to go on that had run out of patience, patience begins anew. */
export function noticesOfChange(
  options: TrainerOptions,
  { planned, traits }: Beginning,
  stopping: Watch | undefined,
  step: number,
): NoticeEvent[] {
  const texts = {
    'patience-renewed': renewPatience(options, planned, stopping),
    'other-end': otherEnd(options, planned),
    'resumed-differently': otherTraits(options, traits),
  };
  return Object.entries(texts).flatMap(([code, text]) =>
    text === undefined ? [] : [{ event: 'notice', step, code, text }],
  );
}

/** Who asks for more epochs of a run that had run out of patience wants it to go on: the best stays. */
function renewPatience(
  { epochs, earlyStopping }: TrainerOptions,
  planned: number | undefined,
  stopping: Watch | undefined,
): string | undefined {
  const patience = earlyStopping?.patience ?? 10;
  if (stopping === undefined || planned === undefined || epochs === undefined || epochs <= planned) return undefined;
  if (stopping.bad < patience) return undefined;
  stopping.bad = 0;
  return `the run had ended because nothing improved for ${patience} epochs; it goes on to epoch ${epochs}, and patience begins anew.`;
}

/** A schedule goes over the whole run: with another end, rates are not those that the run was planned with. */
function otherEnd({ epochs, schedule }: TrainerOptions, planned: number | undefined): string | undefined {
  if (planned === undefined || epochs === undefined || planned === epochs || schedule === undefined) return undefined;
  return `the run goes on to epoch ${epochs}, it was planned for ${planned}; from here on the learning rate is that of a run of ${epochs} epochs.`;
}

function otherTraits(options: TrainerOptions, traits: RunTraits | undefined): string | undefined {
  const changed = traits === undefined ? [] : differences(traits, traitsOf(options));
  if (changed.length === 0) return undefined;
  return `the run goes on differently than it began (${changed.join('; ')}): its numbers are not those of an unbroken run.`;
}
