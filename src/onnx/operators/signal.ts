// Signals: discrete Fourier transforms, windows, mel bands.

import { cat } from '../../tensor/functions.js';
import { windowsOf } from '../../tensor/spatial.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type HostArray, allocate } from '../host/array.js';
import type { Call, Operator, Operators, Result } from './operator.js';
import { typeOf } from './shapes.js';

/** Real and imaginary parts; undefined for none. */
interface Complex {
  readonly re: Tensor;
  readonly im: Tensor | undefined;
}

/** Lengths up to this are one product with a matrix; longer ones are divided. */
const MOST_AT_ONCE = 256;

/** The factor of n that is next to its root; 1 for a prime. */
function middleFactor(n: number): number {
  for (let f = Math.floor(Math.sqrt(n)); f > 1; f--) if (n % f === 0) return f;
  return 1;
}

/** cos and sin of ±2π·row·column / n. */
function turns(call: Call, rows: number, columns: number, n: number, sign: number): { cos: Tensor; sin: Tensor } {
  const [cos, sin] = [allocate('float64', [rows, columns]), allocate('float64', [rows, columns])];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const angle = (sign * 2 * Math.PI * ((r * c) % n)) / n;
      cos.data[r * columns + c] = Math.cos(angle);
      sin.data[r * columns + c] = Math.sin(angle);
    }
  }
  const made = (array: HostArray): Tensor =>
    call.made({ ...array, type: 'float32', data: Float32Array.from(array.data) });
  return { cos: made(cos), sin: made(sin) };
}

/** x · (cos + i·sin), by matrices or element by element. */
function times(
  x: Complex,
  { cos, sin }: { cos: Tensor; sin: Tensor },
  product: (a: Tensor, b: Tensor) => Tensor,
): Complex {
  const [a, b] = [product(x.re, cos), product(x.re, sin)];
  if (x.im === undefined) return { re: a, im: b };
  return { re: a.sub(product(x.im, sin)), im: b.add(product(x.im, cos)) };
}

/** Along the last dimension; `sign` −1 forwards, 1 backwards. Long ones by Cooley and Tukey (1965). */
function transform(call: Call, x: Complex, sign: number): Complex {
  const n = x.re.shape[x.re.rank - 1];
  const first = n <= MOST_AT_ONCE ? 1 : middleFactor(n);
  if (first === 1) {
    return times(x, turns(call, n, n, n, sign), (a, b) => a.matmul(b));
  }
  const second = n / first;
  const lead = x.re.shape.slice(0, -1);
  const both = (f: (t: Tensor) => Tensor, of: Complex): Complex => ({ re: f(of.re), im: of.im && f(of.im) });
  // x[second · n1 + n2] as [n2, n1], then each row, the turns between, and each column
  const apart = both((t) => t.reshape([...lead, first, second]).transpose(-1, -2), x);
  const rows = both((t) => t.transpose(-1, -2), transform(call, apart, sign));
  const turned = times(rows, turns(call, first, second, n, sign), (a, b) => a.mul(b));
  const columns = transform(call, turned, sign);
  return both((t) => t.transpose(-1, -2).reshape([...lead, n]), columns);
}

/** The signal as so many elements of its last dimension: cut off, or with zeros behind. */
function ofLength(x: Tensor, length: number): Tensor {
  const n = x.shape[x.rank - 1];
  if (n === length) return x;
  return n > length ? x.slice(-1, 0, length) : x.pad([[0, length - n]]);
}

/** One side of the spectrum of a real signal, completed: the other one is its mirror. */
function completed({ re, im }: Complex, length: number): Complex {
  const half = Math.floor(length / 2) + 1;
  const [a, b] = [ofLength(re, half), ofLength(im ?? re.mul(0), half)];
  const from = length - half + 1;
  const mirror = (t: Tensor): Tensor => t.slice(-1, 1, from).flip(-1);
  return { re: cat([a, mirror(a)], -1), im: cat([b, mirror(b).neg()], -1) };
}

