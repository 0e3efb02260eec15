// A probe for any training loop, the Trainer's or one's own: looks into every n-th step, watches the order of things in all
// of them, and writes both down as a record.
//   The optimiser's `step` gets a function in front of it, as hooks do with `forward`: that is the clock.
// In a loop of one's own the probe also writes down losses and accuracies, as far as the losses are those of `nabla/nn`.

import { checkModelAndOptimizer } from '../describe.js';
import { type LossCall, watchLosses } from '../../nn/losses/common.js';
import type { Module } from '../../nn/module.js';
import { type CompiledFunction, compile } from '../../tensor/compile.js';
import { isGradEnabled, withoutGrad } from '../../tensor/grad-mode.js';
import { ArgumentError, checkOptions, isRecording, type OptionNames } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { EpochEvent, LayersEvent, RunEvent, RunFacts, RunListener } from '../record.js';
import { type Diagnosis, diagnose } from './diagnose.js';
import { leavesOf } from './leaves.js';
import { Look, readLook } from './look.js';
import { plainOptions } from './plain-options.js';
import { type ObservedOptimizer, Process } from './process.js';
import { isLookDue } from './trainer-probe.js';
import { norm } from '../../tensor/extremes.js';

export interface ObserveOptions {
  /** Look into the first two steps, and then into every so many (and one more, in turn). Default 10. */
  readonly every?: number;
  /** Gets the events as they happen. */
  readonly listener?: RunListener;
  /** What else is known of the run; the probe finds out the rest. `trainSamples` and `stepsPerEpoch` help most. */
  readonly facts?: RunFacts;
}

const OBSERVE_OPTIONS: OptionNames<ObserveOptions> = { every: true, listener: true, facts: true };

type Numbers = Readonly<Record<string, number>>;

/** A loss of one batch, to be read: its value, and the share of right answers where it is a classification. */
interface Measured {
  readonly loss: Tensor;
  readonly right: Tensor | undefined;
  readonly samples: number;
}

/**
 * Watches a training loop until `close()`.
 *
 *     const probe = observe(model, optimizer);
 *     for (…) {
 *       optimizer.zeroGrad();
 *       crossEntropy(model.forward(x), y).backward();
 *       await optimizer.step();
 *     }
 *     console.log(describeHealth(probe.events));
 *
 * Every n-th step computes some statistics more; the others pay a few comparisons. A step that `compile` replays runs
 * no hook: let `probe.compile` capture it instead, which runs every n-th step uncaptured.
 */
export function observe(model: Module, optimizer: ObservedOptimizer, options: ObserveOptions = {}): Probe {
  checkOptions('observe', options, OBSERVE_OPTIONS);
  checkModelAndOptimizer('observe', model, optimizer);
  return new Probe(model, optimizer, options);
}

export class Probe {
  /** Everything so far: a record that `diagnose` reads. */
  readonly events: RunEvent[] = [];
  private readonly model: Module;
  private readonly optimizer: ObservedOptimizer;
  private readonly every: number;
  private readonly listener: RunListener | undefined;
  private readonly given: RunFacts;
  private readonly process: Process;
  private readonly stopWatching: () => void;
  private look: Look | undefined;
  private waiting: RunEvent[] = [];
  private step = 0;
  private epochs = 0;
  private begin = performance.now();
  private samples = 0;
  private override: Tensor | undefined;
  private losses: Measured[] = [];
  private validations: Measured[] = [];
  private readonly trained: { loss: number; accuracy: number | undefined; samples: number }[] = [];
  private isStarted = false;

  constructor(model: Module, optimizer: ObservedOptimizer, { every = 10, listener, facts = {} }: ObserveOptions) {
    if (!Number.isInteger(every) || every < 1)
      throw new ArgumentError(`observe: every is ${every}. Use a whole number of at least 1.`);
    if (Object.hasOwn(optimizer, 'step'))
      throw new ArgumentError('observe: this optimiser is observed already. Close the other probe first.');
    this.model = model;
    this.optimizer = optimizer;
    this.every = every;
    this.listener = listener;
    this.given = facts;
    this.process = new Process(model, optimizer, (code, text) =>
      this.waiting.push({ event: 'notice', step: this.step + 1, code, text }),
    );
    this.stopWatching = watchLosses((call) => this.seeLoss(call));
    // not enumerable: no part of the optimiser's state
    Object.defineProperty(optimizer, 'step', { value: () => this.update(), configurable: true, enumerable: false });
    this.prepare();
  }

