// The steps of a run, captured: a batch goes in, a few tensors come out that are read when somebody wants them.
//   update    forward, loss, backward, clipping, optimiser; with accumulation in two parts, so that the program does not
//             grow with the number of batches: gradients are added up in tensors of their own, and applied once
//   evaluate  forward and loss in evaluation mode, without gradients
// Must not know: epochs, metrics, events.

import { crossEntropy } from '../nn/losses/classification.js';
import type { Module } from '../nn/module.js';
import { clipGradNorm_, clipGradValue_, jointNorm } from '../optim/clip.js';
import { compile, type CompiledFunction } from '../tensor/compile.js';
import { tensor, zeros } from '../tensor/creation.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, formatShape, updateAtOnce, checkHas } from '../tensor/library.js';
import { getRandomState, setRandomState } from '../tensor/random.js';
import { type AnyTensor, Tensor, checkTensor } from '../tensor/tensor.js';
import { type Alternating, parametersOf } from './alternating.js';
import { type BatchValue, flattenBatch } from './batch.js';
import type { StepOutput, StepProbe, TrainerOptions } from './options.js';
import { ALONE, type Ranks } from './ranks.js';

/** What a step gives: `loss`, and `output`, `target`, `gradNorm`, the losses of turns where they are known. */
export type StepValues = Readonly<Record<string, AnyTensor>>;

interface BatchFunction {
  (batch: unknown, scale: number): Promise<StepValues>;
  /** Compares the next call with what a replay would do. */
  checkNext?(): void;
}
type Body = (batch: unknown, scale: number) => StepValues | Promise<StepValues>;
/** Told what a replay of a captured step would have done otherwise. */
export type OnDifference = (text: string) => void;

const PROBED = 'probe.';
const TURN = 'turn.';

/** Captures `body` for each structure of batch; without `isCaptured` it is simply called. */
function overBatches(body: Body, isCaptured: boolean, onDifference?: OnDifference): BatchFunction {
  if (!isCaptured) return async (batch, scale) => body(batch, scale);
  const captured = new Map<string, CompiledFunction<BatchValue[], StepValues>>();
  const run = (batch: unknown, scale: number): Promise<StepValues> => {
    const { values, structure, rebuild } = flattenBatch(batch);
    let step = captured.get(structure);
    if (step === undefined) {
      const whole = async (first: BatchValue, ...rest: BatchValue[]) => body(rebuild(rest), first as number);
      captured.set(structure, (step = compile(whole, { onDifference })));
    }
    return step(scale, ...values);
  };
  return Object.assign(run, { checkNext: () => captured.forEach((step) => step.checkNext()) });
}

/** The pass that is used unless `forward` is given: { x, y } or [x, y], and `loss` or cross entropy. */
function passOf<M extends Module, B>(options: TrainerOptions<M, B>): (batch: unknown) => StepOutput {
  const { model, forward } = options;
  if (forward !== undefined) {
    return (batch) => asOutput(forward(model, batch as B));
  }
  const loss = options.loss ?? ((output, target) => crossEntropy(output, target));
  return (batch) => {
    const [x, y]: unknown[] = Array.isArray(batch)
      ? batch
      : [(batch as { x?: unknown } | null)?.x, (batch as { y?: unknown } | null)?.y];
    const run = (model as { forward?: (x: unknown) => Tensor }).forward;
    if (!(x instanceof Tensor && y instanceof Tensor) || typeof run !== 'function') {
      throw new ArgumentError(
        `Trainer: a batch is not { x, y } or [x, y] of tensors, or ${model.constructor.name} has no forward(x). Say what to do with forward: (model, batch) => loss.`,
      );
    }
    const output = run.call(model, x);
    const value = loss(output, y);
    checkTensor(value, 'Trainer', 'what loss returned');
    return { loss: value, output: output, target: y };
  };
}

const asOutput = (result: AnyTensor | StepOutput): StepOutput =>
  result instanceof Tensor ? { loss: result } : (result as StepOutput);

/** Marks what the step hands out, so that it is computed before the update. */
function handedOut(result: StepOutput): StepValues {
  checkHas('Trainer', 'what forward returned', result, ['loss'], 'Return the loss, or { loss, output, target }');
  const { loss, reported = loss, output, target } = result;
  checkTensor(loss, 'Trainer', 'the loss');
  if (loss.size !== 1) {
    throw new ArgumentError(`Trainer: the loss is ${formatShape(loss.shape)}, not a single number. Take its mean().`);
  }
  const values = { loss: reported, ...(output && { output }), ...(target && { target }) };
  return Object.fromEntries(Object.entries(values).map(([name, t]) => [name, t.detach().keep()]));
}

