// The page of `nabla dashboard`: asks the server every second what is new and draws it.

import type { RunDetails, RunList, RunRow, SeriesData } from '../api.js';
import { makeCurves } from './curves.js';
import { type DetailTab, details } from './details.js';
import { ask, colourOf, h, short } from './dom.js';
import { parallelCoordinates } from './parallel.js';
import { type Axis, FIRST_RUNS, TABS, type Tab, matches, readView, writeView } from './state.js';
import { runTable } from './table.js';

const EVERY_MS = 1000;
/** Names of runs in the list; those beyond are found by the filter. */
const MOST_NAMES = 300;

const view = readView();
let list: RunList = { folder: '', version: -1, runs: [] };
let series: readonly SeriesData[] = [];
let found: RunDetails | undefined;
/** What the data on the page were asked for. */
let shown = '';

const curves = makeCurves((zoom) => {
  view.zoom = zoom;
  changed();
});
const status = h('p', { className: 'note', attributes: { role: 'status' } });
const names = h('ul', { className: 'runs' });
const tabs = h('nav', { attributes: { 'aria-label': 'views' } });
const controls = h('div', { className: 'controls' });
const main = h('main', { attributes: { id: 'main' } });
const filter = h('input', {
  type: 'search',
  placeholder: 'filter: digits, lr < 0.01',
  value: view.filter,
  oninput: () => {
    view.filter = filter.value;
    changed();
  },
  attributes: { 'aria-label': 'which runs: words, and conditions on settings and results' },
});

document.body.append(
  h('header', {}, h('h1', { textContent: '∇ runs' }), tabs),
  h(
    'div',
    { className: 'columns' },
    h('aside', {}, filter, status, names),
    h('div', { className: 'content' }, controls, main),
  ),
);

const visibleRuns = (): RunRow[] => list.runs.filter((run) => matches(run, view.filter));

function chosenRuns(): RunRow[] {
  const runs = visibleRuns();
  const { chosen } = view;
  return chosen === undefined ? runs.slice(0, FIRST_RUNS) : runs.filter(({ name }) => chosen.includes(name));
}

function focusedRun(): RunRow | undefined {
  const runs = visibleRuns();
  return runs.find(({ name }) => name === view.focus) ?? chosenRuns()[0] ?? runs[0];
}

function choose(run: RunRow, isChosen: boolean): void {
  const before = chosenRuns().map(({ name }) => name);
  view.chosen = isChosen ? [...before, run.name] : before.filter((name) => name !== run.name);
  changed();
}

function pick(run: RunRow): void {
  view.focus = run.name;
  if (isOneRun(view.tab)) changed();
  else go('settings');
}

const isOneRun = (tab: Tab): tab is DetailTab => !['curves', 'table', 'parallel'].includes(tab);

function go(tab: Tab): void {
  view.tab = tab;
  changed();
}

// ---------------------------------------------------------------- drawing

function drawTabs(): void {
  tabs.replaceChildren(
    ...TABS.map((tab) =>
      h('button', {
        textContent: tab,
        onclick: () => go(tab),
        attributes: view.tab === tab ? { 'aria-current': 'page' } : {},
      }),
    ),
  );
}

function drawNames(): void {
  const runs = visibleRuns();
  const chosen = new Set(chosenRuns());
  const focus = focusedRun();
  names.replaceChildren(
    ...runs.slice(0, MOST_NAMES).map((run) => {
      const box = h('input', {
        type: 'checkbox',
        checked: chosen.has(run),
        onchange: () => choose(run, box.checked),
        attributes: { 'aria-label': `curves of ${run.name}` },
      });
      box.style.accentColor = colourOf(run.id);
      const state =
        run.fault ??
        (run.status === 'unfinished'
          ? `epoch ${run.epochs}${run.plannedEpochs === null ? '' : `/${run.plannedEpochs}`}`
          : run.status);
      const small = h('small', {
        textContent: `${state}${'loss' in run.best ? `, loss ${short(run.best.loss)}` : ''}`,
      });
      const button = h(
        'button',
        { onclick: () => pick(run), title: run.name },
        h('span', { textContent: run.name }),
        small,
      );
      return h('li', { className: run === focus && isOneRun(view.tab) ? 'focus' : '' }, box, button);
    }),
  );
  const hidden = runs.length > MOST_NAMES ? `; the first ${MOST_NAMES} are listed` : '';
  status.textContent = `${runs.length} of ${list.runs.length} runs in ${list.folder}${hidden}`;
}

