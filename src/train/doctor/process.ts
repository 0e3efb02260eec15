// Mistakes in the order of a training loop that no curve shows clearly: the wrong mode, gradients that add up, parameters
// that nobody updates. Cheap enough for every step: comparisons of objects, no numbers are read.
//   hooks and the optimiser's calls in, a notice for each kind of mistake out, once.
// Must not know: statistics, records.

import { type LossCall, watchLosses } from '../../nn/losses/common.js';
import { watchOnly } from '../../nn/hooks.js';
import type { Module } from '../../nn/module.js';
import { isGradEnabled } from '../../tensor/grad-mode.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Leaf, dependsOnMode, firstFloat, isBatchNorm, leavesOf } from './leaves.js';

/** What every optimiser of `nabla/optim` is. */
export interface ObservedOptimizer {
  readonly groups: readonly (object & { readonly params: readonly Tensor[]; readonly lr?: number })[];
  step(): Promise<void>;
}

export type Notify = (code: string, text: string) => void;

export class Process {
  private readonly model: Module;
  private readonly optimizer: ObservedOptimizer;
  private readonly notify: Notify;
  /** As often as this in a row before it counts: a first step may be special. */
  private readonly inARow: number;
  private readonly undo: (() => void)[] = [];
  private readonly said = new Set<string>();
  private readonly rows = new Map<string, number>();
  /** Modes in which layers were called since the last update, with gradients. */
  private readonly modes = new Map<Leaf, Set<boolean>>();
  /** The loop has been seen to clear its gradients. */
  private isCleared = false;
  /** Gradients that the last update used, by parameter: the objects, not the numbers. */
  private readonly used = new Map<Tensor, WeakRef<Tensor>>();

  constructor(model: Module, optimizer: ObservedOptimizer, notify: Notify, inARow = 2) {
    this.model = model;
    this.optimizer = optimizer;
    this.notify = notify;
    this.inARow = inARow;
    for (const leaf of leavesOf(model).filter(dependsOnMode)) {
      const handle = leaf.module.registerForwardHook(watchOnly((_, inputs) => this.seeMode(leaf, inputs)));
      this.undo.push(() => handle.remove());
    }
    this.undo.push(watchLosses((call) => this.seeLoss(call)));
  }

