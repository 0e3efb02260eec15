// Symbolic integers: where an element is read or written, as a function of loop axes.
// An Index is constant + Σ coefficient · atom; an atom is a loop axis, a floor division or remainder of an Index, or a
// value known only at run time. Ranges are tracked, so that most divisions that reshapes introduce vanish:
// (32·y + x) div 32 = y for 0 ≤ x < 32. Equal expressions have equal keys.
// Nothing here knows of tensors, kernels or code.

export interface Axis {
  readonly kind: 'axis';
  readonly id: number;
  readonly size: number;
  readonly key: string;
}

export interface DivMod {
  readonly kind: 'div' | 'mod';
  readonly x: Index;
  readonly by: number;
  readonly key: string;
  readonly size: number;
}

/** A run-time integer in [0, size): a gathered index. `value` belongs to whoever made it. */
export interface Dynamic {
  readonly kind: 'dynamic';
  readonly value: unknown;
  readonly key: string;
  readonly size: number;
}

export type Atom = Axis | DivMod | Dynamic;

export interface Term {
  readonly atom: Atom;
  readonly coefficient: number;
}

export interface Index {
  readonly constant: number;
  readonly terms: readonly Term[];
  readonly min: number;
  readonly max: number;
  readonly key: string;
}

let nextAxis = 1;

/** Keys are compared as texts: with this before it, a later axis has a greater one, however many were made before. */
const digits = (id: number): string => String.fromCharCode(64 + String(id).length);

export function newAxis(size: number): Axis {
  const id = nextAxis++;
  return { kind: 'axis', id, size, key: `a${digits(id)}${id}` };
}

export function dynamic(value: unknown, size: number, key: string): Dynamic {
  return { kind: 'dynamic', value, size, key };
}

function make(constant: number, terms: readonly Term[]): Index {
  let min = constant;
  let max = constant;
  let key = `${constant}`;
  for (const { atom, coefficient } of terms) {
    const reach = coefficient * Math.max(atom.size - 1, 0);
    if (coefficient > 0) max += reach;
    else min += reach;
    key += `+${coefficient}*${atom.key}`;
  }
  return { constant, terms, min, max, key };
}

const SMALL = Array.from({ length: 64 }, (_, i) => make(i, []));
export const ZERO = SMALL[0];

export function constantIndex(value: number): Index {
  return value >= 0 && value < SMALL.length && Number.isInteger(value) ? SMALL[value] : make(value, []);
}

/** The index that runs over an axis; an axis of size 1 is the constant 0. */
export function atomIndex(atom: Atom): Index {
  return atom.kind === 'axis' && atom.size <= 1 ? ZERO : make(0, [{ atom, coefficient: 1 }]);
}

function compareTerms(a: Term, b: Term): number {
  return a.atom.key < b.atom.key ? -1 : a.atom.key > b.atom.key ? 1 : 0;
}

function collect(constant: number, terms: Term[]): Index {
  if (terms.length > 1) {
    terms.sort(compareTerms);
    const merged: Term[] = [];
    for (const t of terms) {
      const last = merged[merged.length - 1];
      if (last !== undefined && last.atom.key === t.atom.key) {
        merged[merged.length - 1] = { atom: t.atom, coefficient: last.coefficient + t.coefficient };
      } else merged.push(t);
    }
    return recombine(
      constant,
      merged.filter((t) => t.coefficient !== 0),
    );
  }
  return make(
    constant,
    terms.filter((t) => t.coefficient !== 0),
  );
}

/** Terms that belong together: quotients and remainders of the same number by the same number. */
function recombine(constant: number, terms: Term[]): Index {
  for (const d of terms) {
    const whole = wholeOf(d.atom);
    if (whole === undefined) continue;
    const m = terms.find(
      (t) =>
        t.atom.kind === 'mod' &&
        t.atom.by === whole.by &&
        t.atom.x.key === whole.x.key &&
        t.coefficient * whole.by === d.coefficient,
    );
    if (m === undefined) continue;
    const rest = make(
      constant,
      terms.filter((t) => t !== d && t !== m),
    );
    return addIndex(rest, scaleIndex(whole.joined(), m.coefficient));
  }
  return make(constant, terms);
}

