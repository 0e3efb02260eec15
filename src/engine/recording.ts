// What one call of a compiled function did: the runs of the engine, the host state that moves on with each call, what the
// call depended on (guards), and why it must not be replayed, if so. A recording belongs to its call: what other code does
// while the call waits is not part of it.
// Input: events from the engine and the library while `record` runs. Output: a Recording for capture.ts.
// It knows nothing of tensors and modules.

import { AsyncScope, isPromiseLike } from './host/async-scope.js';
import type { Device } from './device/device.js';
import { CaptureError } from './ir/errors.js';
import type { ScalarSource } from './ir/op.js';
import type { CachedProgram } from './program-cache.js';
import type { Storage } from './ir/storage.js';

/** Host state that a replay has to advance (an optimiser's step counter), and to take back if the run fails. */
export interface ReplayHook {
  readonly advance: () => void;
  readonly undo?: (() => void) | undefined;
}

/** One run of a program. */
export interface ProgramRun {
  readonly device: Device;
  readonly program: CachedProgram;
  readonly inputs: readonly Storage[];
  /** The element at which each input begins; 0 for all if absent. */
  readonly offsets: readonly number[] | undefined;
  readonly scalars: readonly ScalarSource[];
  readonly outputs: readonly Storage[];
  /** outputs[i] is overwritten in place, else it is a new storage. */
  readonly assigned: readonly boolean[];
}

/** A run of a recorded call: everything needed to do it again with other inputs. */
export interface RecordedRun extends ProgramRun {
  /** Host state that moves on before this run and after the one before it. */
  readonly hooks: readonly ReplayHook[];
  /** Runs with the same number are one: all of its devices, or none. */
  readonly number: number;
}

/** Something that the recorded call depended on. */
export interface Guard {
  /** Whether it is now what it was when the recorded call began. */
  holds(): boolean;
  /** What it is, for messages: `Dropout.training`. */
  readonly what: string;
}

/** What an argument is in a recorded call, so that it is told apart from all that the call reads from outside. */
export interface Stand {
  readonly storage: Storage;
  /** The call overwrites what was passed: from now on the argument means that itself. */
  readonly overwritten?: (() => void) | undefined;
}

export class Recording {
  readonly runs: RecordedRun[] = [];
  /** Since the last run. */
  hooks: ReplayHook[] = [];
  readonly guards: Guard[] = [];
  /** Storages that the call filled from host numbers. */
  readonly made = new Set<Storage>();
  /** What stands for arguments, by the storage that was passed. They share its buffer. */
  readonly stands = new Map<Storage, Stand[]>();
  /** Whether a storage required gradients when the call began, where the call has changed that. */
  readonly flags = new Map<Storage, boolean>();
  readonly endings: (() => void)[] = [];
  private readonly moved = new WeakSet<object>();
  /** Why the call must not be replayed. */
  obstacle: string | undefined;
  /** The call has not ended. */
  isOpen = true;
  /** What happens now may be the call's or anybody else's: it waits, on a host without asynchronous scopes. */
  isUncertain = false;
  /** What happens now is done for the call and not by it. */
  isPaused = false;

  /** Adds what runs together, one program for each device, with the hooks that came before it. */
  add(runs: readonly ProgramRun[]): void {
    const number = this.runs.length;
    for (const { device, program, inputs, offsets, scalars, outputs, assigned } of runs)
      this.runs.push({
        device,
        program,
        inputs,
        offsets,
        scalars,
        outputs,
        assigned,
        hooks: this.hooks.splice(0),
        number,
      });
  }

  /** `stand` is used in the call in the place of `storage`. */
  addStand(storage: Storage, stand: Stand): void {
    const known = this.stands.get(storage);
    if (known === undefined) this.stands.set(storage, [stand]);
    else known.push(stand);
  }

  /** Has `check` called when the call has ended: it may refuse. */
  whenDone(check: () => void): void {
    this.endings.push(check);
  }

  /** Host state that the call has changed by a hook, so that replays change it, too. */
  move(state: object): void {
    this.moved.add(state);
  }

  isMoved(state: object): boolean {
    return this.moved.has(state);
  }

  /** The recorded call must not be replayed. The first reason counts. */
  refuse(reason: string): void {
    this.obstacle ??= reason;
  }
}

const scope = new AsyncScope<Recording>();

/** The recording that what happens now belongs to. */
export function currentRecording(): Recording | undefined {
  const recording = scope.current();
  if (recording === undefined || !recording.isOpen || recording.isPaused) return undefined;
  if (!recording.isUncertain) return recording;
  recording.refuse('it computes after an await, and a browser does not tell whose work that is');
  return undefined;
}

/** Whether what happens now may be a recorded call's: to be asked where nothing of the call is done or looked at. */
export function mayBeRecording(): boolean {
  return scope.current()?.isOpen === true;
}

export function isRecording(): boolean {
  return currentRecording() !== undefined;
}

/** Whether work of `owner` is work of `recording`: a call that has ended owns nothing any more. */
export function belongsTo(owner: Recording | undefined, recording: Recording | undefined): boolean {
  const living = owner?.isOpen === true ? owner : undefined;
  return living === recording || (living !== undefined && living.isUncertain && recording === undefined);
}

/** Switches gradients of a storage on or off; a replay of the call that did it does so, too. */
export function setFlag(storage: Storage, flag: boolean): void {
  const recording = currentRecording();
  if (recording !== undefined && flag !== storage.requiresGrad) {
    if (!recording.flags.has(storage)) recording.flags.set(storage, storage.requiresGrad);
    recording.hooks.push({ advance: () => (storage.requiresGrad = flag), undo: () => (storage.requiresGrad = !flag) });
  }
  storage.requiresGrad = flag;
}

/** Called by host-side state that a replay must advance, and take back if what it belongs to fails. */
export function onReplay(advance: () => void, undo?: () => void): void {
  currentRecording()?.hooks.push({ advance, undo });
}

/** Runs `body` as if nothing were being recorded. */
export function withoutRecording<T>(recording: Recording, body: () => T): T {
  const before = recording.isPaused;
  recording.isPaused = true;
  try {
    return body();
  } finally {
    recording.isPaused = before;
  }
}

/** Looks at host state before a recorded call, and adds guards after it. */
export type Witness = () => (recording: Recording) => void;

const witnesses: Witness[] = [];

/** Has `witness` called before each recorded call, and what it returns after it. */
export function addWitness(witness: Witness): void {
  witnesses.push(witness);
}

/**
 * Runs `body` and records what the engine does in it, then `finish`, which is recorded too and cannot wait.
 * A recording inside a recording is refused.
 */
export async function record<T, R>(
  recording: Recording,
  body: () => T | Promise<T>,
  finish: (result: T) => R,
): Promise<R> {
  if (isRecording())
    throw new CaptureError(
      'compile: a compiled function was called inside another while it is being captured. Call it outside.',
    );
  const reports = witnesses.map((witness) => witness());
  try {
    return await scope.run(recording, async () => {
      const going = body();
      recording.isUncertain = !scope.isExact && isPromiseLike(going);
      const result = await going;
      recording.isUncertain = false;
      const finished = finish(result);
      for (const report of reports) report(recording);
      for (const check of recording.endings.splice(0)) check();
      return finished;
    });
  } finally {
    recording.isOpen = false;
  }
}
