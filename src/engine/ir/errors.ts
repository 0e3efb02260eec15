// The error classes that users can catch. Form of every text:
//   `op: what is wrong (the values). What to do.`
// Errors are thrown when the graph is built, not when it runs, wherever the fault can be known by then.
// This file knows nothing of tensors or devices.

import type { DenseArg, Routine } from './dense.js';

/** Base class of all errors that nabla throws on purpose. */
export class NablaError extends Error {
  override name = 'NablaError';
  /** The module of a network that met it, by its path: `body.1`. Undefined outside of networks, and for what was called itself. */
  readonly module: string | undefined;
}

/** Sizes that do not fit together. `shapes` holds the shapes involved. */
export class ShapeError extends NablaError {
  override name = 'ShapeError';
  readonly shapes: readonly (readonly number[])[];
  constructor(message: string, shapes: readonly (readonly number[])[] = []) {
    super(message);
    this.shapes = shapes;
  }
}

/** An operator was given a dtype it does not take. */
export class DTypeError extends NablaError {
  override name = 'DTypeError';
  readonly dtypes: readonly string[];
  constructor(message: string, dtypes: readonly string[] = []) {
    super(message);
    this.dtypes = dtypes;
  }
}

/** An argument outside its domain: an unknown option, a negative rate, a dimension that does not exist. */
export class ArgumentError extends NablaError {
  override name = 'ArgumentError';
}

/** An index outside its axis. `index` and `size` are filled where they are known. */
export class IndexError extends NablaError {
  override name = 'IndexError';
  readonly index: number | undefined;
  readonly size: number | undefined;
  constructor(message: string, index?: number, size?: number) {
    super(message);
    this.index = index;
    this.size = size;
  }
}

/** A module in a network: where, and of which class. */
export interface Place {
  readonly path: string;
  readonly className: string;
}

/** Errors that arose elsewhere than where they are thrown. */
const late = new WeakSet<NablaError>();

/** Makes the error name the module, in its text too: `in body.1 (Linear): …`. The innermost module that says so is right. */
export function tellPlace(error: NablaError, { path, className }: Place): void {
  if (error.module !== undefined || late.has(error)) return;
  const { message, stack } = error;
  const begin = `${className}: `;
  const text = `in ${path} (${className}): ${message.startsWith(begin) ? message.slice(begin.length) : message}`;
  Object.defineProperty(error, 'module', { value: path, enumerable: true });
  error.message = text;
  if (stack !== undefined) error.stack = stack.replace(message, () => text); // where the stack begins with the message
}

/** Adds a sentence to what the error says. */
export function tellMore(error: NablaError, sentence: string): void {
  const { message, stack } = error;
  const text = `${message} ${sentence}`;
  error.message = text;
  if (stack !== undefined) error.stack = stack.replace(message, () => text);
}

/**
 * Adds the calls of `call`, an error that was made where the user called, to what the stack of a later one shows: engines keep ten
 * frames, which are nabla's own.
 */
export function tellCall(error: unknown, call: Error): void {
  if (!(error instanceof NablaError) || error.stack === undefined) return;
  const frames = (call.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line));
  const [, ...outer] = frames; // the first is the function that was called
  if (outer.length > 0 && !error.stack.includes(outer[0])) error.stack += `\n${outer.join('\n')}`;
}

/** How an operator uses an index: along an axis, what it says of one that is out of range, and where in a network. */
export interface Indexed extends Partial<Place> {
  readonly axis: number;
  readonly says?: string;
}

/** What is said of an {index} out of range. */
export function outside(what: string, axis: number, size: number): string {
  return `${what} {index} is out of range for dimension ${axis} with size ${size}. Use 0 to ${size - 1}.`;
}

/** The error about an index that was met while computing. */
export function outOfRange(op: string, arg: Indexed, index: number, size: number): IndexError {
  const { axis, says, path, className } = arg;
  const text = says ?? outside(`${op}: index`, axis, size);
  const error = new IndexError(text.replace('{index}', String(index)), index, size);
  if (path !== undefined && className !== undefined) tellPlace(error, { path, className });
  late.add(error);
  return error;
}

