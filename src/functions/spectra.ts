// Short-time Fourier transforms: the spectrum of each of many overlapping pieces of a signal, and the signal back from them. Names and
// meaning are PyTorch's; complex numbers are pairs in the last dimension.

import { checkChoice, checkGiven, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import type { WindowSpec } from '../engine/ir/op.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { complex, pairsNode } from './complex.js';
import { fft, irfft, rfft } from './fourier.js';
import { div, floatOf, mul } from './operands.js';
import { PAD_MODES, type PadMode, padded } from './padding.js';

interface SpectrumOptions {
  /** From the beginning of one piece to that of the next. Default ⌊nFft/4⌋. */
  readonly hopLength?: number;
  /** The length of the window, which stands in the middle of a piece. Default nFft. */
  readonly winLength?: number;
  /** [winLength], such as hannWindow(winLength). Default: ones. */
  readonly window?: AnyTensor;
  /** Whether piece t has position t·hopLength in its middle, and not at its beginning. Default true. */
  readonly center?: boolean;
  /** Whether spectra are divided by √nFft. Default false. */
  readonly normalized?: boolean;
  /** Whether spectra have their first half alone, whose conjugates the rest are. Default true; of istft, unless there are nFft frequencies. */
  readonly onesided?: boolean;
}

export interface StftOptions extends SpectrumOptions {
  /** What is around the signal, with `center`. Default 'reflect'. */
  readonly padMode?: PadMode;
}

export interface IstftOptions extends SpectrumOptions {
  /** Of the signal: what is beyond is cut off, or filled with zeros. Default: as long as the pieces are. */
  readonly length?: number;
}

const SPECTRUM_OPTIONS: OptionNames<SpectrumOptions> = {
  hopLength: true,
  winLength: true,
  window: true,
  center: true,
  normalized: true,
  onesided: true,
};
const STFT_OPTIONS: OptionNames<StftOptions> = { ...SPECTRUM_OPTIONS, padMode: true };
const ISTFT_OPTIONS: OptionNames<IstftOptions> = { ...SPECTRUM_OPTIONS, length: true };

interface Pieces {
  readonly hop: number;
  /** [nFft], the window with zeros around; undefined for ones everywhere. */
  readonly window: Node | undefined;
}

function piecesOf(op: string, x: Node, nFft: number, options: SpectrumOptions): Pieces {
  checkWhole(op, 'nFft', nFft, 1);
  const { hopLength, winLength, window } = options;
  checkGiven((name, what, value) => checkWhole(name, what, value, 1), op, { hopLength, winLength });
  const hop = hopLength ?? Math.floor(nFft / 4);
  if (hop < 1) throw new ArgumentError(`${op}: nFft ${nFft} gives hopLength 0. Give a hopLength of at least 1.`);
  const length = winLength ?? nFft;
  if (length > nFft) throw new ArgumentError(`${op}: winLength ${length} is more than nFft ${nFft}. Make nFft larger.`);
  if (window === undefined && length === nFft) return { hop, window: undefined };
  const given = window === undefined ? build.filled(1, [length], x.dtype) : floatOf(window, op, 'the window');
  if (given.shape.length !== 1 || given.shape[0] !== length)
    throw new ShapeError(`${op}: window ${formatShape(given.shape)}: needs [${length}]`, [given.shape]);
  const before = Math.floor((nFft - length) / 2);
  return { hop, window: build.pad(given, [before], [nFft - length - before]) };
}

function specOf(nFft: number, hop: number): WindowSpec {
  return { size: [nFft], stride: [hop], dilation: [1], lo: [0], hi: [0] };
}

/**
 * Spectra of pieces of `nFft` elements of a real signal [L] or [N, L] → complex [N, frequencies, pieces, 2], ⌊nFft/2⌋ + 1 frequencies
 * unless `onesided` is false. PyTorch: torch.stft, with return_complex.
 *
 *     stft(audio, 512, { hopLength: 128, window: hannWindow(512) })   // [16000] → [257, 126, 2]
 */
export function stft(x: AnyTensor, nFft: number, options: StftOptions = {}): Tensor<number[]> {
  const op = 'stft';
  const node = floatOf(x, op);
  checkOptions(op, options, STFT_OPTIONS);
  const { center = true, padMode = 'reflect', normalized = false, onesided = true } = options;
  checkChoice(op, 'padMode', padMode, PAD_MODES);
  if (node.shape.length !== 1 && node.shape.length !== 2)
    throw new ShapeError(`${op}: input ${formatShape(node.shape)}: needs [L] or [N, L]`, [node.shape]);
  const { hop, window } = piecesOf(op, node, nFft, options);
  const around = Math.floor(nFft / 2);
  const signal = center ? padded(op, node, [[around, around]], padMode) : node;
  const pieces = build.window(signal, specOf(nFft, hop), op);
  const weighed: Tensor = wrap(window === undefined ? pieces : mul(pieces, window));
  const norm = normalized ? 'ortho' : 'backward';
  const spectra: Tensor = onesided ? rfft(weighed, { norm }) : fft(complex(weighed), { norm });
  return spectra.transpose(-3, -2);
}

/**
 * The signal [L] or [N, L] of spectra [N, frequencies, pieces, 2], as stft gives them: pieces that overlap are added with their windows, and
 * divided by the sum of the squared windows, which must not be 0 anywhere. PyTorch: torch.istft.
 */
export function istft(x: AnyTensor, nFft: number, options: IstftOptions = {}): Tensor<number[]> {
  const op = 'istft';
  const node = pairsNode(op, x);
  checkOptions(op, options, ISTFT_OPTIONS);
  const { center = true, normalized = false, length } = options;
  checkGiven((name, what, value) => checkWhole(name, what, value, 1), op, { length });
  const { hop, window } = piecesOf(op, node, nFft, options);
  const rank = node.shape.length;
  const half = Math.floor(nFft / 2) + 1;
  const { onesided = node.shape[rank - 3] !== nFft } = options;
  const frequencies = onesided ? half : nFft;
  if ((rank !== 3 && rank !== 4) || node.shape[rank - 3] !== frequencies) {
    throw new ShapeError(
      `${op}: input ${formatShape(node.shape)}: needs [${frequencies}, pieces, 2] or [N, ${frequencies}, pieces, 2] for nFft ${nFft}`,
      [node.shape],
    );
  }
  const count = node.shape[rank - 2];
  if (count === 0) throw new ShapeError(`${op}: input ${formatShape(node.shape)} has no pieces`, [node.shape]);
  const spectra: Tensor = wrap(
    build.permute(node, [...Array.from({ length: rank - 3 }, (_, i) => i), rank - 2, rank - 3, rank - 1]),
  );
  const norm = normalized ? 'ortho' : 'backward';
  // a real signal follows from the first half of its spectrum
  const pieces: Tensor = irfft(spectra.slice(-2, 0, half), { n: nFft, norm });
  const total = nFft + hop * (count - 1);
  const start = center ? Math.floor(nFft / 2) : 0;
  const end = length === undefined ? total - start : Math.min(start + length, total);
  if (end <= start)
    throw new ShapeError(
      `${op}: input ${formatShape(node.shape)}: ${count} pieces of ${nFft} leave nothing of the signal`,
      [node.shape],
    );
  const spec = specOf(nFft, hop);
  const added = (y: Node): Node => {
    const whole = build.fold(y, spec, [total]);
    return build.sliceAxis(whole, whole.shape.length - 1, start, end);
  };
  const weights = window ?? build.filled(1, [nFft], node.dtype);
  const signal = added(window === undefined ? pieces.node : mul(pieces.node, window));
  const cover = added(build.expand(mul(weights, weights), [count, nFft]));
  const y = div(signal, cover);
  const missing = length === undefined ? 0 : length - (end - start);
  if (missing === 0) return wrap(y);
  const zeros = y.shape.map(() => 0);
  return wrap(build.pad(y, zeros, zeros.with(-1, missing)));
}
