// Captured calls done again: the runs of a capture with other inputs, without a graph.
// Input: a capture (capture.ts) and the storages of its arguments. Output: the storages of all slots.

import type { Capture, Source } from './capture.js';
import { getDevice } from './device-registry.js';
import { clearInterned } from './ir/node.js';
import { formatShape } from './ir/shape.js';
import type { Storage } from './ir/storage.js';
import { noteRun } from './prepare/lost-runs.js';
import { copyOf, executeAll, newOf, programCache } from './program-runs.js';
import type { ProgramRun, ReplayHook } from './recording.js';
import { freeStorage, newStorage } from './storages.js';

/**
 * Does a captured call again, with other inputs. Returns the storages of all slots. A run that fails changes nothing; what runs
 * before it have done stays, as it does where the function is not captured.
 */
export function replay(capture: Capture, inputs: readonly Storage[]): Storage[] {
  const { runs } = capture;
  // They count as used before anything else is compiled, which might throw them out.
  const cache = programCache();
  for (let i = 0; i < runs.length; i++) cache.touch(runs[i].program);
  const slots: Storage[] = [];
  for (let i = 0; i < inputs.length; i++) slots.push(capture.assigned.has(inputs[i]) ? copyOf(inputs[i]) : inputs[i]);
  const made: Storage[] = [];
  for (let i = 0; i < runs.length;) {
    const { number, hooks } = runs[i];
    const prepared: ProgramRun[] = [];
    const advanced: ReplayHook[] = [];
    try {
      for (const hook of hooks) {
        hook.advance();
        advanced.push(hook);
      }
      for (; i < runs.length && runs[i].number === number; i++) {
        const { device, program, offsets, scalars, assigned, inputs: from, outputs: to } = runs[i];
        const given = storagesOf(from, slots, made, capture);
        const outputs = storagesOf(to, slots, made, capture);
        prepared.push({ device, program, inputs: given, offsets, scalars, outputs, assigned });
      }
      executeAll(prepared);
      for (const p of prepared) noteReplay(p, advanced);
    } catch (error) {
      for (const { undo } of advanced.reverse()) undo?.();
      made.forEach(freeStorage);
      throw error;
    }
    for (const { outputs, assigned } of prepared)
      for (let j = 0; j < outputs.length; j++) if (assigned[j]) outputs[j].version++;
  }
  for (const { advance } of capture.hooks) advance();
  capture.replays++;
  clearInterned(); // a loop of replays makes leaves, too, when it reads
  return slots;
}

/** The storages of sources; results that do not exist yet are made, and noted in `made`. */
function storagesOf(sources: readonly Source[], slots: Storage[], made: Storage[], capture: Capture): Storage[] {
  const storages = new Array<Storage>(sources.length);
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (typeof source !== 'number') storages[i] = source;
    else {
      if (slots[source] === undefined) {
        const { device, dtype, shape } = capture.temporaries[source - capture.inputs];
        slots[source] = newStorage(getDevice(device), dtype, shape, `result ${formatShape(shape)}`);
        made.push(slots[source]);
      }
      storages[i] = slots[source];
    }
  }
  return storages;
}

/** On a device that does its runs later, one that fails takes back what was counted. */
function noteReplay(run: ProgramRun, advanced: ReplayHook[]): void {
  if (run.device.progress?.() === undefined) return;
  noteRun(
    run.device,
    () => newOf(run),
    () => {
      for (const { undo } of advanced.splice(0).reverse()) undo?.();
    },
  );
}
