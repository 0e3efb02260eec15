// The end of a run that translates, for a person: some sentences with their translations, and where the network looked, as pictures.

import { noGrad, tensor } from '../../index.js';
import type { SentencePairs } from '../../data/index.js';
import { type Page, heatMapSvg } from '../../train/index.js';
import { type Coder, END, START } from './translation-tasks.js';
import { type Translator, translate } from './translator.js';

const SHOWN = 5;
const PICTURES = 2;

export async function reportTranslations(
  page: Page,
  model: Translator,
  coder: Coder,
  { source, target }: SentencePairs,
  beams: number,
): Promise<void> {
  model.eval();
  const some = source.slice(0, SHOWN);
  const found = await translate(model, coder, some, beams);
  page.line('Sentences that it has not seen, their translations, and what people say:');
  for (const [i, text] of some.entries()) {
    page.line();
    page.line(`  ${text}`);
    page.line(page.style.bold(`  ${found[i]}`));
    page.line(page.style.dim(`  ${target[i]}`));
  }
  if (page.picture === undefined) return;
  page.line();
  for (let i = 0; i < Math.min(PICTURES, some.length); i++) {
    const svg = await attentionPicture(model, coder, some[i], found[i]);
    await page.picture(`attention-${i + 1}.svg`, new TextEncoder().encode(svg));
  }
}

/** A row for each token of the answer, a column for each of the source. */
async function attentionPicture(model: Translator, coder: Coder, source: string, answer: string): Promise<string> {
  const x = [...coder.encode(source), END];
  const y = [...coder.encode(answer), END];
  const ids = tensor(Int32Array.from(x)).unsqueeze(0);
  const before = tensor(Int32Array.from([START, ...y.slice(0, -1)])).unsqueeze(0);
  const [weights] = await noGrad(() => model.attention(ids, before)).array();
  return heatMapSvg(weights, { rows: coder.tokens(y), columns: coder.tokens(x), title: 'where each token looks' });
}