/** The captured steps of one trainer. */
export class Steps<M extends Module, B> {
  private readonly options: TrainerOptions<M, B>;
  private readonly pass: (batch: unknown) => StepOutput;
  /** In their order, where there are any. */
  private readonly turns: readonly { readonly name: string; readonly pass: (batch: unknown) => StepOutput }[];
  private readonly updateWhole: BatchFunction;
  private readonly updateProbed: BatchFunction;
  private readonly addGradients: BatchFunction;
  private readonly applyGradients: BatchFunction;
  private readonly evaluateBatch: BatchFunction;
  /** Sums of gradients, made when they are first needed. */
  private readonly sums = new Map<Tensor, Tensor>();
  /** The model's buffers as they were before the first batch of an update. */
  private readonly buffers = new Map<AnyTensor, AnyTensor>();
  private random: ReturnType<typeof getRandomState> | undefined;
  /** Who trains together. */
  ranks: Ranks = ALONE;

  constructor(options: TrainerOptions<M, B>, onDifference?: OnDifference) {
    this.options = options;
    this.pass = passOf(options);
    this.turns = Object.entries(options.turns ?? {}).map(([name, turn]) => ({
      name,
      pass: (batch) => asOutput(turn(options.model, batch as B)),
    }));
    const capture = (body: Body): BatchFunction => overBatches(body, options.compile ?? true, onDifference);
    this.updateWhole = capture((batch, weight) => this.wholeUpdate(batch, weight));
    this.updateProbed = capture((batch, weight) => this.wholeUpdate(batch, weight, options.probe));
    this.addGradients = capture((batch, scale) => this.partOfUpdate(batch, scale));
    this.applyGradients = capture(() => this.endOfUpdate());
    this.evaluateBatch = capture((batch) => withoutGrad(() => this.evaluated(batch)));
  }

  /** Something may have changed what the steps do: compares the next one of each kind with what a replay would do. */
  checkNext(): void {
    for (const step of [
      this.updateWhole,
      this.updateProbed,
      this.addGradients,
      this.applyGradients,
      this.evaluateBatch,
    ])
      step.checkNext?.();
  }

  /** One update from one batch, which has a weight among those of other processes. */
  update(batch: B, weight: number, isProbed: boolean): Promise<StepValues> {
    return (isProbed ? this.updateProbed : this.updateWhole)(batch, weight);
  }

  /** Before the first `add` of an update: keeps what each of them changes, so that a failure of a later one can be undone. */
  async begin(): Promise<void> {
    this.random = getRandomState();
    const buffers = this.options.model.buffers();
    if (buffers.length === 0) return;
    await updateAtOnce(() => {
      for (const own of buffers) {
        const copy = this.buffers.get(own) ?? zerosLike(own);
        this.buffers.set(own, copy);
        copy.assign_(own.detach());
      }
    });
  }

  /** Forgets all that was added since `begin`. */
  async discard(): Promise<void> {
    await updateAtOnce(() => {
      this.clearSums();
      for (const [own, copy] of this.buffers) own.assign_(copy.detach());
    });
    this.options.optimizer.zeroGrad();
    if (this.random !== undefined) setRandomState(this.random);
  }

  private clearSums(): void {
    for (const sum of this.sums.values()) sum.assign_(zeros(sum.shape, { device: sum.device }));
  }

  /** Adds `scale` times the gradients of a batch to those that wait for `apply`. */
  add(batch: B, scale: number): Promise<StepValues> {
    return this.addGradients(batch, scale);
  }

  /** The update from all gradients added so far. */
  apply(): Promise<StepValues> {
    return this.applyGradients(undefined, 1);
  }

  evaluate(batch: B): Promise<StepValues> {
    return this.evaluateBatch(batch, 1);
  }

  private async wholeUpdate(batch: unknown, weight: number, probe?: StepProbe): Promise<StepValues> {
    const { optimizer, model } = this.options;
    if (this.turns.length > 0) return await this.takeTurns(batch, probe);
    optimizer.zeroGrad();
    probe?.beforeForward?.(model);
    const result = this.passWith(batch, weight);
    const values = handedOut(result);
    (weight === 1 ? result.loss : result.loss.mul(weight)).backward();
    await this.average();
    const seen = kept(probe?.afterBackward?.(model));
    const clipped = this.clip();
    await optimizer.step();
    const after = kept(probe?.afterUpdate?.(model));
    return { ...values, ...clipped, ...seen, ...after };
  }

  /** A pass over a batch that weighs so much among those of other processes. */
  private passWith(batch: unknown, weight: number): StepOutput {
    this.ranks.standIn(weight === 0);
    try {
      return this.pass(batch);
    } finally {
      this.ranks.standIn(false);
    }
  }

