// The graph of a model as a run writes it beside its record, and the dashboard draws it: plain data, as JSON.
// Must not know: the dashboard.

import { isInNode } from '../io/source.js';
import type { Module } from '../nn/module.js';
import { ArgumentError, FormatError, checkText, checkHas } from '../tensor/library.js';
import { type ModuleCall, traceCalls } from './logging/model-graph.js';
import { fields, isCount, isText, listOf } from './plain-data.js';

/** Its name in the folder of a run. */
export const GRAPH = 'graph.json';

/** Nodes, operands before users; a module's are below its name: layer1/0/conv. */
export type ModelGraph = readonly {
  readonly name: string;
  readonly op: string;
  /** Names of the nodes whose results go in. */
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
}[];

/**
 * Writes `graph.json` into the folder of a run: the dashboard draws it. It is the graph of a forward pass in evaluation mode; the inputs are the
 * arguments of `forward`, of which only shapes count. What was there is replaced. Needs a file system. `nabla train` writes it by itself.
 *
 *     await writeGraph('runs/first', model, zeros([1, 1, 28, 28]));
 */
export async function writeGraph(folder: string, model: Module, ...inputs: unknown[]): Promise<void> {
  checkText('writeGraph', 'the folder', folder);
  checkHas('writeGraph', 'the model', model, ['namedModules', 'forward'], 'Give a module with a forward method');
  if (inputs.length === 0) throw new ArgumentError('writeGraph: there is no input. Give the arguments of forward.');
  await writeCalls(folder, [{ path: '', module: model, inputs }]);
}

/** The same of calls of several parts of a model, which no `forward` holds together. */
export async function writeCalls(folder: string, calls: readonly ModuleCall[]): Promise<void> {
  const graph: ModelGraph = traceCalls(calls).map(({ name, op, inputs, shape }) => ({ name, op, inputs, shape }));
  if (!isInNode()) throw new ArgumentError('writeGraph: there are no files here. It needs Node.');
  const { mkdir } = process.getBuiltinModule('node:fs/promises');
  const { join } = process.getBuiltinModule('node:path');
  const { writeFileAtomic } = await import('../io/node/files.js');
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, GRAPH), JSON.stringify(graph));
}

const isGraph = listOf(fields({ name: isText, op: isText, inputs: listOf(isText) }, { shape: listOf(isCount) }));

/** Reads what `writeGraph` wrote. Throws FormatError for anything else. */
export function parseGraph(text: string): ModelGraph {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw Object.assign(new FormatError(`${GRAPH} is no JSON.`, GRAPH), { cause });
  }
  if (isGraph(value)) return value as ModelGraph;
  throw new FormatError(`${GRAPH} is no graph of a model.`, GRAPH);
}
