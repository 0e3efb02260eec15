// The end of a run of an agent, for a person: an episode as it went, in a few pictures of text, and as an animation beside the weights.

import { encodeApng } from '../../io/png.js';
import { type Environment, playEpisode } from '../../rl/index.js';
import type { Page } from '../../train/index.js';

/** Moments that are printed. */
const SHOWN = 3;
/** An episode that was not trained on, nor evaluated. */
const SEED = 3_000_000;

/** The animation: every how many steps it has a picture, and for how long that is shown, in milliseconds. */
export interface Film {
  readonly every: number;
  readonly delay: number;
}

export async function reportEpisode<O, A>(
  page: Page,
  create: () => Environment<O, A>,
  act: (observation: O) => Promise<A>,
  { every, delay }: Film,
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
  const { pictures } = await playEpisode(create(), act, { seed: SEED, record: 'pictures', every });
  page.line();
  await page.picture('episode.png', encodeApng(pictures, { delay }));
}
