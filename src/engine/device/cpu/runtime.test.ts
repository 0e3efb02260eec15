// The runtime of the CPU device with hand-assembled programs: threads, order, failures, memory.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import * as modules from '../../../../test/browser/modules.js';
import { DeviceError, InternalError, OutOfMemoryError } from '../../ir/errors.js';
import { type CpuOptions, CpuRuntime } from './runtime.js';

let runtime: CpuRuntime;

async function start(options: CpuOptions, ready = true): Promise<CpuRuntime> {
  runtime = new CpuRuntime(options);
  if (ready) await runtime.whenReady();
  return runtime;
}

afterEach(() => runtime?.dispose());

const NONE = { argumentCount: 0, arenaBytes: 0, scratchBytes: 0 };
const moduleOptions = (): modules.ModuleOptions => ({ shared: runtime.features.shared, maxPages: runtime.maxPages });

async function squareOf(values: number[]): Promise<number[]> {
  const x = runtime.allocate(values.length, 'float32', 'x');
  const y = runtime.allocate(values.length, 'float32', 'y');
  runtime.upload(x, values, 'float32');
  const program = runtime.load({ ...NONE, bytes: modules.square(moduleOptions()), argumentCount: 3 });
  program.run(Int32Array.of(x.address, y.address, values.length));
  const result = Array.from(await runtime.download(y, values.length, 'float32'));
  program.dispose();
  runtime.free(x);
  runtime.free(y);
  return result;
}

describe.each([{ threads: 1, shared: false }, { threads: 1 }, { threads: 2 }, { threads: 5 }] satisfies CpuOptions[])(
  '%o',
  (options) => {
    test('a program computes, and its buffers can be used again', async () => {
      await start(options);
      expect(runtime.workingThreads).toBe(options.threads);
      for (let i = 0; i < 3; i++) expect(await squareOf([1, 2, 3, -4, 5, 6, i])).toEqual([1, 4, 9, 16, 25, 36, i * i]);
      expect(runtime.features).toEqual({ simd: true, relaxed: true, shared: options.shared ?? true });
    });

    test('every dtype comes back as it went in', async () => {
      await start(options);
      const buffer = runtime.allocate(3, 'bool', 'b');
      runtime.upload(buffer, [0, 2, NaN], 'bool');
      expect(await runtime.download(buffer, 3, 'bool')).toEqual(Uint8Array.of(0, 1, 1));
      runtime.upload(buffer, [-1, 2 ** 31 - 1, 7], 'int32');
      expect(await runtime.download(buffer, 3, 'int32')).toEqual(Int32Array.of(-1, 2 ** 31 - 1, 7));
      runtime.upload(buffer, Float64Array.of(0.5, -0, 1e-40), 'float32');
      expect(await runtime.download(buffer, 2, 'float32')).toEqual(Float32Array.of(0.5, -0));
      expect((await runtime.download(runtime.allocate(0, 'float32', 'none'), 0, 'float32')).length).toBe(0);
      expect(() => runtime.upload(buffer, [1, 2, 3, 4], 'int32')).toThrow('upload: 4 numbers do not fit');
    });

    test('a kernel can report an index error', async () => {
      await start(options);
      const program = runtime.load({ ...NONE, bytes: modules.indexError(moduleOptions()), argumentCount: 1 });
      expect(runtime.takeError()).toBeUndefined();
      program.run(Int32Array.of(runtime.errorAddress));
      expect(runtime.takeError()).toEqual({ node: 7, index: 12, size: 10 });
      expect(runtime.takeError()).toBeUndefined();
    });

    test('the wrong number of arguments, use after disposal', async () => {
      await start(options);
      const program = runtime.load({ ...NONE, bytes: modules.square(moduleOptions()), argumentCount: 3 });
      expect(() => program.run(Int32Array.of(1))).toThrow(DeviceError);
      program.dispose();
      program.dispose();
      expect(() => program.run(Int32Array.of(1, 2, 3))).toThrow('after its disposal');
      await runtime.dispose();
      expect(() => runtime.allocate(1, 'float32', 'x')).toThrow('has been disposed');
    });

    test('bytes that are no module are a fault of ours, and the next program runs', async () => {
      await start(options);
      const bytes = modules.square(moduleOptions());
      bytes[bytes.length - 2] = 0xff;
      expect(() => runtime.load({ ...NONE, bytes, argumentCount: 3 })).toThrow(InternalError);
      expect(await squareOf([3])).toEqual([9]);
    });
  },
);

