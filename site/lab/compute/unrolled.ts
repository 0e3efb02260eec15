import { type Tensor, cat, grad, manualSeed, randn, tensor, zeros } from 'nabla';
import { init } from 'nabla/nn';

export interface Settings {
  /** Moments in time. */
  length: number;
  /** All singular values of the recurrent matrix. */
  size: number;
  activation: string;
  /** What the forget gate's bias is: above 0 it stays open. */
  forget: number;
  seed: number;
}

const HIDDEN = 16;

const ACTIVATIONS: Record<string, (x: Tensor) => Tensor> = {
  tanh: (x) => x.tanh(),
  relu: (x) => x.relu(),
  linear: (x) => x,
};

/** A step of a network in time: what comes in, and the state [rows, HIDDEN] before and after. */
type Step = (x: Tensor, state: Tensor) => Tensor;

/** h ← f(W·h + V·x): the same weights at every moment. The state is h. */
function rnn({ size, activation }: Settings): Step {
  const f = ACTIVATIONS[activation];
  if (!f) throw new Error(`activation: '${activation}'. Use one of ${Object.keys(ACTIVATIONS).join(', ')}.`);
  const [w, v] = [init.orthogonal([HIDDEN, HIDDEN], size), init.xavierNormal([HIDDEN, HIDDEN])];
  return (x, h) => f(h.matmul(w).add(x.matmul(v).mul(0.3)));
}

/** c ← f·c + i·g, h ← o·tanh(c): what is kept is multiplied by a gate, not by a matrix. The state is h above c. */
function lstm({ forget }: Settings): Step {
  const [w, v] = [init.xavierNormal([HIDDEN, 4 * HIDDEN]), init.xavierNormal([HIDDEN, 4 * HIDDEN])];
  // The gates in the order i, f, g, o.
  const bias = tensor(Float32Array.from({ length: 4 * HIDDEN }, (_, i) => (Math.floor(i / HIDDEN) === 1 ? forget : 0)));
  return (x, state) => {
    const [h, c]: Tensor[] = state.chunk(2, 0);
    const sums: Tensor = h.matmul(w).add(x.matmul(v).mul(0.3)).add(bias);
    const [i, f, g, o]: Tensor[] = sums.chunk(4, 1);
    const kept: Tensor = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return cat([o.sigmoid().mul(kept.tanh()), kept]);
  };
}

/** The same numbers as a tensor of its own: every step is then the same small program. */
async function settled(x: Tensor): Promise<Tensor> {
  return tensor(await x.data(), { shape: x.shape });
}

/** Goes forward through time with both, then sends a gradient back from the end, a moment a frame. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const { length } = settings;
  const inputs: Tensor[] = [];
  for (let t = 0; t < length; t++) inputs.push(await settled(randn([1, HIDDEN])));
  const target = randn([1, HIDDEN]);
  const begin = async (step: Step, state: Tensor, delta: Tensor) => {
    const sizes: number[] = [];
    return { step, states: [await settled(state)], delta: await settled(delta), sizes };
  };
  const networks = [
    await begin(rnn(settings), zeros([1, HIDDEN]), target),
    // The loss looks at the memory c.
    await begin(lstm(settings), zeros([2, HIDDEN]), cat([zeros([1, HIDDEN]), target])),
  ];
  for (const { step, states } of networks)
    for (const x of inputs) states.push(await settled(step(x, states[states.length - 1])));

  for (let back = 0; back < length; back++) {
    const at = length - 1 - back;
    for (const network of networks) {
      const { step, states, delta, sizes } = network;
      const own: Tensor = delta.slice(0, delta.shape[0] - 1, delta.shape[0]);
      sizes[at] = await own.pow(2).sum().sqrt().item();
      // The chain rule for one step: the gradient before it, from the gradient behind it.
      network.delta = await settled(
        grad((state: Tensor): Tensor => step(inputs[at], state).mul(delta).sum())(states[at]),
      );
    }
    const [plain, gated] = networks.map(({ sizes }) => Array.from({ length }, (_, t) => sizes[t] ?? 0));
    yield {
      values: {
        'steps back': back,
        'gradient of the RNN': plain[at],
        'of the LSTM': gated[at],
        'RNN, share of the end': plain[at] / plain[length - 1],
      },
      plain,
      gated,
      at,
    };
  }
}
