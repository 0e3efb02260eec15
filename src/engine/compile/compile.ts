// The compiler: graph → program. A list of passes over one state; a loop runs them, and can print, time and check
// after each (NABLA_DEBUG=4).
// Input: a graph cut loose from tensors. Output: kernels in the loop IR, the stages they run in, and the layout of the
// argument table. Emitting code and running it are other people's work.

import { InternalError } from '../ir/errors.js';
import type { Graph } from '../ir/graph/graph.js';
import type { Node } from '../ir/node.js';
import { OP_CLASS } from '../ir/op.js';
import type { Program } from '../loop/loop.js';
// graph: nodes into nodes
import { keepLostInScatters } from './graph/compensated-scatters.js';
import { distributeSums } from './graph/distribute.js';
import { joinGradients } from './graph/horizontal-gradients.js';
import { joinSums } from './graph/horizontal-sums.js';
import { chooseLayouts } from './graph/layouts.js';
import { multiplyTables } from './graph/lookups.js';
import { cutKept } from './graph/prologue.js';
import { type Rewritten, derive, rewrite, withoutUnused } from './graph/rewrite.js';
import { splitReductions } from './graph/split-reductions.js';
import { stackParts } from './graph/stacks.js';
import { halveSymmetric } from './graph/symmetric-products.js';
import { useWinograd } from './graph/winograd.js';
// plan: what is stored, fused and scheduled
import { fuse } from './plan/fuse.js';
import { type Group, formGroup } from './plan/group.js';
import { readsInPlace } from './plan/in-place.js';
import { materialise } from './plan/materialise.js';
import { type UpdateInPlace, schedule } from './plan/schedule.js';
import { type CompileOptions, type CompileState, assignments, numbersOf } from './plan/state.js';
import { findStreams } from './plan/stream.js';
// program: groups are lowered to kernels (lower/), kernels get memory and stages
import { assemble, wordsOfScalars } from './program/assemble.js';

/** A program and how to fill its argument table. Word 0 is the address of the error record. */
export interface CompiledGraph {
  readonly program: Program;
  readonly inputWord: number;
  readonly outputWord: number;
  readonly scalarWords: readonly number[];
  /** The operator that reported an index out of range, by the number in the error record. */
  readonly nodes: readonly Node[];
  /** What runs before it where a watched input has changed; its outputs are the last inputs of this program. */
  readonly prologue?: { readonly compiled: CompiledGraph; readonly kept: readonly Node[]; readonly watched: number[] };
}

type Pass = readonly [name: string, pass: (state: CompileState) => void];

/** Nodes into nodes; then what of them is kept is cut off (prologue.ts). */
const REWRITES: readonly Pass[] = [
  ['values', valuesPass],
  ['lookups', lookupsPass],
  ['join', joinPass],
  ['stacks', stacksPass],
  ['gradients', gradientsPass],
  ['distribute', distributePass],
  ['split', splitPass],
  ['scatters', scattersPass],
  ['winograd', winogradPass],
  ['symmetric', symmetricPass],
];

const PASSES: readonly Pass[] = [
  ['layouts', layoutsPass],
  ['outputs', outputsPass],
  ['materialise', materialisePass],
  ['fuse', fusePass],
  ['schedule', schedulePass],
  ['lower', assemble],
];

export function compileGraph(graph: Graph, options: CompileOptions): CompiledGraph {
  const state = stateOf(graph, options);
  perform(REWRITES, state);
  const { nodes, inputs, scalars } = state;
  const outputs = graph.outputs.map((o, i) => ({ ...o, node: state.outputs[i] }));
  const parts = cutKept({ nodes, inputs, scalars, outputs });
  if (parts === undefined) return finish(state);
  const prologue = finish(stateOf(parts.prologue, options));
  parts.main.nodes.forEach((n, i) => (n.slot = i));
  const main = finish(stateOf(parts.main, options));
  return { ...main, prologue: { compiled: prologue, kept: parts.kept, watched: parts.watched } };
}

function stateOf(graph: Graph, options: CompileOptions): CompileState {
  return {
    graph,
    options,
    nodes: graph.nodes,
    inputs: graph.inputs,
    scalars: graph.scalars,
    outputs: graph.outputs.map((o) => o.node),
    copiedLayouts: [],
    materialised: new Set(),
    fused: { groups: [], stored: new Set() },
    schedule: { stages: [], stageOf: new Map(), copied: [], checks: new Set() },
    copies: [],
    program: undefined,
  };
}

function perform(passes: readonly Pass[], state: CompileState): void {
  const { onPass } = state.options;
  for (const [name, pass] of passes) {
    const start = onPass === undefined ? 0 : performance.now();
    pass(state);
    onPass?.(name, state, performance.now() - start);
  }
}

function finish(state: CompileState): CompiledGraph {
  perform(PASSES, state);
  if (state.program === undefined) throw new InternalError('compile: no program was made.');
  const { graph } = state;
  const inputWord = 1;
  const outputWord = inputWord + graph.inputs.length;
  const { words } = wordsOfScalars(state.scalars, outputWord + graph.outputs.length);
  return { program: state.program, inputWord, outputWord, scalarWords: words, nodes: state.nodes };
}

