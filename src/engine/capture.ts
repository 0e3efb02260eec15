// A recording made ready to be replayed: storages that a replay replaces (arguments, results of its runs) are slots, so that
// nothing of the recorded call is held, and everything else (parameters, state) is the storage itself.
//   Recording → Capture → `replay` with the arguments of a later call → the storages of all slots
// `differenceOf` compares the captures of two calls of one function: what differs is what a replay would have got wrong.

import type { Device, TypedArray } from './device/device.js';
import type { DType } from './ir/dtype.js';
import { sameKey } from './ir/graph/linearise.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape } from './ir/shape.js';
import type { Node } from './ir/node.js';
import { type Storage, standIn } from './ir/storage.js';
import type { Guard, RecordedRun, Recording, ReplayHook } from './recording.js';

/** A storage that stays, or the number of a slot. */
export type Source = Storage | number;

export interface CapturedRun extends Omit<RecordedRun, 'inputs' | 'outputs'> {
  readonly inputs: readonly Source[];
  readonly outputs: readonly Source[];
}

/** A result that each replay makes anew. */
export interface Temporary {
  readonly device: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface Capture {
  readonly runs: readonly CapturedRun[];
  /** Host state that moves on after the last run. */
  readonly hooks: readonly ReplayHook[];
  readonly guards: readonly Guard[];
  /** Slots of inputs come first, then those of temporaries. */
  readonly inputs: number;
  readonly temporaries: readonly Temporary[];
  /** Storages that runs overwrite. */
  readonly assigned: ReadonlySet<Storage>;
  readonly made: ReadonlySet<Storage>;
  /** Why it must not be replayed. */
  readonly obstacle: string | undefined;
  replays: number;
}

/** `inputs` are the storages that stand for what a replay gets, in the order of its slots. */
export function captureOf(
  recording: Recording,
  inputs: readonly Storage[],
): { capture: Capture; slotOf: (storage: Storage) => number | undefined } {
  const slots = new Map<Storage, number>(inputs.map((storage, i) => [storage, i]));
  const temporaries: Temporary[] = [];
  const assigned = new Set<Storage>();
  const source = (storage: Storage): Source => slots.get(storage) ?? storage;
  const runs: CapturedRun[] = [];
  for (const run of recording.runs) {
    const sources = run.inputs.map(source);
    run.outputs.forEach((storage, i) => {
      if (run.assigned[i]) assigned.add(storage);
      else {
        slots.set(storage, inputs.length + temporaries.length);
        const { device, dtype, shape } = storage;
        temporaries.push({ device, dtype, shape });
      }
    });
    const { hooks, number, device, program, offsets, scalars } = run;
    const outputs = run.outputs.map(source);
    runs.push({ hooks, number, device, program, offsets, scalars, inputs: sources, outputs, assigned: run.assigned });
  }
  const { hooks, guards, made, obstacle } = recording;
  const capture: Capture = {
    runs,
    hooks,
    guards,
    inputs: inputs.length,
    temporaries,
    assigned,
    made,
    obstacle,
    replays: 0,
  };
  for (const [storage, slot] of slots) {
    if (slot < inputs.length) continue;
    storage.expired = expiring(capture);
  }
  return { capture, slotOf: (storage) => slots.get(storage) };
}

/** Made where nothing but the capture can be held by it. */
function expiring(capture: { readonly replays: number }): () => string | undefined {
  return () => (capture.replays > 0 ? EXPIRED : undefined);
}

const EXPIRED =
  'this value was computed inside a compiled function, and a later call has been replayed without renewing it. ' +
  'Return it from the function.';

/** Whether the old call made state that the fresh one uses: it began something, and a later one is to be compared with. */
export function beganState(old: Capture, fresh: Capture): boolean {
  const isOld = (source: Source): boolean => typeof source !== 'number' && old.made.has(source);
  return fresh.runs.some(({ inputs, outputs }) => inputs.some(isOld) || outputs.some(isOld));
}

/** What a fresh capture of the same function does otherwise; undefined if a replay would have done the same. */
export async function differenceOf(old: Capture, fresh: Capture): Promise<string | undefined> {
  if (fresh.obstacle !== undefined) return fresh.obstacle;
  if (old.runs.length !== fresh.runs.length)
    return `it made ${old.runs.length} runs and makes ${fresh.runs.length} now`;
  for (let i = 0; i < old.runs.length; i++) {
    const [a, b] = [old.runs[i], fresh.runs[i]];
    if (a.device !== b.device || !sameKey(a.program.key, b.program.key)) return 'it computes something else now';
    for (let j = 0; j < a.scalars.length; j++) {
      const text = differentNumber(a.scalars[j], b.scalars[j]);
      if (text !== undefined) return text;
    }
    for (let j = 0; j < a.inputs.length; j++) {
      if ((a.offsets?.[j] ?? 0) !== (b.offsets?.[j] ?? 0)) return 'it reads another part of a tensor now';
      const text = await differentSource(a.inputs[j], b.inputs[j], old, fresh);
      if (text !== undefined) return text;
    }
    for (let j = 0; j < a.outputs.length; j++) {
      if (a.outputs[j] !== b.outputs[j]) return 'it overwrites another tensor now';
    }
  }
  return undefined;
}

function differentNumber(a: ScalarSource, b: ScalarSource): string | undefined {
  if (a.isDrawn || b.isDrawn) return undefined;
  const [was, is] = [a, b].map((source) => (source.get === undefined ? source.value : source.get()));
  if (Object.is(was, is)) return undefined;
  return `a number that it reads from outside was ${was} and is ${is} now (let it ask with scalarTensor(() => number))`;
}

async function differentSource(a: Source, b: Source, old: Capture, fresh: Capture): Promise<string | undefined> {
  if (a === b) return undefined;
  if (typeof a === 'number' || typeof b === 'number') return 'it uses its arguments otherwise now';
  const what = a.name ?? `a ${a.dtype} tensor ${formatShape(a.shape)}`;
  if (!old.made.has(a) || !fresh.made.has(b)) return `${what} that it reads from outside is another one now`;
  if (sameNumbers(await numbersOf(a), await numbersOf(b))) return undefined;
  return `${what} that it makes from numbers of JavaScript has other numbers now`;
}

function numbersOf({ owner, buffer, size, dtype }: Storage): Promise<TypedArray> {
  return (owner as Device).download(buffer, size, dtype);
}

function sameNumbers(a: TypedArray, b: TypedArray): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** The storage of a computed result, for a tensor that is handed out: what else stands for the node may expire, it may not. */
export function handOver(node: Node): Storage {
  const storage = node.storage as Storage;
  const stand = standIn(storage);
  const { expired } = storage;
  stand.expired = () =>
    storage.buffer === null ? 'this value was freed. Do not use a tensor after its dispose.' : expired?.();
  node.storage = stand;
  storage.expired = undefined;
  return storage;
}
