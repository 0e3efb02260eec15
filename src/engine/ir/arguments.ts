// Arguments of calls around the tensors: what is of another kind than a call takes is refused with one sentence.
//   The call's name, the argument's name and what was passed in; an ArgumentError, or nothing, out.
// Must not know: tensors, modules (it knows them by what they have), which calls there are.

import { ArgumentError } from './errors.js';
import { shown } from './shape.js';

/** A value of a wrong kind, as it is named in a sentence, with what to do about it where that is plain. */
function described(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (isClass(value)) return `the class ${value.name}, not an instance`;
  if (typeof value !== 'object' || value === null) return shown(value);
  if ('then' in value && typeof value.then === 'function') return 'a promise, which has to be awaited first';
  if ('dtype' in value && 'shape' in value && 'grad' in value) return 'a tensor';
  if ('parameters' in value && 'forward' in value) return `a module (${shown(value)})`;
  return shown(value) === 'Object' ? 'a plain object' : shown(value);
}

function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** `wanted` is what to do: 'Use a number', 'Give a list of modules'. */
export function wrongKind(op: string, what: string, value: unknown, wanted: string): ArgumentError {
  return new ArgumentError(`${op}: ${what} is ${described(value)}. ${wanted}.`);
}

/** Throws ArgumentError unless `fn` can be called; a class cannot. `what` names an argument that is not the only one. */
export function checkFunction(op: string, fn: unknown, what?: string): void {
  if (isClass(fn))
    throw new ArgumentError(
      `${op}: ${what === undefined ? '' : `${what} is `}the class ${fn.name}${what === undefined ? ' is' : ','} not a function. Pass (…) => …, or a method of an instance.`,
    );
  if (typeof fn === 'function') return;
  if (what !== undefined) throw wrongKind(op, what, fn, 'Pass a function');
  throw new ArgumentError(`${op}: ${shown(fn)} is not a function. Pass one: ${op}(() => …).`);
}

/** Throws unless `value` is a number, and not NaN. */
export function checkNumber(op: string, what: string, value: unknown): void {
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrongKind(op, what, value, 'Use a number');
}

/** Throws unless `value` is a whole number of at least `least`. */
export function checkWhole(op: string, what: string, value: unknown, least = 0): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return;
  const wanted = least === -Infinity ? 'Use a whole number' : `Use a whole number of at least ${least}`;
  throw wrongKind(op, what, value, wanted);
}

export function checkText(op: string, what: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongKind(op, what, value, 'Give a text');
}

/** Throws unless `value` is one of `choices`. */
export function checkChoice(
  op: string,
  what: string,
  value: unknown,
  choices: readonly (string | number | boolean)[],
): void {
  if ((choices as readonly unknown[]).includes(value)) return;
  const names = choices.map(shown);
  throw wrongKind(op, what, value, `Use ${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`);
}

/** Throws unless `value` is a list; `of` says of what. */
export function checkList(op: string, what: string, value: unknown, of: string): void {
  if (!Array.isArray(value)) throw wrongKind(op, what, value, `Give a list of ${of}`);
}

/** Throws unless `value` is a list or a typed array of numbers. */
export function checkNumbers(op: string, what: string, value: unknown): void {
  const isTyped = ArrayBuffer.isView(value) && 'length' in value;
  if (!isTyped && !Array.isArray(value)) throw wrongKind(op, what, value, 'Give a list of numbers');
  if (isTyped) return;
  const at = value.findIndex((v) => typeof v !== 'number');
  if (at >= 0) throw wrongKind(op, `number ${at} of ${what}`, value[at], 'Give numbers');
}

/** Throws unless `value` can be gone through; texts count as one thing. */
export function checkIterable(op: string, what: string, value: unknown, of: string): void {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value && !isTensor(value)) return;
  throw wrongKind(op, what, value, `Give a list of ${of}`);
}

/** Throws unless `value` is an object of values by name; `of` says of what. */
export function checkRecord(op: string, what: string, value: unknown, of: string): void {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  if (isPlain && !('then' in value) && !isTensor(value) && !('parameters' in value && 'forward' in value)) return;
  throw wrongKind(op, what, value, `Give an object of ${of} by name: { name: … }`);
}

/** Throws unless `value` is an object with these methods or fields. */
export function checkHas(op: string, what: string, value: unknown, names: readonly string[], wanted: string): void {
  if (typeof value === 'object' && value !== null && names.every((name) => name in value)) return;
  throw wrongKind(op, what, value, wanted);
}

/** Values that may be left out, by their names: those that are there are checked. */
export function checkGiven(
  check: (op: string, what: string, value: unknown) => void,
  op: string,
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [what, value] of Object.entries(values)) if (value !== undefined) check(op, what, value);
}

function isTensor(value: object): boolean {
  return 'dtype' in value && 'shape' in value && 'grad' in value;
}

/** Throws unless `value` gives random numbers. */
export function checkRandom(op: string, value: unknown): void {
  checkHas(op, 'the generator', value, ['uniform'], 'Pass a generator: new HostRandom(seed) of nabla/data');
}
