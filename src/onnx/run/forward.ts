// A graph as a part of a larger one: lazy tensors in, lazy tensors out, with gradients. Nothing can be read here.

import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { OnnxError } from '../error.js';
import type { Constant, Graph } from '../graph/graph.js';
import type { HostArray } from '../host/array.js';
import type { Environment } from '../operators/operator.js';
import type { ElementType } from '../wire/elements.js';
import { tensorOfHost } from './host-tensors.js';
import { interpret } from './interpret.js';
import { type Givens, isHost } from './session.js';
import { NONE, Value } from './value.js';
import type { Weights } from './weights.js';

export function forwardThrough(graph: Graph, given: Givens, weights: Weights, isTraining: boolean): Tensor[] {
  const environment: Environment = {
    isTraining,
    selects: true,
    device: weights.device,
    dtypeOf: (type: ElementType) => weights.dtypeOf(type),
    tensorOf: (value) =>
      (value.tensor ??= tensorOfHost(value.host as HostArray, weights.dtypeOf(value.type), weights.device)),
    remember: (_array, _what, make) => make(),
    staticsOf: () => undefined,
    keepStatic: () => {},
  };
  const declared = [...graph.inputs, ...graph.defaults];
  const inputs = given.flatMap((value, i): (readonly [string, Value])[] => {
    if (value === undefined) return [];
    const sources = new Set([i]);
    const { name, type } = declared[i];
    return [[name, isHost(value) ? Value.ofHost(value, sources) : Value.ofTensor(value, type ?? 'float32', sources)]];
  });
  const constantOf = (inner: Graph, name: string): Value => {
    const constant = inner.constants.get(name) as Constant;
    if (constant.role === 'setting') return Value.ofHost(constant.array);
    const weight: AnyTensor = weights.of(constant);
    return Value.ofTensor(weight, constant.array.type, NONE);
  };
  const reading = interpret(graph, inputs, environment, constantOf);
  const step = reading.next();
  if (step.done === true) return step.value.map((value) => environment.tensorOf(value));
  const names = [...step.value.sources].map((i) => JSON.stringify(declared[i].name));
  const advice =
    names.length > 0
      ? `Give ${names.join(' and ')} as a number or as { data, shape }, or use run().`
      : 'Use run(), which can read it.';
  throw new OnnxError(`forward: how the graph goes on depends on a value that has to be computed first. ${advice}`);
}
