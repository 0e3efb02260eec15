// What agents with a network have in common: copies of an environment that they act in, a source of batches for a Trainer (which
// acts whenever a batch is asked for), evaluation by episodes that are played without exploring, and a state that checkpoints keep.
// Must not know: which algorithm it is.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkList,
  checkNumber,
  checkOptions,
  checkWhole,
} from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Batches, Evaluation, SourceState, TrainerOptions, TrainingOptimizer } from '../../train/options.js';
import { type FitResult, Trainer } from '../../train/trainer.js';
import type { Environment } from '../environment.js';
import type { Space } from '../spaces.js';
import { VectorEnvironment } from '../vector-environment.js';
import { Encoder } from './encoder.js';
import { Episodes } from './episodes.js';
import { Asker, type CreateNetwork, type Network } from './networks.js';

/** What all agents may be told. */
export interface AgentOptions {
  /** Copies of the environment that are acted in at the same time. */
  readonly environments?: number;
  /** Steps of all copies together that a training takes. */
  readonly steps?: number;
  /** Steps (about) between two evaluations: an epoch of the Trainer. Default: a twentieth of `steps`. */
  readonly stepsPerEpoch?: number;
  readonly lr?: number;
  /** What a reward is worth a step later. Default 0.99. */
  readonly gamma?: number;
  /** Widths of the hidden layers. */
  readonly hidden?: readonly number[];
  /** Instead of the usual network with `hidden`. */
  readonly network?: CreateNetwork;
  /** Episodes of an evaluation. Default 20. */
  readonly evaluationEpisodes?: number;
  /** Seeds what the agent draws, and the environments. Initial weights follow `manualSeed`. Default 0. */
  readonly seed?: number;
}

export const AGENT_OPTIONS: OptionNames<AgentOptions> = {
  environments: true,
  steps: true,
  stepsPerEpoch: true,
  lr: true,
  gamma: true,
  hidden: true,
  network: true,
  evaluationEpisodes: true,
  seed: true,
};

/** Tensors by name, of which the first axis is that of samples. */
export type AgentBatch = Readonly<Record<string, AnyTensor>>;

/** Seeds of evaluations are none of those that training begins with. */
const EVALUATION_SEED = 1_000_000;

export interface EvaluateOptions {
  /** Default 100. */
  readonly episodes?: number;
  /** Episode i begins with this seed plus i. Default 1,000,000. */
  readonly seed?: number;
}

const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = { episodes: true, seed: true };

export interface PlayedEpisodes {
  /** Mean of the returns. */
  readonly mean: number;
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
}

/** What an algorithm says about itself to its base. */
export interface AgentParts {
  readonly name: string;
  readonly model: Network;
  readonly optimizer: TrainingOptimizer;
}

/** Options with all defaults in place. */
export type Settled<Options extends AgentOptions> = Readonly<Required<Omit<Options, 'network'>>> &
  Pick<Options, 'network'>;

/** Options with the defaults in the place of those that are left out. Throws ArgumentError for names that are none. */
export function settle<Options extends AgentOptions>(
  op: string,
  options: Options,
  names: OptionNames<Options>,
  defaults: Omit<Settled<Options>, 'stepsPerEpoch' | 'network'> & { readonly steps: number },
): Settled<Options> {
  checkOptions(op, options, names);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const stepsPerEpoch = Math.ceil((options.steps ?? defaults.steps) / 20);
  return { stepsPerEpoch, ...defaults, ...given } as Settled<Options>; // all but `network` is there
}

/** Throws ArgumentError for values that no agent can have. */
export function checkAgentOptions(op: string, create: unknown, settled: Settled<AgentOptions>): void {
  checkFunction(op, create);
  const { environments, steps, stepsPerEpoch, lr, gamma, hidden, network, evaluationEpisodes, seed } = settled;
  for (const [name, value] of Object.entries({ environments, steps, stepsPerEpoch, evaluationEpisodes }))
    checkWhole(op, name, value, 1);
  checkWhole(op, 'seed', seed);
  checkNumber(op, 'lr', lr);
  checkShare(op, 'gamma', gamma);
  checkList(op, 'hidden', hidden, 'widths: [64, 64]');
  hidden.forEach((width, i) => checkWhole(op, `width ${i} of hidden`, width, 1));
  if (network !== undefined) checkFunction(op, network, 'network');
}

