// The next pictures of a film: layers of ConvLSTM, whose states together give the picture that follows (Shi et al. 2015).
//   Films [N, T, C, H, W] in, for each of their pictures logits of the next one out.

import { Conv2d, type ConvOptions, ConvLSTM, Module } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { cat } from '../tensor/functions.js';
import {
  ArgumentError,
  checkOptions,
  checkWhole,
  formatShape,
  type OptionNames,
  ShapeError,
} from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

export interface FrameForecasterOptions {
  /** Of a picture. Default 1. */
  readonly channels?: number;
  /** Channels of the states. Default 24. */
  readonly hidden?: number;
  /** Default 2. */
  readonly layers?: number;
  /** Odd. Default 3. */
  readonly kernelSize?: number;
}

const FRAME_FORECASTER_OPTIONS: OptionNames<FrameForecasterOptions> = {
  channels: true,
  hidden: true,
  layers: true,
  kernelSize: true,
};

type Film = Tensor<[number, number, number, number, number]>;

/**
 * `forward(films)` → logits [N, T, C, H, W]: at each time those of the next picture, whose numbers are from 0 to 1. `forecast(films, count)` goes on
 * with what it has said.
 *
 *     const model = new FrameForecaster({ hidden: 24 });
 *     bceWithLogits(model.forward(x.slice(1, 0, -1)), x.slice(1, 1)).backward();
 */
export class FrameForecaster extends Module {
  readonly layers: readonly ConvLSTM<number, number>[];
  readonly head: Conv2d<number, number, number, ConvOptions>;
  readonly channels: number;

  constructor(options: FrameForecasterOptions = {}) {
    const call = new.target.name;
    checkOptions(call, options, FRAME_FORECASTER_OPTIONS);
    const { channels = 1, hidden = 24, layers = 2, kernelSize = 3 } = options;
    for (const [name, count] of Object.entries({ channels, hidden, layers, kernelSize }))
      checkCount(count, 1, `${call}: ${name}`);
    if (kernelSize % 2 === 0) throw new ArgumentError(`${call}: kernelSize is ${kernelSize}. Use an odd number.`);
    super();
    this.layers = Array.from(
      { length: layers },
      (_, i) => new ConvLSTM<number, number>(i === 0 ? channels : hidden, hidden, kernelSize, { batchFirst: true }),
    );
    this.head = new Conv2d<number, number, number, ConvOptions>(layers * hidden, channels, 1);
    this.channels = channels;
  }

  forward(films: Tensor): Film {
    this.check('forward', films);
    return this.pass(films, [])[0];
  }

  /** The `count` pictures behind the film, [N, count, C, H, W], from 0 to 1. */
  forecast(films: Tensor, count: number): Film {
    this.check('forecast', films);
    checkWhole('FrameForecaster.forecast', 'the count', count, 1);
    const length = films.shape[1];
    let [logits, states] = this.pass(films, []);
    let next: Tensor = logits.slice(1, length - 1, length).sigmoid();
    const made = [next];
    while (made.length < count) {
      [logits, states] = this.pass(next, states);
      next = logits.sigmoid();
      made.push(next);
    }
    const [batch, , channels, height, width] = films.shape;
    return cat(made, 1).reshape([batch, count, channels, height, width]);
  }

  /** With the states of each layer, [1, N, hidden, H, W], at the start and at the end. */
  private pass(films: Tensor, states: readonly (readonly [Tensor, Tensor])[]): [Film, [Tensor, Tensor][]] {
    const [batch, time, , height, width] = films.shape;
    const outputs: Tensor[] = [];
    const ends: [Tensor, Tensor][] = [];
    let x: Tensor = films;
    for (const [i, layer] of this.layers.entries()) {
      const [output, end]: [Tensor, [Tensor, Tensor]] = layer.forward(x, states[i]);
      outputs.push(output);
      ends.push(end);
      x = output;
    }
    const all: Tensor = cat(outputs, 2);
    const pictures: Tensor = all.reshape([batch * time, all.shape[2], height, width]);
    const logits: Tensor = this.head.forward(pictures);
    return [logits.reshape([batch, time, this.channels, height, width]), ends];
  }

  private check(call: string, films: Tensor): void {
    const name = `FrameForecaster.${call}`;
    checkTensor(films, name, 'the films');
    if (films.rank !== 5 || films.shape[2] !== this.channels || films.shape[1] === 0)
      throw new ShapeError(
        `${name}: films ${formatShape(films.shape)}: needs [N, T, ${this.channels}, H, W], with a picture at least`,
        [films.shape],
      );
  }
}
