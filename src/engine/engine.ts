// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates), looks up or compiles one program for all of it, runs it, and hands out storages.
// It owns the devices, the program cache, the lifetime of storages, and the recording behind `compile(fn)`.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import type { Device, Executable, TypedArray } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import type { DType } from './ir/dtype.js';
import { CaptureError, DeviceError, OutOfMemoryError, StaleTensorError } from './ir/errors.js';
import { leaf } from './ir/build.js';
import { freedError, linearise, sameKey, snapshot } from './ir/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type Storage, createStorage } from './ir/storage.js';
import { noteRun } from './lost-runs.js';
import { type Dropped, type Part, type Unit, type Update, describeDropped, partsOf } from './parts.js';

interface CachedProgram {
  readonly key: Int32Array;
  readonly executable: Executable;
}

/** A tensor's storage that will be overwritten by `value` at the next run. */
interface PendingAssign extends Update {
  /** Tells the tensor that the update was made, or dropped; `left` is what it waits for from now on. */
  readonly settle: (left: Node | undefined) => void;
}

/** One run of a recorded step: everything needed to do it again with other inputs. */
export interface RecordedRun {
  readonly device: Device;
  readonly executable: Executable;
  readonly inputs: readonly Storage[];
  readonly scalars: readonly ScalarSource[];
  readonly outputs: readonly Storage[];
  /** outputs[i] is overwritten in place, else it is a new storage for each replay. */
  readonly assigned: readonly boolean[];
  /** Runs with the same number are one: all of its devices, or none. */
  readonly number: number;
}

/** Host-side state that a replay has to advance (an optimiser's step counter), and to take back if the run fails. */
export interface ReplayHook {
  readonly advance: () => void;
  readonly undo: () => void;
}

export interface Recording {
  readonly runs: RecordedRun[];
  /** With the number of runs before it. */
  readonly hooks: (ReplayHook & { readonly after: number })[];
}

export interface EngineStats {
  programs: number;
  programHits: number;
  runs: number;
  kernelsLastRun: number;
}

const factories = new Map<string, DeviceFactory>(Object.entries(DEVICES));
const devices = new Map<string, Device>();
let defaultDevice = 'cpu';

/** Makes one more device known by name. */
export function registerDevice(name: string, factory: DeviceFactory): void {
  factories.set(name, factory);
}

export function getDevice(name: string): Device {
  let device = devices.get(name);
  if (device === undefined) {
    const factory = factories.get(name);
    if (factory === undefined) {
      const known = deviceNames().map((d) => `'${d}'`);
      throw new DeviceError(`device: '${name}' is not known. Use one of ${known.join(', ')}.`);
    }
    device = factory();
    devices.set(name, device);
    restAfterBytes = Math.min(restAfterBytes, device.memory().limitBytes / 4);
  }
  return device;
}

export function deviceNames(): string[] {
  return [...factories.keys()];
}

export function getDefaultDevice(): string {
  return defaultDevice;
}

export function setDefaultDevice(name: string): void {
  if (!factories.has(name)) getDevice(name); // throws with the list of names
  defaultDevice = name;
}

/** Ends the threads of all devices and forgets their programs; tensors on them can no longer be read. */
export async function disposeDevices(): Promise<void> {
  programs.clear();
  const all = [...devices.values()];
  devices.clear();
  await Promise.all(all.map((d) => d.dispose()));
}

// ---------------------------------------------------------------- storages and their lifetime

const collected = new FinalizationRegistry<{ device: Device; buffer: unknown }>(({ device, buffer }) =>
  release(device, buffer),
);

/** A device that was disposed of has no buffers left to free. */
function release(device: Device, buffer: unknown): void {
  if (devices.get(device.name) === device) device.free(buffer);
}

/** Bytes handed out since the garbage collector was last given a chance to return some, and not freed by hand. */
let allocatedSinceRest = 0;
/** The storages up to this one were made before that. */
let lastBeforeRest = 0;
let newest = 0;
/** At most a part of the smallest heap. */
let restAfterBytes = 128 << 20;
const REST_AFTER_BUFFERS = 20_000;
let buffersSinceRest = 0;

