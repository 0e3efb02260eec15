// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates) and has one program computed for all of it (program-runs.ts), or nothing where that fails; what waits
// belongs to the recorded call that asked for it (recording.ts). Captured calls are done again by replay.ts.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import type { TypedArray } from './device/device.js';
import { getDefaultDevice, getDevice, isCurrent, takeDevices } from './device-registry.js';
import { CaptureError, OutOfMemoryError } from './ir/errors.js';
import { leaf } from './ir/build.js';
import { checkExpired, isMadeOfNumbers, linearise } from './ir/graph/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import { standsForSamples } from './ir/placeholder.js';
import type { Storage } from './ir/storage.js';
import { crossing } from './prepare/crossing.js';
import { noteRun } from './prepare/lost-runs.js';
import { type Dropped, type Part, type Unit, type Update, describeDropped, partsOf } from './prepare/parts.js';
import { portions } from './prepare/portions.js';
import { type Job, type Prepared, copyOf, executeAll, newOf, prepare, programCache } from './program-runs.js';
import { countRun } from './prepare/recomputed.js';
import { type Recording, belongsTo, currentRecording, isRecording } from './recording.js';
import { bufferOf, collect, firstValues, freeStorage, goneError, restIfDue } from './storages.js';

export {
  deviceNames,
  getDefaultDevice,
  getDevice,
  getEnvironment,
  registerDevice,
  setDefaultDevice,
} from './device-registry.js';
export { type Configuration, configure } from './configure.js';
export { type EngineStats, engineStats, programCache } from './program-runs.js';
export { replay } from './replay.js';
export { emptyStorage, freeStorage, partOf, rest, restIfDue, settle, storageFrom, storageLater } from './storages.js';

/** A tensor's storage that will be overwritten by `value` at the next run. */
interface PendingAssign extends Update {
  /** Tells the tensor that the update was made, or dropped; `left` is what it waits for from now on. */
  readonly settle: (left: Node | undefined) => void;
  /** The recorded call that it is part of. */
  readonly recording: Recording | undefined;
}

/** Ends the threads of all devices and forgets their programs; tensors on them can no longer be read. */
export async function disposeDevices(): Promise<void> {
  programCache().clear();
  pending.clear(); // what waits for the next run was to be computed on them
  kept.clear();
  await Promise.all(takeDevices().map((d) => d.dispose()));
}

// ---------------------------------------------------------------- running

const kept = new Map<Node, Recording | undefined>();
const pending = new Map<Storage, PendingAssign>();

/** Computes `node` together with the next run, so that it can be read after an update. */
export function keep(node: Node): void {
  // What a function that is traced keeps is nobody's: it is made again for all samples.
  if (node.storage !== undefined || node.op === 'leaf' || standsForSamples(node)) return;
  kept.set(node, currentRecording());
}

/**
 * Has the next run, which makes the updates that wait by then, keep what it computes on the way and `later` needs as well: another run
 * computes that. Nobody need have asked for it, so it is left alone where it fails.
 */
export function keepFor(later: readonly Node[]): void {
  if (later.length === 0) return;
  const recording = currentRecording();
  const own = (owner: Recording | undefined): boolean => belongsTo(owner, recording);
  const first = [...pending.values()].flatMap((a) => (own(a.recording) ? [a.value] : []));
  for (const [node, owner] of kept) if (own(owner)) first.push(node);
  for (const node of crossing(first, later)) keep(node);
}

/** Overwrites `storage` with `value` at the next run; a later assign of the same storage replaces this one. */
export function assignLater(storage: Storage, value: Node, settle: (left: Node | undefined) => void): void {
  // Found here and not at the next run, which may be anybody's.
  if (!isCurrent(storage.owner, storage.device)) throw goneError(storage, 'assign_');
  if (firstValues.has(storage) && firstValues.get(storage) === undefined) firstValues.set(storage, value);
  const recording = currentRecording();
  for (const stand of recording?.stands.get(storage) ?? []) stand.overwritten?.();
  pending.set(storage, { storage, value, unit: currentUnit, settle, recording });
}

