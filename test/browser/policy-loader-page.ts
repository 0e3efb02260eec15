// Runs in a browser that forbids workers made by scripts: a DataLoader that wants some.

import { DataLoader, workerDataset } from 'nabla/data';

interface Made {
  readonly length: number;
  get(index: number): number;
}

export async function main(): Promise<Record<string, unknown>> {
  const dataset = await workerDataset<{ readonly default: () => Made }>(new URL('/dataset.js', location.href));
  try {
    for await (const batch of new DataLoader(dataset, { batchSize: 2, workers: 1 })) void batch;
    return { message: 'no error' };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}
