// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates), looks up or compiles one program for all of it, runs it, and hands out storages.
// It owns the devices, the program cache and the lifetime of storages, and tells the recording of a compiled function
// (recording.ts) what it does.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import type { Device, Executable, TypedArray } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import type { DType } from './ir/dtype.js';
import { findGarbageCollector } from './garbage-collector.js';
import { CaptureError, DeviceError, StaleTensorError } from './ir/errors.js';
import { copy, leaf } from './ir/build.js';
import { checkExpired, linearise, sameKey, snapshot } from './ir/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type Storage, createStorage } from './ir/storage.js';
import type { Capture, Source } from './capture.js';
import { type Recording, belongsTo, currentRecording, isRecording } from './recording.js';

interface CachedProgram {
  readonly key: Int32Array;
  readonly executable: Executable;
}

/** A tensor's storage that will be overwritten by `value` at the next run. `done` re-points the tensor. */
interface PendingAssign {
  readonly storage: Storage;
  readonly value: Node;
  readonly done: () => void;
  /** The recorded call that it is part of. */
  readonly recording: Recording | undefined;
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

/** A setting of the host's environment: a variable of the process, where there is one. */
export function getEnvironment(name: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
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
  currentRecording()?.made.add(storage);
  return storage;
}

/** A storage whose numbers come later, by an assign. */
export function emptyStorage(shape: Shape, dtype: DType, deviceName: string, label: string): Storage {
  return newStorage(getDevice(deviceName), dtype, shape, label);
}

/** Frees a storage now instead of when it is collected. */
export function freeStorage(storage: Storage): void {
  if (storage.buffer === null) return;
  if (storage.base !== undefined) {
    storage.buffer = null; // the base's to free
    return;
  }
  collected.unregister(storage);
  release(storage.owner as Device, storage.buffer);
  storage.buffer = null;
  if (storage.id <= lastBeforeRest) return;
  allocatedSinceRest -= storage.size * 4;
  buffersSinceRest--;
}

/** Looked for when it is needed first; null until then. */
let collectGarbage: (() => void) | undefined | null = null;

/**
 * Buffers are returned by finalizers, which run only between tasks. Asynchronous entry points call this: after enough
 * allocation it collects garbage and lets a task pass.
 */
export async function rest(): Promise<void> {
  if (allocatedSinceRest < REST_AFTER_BYTES && buffersSinceRest < REST_AFTER_BUFFERS) return;
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  if (collectGarbage === null) collectGarbage = findGarbageCollector();
  collectGarbage?.();
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
const kept = new Map<Node, Recording | undefined>();
const pending = new Map<Storage, PendingAssign>();
const stats: EngineStats = { programs: 0, programHits: 0, runs: 0, kernelsLastRun: 0 };

export function engineStats(): Readonly<EngineStats> {
  return stats;
}

/** Computes `node` together with the next run, so that it can be read after an update. */
export function keep(node: Node): void {
  if (node.storage === undefined && node.op !== 'leaf') kept.set(node, currentRecording());
}

/** Overwrites `storage` with `value` at the next run; a later assign of the same storage replaces this one. */
export function assignLater(storage: Storage, value: Node, done: () => void): void {
  const recording = currentRecording();
  for (const stand of recording?.stands.get(storage) ?? []) stand.overwritten?.();
  pending.set(storage, { storage, value, done, recording });
}

/**
 * Computes the wanted nodes, everything kept, and all pending assigns, as one program per device. What belongs to a recorded
 * call that waits elsewhere is left to it; in a recorded call, what waits from outside is computed before and not recorded.
 */
export function run(wanted: readonly Node[]): void {
  const recording = currentRecording();
  if (recording !== undefined) runTogether([], undefined);
  runTogether(wanted, recording);
}

function runTogether(wanted: readonly Node[], recording: Recording | undefined): void {
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
    if (!belongsTo(owner, recording)) continue;
    want(node);
    kept.delete(node);
  }
  if (roots.length === 0 && assigns.length === 0) return;
  const byDevice = new Map<string, { roots: Node[]; assigns: PendingAssign[] }>();
  const group = (name: string) => {
    let g = byDevice.get(name);
    if (g === undefined) byDevice.set(name, (g = { roots: [], assigns: [] }));
    return g;
  };
  for (const node of roots) group(node.device ?? defaultDevice).roots.push(node);
  for (const assign of assigns) {
    group(assign.storage.device).assigns.push(assign);
    pending.delete(assign.storage);
  }
  for (const [name, g] of byDevice) runOn(getDevice(name), g.roots, g.assigns, recording);
  clearInterned();
}

function runOn(
  device: Device,
  roots: readonly Node[],
  assigns: readonly PendingAssign[],
  recording: Recording | undefined,
): void {
  const all = [...roots, ...assigns.map((a) => a.value)];
  const graph = linearise(all);
  const targets = assigns.map((a) => graph.inputStorages.indexOf(a.storage));
  const { executable, key } = findProgram(device, graph, all, [...roots.map(() => -1), ...targets]);

  const outputs: Storage[] = [];
  for (const node of roots)
    outputs.push(newStorage(device, node.dtype, node.shape, `${node.op} ${formatShape(node.shape)}`));
  for (const a of assigns) outputs.push(a.storage);
  const scalars = graph.scalars;
  if (recording !== undefined) for (const a of assigns) separate(recording, a.storage);
  execute(device, executable, graph.inputStorages, scalars, outputs);
  if (recording !== undefined) {
    const assigned = outputs.map((_, i) => i >= roots.length);
    recording.add({
      device,
      executable,
      key,
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

/** The device's handle. Throws StaleTensorError if it was freed, or the device that made it is gone. */
function bufferOf(storage: Storage, device: Device): unknown {
  if (storage.buffer === null || storage.base?.buffer === null) {
    const what = storage.name ?? `a ${storage.dtype} tensor ${formatShape(storage.shape)}`;
    throw new StaleTensorError(`read: ${what} was freed. Do not use a tensor after its dispose.`);
  }
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
): CachedProgram {
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
      return entry;
    }
  }
  const nodes = snapshot(graph.order);
  const executable = device.compile({
    nodes,
    inputs: graph.inputs.map((n) => nodes[n.slot]),
    scalars: nodes.filter((n) => n.op === 'scalar'),
    outputs: roots.map((n, i) => ({ node: nodes[n.slot], assign: targets[i] >= 0 ? targets[i] : undefined })),
  });
  const entry = { key, executable };
  bucket.push(entry);
  stats.programs++;
  return entry;
}

/** The storage of a node, computing it (and what is kept or pending) where needed. */
export function storageOf(node: Node): Storage {
  if (node.storage === undefined && node.op !== 'leaf') run([node]);
  const storage = node.storage ?? (node.op === 'leaf' ? (node as Node<'leaf'>).arg.storage : undefined);
  if (node.storage === undefined && storage !== undefined) linearise([node]); // checks that the leaf is not stale
  if (node.storage?.expired !== undefined) checkExpired(node.storage);
  return storage as Storage;
}

/** The numbers of a node. A read inside `compile(fn)` cannot be replayed and is refused. */
export async function read(node: Node): Promise<TypedArray> {
  if (isRecording()) {
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

// ---------------------------------------------------------------- for compile(fn)

/** A storage with the same numbers in a buffer of its own. */
function copyOf(storage: Storage): Storage {
  const node = copy(leaf(storage) as Node);
  runOn(getDevice(storage.device), [node], [], undefined);
  return node.storage as unknown as Storage;
}

/** Before `storage` is overwritten: what stands for it as an argument keeps the numbers that were passed. */
function separate(recording: Recording, storage: Storage): void {
  for (const { storage: stand } of recording.stands.get(storage) ?? []) {
    if (stand.buffer !== storage.buffer) continue;
    stand.base = copyOf(storage);
    stand.buffer = stand.base.buffer;
  }
}

/** Does a captured call again, with other inputs. Returns the storages of all slots. */
export function replay(capture: Capture, inputs: readonly Storage[]): Storage[] {
  const slots = inputs.map((storage) => (capture.assigned.has(storage) ? copyOf(storage) : storage));
  const storageOfSource = (source: Source): Storage => {
    if (typeof source !== 'number') return source;
    const known = slots[source];
    if (known !== undefined) return known;
    const { device, dtype, shape } = capture.temporaries[source - capture.inputs];
    return (slots[source] = newStorage(getDevice(device), dtype, shape, `result ${formatShape(shape)}`));
  };
  for (const { hooks, device, executable, inputs: sources, scalars, outputs, assigned } of capture.runs) {
    for (const hook of hooks) hook();
    const results = outputs.map(storageOfSource);
    execute(device, executable, sources.map(storageOfSource), scalars, results);
    for (let i = 0; i < results.length; i++) if (assigned[i]) results[i].version++;
  }
  for (const hook of capture.hooks) hook();
  capture.replays++;
  return slots;
}

export { leaf };
