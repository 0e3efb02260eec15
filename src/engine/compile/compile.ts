// The compiler: graph → program. A list of passes over one state; a loop runs them, and can print, time and check
// after each (NABLA_DEBUG=4).
// Input: a graph cut loose from tensors. Output: kernels in the loop IR, the stages they run in, and the layout of the
// argument table. Emitting code and running it are other people's work.

import type { Graph } from '../ir/graph.js';
import { InternalError } from '../ir/errors.js';
import type { Node } from '../ir/node.js';
import { OP_CLASS } from '../ir/op.js';
import { BYTES_PER_ELEMENT } from '../ir/dtype.js';
import {
  ERROR_WORD,
  type KernelCall,
  type KernelFunction,
  LATE_ERROR_OFFSET,
  type Program,
  type Slot,
  type Stage,
} from '../loop/loop.js';
import { moveOrigins } from '../loop/origins.js';
import { reduceStrength } from '../loop/strength-reduction.js';
import type { Target } from '../loop/target.js';
import { distributeSums } from './graph/distribute.js';
import { type Fused, fuse } from './plan/fuse.js';
import { contractionsOf } from './index/contraction.js';
import { isSummedInParts } from './index/contraction.js';
import { type Group, collectReads, formGroup } from './plan/group.js';
import { isContraction } from './graph/kinds.js';
import { flatten } from './index/index-expr.js';
import { joinGradients } from './graph/horizontal-gradients.js';
import { joinStages } from './program/barrier-elimination.js';
import { joinSums } from './graph/horizontal-sums.js';
import { cutKept } from './graph/prologue.js';
import { chooseLayouts } from './graph/layouts.js';
import { multiplyTables } from './graph/lookups.js';
import { keepLostInScatters } from './graph/compensated-scatters.js';
import { lowerGroup } from './lower/lower-group.js';
import type { LoweredKernel } from './lower/kernel/lowering.js';
import { materialise } from './plan/materialise.js';
import { type Block, planMemory } from './program/plan-memory.js';
import { type Assignment, type Schedule, type UpdateInPlace, schedule } from './plan/schedule.js';
import { type Rewritten, derive, rewrite, withoutUnused } from './graph/rewrite.js';
import { splitReductions } from './graph/split-reductions.js';
import { placeParts } from './plan/place-parts.js';
import { stackParts } from './graph/stacks.js';
import { findStreams } from './plan/stream.js';
import { trace } from './index/trace.js';
import { useWinograd } from './graph/winograd.js';

export interface CompileOptions {
  readonly target: Target;
  /** Programs run on so many threads, or on one. */
  readonly threads: number;
  /** False computes every materialised node in a kernel of its own: the slow twin that fusion is tested against. */
  readonly fuse?: boolean;
  /** Elements from which a product that nobody needs as a whole is computed tile by tile (stream.ts). */
  readonly leastStreamed?: number;
  readonly onPass?: (name: string, state: CompileState, ms: number) => void;
}

/** A program and how to fill its argument table. Word 0 is the address of the error record. */
export interface CompiledGraph {
  readonly program: Program;
  readonly inputWord: number;
  readonly outputWord: number;
  readonly scalarWord: number;
  /** The operator that reported an index out of range, by the number in the error record. */
  readonly nodes: readonly Node[];
  /** What runs before it where a watched input has changed; its outputs are the last inputs of this program. */
  readonly prologue?: { readonly compiled: CompiledGraph; readonly kept: readonly Node[]; readonly watched: number[] };
}

export interface CompileState {
  readonly graph: Graph;
  readonly options: CompileOptions;
  nodes: readonly Node[];
  inputs: readonly Node[];
  scalars: readonly Node[];
  /** One distinct node for each output of the graph. */
  outputs: readonly Node[];
  /** Copies of operands in another order. */
  copiedLayouts: readonly Node[];
  materialised: ReadonlySet<Node>;
  fused: Fused;
  schedule: Schedule;
  copies: readonly { group: Group; output: number }[];
  program: Program | undefined;
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
];

