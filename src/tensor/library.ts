// What the library folders (nn, optim, data, io) need besides the Tensor class: error classes, types, and the few entries
// of the engine that a parameter or an optimiser has to reach. Not part of the public surface.

import {
  emptyStorage,
  getDevice,
  inUnit,
  keepFor,
  partOf,
  rest,
  run,
  runWithRoom,
  undoWithUnit,
  withMemory,
} from '../engine/engine.js';
import { addWitness, currentRecording, isRecording, onReplay } from '../engine/recording.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import type { Storage } from '../engine/ir/storage.js';
import type { Unit } from '../engine/prepare/parts.js';
import { withoutGrad } from './grad-mode.js';
import { rememberOwner } from './gradients.js';
import { type AnyTensor, Tensor, wrapStorage } from './tensor.js';
import { GraphValue, StoredValue } from './values.js';

export { addWitness, currentRecording, inUnit, isRecording, onReplay };
export type { Guard, Recording } from '../engine/recording.js';
export { giveWay } from '../engine/host/turns.js';
export { compileLibrary } from '../engine/device/cpu/native/cache.js';
export { SUPERVISOR } from '../engine/device/cpu/native/supervisor.js';
export {
  type DataOf,
  type DType,
  type FloatDType,
  brainBits,
  brainValue,
  halfBits,
  halfValue,
  isDType,
  isFloat,
} from '../engine/ir/dtype.js';
export {
  ArgumentError,
  DTypeError,
  DeviceError,
  FormatError,
  GradError,
  IndexError,
  LinAlgError,
  NablaError,
  type Place,
  ShapeError,
  StaleTensorError,
  tellCall,
  tellMore,
  tellPlace,
} from '../engine/ir/errors.js';
export { nameIndices, tellModules } from '../engine/ir/place.js';
export { HOME, markCopy, refuseOtherCopy } from '../engine/ir/copies.js';
export * from '../engine/ir/arguments.js';
export { type OptionNames, checkNeededOptions, checkOptions, editDistance } from '../engine/ir/options.js';
export { defaultDType } from './operands.js';
export { type Cell, elmanCell, gruCell, lstmCell, recurrence, recurrentStep } from './recurrence.js';
export { checkedElements, checkedLabels, checkedProbabilities, gatherLabels } from './ranges.js';
export { type Shape, broadcastShapes, checkShape, formatShape, sameShape, shown, sizeOf } from '../engine/ir/shape.js';

/**
 * The numbers of `t` in memory of their own. A given tensor is taken over; a computed one is computed at the next run,
 * together with whatever else waits: the state of a whole model is one program.
 */
export function storedValue(t: AnyTensor): StoredValue {
  if (t.storage !== undefined) return new StoredValue(t.storage);
  const value = new StoredValue(emptyStorage(t.shape, t.dtype, t.device, `state ${formatShape(t.shape)}`));
  value.assign(build.detach(t.node));
  return value;
}

/**
 * The tensor has its numbers in another dtype from now on, for everyone who holds it. Its gradient, which is of the dtype
 * before, is gone.
 */
export function changeDType(t: AnyTensor, dtype: DType): void {
  replaceStorage(t, storedValue(t.detach().to(dtype)));
}

/** Throws DeviceError for a device that is not there. */
export function checkDevice(name: string): void {
  getDevice(name);
}

/** The same for another device: the numbers are copied there. */
export async function changeDevice(t: AnyTensor, device: string): Promise<void> {
  replaceStorage(t, storedValue(await t.detach().to(device)));
}

function replaceStorage(t: AnyTensor, value: StoredValue): void {
  const { storage: before, requiresGrad } = t;
  value.storage.requiresGrad = requiresGrad;
  value.storage.name = before?.name;
  t['value'] = value;
  t.grad = undefined;
  if (requiresGrad) rememberOwner(value.storage, t);
}

/** The tensor itself if its numbers are stored, else one that holds them: something that can be assigned to. */
export function stored<S extends Shape, D extends DType>(t: Tensor<S, D>): Tensor<S, D> {
  return t.storage !== undefined ? t : new Tensor<S, D>(storedValue(t));
}

/** Carries out pending updates now, so that the next graph starts from stored values. Throws if those of `unit` fail. */
export function runPending(unit?: Unit): void {
  run([], unit);
}

/**
 * Calls `advance` now, and again before each replay of a captured step: for state that lives in JavaScript. `undo` takes
 * one call back, if the update that it belongs to (`inUnit`) fails.
 */
export function eachRun(advance: () => void, undo: () => void): void {
  advance();
  undoWithUnit(undo);
  if (isRecording()) onReplay(advance, undo);
}

/** Carries out the updates that `body` asks for without gradients, all or none: if that fails, it is as if `body` had not been called. */
export async function updateAtOnce(body: () => void): Promise<void> {
  await runWithRoom(
    [],
    inUnit(() => withoutGrad(body)),
  );
  await rest();
}

/**
 * `updateAtOnce`, where `later` is computed after it: what the updates compute on the way and `later` needs as well is kept, instead of
 * being computed again.
 */
export async function updateBefore(later: readonly AnyTensor[], body: () => void): Promise<void> {
  await updateAtOnce(() => {
    body();
    keepFor(later.map((t) => t.node));
  });
}

/** Is an `assign_` to this tensor still to be carried out? */
export function isPending(t: AnyTensor): boolean {
  return t.storage !== undefined && t.node.op !== 'leaf';
}

/**
 * Hands the memory of a stored tensor to `write`, for numbers that come from outside of the program without a copy; updates that wait
 * for it have to be made before (`runPending`). The bytes are to be used at once. False where the host does not see the device's memory.
 */
export function overwriteMemory({ storage }: AnyTensor, write: (bytes: Uint8Array) => void): boolean {
  return storage !== undefined && withMemory(storage, write);
}

/**
 * The numbers of a stored tensor from element `start` on, as a tensor of this shape that is stored there: `assign_` to it writes into `whole`. Kernels
 * want parts to begin at multiples of 64 bytes.
 */
export function storedPart<D extends DType>(whole: Tensor<Shape, D>, start: number, shape: Shape): Tensor<Shape, D> {
  return wrapStorage(partOf(whole.storage as Storage, start, shape));
}

/** What a stored tensor holds now, computed from it: it can be read until numbers are written there again. */
export function copyOfStored<S extends Shape, D extends DType>(t: Tensor<S, D>): Tensor<S, D> {
  return new Tensor<S, D>(new GraphValue(build.copy(t.node)));
}

/** Numbers have been written into the memory of a stored tensor by other means: what was built on those before is out of date. */
export function noteOverwritten({ storage }: AnyTensor): void {
  if (storage !== undefined) storage.version++;
}
