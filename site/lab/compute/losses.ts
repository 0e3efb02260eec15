import { type Tensor, tensor, valueAndGrad } from 'nabla';
import { crossEntropy, hingeLoss } from 'nabla/nn';

export interface Settings {
  cat: number;
  dog: number;
  frog: number;
  /** Which class is right: 0, 1 or 2. */
  right: string;
  temperature: number;
}

const PLACES = 121;
const REACH = 12;

/** Probabilities and two losses for three scores, and both losses for every score that the right class could have. */
export async function* run(settings: Settings) {
  const scores = [settings.cat, settings.dog, settings.frog];
  const right = Number(settings.right);
  const label = (count: number) => tensor(new Int32Array(count).fill(right), { shape: [count], dtype: 'int32' });
  const places = Array.from({ length: PLACES }, (_, i) => REACH * ((2 * i) / (PLACES - 1) - 1));
  const swept = places.flatMap((place) => scores.map((score, i) => (i === right ? place : score)));
  const one: Tensor<[1, 3]> = tensor(Float32Array.from(scores), { shape: [1, 3] });
  const many: Tensor<[number, 3]> = tensor(Float32Array.from(swept), { shape: [PLACES, 3] });
  const { temperature } = settings;

  const { value: entropy, grads: entropyBack } = valueAndGrad((s: Tensor<[1, 3]>) =>
    crossEntropy(s.div(temperature), label(1)),
  )(one);
  const { value: hinge, grads: hingeBack } = valueAndGrad((s: Tensor<[1, 3]>) => hingeLoss(s, label(1)))(one);
  const probabilities = await one.div(temperature).softmax(1).data();
  yield {
    values: {
      'p of the right class': probabilities[right],
      'cross entropy': await entropy.item(),
      'hinge loss': await hinge.item(),
    },
    scores,
    right,
    probabilities: [...probabilities],
    gradients: { entropy: [...(await entropyBack[0].data())], hinge: [...(await hingeBack[0].data())] },
    places,
    entropies: [...(await crossEntropy(many.div(temperature), label(PLACES), { reduction: 'none' }).data())],
    hinges: [...(await hingeLoss(many, label(PLACES), { reduction: 'none' }).data())],
    now: { entropy: await entropy.item(), hinge: await hinge.item() },
  };
}
