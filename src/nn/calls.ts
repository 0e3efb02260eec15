// Which module is being called, and by which: so that errors name the module of a network that met them, by its path in the one
// that was called from outside (`body.1`), and that captures know who takes part (module-guards.ts). Whoever wrote its `forward`
// need do nothing for it.
//   Each class has its `forward` replaced once, by one that notes the call. Paths are looked for when there is an error, and
//   when something is built whose error would come later (an index out of range).
// Must not know: the class Module (it tells what its parts are), particular layers.

import { NablaError, type Place, tellModules, tellPlace } from '../tensor/library.js';
import { noteModule } from './module-guards.js';

interface Call {
  readonly module: object;
  readonly outer: Call | undefined;
  /** Once it has been asked for; null for none. */
  place?: Place | null;
}

type Forward = (this: object, ...given: unknown[]) => unknown;
type Parts = (module: object) => readonly (readonly [name: string, part: object])[];

let current: Call | undefined;

/** Sees a call of a module, carries it out with `forward`, and says what it results in. */
export type CallObserver = (module: object, given: readonly unknown[], forward: () => unknown) => unknown;
let observer: CallObserver | undefined;
let partsOf: Parts = () => [];
const followed = new WeakSet<object>();

/** `parts` names the modules right below one. */
export function findPartsBy(parts: Parts): void {
  partsOf = parts;
}

/** Notes the calls of `forward` of all modules with this prototype. */
export function followCalls(prototype: object): void {
  for (let p: object | null = prototype; p !== null && !followed.has(p); p = Object.getPrototypeOf(p)) {
    followed.add(p);
    const own = Object.getOwnPropertyDescriptor(p, 'forward');
    const isOurs = own?.configurable === true && typeof own.value === 'function';
    if (isOurs) Object.defineProperty(p, 'forward', { ...own, value: noting(own.value as Forward) });
  }
}

/** Calls of modules in `body` are seen by `seen`; undefined for nobody. */
export function observeCalls<T>(seen: CallObserver | undefined, body: () => T): T {
  const before = observer;
  observer = seen;
  try {
    return body();
  } finally {
    observer = before;
  }
}

function noting(forward: Forward): Forward {
  return function (...given) {
    const outer = current;
    if (outer?.module === this) return forward.apply(this, given); // super.forward
    current = { module: this, outer };
    noteModule(this);
    try {
      if (observer === undefined) return forward.apply(this, given);
      return observer(this, given, () => forward.apply(this, given));
    } catch (error) {
      if (error instanceof NablaError) {
        const place = placeOf(current);
        if (place !== undefined) tellPlace(error, place);
      }
      throw error;
    } finally {
      current = outer;
    }
  };
}

/** Undefined for the module that was called from outside. */
function placeOf(call: Call | undefined): Place | undefined {
  if (call === undefined) return undefined;
  if (call.place === undefined) call.place = findPlace(call) ?? null;
  return call.place ?? undefined;
}

function findPlace({ module, outer }: Call): Place | undefined {
  if (outer === undefined) return undefined;
  const place = placeOf(outer);
  const path = pathOf(outer.module, module);
  // A module that its caller does not hold has no path: its caller is the last one that is known.
  if (path === undefined) return place;
  return { path: place === undefined ? path : `${place.path}.${path}`, className: module.constructor.name };
}

/** Where `module` is in `holder`: right below, or in what is there. */
function pathOf(holder: object, module: object): string | undefined {
  const seen = new Set<object>([holder]);
  let level: (readonly [path: string, module: object])[] = [['', holder]];
  while (level.length > 0) {
    const below: typeof level = [];
    for (const [path, held] of level) {
      for (const [name, part] of partsOf(held)) {
        const at = path === '' ? name : `${path}.${name}`;
        if (part === module) return at;
        if (!seen.has(part)) below.push([at, part]);
        seen.add(part);
      }
    }
    level = below;
  }
  return undefined;
}

tellModules(() => placeOf(current));