/**
 * by·atom + (x mod by) = joined():
 *   atom = x div by               → x
 *   atom = (x div by + s) mod n   → (x + s·by) mod (n·by)
 */
function wholeOf(atom: Atom): { x: Index; by: number; joined: () => Index } | undefined {
  if (atom.kind === 'div') return { x: atom.x, by: atom.by, joined: () => atom.x };
  if (atom.kind !== 'mod' || atom.x.terms.length !== 1) return undefined;
  const [{ atom: inner, coefficient }] = atom.x.terms;
  if (inner.kind !== 'div' || coefficient !== 1) return undefined;
  const { x, by } = inner;
  return { x, by, joined: () => modIndex(addConstant(x, atom.x.constant * by), atom.by * by) };
}

export function addIndex(a: Index, b: Index): Index {
  if (b.terms.length === 0) return b.constant === 0 ? a : make(a.constant + b.constant, a.terms);
  if (a.terms.length === 0) return a.constant === 0 ? b : make(a.constant + b.constant, b.terms);
  return collect(a.constant + b.constant, [...a.terms, ...b.terms]);
}

export function addConstant(a: Index, value: number): Index {
  return value === 0 ? a : make(a.constant + value, a.terms);
}

export function scaleIndex(a: Index, factor: number): Index {
  if (factor === 1) return a;
  if (factor === 0) return ZERO;
  return make(
    a.constant * factor,
    a.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient * factor })),
  );
}

function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** x = whole·by + remainder-part, taking the terms whose coefficients `by` divides. */
function splitMultiples(x: Index, by: number): { whole: Index; part: Index } {
  const whole: Term[] = [];
  const part: Term[] = [];
  for (const t of x.terms) {
    if (t.coefficient % by === 0) whole.push({ atom: t.atom, coefficient: t.coefficient / by });
    else part.push(t);
  }
  const q = Math.floor(x.constant / by);
  return { whole: make(q, whole), part: make(x.constant - q * by, part) };
}

/** Floor division by a positive constant; by 0 where a shape is empty, so that nobody is ever there. */
export function divIndex(x: Index, by: number): Index {
  if (by === 1) return x;
  if (by === 0) return ZERO;
  const { whole, part } = splitMultiples(x, by);
  if (part.min >= 0 && part.max < by) return whole;
  if (part.min < 0 && part.min >= -by && part.max < 0) return addConstant(whole, -1);
  const reduced = dropLowPart(part, by);
  if (reduced !== undefined) return addIndex(whole, divIndex(reduced.x, reduced.by));
  const single = part.terms.length === 1 && part.constant === 0 ? part.terms[0] : undefined;
  if (single !== undefined && single.coefficient === 1 && single.atom.kind === 'div') {
    return addIndex(whole, divIndex(single.atom.x, single.atom.by * by));
  }
  const base = Math.floor(part.min / by);
  const size = Math.floor(part.max / by) - base + 1;
  const atom: DivMod = {
    kind: 'div',
    x: addConstant(part, -base * by),
    by,
    key: `d(${addConstant(part, -base * by).key})/${by}`,
    size,
  };
  return addConstant(addIndex(whole, make(0, [{ atom, coefficient: 1 }])), base);
}

/** Floor remainder by a positive constant. */
export function modIndex(x: Index, by: number): Index {
  if (by <= 1) return ZERO;
  const { part } = splitMultiples(x, by);
  if (part.min >= 0 && part.max < by) return part;
  if (part.min < 0 && part.min >= -by && part.max < 0) return addConstant(part, by);
  const reduced = dropLowPart(part, by);
  if (reduced !== undefined) {
    return addIndex(scaleIndex(modIndex(reduced.x, reduced.by), reduced.factor), reduced.low);
  }
  const single = part.terms.length === 1 && part.constant === 0 ? part.terms[0] : undefined;
  if (single !== undefined && single.coefficient === 1 && single.atom.kind === 'mod' && single.atom.by % by === 0) {
    return modIndex(single.atom.x, by);
  }
  const shift = Math.floor(part.min / by) * by;
  const atom: DivMod = {
    kind: 'mod',
    x: addConstant(part, -shift),
    by,
    key: `m(${addConstant(part, -shift).key})%${by}`,
    size: by,
  };
  return make(0, [{ atom, coefficient: 1 }]);
}