  end(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  /** Right before an update. */
  beforeUpdate(): void {
    this.checkModes();
    this.checkParameters();
    this.checkAccumulation();
    // Gradients that are not cleared can only add up if their numbers outlive the update.
    if (!this.isCleared) for (const p of this.parameters()) p.grad?.keep();
  }

  /** Remembers the gradients that have been used: they have to be gone by the next. */
  afterUpdate(): void {
    this.used.clear();
    for (const p of this.parameters()) if (p.grad !== undefined) this.used.set(p, new WeakRef(p.grad));
  }

  private parameters(): Tensor[] {
    return this.optimizer.groups.flatMap((group) => [...group.params]);
  }

  private say(code: string, text: string): void {
    if (this.said.has(code)) return;
    this.said.add(code);
    this.notify(code, text);
  }

  /** Says it when it has been so for some updates in a row. */
  private sayIf(isSo: boolean, code: string, text: () => string): void {
    const count = isSo ? (this.rows.get(code) ?? 0) + 1 : 0;
    this.rows.set(code, count);
    if (count >= this.inARow) this.say(code, text());
  }

  // -------------------------------------------------------------- modes

  private seeMode(leaf: Leaf, inputs: readonly unknown[]): void {
    const { training } = leaf.module;
    if (!isGradEnabled()) {
      if (!training) return;
      const effect = isBatchNorm(leaf)
        ? 'normalises by the batch and changes its running statistics'
        : 'drops at random';
      this.say(
        'train-in-validation',
        `${leaf.name} (${leaf.kind}) is called without gradients in training mode: it ${effect} while the model is measured.`,
      );
      return;
    }
    const modes = this.modes.get(leaf) ?? new Set();
    this.modes.set(leaf, modes.add(training));
    const x = firstFloat(inputs);
    if (training && isBatchNorm(leaf) && x?.shape[0] === 1) {
      this.say(
        'batch-of-one',
        `${leaf.name} (${leaf.kind}) gets batches of one sample in training: [${x.shape.join(', ')}].`,
      );
    }
  }

  private checkModes(): void {
    // A frozen batch normalisation in evaluation mode is how fine-tuning is done.
    const isMeant = ({ module }: Leaf) => {
      const parameters = module.parameters();
      return parameters.length > 0 && parameters.every((p) => !p.requiresGrad);
    };
    const called = [...this.modes].filter(([leaf]) => !isMeant(leaf));
    const wrong = called.filter(([, modes]) => !modes.has(true)).map(([{ name, kind }]) => `${name} (${kind})`);
    this.modes.clear();
    this.sayIf(wrong.length > 0, 'eval-in-training', () => `updates are made in evaluation mode: ${listed(wrong)}.`);
  }

  // -------------------------------------------------------------- gradients

  private seeLoss({ op, isOfProbabilities }: LossCall): void {
    if (isOfProbabilities) {
      this.say(
        'probabilities-as-logits',
        `${op} takes logits and was given probabilities: the result of softmax or sigmoid.`,
      );
    }
  }

  /** `backward` adds to what is there, which makes a new object that is built on the old one. */
  private checkAccumulation(): void {
    let [old, all] = [0, 0];
    for (const p of this.parameters()) {
      const before = this.used.get(p)?.deref();
      if (before === undefined || p.grad === undefined) continue;
      all++;
      if (p.grad === before || isBuiltOn(p.grad, before)) old++;
    }
    if (this.used.size > 0 && old === 0) this.isCleared = true;
    this.sayIf(
      all > 0 && old > all / 2,
      'gradients-accumulate',
      () => `gradients of ${old} of ${all} parameters still contain those of the update before.`,
    );
  }

  private checkParameters(): void {
    const updated = new Set(this.parameters());
    const own = this.model.namedParameters().map(([name, p]) => ({ name, p: p }));
    const open = own.filter(({ p }) => p.requiresGrad);
    const names = (list: typeof own) => listed(list.map(({ name }) => name));
    this.sayIf(
      own.length > 0 && open.length === 0,
      'all-frozen',
      () => `none of the ${own.length} parameters of the model requires a gradient.`,
    );
    const left = open.filter(({ p }) => !updated.has(p));
    this.sayIf(
      left.length > 0,
      'not-in-optimizer',
      () => `the optimiser does not have ${left.length} of the model's ${own.length} parameters: ${names(left)}.`,
    );
    const given = open.filter(({ p }) => updated.has(p));
    const still = given.filter(({ p }) => p.grad === undefined);
    this.sayIf(
      given.length > 0 && still.length === given.length,
      'no-gradients',
      () => 'step() is called while no parameter has a gradient.',
    );
    this.sayIf(
      still.length > 0 && still.length < given.length,
      'parameters-without-gradient',
      () => `the loss does not depend on ${still.length} of ${given.length} parameters: ${names(still)}.`,
    );
    const between = frozenBetween(own);
    this.sayIf(
      between.length > 0,
      'frozen-between',
      () => `${names(between)} ${between.length === 1 ? 'is' : 'are'} frozen, while layers before are trained.`,
    );
  }
}

/** Frozen parameters after a trained one. Freezing the beginning of a network is usual, freezing its middle is not. */
function frozenBetween<T extends { readonly p: Tensor }>(own: readonly T[]): T[] {
  const first = own.findIndex(({ p }) => p.requiresGrad);
  return first === -1 ? [] : own.slice(first).filter(({ p }) => !p.requiresGrad && p.rank >= 2);
}

/** Whether a gradient was made by adding to `old`. */
function isBuiltOn(gradient: AnyTensor, old: Tensor): boolean {
  const wanted = old.node;
  let level = [gradient.node];
  for (let depth = 0; depth < 3; depth++) {
    if (level.includes(wanted)) return true;
    level = level.flatMap((node) => [...node.src]);
  }
  return false;
}

/** a, b, c and 4 more */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
