// Copies of one model on all processes: what makes them equal at the start.

import type { Module } from '../nn/module.js';
import { formatShape, overwriteMemory, runPending } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { DistributedError } from './error.js';
import type { World } from './world.js';

/** The numbers of tensors as process `root` has them, on all processes. They are stored ones, and nothing waits for them. */
export function broadcastInPlace(world: World, tensors: Iterable<AnyTensor>, op: string, root = 0): void {
  runPending();
  for (const t of tensors) {
    const isSeen = overwriteMemory(t, (bytes) => {
      const PART = 1 << 30;
      for (let at = 0; at < bytes.length; at += PART) {
        const out = bytes.subarray(at, at + PART);
        world.now({ kind: 'broadcast', out, count: out.length, element: 'byte', root, label: `${op}: broadcast` });
      }
    });
    if (!isSeen)
      throw new DistributedError(
        `${op}: ${String(t)} is on '${t.device}', whose memory other processes cannot be given. Train on 'cpu'.`,
        world.rank,
      );
  }
}

/** Throws unless all processes have the same state; then process 0's is that of all. */
export function makeEqual(world: World, model: Module, op: string): void {
  const state = Object.entries(model.stateDict());
  world.agree(op, {
    'the number of parameters and buffers': `${state.length}`,
    ...Object.fromEntries(state.map(([name, t]) => [name, `${t.dtype} ${formatShape(t.shape)}`])),
  });
  broadcastInPlace(world, new Set(state.map(([, t]) => t)), op);
}
