// What compiled functions (tensor/compile.ts) have to know of modules: their modes and fields shape the graph, so a capture
// holds only as long as they are as they were when the captured call began.
//   Which modules take part is seen from calls of `forward`, modes that are asked for, and tensors that are used; what
//   holds such a module, or is held by one, takes part too. Of a module with neither tensors nor modules that can be asked for
//   anything else than `forward` nobody sees whether it was: it always does.
//   A field that the call itself changes makes it another call each time: such a call is not replayed.
// A call costs what the modules that take part cost, however many there are: each module is looked at once before the first call
// after it was made, and again only when it has taken part. Where one is not as it was then, and may have been changed
// before the call or by it, that call is not replayed, and the next one tells.
// Must not know: the class Module, particular layers.

import { type Guard, type Recording, addWitness, currentRecording, onReplay } from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';
import { hookChanges, mustCallHooks } from './hooks.js';
import { Outline, Snapshot, holdsSome } from './module-state.js';

/** What is known of an object: a module, the place where a tensor's numbers are, or anything else that a module holds. */
interface Known {
  /** Of a module. */
  readonly reference?: WeakRef<object>;
  /** The module as it was when it was looked at last. */
  outline?: Outline;
  /** The modules that held it when they were looked at. */
  holders?: WeakRef<object> | Set<WeakRef<object>>;
}

const known = new WeakMap<object, Known>();
/** All modules that live; those to be looked at before the next call; those that always take part. */
const [living, due, always] = [new Set<WeakRef<object>>(), new Set<WeakRef<object>>(), new Set<WeakRef<object>>()];
const gone = new FinalizationRegistry<WeakRef<object>>((reference) => {
  for (const set of [living, due, always]) set.delete(reference);
});
const evaluating = new WeakSet<object>();
/** Counts changes of modes: guards look at every module's again only after one. */
let modeChanges = 0;
/** The modules that take part in a recording as far as it has come, as they were when it met them. */
const takingPart = new WeakMap<Recording, Map<object, Snapshot>>();
let looks = 0;

/** How often a module's fields have been walked through. */
export function moduleLooks(): number {
  return looks;
}

/** To be called once for each new module. */
export function registerModule(module: object): void {
  const reference = new WeakRef(module);
  known.set(module, { reference });
  living.add(reference);
  due.add(reference);
  gone.register(module, reference);
}

/** These are not as they were, and whoever changed them says so: the next call need not wonder. */
export function lookAgain(modules: Iterable<object>): void {
  for (const module of modules) {
    const reference = known.get(module)?.reference;
    if (reference !== undefined) due.add(reference);
  }
}

let root: object | undefined;
const telling = new Set<object>();
const tellsOf = new WeakMap<object, boolean>();

/** The prototype of the class that all modules are of. */
export function rootOfModules(prototype: object): void {
  root = prototype;
}

/** Modules of the class with this prototype, and of those that extend it, can be asked for nothing else than `forward`. */
export function tellsOfCalls(prototype: object): void {
  telling.add(prototype);
}

/** Whether all that a module of the class with this prototype can be asked for is `forward`, and what every module can. */
function tells(prototype: object): boolean {
  let answer = tellsOf.get(prototype);
  if (answer === undefined) tellsOf.set(prototype, (answer = findTells(prototype)));
  return answer;
}

function findTells(prototype: object): boolean {
  let isPlain = 'forward' in prototype;
  for (let p = prototype; p !== root; p = Object.getPrototypeOf(p) as object) {
    if (telling.has(p)) return true;
    isPlain &&= Reflect.ownKeys(p).every((name) => name === 'forward' || name in root!); // the constructor is
  }
  return isPlain;
}

/** The module takes part in what is being recorded, if anything is. */
export function noteModule(module: object): void {
  const recording = currentRecording();
  if (recording === undefined) return;
  let noted = takingPart.get(recording);
  if (noted === undefined) takingPart.set(recording, (noted = new Map()));
  if (!noted.has(module)) noted.set(module, snapshotOf(module));
}

