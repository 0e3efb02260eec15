// One-to-many: a text about a picture. A small convolutional network makes a grid of features of it (Xu et al. 2015), a decoder writes while it
// looks at the places of the grid.
//   Pictures [N, C, H, W] and what their captions have so far, int32 [N, T], in; logits of the next token at each position out.

import { BatchNorm2d, Conv2d, type ConvOptions, Module, Parameter, ReLU, Sequential, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkProbability } from '../../tensor/dropout.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import {
  ArgumentError,
  checkNeededOptions,
  checkWhole,
  formatShape,
  type OptionNames,
  runPending,
  ShapeError,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { checkHeads } from '../check-heads.js';
import { type Block, type Ids, checkIds } from '../text/blocks.js';
import type { CausalModel } from '../text/cache.js';
import type { DecoderMemory, SequenceDecoder } from './decoder.js';
import { RecurrentTextDecoder } from './recurrent.js';
import { TransformerTextDecoder, tokenTable } from './transformer.js';

export interface CaptionerOptions {
  /** Tokens of the captions, padding included. */
  readonly vocabulary: number;
  /** Channels of a picture. Default 3. */
  readonly channels?: number;
  /** Height and width of a picture, a multiple of 8. Default 32. */
  readonly size?: number;
  /** Default 'transformer'. */
  readonly decoder?: 'transformer' | 'gru';
  /** Features of a token and of a place of the picture. Default 64. */
  readonly width?: number;
  /** Of the Transformer. Default 4. */
  readonly heads?: number;
  /** Of the Transformer. Default 2. */
  readonly layers?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Most tokens of a caption. Default 32. */
  readonly contextLength?: number;
}

const CAPTIONER_OPTIONS: OptionNames<CaptionerOptions> = {
  vocabulary: true,
  channels: true,
  size: true,
  decoder: true,
  width: true,
  heads: true,
  layers: true,
  dropout: true,
  contextLength: true,
};

/** Pixels, each way, that a place of the grid stands for. */
const STRIDE = 8;

type Conv = Conv2d<number, number, number, ConvOptions>;

/** Halves the size. */
const halving = (from: number, to: number): Sequential<[Conv, BatchNorm2d<number>, ReLU]> =>
  new Sequential(
    new Conv2d<number, number, number, ConvOptions>(from, to, 3, { stride: 2, padding: 1, bias: false }),
    new BatchNorm2d<number>(to),
    new ReLU(),
  );

/** `forward(pictures, captions)` → logits [N, T, vocabulary]; `about(pictures)` is what `generateBatch` of nabla/text writes with. */
export class Captioner extends Module {
  readonly body: readonly Block[];
  /** What the places of the grid are told apart by, [places, width]. */
  readonly places: Parameter;
  readonly decoder: SequenceDecoder;
  readonly shape: readonly [channels: number, height: number, width: number];

  constructor(options: CaptionerOptions) {
    const call = new.target.name;
    checkNeededOptions(call, options, CAPTIONER_OPTIONS, '{ vocabulary: 30 }');
    const { vocabulary, channels = 3, size = 32, width = 64, heads = 4, layers = 2, contextLength = 32 } = options;
    const { decoder = 'transformer', dropout = 0.1 } = options;
    const counts = { vocabulary, channels, size, width, heads, layers, contextLength };
    for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `${call}: ${name}`);
    checkProbability(dropout, `${call}: dropout`);
    if (decoder !== 'transformer' && decoder !== 'gru')
      throw new ArgumentError(`${call}: decoder is '${String(decoder)}'. Use 'transformer' or 'gru'.`);
    if (size % STRIDE !== 0)
      throw new ArgumentError(`${call}: size is ${size}. Use a multiple of ${STRIDE}, as many pixels as a place has.`);
    if (decoder === 'transformer') checkHeads(call, width, heads);
    if (width % 2 !== 0) throw new ArgumentError(`${call}: width is ${width}. Use an even number.`);
    super();
    this.body = [halving(channels, width), halving(width, width), halving(width, width)];
    this.places = new Parameter(init.normal([(size / STRIDE) ** 2, width], 0, 0.02));
    const words = tokenTable(vocabulary, width);
    const common = { width, dropout, contextLength };
    this.decoder =
      decoder === 'gru'
        ? new RecurrentTextDecoder(words, width, { ...common, hidden: width })
        : new TransformerTextDecoder(words, { ...common, heads, layers, feedForward: 4 * width });
    this.shape = [channels, size, size];
  }

  /** Pictures [N, C, size, size] and captions so far, int32 [N, T] → logits [N, T, vocabulary]. */
  forward(pictures: Tensor, captions: Ids): Tensor<[number, number, number]> {
    checkIds('Captioner.forward', captions);
    const [batch, length] = captions.shape;
    return this.decoder.forward(captions, this.memoryOf('forward', pictures)).reshape([batch, length, -1]);
  }

  /** Where each token looks in the picture: [N, T, size / 8, size / 8]. What a position says is its next token. */
  attention(pictures: Tensor, captions: Ids): Tensor<[number, number, number, number]> {
    checkIds('Captioner.attention', captions);
    const weights = this.decoder.attention(captions, this.memoryOf('attention', pictures));
    const [batch, length] = captions.shape;
    const side = this.shape[1] / STRIDE;
    return weights.reshape([batch, length, side, side]);
  }

  /**
   * The captioner with its eyes on these pictures, as a model that goes on with one beginning of a caption for each.
   *
   *     const captions = await generateBatch(captioner.about(pictures), [[1], [1]], { stop: [2] });
   */
  about(pictures: Tensor): CausalModel {
    const { decoder } = this;
    const memory = withoutGrad(() => this.memoryOf('about', pictures));
    return {
      contextLength: decoder.contextLength,
      forward: (ids) => decoder.forward(ids, memory),
      newCache: (batch, length) => {
        checkWhole('newCache', 'batch', batch / pictures.shape[0], 1); // beams of a picture follow one another
        const cache = decoder.newCache(batch, length, this.places.shape[0]);
        withoutGrad(() => decoder.remember(memory, cache));
        runPending();
        return cache;
      },
      step: (ids, first, cache) => decoder.step(ids, first, cache),
    };
  }

  private memoryOf(call: string, pictures: Tensor): DecoderMemory {
    const name = `Captioner.${call}`;
    checkTensor(pictures, name, 'the pictures');
    const { shape } = this;
    if (pictures.rank !== 4 || shape.some((size, i) => pictures.shape[i + 1] !== size))
      throw new ShapeError(`${name}: pictures ${formatShape(pictures.shape)}: needs [N, ${shape.join(', ')}]`, [
        pictures.shape,
      ]);
    const grid = this.body.reduce((x, block) => block.forward(x), pictures);
    const [batch, width] = grid.shape;
    const places: Tensor = grid.reshape([batch, width, -1]).transpose(1, 2); // (N, places, width)
    return { features: places.add(this.places) };
  }
}