const PASSES: readonly Pass[] = [
  ['layouts', layoutsPass],
  ['outputs', outputsPass],
  ['materialise', materialisePass],
  ['fuse', fusePass],
  ['schedule', schedulePass],
  ['lower', lowerPass],
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
  const scalarWord = outputWord + graph.outputs.length;
  return { program: state.program, inputWord, outputWord, scalarWord, nodes: state.nodes };
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
  replaceNodes(state, rewrite(state.nodes, value));
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

function layoutsPass(state: CompileState): void {
  const laidOut = chooseLayouts(state.nodes, state.options.target);
  replaceNodes(state, laidOut);
  state.copiedLayouts = laidOut.copies;
}

function replaceNodes(state: CompileState, { nodes, now }: Rewritten): void {
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

function assignments(state: CompileState): Assignment[] {
  return state.graph.outputs.flatMap(({ assign, isFull }, i) => {
    const input = assign === undefined ? undefined : state.inputs[assign];
    return input !== undefined || isFull === true ? [{ node: state.outputs[i], input }] : [];
  });
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

/** Does the group read the old value only where it writes the new one? */
function readsInPlace(group: Group, a: UpdateInPlace, isMaterialised: (n: Node) => boolean): boolean {
  if (group.kind !== 'loop' && !writesOnce(group)) return false;
  const target = flatten(group.place.get(a.node) ?? [], a.node.shape).key;
  let same = true;
  for (const node of group.members) {
    if (isContraction(node)) {
      const operands = new Set<Node>();
      for (const s of node.src) collectReads(s, isMaterialised, operands);
      if (operands.has(a.input)) return false;
      continue;
    }
    const operand = group.operand.get(node);
    trace(operand === undefined ? node : node.src[0], operand ?? group.place.get(node) ?? [], isMaterialised, {
      materialised(n, index) {
        if (n === node) return true;
        if (n === a.input && flatten(index, n.shape).key !== target) same = false;
        return false;
      },
      streamed(n) {
        const operands = new Set<Node>();
        for (const s of n.src) collectReads(s, isMaterialised, operands);
        if (operands.has(a.input)) same = false;
      },
    });
  }
  return same;
}

/** Does a product compute each element once, and finish it at once? */
function writesOnce({ kind, members }: Group): boolean {
  const node = members.find(isContraction);
  if (kind !== 'contraction' || node === undefined || node.op === 'winograd') return false;
  return contractionsOf(node).every((form) => !isSummedInParts(form));
}

// ---------------------------------------------------------------- lowering to a program

/** Where kernels say what is wrong with their input. */
const ERRORS: Slot = { kind: 'argument', index: ERROR_WORD };

function lowerPass(state: CompileState): void {
  const { stages, stageOf, checks } = state.schedule;
  const copied = new Set(state.schedule.copied.map((a) => a.node));
  const updates = assignments(state).filter((a) => !copied.has(a.node));
  const overwritten = new Set(updates.map((a) => a.node));
  const inPlace = new Set(updates.flatMap((a) => (a.input === undefined ? [] : [a.node])));
  const outputWord = 1 + state.inputs.length;
  const scalarWord = outputWord + state.outputs.length;

  // Memory: outputs have buffers of their own, everything else that is stored lives in the arena.
  const lastStage = stages.length; // the stage of the copies
  const numberOfInput = numbersOf(state.inputs);
  const numberOfScalar = numbersOf(state.scalars);
  const numberOfOutput = numbersOf(state.outputs);
  const inArena = [...state.fused.stored].filter((n) => !numberOfOutput.has(n) || copied.has(n));
  const places = placeParts(state.nodes, state.fused.groups, inArena);
  const lastUse = new Map<Node, number>();
  stages.forEach((groups, stage) => {
    for (const g of groups) for (const n of g.reads) lastUse.set(n, stage);
  });
  for (const n of copied) lastUse.set(n, lastStage);
  const blocks = new Map<Node, { bytes: number; from: number; to: number }>();
  for (const n of inArena) {
    const stage = stageOf.get(n) as number;
    blocks.set(n, { bytes: n.size * BYTES_PER_ELEMENT, from: stage, to: lastUse.get(n) ?? stage });
  }
  // A concatenation is there from its first part on, and as long as any of them is read; parts of parts come last.
  for (const [part, { host }] of [...places].reverse()) {
    const own = blocks.get(part) as { from: number; to: number };
    const whole = blocks.get(host) as { from: number; to: number };
    whole.from = Math.min(whole.from, own.from);
    whole.to = Math.max(whole.to, own.to);
  }
  const placed = inArena.filter((n) => !places.has(n));
  const plan = planMemory(placed.map((n) => blocks.get(n) as Block));
  const arenaOffset = new Map(placed.map((n, i) => [n, plan.offsets[i]]));
  for (const [part, { host, at }] of places) {
    arenaOffset.set(part, (arenaOffset.get(host) as number) + at * BYTES_PER_ELEMENT);
  }

  const slotOf = (node: Node): Slot => {
    const input = numberOfInput.get(node);
    if (input !== undefined) return { kind: 'argument', index: 1 + input };
    const offset = arenaOffset.get(node);
    if (offset !== undefined) return { kind: 'arena', offset };
    const output = numberOfOutput.get(node);
    if (output !== undefined) return { kind: 'argument', index: outputWord + output };
    throw new InternalError(`compile: ${node.op} is read but was never stored.`);
  };

  const kernels: KernelFunction[] = [];
  let scratchBytes = 0;
  let serial = true;
  const lowered = (
    { kernel, operands, isParallel }: LoweredKernel,
    storedIn: (n: Node) => Slot | undefined,
  ): KernelCall => {
    serial &&= !isParallel;
    scratchBytes = Math.max(
      scratchBytes,
      kernel.scratch.reduce((n, b) => n + 64 + Math.ceil((b.size * 4) / 64) * 64, 0),
    );
    const moved = moveOrigins(state.options.target.fuses ? reduceStrength(kernel) : kernel);
    kernels.push(moved.kernel);
    const slots = operands.map((o, i): Slot => {
      if (o.kind === 'scalar') {
        return { kind: 'argument', index: scalarWord + (numberOfScalar.get(o.node) as number) };
      }
      const slot = o.kind === 'error' ? ERRORS : o.kind === 'write' ? (storedIn(o.node) as Slot) : slotOf(o.node);
      return { ...slot, offset: (slot.offset ?? 0) + moved.origins[i] * BYTES_PER_ELEMENT };
    });
    return { kernel: kernels.length - 1, slots };
  };
  const callsOf = (group: Group, storedIn: (n: Node) => Slot | undefined): KernelCall[][] =>
    lowerGroup(group, {
      target: state.options.target,
      threads: state.options.threads,
      isMaterialised: (n) => state.materialised.has(n),
      isStored: (n) => storedIn(n) !== undefined,
      places,
      inPlace,
    }).map((step) => step.map((kernel) => lowered(kernel, storedIn)));

  const programStages: KernelCall[][] = [];
  const checking = new Set<KernelCall>();
  const updating = new Set<KernelCall>();
  for (const groups of stages) {
    const steps: KernelCall[][] = [];
    for (const group of groups) {
      const calls = callsOf(group, (n) => (state.fused.stored.has(n) ? slotOf(n) : undefined));
      calls.forEach((step, i) => {
        for (const call of step) (steps[i] ??= []).push(call); // a barrier between the steps
      });
      if (checks.has(group)) calls.flat().forEach((c) => checking.add(c));
      if (group.members.some((n) => overwritten.has(n))) calls.flat().forEach((c) => updating.add(c));
    }
    for (const step of steps) programStages.push(step);
  }
  if (state.copies.length > 0) {
    const calls = state.copies.flatMap(({ group, output }) =>
      callsOf(group, () => ({ kind: 'argument', index: outputWord + output })).flat(),
    );
    calls.forEach((c) => updating.add(c));
    programStages.push(calls);
  }
  state.program = {
    kernels,
    stages: withLateErrors(
      joinStages(kernels, programStages, {
        threads: state.options.threads,
        cacheBytes: state.options.target.l2Bytes,
        overwrites: new Map(
          state.graph.outputs.flatMap(({ assign }, i) => (assign === undefined ? [] : [[outputWord + i, 1 + assign]])),
        ),
        checks: checking,
        updates: updating,
      }),
    ),
    argumentCount: scalarWord + state.scalars.length,
    arenaBytes: plan.bytes,
    scratchBytes,
    serial,
  };
}

/** The place of each node in a list; of the first, where one stands there twice. */
function numbersOf(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const numbers = new Map<Node, number>();
  nodes.forEach((n, i) => {
    if (!numbers.has(n)) numbers.set(n, i);
  });
  return numbers;
}

/** What comes after the last check reports to a record of its own. */
function withLateErrors(stages: readonly Stage[]): readonly Stage[] {
  const last = stages.findIndex((s) => s.isLastCheck === true);
  if (last < 0) return stages;
  const late = (slot: Slot): Slot =>
    slot.kind === 'argument' && slot.index === ERROR_WORD ? { ...slot, offset: LATE_ERROR_OFFSET } : slot;
  return stages.map((stage, i) =>
    i <= last
      ? stage
      : { ...stage, calls: stage.calls.map(({ kernel, slots }) => ({ kernel, slots: slots.map(late) })) },
  );
}
