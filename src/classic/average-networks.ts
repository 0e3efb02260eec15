// Averaging of networks: several answer, and their mean counts.

import { Module } from '../nn/module.js';
import { stack } from '../tensor/functions.js';
import { ArgumentError, type OptionNames, checkChoice, checkHas, checkList, checkOptions } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** A network of one input. */
export type Network = Module & { forward(x: never): AnyTensor };

export interface AverageOptions {
  /**
   * 'probabilities' (default): outputs are logits [n, classes], and the logarithm of their mean probabilities comes out, which is to losses and
   * metrics what logits are. 'outputs': the mean of the outputs as they are, for numbers.
   */
  readonly of?: 'probabilities' | 'outputs';
}

const OPTIONS: OptionNames<AverageOptions> = { of: true };

/** Several networks as one, whose parameters are those of all. Made by `averageNetworks`. */
export class NetworkAverage extends Module {
  readonly networks: readonly Network[];
  readonly of: 'probabilities' | 'outputs';

  /** @internal */
  constructor(networks: readonly Network[], of: 'probabilities' | 'outputs') {
    super();
    this.networks = networks;
    this.of = of;
  }

  forward(x: AnyTensor): Tensor {
    checkTensor(x, 'NetworkAverage', 'the input');
    const outputs = this.networks.map((network) => {
      const { forward } = network as { forward(input: AnyTensor): AnyTensor };
      const own = forward.call(network, x) as Tensor;
      return this.of === 'outputs' ? own : (own.logSoftmax(own.rank - 1) as Tensor);
    });
    const all: Tensor = stack(outputs);
    if (this.of === 'outputs') return all.mean(0) as Tensor;
    return all.logsumexp(0).sub(Math.log(outputs.length)) as Tensor;
  }
}

/**
 * A network whose answer is the mean of the answers of others: what they get wrong in different ways cancels. Any networks of the same input
 * and output, trained from different beginnings or on different rows.
 *
 *     const committee = averageNetworks([first, second, third]);
 *     accuracy.update(committee.forward(x), y);
 */
export function averageNetworks(networks: readonly Network[], options: AverageOptions = {}): NetworkAverage {
  const op = 'averageNetworks';
  checkList(op, 'the argument', networks, 'networks');
  checkOptions(op, options, OPTIONS);
  const { of = 'probabilities' } = options;
  checkChoice(op, 'of', of, ['probabilities', 'outputs']);
  if (networks.length === 0) throw new ArgumentError(`${op}: there are no networks. Give at least one.`);
  networks.forEach((network, i) =>
    checkHas(op, `network ${i}`, network, ['forward', 'parameters'], 'Give modules: new Sequential(…)'),
  );
  return new NetworkAverage(networks, of);
}
