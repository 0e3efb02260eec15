// Runs in a browser: settings made by the page itself.

import { configure, devices, disposeDevices, memoryStats, tensor } from 'nabla';

function messageOf(work: () => void): string {
  try {
    work();
    return 'no error';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const read = async (): Promise<unknown[]> => {
  const sum = await tensor([1, 2, 3]).sum().item();
  const details = devices().find(({ name }) => name === 'cpu')?.details;
  return [sum, details?.['threads'], memoryStats().limitBytes / 2 ** 20];
};

export async function main(): Promise<Record<string, unknown>> {
  configure({ threads: 2, heapMB: 128 });
  const first = await read();
  const late = messageOf(() => configure({ threads: 1 }));
  await disposeDevices();
  configure({ threads: 1 });
  const second = await read();
  return { first, late, second };
}