  /** Takes everything away from model and optimiser; `events` stay. */
  close(): void {
    this.process.end();
    this.look?.end();
    this.stopWatching();
    if (Object.hasOwn(this.optimizer, 'step')) delete (this.optimizer as { step?: unknown }).step;
  }

  /** What is wrong so far; see `diagnose`. */
  diagnose(): Diagnosis[] {
    return diagnose(this.events);
  }

  /** Says what the loss of the step under way is, where the losses of `nabla/nn` do not tell. Before `optimizer.step()`. */
  loss(loss: AnyTensor): void {
    if (loss.size !== 1) throw new ArgumentError(`probe.loss: the loss has ${loss.size} elements. Take its mean().`);
    this.override = (loss as Tensor).detach().keep();
  }

  /**
   * Writes down the end of an epoch. Means are those of the losses that were seen since the last: with gradients for training,
   * under `noGrad` for validation; what is given replaces or completes them.
   */
  async epoch(given: { readonly train?: Numbers; readonly validation?: Numbers } = {}): Promise<void> {
    const validation = await meanOf(this.validations.splice(0));
    if (this.losses.length > 0 && this.trained.length === 0 && this.step === 0) {
      const text = `${this.losses.length} losses were computed in this epoch, and step() was never called.`;
      await this.tell({ event: 'notice', step: 0, code: 'no-updates', text });
    }
    const untaught = this.trained.length === 0 ? await meanOf(this.losses.splice(0)) : {};
    const train = { ...untaught, ...meanOfSteps(this.trained.splice(0)) };
    const seconds = (performance.now() - this.begin) / 1000;
    const all = { train: { ...train, ...given.train }, validation: { ...validation, ...given.validation } };
    const event: EpochEvent = {
      event: 'epoch',
      epoch: ++this.epochs,
      step: this.step,
      train: all.train,
      ...(Object.keys(all.validation).length > 0 && { validation: all.validation }),
      lr: this.lr,
      seconds,
      samplesPerSecond: this.samples / seconds,
    };
    this.begin = performance.now();
    this.samples = 0;
    await this.tell(event);
  }

  /**
   * `compile(fn)`, but for every n-th call, which runs `fn` itself so that it can be looked into. A result that is a single
   * number, or has one under `loss`, is written down as the loss.
   */
  compile<A extends readonly (AnyTensor | number)[], R extends AnyTensor | Readonly<Record<string, AnyTensor>> | void>(
    fn: (...args: A) => R | Promise<R>,
  ): (...args: A) => Promise<R> {
    const captured: CompiledFunction<A, R> = compile(fn);
    return async (...args) => {
      if (this.look !== undefined) return await fn(...args);
      const result = await captured(...args);
      const loss = result instanceof Tensor ? result : (result as Record<string, AnyTensor> | undefined)?.loss;
      if (loss !== undefined && loss.size === 1) this.override = loss as Tensor; // losses are float32
      await this.finish([]);
      return result;
    };
  }

  // -------------------------------------------------------------- a step

  private get lr(): number {
    return this.optimizer.groups[0]?.lr ?? NaN;
  }

  /** Hooks for the next step, if it is to be looked into. */
  private prepare(): void {
    const next = this.step + 1;
    if (isLookDue(next, this.every)) this.look = new Look(this.model, this.optimizer);
  }

  private seeLoss({ op, input, target, result }: LossCall): void {
    if (isRecording()) return;
    const samples = input.shape[0] ?? 1;
    const { value, right } = withoutGrad(() => ({
      value: result.detach().mean(),
      right: rightAnswers(op, input, target),
    }));
    const measured = { loss: value.keep(), right: right?.keep(), samples };
    (isGradEnabled() ? this.losses : this.validations).push(measured);
  }

