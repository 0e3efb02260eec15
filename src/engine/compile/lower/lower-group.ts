// From a group to the kernels that compute it: picks the lowering by the group's kind and collects what the kernel is
// called with. A kernel sees buffers; which memory they are is decided by the caller, from `operands`.

import type { LoweredKernel, Lowering, Operand } from './kernel/lowering.js';
import { type Node, isOp } from '../../ir/node.js';
import { formatShape } from '../../ir/shape.js';
import * as L from '../../loop/loop.js';
import type { Buffer, KernelFunction, Var } from '../../loop/loop.js';
import type { Target } from '../../loop/target.js';
import type { Group } from '../plan/group.js';
import { isContraction } from '../graph/kinds.js';
import { VALUE_TYPE, elementOf } from './kernel/dtype-values.js';
import type { KernelBuilder, KernelContext } from './kernel/kernel-builder.js';
import { lowerCheck } from './scan/lower-check.js';
import { lowerConcat, sharesOfConcat } from './scan/lower-concat.js';
import { contractAlone, lowerContraction } from './contraction/lower-contraction.js';
import { lowerDense } from './dense/lower-dense.js';
import { lowerLoop } from './loop/lower-loop.js';
import { lowerScan } from './scan/lower-scan.js';
import { lowerScatterAdd } from './scan/lower-scatter.js';
import { lowerArgsort } from './scan/lower-sort.js';
import { lowerWinogradGradient } from './winograd/lower-winograd-gradient.js';
import { lowerWinogradKernel, lowerWinogradWeights } from './winograd/lower-winograd-weights.js';
import { lowerWinograd } from './winograd/lower-winograd.js';
import { type Places, isComplete, reachOf } from '../plan/place-parts.js';
import type { IsMaterialised } from '../indices/trace.js';

export interface LowerGroupOptions {
  readonly target: Target;
  readonly threads: number;
  /** Whether the graph has any float64. */
  readonly hasFloat64: boolean;
  readonly isMaterialised: IsMaterialised;
  readonly isStored: (node: Node) => boolean;
  /** Parts of concatenations that are computed where they belong. */
  readonly places: Places;
  /** Results that are written over an input of the program, and the input. */
  readonly inPlace: ReadonlyMap<Node, Node>;
}

type Lower = (group: Group, lowering: Lowering) => KernelBuilder;

/** First the base is copied, then (after a barrier) the sources are added. */
const SCATTER: readonly Lower[] = [(g, l) => lowerScatterAdd(g, l, 'copy'), (g, l) => lowerScatterAdd(g, l, 'add')];

/** Most groups are one kernel. */
const LOWERINGS: Record<Exclude<Group['kind'], 'concat'>, readonly Lower[]> = {
  loop: [lowerLoop],
  contraction: [lowerProduct],
  cumsum: [lowerScan],
  argsort: [lowerArgsort],
  dense: [lowerDense],
  winogradWeights: [lowerWinogradWeights],
  winogradGradient: [lowerWinogradGradient],
  winogradKernel: [lowerWinogradKernel],
  checkIndex: [lowerCheck],
  scatterAdd: SCATTER,
  scatterSums: SCATTER,
};

function lowerProduct(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members.find(isContraction) as Node;
  return isOp(node, 'winograd') ? lowerWinograd(group, node, lowering) : lowerContraction(group, lowering);
}

/** Vectors have half as many lanes where something in them takes 64 bits. */
function targetOf(group: Group, { target, hasFloat64, isMaterialised }: LowerGroupOptions): Target {
  return hasFloat64 && usesFloat64(group, isMaterialised) ? { ...target, lanes: target.lanes / 2 } : target;
}

function usesFloat64({ members }: Group, isMaterialised: IsMaterialised): boolean {
  const seen = new Set<Node>(members);
  for (const node of seen) {
    if (node.dtype === 'float64') return true;
    const isRead = node.op === 'leaf' || (isMaterialised(node) && !members.includes(node));
    if (!isRead) for (const source of node.src) seen.add(source);
  }
  return false;
}

/** Kernels in steps: those of one are independent of each other, and come after the step before. */
export function lowerGroup(group: Group, options: LowerGroupOptions): LoweredKernel[][] {
  if (group.members.length === 1 && isComplete(options.places, group.members[0])) return []; // nothing is left to copy
  if (group.kind === 'concat') {
    const shares = sharesOfConcat(group, options.isMaterialised, options.places);
    return [shares.map((share) => lowerKernel(group, options, (g, l) => lowerConcat(g, l, share)))];
  }
  const lowerings = LOWERINGS[group.kind];
  return (isInPlace(group, options) ? lowerings.slice(1) : lowerings).map((lower) => [
    lowerKernel(group, options, lower),
  ]);
}