  /** Each turn's loss moves the parameters of its own optimiser. What the probe sees is the last turn. */
  private async takeTurns(batch: unknown, probe?: StepProbe): Promise<StepValues> {
    const { optimizer, model } = this.options;
    const values: Record<string, AnyTensor> = {};
    for (const [i, { name, pass }] of this.turns.entries()) {
      const seer = i === this.turns.length - 1 ? probe : undefined;
      const { [name]: part } = (optimizer as Alternating).parts; // as the Trainer has checked
      optimizer.zeroGrad();
      seer?.beforeForward?.(model);
      const result = pass(batch);
      Object.assign(values, turnOf(name, handedOut(result)));
      result.loss.backward();
      Object.assign(values, kept(seer?.afterBackward?.(model)));
      const own = new Set(parametersOf(part));
      for (const p of this.parameters()) if (!own.has(p)) p.grad = undefined;
      Object.assign(values, this.clip());
      await part.step();
      Object.assign(values, kept(seer?.afterUpdate?.(model)));
    }
    return values;
  }

  private evaluated(batch: unknown): StepValues {
    if (this.turns.length === 0) return handedOut(this.pass(batch));
    return Object.assign({}, ...this.turns.map(({ name, pass }) => turnOf(name, handedOut(pass(batch))))) as StepValues;
  }

  private async partOfUpdate(batch: unknown, scale: number): Promise<StepValues> {
    const { optimizer } = this.options;
    optimizer.zeroGrad();
    const result = this.passWith(batch, scale);
    const values = handedOut(result);
    result.loss.mul(scale).backward();
    const adding = updateAtOnce(() => {
      for (const p of this.parameters()) {
        const g = p.grad as Tensor | undefined;
        if (g === undefined) continue;
        const sum = this.sums.get(p) ?? (zerosLike(p as AnyTensor) as Tensor);
        this.sums.set(p, sum);
        sum.assign_(sum.add(g));
      }
    });
    optimizer.zeroGrad();
    await adding;
    return values;
  }

  private async endOfUpdate(): Promise<StepValues> {
    const { optimizer } = this.options;
    for (const [p, sum] of this.sums) p.grad = sum.detach();
    await this.average();
    const clipped = this.clip();
    this.clearSums();
    await optimizer.step();
    return clipped;
  }

  private async average(): Promise<void> {
    if (this.ranks.size > 1) await this.ranks.average();
  }

  /** Clips as asked; the norm is that before. */
  private clip(): StepValues {
    const { clipNorm, clipValue, gradNorm = true } = this.options;
    const parameters = this.parameters().filter((p) => p.grad !== undefined);
    if (parameters.length === 0) {
      throw new ArgumentError(
        'Trainer: the loss depends on no parameter of the optimiser. Pass model.parameters() of this very model to it.',
      );
    }
    let norm: Tensor | undefined;
    if (clipNorm !== undefined) norm = clipGradNorm_(parameters, clipNorm);
    else if (gradNorm) norm = withoutGrad(() => jointNorm(parameters.map((p) => p.grad as Tensor)));
    if (clipValue !== undefined) clipGradValue_(parameters, clipValue);
    return norm === undefined ? {} : { gradNorm: norm.detach().keep() };
  }

  private parameters(): Tensor[] {
    return this.options.optimizer.groups.flatMap((group) => [...group.params]);
  }
}

/** Stored zeros, which can be assigned to. */
function zerosLike({ size, shape, dtype, device }: AnyTensor): AnyTensor {
  return tensor(new Float32Array(size), { shape, dtype, device });
}

function kept(values: StepValues = {}): StepValues {
  return Object.fromEntries(Object.entries(values).map(([name, t]) => [PROBED + name, t.detach().keep()]));
}

/** What a turn gives, with its loss under its name as well. */
function turnOf(name: string, values: StepValues): StepValues {
  return { ...values, [TURN + name]: values.loss };
}

/** The losses of turns, by name. */
export async function readTurns(values: StepValues): Promise<Readonly<Record<string, number>>> {
  const own = Object.entries(values).filter(([name]) => name.startsWith(TURN));
  const read = own.map(async ([name, t]) => [name.slice(TURN.length), await t.item()] as const);
  return Object.fromEntries(await Promise.all(read)) as Record<string, number>;
}

/** What the probe returned during the step. */
export function probedValues(values: StepValues): StepValues {
  const own = Object.entries(values).filter(([name]) => name.startsWith(PROBED));
  return Object.fromEntries(own.map(([name, t]) => [name.slice(PROBED.length), t]));
}
