// `nabla predict` for language models: goes on with a text, character by character, each drawn from the distribution that the
// model gives for it.

import { type AnyTensor, compile, noGrad, tensor } from '../../index.js';
import { HostRandom } from '../../data/index.js';
import type { TextPredictor } from '../../train/index.js';
import { CliError } from '../errors.js';
import { largest } from '../../tensor/extremes.js';

export interface GenerateOptions {
  /** What the text begins with. */
  readonly prompt: string;
  /** Characters to add. */
  readonly length: number;
  /** Below 1 the probable becomes more probable; 0 always takes the most probable. */
  readonly temperature: number;
  readonly seed: number;
}

/** The prompt, then one character after the other as it is drawn. Throws CliError for a prompt with foreign characters. */
export async function* generateText(predictor: TextPredictor, options: GenerateOptions): AsyncGenerator<string> {
  const { model, context } = predictor;
  const vocabulary = [...predictor.vocabulary];
  const numbers = new Map(vocabulary.map((character, i) => [character, i]));
  const ids = [...options.prompt].map((character) => {
    const id = numbers.get(character);
    if (id !== undefined) return id;
    throw new CliError(
      `--prompt: the model does not know '${character}'. It knows ${JSON.stringify(vocabulary.join(''))}.`,
    );
  });
  model.eval();
  // Always the whole context, so that one program serves all steps: what stands behind the text does not change what is
  // said about its last character.
  const step = compile((x: AnyTensor) => noGrad(() => model.forward(x)));
  const random = new HostRandom(options.seed, 0x7e87);
  yield options.prompt;
  if (ids.length === 0) ids.push(numbers.get('\n') ?? 0);
  for (let i = 0; i < options.length; i++) {
    const seen = ids.slice(-context);
    const window = new Int32Array(context);
    window.set(seen);
    const logits = await step(tensor(window, { shape: [1, context] }));
    const all = (await logits.data()) as Float32Array;
    const { length } = vocabulary;
    const next = draw(all.subarray((seen.length - 1) * length, seen.length * length), options.temperature, random);
    ids.push(next);
    yield vocabulary[next];
  }
}

function draw(logits: Float32Array, temperature: number, random: HostRandom): number {
  const most = largest(logits);
  if (temperature === 0) return logits.indexOf(most);
  const weights = Array.from(logits, (logit) => Math.exp((logit - most) / temperature));
  let left = random.uniform() * weights.reduce((a, b) => a + b, 0);
  for (const [i, weight] of weights.entries()) if ((left -= weight) < 0) return i;
  return logits.indexOf(most);
}