/** A scatter-add into its own base finds there what it would have to copy. */
function isInPlace({ kind, members: [node] }: Group, { inPlace }: LowerGroupOptions): boolean {
  return kind === 'scatterAdd' && inPlace.get(node) === node.src[0];
}

function lowerKernel(group: Group, options: LowerGroupOptions, lower: Lower): LoweredKernel {
  const buffers: Buffer[] = [];
  const bufferOperands: Operand[] = [];
  const scalars: Var[] = [];
  const scalarOperands: Operand[] = [];
  const scratch: Buffer[] = [];
  const reads = new Map<Node, Buffer>();
  const writes = new Map<Node, Buffer>();
  const scalarOf = new Map<Node, Var>();
  let errors: Buffer | undefined;
  let isDivisible = group.kind === 'loop';

  const memory = (node: Node, name: string, operand: Operand): Buffer => {
    const made = L.buffer(name, elementOf(node.dtype), 'param', reachOf(options.places, node));
    buffers.push(made);
    bufferOperands.push(operand);
    return made;
  };
  const lookUp = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
    let found = map.get(key);
    if (found === undefined) map.set(key, (found = make()));
    return found;
  };
  const context: KernelContext = {
    buffer(node) {
      if (group.place.has(node) || (node.op !== 'leaf' && !options.isMaterialised(node))) return undefined;
      return lookUp(reads, node, () => memory(node, node.op, { kind: 'read', node }));
    },
    scalar(node) {
      return lookUp(scalarOf, node as Node, () => {
        const v = L.variable('s', VALUE_TYPE[node.dtype]);
        scalars.push(v);
        scalarOperands.push({ kind: 'scalar', node: node as Node });
        return v;
      });
    },
    errorRecord() {
      if (errors === undefined) {
        errors = L.buffer('errors', 'i32', 'param', 4);
        buffers.push(errors);
        bufferOperands.push({ kind: 'error' });
      }
      return errors;
    },
  };
  const lowering: Lowering = {
    target: targetOf(group, options),
    threads: options.threads,
    context,
    isMaterialised: options.isMaterialised,
    places: options.places,
    inPlace: options.inPlace,
    output: (node) =>
      options.isStored(node) ? lookUp(writes, node, () => memory(node, 'out', { kind: 'write', node })) : undefined,
    scratch(name, size, type = 'f32') {
      const made = L.buffer(name, type, 'scratch', size);
      scratch.push(made);
      return made;
    },
    contract(k, node, form, output) {
      isDivisible = false; // each share would pack operands for itself
      contractAlone(k, node, form, output, lowering);
    },
  };
  const builder = lower(group, lowering);
  const kernel: KernelFunction = {
    name: kernelName(group),
    buffers,
    scalars,
    scratch,
    tid: builder.tid,
    threads: builder.threads,
    body: builder.body(),
    isDivisible,
    shapes: kernelShapes(group),
    flops: flopsOf(group),
    bytes: buffers.reduce((n, b) => n + b.size * L.ELEMENT_BYTES[b.type], 0),
  };
  return { kernel, operands: [...bufferOperands, ...scalarOperands], isParallel: builder.isParallel };
}

function kernelName(group: Group): string {
  const [first, ...rest] = [...new Set(group.members.map((n) => n.op))];
  return [first, ...rest.slice(0, 3)].join('_');
}

function kernelShapes(group: Group): string {
  const main = group.members.find((n) => isContraction(n) || group.operand.has(n)) ?? group.members[0];
  const operands = main.src.map((n) => formatShape(n.shape));
  return operands.length === 0 ? formatShape(main.shape) : `${formatShape(main.shape)} of ${operands.join(' ')}`;
}

/** Multiplications and additions of contractions; one a member and element for the rest. */
function flopsOf(group: Group): number {
  let flops = 0;
  for (const n of group.members) {
    if (n.op === 'matmul') flops += (n.arg === null ? 2 : 1) * n.size * n.src[0].shape[n.src[0].shape.length - 1];
    else if (n.op === 'conv') flops += 2 * n.size * (n.src[1].size / n.src[1].shape[0]);
    else if (n.op === 'convInput') flops += 2 * n.src[0].size * (n.src[1].size / n.src[1].shape[0]);
    else if (n.op === 'winograd') flops += 18 * n.size * n.src[0].shape[1]; // as if computed directly
    else if (n.op === 'winogradGradient') flops += 18 * n.src[1].size * n.src[0].shape[1];
    else if (n.op === 'convWeight') flops += 2 * n.src[1].size * (n.size / n.shape[0]);
    else flops += group.operand.get(n) === undefined ? n.size : n.src[0].size;
  }
  return flops;
}
