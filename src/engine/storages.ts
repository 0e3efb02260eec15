// Storages: how they get buffers of a device, how long they keep them, and when garbage is collected to get some back.
// Buffers lie outside the sight of the garbage collector, so what was handed out is counted here.
// It must not know programs.

import type { Device } from './device/device.js';
import { getDevice, isCurrent, isOwn } from './device-registry.js';
import { findGarbageCollector } from './host/garbage-collector.js';
import { otherCopyError } from './ir/copies.js';
import { type DType, bytesOf } from './ir/dtype.js';
import { DeviceError, StaleTensorError } from './ir/errors.js';
import { freedError } from './ir/graph/linearise.js';
import { type Node, clearInterned } from './ir/node.js';
import { type Shape, formatShape, sizeOf } from './ir/shape.js';
import { type FirstNumbers, type Storage, createStorage } from './ir/storage.js';
import { currentRecording, mayBeRecording } from './recording.js';
import { giveWay, takeTurns } from './host/turns.js';

const collected = new FinalizationRegistry<{ device: Device; buffer: unknown }>(({ device, buffer }) =>
  release(device, buffer),
);

/** A device that was disposed of has no buffers left to free. */
function release(device: Device, buffer: unknown): void {
  if (isCurrent(device, device.name)) device.free(buffer);
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

/** The device that was asked last: its heap has been looked at. */
let asked: Device | undefined;

/** A storage whose contents are undefined. */
export function newStorage(device: Device, dtype: DType, shape: Shape, label: string): Storage {
  const storage = createStorage(device.name, dtype, shape, sizeOf(shape), undefined);
  storage.owner = device;
  allocate(storage, device, label);
  return storage;
}

function allocate(storage: Storage, device: Device, label: string): void {
  if (device !== asked) {
    asked = device;
    restAfterBytes = Math.min(restAfterBytes, device.memory().limitBytes / 4);
  }
  const { size, dtype } = storage;
  const buffer = device.allocate(size, dtype, label);
  storage.buffer = buffer;
  allocatedSinceRest += size * bytesOf(dtype);
  buffersSinceRest++;
  newest = Math.max(newest, storage.id);
  collected.register(storage, { device, buffer }, storage);
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

/**
 * A storage whose numbers `make` gives, the same at each call, when they are needed for the first time: what is overwritten before is
 * neither made nor stored.
 */
export function storageLater(make: () => ArrayLike<number>, shape: Shape, dtype: DType, deviceName: string): Storage {
  const device = getDevice(deviceName);
  const storage = createStorage(device.name, dtype, shape, sizeOf(shape), undefined);
  storage.owner = device;
  storage.first = { make, isRead: false };
  currentRecording()?.made.add(storage);
  return storage;
}

/** Storages that nothing was written to yet, and the value that they wait for. */
export const firstValues = new WeakMap<Storage, Node | undefined>();

/** A storage whose numbers come later, by an assign. */
export function emptyStorage(shape: Shape, dtype: DType, deviceName: string, label: string): Storage {
  const storage = newStorage(getDevice(deviceName), dtype, shape, label);
  firstValues.set(storage, undefined);
  return storage;
}

/** The numbers of `whole` from element `start` on, as a storage: what is written to one is in the other. It keeps `whole` in memory. */
export function partOf(whole: Storage, start: number, shape: Shape): Storage {
  const device = getDevice(whole.device);
  const buffer = device.from(bufferOf(whole, device), start, whole.dtype);
  const part = createStorage(whole.device, whole.dtype, shape, sizeOf(shape), buffer);
  part.owner = whole.owner;
  part.base = whole;
  return part;
}

/** Frees a storage now instead of when it is collected. */
export function freeStorage(storage: Storage): void {
  if (storage.buffer === null) return;
  storage.first = undefined;
  if (storage.buffer === undefined) {
    storage.buffer = null;
    return;
  }
  if (storage.base !== undefined) {
    storage.buffer = null; // the base's to free
    return;
  }
  collected.unregister(storage);
  release(storage.owner as Device, storage.buffer);
  storage.buffer = null;
  if (storage.id <= lastBeforeRest) return;
  allocatedSinceRest -= storage.size * bytesOf(storage.dtype);
  buffersSinceRest--;
}

/** Looked for when it is needed first; null until then. */
let collectGarbage: (() => void) | undefined | null = null;

/**
 * What everything asynchronous ends with. Others get their turn now and then; buffers are returned by finalizers, which run
 * only between tasks, so after enough allocation garbage is collected and a task passes. Not while a step is recorded.
 */
export async function rest(): Promise<void> {
  await restIfDue();
}

/** `rest`, and undefined where there is nothing to wait for: an await costs a replay of a small function a tenth more. */
export function restIfDue(): Promise<void> | undefined {
  if (mayBeRecording()) return undefined;
  if (allocatedSinceRest >= restAfterBytes || buffersSinceRest >= REST_AFTER_BUFFERS) return collect();
  return giveWay();
}

/** Collects garbage and lets its buffers be returned. */
export async function collect(): Promise<void> {
  allocatedSinceRest = 0;
  buffersSinceRest = 0;
  lastBeforeRest = newest;
  clearInterned(); // graphs that nobody has computed must not hold what they read
  if (collectGarbage === null) collectGarbage = findGarbageCollector();
  collectGarbage?.();
  await takeTurns();
}

export function swapBuffers(a: Storage, b: Storage): void {
  for (const s of [a, b]) collected.unregister(s);
  [a.buffer, b.buffer] = [b.buffer, a.buffer];
  for (const s of [a, b]) collected.register(s, { device: s.owner as Device, buffer: s.buffer }, s);
}

/** The device's handle. Throws StaleTensorError if it was freed, or the device that made it is gone. */
export function bufferOf(storage: Storage, device: Device): unknown {
  if (storage.buffer === null || storage.base?.buffer === null) throw freedError(storage);
  if (storage.failure !== undefined) throw storage.failure;
  if (storage.owner === device) {
    if (storage.first !== undefined) makeFirst(storage, storage.first, device);
    return storage.buffer;
  }
  if (storage.owner !== undefined && isCurrent(storage.owner, storage.device)) throw elsewhereError(storage, device);
  throw goneError(storage, 'read');
}

function makeFirst(storage: Storage, first: FirstNumbers, device: Device): void {
  if (storage.buffer === undefined) allocate(storage, device, `given ${formatShape(storage.shape)}`);
  device.upload(storage.buffer, first.make(), storage.dtype);
  storage.first = undefined;
}

/** Makes the numbers that nobody has needed so far: another storage is to have the same buffer. */
export function settle(storage: Storage): void {
  const { first, owner } = storage;
  if (first !== undefined && owner !== undefined) makeFirst(storage, first, owner as Device);
}

/** `bufferOf`, for a run that overwrites all of it: numbers that nobody has needed so far are not made any more. */
export function targetOf(storage: Storage, device: Device): unknown {
  const { first, owner } = storage;
  // A device that runs later may lose the run: then what was there before has to be there.
  if (first === undefined || owner !== device || device.progress?.() !== undefined) return bufferOf(storage, device);
  if (storage.buffer === undefined) allocate(storage, device, `given ${formatShape(storage.shape)}`);
  return storage.buffer;
}

function elsewhereError({ name, dtype, shape, device: its }: Storage, { name: here }: Device): DeviceError {
  const what = name ?? `a ${dtype} tensor ${formatShape(shape)}`;
  return new DeviceError(
    `read: ${what} is on the device ${its} and what is computed of it on ${here}. Move it with to('${here}').`,
  );
}

export function goneError(storage: Storage, op: string): Error {
  const what = storage.name ?? `a ${storage.dtype} tensor ${formatShape(storage.shape)}`;
  if (storage.owner !== undefined && !isOwn(storage.owner)) return otherCopyError(op, what);
  return new StaleTensorError(`${op}: ${what} went with its device when the devices were disposed of. Create it anew.`);
}
