// Loading weights into a model, with faults in the words of a person.

import { FormatError } from '../index.js';
import { loadSafetensors } from '../io/index.js';
import { type Module, StateDictError } from '../nn/index.js';
import { CliError, fileFault } from './errors.js';
import { oneLine } from './printable.js';

/** Fills a model, or says why the file does not fit it. */
export async function loadWeights(path: string, model: Module): Promise<void> {
  try {
    model.loadStateDict((await loadSafetensors(path)).tensors);
  } catch (error) {
    throw explain(path, error, `${path} does not hold the weights of this network`);
  }
}

/** The user's side of what went wrong with a file of tensors; anything else as it is. */
export function explain(path: string, error: unknown, misfit: string): unknown {
  if (typeof (error as { code?: unknown } | null)?.code === 'string') return fileFault('read', path, error);
  if (error instanceof FormatError) return new CliError(oneLine(error));
  if (error instanceof StateDictError) return new CliError(`${misfit}: ${oneLine(error)}`);
  return error;
}