function newStorage(device: Device, dtype: DType, shape: Shape, label: string): Storage {
  const size = sizeOf(shape);
  const buffer = device.allocate(size, dtype, label);
  allocatedSinceRest += size * 4;
  buffersSinceRest++;
  const storage = createStorage(device.name, dtype, shape, size, buffer);
  storage.owner = device;
  newest = storage.id;
  collected.register(storage, { device, buffer }, storage);
  return storage;
}

/** A storage filled from host numbers. */
export function storageFrom(
  data: ArrayLike<number>,
  shape: Shape,
  dtype: DType,
  deviceName: string,
  label: string,
): Storage {
  const device = getDevice(deviceName);
  const storage = newStorage(device, dtype, shape, label);
  device.upload(storage.buffer, data, dtype);
  return storage;
}

/** A storage whose numbers come later, by an assign. */
export function emptyStorage(shape: Shape, dtype: DType, deviceName: string, label: string): Storage {
  const storage = newStorage(getDevice(deviceName), dtype, shape, label);
  firstValues.set(storage, undefined);
  return storage;
}

/** Frees a storage now instead of when it is collected. */
export function freeStorage(storage: Storage): void {
  if (storage.buffer === null) return;
  collected.unregister(storage);
  release(storage.owner as Device, storage.buffer);
  storage.buffer = null;
  if (storage.id <= lastBeforeRest) return;
  allocatedSinceRest -= storage.size * 4;
  buffersSinceRest--;
}

let collectGarbage: (() => void) | undefined | null = null;

/** The garbage collector's own entry, where the host offers one; results live outside its sight. */
function garbageCollector(): (() => void) | undefined {
  if (collectGarbage !== null) return collectGarbage;
  const host = globalThis as { gc?: () => void; process?: { getBuiltinModule?: (name: string) => unknown } };
  collectGarbage = host.gc;
  if (collectGarbage === undefined && host.process?.getBuiltinModule !== undefined) {
    const v8 = host.process.getBuiltinModule('node:v8') as { setFlagsFromString(flag: string): void };
    const vm = host.process.getBuiltinModule('node:vm') as { runInNewContext(code: string): unknown };
    v8.setFlagsFromString('--expose-gc');
    collectGarbage = vm.runInNewContext('gc') as () => void;
    v8.setFlagsFromString('--no-expose-gc');
  }
  return collectGarbage;
}

/**
 * Buffers are returned by finalizers, which run only between tasks. Asynchronous entry points call this: after enough
 * allocation it collects garbage and lets a task pass.
 */
export async function rest(): Promise<void> {
  if (allocatedSinceRest >= restAfterBytes || buffersSinceRest >= REST_AFTER_BUFFERS) await collect();
}

