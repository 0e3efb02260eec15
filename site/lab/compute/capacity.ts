import { type Shape, type Tensor, manualSeed, tensor } from 'nabla';
import { HostRandom } from 'nabla/data';
import { lstsq } from 'nabla/linalg';

export interface Settings {
  degree: number;
  points: number;
  noise: number;
  /** λ, the weight of the squared coefficients. */
  ridge: number;
  seed: number;
}

const MOST = 15;
const PLACES = 201;

/** What the points were drawn from. */
const truth = (x: number) => Math.sin(4.5 * x) * (1 - 0.4 * x);

/** Rows of Legendre polynomials P₀ … P₁₅ at x from −1 to 1: a basis in which high degrees can be computed. */
function basis(x: readonly number[], degree: number): number[][] {
  return x.map((at) => {
    const row = [1, at];
    for (let n = 1; n < MOST; n++) row.push(((2 * n + 1) * at * row[n] - n * row[n - 1]) / (n + 1));
    // A column of zeros gets a coefficient of 0: every degree is the same computation.
    return row.map((value, n) => (n <= degree ? value : 0));
  });
}

const column = (rows: readonly number[][]): Tensor<Shape, 'float64'> =>
  tensor(Float64Array.from(rows.flat()), { shape: [rows.length, rows[0].length], dtype: 'float64' });

/** Fits polynomials, one degree after the other up to the chosen one. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const random = new HostRandom(settings.seed);
  const draw = (count: number) => {
    const x = Array.from({ length: count }, () => random.between(-1, 1));
    // In float32, as data come: engines differ in the last digit of a float64 sine.
    return { x, y: x.map((at) => Math.fround(truth(at) + settings.noise * random.normal())) };
  };
  const [train, validation, test] = [draw(settings.points), draw(Math.ceil(settings.points / 2)), draw(400)];
  const places = Array.from({ length: PLACES }, (_, i) => (2 * i) / (PLACES - 1) - 1);

  const fits: { fit: number[]; train: number; validation: number; test: number }[] = [];
  for (let degree = 0; degree <= settings.degree; degree++) {
    // Ridge regression is least squares with rows √λ · w = 0 below the data.
    const pull = Math.sqrt(settings.ridge * settings.points);
    const penalty = Array.from({ length: MOST + 1 }, (_, i) =>
      Array.from({ length: MOST + 1 }, (_none, j) => (i === j && i > 0 ? pull : 0)),
    );
    const rows = column([...basis(train.x, degree), ...penalty]);
    const targets = column([...train.y, ...penalty.map(() => 0)].map((y) => [y]));
    const w: Tensor<Shape, 'float64'> = lstsq(rows, targets).solution;
    const predict = (x: readonly number[]) => column(basis(x, degree)).matmul(w);
    const errorOf = async ({ x, y }: { x: number[]; y: number[] }) =>
      Math.sqrt(
        await predict(x)
          .sub(column(y.map((v) => [v])))
          .pow(2)
          .mean()
          .item(),
      );
    const [fit, trainError, validationError, testError] = await Promise.all([
      predict(places).data(),
      errorOf(train),
      errorOf(validation),
      errorOf(test),
    ]);
    fits.push({ fit: [...fit], train: trainError, validation: validationError, test: testError });
    const best = fits.reduce((b, { validation: error }, i) => (error < fits[b].validation ? i : b), 0);
    yield {
      values: {
        degree,
        'training error': trainError,
        'validation error': validationError,
        'test error': testError,
        'best degree by validation': best,
      },
      train,
      validation,
      places,
      fit: fits[degree].fit,
      truth: places.map(truth),
      errors: fits.map((f) => [f.train, f.validation, f.test]),
      best,
    };
  }
}