/** Throws ArgumentError unless the value is a number from 0 to 1. */
export function checkShare(op: string, what: string, value: unknown): void {
  checkNumber(op, what, value);
  if ((value as number) < 0 || (value as number) > 1)
    throw new ArgumentError(`${op}: ${what} is ${String(value)}. Use a number from 0 to 1.`);
}

export abstract class Agent<
  O,
  A,
  Options extends Settled<AgentOptions> = Settled<AgentOptions>,
> implements Batches<AgentBatch> {
  readonly model: Network;
  readonly optimizer: TrainingOptimizer;
  readonly options: Options;
  readonly observationSpace: Space<O>;
  readonly actionSpace: Space<A>;
  /** What an epoch measures besides the loss. */
  readonly measures = { return: 'higher' } as const;
  /** Steps of all copies together so far. */
  steps = 0;
  protected readonly name: string;
  protected readonly encoder: Encoder<O>;
  protected readonly vector: VectorEnvironment<O, A>;
  protected readonly random: HostRandom;
  protected readonly episodes: Episodes;
  protected readonly asker: Asker<O>;
  /** What is seen now; none before the first step. */
  protected observations: readonly O[] = [];
  private readonly create: () => Environment<O, A>;
  private readonly single: Asker<O>;
  private readonly evaluators = new Map<
    number,
    { readonly vector: VectorEnvironment<O, A>; readonly asker: Asker<O> }
  >();

  constructor(create: () => Environment<O, A>, options: Options, vector: VectorEnvironment<O, A>, parts: AgentParts) {
    this.create = create;
    this.options = options;
    this.name = parts.name;
    this.model = parts.model;
    this.optimizer = parts.optimizer;
    this.vector = vector;
    this.observationSpace = vector.observationSpace;
    this.actionSpace = vector.actionSpace;
    this.encoder = new Encoder(parts.name, vector.observationSpace);
    this.random = new HostRandom(options.seed, 1);
    this.episodes = new Episodes(vector.count);
    this.asker = new Asker(this.model, this.encoder, vector.count);
    this.single = new Asker(this.model, this.encoder, 1);
  }

  /** Updates an epoch, and samples of an update. */
  abstract readonly length: number;
  abstract readonly batchSize: number;
  /** Epochs that `options.steps` are. */
  abstract readonly epochs: number;

  /** Acts as long as it takes, and gives the batch of the next update. */
  protected abstract next(): Promise<AgentBatch>;
  /** What the update minimises: a tensor with one element. */
  abstract loss(batch: AgentBatch): Tensor;
  /** The action that is best by the network's numbers, which begin at `at`. */
  protected abstract best(numbers: Float32Array, at: number): A;

  get seed(): number {
    return this.options.seed;
  }

  /** The batches of an epoch from number `from` on, for a Trainer. What they hold depends on the network as it is then. */
  async *batches(_epoch: number, from = 0): AsyncIterable<AgentBatch> {
    if (this.observations.length === 0) this.observations = this.vector.reset({ seed: this.options.seed }).observations;
    for (let i = from; i < this.length; i++) yield await this.next();
  }

  /** Mean return of the last episodes that ended, at most 100. */
  measured(): Readonly<Record<string, number>> {
    return { return: this.episodes.mean };
  }

  /** The best action by what has been learned, without exploring. */
  async act(observation: O): Promise<A> {
    return this.best(await this.single.ask([observation]), 0);
  }

  /** Plays episodes without exploring, all at the same time. */
  async evaluate(options: EvaluateOptions = {}): Promise<PlayedEpisodes> {
    checkOptions(`${this.name}.evaluate`, options, EVALUATE_OPTIONS);
    const { episodes = 100, seed = EVALUATION_SEED } = options;
    checkWhole(`${this.name}.evaluate`, 'episodes', episodes, 1);
    checkWhole(`${this.name}.evaluate`, 'seed', seed);
    const { vector, asker } = this.evaluator(episodes);
    let { observations } = vector.reset({ seed });
    const returns = new Array<number>(episodes).fill(0);
    const lengths = new Array<number>(episodes).fill(0);
    const running = new Set(returns.keys());
    while (running.size > 0) {
      const numbers = await asker.ask(observations);
      const width = numbers.length / episodes;
      const seen = [...observations];
      for (const i of running) {
        const step = vector.environments[i].step(this.best(numbers, i * width));
        seen[i] = step.observation;
        returns[i] += step.reward;
        lengths[i]++;
        if (step.terminated || step.truncated) running.delete(i);
      }
      observations = seen;
    }
    return { mean: returns.reduce((sum, value) => sum + value, 0) / episodes, returns, lengths };
  }

  private evaluator(count: number): { readonly vector: VectorEnvironment<O, A>; readonly asker: Asker<O> } {
    const known = this.evaluators.get(count);
    if (known !== undefined) return known;
    const vector = new VectorEnvironment(this.create, count, { autoreset: 'disabled' });
    const made = { vector, asker: new Asker(this.model, this.encoder, count) };
    this.evaluators.set(count, made);
    return made;
  }

  /** The mean return of `episodes` episodes, for a Trainer's `validation` or `test`. */
  evaluation(options: EvaluateOptions = {}): Evaluation {
    return {
      measures: this.measures,
      evaluate: async () => ({ return: (await this.evaluate(options)).mean }),
    };
  }

  /** What a Trainer is made of: spread it into its options, or into the plan of `defineRun`. */
  plan(): TrainerOptions<Network, AgentBatch> & { readonly epochs: number } {
    return {
      model: this.model,
      optimizer: this.optimizer,
      train: this,
      validation: this.evaluation({ episodes: this.options.evaluationEpisodes }),
      forward: (_, batch) => this.loss(batch),
      checkpoint: { monitor: 'return' },
      restoreBest: true,
      gradNorm: false,
      epochs: this.epochs,
    };
  }

  /**
   * Learns for `options.steps` steps, and ends with the weights of the best evaluation. Everything that a Trainer can be told may be given
   * besides: listeners, callbacks, a folder.
   */
  async learn(options: Partial<TrainerOptions<Network, AgentBatch>> = {}): Promise<FitResult> {
    return await new Trainer({ ...this.plan(), ...options }).fit();
  }

  /** All that the next batch depends on besides model and optimiser. */
  state(): SourceState {
    const { recent, running } = this.episodes.state();
    const numbers: Record<string, readonly number[]> = {
      steps: [this.steps],
      random: this.random.state(),
      recent,
      running,
    };
    this.vector.environments.forEach((environment, i) => {
      const state = this.observations.length === 0 ? undefined : environment.state();
      if (state !== undefined) numbers[`environment.${i}`] = state;
    });
    return { numbers, tensors: {} };
  }

  /**
   * Goes on from what `state` gave. An environment that cannot keep its state begins a new episode. Throws ArgumentError for the state of
   * another agent.
   */
  async restore({ numbers }: SourceState): Promise<void> {
    const { steps, random, recent, running } = numbers;
    if (steps?.length !== 1 || random === undefined || recent === undefined || running?.length !== this.vector.count)
      throw new ArgumentError(`${this.name}.restore: this is not the state of such an agent. Give what state() gave.`);
    [this.steps] = steps;
    this.random.restore(random);
    const states = this.vector.environments.map((_, i): readonly number[] | undefined => numbers[`environment.${i}`]);
    this.episodes.restore(
      recent,
      running.map((sum, i) => (states[i] === undefined ? 0 : sum)),
    );
    if (this.steps === 0) return;
    this.observations = this.vector.environments.map((environment, i) => {
      const state = states[i];
      return state === undefined
        ? environment.reset({ seed: this.options.seed + i }).observation
        : environment.restore(state);
    });
  }
}
