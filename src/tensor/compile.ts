// compile(fn): runs a function once, records what the engine did, and from then on replays it for inputs of the same
// shapes, without building the graph again. In-place updates (an optimiser's step), random draws and numbers that are
// asked anew (learning rates) are part of the recording.
// What cannot be recorded is said with a CaptureError: reading a value inside the function.

import {
  type Recording,
  isRecording,
  isReplayable,
  record,
  replayRun,
  rest,
  run,
  storageLike,
  storageOf,
} from '../engine/engine.js';
import * as build from '../engine/ir/build.js';
import { CaptureError } from '../engine/ir/errors.js';
import type { Storage } from '../engine/ir/storage.js';
import { withoutBuffers } from './capture-memory.js';
import { type AnyTensor, Tensor, wrap, wrapStorage } from './tensor.js';

type Argument = AnyTensor | number;
type Result = AnyTensor | readonly AnyTensor[] | Readonly<Record<string, AnyTensor>> | void;

interface Captured {
  readonly recording: Recording;
  readonly placeholders: readonly (Storage | { value: number })[];
  readonly results: readonly Storage[];
  /** Puts result tensors into the form that the function returned. */
  readonly rebuild: (tensors: AnyTensor[]) => Result;
  /** Storages that each replay makes anew: results of its runs. */
  readonly temporary: ReadonlySet<Storage>;
}

export interface CompiledFunction<A extends readonly Argument[], R extends Result> {
  (...args: A): Promise<R>;
  /** How many shapes have been captured so far. */
  readonly captures: number;
}

function keyOf(args: readonly Argument[]): string {
  return args
    .map((a) => {
      if (typeof a === 'number') return 'number';
      if (!(a instanceof Tensor))
        throw new CaptureError('compile: arguments are tensors and numbers. Pass everything else through a closure.');
      return `${a.dtype}${a.device}[${a.shape.join()}]${a.requiresGrad ? 'g' : ''}`;
    })
    .join(';');
}

/**
 * A function that is captured at its first call for each combination of argument shapes, and replayed afterwards.
 * Takes tensors and numbers; returns a tensor, an array or a record of tensors, or nothing.
 *
 *     const step = compile(async (x, y) => {
 *       optimizer.zeroGrad();
 *       const loss = crossEntropy(model.forward(x), y);
 *       loss.backward();
 *       await optimizer.step();
 *       return loss;
 *     });
 *
 * Tensors that the function reads from outside, other than parameters and state that are updated in place, keep the
 * value they had at the capture.
 */
export function compile<A extends readonly Argument[], R extends Result>(
  fn: (...args: A) => R | Promise<R>,
): CompiledFunction<A, R> {
  const captured = new Map<string, Captured>();
  const call = async (...args: A): Promise<R> => {
    if (isRecording()) return fn(...args);
    const key = keyOf(args);
    const known = captured.get(key);
    if (known !== undefined && isReplayable(known.recording)) return (await replay(known, args)) as R;
    const { capture, result } = await captureCall(
      fn as unknown as (...args: Argument[]) => Result | Promise<Result>,
      args,
    );
    // What is not used for long loses its programs, and then its capture.
    for (const [other, { recording }] of captured)
      if (recording.runs.some((r) => r.program.isDisposed)) captured.delete(other);
    captured.set(key, capture);
    return result as R;
  };
  return Object.defineProperty(call, 'captures', { get: () => captured.size }) as CompiledFunction<A, R>;
}

/** The tensor's storage, computed first where it is not there yet. */
function inputStorage(t: AnyTensor): Storage {
  return t.storage ?? storageOf(t.node);
}

async function captureCall(
  fn: (...args: Argument[]) => Result | Promise<Result>,
  args: readonly Argument[],
): Promise<{ capture: Captured; result: Result }> {
  run([]); // what waits from before is not part of the step
  const placeholders = args.map((a) => (typeof a === 'number' ? { value: a } : inputStorage(a)));
  const inputs = args.map((a, i): Argument => {
    const p = placeholders[i];
    if (!('id' in p)) return scalarOf(p);
    return a instanceof Tensor && a.isLeaf ? a : wrapStorage(p);
  });
  const { result: done, recording } = await record(async () => {
    const result = await fn(...inputs);
    const { tensors, rebuild } = takeApart(result);
    run(tensors.map((t) => t.node));
    return { result, tensors, rebuild, storages: tensors.map((t) => inputStorage(t)) };
  });
  const temporary = new Set<Storage>();
  for (const r of recording.runs) r.outputs.forEach((s, i) => !r.assigned[i] && temporary.add(s));
  const light = withoutBuffers(recording, [...placeholders.filter((p) => 'id' in p), ...temporary]);
  const capture = {
    recording: light.recording,
    placeholders: placeholders.map((p) => ('id' in p ? light.of(p) : p)),
    results: done.storages.map(light.of),
    rebuild: done.rebuild,
    temporary: new Set([...temporary].map(light.of)),
  };
  return { capture, result: done.result };
}

/** A number argument: a rank-0 tensor whose value is whatever the placeholder holds at the run. */
function scalarOf(placeholder: { value: number }): AnyTensor {
  return wrap(build.scalar({ value: placeholder.value, get: () => placeholder.value }));
}

function takeApart(result: Result): { tensors: AnyTensor[]; rebuild: (tensors: AnyTensor[]) => Result } {
  if (result === undefined) return { tensors: [], rebuild: () => undefined };
  if (result instanceof Tensor) return { tensors: [result], rebuild: ([t]) => t };
  const isTensor = (t: unknown): t is AnyTensor => t instanceof Tensor;
  if (Array.isArray(result) && result.every(isTensor))
    return { tensors: [...(result as AnyTensor[])], rebuild: (tensors) => tensors };
  if (typeof result === 'object' && result !== null && Object.values(result).every(isTensor)) {
    const keys = Object.keys(result);
    const rebuild = (tensors: AnyTensor[]) => Object.fromEntries(keys.map((k, i) => [k, tensors[i]]));
    return { tensors: Object.values(result as Record<string, AnyTensor>), rebuild };
  }
  throw new CaptureError(
    'compile: the function returned something other than a tensor, an array or a record of tensors. Return tensors and read them outside.',
  );
}

async function replay(captured: Captured, args: readonly Argument[]): Promise<Result> {
  run([]);
  const { recording, placeholders, temporary } = captured;
  const mapped = new Map<Storage, Storage>();
  args.forEach((a, i) => {
    const p = placeholders[i];
    if ('id' in p) mapped.set(p, inputStorage(a as AnyTensor));
    else p.value = a as number;
  });
  const substitute = (storage: Storage): Storage => {
    const known = mapped.get(storage);
    if (known !== undefined) return known;
    if (!temporary.has(storage)) return storage;
    const fresh = storageLike(storage);
    mapped.set(storage, fresh);
    return fresh;
  };
  for (const hook of recording.hooks) hook();
  for (const r of recording.runs) replayRun(r, substitute);
  await rest();
  return captured.rebuild(captured.results.map((s) => wrapStorage(substitute(s))));
}
