// Where the graph is being built, for errors about indices, which come when it is computed: the call that an index was given to,
// and the module that makes it. Whoever knows says so here; the operators that read by an index remember it.
//   A program outlives its graph and is run for others of the same form: what is remembered is part of that form.
// Must not know: modules (nn tells which one is called), devices.

import { type Indexed, type Place, outside } from './errors.js';

let call: string | undefined;

/**
 * What `body` builds reads by an index that was given to this call: `embedding: index` begins the error about one out of range.
 * Of calls within each other the outermost is the user's.
 */
export function nameIndices<T>(name: string, body: () => T): T {
  if (call !== undefined) return body();
  call = name;
  try {
    return body();
  } finally {
    call = undefined;
  }
}

let moduleInCall: () => Place | undefined = () => undefined;

/** `find` tells which module of a network is being called now. */
export function tellModules(find: () => Place | undefined): void {
  moduleInCall = find;
}

/** The argument of an operator that reads along `axis` by an index; `says` is a text of its own about one out of range. */
export function indexed(axis: number, size: number, says?: string): Indexed {
  const text = says ?? (call === undefined ? undefined : outside(call, axis, size));
  return { axis, ...(text !== undefined && { says: text }), ...moduleInCall() };
}

/** The argument of the operator that takes a gradient back by the index of `op`: what it says is said of the call. */
export function indexedAs(op: string, arg: Indexed, size: number): Indexed {
  return arg.says === undefined ? { ...arg, says: outside(`${op}: index`, arg.axis, size) } : arg;
}
