// The standard test functions for minimisation (Moré, Garbow and Hillstrom 1981), as residuals of a float64 vector: what SciPy was run on in
// tools/parity/minimize.py. Data and starts are those of the fixture.
import { type Tensor, arange, cat, tensor, where } from 'nabla';
import { readFixture } from './pytorch.js';

type Vector = Tensor<[number], 'float64'>;
type Residuals = (x: Vector) => Vector;

export interface Solved {
  readonly value: number | null;
  readonly evaluations: number;
  readonly success: boolean;
}

interface Path {
  readonly options: Readonly<Record<string, number | string>>;
  /** Times the squares of all parameters, which are added to the loss. */
  readonly ridge: number;
  readonly x: readonly number[][];
  readonly y: readonly number[][];
  readonly start: readonly (readonly number[] | readonly number[][])[];
  readonly path: readonly {
    readonly loss: number;
    readonly evaluations: number;
    /** What rounding alone makes of it in PyTorch: of the loss, relative, and of the parameters. */
    readonly drift: readonly [number, number];
    readonly parameters?: readonly number[];
  }[];
}

export interface MinimizeFixture {
  readonly data: {
    readonly bard: readonly number[];
    readonly kowalik: { readonly y: readonly number[]; readonly u: readonly number[] };
    readonly meyer: readonly number[];
    readonly osborne1: readonly number[];
    readonly osborne2: readonly number[];
  };
  readonly problems: Readonly<
    Record<string, { readonly start: readonly number[]; readonly scipy: Readonly<Record<string, Solved>> }>
  >;
  readonly robust: {
    readonly t: readonly number[];
    readonly y: readonly number[];
    readonly scale: number;
    readonly fits: Readonly<Record<string, { readonly x: readonly number[]; readonly cost: number }>>;
  };
  readonly lbfgs: Readonly<Record<string, Path>>;
  readonly named: {
    readonly lasso: { readonly a: number[][]; readonly b: number[]; readonly lambda: number; readonly x: number[] };
    readonly svm: {
      readonly points: number[][];
      readonly labels: number[];
      readonly c: number;
      readonly alpha: number[];
      readonly weight: number[];
      readonly bias: number;
    };
  };
  readonly constrained: Readonly<Record<string, { readonly x: readonly number[]; readonly value: number }>>;
}

export const fixture = readFixture<MinimizeFixture>('minimize.json');
const { data } = fixture;

export const wide = (values: readonly number[]): Vector => tensor(Float64Array.from(values));
const count = (n: number): Vector => arange(1, n + 1, 1, { dtype: 'float64' }) as Vector;
/** Element i, [1]. */
const el = (x: Vector, i: number): Vector => x.slice(0, i, i + 1) as Vector;
const els = (x: Vector): Vector[] => Array.from({ length: x.size }, (_, i) => el(x, i));
const part = (x: Vector, from: number, to: number): Vector => x.slice(0, from, to) as Vector;
const v = (t: unknown): Vector => t as Vector;