function fourier(call: Call): AnyTensor {
  const given = call.tensor(0);
  const x = given.dtype === ('float64' as string) ? given : given.to('float32');
  const rank = x.rank;
  const axis = call.axis(call.opset < 20 ? call.int('axis', 1) : call.has(2) ? call.number(2) : -2);
  const [isInverse, isOneSided] = [call.flag('inverse'), call.flag('onesided')];
  const size = x.shape[axis];
  const length = call.has(1) ? call.number(1) : isInverse && isOneSided ? 2 * (size - 1) : size;
  const part = (i: number): Tensor => {
    const plain: Tensor = x.select(rank - 1, i);
    return plain.transpose(axis, -1);
  };
  const isReal = x.shape[rank - 1] === 1;
  let signal: Complex = { re: part(0), im: isReal ? undefined : part(1) };
  const isBackToReal = isInverse && isOneSided;
  if (isBackToReal) signal = completed(signal, length);
  else signal = { re: ofLength(signal.re, length), im: signal.im && ofLength(signal.im, length) };
  const made = transform(call, signal, isInverse ? 1 : -1);
  const scaled = (t: Tensor): Tensor => (isInverse ? t.mul(1 / length) : t);
  const bins = isOneSided && !isInverse ? Math.floor(length / 2) + 1 : length;
  const back = (t: Tensor): Tensor =>
    ofLength(scaled(t), bins)
      .transpose(axis, -1)
      .unsqueeze(rank - 1);
  if (isBackToReal) return back(made.re).to(given.dtype);
  return cat([back(made.re), back(made.im ?? made.re.mul(0))], rank - 1).to(given.dtype);
}

function shortTimeFourier(call: Call): AnyTensor {
  const x = call.tensor(0);
  const step = call.number(1);
  const length = call.has(3) ? call.number(3) : call.has(2) ? call.shape(2)[0] : x.shape[1];
  const isOneSided = call.flag('onesided', true);
  const isReal = x.rank === 2 || x.shape[2] === 1;
  const framed = (part: Tensor): Tensor => {
    const spec = { size: [length], stride: [step], dilation: [1], lo: [0], hi: [0] };
    const frames = windowsOf(part, spec);
    return call.has(2) ? frames.mul(call.tensor(2)) : frames;
  };
  const part = (i: number): Tensor => framed(x.rank === 2 ? x : x.select(2, i));
  const made = transform(call, { re: part(0), im: isReal ? undefined : part(1) }, -1);
  const bins = isOneSided ? Math.floor(length / 2) + 1 : length;
  const shaped = (t: Tensor): Tensor => ofLength(t, bins).unsqueeze(3);
  return cat([shaped(made.re), shaped(made.im ?? made.re.mul(0))], 3);
}

/** A window of cosines: Σ cₖ · cos(2πk·n / N). */
function window(coefficients: readonly number[]): Operator {
  return {
    inputs: [1, 1],
    settings: [0],
    host: (call) => {
      const size = call.number(0);
      const period = call.flag('periodic', true) ? size : size - 1;
      const out = allocate(typeOf(call, call.int('output_datatype', 1)), [size]);
      for (let i = 0; i < size; i++)
        out.data[i] = coefficients.reduce((sum, c, k) => sum + c * Math.cos((2 * Math.PI * k * i) / period), 0);
      return out;
    },
  };
}

const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const hertz = (mels: number): number => 700 * (10 ** (mels / 2595) - 1);

/** Triangles of equal width on the mel scale: [bins of a spectrum, bands]. */
function melWeights(call: Call): Result {
  const [bands, length, rate, low, high] = [0, 1, 2, 3, 4].map((i) => call.number(i));
  const bins = Math.floor(length / 2) + 1;
  const step = (mel(high) - mel(low)) / (bands + 2);
  const edges = Array.from({ length: bands + 2 }, (_, i) =>
    Math.floor(((length + 1) * hertz(mel(low) + i * step)) / rate),
  );
  const out = allocate(typeOf(call, call.int('output_datatype', 1)), [bins, bands]);
  for (let band = 0; band < bands; band++) {
    const [left, centre, right] = edges.slice(band, band + 3);
    if (left === centre) out.data[centre * bands + band] = 1;
    else for (let j = left; j <= centre; j++) out.data[j * bands + band] = (j - left) / (centre - left);
    for (let j = centre; j < right; j++) out.data[j * bands + band] = (right - j) / (right - centre);
  }
  return out;
}

export const SIGNAL: Operators = {
  DFT: { inputs: [1, 3], settings: [1, 2], run: fourier },
  STFT: { inputs: [2, 4], settings: [1, 2, 3], run: shortTimeFourier },
  HannWindow: window([0.5, -0.5]),
  HammingWindow: window([25 / 46, -21 / 46]),
  BlackmanWindow: window([0.42, -0.5, 0.08]),
  MelWeightMatrix: { inputs: [5, 5], settings: [0, 1, 2, 3, 4], host: melWeights },
};
