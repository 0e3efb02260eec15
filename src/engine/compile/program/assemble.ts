// From groups to a program: kernels, the memory they work in, and the stages they run in.
// Input: the state after scheduling. Output: its program.

import { bytesOf } from '../../ir/dtype.js';
import { InternalError } from '../../ir/errors.js';
import type { Node } from '../../ir/node.js';
import {
  ELEMENT_BYTES,
  ERROR_WORD,
  type KernelCall,
  type KernelFunction,
  LATE_ERROR_OFFSET,
  type Slot,
  type Stage,
  scratchBytes as scratchBytesOf,
} from '../../loop/loop.js';
import type { LowerGroupOptions } from '../lower/lower-group.js';
import type { Group } from '../plan/group.js';
import { placeParts } from '../plan/place-parts.js';
import { type CompileState, assignments, numbersOf } from '../plan/state.js';
import { joinStages } from './barrier-elimination.js';
import { LoweredGroups, type PlacedKernel } from './lowered-groups.js';
import { type Block, planMemory } from './plan-memory.js';
import { streamResults } from './streamed-results.js';

const WORD_BYTES = 4;

/** Where kernels say what is wrong with their input. */
const ERRORS: Slot = { kind: 'argument', index: ERROR_WORD };

/** Where each number begins in the argument table: a float64 takes two words. */
export function wordsOfScalars(scalars: readonly Node[], first: number): { words: readonly number[]; end: number } {
  let end = first;
  const words = scalars.map(({ dtype }) => {
    const word = end;
    end += Math.ceil(bytesOf(dtype) / WORD_BYTES);
    return word;
  });
  return { words, end };
}

export function assemble(state: CompileState): void {
  const { stages, stageOf, checks } = state.schedule;
  const copied = new Set(state.schedule.copied.map((a) => a.node));
  const updates = assignments(state).filter((a) => !copied.has(a.node));
  const overwritten = new Set(updates.map((a) => a.node));
  const inPlace = new Map(updates.flatMap((a): [Node, Node][] => (a.input === undefined ? [] : [[a.node, a.input]])));
  const outputWord = 1 + state.inputs.length;
  const { words: wordOfScalar, end: argumentCount } = wordsOfScalars(state.scalars, outputWord + state.outputs.length);

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
    blocks.set(n, { bytes: n.size * bytesOf(n.dtype), from: stage, to: lastUse.get(n) ?? stage });
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
    arenaOffset.set(part, (arenaOffset.get(host) as number) + at * bytesOf(part.dtype));
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

  const hasFloat64 = state.nodes.some((n) => n.dtype === 'float64');
  const kernels: KernelFunction[] = [];
  let scratchBytes = 0;
  let serial = true;
  const lowered = (
    { kernel, operands, origins, isParallel }: PlacedKernel,
    storedIn: (n: Node) => Slot | undefined,
  ): KernelCall => {
    serial &&= !isParallel;
    scratchBytes = Math.max(
      scratchBytes,
      kernel.scratch.reduce((n, b) => n + scratchBytesOf(b), 0),
    );
    kernels.push(kernel);
    const slots = operands.map((o, i): Slot => {
      if (o.kind === 'scalar') {
        return { kind: 'argument', index: wordOfScalar[numberOfScalar.get(o.node) as number] };
      }
      const slot = o.kind === 'error' ? ERRORS : o.kind === 'write' ? (storedIn(o.node) as Slot) : slotOf(o.node);
      return { ...slot, offset: (slot.offset ?? 0) + origins[i] * ELEMENT_BYTES[kernel.buffers[i].type] };
    });
    return { kernel: kernels.length - 1, slots };
  };
  const groups = new LoweredGroups(state.options.verify);
  const options: Omit<LowerGroupOptions, 'isStored'> = {
    target: state.options.target,
    threads: state.options.threads,
    hasFloat64,
    isMaterialised: (n) => state.materialised.has(n),
    places,
    inPlace,
  };
  const callsOf = (group: Group, storedIn: (n: Node) => Slot | undefined): KernelCall[][] =>
    groups
      .lower(group, { ...options, isStored: (n) => storedIn(n) !== undefined })
      .map((step) => step.map((kernel) => lowered(kernel, storedIn)));

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
  const { target, threads } = state.options;
  const overwrites = new Map(
    state.graph.outputs.flatMap(({ assign }, i) => (assign === undefined ? [] : [[outputWord + i, 1 + assign]])),
  );
  const joined = withLateErrors(
    joinStages(kernels, programStages, {
      threads,
      cacheBytes: target.l2Bytes,
      overwrites,
      checks: checking,
      updates: updating,
    }),
  );
  state.program = {
    kernels: streamResults(kernels, joined, { first: outputWord, overwrites, lanes: target.lanes }),
    stages: joined,
    argumentCount,
    arenaBytes: plan.bytes,
    scratchBytes,
    serial,
  };
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
