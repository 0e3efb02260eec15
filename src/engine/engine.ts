// The engine: turns wanted nodes into numbers. It gathers what has to be computed (wanted nodes, kept nodes, pending
// in-place updates), looks up or compiles one program for all of it, runs it, and hands out storages.
// It owns the devices, the program cache and the lifetime of storages, and tells the recording of a compiled function
// (recording.ts) what it does.
// Input: graph nodes. Output: storages. It knows nothing of the Tensor class.

import { CompileWatch } from './compile-watch.js';
import type { Device, TypedArray } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import { otherCopyError } from './ir/copies.js';
import type { DType } from './ir/dtype.js';
import { findGarbageCollector } from './garbage-collector.js';
import { CaptureError, DeviceError, OutOfMemoryError, StaleTensorError } from './ir/errors.js';
import { leaf } from './ir/build.js';
import { type LinearGraph, checkExpired, freedError, linearise } from './ir/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import type { ScalarSource } from './ir/op.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type Storage, createStorage } from './ir/storage.js';
import type { Capture, Source } from './capture.js';
import { type Recording, type ReplayHook, belongsTo, currentRecording, isRecording } from './recording.js';
import { noteRun } from './lost-runs.js';
import { type Dropped, type Part, type Unit, type Update, describeDropped, partsOf } from './parts.js';
import { portions } from './portions.js';
import { countRun, recomputed } from './recomputed.js';
import { type MovedSlice, graphOfMoved, movedSlices } from './moved-slices.js';
import { type CachedProgram, ProgramCache, programLimitBytes } from './program-cache.js';
import { giveWay, takeTurns } from './turns.js';

