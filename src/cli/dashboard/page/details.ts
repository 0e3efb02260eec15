// What is known of one run: its layers over time, histograms, images, the doctor's findings, settings.

import { largest, smallest } from '../../../tensor/extremes.js';
import type { LayersEvent, LayerStatistics, ParameterStatistics } from '../../../train/record.js';
import type { RunDetails, RunRow } from '../api.js';
import { chartWidth, shade, smallChart } from './charts.js';
import { confusionView } from './confusion.js';
import { address, h, short, span } from './dom.js';
import { graphView } from './graph.js';
import { resourcesView } from './resources.js';

export type DetailTab =
  | 'layers'
  | 'graph'
  | 'histograms'
  | 'images'
  | 'confusion'
  | 'resources'
  | 'doctor'
  | 'settings';

export function details(tab: DetailTab, run: RunRow, found: RunDetails, width: number): HTMLElement {
  if (tab === 'layers') return layers(found, width);
  if (tab === 'histograms') return histograms(found);
  if (tab === 'images') return images(found);
  if (tab === 'graph') return graphView(found);
  if (tab === 'confusion') return confusionView(found);
  if (tab === 'resources') return resourcesView(found, chartWidth(width));
  return tab === 'doctor' ? doctor(found) : settings(run, found);
}

const note = (text: string): HTMLElement => h('p', { className: 'note', textContent: text });

// ---------------------------------------------------------------- layers

type LayerNumber = 'std' | 'mean' | 'zero' | 'dead' | 'saturated' | 'gradStd';
type ParameterNumber = 'norm' | 'gradNorm' | 'updateRatio' | 'spread';

const OF_LAYERS: readonly (readonly [LayerNumber, string])[] = [
  ['std', 'outputs: standard deviation'],
  ['mean', 'outputs: mean'],
  ['zero', 'outputs: share of zeros'],
  ['dead', 'units that are 0 for the whole batch'],
  ['saturated', 'outputs at the ends of their range'],
  ['gradStd', 'gradients at the outputs'],
];
const OF_PARAMETERS: readonly (readonly [ParameterNumber, string])[] = [
  ['norm', 'parameters: norm'],
  ['gradNorm', 'parameters: norm of the gradient'],
  ['updateRatio', 'parameters: update / norm (about 0.001 is healthy)'],
  ['spread', 'parameters: how much the units differ'],
];

function layers({ layers: events, network }: RunDetails, width: number): HTMLElement {
  if (events.length === 0)
    return h(
      'div',
      {},
      networkTable(network),
      note('This run has no statistics of its layers. Train with --doctor, or doctor: true in the Trainer.'),
    );
  const box = h('div', { className: 'charts' });
  const draw = (title: string, rows: ReadonlyMap<string, readonly (number | null)[]>): void => {
    const present = [...rows].filter(([, values]) => values.some((value) => value !== null));
    if (present.length > 0)
      box.append(
        smallChart(
          title,
          events.map(({ step }) => step),
          present,
          chartWidth(width),
        ),
      );
  };
  for (const [key, title] of OF_LAYERS)
    draw(
      title,
      overTime(
        events,
        (event) => event.layers,
        (one) => one[key],
      ),
    );
  for (const [key, title] of OF_PARAMETERS)
    draw(
      title,
      overTime(
        events,
        (event) => event.parameters,
        (one) => one[key],
      ),
    );
  return h('div', {}, networkTable(network), box);
}

/** For each layer or parameter the values of all looks, null where it was not there. */
function overTime<T extends LayerStatistics | ParameterStatistics>(
  events: readonly LayersEvent[],
  list: (event: LayersEvent) => readonly T[],
  value: (one: T) => number | undefined,
): Map<string, (number | null)[]> {
  const rows = new Map<string, (number | null)[]>();
  events.forEach((event, i) => {
    for (const one of list(event)) {
      let row = rows.get(one.name);
      if (row === undefined) rows.set(one.name, (row = Array<number | null>(events.length).fill(null)));
      const number = value(one);
      row[i] = number === undefined || number === null || !Number.isFinite(number) ? null : number;
    }
  });
  return rows;
}

function networkTable(network: RunDetails['network']): HTMLElement {
  if (network.length === 0) return h('div');
  const steps = network.map(({ name, kind }) =>
    h('li', {}, h('b', { textContent: kind }), h('small', { textContent: name })),
  );
  return h(
    'ol',
    { className: 'network', attributes: { 'aria-label': 'the layers in the order of their calls' } },
    ...steps,
  );
}

// ---------------------------------------------------------------- histograms

function histograms({ histograms: all }: RunDetails): HTMLElement {
  if (all.length === 0)
    return note('There are no histograms. A TensorBoardLogger with { model } writes those of weights and gradients.');
  return h('div', { className: 'charts' }, ...all.map(({ tag, steps }) => ridges(tag, steps)));
}