/**
 * A matrix that a routine cannot work on: singular where an inverse is needed, not positive definite, not finite. `info` is LAPACK's: which
 * pivot or leading block it was, counted from 1, −1 for NaN and infinity; `matrix` says which one of a batch, undefined if there is one.
 */
export class LinAlgError extends NablaError {
  override name = 'LinAlgError';
  readonly info: number;
  readonly matrix: number | undefined;
  constructor(message: string, info: number, matrix?: number) {
    super(message);
    this.info = info;
    this.matrix = matrix;
  }
}

/** What is said of a matrix that a routine of dense.ts failed on; `info` as there. */
const FAILURES: Readonly<Record<Routine, (matrix: string, info: number) => string>> = {
  lu: (matrix, info) =>
    `${matrix} is singular: pivot ${info} is 0. Use lstsq or pinv, or add a small multiple of the unit matrix.`,
  cholesky: (matrix, info) =>
    `${matrix} is not positive definite: its leading block of order ${info} is not. Is it symmetric? Add a small multiple of the unit matrix, or look at the info of choleskyEx.`,
  triangular: (matrix, info) => `${matrix} is singular: element ${info} of its diagonal is 0. Use lstsq or pinv.`,
  qr: (matrix) => `${matrix} has no factors.`,
  householder: (matrix) => `${matrix} has no product.`,
  eigh: (matrix) => `${matrix}: not all eigenvalues were found in 60 steps each. Scale it.`,
  svd: (matrix) => `${matrix}: not all singular values were found in 60 steps each. Scale it.`,
  eig: (matrix) => `${matrix}: not all eigenvalues were found in 60 steps each. Scale it.`,
  ldl: (matrix) => `${matrix} has no factors.`,
};

/** The error about a matrix that was met while computing; `number` is its place in a batch, −1 for the only one. */
export function failedMatrix({ routine, call }: DenseArg, info: number, number: number): LinAlgError {
  const matrix = number < 0 ? 'the matrix' : `matrix ${number} of the batch`;
  const text =
    info < 0 ? `${matrix} holds NaN or infinity. Look at what it was computed from.` : FAILURES[routine](matrix, info);
  const error = new LinAlgError(`${call}: ${text}`, info, number < 0 ? undefined : number);
  late.add(error);
  return error;
}

/** A device that is not there, or tensors of two devices in one operator. */
export class DeviceError extends NablaError {
  override name = 'DeviceError';
}

/** A derivative that cannot be taken, or `backward()` called where it has no meaning. */
export class GradError extends NablaError {
  override name = 'GradError';
}

/** Reading a value whose parameters have been overwritten since it was built. */
export class StaleTensorError extends NablaError {
  override name = 'StaleTensorError';
}

/** The heap cannot hold what was asked for. `bytes` is the request, `limit` the heap's limit. */
export class OutOfMemoryError extends NablaError {
  override name = 'OutOfMemoryError';
  readonly bytes: number;
  readonly limit: number;
  constructor(message: string, bytes: number, limit: number) {
    super(message);
    this.bytes = bytes;
    this.limit = limit;
  }
}

/** Something inside `compile(fn)` that cannot be captured. */
export class CaptureError extends NablaError {
  override name = 'CaptureError';
}

/** A file that is not what it claims to be. `path` and byte `offset` say where. */
export class FormatError extends NablaError {
  override name = 'FormatError';
  readonly path: string | undefined;
  readonly offset: number | undefined;
  constructor(message: string, path?: string, offset?: number) {
    super(message);
    this.path = path;
    this.offset = offset;
  }
}

/** A fault of nabla itself; the message carries what is needed to report it. */
export class InternalError extends NablaError {
  override name = 'InternalError';
  constructor(message: string) {
    super(`${message}\nThis is a bug in nabla, not in your program. Please report it with the text above.`);
  }
}
