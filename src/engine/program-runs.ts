// From what is to be computed on a device to a run: the graph in order, its program from the cache (or compiled), storages for
// results; then the run itself, of one device or of several, all or none.
// Input: nodes and updates. Output: filled storages. It must not know who asked for them, and when.

import { CompileWatch } from './compile-watch.js';
import type { Device } from './device/device.js';
import { getDevice } from './device-registry.js';
import { leaf } from './ir/build.js';
import { type LinearGraph, linearise } from './ir/graph/linearise.js';
import type { Node } from './ir/node.js';
import { formatShape } from './ir/shape.js';
import type { Storage } from './ir/storage.js';
import { type MovedSlice, graphOfMoved, movedSlices } from './prepare/moved-slices.js';
import { type CachedProgram, ProgramCache, programLimitBytes } from './program-cache.js';
import { recomputed } from './prepare/recomputed.js';
import type { ProgramRun, Recording } from './recording.js';
import { bufferOf, freeStorage, newStorage, swapBuffers, targetOf } from './storages.js';

export interface EngineStats {
  programs: number;
  programHits: number;
  runs: number;
  kernelsLastRun: number;
}

/** One program on its way: everything that can fail before it runs has been done. */
export interface Prepared extends ProgramRun {
  /** The nodes that it computes. */
  readonly order: readonly Node[];
}

/** What is computed by one program, unless it shares its numbers with other devices'. */
export interface Job {
  readonly roots: readonly Node[];
  readonly assigns: readonly { readonly storage: Storage; readonly value: Node }[];
  readonly device: Device;
  /** One of several portions (portions.ts): earlier ones may have stored what it asks for. */
  readonly isCut: boolean;
}

const programs = new ProgramCache(programLimitBytes());
const compileWatch = new CompileWatch();
const stats: EngineStats = { programs: 0, programHits: 0, runs: 0, kernelsLastRun: 0 };

export function engineStats(): Readonly<EngineStats> {
  return stats;
}

/** Programs that are held now, about what they take, and the bound, which may be changed. */
export function programCache(): ProgramCache {
  return programs;
}

/** What is written to, in the place of an input's number: a new storage, or an old one that nothing here reads. */
const NEW = -1;
const UNREAD = -2;

/** Compiles, and makes storages for the results, which it enters into `results`. */
export function prepare(job: Job, results: Map<Node, Storage>, recording: Recording | undefined): Prepared | undefined {
  const { device, assigns, isCut } = job;
  const wanted = isCut ? job.roots.filter((n) => n.storage === undefined) : job.roots;
  if (wanted.length + assigns.length === 0) return undefined;
  const values = assigns.map((a) => a.value);
  const overwritten = new Set(assigns.map((a) => a.storage));
  let roots = wanted;
  let graph = linearise([...roots, ...values], overwritten, device);
  // A captured step is the same at every call: what it computes must not depend on what came before.
  const again = recording === undefined || isCut ? recomputed(graph.order, wanted, device.memory(), isCut) : [];
  if (again.length > 0) {
    roots = [...wanted, ...again];
    graph = linearise([...roots, ...values], overwritten, device);
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
function targetsOf(graph: LinearGraph, roots: number, assigns: Job['assigns']): number[] {
  const targets = new Array<number>(roots).fill(NEW);
  if (assigns.length === 0) return targets;
  const place = new Map<Storage, number>();
  graph.inputStorages.forEach((storage, i) => !place.has(storage) && place.set(storage, i));
  for (const { storage } of assigns) targets.push(place.get(storage) ?? UNREAD);
  return targets;
}

/** The storages that a program fills, and does not overwrite. */
export const newOf = ({ outputs, assigned }: ProgramRun): Storage[] => outputs.filter((_, i) => !assigned[i]);

/** Runs programs of several devices so that all of them take effect, or none. A single one does anyway. */
export function executeAll(programs: readonly ProgramRun[]): void {
  const last = programs.at(-1);
  if (programs.length === 1 && last !== undefined) {
    execute(last);
    return;
  }
  const overwritten = programs.flatMap((p) => (p === last ? [] : [p.outputs.filter((_, i) => p.assigned[i])]));
  // A part stays where it is: what was in it is gone if the run fails, and nobody takes it for what it was.
  const isPart = (storage: Storage): boolean => storage.base !== undefined;
  const copies = overwritten.flatMap((storages) => copiesOf(storages.filter((storage) => !isPart(storage))));
  try {
    for (const p of programs) execute(p);
  } catch (error) {
    for (const { own, copy } of copies) swapBuffers(own, copy);
    for (const storage of overwritten.flat()) if (isPart(storage)) storage.version++;
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

function execute({ device, program, inputs, offsets, scalars, outputs }: ProgramRun): void {
  const numbers = new Array<number>(scalars.length);
  for (let i = 0; i < scalars.length; i++) {
    const source = scalars[i];
    numbers[i] = source.get === undefined ? source.value : source.get();
  }
  const { executable } = program;
  stats.runs++;
  stats.kernelsLastRun = executable.kernels.length;
  const given = new Array<unknown>(inputs.length);
  for (let i = 0; i < inputs.length; i++) {
    const offset = offsets?.[i] ?? 0;
    const buffer = bufferOf(inputs[i], device);
    given[i] = offset === 0 ? buffer : device.from(buffer, offset, inputs[i].dtype);
  }
  const targets = new Array<unknown>(outputs.length);
  for (let i = 0; i < outputs.length; i++) targets[i] = targetOf(outputs[i], device);
  const states = executable.watched?.map((i) => `${inputs[i].id}:${inputs[i].version}:${offsets?.[i] ?? 0}`);
  executable.run(given, numbers, targets, states);
  for (let i = 0; i < outputs.length; i++) outputs[i].first = undefined;
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

/** A storage with the same numbers in a buffer of its own. */
export function copyOf(storage: Storage): Storage {
  return copiesOf([storage])[0].copy;
}
