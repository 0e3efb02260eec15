// A look into one step of training: hooks on all leaf modules and on the losses for its duration, and statistics as tensors
// that are computed together with the step. Their names say all that is needed to read them again, so that the tensors may
// come from a captured step that is replayed long after its hooks have gone.
//   begin → (forward, backward) → values → (update) → updated → [later] readLook(values) → LayersEvent
// Must not know: when a look is due, what the numbers mean.

import { type LossCall, watchLosses } from '../../nn/losses/common.js';
import { watchOnly } from '../../nn/hooks.js';
import type { Module } from '../../nn/module.js';
import { customOp } from '../../tensor/custom-op.js';
import { isGradEnabled, withoutGrad } from '../../tensor/grad-mode.js';
import { areProbabilities, markProbabilities } from '../../tensor/probabilities.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type {
  InputStatistics,
  LayerStatistics,
  LayersEvent,
  ParameterStatistics,
  TargetStatistics,
} from '../record.js';
import { type Leaf, firstFloat, leavesOf } from './leaves.js';
import * as statistics from './statistics.js';

export type Values = Readonly<Record<string, AnyTensor>>;

/** A module that is called more often in one step (a cell, a shared activation) is looked at this many times. */
const MOST_CALLS = 4;
/** Labels are compared pair by pair: not for very large batches. */
const MOST_LABELS = 4096;

const SEPARATOR = '|';
const key = (...parts: readonly (string | number)[]): string => parts.join(SEPARATOR);

export class Look {
  private readonly model: Module;
  private readonly updatable: ReadonlySet<Tensor>;
  private readonly seen: Record<string, AnyTensor> = {};
  private readonly undo: (() => void)[] = [];
  private readonly calls = new Map<Leaf, number>();
  private readonly olds: { readonly name: string; readonly parameter: Tensor; readonly negated: Tensor }[] = [];

  /** Puts the hooks in place. Gradients are those of the optimiser's parameters: nobody clears others. */
  constructor(model: Module, { groups }: { readonly groups: readonly { readonly params: readonly Tensor[] }[] }) {
    this.model = model;
    this.updatable = new Set(groups.flatMap(({ params }) => [...params]));
    for (const leaf of leavesOf(model)) {
      const handle = leaf.module.registerForwardHook(
        watchOnly((_, inputs, output) => this.seeOutput(leaf, inputs, output)),
      );
      this.undo.push(() => handle.remove());
    }
    this.undo.push(watchLosses((call) => this.seeLoss(call)));
  }

