import { tensor } from 'nabla';
import { LinearRegression } from 'nabla/classic';
import { HostRandom } from 'nabla/data';

export interface Settings {
  points: number;
  noise: number;
  /** The line under your hand: y = slope · x + intercept. */
  slope: number;
  intercept: number;
  /** What the likelihood takes the noise for. */
  sigma: number;
  outlier: boolean;
  seed: number;
}

const SIZE = 60;
const REACH = { slope: 3, intercept: 3 };
const TRUE = { slope: 1, intercept: 0.5 };

/** Points around a line, and how likely each line of the plane of (slope, intercept) makes them. */
export async function* run(settings: Settings) {
  const { points, noise, sigma, slope, intercept } = settings;
  const random = new HostRandom(settings.seed);
  const xs = Float32Array.from({ length: points }, () => random.between(-2, 2));
  const ys = xs.map((x) => TRUE.slope * x + TRUE.intercept + noise * random.normal());
  if (settings.outlier) [xs[0], ys[0]] = [1.8, -4.5];
  const [x, y] = [tensor(xs), tensor(ys)];

  // Lines (slopes, intercepts, 1) on points (1, 1, n): squared distances, summed over the points.
  const axis = (reach: number) => Float32Array.from({ length: SIZE }, (_, i) => reach * ((2 * (i + 0.5)) / SIZE - 1));
  const slopes = tensor(axis(REACH.slope), { shape: [1, SIZE, 1] });
  const intercepts = tensor(axis(REACH.intercept), { shape: [SIZE, 1, 1] });
  const squares = slopes.mul(x).add(intercepts).sub(y).pow(2).sum(2);
  // log Π N(y | a·x + b, σ²) = −Σ r² / 2σ² − n log σ√2π
  const constant = points * Math.log(sigma * Math.sqrt(2 * Math.PI));
  const surface = Float32Array.from(
    await squares
      .mul(-1 / (2 * sigma * sigma))
      .sub(constant)
      .data(),
  );

  const model = await new LinearRegression().fit(
    Array.from(xs, (value) => [value]),
    [...ys],
  );
  const best = {
    slope: await model.coefficients.reshape([1]).item(),
    intercept: model.intercept,
  };
  const residuals = x.mul(slope).add(intercept).sub(y);
  const loss = await residuals.pow(2).mean().item();
  const likelihood = (-points * loss) / (2 * sigma * sigma) - constant;
  yield {
    values: {
      'mean squared error': loss,
      'log-likelihood': likelihood,
      'best slope': Number(best.slope.toPrecision(5)),
      'best intercept': Number(best.intercept.toPrecision(5)),
    },
    xs,
    ys,
    surface,
    size: SIZE,
    reach: REACH,
    line: { slope, intercept },
    best,
    sigma,
  };
}