/** A tensor's storage that will be overwritten by `value` at the next run. */
interface PendingAssign extends Update {
  /** Tells the tensor that the update was made, or dropped; `left` is what it waits for from now on. */
  readonly settle: (left: Node | undefined) => void;
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
/** Every device of this copy of the package, also those that are gone. */
const made = new WeakSet<object>();
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
    made.add(device);
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
  pending.clear(); // what waits for the next run was to be computed on them
  kept.clear();
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
  currentRecording()?.made.add(storage);
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
 * What everything asynchronous ends with. Others get their turn now and then; buffers are returned by finalizers, which run
 * only between tasks, so after enough allocation garbage is collected and a task passes. Not while a step is recorded.
 */
export async function rest(): Promise<void> {
  if (isRecording()) return;
  if (allocatedSinceRest >= restAfterBytes || buffersSinceRest >= REST_AFTER_BUFFERS) await collect();
  else await giveWay();
}

async function collect(): Promise<void> {
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  clearInterned(); // graphs that nobody has computed must not hold what they read
  if (collectGarbage === null) collectGarbage = findGarbageCollector();
  collectGarbage?.();
  await takeTurns();
}

// ---------------------------------------------------------------- running

const programs = new ProgramCache(programLimitBytes());
const compileWatch = new CompileWatch();
const kept = new Map<Node, Recording | undefined>();
const pending = new Map<Storage, PendingAssign>();
const stats: EngineStats = { programs: 0, programHits: 0, runs: 0, kernelsLastRun: 0 };

export function engineStats(): Readonly<EngineStats> {
  return stats;
}

/** Programs that are held now, about what they take, and the bound, which may be changed. */
export function programCache(): ProgramCache {
  return programs;
}

/** Computes `node` together with the next run, so that it can be read after an update. */
export function keep(node: Node): void {
  if (node.storage === undefined && node.op !== 'leaf') kept.set(node, currentRecording());
}

/** Storages that nothing was written to yet, and the value that they wait for. */
const firstValues = new WeakMap<Storage, Node | undefined>();

/** Overwrites `storage` with `value` at the next run; a later assign of the same storage replaces this one. */
export function assignLater(storage: Storage, value: Node, settle: (left: Node | undefined) => void): void {
  // Found here and not at the next run, which may be anybody's.
  if (devices.get(storage.device) !== storage.owner) throw goneError(storage, 'assign_');
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

/** One program on its way: everything that can fail before it runs has been done. */
interface Prepared {
  readonly device: Device;
  readonly program: CachedProgram;
  readonly inputs: readonly Storage[];
  /** The element at which each input begins; 0 for all if absent. */
  readonly offsets: readonly number[] | undefined;
  readonly scalars: readonly ScalarSource[];
  readonly outputs: readonly Storage[];
  readonly assigned: readonly boolean[];
  /** The nodes that it computes. */
  readonly order: readonly Node[];
}

/** What is computed by one program, unless it shares its numbers with other devices'. */
interface Job extends Part<PendingAssign> {
  readonly device: Device;
  /** One of several portions (portions.ts): earlier ones may have stored what it asks for. */
  readonly isCut: boolean;
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
  for (const node of roots) group(node.device ?? defaultDevice).roots.push(node);
  for (const assign of assigns) group(assign.storage.device).assigns.push(assign);
  const jobs = [...byDevice].flatMap(([name, g]) =>
    portions(g.roots, g.assigns).map((portion): Job => ({ device: getDevice(name), ...portion })),
  );
  if (jobs.length === byDevice.size) performTogether(jobs, recording);
  else for (const job of jobs) performTogether([job], recording);
}

function performTogether(jobs: readonly Job[], recording: Recording | undefined): void {
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
  for (const [node, storage] of results) {
    node.storage = storage;
    if (!node.requiresGrad) node.src = []; // nothing will ask how it came to be
  }
  for (const { order } of prepared) countRun(order);
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
function prepare(job: Job, results: Map<Node, Storage>, recording: Recording | undefined): Prepared | undefined {
  const { device, assigns, isCut } = job;
  const wanted = isCut ? job.roots.filter((n) => n.storage === undefined) : job.roots;
  if (wanted.length + assigns.length === 0) return undefined;
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
  const { program, moved } = findProgram(device, graph, [...roots, ...values], targetsOf(graph, roots.length, assigns));
  const outputs: Storage[] = [];
  for (const node of roots) {
    const storage = newStorage(device, node.dtype, node.shape, `${node.op} ${formatShape(node.shape)}`);
    results.set(node, storage);
    outputs.push(storage);
  }
  for (const a of assigns) outputs.push(a.storage);
  const assigned = outputs.map((_, i) => i >= roots.length);
  const { scalars, order } = graph;
  return { device, program, ...withMoved(graph, moved), scalars: [...scalars], outputs, assigned, order };
}

/** For each root the input that it overwrites. */
function targetsOf(graph: LinearGraph, roots: number, assigns: readonly PendingAssign[]): number[] {
  const targets = new Array<number>(roots).fill(NEW);
  if (assigns.length === 0) return targets;
  const place = new Map<Storage, number>();
  graph.inputStorages.forEach((storage, i) => !place.has(storage) && place.set(storage, i));
  for (const { storage } of assigns) targets.push(place.get(storage) ?? UNREAD);
  return targets;
}

/** The storages that a program fills, and does not overwrite. */
const newOf = ({ outputs, assigned }: Omit<Prepared, 'order'>): Storage[] => outputs.filter((_, i) => !assigned[i]);

/** Runs programs of several devices so that all of them take effect, or none. A single one does anyway. */
function executeAll(programs: readonly Omit<Prepared, 'order'>[]): void {
  const last = programs.at(-1);
  if (programs.length === 1 && last !== undefined) {
    execute(last);
    return;
  }
  const copies = programs.flatMap((p) => (p === last ? [] : copiesOf(p.outputs.filter((_, i) => p.assigned[i]))));
  try {
    for (const p of programs) execute(p);
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
  const roots = storages.map((s) => leaf(s) as Node);
  const copying = prepare({ device, roots, assigns: [], isCut: false }, results, undefined) as Prepared;
  execute(copying);
  return storages.map((own, i) => ({ own, copy: copying.outputs[i] }));
}

function swapBuffers(a: Storage, b: Storage): void {
  for (const s of [a, b]) collected.unregister(s);
  [a.buffer, b.buffer] = [b.buffer, a.buffer];
  for (const s of [a, b]) collected.register(s, { device: s.owner as Device, buffer: s.buffer }, s);
}

/** The device's handle. Throws StaleTensorError if it was freed, or the device that made it is gone. */
function bufferOf(storage: Storage, device: Device): unknown {
  if (storage.buffer === null || storage.base?.buffer === null) throw freedError(storage);
  if (storage.failure !== undefined) throw storage.failure;
  if (storage.owner !== device) throw goneError(storage, 'read');
  return storage.buffer;
}

function goneError(storage: Storage, op: string): Error {
  const what = storage.name ?? `a ${storage.dtype} tensor ${formatShape(storage.shape)}`;
  if (storage.owner !== undefined && !made.has(storage.owner)) return otherCopyError(op, what);
  return new StaleTensorError(`${op}: ${what} went with its device when the devices were disposed of. Create it anew.`);
}

function execute({ device, program, inputs, offsets, scalars, outputs }: Omit<Prepared, 'order'>): void {
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
    outputs: roots.map((n, i) => ({
      node: copies[n.slot],
      assign: targets[i] >= 0 ? targets[i] : undefined,
      isFull: targets[i] !== NEW,
    })),
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
  // Without waiting where nothing has to be collected: the tensor may be disposed of as soon as this returns.
  if (node.storage === undefined && node.op !== 'leaf' && !runOrRetry([node], undefined, true)) await collect();
  const storage = storageOf(node);
  const device = getDevice(storage.device);
  const data = await device.download(bufferOf(storage, device), storage.size, storage.dtype);
  await rest();
  return data;
}

// ---------------------------------------------------------------- for compile(fn)

/** A storage with the same numbers in a buffer of its own. */
function copyOf(storage: Storage): Storage {
  return copiesOf([storage])[0].copy;
}

/** Before `storage` is overwritten: what stands for it as an argument keeps the numbers that were passed. */
function separate(recording: Recording, storage: Storage): void {
  for (const { storage: stand } of recording.stands.get(storage) ?? []) {
    if (stand.buffer !== storage.buffer) continue;
    stand.base = copyOf(storage);
    stand.buffer = stand.base.buffer;
  }
}

/**
 * Does a captured call again, with other inputs. Returns the storages of all slots. A run that fails changes nothing; what runs
 * before it have done stays, as it does where the function is not captured.
 */
export function replay(capture: Capture, inputs: readonly Storage[]): Storage[] {
  const { runs } = capture;
  const slots = inputs.map((storage) => (capture.assigned.has(storage) ? copyOf(storage) : storage));
  const made: Storage[] = [];
  const storageOfSource = (source: Source): Storage => {
    if (typeof source !== 'number') return source;
    const known = slots[source];
    if (known !== undefined) return known;
    const { device, dtype, shape } = capture.temporaries[source - capture.inputs];
    const storage = newStorage(getDevice(device), dtype, shape, `result ${formatShape(shape)}`);
    made.push(storage);
    return (slots[source] = storage);
  };
  for (let i = 0; i < runs.length;) {
    const { number, hooks } = runs[i];
    const prepared: Omit<Prepared, 'order'>[] = [];
    const advanced: ReplayHook[] = [];
    try {
      for (const hook of hooks) {
        hook.advance();
        advanced.push(hook);
      }
      for (; i < runs.length && runs[i].number === number; i++) {
        const run = runs[i];
        programs.touch(run.program);
        prepared.push({ ...run, inputs: run.inputs.map(storageOfSource), outputs: run.outputs.map(storageOfSource) });
      }
      executeAll(prepared);
      for (const p of prepared) {
        noteRun(
          p.device,
          () => newOf(p),
          () => {
            for (const { undo } of advanced.splice(0).reverse()) undo?.();
          },
        );
      }
    } catch (error) {
      for (const { undo } of advanced.reverse()) undo?.();
      made.forEach(freeStorage);
      throw error;
    }
    for (const { outputs, assigned } of prepared) outputs.forEach((s, j) => assigned[j] && s.version++);
  }
  for (const { advance } of capture.hooks) advance();
  capture.replays++;
  clearInterned(); // a loop of replays makes leaves, too, when it reads
  return slots;
}

export { leaf };