export const RESIDUALS: Readonly<Record<string, Residuals>> = {
  rosenbrock2: rosenbrock,
  rosenbrock10: rosenbrock,
  rosenbrock100: rosenbrock,
  beale(x) {
    const [a, b] = els(x);
    const term = (c: number, k: number) => v(b.pow(k).sub(1).mul(a).add(c));
    return v(cat([term(1.5, 1), term(2.25, 2), term(2.625, 3)]));
  },
  powellSingular(x) {
    const [a, b, c, d] = els(x);
    return v(
      cat([
        a.add(b.mul(10)),
        c.sub(d).mul(Math.sqrt(5)),
        b.sub(c.mul(2)).square(),
        a.sub(d).square().mul(Math.sqrt(10)),
      ]),
    );
  },
  wood(x) {
    const [a, b, c, d] = els(x);
    return v(
      cat([
        b.sub(a.square()).mul(10),
        a.neg().add(1),
        d.sub(c.square()).mul(Math.sqrt(90)),
        c.neg().add(1),
        b.add(d).sub(2).mul(Math.sqrt(10)),
        b.sub(d).div(Math.sqrt(10)),
      ]),
    );
  },
  helicalValley(x) {
    const [a, b, c] = els(x);
    const turn = b
      .div(a)
      .atan()
      .div(2 * Math.PI);
    const angle = where(a.gt(0), turn, turn.add(0.5));
    const radius = a.square().add(b.square()).sqrt();
    return v(cat([c.sub(angle.mul(10)).mul(10), radius.sub(1).mul(10), c]));
  },
  brownBadlyScaled(x) {
    const [a, b] = els(x);
    return v(cat([a.sub(1e6), b.sub(wide([2e-6])), a.mul(b).sub(2)]));
  },
  box3d(x) {
    const [a, b, c] = els(x);
    const t = count(10).mul(wide([0.1]));
    const fall = t.neg().exp().sub(t.mul(-10).exp());
    return v(t.mul(a).neg().exp().sub(t.mul(b).neg().exp()).sub(c.mul(fall)));
  },
  trigonometric(x) {
    const i = count(x.size);
    const cosines = x.cos();
    return v(cosines.neg().add(1).mul(i).sub(x.sin()).sub(cosines.sum()).add(x.size));
  },
  variablyDimensioned(x) {
    const s = count(x.size).mul(x.sub(1)).sum().reshape([1]);
    return v(cat([x.sub(1), s, s.square()]));
  },
  broydenTridiagonal(x) {
    const zero = wide([0]);
    const n = x.size;
    const [before, after] = [cat([zero, part(x, 0, n - 1)]), cat([part(x, 1, n), zero])];
    return v(x.mul(-2).add(3).mul(x).sub(before).sub(after.mul(2)).add(1));
  },
  bard(x) {
    const [a, b, c] = els(x);
    const u = count(15);
    const w = u.neg().add(16);
    return v(wide(data.bard).sub(a.add(u.div(w.mul(b).add(u.minimum(w).mul(c))))));
  },
  kowalikOsborne(x) {
    const [a, b, c, d] = els(x);
    const u = wide(data.kowalik.u);
    const square = u.square();
    const ratio = square.add(u.mul(b)).div(square.add(u.mul(c)).add(d));
    return v(wide(data.kowalik.y).sub(a.mul(ratio)));
  },
  meyer(x) {
    const [a, b, c] = els(x);
    const t = count(16).mul(5).add(45);
    return v(b.div(t.add(c)).exp().mul(a).sub(wide(data.meyer)));
  },
  jennrichSampson(x) {
    const [a, b] = els(x);
    const i = count(10);
    return v(
      i
        .mul(2)
        .add(2)
        .sub(i.mul(a).exp().add(i.mul(b).exp())),
    );
  },
  osborne1(x) {
    const [a, b, c, d, e] = els(x);
    const t = count(33).sub(1).mul(10);
    const fall = (height: Vector, rate: Vector) => t.mul(rate).neg().exp().mul(height);
    return v(wide(data.osborne1).sub(a.add(fall(b, d)).add(fall(c, e))));
  },
  osborne2(x) {
    const p = els(x);
    const t = v(count(65).sub(1).div(10));
    const bump = (height: Vector, width: Vector, at: Vector) => t.sub(at).square().mul(width).neg().exp().mul(height);
    const fall = t.mul(p[4]).neg().exp().mul(p[0]);
    return v(
      wide(data.osborne2).sub(
        fall
          .add(bump(p[1], p[5], p[8]))
          .add(bump(p[2], p[6], p[9]))
          .add(bump(p[3], p[7], p[10])),
      ),
    );
  },
};

function rosenbrock(x: Vector): Vector {
  const [first, second] = [part(x, 0, x.size - 1), part(x, 1, x.size)];
  return v(cat([second.sub(first.square()).mul(10), first.neg().add(1)]));
}

/** The sum of squares of a problem's residuals. */
export const valueOf =
  (name: string) =>
  (x: Vector): Tensor<[], 'float64'> =>
    RESIDUALS[name](x).square().sum() as unknown as Tensor<[], 'float64'>;