function drawControls(): void {
  if (view.tab !== 'curves') {
    controls.replaceChildren();
    return;
  }
  const axes: readonly Axis[] = ['step', 'epoch', 'seconds'];
  const value = h('output', { textContent: view.smoothing.toFixed(2) });
  const slider = h('input', {
    type: 'range',
    min: '0',
    max: '0.99',
    step: '0.01',
    value: String(view.smoothing),
    oninput: () => {
      view.smoothing = Number(slider.value);
      value.textContent = view.smoothing.toFixed(2);
      writeView(view);
      curves.show(series, chosenRuns(), view);
    },
  });
  const log = h('input', {
    type: 'checkbox',
    checked: view.log,
    onchange: () => ((view.log = log.checked), changed()),
  });
  controls.replaceChildren(
    h('label', {}, 'smoothing', slider, value),
    h(
      'span',
      { className: 'switch', attributes: { role: 'group', 'aria-label': 'what the x axis is' } },
      ...axes.map((axis) =>
        h('button', {
          textContent: axis,
          onclick: () => ((view.axis = axis), changed()),
          attributes: { 'aria-pressed': String(view.axis === axis) },
        }),
      ),
    ),
    h('label', {}, log, 'log losses'),
    h('button', {
      textContent: 'all',
      onclick: () => ((view.chosen = visibleRuns().map(({ name }) => name)), changed()),
    }),
    h('button', { textContent: 'none', onclick: () => ((view.chosen = []), changed()) }),
    view.zoom === undefined
      ? ''
      : h('button', { textContent: 'whole range', onclick: () => ((view.zoom = undefined), changed()) }),
    h('span', {
      className: 'note',
      textContent: 'solid: validation, dashed: training, faint: each step. Drag to zoom.',
    }),
  );
}

function drawMain(): void {
  const runs = visibleRuns();
  const run = focusedRun();
  const { tab } = view;
  if (runs.length === 0) {
    main.replaceChildren(
      h('p', {
        className: 'note',
        textContent:
          list.runs.length === 0
            ? 'There are no runs here yet. They appear when they begin.'
            : 'No run passes the filter.',
      }),
    );
  } else if (tab === 'curves') {
    if (main.firstChild !== curves.element) main.replaceChildren(curves.element);
    curves.show(series, chosenRuns(), view);
  } else if (tab === 'table') {
    main.replaceChildren(runTable(runs, view, (sort) => ((view.sort = sort), changed()), pick));
  } else if (tab === 'parallel') main.replaceChildren(parallelCoordinates(runs, main.clientWidth, pick));
  else if (run !== undefined && found?.id !== run.id)
    main.replaceChildren(h('p', { className: 'note', textContent: `Reading ${run.name} …` }));
  else if (run !== undefined && found !== undefined)
    main.replaceChildren(h('h2', { textContent: run.name }), details(tab, run, found, main.clientWidth));
}

// ---------------------------------------------------------------- what is new

/** Of what is on the page: it is asked for again only when this changes. */
function wanted(): string {
  if (view.tab === 'curves') return JSON.stringify([chosenRuns().map(({ id, version }) => [id, version]), view.zoom]);
  const run = isOneRun(view.tab) ? focusedRun() : undefined;
  return JSON.stringify([view.tab, run?.id, run?.version, list.version]);
}

async function load(): Promise<void> {
  const now = wanted();
  if (now === shown) return;
  const runs = chosenRuns();
  const run = focusedRun();
  if (view.tab === 'curves')
    series =
      runs.length === 0
        ? []
        : await ask<SeriesData[]>('/api/series', { runs: runs.map(({ id }) => id).join(','), ...view.zoom });
  else if (isOneRun(view.tab) && run !== undefined) found = await ask<RunDetails>('/api/details', { run: run.id });
  if (now !== wanted()) return load(); // something was clicked meanwhile
  shown = now;
  drawMain();
}

let failed = '';
function report(error: unknown): void {
  failed = (error as Error).message;
  status.textContent = `The dashboard does not answer (${failed}). Is nabla dashboard still running?`;
}

/** Something was chosen. */
function changed(): void {
  writeView(view);
  drawTabs();
  drawNames();
  drawControls();
  drawMain();
  load().catch(report);
}

async function follow(): Promise<void> {
  try {
    const next = await ask<RunList>('/api/runs', { known: list.version });
    if (next.version !== list.version || failed !== '') {
      failed = '';
      if (next.version !== list.version) list = next;
      drawNames();
      await load();
    }
  } catch (error) {
    report(error);
  }
  setTimeout(() => void follow(), EVERY_MS);
}

changed();
void follow();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => location.reload()); // charts are drawn in its colours
