import { type Tensor, grad, tensor } from 'nabla';
import { functional as F } from 'nabla/nn';

export interface Settings {
  activation: string;
  /** Slope of leaky ReLU below 0, α of ELU. */
  slope: number;
  x: number;
  /** How many layers the gradient passes in the picture below. */
  layers: number;
  weight: number;
}

type Activation = (x: Tensor, slope: number) => Tensor;

const ACTIVATIONS: Record<string, Activation> = {
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  relu: (x) => x.relu(),
  leaky: (x, slope) => F.leakyRelu(x, slope),
  elu: (x, slope) => F.elu(x, slope),
  softplus: (x) => F.softplus(x),
  silu: (x) => F.silu(x),
  gelu: (x) => F.gelu(x),
  linear: (x) => x,
};
const REACH = 5;
const PLACES = 201;

/** An activation, its derivative, and what becomes of a gradient on its way through a chain of such neurons. */
export async function* run(settings: Settings) {
  const { activation, slope, layers, weight } = settings;
  const f = ACTIVATIONS[activation];
  if (!f) throw new Error(`activation: '${activation}'. Use one of ${Object.keys(ACTIVATIONS).join(', ')}.`);
  const places = Array.from({ length: PLACES }, (_, i) => REACH * ((2 * i) / (PLACES - 1) - 1));
  // The last place is the one that was asked for.
  const x: Tensor = tensor([...places, settings.x]);
  const derivative = grad((at: Tensor): Tensor => f(at, slope).sum());
  const [values, slopes] = await Promise.all([f(x, slope).data(), derivative(x).data()]);

  // A chain of neurons h ← f(w · h): by the chain rule its gradient is a product of w · f′, one for each layer.
  const gradients: number[][] = [];
  let chain: (at: Tensor) => Tensor = (at) => at;
  for (let layer = 0; layer <= layers; layer++) {
    const upToHere = chain;
    gradients.push([...(await grad((at: Tensor): Tensor => upToHere(at).sum())(x).data())]);
    chain = (at) => f(upToHere(at).mul(weight), slope);
  }
  yield {
    values: {
      x: settings.x,
      'f(x)': values[PLACES],
      "f'(x)": slopes[PLACES],
      [`gradient after ${layers} layers`]: gradients[layers][PLACES],
    },
    places,
    activation: [...values.subarray(0, PLACES)],
    derivative: [...slopes.subarray(0, PLACES)],
    at: { x: settings.x, y: values[PLACES], slope: slopes[PLACES] },
    chain: gradients.map((g) => Math.abs(g[PLACES])),
  };
}
