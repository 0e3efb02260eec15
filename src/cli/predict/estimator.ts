// `nabla predict` with what `nabla fit` has left: the estimator, and the encoder that makes its rows.

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Classifier, KMeans, Regressor, Transformer, loadEstimator } from '../../classic/index.js';
import { TableEncoder } from '../../data/index.js';
import { ArgumentError, FormatError, tensor } from '../../index.js';
import { loadSafetensors } from '../../io/index.js';
import { CliError, fileFault } from '../errors.js';
import { oneLine } from '../printable.js';
import type { Terminal } from '../terminal.js';
import { type Said, predictRows, saidNumbers } from './table.js';

/** The file of a folder of `nabla fit`. */
export const MODEL_FILE = 'model.safetensors';

/** The file of an estimator that a path stands for: the file itself, or a folder of `nabla fit`. Undefined for anything else. */
export function estimatorFileAt(path: string): string | undefined {
  if (!existsSync(path)) return undefined; // whoever asks for weights says so
  try {
    const file = statSync(path).isDirectory() ? join(path, MODEL_FILE) : path;
    return existsSync(file) && statSync(file).isFile() && isEstimator(file) ? file : undefined;
  } catch (error) {
    throw fileFault('read', path, error);
  }
}

/** By its header, of which the beginning is enough. */
function isEstimator(file: string): boolean {
  const start = new Uint8Array(4096);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, start, 0, start.length, 0);
  } finally {
    closeSync(handle);
  }
  return new TextDecoder('latin1').decode(start).includes('"nabla-classic"');
}

export async function predictWithEstimator(
  path: string,
  file: string | undefined,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  try {
    const model = await loadEstimator(path);
    const { encoder: text } = (await loadSafetensors(path)).metadata;
    if (text === undefined)
      throw new CliError(
        `${path} does not say how rows of a table become numbers. Use loadEstimator() in a program, or nabla fit.`,
      );
    const encoder = TableEncoder.from(JSON.parse(text));
    await predictRows(encoder, (features, rows) => say(model, features, [rows, encoder.width]), file, terminal, isJson);
  } catch (error) {
    if (error instanceof FormatError || error instanceof ArgumentError || error instanceof SyntaxError)
      throw new CliError(oneLine(error));
    throw error;
  }
}

async function say(model: unknown, features: Float32Array, shape: [number, number]): Promise<Said> {
  const x = tensor(features, { shape });
  if (model instanceof Classifier) {
    const labels = await model.predict(x);
    if (!model.givesProbabilities) return { values: labels.map(String) };
    const shares = await (await model.predictProba(x)).array();
    return { values: labels.map(String), sure: shares.map((row) => row.reduce((a, b) => Math.max(a, b))) };
  }
  if (model instanceof Regressor) return saidNumbers(await model.predict(x));
  if (model instanceof KMeans) return saidNumbers(await model.predict(x));
  if (model instanceof Transformer) {
    const rows = await (await model.transform(x)).array();
    return { values: rows.map((row) => row.map((v) => v.toPrecision(4)).join(' ')), json: rows };
  }
  throw new CliError('this estimator neither predicts nor transforms rows.');
}
