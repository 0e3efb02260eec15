// What is in a file, whether it can be run or not.

import type { OnnxProblem } from './error.js';
import { checkModel, constantsOf } from './graph/build.js';
import { type Graph, type GraphValue, type Role, allGraphs } from './graph/graph.js';
import { type OnnxSource, externalLocations, open } from './source.js';
import { type ElementType, rowOf } from './wire/elements.js';
import { readModel } from './wire/read-model.js';

export interface OnnxWeight {
  readonly key: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Learned, kept with the model, or a setting of an operator. */
  readonly role: Role;
}

export interface OnnxContents {
  readonly bytes: number;
  readonly producer: string;
  readonly irVersion: number;
  /** By domain; the standard's is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** How many nodes there are of each operator, those of inner graphs included; `isKnown` if nabla has it. */
  readonly operators: readonly { readonly operator: string; readonly count: number; readonly isKnown: boolean }[];
  readonly weights: readonly OnnxWeight[];
  /** What stands in the way of running it. */
  readonly problems: readonly OnnxProblem[];
}

/**
 * What a file in the ONNX format holds, and what nabla lacks to run it. Nothing is computed. Throws FormatError for a file that is no
 * such one; `nabla inspect model.onnx` shows the same.
 */
export async function inspectOnnx(source: OnnxSource): Promise<OnnxContents> {
  const { bytes, path, beside } = await open('inspectOnnx', source);
  const message = readModel(bytes, path);
  const external = new Map<string, Uint8Array>();
  for (const location of externalLocations(message)) {
    const found = await beside(location).catch(() => undefined); // a problem among others
    if (found !== undefined) external.set(location, found);
  }
  const { result, problems } = checkModel(message, (location) => external.get(location));
  const unknown = new Set(problems.filter(({ why }) => why === UNKNOWN).map(({ operator }) => operator));
  return {
    bytes: bytes.length,
    producer: `${message.producer} ${message.producerVersion}`.trim(),
    irVersion: message.irVersion,
    opsets: message.opsets,
    inputs: result.graph.inputs,
    outputs: result.graph.outputs,
    operators: counted(result.graph).map(([operator, count]) => ({ operator, count, isKnown: !unknown.has(operator) })),
    weights: constantsOf(result.graph).map(({ key, role, array: { type, shape, data } }) => {
      return { key, dtype: type, shape, bytes: data.length * rowOf(type).bytes, role };
    }),
    problems,
  };
}

/** As the check says it of an operator that is not there. */
const UNKNOWN = 'nabla does not have this operator';

/** Operators and how often they are there, the most frequent first. */
function counted(graph: Graph): [operator: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { nodes } of allGraphs(graph))
    for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