function snapshotOf(module: object, isTraining = !evaluating.has(module)): Snapshot {
  looks++;
  return new Snapshot(module, isTraining);
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

// ---------------------------------------------------------------- who holds what

/** What is known of a value, or is known instead of it: that of a tensor is where its numbers are. Of a number it is the number. */
function keyOf(value: unknown): unknown {
  return value instanceof Tensor ? (value.storage ?? value) : value;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function identify(value: unknown): unknown {
  const key = keyOf(value);
  if (!isObject(key)) return key;
  let entry = known.get(key);
  if (entry === undefined) known.set(key, (entry = {}));
  return entry;
}

function addHolder(held: Known, holder: WeakRef<object>): void {
  if (held.holders === undefined || held.holders === holder) held.holders = holder;
  else if (held.holders instanceof Set) held.holders.add(holder);
  else held.holders = new Set([held.holders, holder]);
}

function* livingOf(references: Iterable<WeakRef<object>>): Iterable<object> {
  for (const reference of references) {
    const module = reference.deref();
    if (module !== undefined) yield module;
  }
}

function holdersOf(held: object): Iterable<object> {
  const holders = known.get(held)?.holders ?? [];
  return livingOf(holders instanceof WeakRef ? [holders] : holders);
}

const isModule = (value: unknown): value is object => isObject(value) && known.get(value)?.reference !== undefined;

/** What the module is like, and what it holds. */
function lookAt(module: object, entry: Known, reference: WeakRef<object>): void {
  looks++;
  let isBare = true;
  entry.outline = new Outline(module, (value) => {
    const identity = identify(value);
    if (value instanceof Tensor || isModule(value)) {
      addHolder(identity as Known, reference);
      isBare = false;
    }
    return identity;
  });
  if (isBare && !tells(Object.getPrototypeOf(module) as object)) always.add(reference);
  else always.delete(reference);
}

function lookAtAllDue(): void {
  for (const reference of due) {
    const module = reference.deref();
    if (module !== undefined) lookAt(module, known.get(module)!, reference);
  }
  due.clear();
}

/** Storages that a call has used and has not made itself. */
function storagesFromOutside({ runs, made, stands }: Recording): Set<object> {
  const used = new Set<object>();
  const inside = new Set<object>(made);
  for (const list of stands.values()) for (const { storage } of list) inside.add(storage);
  for (const { inputs, outputs, assigned } of runs) {
    for (const storage of inputs) if (!inside.has(storage)) used.add(storage);
    outputs.forEach((storage, i) => (assigned[i] ? used : inside).add(storage));
  }
  return used;
}

/** Used, and held by no module when they were looked for. */
const loose = new WeakSet<object>();

/** The modules that took part in a call, as the call met them, or as they are now where it has not asked them. */
function participants(recording: Recording, noted: ReadonlyMap<object, Snapshot>): Map<object, Snapshot> {
  const found = new Map(noted);
  const add = (module: object): void => {
    if (!found.has(module)) found.set(module, snapshotOf(module));
  };
  const storages = storagesFromOutside(recording);
  for (const module of livingOf(always)) add(module);
  for (const storage of storages) for (const holder of holdersOf(storage)) add(holder);
  const isUsed = (value: unknown): boolean =>
    value instanceof Tensor ? storages.has(value.storage!) : found.has(value as object);
  do {
    for (const module of found.keys()) for (const holder of holdersOf(module)) add(holder); // grows as it is walked
    for (const snapshot of found.values()) for (const value of snapshot.objects()) if (isModule(value)) add(value);
    const isAlone = found.size === 0 && [...storages].every((storage) => loose.has(storage));
    if (isAlone) break;
  } while (addNewHolders(found, isUsed, add));
  if (found.size === 0) for (const storage of storages) loose.add(storage);
  return found;
}

/** What has come into a module since that was looked at has to be looked for in all of them. Whether there were more. */
function addNewHolders(
  found: ReadonlyMap<object, Snapshot>,
  isUsed: (value: unknown) => boolean,
  add: (module: object) => void,
): boolean {
  const before = found.size;
  for (const module of livingOf(living)) if (!found.has(module) && holdsSome(module, isUsed)) add(module);
  return found.size > before;
}

// ---------------------------------------------------------------- guards

/** The module as it was when the call began; undefined where it is not so any more, and the call is refused. */
function beginningOf(snapshot: Snapshot, recording: Recording): Snapshot | undefined {
  const { module, isTraining } = snapshot;
  const { name } = module.constructor;
  const { outline, reference } = known.get(module) ?? {};
  if (outline === undefined || reference === undefined) {
    recording.refuse(`it makes a ${name}`); // another one each time
    return undefined;
  }
  const field = outline.changedField(module, identify);
  const own = snapshot.changedField();
  if (field === undefined) return own === undefined ? snapshot : snapshotOf(module, isTraining); // changed, and back
  due.add(reference);
  recording.refuse(
    own === undefined
      ? `${name}.${field} is not what it was when it was looked at, before this call or by it`
      : `it changes ${name}.${own}`,
  );
  return undefined;
}

addWitness(() => {
  lookAtAllDue();
  return (recording) => {
    const found = participants(recording, takingPart.get(recording) ?? new Map<object, Snapshot>());
    const snapshots = [...found.values()].map((snapshot) => beginningOf(snapshot, recording));
    recording.guards.push(hookGuard([...found.keys()]), fieldGuard(snapshots.filter((one) => one !== undefined)));
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
const hasOtherMode = ({ module, isTraining }: Snapshot): boolean => evaluating.has(module) === isTraining;

function fieldGuard(snapshots: readonly Snapshot[]): Guard {
  let changed: Snapshot | undefined;
  let seen = -1;
  const fail = (): false => {
    lookAgain(snapshots.filter(hasOtherField).map(({ module }) => module));
    return false;
  };
  return {
    holds() {
      if (seen !== modeChanges) {
        changed = snapshots.find(hasOtherMode);
        if (changed !== undefined) return fail();
        seen = modeChanges;
      }
      changed = snapshots.find(hasOtherField);
      return changed === undefined || fail();
    },
    get what() {
      const { name } = changed?.module.constructor ?? Object;
      return `${name}.${changed?.changedField() ?? 'training'}`;
    },
  };
}
