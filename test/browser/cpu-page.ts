// Runs in a browser (page or worker): the CPU runtime with hand-assembled programs. Returns what cpu.test.ts checks.
import { CpuRuntime } from '../../src/engine/device/cpu/runtime.js';
import * as modules from './modules.js';

const NONE = { argumentCount: 0, arenaBytes: 0, scratchBytes: 0 };

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return (error as Error).message.split('\n')[0]!;
  }
}

export async function main(): Promise<unknown> {
  const runtime = new CpuRuntime(globalThis.crossOriginIsolated ? { threads: 3 } : {});
  const { threads } = runtime;
  const options = { shared: runtime.features.shared, maxPages: runtime.maxPages };
  const x = runtime.allocate(4, 'float32', 'x');
  const y = runtime.allocate(4, 'float32', 'y');
  const counter = runtime.allocate(1, 'int32', 'counter');

  // Before any worker has started.
  const square = runtime.load({ ...NONE, bytes: modules.square(options), argumentCount: 3 });
  runtime.upload(x, [1, 2, 3, 4], 'float32');
  square.run(Int32Array.of(x.address, y.address, 4));
  const first = Array.from(await runtime.download(y, 4, 'float32'));

  // Uploads, runs and reuse of freed memory keep their order while work is pending.
  await runtime.whenReady();
  const downloads: Promise<number[]>[] = [];
  for (let i = 0; i < 50; i++) {
    const fresh = runtime.allocate(4, 'float32', 'fresh');
    runtime.upload(fresh, [i, i + 1, i + 2, i + 3], 'float32');
    square.run(Int32Array.of(fresh.address, y.address, 4));
    square.run(Int32Array.of(y.address, fresh.address, 4));
    if (i % 10 === 9) downloads.push(runtime.download(fresh, 4, 'float32').then((data) => Array.from(data)));

    runtime.free(fresh);
  }
  const ordered = await Promise.all(downloads);

  runtime.upload(counter, [0], 'int32');
  const sum = runtime.load({ ...NONE, bytes: modules.sumOverThreads(options), argumentCount: 1 });
  for (let i = 0; i < 100; i++) sum.run(Int32Array.of(counter.address));
  const working = runtime.workingThreads;
  const summed = (await runtime.download(counter, 1, 'int32'))[0];

  // Growing the memory while threads are at work.
  const hole = runtime.allocate(1 << 24, 'float32', 'hole');
  const grown = runtime.allocate(4, 'float32', 'grown');
  square.run(Int32Array.of(x.address, grown.address, 4));
  const afterGrowth = Array.from(await runtime.download(grown, 4, 'float32'));
  runtime.free(hole);

  const record = runtime.load({ ...NONE, bytes: modules.indexError(options), argumentCount: 1 });
  record.run(Int32Array.of(runtime.errorAddress));
  // Where runs are done later, whoever reads next is told, and nothing given before that is run any more.
  square.run(Int32Array.of(y.address, y.address, 4));
  const indexError = await runtime.download(y, 4, 'float32').then(
    () => runtime.takeError(),
    ({ index, size }: { index: number; size: number }) => ({ index, size }),
  );
  const afterIndexError = await runtime.download(counter, 1, 'int32').then((data) => data[0]);

  const trap = runtime.load({ ...NONE, bytes: modules.trapIn(options), argumentCount: 1 });
  const trapped = await messageOf(
    (async () => {
      trap.run(Int32Array.of(threads - 1));
      await new Promise((resolve) => setTimeout(resolve, 50)); // it is over before anybody asks
      await runtime.download(y, 4, 'float32');
    })(),
  );
  square.run(Int32Array.of(x.address, y.address, 4));
  const afterTrap = Array.from(await runtime.download(y, 4, 'float32'));

  const start = performance.now();
  const rounds = 200;
  for (let i = 0; i < rounds; i++) sum.run(Int32Array.of(counter.address));
  const posted = performance.now();
  await runtime.download(counter, 1, 'int32');
  const microseconds = { post: ((posted - start) / rounds) * 1e3, run: ((performance.now() - start) / rounds) * 1e3 };

  await runtime.dispose();
  const disposed = await messageOf(runtime.download(y, 4, 'float32'));
  const limitMb = runtime.memory().limitBytes / 2 ** 20;
  const results = { first, ordered, summed, afterGrowth, indexError, afterIndexError, trapped, afterTrap, disposed };
  return { ...results, threads, working, features: runtime.features, microseconds, limitMb };
}