/**
 * x = factor·y + low with 0 ≤ low < factor and factor | by: then x div by = y div (by/factor), and
 * x mod by = factor·(y mod (by/factor)) + low. Finds the largest such factor.
 */
function dropLowPart(x: Index, by: number): { x: Index; by: number; factor: number; low: Index } | undefined {
  const candidates = new Set<number>();
  for (const t of x.terms) candidates.add(gcd(t.coefficient, by));
  for (const factor of [...candidates].sort((a, b) => b - a)) {
    if (factor <= 1) continue;
    const { whole, part } = splitMultiples(x, factor);
    if (whole.terms.length > 0 && part.min >= 0 && part.max < factor)
      return { x: whole, by: by / factor, factor, low: part };
  }
  return undefined;
}

/** Row-major position of `index` in `shape`. */
export function flatten(index: readonly Index[], shape: readonly number[]): Index {
  let stride = 1;
  let flat = ZERO;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1) flat = addIndex(flat, scaleIndex(index[i], stride));
    stride *= shape[i];
  }
  return flat;
}

/** The index of element `flat`, as if the first axis (of those longer than 1) had no end if `isOpen`. */
export function unflatten(flat: Index, shape: readonly number[], isOpen = false): Index[] {
  const index = new Array<Index>(shape.length);
  const first = isOpen ? shape.findIndex((n) => n !== 1) : -1;
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 1) index[i] = ZERO;
    else {
      const high = divIndex(flat, stride);
      index[i] = i === first || (flat.max < stride * shape[i] && flat.min >= 0) ? high : modIndex(high, shape[i]);
    }
    stride *= shape[i];
  }
  return index;
}

/** Does `axis` occur anywhere inside? */
export function dependsOn(x: Index, axis: Axis): boolean {
  return x.terms.some((t) => atomDependsOn(t.atom, axis));
}

function atomDependsOn(atom: Atom, axis: Axis): boolean {
  if (atom.kind === 'axis') return atom.id === axis.id;
  if (atom.kind === 'dynamic') return false;
  return dependsOn(atom.x, axis);
}

/** Is a value known only at run time part of it? */
export function isDynamic(x: Index): boolean {
  return x.terms.some(({ atom }) => atom.kind === 'dynamic' || (atom.kind !== 'axis' && isDynamic(atom.x)));
}

/** The coefficient of `axis` if x is linear in it, undefined if it also occurs inside a division. */
export function coefficientOf(x: Index, axis: Axis): number | undefined {
  let coefficient = 0;
  for (const t of x.terms) {
    if (t.atom.kind === 'axis') {
      if (t.atom.id === axis.id) coefficient = t.coefficient;
    } else if (atomDependsOn(t.atom, axis)) return undefined;
  }
  return coefficient;
}

/** a − b where that is a constant. */
export function distance(a: Index, b: Index): number | undefined {
  const difference = addIndex(a, scaleIndex(b, -1));
  return difference.terms.length === 0 ? difference.constant : undefined;
}

/** x = moving + still: the terms in which `axis` occurs, and the rest. */
export function splitByAxis(x: Index, axis: Axis): { moving: Index; still: Index } {
  const moving = x.terms.filter((t) => atomDependsOn(t.atom, axis));
  const still = x.terms.filter((t) => !moving.includes(t));
  return { moving: make(0, moving), still: make(x.constant, still) };
}

/** x with `axis` replaced. */
export function substitute(x: Index, axis: Axis, value: Index): Index {
  if (!dependsOn(x, axis)) return x;
  let result = constantIndex(x.constant);
  for (const { atom, coefficient } of x.terms) {
    let v: Index;
    if (atom.kind === 'axis') v = atom.id === axis.id ? value : make(0, [{ atom, coefficient: 1 }]);
    else if (atom.kind === 'dynamic' || !atomDependsOn(atom, axis)) v = make(0, [{ atom, coefficient: 1 }]);
    else if (atom.kind === 'div') v = divIndex(substitute(atom.x, axis, value), atom.by);
    else v = modIndex(substitute(atom.x, axis, value), atom.by);
    result = addIndex(result, scaleIndex(v, coefficient));
  }
  return result;
}