let currentUnit: Unit | undefined;

/** The updates that `body` asks for are one: made all, or none. If it throws, none of them is left. */
export function inUnit(body: () => void): Unit {
  if (currentUnit !== undefined) {
    body();
    return currentUnit;
  }
  const unit: Unit = { undo: [] };
  currentUnit = unit;
  try {
    body();
  } catch (error) {
    drop({ roots: [], assigns: [...pending.values()].filter((a) => a.unit === unit) }, [unit]);
    throw error;
  } finally {
    currentUnit = undefined;
  }
  return unit;
}

/** Takes back what was counted in JavaScript, if the unit in the making is dropped. */
export function undoWithUnit(undo: () => void): void {
  currentUnit?.undo.push(undo);
}

const dropListeners: ((dropped: Dropped) => void)[] = [];

/** Tells `listener` of what was asked for, could not be computed and is forgotten. */
export function whenDropped(listener: (dropped: Dropped) => void): void {
  dropListeners.push(listener);
}

/**
 * Computes the wanted nodes, everything kept, and all pending assigns, as one program per device: all of it or nothing.
 * If that fails, each part of it that has nothing to do with the others (parts.ts) is tried alone. What failed is dropped
 * and throws, as if it had not been asked for; but nobody is struck by what he has not asked for: a kept node that
 * fails is computed when it is read, an assign that neither depends on `wanted` nor belongs to `unit` goes on waiting
 * (without wanted nodes and `unit`, all assigns are asked for).
 * What belongs to a recorded call that waits elsewhere is left to it; in a recorded call, what waits from outside is computed
 * before and not recorded.
 */
export function run(wanted: readonly Node[], unit?: Unit): void {
  runOrRetry(wanted, unit, false);
}

/** `run`; where memory is short, once more when results that nobody holds any more have been collected. */
export async function runWithRoom(wanted: readonly Node[], unit?: Unit): Promise<void> {
  if (runOrRetry(wanted, unit, true)) return;
  await collect();
  run(wanted, unit);
}

/** False if there was not enough memory, where `mayRetry`; nothing is dropped then. */
function runOrRetry(wanted: readonly Node[], unit: Unit | undefined, mayRetry: boolean): boolean {
  const recording = currentRecording();
  if (recording !== undefined) runTogether([], NOBODY, false, undefined);
  return runTogether(wanted, unit, mayRetry, recording);
}

/** The unit of those who have asked for nothing: what fails goes on waiting. */
const NOBODY: Unit = { undo: [] };

function runTogether(
  wanted: readonly Node[],
  unit: Unit | undefined,
  mayRetry: boolean,
  recording: Recording | undefined,
): boolean {
  if (wanted.length + pending.size + kept.size === 0) return true;
  const assigns: PendingAssign[] = [];
  for (const assign of pending.values()) if (belongsTo(assign.recording, recording)) assigns.push(assign);
  const roots: Node[] = [];
  const seen = new Set<Node>();
  const want = (node: Node): void => {
    if (node.storage !== undefined || node.op === 'leaf' || seen.has(node)) return;
    seen.add(node);
    roots.push(node);
  };
  wanted.forEach(want);
  for (const [node, owner] of kept) {
    if (belongsTo(owner, recording)) want(node);
  }
  const job = { roots, assigns };
  if (roots.length === 0 && assigns.length === 0) return true;
  try {
    perform(job, recording);
  } catch (error) {
    if (mayRetry && error instanceof OutOfMemoryError) return false;
    performParts(job, new Set(wanted), unit, error, recording);
  } finally {
    clearInterned();
  }
  return true;
}

