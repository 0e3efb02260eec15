import { type Tensor, noGrad, tensor } from 'nabla';
import { SGD } from 'nabla/optim';

export interface Settings {
  landscape: string;
  momentum: number;
  rate: number;
  start: number;
  steps: number;
}

const LANDSCAPES: Record<string, (x: Tensor) => Tensor> = {
  wells: (x) => x.pow(4).mul(0.05).sub(x.pow(2).mul(0.4)).sub(x.mul(0.35)).add(1.3),
  bowl: (x) => x.pow(2).mul(0.15),
  waves: (x) => x.pow(2).mul(0.08).add(x.mul(3).cos().mul(-0.25)).add(0.25),
  plateau: (x) => x.pow(2).div(x.pow(2).add(1)).mul(2),
};
const REACH = 4;
const PLACES = 161;

/** A ball with momentum and one without roll down a landscape, a step a frame. */
export async function* run(settings: Settings) {
  const height = LANDSCAPES[settings.landscape];
  if (!height) throw new Error(`landscape: '${settings.landscape}'. Use one of ${Object.keys(LANDSCAPES).join(', ')}.`);
  const { rate: lr, momentum, start } = settings;
  const places = Float32Array.from({ length: PLACES }, (_, i) => REACH * ((2 * i) / (PLACES - 1) - 1));
  const heights = Float32Array.from(await noGrad(() => height(tensor(places))).data());

  const create = (mu: number) => {
    const x: Tensor<[1]> = tensor([start], { requiresGrad: true });
    const optimizer = new SGD([x], { lr, momentum: mu });
    const step = async (): Promise<void> => {
      optimizer.zeroGrad();
      height(x).sum().backward();
      await optimizer.step();
    };
    return { x, step, places: [start] };
  };
  const balls = [create(momentum), create(0)];

  for (let step = 0; ; step++) {
    const now = await Promise.all(
      balls.map(async ({ x, places }) => {
        const at = await x.detach().reshape([]).item();
        // Velocity: places a step. With lr as the square of the time step, and 1 / lr as its mass, it has this energy.
        const velocity = at - (places.at(-2) ?? at);
        const potential = await noGrad(() => height(x))
          .reshape([])
          .item();
        return { at, velocity, potential, kinetic: velocity ** 2 / (2 * lr) };
      }),
    );
    yield {
      values: { step, 'x with momentum': now[0].at, 'its velocity': now[0].velocity, 'x without': now[1].at },
      landscape: { places, heights, reach: REACH },
      now,
      trails: balls.map((ball) => [...ball.places]),
    };
    if (step === settings.steps) return;
    for (const ball of balls) {
      await ball.step();
      ball.places.push(await ball.x.detach().reshape([]).item());
    }
  }
}
