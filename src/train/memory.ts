// How much memory a run has at a moment: what its tensors take on their device, and the process as a whole where there is one.

import { memoryStats } from '../tensor/inspect.js';
import type { TrainingOptimizer } from './options.js';
import type { EpochEvent } from './record.js';

interface Host {
  readonly process?: { memoryUsage?(): { readonly rss: number } };
}

export function memoryInUse({ groups }: TrainingOptimizer): Pick<EpochEvent, 'tensorBytes' | 'processBytes'> {
  const device = groups[0]?.params[0]?.device;
  const processBytes = (globalThis as Host).process?.memoryUsage?.().rss;
  return { tensorBytes: memoryStats(device).usedBytes, ...(processBytes !== undefined && { processBytes }) };
}
