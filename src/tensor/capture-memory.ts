// What a capture holds between its replays. It was recorded with the tensors of one call; each replay puts others in the
// place of arguments and results. So of those only what tells them apart has to stay, not their numbers: a function that
// is captured for many shapes would keep the memory of every first call.
// Input: a recording and the storages that replays replace. Output: the same with stand-ins that have no memory.

import type { Recording } from '../engine/engine.js';
import type { Storage } from '../engine/ir/storage.js';

export interface Light {
  readonly recording: Recording;
  /** What stands for a storage of the recording. */
  of(storage: Storage): Storage;
}

export function withoutBuffers(recording: Recording, replaced: Iterable<Storage>): Light {
  const standIns = new Map<Storage, Storage>();
  for (const storage of replaced) standIns.set(storage, { ...storage, buffer: null, owner: undefined });
  // What is overwritten in place is the same at every replay.
  for (const { outputs, assigned } of recording.runs) outputs.forEach((s, i) => assigned[i] && standIns.delete(s));
  const of = (storage: Storage): Storage => standIns.get(storage) ?? storage;
  const runs = recording.runs.map((r) => ({ ...r, inputs: r.inputs.map(of), outputs: r.outputs.map(of) }));
  return { recording: { ...recording, runs }, of };
}