describe('threads', () => {
  test.each([2, 4])('all %d take part', async (threads) => {
    await start({ threads });
    const sum = runtime.allocate(1, 'int32', 'sum');
    runtime.upload(sum, [0], 'int32');
    const program = runtime.load({ ...NONE, bytes: modules.sumOverThreads(moduleOptions()), argumentCount: 1 });
    const runs = 2000;
    for (let i = 0; i < runs; i++) program.run(Int32Array.of(sum.address));
    expect(await runtime.download(sum, 1, 'int32')).toEqual(Int32Array.of((runs * threads * (threads + 1)) / 2));
  });

  test('arena, private scratch, barriers; asleep or awake', async () => {
    const threads = 3;
    await start({ threads });
    const out = runtime.allocate(1, 'int32', 'out');
    const bytes = modules.stages(moduleOptions());
    const program = runtime.load({ bytes, argumentCount: 2, arenaBytes: 64, scratchBytes: 100 });
    const larger = runtime.load({ bytes, argumentCount: 2, arenaBytes: 1 << 20, scratchBytes: 1 << 16 });
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      (i % 2 ? program : larger).run(Int32Array.of(out.address, i));
      expect(runtime.read(out, 1, 'int32')[0]).toBe(3 + threads * i);
    }
  });

  test('the first runs do not wait for threads to start', async () => {
    await start({ threads: 2 }, false);
    const sum = runtime.allocate(1, 'int32', 'sum');
    runtime.upload(sum, [0], 'int32');
    const program = runtime.load({ ...NONE, bytes: modules.sumOverThreads(moduleOptions()), argumentCount: 1 });
    program.run(Int32Array.of(sum.address));
    expect(runtime.read(sum, 1, 'int32')[0]).toBe(1);
    await runtime.whenReady();
    program.run(Int32Array.of(sum.address));
    expect(runtime.read(sum, 1, 'int32')[0]).toBe(1 + 3);
    // Programs that never ran with all threads can be dropped, too.
    runtime.load({ ...NONE, bytes: modules.nothing(moduleOptions()) }).dispose();
  });

  test('threads see memory that has grown since they started', async () => {
    await start({ threads: 2 });
    const hole = runtime.allocate(100 << 20, 'float32', 'hole');
    expect(await squareOf([5, 6, 7])).toEqual([25, 36, 49]);
    expect(runtime.memory().reservedBytes).toBeGreaterThan(400 << 20);
    runtime.free(hole);
  });

  test('addresses beyond 2 GiB', async () => {
    await start({ threads: 2 });
    runtime.allocate(2.2 * 2 ** 28, 'float32', 'hole');
    const far = runtime.allocate(1, 'float32', 'far');
    expect(far.address).toBeGreaterThan(2 ** 31);
    expect(await squareOf([5, 6, 7])).toEqual([25, 36, 49]);
  });

  test.each([0, 1, 2])('a trap in thread %d is an error, not a hang, and the next program runs', async (tid) => {
    await start({ threads: 3 });
    const program = runtime.load({ ...NONE, bytes: modules.trapIn(moduleOptions()), argumentCount: 1 });
    for (let i = 0; i < 5; i++) {
      expect(() => program.run(Int32Array.of(tid))).toThrow(`thread ${tid} of 3 stopped: RuntimeError: unreachable`);
      program.run(Int32Array.of(-1));
      expect(await squareOf([3, 4])).toEqual([9, 16]);
    }
  });
});

test('out of memory names the tensor and leaves the runtime usable', async () => {
  await start({ threads: 2, heapBytes: 8 << 20 });
  const first = runtime.allocate(1 << 20, 'float32', 'first');
  const attempt = (): unknown => runtime.allocate(1 << 20, 'float32', 'weight');
  expect(attempt).toThrow(OutOfMemoryError);
  expect(attempt).toThrow(
    /^allocate: tensor weight of 4194304 bytes does not fit: \d+ of 8388608 bytes are in use\. Use/,
  );
  const bytes = modules.nothing(moduleOptions());
  expect(() => runtime.load({ ...NONE, bytes, arenaBytes: 1 << 23 })).toThrow(/^allocate: the arena .* does not fit/);
  expect(await squareOf([3])).toEqual([9]);
  runtime.free(first);
  runtime.free(first);
  attempt();
});

test('options that make no sense', () => {
  expect(() => new CpuRuntime({ threads: 0 })).toThrow('cpu: 0 is no number of threads');
  expect(() => new CpuRuntime({ heapBytes: -1 })).toThrow('cpu: -1 is no size of a heap');
});

test('many programs loaded and disposed leave nothing on the heap', async () => {
  await start({ threads: 2 });
  await squareOf([1]);
  const { usedBytes, buffers } = runtime.memory();
  for (let i = 0; i < 200; i++) await squareOf([i]);
  expect(runtime.memory()).toMatchObject({ usedBytes, buffers });
});

// The published code is plain JavaScript, bundled and minified by some: the threads' program must survive that.
test.each([{ minify: false }, { minify: true, keepNames: true }])(
  'bundled with %o: computes with workers, and the process ends by itself while they live',
  async (how) => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { CpuRuntime } from './runtime.ts';
          import { sumOverThreads } from '../../../../test/browser/modules.ts';
          const runtime = new CpuRuntime({ threads: 3 });
          await runtime.whenReady();
          const sum = runtime.allocate(1, 'int32', 'sum');
          runtime.upload(sum, [0], 'int32');
          const bytes = sumOverThreads({ shared: true, maxPages: runtime.maxPages });
          runtime.load({ bytes, argumentCount: 1, arenaBytes: 0, scratchBytes: 0 }).run(Int32Array.of(sum.address));
          console.log(runtime.workingThreads, (await runtime.download(sum, 1, 'int32'))[0]);`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        loader: 'ts',
      },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      ...how,
    });
    const code = outputFiles[0]!.text;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module'], {
      input: code,
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: '3 6\n', stderr: '', status: 0 });
  },
);