/** Histograms over time, the newest in front. */
function ridges(tag: string, steps: RunDetails['histograms'][number]['steps']): HTMLElement {
  const [width, height, most] = [460, 260, 30];
  const canvas = h('canvas', { attributes: { role: 'img', 'aria-label': `histograms of ${tag} over time` } });
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  canvas.style.width = `${width}px`;
  const pen = canvas.getContext('2d');
  const stride = Math.ceil(steps.length / most);
  const shown = steps.filter((_, i) => i % stride === 0 || i === steps.length - 1);
  const edges = shown.flatMap(({ limits, counts }) =>
    limits.filter((_, i) => counts[i] > 0 || (counts[i - 1] ?? 0) > 0),
  );
  const [low, high] = [smallest(edges), largest(edges)];
  if (pen !== null && edges.length > 0) {
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const [ink, paper] = [style.getPropertyValue('--ink-soft'), style.getPropertyValue('--card')];
    const x = (value: number): number => 10 + ((value - low) / (high - low || 1)) * (width - 60);
    shown.forEach(({ step, limits, counts }, i) => {
      const base = 70 + ((height - 95) * i) / Math.max(1, shown.length - 1);
      const densities = counts.map((count, b) => count / ((limits[b + 1] ?? high) - limits[b] || 1));
      const peak = largest(densities.filter(Number.isFinite)) || 1;
      pen.beginPath();
      pen.moveTo(x(low), base);
      limits.forEach((limit, b) => {
        if (limit < low || limit > high || !Number.isFinite(densities[b])) return;
        const y = base - (55 * densities[b]) / peak;
        pen.lineTo(x(limit), y);
        pen.lineTo(x(Math.min(high, limits[b + 1] ?? high)), y);
      });
      pen.lineTo(x(high), base);
      pen.fillStyle = paper;
      pen.fill();
      pen.strokeStyle = shade(i, shown.length);
      pen.stroke();
      if (i === 0 || i === shown.length - 1) {
        pen.fillStyle = ink;
        pen.fillText(String(step), width - 45, base);
      }
    });
    pen.fillStyle = ink;
    pen.fillText(short(low), 10, height - 6);
    pen.fillText(short(high), width - 90, height - 6);
  }
  return h('section', { className: 'chart' }, h('h3', { textContent: tag }), canvas);
}

// ---------------------------------------------------------------- images

function images({ id, images: all, texts }: RunDetails): HTMLElement {
  if (all.length === 0 && texts.length === 0)
    return note(
      'There are no images or texts. SummaryWriter.addImage and addText write them into the event file of a run.',
    );
  const cards = all.map(({ tag, steps }) => {
    const picture = h('img', { alt: tag });
    const caption = h('small');
    const show = (i: number): void => {
      picture.src = address('/api/image', { run: id, tag, step: steps[i] });
      caption.textContent = `step ${steps[i]}`;
    };
    const slider = h('input', {
      type: 'range',
      min: '0',
      max: String(steps.length - 1),
      value: String(steps.length - 1),
      oninput: () => show(Number(slider.value)),
      attributes: { 'aria-label': `step of ${tag}` },
    });
    show(steps.length - 1);
    return h(
      'section',
      { className: 'chart' },
      h('h3', { textContent: tag }),
      picture,
      steps.length > 1 ? slider : undefined,
      caption,
    );
  });
  const words = texts.map(({ tag, step, text }) =>
    h(
      'section',
      { className: 'chart' },
      h('h3', { textContent: `${tag}, step ${step}` }),
      h('pre', { textContent: text }),
    ),
  );
  return h('div', { className: 'charts' }, ...cards, ...words);
}

// ---------------------------------------------------------------- the doctor

function doctor({ diagnoses, examined, checks, notices }: RunDetails): HTMLElement {
  const findings = diagnoses.map(({ severity, title, evidence, remedy }) =>
    h(
      'section',
      { className: `finding ${severity}` },
      h('h3', { textContent: title }),
      h(
        'ul',
        {},
        ...evidence.map((item) =>
          h('li', { textContent: item.step === undefined ? item.text : `Step ${item.step}: ${item.text}` }),
        ),
      ),
      h('p', {}, h('b', { textContent: 'Remedy: ' }), remedy),
    ),
  );
  const looked = examined.length === 0 ? 'There is nothing to look at yet.' : `Looked at ${examined.join(', ')}.`;
  return h(
    'div',
    {},
    findings.length === 0 ? h('p', { className: 'healthy', textContent: 'Healthy: nothing found.' }) : undefined,
    ...findings,
    note(looked),
    ...checks.map(({ passed, text }) => h('p', { textContent: `${passed ? '✓' : '✗'} ${text}` })),
    ...notices.map(({ step, text }) => h('p', { textContent: `! Step ${step}: ${text}` })),
  );
}

// ---------------------------------------------------------------- settings

function settings(run: RunRow, { config, test }: RunDetails): HTMLElement {
  const facts: (readonly [string, string])[] = [
    ['run', run.name],
    ['status', run.fault ?? run.status],
    ['started', run.started],
    ['epochs', `${run.epochs}${run.plannedEpochs === null ? '' : ` of ${run.plannedEpochs}`}`],
    ['time', span(run.seconds)],
    ['parameters', run.parameters === null ? '–' : run.parameters.toLocaleString('en')],
    ...Object.entries(run.best).map(([name, value]) => [`best ${name}`, short(value)] as const),
    ...Object.entries(test ?? {}).map(([name, value]) => [`test ${name}`, short(value)] as const),
  ];
  return h(
    'div',
    {},
    h('dl', {}, ...facts.flatMap(([name, value]) => [h('dt', { textContent: name }), h('dd', { textContent: value })])),
    h('pre', { textContent: JSON.stringify(config, null, 2) }),
  );
}
