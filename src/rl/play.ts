// Whole episodes, for looking at: what happened, and pictures of it.

import type { ImageBytes } from '../io/png.js';
import { type OptionNames, checkChoice, checkFunction, checkOptions, checkWhole } from '../tensor/library.js';
import type { Environment } from './environment.js';
import { checkEnvironment } from './wrappers.js';

export interface PlayOptions {
  readonly seed?: number;
  /** What is kept of each moment. Default 'nothing'. */
  readonly record?: 'nothing' | 'pictures' | 'texts';
  /** Every how many steps a moment is kept; the last one always is. Default 1. */
  readonly every?: number;
  /** Steps after which the episode is left, for environments without a limit. Default 10,000. */
  readonly maxSteps?: number;
}

const PLAY_OPTIONS: OptionNames<PlayOptions> = { seed: true, record: true, every: true, maxSteps: true };

export interface Played {
  /** Sum of all rewards. */
  readonly return: number;
  readonly steps: number;
  /** How it ended: at the end of the task, cut off, or left after `maxSteps`. */
  readonly end: 'terminated' | 'truncated' | 'left';
  /** With record: 'pictures'; for `encodeApng`. */
  readonly pictures: readonly ImageBytes[];
  /** With record: 'texts'. */
  readonly texts: readonly string[];
}

/**
 * Plays one episode; `act` says what to do.
 *
 *     const { pictures } = await playEpisode(env, (seen) => agent.act(seen), { record: 'pictures', every: 2 });
 */
export async function playEpisode<O, A>(
  environment: Environment<O, A>,
  act: (observation: O) => A | Promise<A>,
  options: PlayOptions = {},
): Promise<Played> {
  checkEnvironment('playEpisode', environment);
  checkFunction('playEpisode', act);
  checkOptions('playEpisode', options, PLAY_OPTIONS);
  const { seed, record = 'nothing', every = 1, maxSteps = 10_000 } = options;
  checkChoice('playEpisode', 'record', record, ['nothing', 'pictures', 'texts']);
  checkWhole('playEpisode', 'every', every, 1);
  checkWhole('playEpisode', 'maxSteps', maxSteps, 1);
  const pictures: ImageBytes[] = [];
  const texts: string[] = [];
  const keep = (): void => {
    if (record === 'pictures') pictures.push(environment.render());
    else if (record === 'texts') texts.push(environment.renderText());
  };
  let { observation } = environment.reset(seed === undefined ? {} : { seed });
  let total = 0;
  keep();
  for (let steps = 1; ; steps++) {
    const step = environment.step(await act(observation));
    observation = step.observation;
    total += step.reward;
    const end = step.terminated ? 'terminated' : step.truncated ? 'truncated' : steps === maxSteps ? 'left' : undefined;
    if (end !== undefined || steps % every === 0) keep();
    if (end !== undefined) return { return: total, steps, end, pictures, texts };
  }
}
