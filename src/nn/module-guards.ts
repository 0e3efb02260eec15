// What compiled functions (tensor/compile.ts) have to know of modules: their modes and fields shape the graph, so a capture
// holds only as long as they are as they were when the captured call began.
//   Which modules take part is seen from layers that are called, modes that are asked for, and tensors that are used; what
//   holds such a module, or is held by one, takes part too, and a module with neither tensors nor modules may always do.
//   A field that the call itself changes makes it another call each time: such a call is not replayed.
// Must not know: the class Module, particular layers.

import { type Guard, type Recording, addWitness, currentRecording, onReplay } from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';
import { hookChanges, mustCallHooks } from './hooks.js';

type Fields = Record<string, unknown>;

/** All modules that live, and which of them do not train. */
const living = new Set<WeakRef<object>>();
const known = new WeakSet<object>();
const evaluating = new WeakSet<object>();
/** Counts changes of modes: guards look at every module's again only after one. */
let modeChanges = 0;
const gone = new FinalizationRegistry<WeakRef<object>>((reference) => living.delete(reference));
const takingPart = new WeakMap<Recording, Set<object>>();

/** To be called once for each new module. */
export function registerModule(module: object): void {
  const reference = new WeakRef(module);
  known.add(module);
  living.add(reference);
  gone.register(module, reference);
}

let telling: (abstract new (...args: never[]) => object) | undefined;

/** Modules of this class note each call themselves. */
export function tellsOfCalls(kind: NonNullable<typeof telling>): void {
  telling = kind;
}

/** The module takes part in what is being recorded, if anything is. */
export function noteModule(module: object): void {
  const recording = currentRecording();
  if (recording === undefined) return;
  const set = takingPart.get(recording);
  if (set === undefined) takingPart.set(recording, new Set([module]));
  else set.add(module);
}

export function trainingOf(module: object): boolean {
  noteModule(module);
  return !evaluating.has(module);
}

/** Also in replays of the call that does it. */
export function setTraining(module: object, mode: boolean): void {
  noteModule(module);
  const set = (): void => {
    modeChanges++;
    if (mode) evaluating.delete(module);
    else evaluating.add(module);
  };
  set();
  onReplay(set);
}

// ---------------------------------------------------------------- what a module is like

/** Longer lists are not looked into: numbers, most likely. */
const LONGEST = 1000;

function isContainer(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length <= LONGEST;
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** A module's mode and fields, those in its lists and plain objects included, at one time. */
class Snapshot {
  readonly module: object;
  private readonly isTraining: boolean;
  /** holders[i][names[i]] was values[i]. */
  private readonly holders: Fields[] = [];
  private readonly names: string[] = [];
  private readonly values: unknown[] = [];
  /** The tensors among them, and where their numbers were. */
  private readonly owners: Tensor[] = [];
  private readonly storages: Tensor['storage'][] = [];
  private readonly labels: string[] = [];

  constructor(module: object) {
    this.module = module;
    this.isTraining = !evaluating.has(module);
    this.add(module as Fields, new Set());
  }

  private add(holder: Fields, open: Set<object>): void {
    open.add(holder);
    const names = Object.keys(holder);
    if (Array.isArray(holder)) names.push('length');
    for (const name of names) {
      const value = holder[name];
      this.holders.push(holder);
      this.names.push(name);
      this.values.push(value);
      if (isContainer(value) && !open.has(value)) this.add(value, open);
      if (value instanceof Tensor) this.addStorage(name, value);
    }
  }

  /** Of a tensor that is converted (`to`) the numbers lie elsewhere. */
  private addStorage(name: string, t: Tensor): void {
    this.owners.push(t);
    this.storages.push(t.storage);
    this.labels.push(name);
  }

  get isTrainingStill(): boolean {
    return !evaluating.has(this.module) === this.isTraining;
  }

  /** The name of a field that is another one now. */
  changedField(): string | undefined {
    const { holders, names, values, owners, storages } = this;
    for (let i = 0; i < names.length; i++) {
      const value = holders[i][names[i]];
      const isOther = value === value ? value !== values[i] : values[i] === values[i]; // NaN is as it was
      if (isOther) return names[i];
    }
    for (let i = 0; i < owners.length; i++) if (owners[i].storage !== storages[i]) return this.labels[i];
    return undefined;
  }

  /** It holds neither tensors nor modules. */
  get isBare(): boolean {
    return !this.values.some((value) => value instanceof Tensor || known.has(value as object));
  }

  *parts(): Iterable<object> {
    for (const value of this.values) if (typeof value === 'object' && value !== null && known.has(value)) yield value;
  }

  *tensors(): Iterable<Tensor> {
    for (const value of this.values) if (value instanceof Tensor) yield value;
  }
}

// ---------------------------------------------------------------- guards

/** The modules that took part in a call, of all that there were. */
function participants(recording: Recording, before: ReadonlyMap<object, Snapshot>): Set<object> {
  const storages = new Set<unknown>(recording.runs.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  const holders = new Map<object, object[]>();
  const found = new Set<object>(takingPart.get(recording));
  for (const [module, snapshot] of before) {
    for (const part of snapshot.parts()) {
      const list = holders.get(part);
      if (list === undefined) holders.set(part, [module]);
      else list.push(module);
    }
    for (const { storage } of snapshot.tensors()) if (storages.has(storage)) found.add(module);
  }
  // Of a module with neither tensors nor modules nobody sees whether it was called.
  for (const [module, snapshot] of before)
    if (snapshot.isBare && !(telling !== undefined && module instanceof telling)) found.add(module);
  for (const module of found) for (const holder of holders.get(module) ?? []) found.add(holder); // grows as it is walked
  for (const module of found) for (const part of before.get(module)?.parts() ?? []) found.add(part);
  return found;
}

addWitness(() => {
  const before = new Map<object, Snapshot>();
  for (const reference of living) {
    const module = reference.deref();
    if (module !== undefined) before.set(module, new Snapshot(module));
  }
  return (recording) => {
    const found = participants(recording, before);
    const snapshots: Snapshot[] = [];
    for (const module of found) {
      const { name } = module.constructor;
      const snapshot = before.get(module);
      const field = snapshot?.changedField();
      // A module that the call itself has made is another one each time.
      if (snapshot === undefined) recording.refuse(`it makes a ${name}`);
      else if (field !== undefined) recording.refuse(`it changes ${name}.${field}`);
      else snapshots.push(snapshot);
    }
    recording.guards.push(hookGuard([...found]), fieldGuard(snapshots));
  };
});

// Guards live as long as their capture: they are made where nothing else can be held by them.

function hookGuard(modules: readonly object[]): Guard {
  let changes = hookChanges();
  return {
    what: 'hooks',
    holds() {
      if (changes === hookChanges()) return true;
      if (modules.some(mustCallHooks)) return false;
      changes = hookChanges();
      return true;
    },
  };
}

const hasOtherField = (snapshot: Snapshot): boolean => snapshot.changedField() !== undefined;

function fieldGuard(snapshots: readonly Snapshot[]): Guard {
  let changed: Snapshot | undefined;
  let seen = -1;
  return {
    holds() {
      if (seen !== modeChanges) {
        changed = snapshots.find((snapshot) => !snapshot.isTrainingStill);
        if (changed !== undefined) return false;
        seen = modeChanges;
      }
      changed = snapshots.find(hasOtherField);
      return changed === undefined;
    },
    get what() {
      const { name } = changed?.module.constructor ?? Object;
      return `${name}.${changed?.changedField() ?? 'training'}`;
    },
  };
}
