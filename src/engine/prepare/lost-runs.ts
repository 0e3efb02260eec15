// Runs of devices that do them later (a browser page, whose threads are workers): when one of them fails, the page has
// gone on as if it and those after it had been done. What a run has counted and handed out is remembered until it is
// known to be done; if it never will be, counts go back, and its results throw the reason when they are used.
// Input: runs as they are given. It must not know what a run computes.

import type { Device } from '../device/device.js';
import type { Storage } from '../ir/storage.js';

interface Given {
  readonly run: number;
  /** Results are not kept alive for this. */
  readonly results: readonly WeakRef<Storage>[];
  readonly undo: () => void;
}

const given = new WeakMap<Device, Given[]>();

function listOf(device: Device): Given[] {
  let list = given.get(device);
  if (list !== undefined) return list;
  given.set(device, (list = []));
  device.onLostRuns?.((first, error) => {
    const all = listOf(device);
    const lost = all.filter(({ run }) => run >= first);
    all.length = 0; // earlier ones are done
    for (const { results, undo } of lost.reverse()) {
      undo();
      for (const result of results) {
        const storage = result.deref();
        if (storage !== undefined) storage.failure = error;
      }
    }
  });
  return list;
}

/** The last run given to the device has these results; `undo` takes back what was counted with it. */
export function noteRun(device: Device, results: () => readonly Storage[], undo: () => void): void {
  const progress = device.progress?.();
  if (progress === undefined) return;
  const list = listOf(device);
  let settled = 0;
  while (settled < list.length && list[settled].run <= progress.done) settled++;
  list.splice(0, settled);
  if (progress.given > progress.done)
    list.push({ run: progress.given, results: results().map((s) => new WeakRef(s)), undo });
}
