// The end of a run of an agent, for a person: an episode as it went, in a few pictures of text, and as an animation beside the weights.

import { encodeApng } from '../../io/png.js';
import { type Environment, playEpisode } from '../../rl/index.js';
import type { Page } from '../../train/index.js';

/** Moments that are printed, and every how many steps the animation has a picture. */
const SHOWN = 3;
const EVERY = 2;
const SECONDS_PER_STEP = 0.02;
/** An episode that was not trained on, nor evaluated. */
const SEED = 3_000_000;

export async function reportEpisode<O, A>(
  page: Page,
  create: () => Environment<O, A>,
  act: (observation: O) => Promise<A>,
): Promise<void> {
  const { texts, return: total, steps } = await playEpisode(create(), act, { seed: SEED, record: 'texts' });
  page.line(`An episode of ${steps} steps, return ${Number(total.toFixed(2))}:`);
  for (let i = 0; i < SHOWN; i++) {
    const at = Math.round((i * (texts.length - 1)) / (SHOWN - 1));
    page.line();
    page.line(page.style.dim(`  after ${at} steps`));
    for (const line of texts[at].split('\n')) page.line(`  ${line}`);
  }
  if (page.picture === undefined) return;
  const { pictures } = await playEpisode(create(), act, { seed: SEED, record: 'pictures', every: EVERY });
  page.line();
  await page.picture('episode.png', encodeApng(pictures, { delay: 1000 * SECONDS_PER_STEP * EVERY }));
}
