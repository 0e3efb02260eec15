// The confusion matrix of a run, and the pictures behind the cell that was chosen.

import { largest } from '../../../tensor/extremes.js';
import type { RunDetails } from '../api.js';
import { h } from './dom.js';

export function confusionView({ confusion }: RunDetails): HTMLElement {
  if (confusion === null)
    return h('p', {
      className: 'note',
      textContent:
        'There is no confusion matrix. nabla train writes one at the end of a run on images of classes, and writeConfusion of nabla/train for any other.',
    });
  const { classes, counts, pictures } = confusion;
  const behind = h('section', { className: 'chart', attributes: { 'aria-live': 'polite' } });
  const show = (truth: number, predicted: number): void => {
    const found = pictures.filter((picture) => picture.truth === truth && picture.predicted === predicted);
    const count = counts[truth][predicted];
    const part = found.length > 0 && found.length < count ? `, ${found.length} of them` : '';
    const images = found.map(({ png }) =>
      h('img', {
        className: 'sample',
        src: `data:image/png;base64,${png}`,
        alt: `${classes[truth]}, said ${classes[predicted]}`,
      }),
    );
    const none = h('p', { className: 'note', textContent: 'No pictures were kept for it.' });
    behind.replaceChildren(
      h('h3', { textContent: `${classes[truth]}, said ${classes[predicted]}: ${count}${part}` }),
      ...(images.length > 0 ? images : [none]),
    );
  };
  const mistakes = counts.flatMap((row, i) => row.map((count, j) => ({ count, i, j }))).filter(({ i, j }) => i !== j);
  const most = largest(mistakes.map(({ count }) => count)) || 1;
  const cell = (count: number, truth: number, predicted: number): HTMLElement => {
    const isRight = truth === predicted;
    const total = counts[truth].reduce((sum, n) => sum + n, 0) || 1;
    const strength = isRight ? 0.12 + (0.45 * count) / total : count === 0 ? 0 : 0.15 + (0.6 * count) / most;
    const button = h('button', {
      textContent: String(count),
      onclick: () => show(truth, predicted),
      attributes: { 'aria-label': `${classes[truth]}, said ${classes[predicted]}: ${count}` },
    });
    button.style.background = `rgb(${isRight ? '0 158 115' : '213 94 0'} / ${strength.toFixed(2)})`;
    return h('td', {}, button);
  };
  const table = h(
    'table',
    { className: 'confusion' },
    h('caption', { textContent: 'a row is what the picture shows, a column what the network said' }),
    h('tr', {}, h('th'), ...classes.map((name) => h('th', { textContent: name, attributes: { scope: 'col' } }))),
    ...counts.map((row, i) =>
      h(
        'tr',
        {},
        h('th', { textContent: classes[i], attributes: { scope: 'row' } }),
        ...row.map((count, j) => cell(count, i, j)),
      ),
    ),
  );
  const worst = mistakes.toSorted((a, b) => b.count - a.count)[0];
  if (worst !== undefined && worst.count > 0) show(worst.i, worst.j);
  else show(0, 0);
  return h('div', {}, h('div', { className: 'wide' }, table), behind);
}