function performParts(
  job: Part<PendingAssign>,
  wanted: ReadonlySet<Node>,
  unit: Unit | undefined,
  reason: unknown,
  recording: Recording | undefined,
): void {
  // What a recorded call asks for stays together: a replay runs it as one.
  const parts = recording === undefined ? partsOf(job) : [job];
  const errors: unknown[] = [];
  for (const part of parts) {
    try {
      if (parts.length === 1) throw reason;
      perform(part, recording);
    } catch (error) {
      for (const node of part.roots) kept.delete(node);
      const isAll = wanted.size === 0 && unit === undefined;
      const isAsked = part.roots.some((n) => wanted.has(n)) || part.assigns.some((a) => isAll || a.unit === unit);
      if (!isAsked) continue;
      drop(part, [...new Set(part.assigns.flatMap((a) => a.unit ?? []))]);
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Forgets what cannot be computed. A storage that has never had a value goes on waiting for its first one. */
function drop(part: Part<PendingAssign>, units: readonly Unit[]): void {
  const dropped = describeDropped(part);
  for (const node of part.roots) kept.delete(node);
  for (const a of part.assigns) {
    const first = firstValues.get(a.storage);
    if (first === undefined || first === a.value) pending.delete(a.storage);
    else pending.set(a.storage, { ...a, value: first, unit: undefined });
    a.settle(first);
  }
  for (const { undo } of units) for (const back of undo.splice(0).reverse()) back();
  for (const listener of dropListeners) listener(dropped);
}

/** Forgets all that waits of a recorded call: it has failed. */
export function dropPending(recording: Recording): void {
  const assigns = [...pending.values()].filter((a) => a.recording === recording);
  const roots = [...kept].flatMap(([node, owner]) => (owner === recording ? [node] : []));
  if (assigns.length + roots.length === 0) return;
  drop({ roots, assigns }, [...new Set(assigns.flatMap((a) => a.unit ?? []))]);
  clearInterned();
}

/**
 * Computes all of it, or throws and has changed nothing. Only of what is too much for one program, thousands of results or
 * updates, what was computed before the failure stays.
 */
function perform({ roots, assigns }: Part<PendingAssign>, recording: Recording | undefined): void {
  const byDevice = new Map<string, { roots: Node[]; assigns: PendingAssign[] }>();
  const group = (name: string) => {
    let g = byDevice.get(name);
    if (g === undefined) byDevice.set(name, (g = { roots: [], assigns: [] }));
    return g;
  };
  for (const node of roots) group(node.device ?? getDefaultDevice()).roots.push(node);
  for (const assign of assigns) group(assign.storage.device).assigns.push(assign);
  const jobs = [...byDevice].flatMap(([name, g]) =>
    portions(g.roots, g.assigns).map((portion): Asked => ({ device: getDevice(name), ...portion })),
  );
  if (jobs.length === byDevice.size) performTogether(jobs, recording);
  else for (const job of jobs) performTogether([job], recording);
}

/** A job whose updates somebody waits for. */
type Asked = Job & Part<PendingAssign>;

function performTogether(jobs: readonly Asked[], recording: Recording | undefined): void {
  const results = new Map<Node, Storage>();
  const prepared: Prepared[] = [];
  const assigns = jobs.flatMap((job) => job.assigns);
  try {
    for (const job of jobs) {
      const one = prepare(job, results, recording);
      if (one !== undefined) prepared.push(one);
    }
    if (recording !== undefined) for (const a of assigns) separate(recording, a.storage);
    executeAll(prepared);
  } catch (error) {
    for (const storage of results.values()) freeStorage(storage);
    throw error;
  }
  recording?.add(prepared);
  for (const { roots } of jobs) for (const node of roots) kept.delete(node);
  for (const p of prepared) {
    noteRun(
      p.device,
      () => newOf(p),
      () => {
        for (const unit of new Set(assigns.map((a) => a.unit)))
          for (const back of unit?.undo.splice(0).reverse() ?? []) back();
        const scalars = new Set(p.scalars);
        for (const listener of dropListeners) listener({ nodes: new Set(), scalars, parameters: [] });
      },
    );
  }
  // Nothing will ask how they came to be, another device apart.
  const finished = [...results.keys()].filter((node) => !node.requiresGrad && !isMadeOfNumbers(node));
  for (const [node, storage] of results) node.storage = storage;
  for (const node of finished) node.src = [];
  for (const { order } of prepared) countRun(order);
  for (const a of assigns) {
    pending.delete(a.storage);
    firstValues.delete(a.storage);
    a.storage.version++;
    a.settle(undefined);
  }
}

/** The storage of a node, computing it (and what is kept or pending) where needed. */
export function storageOf(node: Node): Storage {
  if (node.storage === undefined && node.op !== 'leaf') run([node]);
  const storage = node.storage ?? (node.op === 'leaf' ? (node as Node<'leaf'>).arg.storage : undefined);
  if (node.storage === undefined && storage !== undefined) linearise([node]); // checks that the leaf is not stale
  if (node.storage?.expired !== undefined) checkExpired(node.storage);
  return storage as Storage;
}

/** The numbers of a node, if they have been computed and lie where they can be seen at once. Changes nothing and never throws. */
export function peek(node: Node): TypedArray | undefined {
  const storage = node.storage ?? (node.op === 'leaf' ? (node as Node<'leaf'>).arg.storage : undefined);
  if (storage === undefined || isRecording() || !isCurrent(storage.owner, storage.device)) return undefined;
  if (storage.failure !== undefined || storage.expired?.() !== undefined || storage.owner === undefined)
    return undefined;
  try {
    const device = getDevice(storage.device);
    return device.peek?.(bufferOf(storage, device), storage.size, storage.dtype);
  } catch {
    return undefined; // freed, or its device is ending
  }
}

/**
 * Hands the memory of a storage to `write`, where the host sees it (the CPU device in Node): numbers then come from outside, such as
 * from other processes, without a copy. Updates that wait for it have to be made before. False where memory cannot be seen.
 */
export function withMemory(storage: Storage, write: (bytes: Uint8Array) => void): boolean {
  const device = getDevice(storage.device);
  const bytes = device.bytes?.(bufferOf(storage, device));
  if (bytes === undefined) return false;
  write(bytes);
  storage.version++; // what was built on the numbers before must not take them for the same
  return true;
}

/** The numbers of a node. A read inside `compile(fn)` cannot be replayed and is refused. */
export async function read(node: Node): Promise<TypedArray> {
  checkReading();
  // Without waiting where nothing has to be collected: the tensor may be disposed of as soon as this returns.
  if (node.storage === undefined && node.op !== 'leaf' && !runOrRetry([node], undefined, true)) await collect();
  return await download(storageOf(node));
}

/** The numbers of a storage that nothing waits to be written to: as `read` of its leaf, without making one. */
export async function readStored(storage: Storage): Promise<TypedArray> {
  checkReading();
  if (storage.expired !== undefined) checkExpired(storage);
  return await download(storage);
}

function checkReading(): void {
  if (!isRecording()) return;
  throw new CaptureError(
    'compile: the function reads a value (item, data or array) while it is being captured. Return the tensor and read it outside.',
  );
}

async function download(storage: Storage): Promise<TypedArray> {
  const device = getDevice(storage.device);
  const buffer = bufferOf(storage, device);
  const data =
    device.peek?.(buffer, storage.size, storage.dtype) ?? (await device.download(buffer, storage.size, storage.dtype));
  const waiting = restIfDue();
  if (waiting !== undefined) await waiting;
  return data;
}

// ---------------------------------------------------------------- for compile(fn)

/** Before `storage` is overwritten: what stands for it as an argument keeps the numbers that were passed. */
function separate(recording: Recording, storage: Storage): void {
  for (const { storage: stand } of recording.stands.get(storage) ?? []) {
    if (stand.buffer !== storage.buffer) continue;
    stand.base = copyOf(storage);
    stand.buffer = stand.base.buffer;
  }
}

export { leaf };
