// A process may hold several copies of this package: two versions, one per bundle, one per registry of a test runner. Each
// has classes, graphs and devices of its own, and works as long as nothing of one is given to another: to that one
// it is no tensor at all. Prototypes carry the mark of their copy under a name that all copies know, so that the error can say
// what is the matter.

import { ArgumentError } from './errors.js';

const MARK = Symbol.for('nabla.copy');

interface Copy {
  /** Where it was loaded from, if that can be known. */
  readonly home: string;
}

/** This copy. Its identity counts: a module that is evaluated twice has one address and two of everything. */
const COPY: Copy = {
  home: String(import.meta.url ?? 'an unknown place').replace(/(?:engine\/ir\/copies|chunks\/[^/]+)\.[jt]s.*$/, ''),
};

/**
 * The address of the folder that this copy was loaded from. What asks for files beside its own module by `new URL(…, import.meta.url)` instead
 * makes bundlers look for them.
 */
export const HOME = COPY.home;

/** All instances of a class belong to this copy. */
export function markCopy(type: { readonly prototype: object }): void {
  Object.defineProperty(type.prototype, MARK, { value: COPY });
}

/** The copy that made `value`, if it was another one than this. */
function otherCopy(value: unknown): Copy | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const copy = (value as { readonly [MARK]?: Copy })[MARK];
  return copy === COPY ? undefined : copy;
}

/** Throws ArgumentError if `value` is a tensor, a module or an optimiser of another copy of nabla. */
export function refuseOtherCopy(op: string, value: unknown): void {
  const copy = otherCopy(value);
  if (copy !== undefined) throw otherCopyError(op, describe(value), copy);
}

export function otherCopyError(op: string, what: string, copy?: Copy): ArgumentError {
  const from = copy === undefined || copy.home === COPY.home ? '' : ` (${copy.home}; this one is ${COPY.home})`;
  return new ArgumentError(
    `${op}: ${what} belongs to another copy of nabla that is loaded in this process${from}. ` +
      `Load one copy only ('npm ls nabla' and 'npm dedupe' help), or hand over numbers: tensor(await t.array()).`,
  );
}

/** A tensor says what it is; anything else is known by its class. */
function describe(value: unknown): string {
  const text = String(value);
  return text.startsWith('[object') ? `this ${(value as object).constructor.name}` : text;
}
