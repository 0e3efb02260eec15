// What is wrong with an ONNX model or with a call of one, all of it at once.

import { NablaError } from '../tensor/library.js';

/** One thing that nabla cannot run, or that is wrong in a file. */
export interface OnnxProblem {
  /** The node's name, or what it computes where it has none; undefined for the model as a whole. */
  readonly node: string | undefined;
  /** With its domain, where that is not the standard's: `com.microsoft::Attention`. */
  readonly operator: string | undefined;
  /** The version of the operator set that the model asks for. */
  readonly opset: number | undefined;
  readonly why: string;
}

/** A model that is not valid or cannot be run, or inputs that do not fit one. `problems` lists every reason. */
export class OnnxError extends NablaError {
  override name = 'OnnxError';
  readonly problems: readonly OnnxProblem[];

  constructor(message: string, problems: readonly OnnxProblem[] = [], options?: ErrorOptions) {
    super(message, options);
    this.problems = problems;
  }
}

const MOST_SHOWN = 12;

/** `Resize (opset 13) at "up1": why` */
export function problemText({ node, operator, opset, why }: OnnxProblem): string {
  const what = operator === undefined ? '' : opset === undefined ? operator : `${operator} (opset ${opset})`;
  const where = node === undefined ? '' : `${what === '' ? '' : ' '}at ${JSON.stringify(node)}`;
  return what === '' && where === '' ? why : `${what}${where}: ${why}`;
}

/** One error for all problems. */
export function problemsError(begin: string, problems: readonly OnnxProblem[]): OnnxError {
  const shown = problems.slice(0, MOST_SHOWN).map((problem) => `\n  ${problemText(problem)}`);
  const rest = problems.length > MOST_SHOWN ? `\n  and ${problems.length - MOST_SHOWN} more` : '';
  return new OnnxError(`${begin}${shown.join('')}${rest}`, problems);
}