/**
 * Derivatives have been taken: an operator with one of its own is its value, and no longer reads its inputs. What has no
 * elements is a constant, so that no kernel reads an index or a row that is not there.
 */
function valuesPass(state: CompileState): void {
  const value = (n: Node, push: (made: Node) => Node) => {
    if (n.size === 0 && OP_CLASS[n.op] !== 'leaf')
      return derive(n, 'expand', [push(derive(n, 'const', [], { value: 0 }, []))], { shape: n.shape }, n.shape);
    return n.op === 'custom' ? derive(n, 'detach', [n.src[0]], null, n.shape) : undefined;
  };
  const { nodes, now } = rewrite(state.nodes, value);
  replaceNodes(state, { nodes: [...nodes], now }); // without what nobody needs, in any case
}

function lookupsPass(state: CompileState): void {
  replaceNodes(state, multiplyTables(state.nodes));
}

function joinPass(state: CompileState): void {
  replaceNodes(state, joinSums(state.nodes, state.outputs));
}

function stacksPass(state: CompileState): void {
  replaceNodes(state, stackParts(state.nodes));
}

function gradientsPass(state: CompileState): void {
  replaceNodes(state, joinGradients(state.nodes));
}

function distributePass(state: CompileState): void {
  replaceNodes(state, distributeSums(state.nodes));
}

function splitPass(state: CompileState): void {
  replaceNodes(state, splitReductions(state.nodes));
}

function scattersPass(state: CompileState): void {
  replaceNodes(state, keepLostInScatters(state.nodes));
}

function winogradPass(state: CompileState): void {
  const assigned = new Set(
    state.graph.outputs.flatMap((o) => (o.assign === undefined ? [] : [state.inputs[o.assign]])),
  );
  replaceNodes(state, useWinograd(state.nodes, assigned));
}

function symmetricPass(state: CompileState): void {
  replaceNodes(state, halveSymmetric(state.nodes));
}

function layoutsPass(state: CompileState): void {
  const laidOut = chooseLayouts(state.nodes, state.options.target);
  replaceNodes(state, laidOut);
  state.copiedLayouts = laidOut.copies;
}

function replaceNodes(state: CompileState, { nodes, now }: Rewritten): void {
  if (nodes === state.nodes) return;
  const current = (n: Node) => now.get(n) as Node;
  state.inputs = state.inputs.map(current);
  state.scalars = state.scalars.map(current);
  state.outputs = state.outputs.map(current);
  state.nodes = withoutUnused(nodes, state.outputs);
}

/** Outputs that are inputs, constants or each other get a node of their own, so that each is written once. */
function outputsPass(state: CompileState): void {
  const nodes = [...state.nodes];
  const taken = new Set<Node>();
  state.outputs = state.outputs.map((node) => {
    let own = node;
    if (OP_CLASS[node.op] === 'leaf' || taken.has(node)) {
      own = copyOf(node);
      own.slot = nodes.length;
      nodes.push(own);
    }
    taken.add(own);
    return own;
  });
  state.nodes = nodes;
}

function copyOf(node: Node): Node {
  return derive(node, 'detach', [node], null, node.shape);
}

function materialisePass(state: CompileState): void {
  const { fuse: fuses = true, leastStreamed } = state.options;
  const streamed = fuses ? findStreams(state.nodes, state.outputs, leastStreamed) : new Set<Node>();
  state.materialised = materialise(state.nodes, [...state.outputs, ...state.copiedLayouts], streamed);
}

function fusePass(state: CompileState): void {
  state.fused = fuse(state.nodes, state.materialised, state.outputs, state.options.fuse ?? true);
}

function schedulePass(state: CompileState): void {
  const isMaterialised = (n: Node) => state.materialised.has(n);
  const canUpdateInPlace = (group: Group, a: UpdateInPlace) => readsInPlace(group, a, isMaterialised);
  state.schedule = schedule(state.fused.groups, assignments(state), canUpdateInPlace, isMaterialised);
  const nodes = [...state.nodes];
  const stored = new Set(state.fused.stored);
  for (const { members, reads } of state.schedule.checks) {
    const [node] = members;
    if (node.op !== 'checkIndex') continue;
    node.slot = nodes.length;
    nodes.push(node);
    for (const n of reads) if (n.op !== 'leaf') stored.add(n); // the kernel that computes them may have kept them to itself
  }
  state.fused = { groups: state.fused.groups, stored };
  const materialised = new Set(state.materialised);
  const numberOfOutput = numbersOf(state.outputs);
  state.copies = state.schedule.copied.map((a) => {
    const copy = copyOf(a.node);
    copy.slot = nodes.length;
    nodes.push(copy);
    materialised.add(copy);
    const group = formGroup([copy], (n) => materialised.has(n)) as Group;
    return { group, output: numberOfOutput.get(a.node) as number };
  });
  state.nodes = nodes;
  state.materialised = materialised;
}