  /** In the place of the optimiser's own `step`. */
  private async update(): Promise<void> {
    const { optimizer } = this;
    const original = (Object.getPrototypeOf(optimizer) as ObservedOptimizer).step;
    if (isRecording()) return await original.call(optimizer);
    const { look } = this;
    this.process.beforeUpdate();
    const values = { ...look?.values() };
    for (const t of Object.values(values)) t.keep();
    await original.call(optimizer);
    this.process.afterUpdate();
    if (look !== undefined) Object.assign(values, look.updated());
    await this.finish([values]);
  }

  /** After an update: writes down the step and what was found in it. */
  private async finish([values]: readonly Readonly<Record<string, AnyTensor>>[]): Promise<void> {
    this.step++;
    const losses = this.losses.splice(0);
    const mean = await meanOf(losses);
    const loss = this.override === undefined ? mean.loss : await this.override.item();
    this.override = undefined;
    const found = this.look !== undefined && values !== undefined ? await readLook(this.step, values) : undefined;
    this.look = undefined;
    if (!this.isStarted) await this.start(losses[0]?.samples, found);
    const samples = losses.reduce((sum, m) => sum + m.samples, 0);
    this.samples += samples;
    if (loss !== undefined) {
      this.trained.push({ loss, accuracy: mean.accuracy, samples: Math.max(samples, 1) });
      const norm = found && jointNorm(found.event);
      const event = { event: 'step', step: this.step, epoch: this.epochs + 1, loss, lr: this.lr } as const;
      await this.tell(norm === undefined ? event : { ...event, gradNorm: norm });
    }
    if (found !== undefined) await this.tell(found.event);
    for (const event of this.waiting.splice(0)) await this.tell(event);
    this.prepare();
  }

  private async start(batchSize: number | undefined, found: Awaited<ReturnType<typeof readLook>> | undefined) {
    this.isStarted = true;
    const [group] = this.optimizer.groups;
    const facts: RunFacts = {
      parameters: this.model.parameterCount,
      ...(found?.classes !== undefined && { classes: found.classes }),
      ...(found?.loss !== undefined && { loss: found.loss }),
      optimizer: this.optimizer.constructor.name,
      optimizerOptions: plainOptions(group),
      ...(batchSize !== undefined && { batchSize }),
      layers: leavesOf(this.model).map(({ name, kind }) => ({ name, kind })),
      ...this.given,
    };
    await this.tell({ event: 'start', time: new Date().toISOString(), config: {}, facts });
  }

  private async tell(event: RunEvent): Promise<void> {
    this.events.push(event);
    await this.listener?.onEvent(event);
  }
}

function jointNorm({ parameters }: LayersEvent): number | undefined {
  const norms = parameters.flatMap(({ gradNorm }) => (gradNorm === undefined ? [] : [gradNorm]));
  return norms.length === 0 ? undefined : norm(norms);
}

/** Share of right answers, for logits [N, C, …] and labels. */
function rightAnswers(op: string, input: AnyTensor, target: AnyTensor): Tensor | undefined {
  if (target.dtype !== 'int32' || !['crossEntropy', 'nllLoss', 'hingeLoss'].includes(op)) return undefined;
  const said = input.detach().argmax(1);
  return said.eq(target).to('float32').mean();
}

async function meanOf(list: readonly Measured[]): Promise<{ loss?: number; accuracy?: number }> {
  const read = [];
  for (const { loss, right, samples } of list)
    read.push({ loss: await loss.item(), accuracy: await right?.item(), samples });
  return meanOfSteps(read);
}

function meanOfSteps(
  list: readonly { readonly loss: number; readonly accuracy: number | undefined; readonly samples: number }[],
): { loss?: number; accuracy?: number } {
  const total = list.reduce((sum, { samples }) => sum + samples, 0);
  if (total === 0) return {};
  const mean = (of: (m: (typeof list)[number]) => number) =>
    list.reduce((sum, m) => sum + of(m) * m.samples, 0) / total;
  const counted = list.every(({ accuracy }) => accuracy !== undefined);
  return { loss: mean((m) => m.loss), ...(counted && { accuracy: mean((m) => m.accuracy ?? 0) }) };
}
