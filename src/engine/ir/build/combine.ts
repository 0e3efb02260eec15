// Builders of operators that put several tensors together: joins, products, convolutions, scatter-adds.

import { detach } from './control.js';
import { ArgumentError, DTypeError, InternalError, ShapeError } from '../errors.js';
import { type Node, createNode } from '../node.js';
import type { ConvSpec, Scatter } from '../op.js';
import { indexed } from '../place.js';
import { broadcastShapes, checkShape, formatShape, sameShape } from '../shape.js';
import { checkDType, checkFloats, checkDevice, checkIndexShape } from './checks.js';
import { inWide } from './maps.js';
import { reshape, windowOutput } from './movement.js';
import { withNumbers } from './numbers.js';

export function concat(given: readonly Node[], axis: number): Node {
  checkDevice('cat', given);
  if (given.length === 0) throw new ArgumentError('cat: no tensors. Give at least one.');
  const wide = given.find(({ dtype }) => dtype === 'float64');
  const parts = wide === undefined ? given : given.map((part) => withNumbers(part, wide)[0]);
  const [first] = parts;
  let total = 0;
  for (const part of parts) {
    if (part.dtype !== first.dtype) {
      throw new DTypeError(
        `cat: tensors are ${first.dtype} and ${part.dtype}. Convert one with to('${first.dtype}').`,
        [first.dtype, part.dtype],
      );
    }
    if (part.shape.length !== first.shape.length || part.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
      throw new ShapeError(
        `cat: ${formatShape(first.shape)} and ${formatShape(part.shape)} differ outside dimension ${axis}`,
        [first.shape, part.shape],
      );
    }
    total += part.shape[axis];
  }
  if (parts.length === 1) return first;
  return createNode(
    'concat',
    parts,
    { axis },
    first.shape.map((n, i) => (i === axis ? total : n)),
    first.dtype,
  ) as Node;
}

export function matmul(left: Node, right: Node): Node {
  const [a, b] = withNumbers(left, right);
  const wide = inWide([a, b], matmul);
  if (wide !== undefined) return wide;
  checkDevice('matmul', [a, b]);
  checkFloats('matmul', a, b);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new InternalError('matmul: operands below rank 2 reached the graph.');
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (k !== k2) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} x ${formatShape(b.shape)}: inner dimensions ${k} and ${k2} differ`,
      [a.shape, b.shape],
    );
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul', [a.shape, b.shape]);
  return createNode('matmul', [a, b], null, [...batch, m, n], a.dtype) as Node;
}

function convArgs(spec: ConvSpec): ConvSpec {
  const { stride, dilation, lo, hi, groups } = spec;
  return { stride, dilation, lo, hi, groups };
}

/** x [B, C, …], w [O, C / groups, …] → [B, O, …]; `op` names the caller in errors. */
export function conv(input: Node, weight: Node, spec: ConvSpec, op = 'conv'): Node {
  const [x, w] = withNumbers(input, weight);
  const wide = inWide([x, w], (a, b) => conv(a, b, spec, op));
  if (wide !== undefined) return wide;
  checkDevice(op, [x, w]);
  checkFloats(op, x, w);
  const [batch, channels, ...sizes] = x.shape;
  const [out, perGroup, ...kernel] = w.shape;
  if (channels !== perGroup * spec.groups) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)} has ${channels} channels, weight ${formatShape(w.shape)} with ${spec.groups} groups takes ${perGroup * spec.groups}`,
      [x.shape, w.shape],
    );
  }
  if (out % spec.groups !== 0) {
    throw new ShapeError(`${op}: ${out} output channels do not divide into ${spec.groups} groups`, [x.shape, w.shape]);
  }
  const spatial = windowOutput(sizes, kernel, spec, op);
  checkShape([batch, out, ...spatial], op);
  return createNode('conv', [x, w], convArgs(spec), [batch, out, ...spatial], x.dtype) as Node;
}

/** dy [B, O, …], w [O, C / groups, …] → [B, C, …input]. */
export function convInput(dy: Node, w: Node, spec: ConvSpec, input: readonly number[], op = 'conv'): Node {
  checkDevice(op, [dy, w]);
  checkFloats(op, dy, w);
  const shape = [dy.shape[0], w.shape[1] * spec.groups, ...input];
  return createNode('convInput', [dy, w], { ...convArgs(spec), input }, shape, dy.dtype) as Node;
}

/** x [B, C, …], dy [B, O, …] → [O, C / groups, …kernel]. */
export function convWeight(x: Node, dy: Node, spec: ConvSpec, kernel: readonly number[]): Node {
  checkDevice('conv', [x, dy]);
  const shape = [dy.shape[1], x.shape[1] / spec.groups, ...kernel];
  return createNode('convWeight', [x, dy], { ...convArgs(spec), kernel }, shape, dy.dtype) as Node;
}

/** As scatterAdd, but what comes together at one place is combined otherwise. No gradient flows through it. */
export function scatterCombine(
  combine: 'max' | 'min' | 'mul' | 'set',
  base: Node,
  axis: number,
  index: Node,
  source: Node,
): Node {
  return scatterAdd(detach(base), axis, index, detach(source), { ...indexed(axis, base.shape[axis]), combine });
}

export function scatterAdd(
  to: Node,
  axis: number,
  index: Node,
  source: Node,
  arg: Scatter = indexed(axis, to.shape[axis]),
): Node {
  const [base, src] = withNumbers(to, source);
  const wide = inWide([base, src], (a, b) => scatterAdd(a, axis, index, b, arg));
  if (wide !== undefined) return wide;
  checkDevice('scatterAdd', [base, index, src]);
  checkDType('scatterAdd: index', index, ['int32']);
  if (base.dtype !== src.dtype) {
    throw new DTypeError(`scatterAdd: base is ${base.dtype}, source is ${src.dtype}.`, [base.dtype, src.dtype]);
  }
  checkIndexShape('scatterAdd', base.shape, index.shape, axis);
  if (!sameShape(index.shape, src.shape)) {
    throw new ShapeError(`scatterAdd: index ${formatShape(index.shape)} and source ${formatShape(src.shape)} differ`, [
      index.shape,
      src.shape,
    ]);
  }
  if (base.shape.length === 0) {
    const [wideBase, wideIndex, wideSrc] = [base, index, src].map((n) => reshape(n, [1]));
    return reshape(scatterAdd(wideBase, 0, wideIndex, wideSrc, { ...arg, axis: 0 }), []);
  }
  return createNode('scatterAdd', [base, index, src], arg, base.shape, base.dtype) as Node;
}