  /** Takes the hooks away. */
  end(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  /** After `backward()`: everything that was seen, and the parameters with their gradients. Ends the hooks. */
  values(): Values {
    this.end();
    withoutGrad(() => {
      for (const [name, p] of this.model.namedParameters()) {
        const parameter = p;
        const gradient = this.updatable.has(parameter) ? parameter.grad : undefined;
        const state = gradient === undefined ? 'still' : 'moved';
        this.seen[key('parameter', state, p.shape.join('x'), name)] = statistics.measureParameter(parameter, gradient);
        // kept now, as the numbers are overwritten before anybody reads them
        if (gradient !== undefined) this.olds.push({ name, parameter, negated: parameter.neg().keep() });
      }
    });
    return this.seen;
  }

  /** After the update: how far it went. */
  updated(): Values {
    return withoutGrad(() =>
      Object.fromEntries(
        this.olds.map(({ name, parameter, negated }) => [
          key('update', name),
          statistics.measureUpdate(parameter, negated),
        ]),
      ),
    );
  }

  private seeOutput(leaf: Leaf, inputs: readonly unknown[], output: unknown): unknown {
    if (!isGradEnabled()) return undefined;
    const count = (this.calls.get(leaf) ?? 0) + 1;
    this.calls.set(leaf, count);
    const x = firstFloat(output);
    if (x === undefined || x.size === 0 || count > MOST_CALLS) return undefined;
    const name = count === 1 ? leaf.name : `${leaf.name}#${count}`;
    withoutGrad(() => {
      const input = this.calls.size === 1 && count === 1 ? firstFloat(inputs) : undefined;
      if (input !== undefined && input.rank > 0) {
        this.seen[key('input', input.shape[0])] = statistics.measureInput(input.detach());
      }
      this.seen[key('output', leaf.kind, name)] = statistics.measureOutput(x.detach(), leaf.kind);
    });
    if (!x.requiresGrad) return undefined;
    const watched = this.watchGradient(x, (g) => {
      this.seen[key('gradient', name)] = statistics.measureGradient(g);
    });
    return Array.isArray(output) ? output.map((value: unknown) => (value === x ? watched : value)) : watched;
  }

  /** The same tensor; `see` gets its gradient. */
  private watchGradient(x: Tensor, see: (g: Tensor) => void): Tensor {
    const identity = customOp({
      name: 'look',
      forward: (_ctx, value) => value,
      backward: (_ctx, gradient) => {
        withoutGrad(() => see(gradient.detach()));
        return [gradient];
      },
    });
    const same = identity(x);
    if (areProbabilities(x.node)) markProbabilities(same.node);
    return same;
  }

  private seeLoss({ op, input, target, result }: LossCall): void {
    if (!isGradEnabled() || target.size === 0) return;
    const isOfLabels = target.dtype === 'int32' && input.rank >= 2;
    const classes = isOfLabels ? input.shape[1] : undefined;
    const compared = target.size <= MOST_LABELS ? classes : undefined;
    withoutGrad(() => {
      this.seen[key('loss')] = result.detach().mean();
      this.seen[key('targets', op, classes ?? 0, target.size)] = statistics.measureTargets(target.detach(), compared);
    });
  }
}

/** What a look has found, in the words of the record. */
export interface Found {
  readonly event: LayersEvent;
  /** Name of the last loss, and its classes. */
  readonly loss: string | undefined;
  readonly classes: number | undefined;
  /** Its value. */
  readonly firstLoss: number | undefined;
}

/** Reads the tensors of a look. Others among them are left alone. */
export async function readLook(step: number, values: Values): Promise<Found> {
  const numbers = new Map<string, ArrayLike<number> & Iterable<number>>();
  for (const [name, t] of Object.entries(values)) numbers.set(name, await t.data());
  const named = (first: string) =>
    [...numbers].flatMap(([name, read]) => {
      const [head, ...rest] = name.split(SEPARATOR);
      return head === first ? [{ rest, read }] : [];
    });
  const gradients = new Map(named('gradient').map(({ rest, read }) => [rest[0], read[0]]));
  const updates = new Map(named('update').map(({ rest, read }) => [rest[0], read[0]]));
  const layers = named('output').map(({ rest: [kind, name], read }): LayerStatistics =>
    statistics.readOutput(name, kind, read, gradients.get(name)),
  );
  const parameters = named('parameter').map(({ rest: [state, shape, name], read }): ParameterStatistics => {
    const sizes = shape === '' ? [] : shape.split('x').map(Number);
    return statistics.readParameter(name, sizes, read, { hasGradient: state === 'moved', update: updates.get(name) });
  });
  const input = named('input').map(({ rest, read }): InputStatistics => statistics.readInput(Number(rest[0]), read))[0];
  const calls = named('targets').map(({ rest: [op, classes, count], read }) => ({
    op,
    classes: Number(classes) || undefined,
    targets: {
      ...statistics.readTargets(Number(count), read),
      loss: op,
      ...(Number(classes) > 0 && { classes: Number(classes) }),
    } as TargetStatistics,
  }));
  const last = calls.at(-1);
  return {
    event: {
      event: 'layers',
      step,
      layers,
      parameters,
      ...(input !== undefined && { input }),
      ...(last !== undefined && { targets: last.targets }),
    },
    loss: last?.op,
    classes: last?.classes,
    firstLoss: named('loss')[0]?.read[0],
  };
}