async function collect(): Promise<void> {
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  garbageCollector()?.();
  await nextTask();
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const host = globalThis as { setImmediate?: (f: () => void) => void };
    if (host.setImmediate !== undefined) host.setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

// ---------------------------------------------------------------- running

const programs = new Map<number, CachedProgram[]>();
const kept = new Set<Node>();
const pending = new Map<Storage, PendingAssign>();
const stats: EngineStats = { programs: 0, programHits: 0, runs: 0, kernelsLastRun: 0 };
let recording: Recording | undefined;

export function engineStats(): Readonly<EngineStats> {
  return stats;
}

/** Computes `node` together with the next run, so that it can be read after an update. */
export function keep(node: Node): void {
  if (node.storage === undefined && node.op !== 'leaf') kept.add(node);
}

/** Storages that nothing was written to yet, and the value that they wait for. */
const firstValues = new WeakMap<Storage, Node | undefined>();

/** Overwrites `storage` with `value` at the next run; a later assign of the same storage replaces this one. */
export function assignLater(storage: Storage, value: Node, settle: (left: Node | undefined) => void): void {
  if (firstValues.has(storage) && firstValues.get(storage) === undefined) firstValues.set(storage, value);
  pending.set(storage, { storage, value, unit: currentUnit, settle });
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
  const roots: Node[] = [];
  const seen = new Set<Node>();
  for (const node of [...wanted, ...kept]) {
    if (node.storage !== undefined || node.op === 'leaf' || seen.has(node)) continue;
    seen.add(node);
    roots.push(node);
  }
  const job = { roots, assigns: [...pending.values()] };
  if (roots.length === 0 && pending.size === 0) return true;
  try {
    perform(job);
  } catch (error) {
    if (mayRetry && error instanceof OutOfMemoryError) return false;
    performParts(job, new Set(wanted), unit, error);
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
): void {
  const parts = partsOf(job);
  const errors: unknown[] = [];
  for (const part of parts) {
    try {
      if (parts.length === 1) throw reason;
      perform(part);
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

/** Forgets all that waits: the function that asked for it has failed. */
export function dropPending(): void {
  const assigns = [...pending.values()];
  if (assigns.length + kept.size === 0) return;
  drop({ roots: [...kept], assigns }, [...new Set(assigns.flatMap((a) => a.unit ?? []))]);
  clearInterned();
}

/** One program on its way: everything that can fail before it runs has been done. */
interface Prepared {
  readonly device: Device;
  readonly executable: Executable;
  readonly inputs: readonly Storage[];
  readonly scalars: readonly ScalarSource[];
  readonly outputs: readonly Storage[];
  readonly assigned: readonly boolean[];
}

/** Computes all of it, or throws and has changed nothing. */
function perform({ roots, assigns }: Part<PendingAssign>): void {
  const byDevice = new Map<string, { roots: Node[]; assigns: PendingAssign[] }>();
  const group = (name: string) => {
    let g = byDevice.get(name);
    if (g === undefined) byDevice.set(name, (g = { roots: [], assigns: [] }));
    return g;
  };
  for (const node of roots) group(node.device ?? defaultDevice).roots.push(node);
  for (const assign of assigns) group(assign.storage.device).assigns.push(assign);
  const results = new Map<Node, Storage>();
  const prepared: Prepared[] = [];
  try {
    for (const [name, g] of byDevice) prepared.push(prepare(getDevice(name), g.roots, g.assigns, results));
    executeAll(prepared);
  } catch (error) {
    for (const storage of results.values()) freeStorage(storage);
    throw error;
  }
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
  if (recording !== undefined) {
    const number = recording.runs.length;
    for (const p of prepared) recording.runs.push({ ...p, number });
  }
  for (const [node, storage] of results) {
    node.storage = storage;
    kept.delete(node);
    if (!node.requiresGrad) node.src = []; // nothing will ask how it came to be
  }
  for (const a of assigns) {
    pending.delete(a.storage);
    firstValues.delete(a.storage);
    a.storage.version++;
    a.settle(undefined);
  }
}

/** What is written to, in the place of an input's number: a new storage, or an old one that nothing here reads. */
const NEW = -1;
const UNREAD = -2;

/** Compiles, and makes storages for the results, which it enters into `results`. */
function prepare(
  device: Device,
  roots: readonly Node[],
  assigns: readonly PendingAssign[],
  results: Map<Node, Storage>,
): Prepared {
  const all = [...roots, ...assigns.map((a) => a.value)];
  const graph = linearise(all);
  const { inputStorages: inputs, scalars } = graph;
  const targets = assigns.map((a) => inputs.indexOf(a.storage));
  for (let i = 0; i < targets.length; i++) if (targets[i] < 0) targets[i] = UNREAD;
  const executable = findProgram(device, graph, all, [...roots.map(() => NEW), ...targets]);
  const outputs: Storage[] = [];
  for (const node of roots) {
    const storage = newStorage(device, node.dtype, node.shape, `${node.op} ${formatShape(node.shape)}`);
    results.set(node, storage);
    outputs.push(storage);
  }
  for (const a of assigns) outputs.push(a.storage);
  const assigned = outputs.map((_, i) => i >= roots.length);
  return { device, executable, inputs: [...inputs], scalars: [...scalars], outputs, assigned };
}

/** The storages that a program fills, and does not overwrite. */
const newOf = ({ outputs, assigned }: Prepared): Storage[] => outputs.filter((_, i) => !assigned[i]);

/** Runs programs of several devices so that all of them take effect, or none. A single one does anyway. */
function executeAll(programs: readonly Prepared[]): void {
  const last = programs.at(-1);
  if (programs.length === 1 && last !== undefined) {
    execute(last.device, last.executable, last.inputs, last.scalars, last.outputs);
    return;
  }
  const copies = programs.flatMap((p) => (p === last ? [] : copiesOf(p.outputs.filter((_, i) => p.assigned[i]))));
  try {
    for (const p of programs) execute(p.device, p.executable, p.inputs, p.scalars, p.outputs);
  } catch (error) {
    for (const { own, copy } of copies) swapBuffers(own, copy);
    throw error;
  } finally {
    for (const { copy } of copies) freeStorage(copy);
  }
}

function copiesOf(storages: readonly Storage[]): { own: Storage; copy: Storage }[] {
  if (storages.length === 0) return [];
  const device = getDevice(storages[0].device);
  const results = new Map<Node, Storage>();
  const nodes = storages.map((s) => leaf(s) as Node);
  const { executable, inputs, scalars, outputs } = prepare(device, nodes, [], results);
  execute(device, executable, inputs, scalars, outputs);
  return storages.map((own, i) => ({ own, copy: outputs[i] }));
}

function swapBuffers(a: Storage, b: Storage): void {
  for (const s of [a, b]) collected.unregister(s);
  [a.buffer, b.buffer] = [b.buffer, a.buffer];
  for (const s of [a, b]) collected.register(s, { device: s.owner as Device, buffer: s.buffer }, s);
}

/** The device's handle. Throws StaleTensorError if the device that made it is gone. */
function bufferOf(storage: Storage, device: Device): unknown {
  if (storage.buffer === null) throw freedError(storage);
  if (storage.failure !== undefined) throw storage.failure;
  if (storage.owner !== device) {
    const what = storage.name ?? `a ${storage.dtype} tensor ${formatShape(storage.shape)}`;
    throw new StaleTensorError(`read: ${what} went with its device when the devices were disposed of. Create it anew.`);
  }
  return storage.buffer;
}

function execute(
  device: Device,
  executable: Executable,
  inputs: readonly Storage[],
  scalars: readonly ScalarSource[],
  outputs: readonly Storage[],
): void {
  const numbers = new Array<number>(scalars.length);
  for (let i = 0; i < scalars.length; i++) {
    const source = scalars[i];
    numbers[i] = source.get === undefined ? source.value : source.get();
  }
  stats.runs++;
  stats.kernelsLastRun = executable.kernels.length;
  executable.run(
    inputs.map((s) => bufferOf(s, device)),
    numbers,
    outputs.map((s) => bufferOf(s, device)),
    executable.watched?.map((i) => `${inputs[i].id}:${inputs[i].version}`),
  );
}

function findProgram(
  device: Device,
  graph: ReturnType<typeof linearise>,
  roots: readonly Node[],
  targets: readonly number[],
): Executable {
  let hash = graph.hash;
  for (const t of targets) hash = Math.imul(hash ^ (t + 7), 0x01000193);
  for (let i = 0; i < device.name.length; i++) hash = Math.imul(hash ^ device.name.charCodeAt(i), 0x01000193);
  const key = new Int32Array(graph.key.length + targets.length);
  key.set(graph.key);
  key.set(targets, graph.key.length);
  let bucket = programs.get(hash);
  if (bucket === undefined) programs.set(hash, (bucket = []));
  for (const entry of bucket) {
    if (sameKey(entry.key, key)) {
      stats.programHits++;
      return entry.executable;
    }
  }
  const nodes = snapshot(graph.order);
  const executable = device.compile({
    nodes,
    inputs: graph.inputs.map((n) => nodes[n.slot]),
    scalars: nodes.filter((n) => n.op === 'scalar'),
    outputs: roots.map((n, i) => ({
      node: nodes[n.slot],
      assign: targets[i] >= 0 ? targets[i] : undefined,
      isFull: targets[i] !== NEW,
    })),
  });
  bucket.push({ key, executable });
  stats.programs++;
  return executable;
}

/** The storage of a node, computing it (and what is kept or pending) where needed. */
export function storageOf(node: Node): Storage {
  if (node.storage === undefined && node.op !== 'leaf') run([node]);
  const storage = node.storage ?? (node.op === 'leaf' ? (node as Node<'leaf'>).arg.storage : undefined);
  if (node.storage === undefined && storage !== undefined) linearise([node]); // checks that the leaf is not stale
  return storage as Storage;
}

/** The numbers of a node. A read inside `compile(fn)` cannot be replayed and is refused. */
export async function read(node: Node): Promise<TypedArray> {
  if (recording !== undefined) {
    throw new CaptureError(
      'compile: the function reads a value (item, data or array) while it is being captured. Return the tensor and read it outside.',
    );
  }
  // Without waiting where nothing has to be collected: the tensor may be disposed of as soon as this returns.
  if (node.storage === undefined && node.op !== 'leaf' && !runOrRetry([node], undefined, true)) await collect();
  const storage = storageOf(node);
  const device = getDevice(storage.device);
  const data = await device.download(bufferOf(storage, device), storage.size, storage.dtype);
  await rest();
  return data;
}

// ---------------------------------------------------------------- recording, for compile(fn)

export function isRecording(): boolean {
  return recording !== undefined;
}

/** Called by host-side state that a replay must advance. */
export function onReplay(advance: () => void, undo: () => void): void {
  recording?.hooks.push({ advance, undo, after: recording.runs.length });
}

/** Runs `body` and records every run of the engine inside it. */
export async function record<T>(body: () => T | Promise<T>): Promise<{ result: T; recording: Recording }> {
  if (recording !== undefined)
    throw new CaptureError(
      'compile: a compiled function was called inside another while it is being captured. Call it outside.',
    );
  const current: Recording = { runs: [], hooks: [] };
  recording = current;
  try {
    return { result: await body(), recording: current };
  } finally {
    recording = undefined;
  }
}

/** A new storage like `like`, for the results of a replay. */
export function storageLike(like: Storage): Storage {
  return newStorage(getDevice(like.device), like.dtype, like.shape, `result ${formatShape(like.shape)}`);
}

/**
 * Does the runs of a recording again. `substitute` maps the storages of the recording to those of this replay. A run that
 * fails changes nothing; what runs before it have done stays, as it does where the function is not captured.
 */
export function replayRuns({ runs, hooks }: Recording, substitute: (storage: Storage) => Storage): void {
  let [nextRun, nextHook] = [0, 0];
  while (nextRun < runs.length || nextHook < hooks.length) {
    const { number } = runs[nextRun] ?? {};
    const advanced: ReplayHook[] = [];
    try {
      for (; nextHook < hooks.length && (number === undefined || hooks[nextHook].after <= number); nextHook++) {
        hooks[nextHook].advance();
        advanced.push(hooks[nextHook]);
      }
      const programs: Prepared[] = [];
      for (; nextRun < runs.length && runs[nextRun].number === number; nextRun++) {
        const recorded = runs[nextRun];
        const outputs = recorded.outputs.map((s, i) => (recorded.assigned[i] ? s : substitute(s)));
        programs.push({ ...recorded, inputs: recorded.inputs.map(substitute), outputs });
      }
      executeAll(programs);
      for (const p of programs) {
        p.outputs.forEach((s, i) => p.assigned[i] && s.version++);
        noteRun(
          p.device,
          () => newOf(p),
          () => {
            for (const { undo } of advanced.splice(0).reverse()) undo();
          },
        );
      }
    } catch (error) {
      for (const { undo } of advanced.reverse()) undo();
      throw error;
    }
  }
}

export { leaf };
