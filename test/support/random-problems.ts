// Random functions to be minimised, good and bad ones: quadratics of every rank and scale, indefinite ones, flat parts, kinks, borders
// beyond which they are NaN, falls without end, overflows. Each follows from its number.
import { type Tensor, tensor, where } from 'nabla';
import { HostRandom } from '../../src/tensor/host-random.js';

type Vector = Tensor<[number], 'float64'>;

export interface RandomProblem {
  readonly kind: string;
  readonly start: readonly number[];
  readonly residuals: (x: Vector) => Vector;
  readonly value: (x: Vector) => Tensor<[], 'float64'>;
}

const v = (t: unknown): Vector => t as Vector;
const NAN = tensor(Float64Array.of(NaN));

export function randomProblem(number: number): RandomProblem {
  const random = new HostRandom(7, number);
  const n = 1 + random.below(6);
  const normal = (size: number): Float64Array => Float64Array.from({ length: size }, () => random.normal());
  const scale = 10 ** random.between(-6, 6);
  const rows = 1 + random.below(8);
  const matrix = tensor(normal(rows * n), { shape: [rows, n] });
  const target = tensor(normal(rows));
  const linear = (x: Vector): Vector => v(matrix.matmul(x).sub(target));
  const squares = (f: (x: Vector) => Vector) => (x: Vector) => f(x).square().sum();
  const border = random.normal();
  const kinds: Readonly<Record<string, readonly [(x: Vector) => Vector, ((x: Vector) => unknown)?]>> = {
    'a quadratic of any rank': [linear],
    'badly scaled': [(x) => v(linear(x).mul(scale))],
    'unknowns of different sizes': [
      (x) => linear(v(x.mul(tensor(Float64Array.from({ length: n }, (_, i) => 10 ** (4 * i - 8)))))),
    ],
    indefinite: [linear, (x) => linear(x).square().sum().sub(x.square().sum().mul(scale))],
    'a straight line': [linear, (x) => x.sum().mul(scale)],
    constant: [(x) => v(x.mul(0).add(1))],
    steps: [(x) => v(linear(x).floor())],
    kinks: [(x) => v(linear(x).abs().sqrt()), (x) => linear(x).abs().sum()],
    'a flat part': [(x) => v(linear(x).relu()), (x) => linear(x).relu().sum()],
    'NaN beyond a border': [(x) => v(where(x.gt(border), NAN, x.exp()))],
    'NaN below a border': [(x) => v(x.sub(border).log())],
    'NaN everywhere': [(x) => v(x.mul(NAN))],
    'infinite at once': [(x) => v(x.mul(1e200).exp())],
    overflows: [(x) => v(x.exp().exp().sub(scale))],
    'falls to −∞': [(x) => v(x.neg().exp()), (x) => x.exp().sum().neg()],
    'an infimum that is not reached': [(x) => v(x.neg().exp())],
    waves: [(x) => v(linear(x).sin().add(x.mul(0.1).sum()))],
    'roots at the border': [(x) => v(x.sqrt()), (x) => x.sqrt().sum()],
    'a network': [(x) => v(linear(x).tanh().mul(scale).sub(0.5))],
    'a ratio with poles': [(x) => v(linear(x).reciprocal())],
  };
  const names = Object.keys(kinds);
  const kind = names[number % names.length];
  const [residuals, value = squares(residuals)] = kinds[kind];
  const start = Array.from(normal(n), (x) => x * 10 ** random.between(-1, 1.5));
  return { kind, start, residuals, value: value as RandomProblem['value'] };
}
