// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates), looks up or compiles one program for all of it, runs it, and hands out storages.
// It owns the devices, the program cache, the lifetime of storages, and the recording behind `compile(fn)`.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import { CompileWatch } from './compile-watch.js';
import type { Device, TypedArray } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import type { DType } from './ir/dtype.js';
import { CaptureError, DeviceError, StaleTensorError } from './ir/errors.js';
import { leaf } from './ir/build.js';
import { type LinearGraph, linearise } from './ir/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type Storage, createStorage } from './ir/storage.js';
import { portions } from './portions.js';
import { countRun, recomputed } from './recomputed.js';
import { type MovedSlice, graphOfMoved, movedSlices } from './moved-slices.js';
import { type CachedProgram, ProgramCache, programLimitBytes } from './program-cache.js';

/** A tensor's storage that will be overwritten by `value` at the next run. `done` re-points the tensor. */
interface PendingAssign {
  readonly storage: Storage;
  readonly value: Node;
  readonly done: () => void;
}

/** One run of a recorded step: everything needed to do it again with other inputs. */
export interface RecordedRun {
  readonly device: Device;
  readonly program: CachedProgram;
  readonly inputs: readonly Storage[];
  readonly offsets: readonly number[] | undefined;
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
 * Buffers are returned by finalizers, which run only between tasks. Asynchronous entry points call this: after enough
 * allocation it collects garbage and lets a task pass.
 */
export async function rest(): Promise<void> {
  if (allocatedSinceRest < REST_AFTER_BYTES && buffersSinceRest < REST_AFTER_BUFFERS) return;
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  clearInterned(); // graphs that nobody has computed must not hold what they read
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

const programs = new ProgramCache(programLimitBytes());
const compileWatch = new CompileWatch();
const kept = new Set<Node>();
const pending = new Map<Storage, PendingAssign>();
const stats: EngineStats = { programs: 0, programHits: 0, runs: 0, kernelsLastRun: 0 };
let recording: Recording | undefined;

export function engineStats(): Readonly<EngineStats> {
  return stats;
}

/** Programs that are held now, about what they take, and the bound, which may be changed. */
export function programCache(): ProgramCache {
  return programs;
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
  for (const [name, g] of byDevice) {
    for (const p of portions(g.roots, g.assigns)) runOn(getDevice(name), p.roots, p.assigns, p.isCut);
  }
  clearInterned();
}

function runOn(device: Device, asked: readonly Node[], assigns: readonly PendingAssign[], isCut: boolean): void {
  const wanted = isCut ? asked.filter((n) => n.storage === undefined) : asked; // a portion before may have stored it
  if (wanted.length + assigns.length === 0) return;
  const values = assigns.map((a) => a.value);
  const overwritten = new Set(assigns.map((a) => a.storage));
  let roots = wanted;
  let graph = linearise([...roots, ...values], overwritten);
  // A captured step is the same at every call: what it computes must not depend on what came before.
  const again = recording === undefined || isCut ? recomputed(graph.order, wanted, device.memory(), isCut) : [];
  if (again.length > 0) {
    roots = [...wanted, ...again];
    graph = linearise([...roots, ...values], overwritten);
  }
  const all = [...roots, ...values];
  const { program, moved } = findProgram(device, graph, all, targetsOf(graph, roots.length, assigns));

  const outputs: Storage[] = [];
  for (const node of roots)
    outputs.push(newStorage(device, node.dtype, node.shape, `${node.op} ${formatShape(node.shape)}`));
  for (const a of assigns) outputs.push(a.storage);
  const { inputs, offsets } = withMoved(graph, moved);
  const { scalars } = graph;
  execute(device, program, inputs, offsets, scalars, outputs);
  if (recording !== undefined) {
    const assigned = outputs.map((_, i) => i >= roots.length);
    recording.runs.push({ device, program, inputs, offsets, scalars, outputs, assigned });
  }

  for (let i = 0; i < roots.length; i++) {
    const node = roots[i];
    node.storage = outputs[i];
    if (!node.requiresGrad) node.src = []; // nothing will ask how it came to be
  }
  countRun(graph.order);
  for (const a of assigns) {
    a.storage.version++;
    a.done();
  }
}

/** For each root the input that it overwrites, -1 for none. */
function targetsOf(graph: LinearGraph, roots: number, assigns: readonly PendingAssign[]): number[] {
  const targets = new Array<number>(roots).fill(-1);
  if (assigns.length === 0) return targets;
  const place = new Map<Storage, number>();
  graph.inputStorages.forEach((storage, i) => !place.has(storage) && place.set(storage, i));
  for (const { storage } of assigns) targets.push(place.get(storage) ?? -1);
  return targets;
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
  program: CachedProgram,
  inputs: readonly Storage[],
  offsets: readonly number[] | undefined,
  scalars: readonly ScalarSource[],
  outputs: readonly Storage[],
): void {
  const numbers = new Array<number>(scalars.length);
  for (let i = 0; i < scalars.length; i++) {
    const source = scalars[i];
    numbers[i] = source.get === undefined ? source.value : source.get();
  }
  const { executable } = program;
  stats.runs++;
  stats.kernelsLastRun = executable.kernels.length;
  executable.run(
    inputs.map((s, i) => {
      const offset = offsets?.[i] ?? 0;
      return offset === 0 ? bufferOf(s, device) : device.from(bufferOf(s, device), offset);
    }),
    numbers,
    outputs.map((s) => bufferOf(s, device)),
    executable.watched?.map((i) => `${inputs[i].id}:${inputs[i].version}:${offsets?.[i] ?? 0}`),
  );
}

/** Inputs and where they begin, when some slices are inputs of their own. */
function withMoved(
  { inputs: nodes, inputStorages, offsets }: LinearGraph,
  moved: readonly MovedSlice[],
): { inputs: readonly Storage[]; offsets: readonly number[] | undefined } {
  if (moved.length === 0) return { inputs: inputStorages, offsets };
  const place = new Map(nodes.map((n, i) => [n, i]));
  const origins = moved.map(({ node }) => place.get(node.src[0]) as number);
  const all = offsets ?? inputStorages.map(() => 0);
  return {
    inputs: [...inputStorages, ...origins.map((i) => inputStorages[i])],
    offsets: [...all, ...moved.map(({ offset }, j) => all[origins[j]] + offset)],
  };
}

function findProgram(
  device: Device,
  graph: LinearGraph,
  roots: readonly Node[],
  targets: readonly number[],
): { readonly program: CachedProgram; readonly moved: readonly MovedSlice[] } {
  const lookUp = (graphKey: Int32Array, graphHash: number) => {
    let hash = graphHash;
    for (const t of targets) hash = Math.imul(hash ^ (t + 7), 0x01000193);
    for (let i = 0; i < device.name.length; i++) hash = Math.imul(hash ^ device.name.charCodeAt(i), 0x01000193);
    const key = new Int32Array(graphKey.length + targets.length);
    key.set(targets);
    key.set(graphKey, targets.length);
    const known = programs.find(hash, key);
    if (known !== undefined) stats.programHits++;
    return { hash, key, known };
  };
  let { hash, key, known } = lookUp(graph.key, graph.hash);
  let moved: readonly MovedSlice[] = [];
  if (known === undefined) {
    const open = movedSlices(graph);
    if (open !== undefined) ({ hash, key, known } = lookUp(open.key, open.hash));
    moved = open?.slices ?? moved;
  }
  if (known !== undefined) return { program: known, moved };
  const { nodes, inputs, copies } = graphOfMoved(graph, moved);
  const start = performance.now();
  const executable = device.compile({
    nodes,
    inputs,
    scalars: nodes.filter((n) => n.op === 'scalar'),
    outputs: roots.map((n, i) => ({ node: copies[n.slot], assign: targets[i] >= 0 ? targets[i] : undefined })),
  });
  stats.programs++;
  const now = performance.now();
  const notice = compileWatch.note(
    nodes.map((n) => n.op),
    now - start,
    now,
  );
  if (notice !== undefined) console.warn(`nabla: ${notice}`);
  return { program: programs.add(hash, key, executable), moved };
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

/**
 * Whether all its programs are still there: the cache is bounded, and what is not used for long is let go. They count as
 * used, so that what has to be computed before the replay does not throw them out.
 */
export function isReplayable(recorded: Recording): boolean {
  const isWhole = recorded.runs.every((r) => !r.program.isDisposed);
  if (isWhole) for (const { program } of recorded.runs) programs.touch(program);
  return isWhole;
}

/** Does a recorded run again. `substitute` maps the storages of the recording to those of this replay. */
export function replayRun(recorded: RecordedRun, substitute: (storage: Storage) => Storage): void {
  const outputs = recorded.outputs.map((s, i) => (recorded.assigned[i] ? s : substitute(s)));
  const { device, program, inputs, offsets, scalars } = recorded;
  execute(device, program, inputs.map(substitute), offsets, scalars, outputs);
  for (let i = 0; i < outputs.length; i++) if (recorded.assigned[i]) outputs[i].version++;
  clearInterned(); // a loop of replays makes leaves, too, when it reads
}

export { leaf };
