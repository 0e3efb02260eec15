// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates), looks up or compiles one program for all of it, runs it, and hands out storages.
// It owns the devices, the program cache, the lifetime of storages, and the recording behind `compile(fn)`.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import type { Device, Executable, TypedArray } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import type { DType } from './ir/dtype.js';
import { CaptureError, DeviceError, StaleTensorError } from './ir/errors.js';
import { leaf } from './ir/build.js';
import { linearise, sameKey, snapshot } from './ir/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type Storage, createStorage } from './ir/storage.js';
import { giveWay, takeTurns } from './turns.js';

interface CachedProgram {
  readonly key: Int32Array;
  readonly executable: Executable;
}

/** A tensor's storage that will be overwritten by `value` at the next run. `done` re-points the tensor. */
interface PendingAssign {
  readonly storage: Storage;
  readonly value: Node;
  readonly done: () => void;
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
}

export interface Recording {
  readonly runs: RecordedRun[];
  /** Host-side state that a replay has to advance (an optimiser's step counter). */
  readonly hooks: (() => void)[];
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
const REST_AFTER_BYTES = 128 << 20;
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
  return newStorage(getDevice(deviceName), dtype, shape, label);
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
 * What everything asynchronous ends with. Others get their turn now and then; buffers are returned by finalizers, which run
 * only between tasks, so after enough allocation garbage is collected and a task passes. Not while a step is recorded.
 */
export async function rest(): Promise<void> {
  if (recording !== undefined) return;
  if (allocatedSinceRest < REST_AFTER_BYTES && buffersSinceRest < REST_AFTER_BUFFERS) {
    await giveWay();
    return;
  }
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  garbageCollector()?.();
  await takeTurns();
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

/** Overwrites `storage` with `value` at the next run; a later assign of the same storage replaces this one. */
export function assignLater(storage: Storage, value: Node, done: () => void): void {
  pending.set(storage, { storage, value, done });
}

/** Computes the wanted nodes, everything kept, and all pending assigns, as one program per device. */
export function run(wanted: readonly Node[]): void {
  const assigns = [...pending.values()];
  const roots: Node[] = [];
  const seen = new Set<Node>();
  for (const node of [...wanted, ...kept]) {
    if (node.storage !== undefined || node.op === 'leaf' || seen.has(node)) continue;
    seen.add(node);
    roots.push(node);
  }
  if (roots.length === 0 && assigns.length === 0) return;
  const byDevice = new Map<string, { roots: Node[]; assigns: PendingAssign[] }>();
  const group = (name: string) => {
    let g = byDevice.get(name);
    if (g === undefined) byDevice.set(name, (g = { roots: [], assigns: [] }));
    return g;
  };
  for (const node of roots) group(node.device ?? defaultDevice).roots.push(node);
  for (const assign of assigns) group(assign.storage.device).assigns.push(assign);
  kept.clear();
  pending.clear();
  for (const [name, g] of byDevice) runOn(getDevice(name), g.roots, g.assigns);
  clearInterned();
}

function runOn(device: Device, roots: readonly Node[], assigns: readonly PendingAssign[]): void {
  const all = [...roots, ...assigns.map((a) => a.value)];
  const graph = linearise(all);
  const targets = assigns.map((a) => graph.inputStorages.indexOf(a.storage));
  const executable = findProgram(device, graph, all, [...roots.map(() => -1), ...targets]);

  const outputs: Storage[] = [];
  for (const node of roots)
    outputs.push(newStorage(device, node.dtype, node.shape, `${node.op} ${formatShape(node.shape)}`));
  for (const a of assigns) outputs.push(a.storage);
  const scalars = graph.scalars;
  execute(device, executable, graph.inputStorages, scalars, outputs);
  if (recording !== undefined) {
    const assigned = outputs.map((_, i) => i >= roots.length);
    recording.runs.push({
      device,
      executable,
      inputs: [...graph.inputStorages],
      scalars: [...scalars],
      outputs,
      assigned,
    });
  }

  for (let i = 0; i < roots.length; i++) {
    const node = roots[i];
    node.storage = outputs[i];
    if (!node.requiresGrad) node.src = []; // nothing will ask how it came to be
  }
  for (const a of assigns) {
    a.storage.version++;
    a.done();
  }
}

/** The device's handle. Throws StaleTensorError if the device that made it is gone. */
function bufferOf(storage: Storage, device: Device): unknown {
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
    outputs: roots.map((n, i) => ({ node: nodes[n.slot], assign: targets[i] >= 0 ? targets[i] : undefined })),
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
export function onReplay(hook: () => void): void {
  recording?.hooks.push(hook);
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

/** Does a recorded run again. `substitute` maps the storages of the recording to those of this replay. */
export function replayRun(recorded: RecordedRun, substitute: (storage: Storage) => Storage): void {
  const outputs = recorded.outputs.map((s, i) => (recorded.assigned[i] ? s : substitute(s)));
  execute(recorded.device, recorded.executable, recorded.inputs.map(substitute), recorded.scalars, outputs);
  for (let i = 0; i < outputs.length; i++) if (recorded.assigned[i]) outputs[i].version++;
}

export { leaf };
