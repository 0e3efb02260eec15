// The networks of agents, and how they are asked: one captured forward pass for a fixed number of observations, one read.

import { Linear, ReLU, Sequential, Tanh } from '../../nn/index.js';
import { orthogonal_, zeros_ } from '../../nn/init-in-place.js';
import { Module } from '../../nn/module.js';
import { type CompiledFunction, compile } from '../../tensor/compile.js';
import { tensor } from '../../tensor/creation.js';
import { cat } from '../../tensor/functions.js';
import { noGrad } from '../../tensor/grad-mode.js';
import { checkHas, checkList, checkWhole, wrongKind } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Encoder } from './encoder.js';

/** A network over rows of numbers: [N, inputs] → [N, outputs]. */
export interface Network extends Module {
  forward(x: Tensor<[number, number]>): Tensor;
}

/** Makes a network for so many numbers in and out. */
export type CreateNetwork = (inputs: number, outputs: number) => Network;

/** What `create` gives, checked. */
export function createNetwork(op: string, create: CreateNetwork, inputs: number, outputs: number): Network {
  const network = create(inputs, outputs);
  if (!(network instanceof Module))
    throw wrongKind(
      op,
      'what network returns',
      network,
      'Return a module: (inputs, outputs) => new Linear(inputs, outputs)',
    );
  checkHas(op, 'what network returns', network, ['forward'], 'Return a module with forward(x)');
  return network;
}

/** Linear layers with ReLU between them. */
export function reluNetwork(hidden: readonly number[]): CreateNetwork {
  return (inputs, outputs) => {
    const sizes = [inputs, ...hidden, outputs];
    const layers = sizes.slice(1).flatMap((to, i) => [...(i > 0 ? [new ReLU()] : []), new Linear(sizes[i], to)]);
    return new Sequential(...layers);
  };
}

/** Linear layers with tanh between them, orthogonal weights (gain √2, `gain` for the last one) and biases 0. */
function tanhNetwork(sizes: readonly number[], gain: number): Network {
  const linears = sizes.slice(1).map((to, i) => new Linear(sizes[i], to));
  linears.forEach(({ weight, bias }, i) => {
    orthogonal_(weight, i === linears.length - 1 ? gain : Math.SQRT2);
    if (bias !== undefined) zeros_(bias);
  });
  return new Sequential(...linears.flatMap((linear, i) => [...(i > 0 ? [new Tanh()] : []), linear]));
}

/**
 * Two networks that share nothing: what the policy says of an observation, and beside it, in the last column, what it is worth.
 * [N, inputs] → [N, outputs].
 */
export class ActorCritic extends Module {
  readonly actor: Network;
  readonly critic: Network;

  constructor(inputs: number, outputs: number, hidden: readonly number[] = [64, 64]) {
    super();
    checkWhole('ActorCritic', 'inputs', inputs, 1);
    checkWhole('ActorCritic', 'outputs', outputs, 2);
    checkList('ActorCritic', 'hidden', hidden, 'widths: [64, 64]');
    hidden.forEach((width, i) => checkWhole('ActorCritic', `width ${i} of hidden`, width, 1));
    this.actor = tanhNetwork([inputs, ...hidden, outputs - 1], 0.01); // at first all actions are about as likely
    this.critic = tanhNetwork([inputs, ...hidden, 1], 1);
  }

  forward(x: Tensor<[number, number]>): Tensor {
    return cat([this.actor.forward(x), this.critic.forward(x)], 1);
  }
}

/** Asks a network about `count` observations at a time. */
export class Asker<O> {
  private readonly encoder: Encoder<O>;
  private readonly count: number;
  private readonly run: CompiledFunction<[Tensor<[number, number]>], Tensor>;

  constructor(model: Network, encoder: Encoder<O>, count: number) {
    this.encoder = encoder;
    this.count = count;
    this.run = compile((x: Tensor<[number, number]>) => noGrad(() => model.forward(x)));
  }

  /** The network's numbers, row by row. Fewer observations than `count` are filled up. */
  async ask(observations: readonly O[]): Promise<Float32Array> {
    const { encoder, count } = this;
    const rows = new Float32Array(count * encoder.size);
    for (let i = 0; i < observations.length; i++) encoder.write(observations[i], rows, i * encoder.size);
    const x = tensor(rows, { shape: [count, encoder.size] });
    const y = await this.run(x);
    const numbers = await y.data();
    // thousands of these: their memory is given back at once
    x[Symbol.dispose]();
    y[Symbol.dispose]();
    return numbers;
  }
}
