// A figure in the page: makes its controls and canvases, starts its worker when it comes into sight, draws a frame each time the screen
// refreshes, and keeps the address in step with the settings. What it shows is also in attributes, for tests and other scripts:
// `data-state` (loading, running, paused, done, error) and, on the output, `data-values`.

import { type ControlRow, controlRow } from './controls.js';
import { type Figure, type Frame, type Settings, defaultsOf, programOf } from './figure.js';
import type { ToPage, ToWorker } from './messages.js';
import { Plot, short } from './plot.js';
import { readState, writeState } from './state.js';

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function mount(figure: Figure, root: HTMLElement, workerUrl: URL): void {
  new Mounted(figure, root, workerUrl).begin();
}

class Mounted {
  private settings: Settings;
  private worker: Worker | undefined;
  private run = 0;
  private readonly plots: Record<string, Plot> = {};
  private readonly rows = new Map<string, ControlRow>();
  private waiting: Frame[] = [];
  private shown: Frame | undefined;
  private isRunning = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  private isVisible = false;
  private isOver = false;
  /** Frames that are drawn even while paused. */
  private due = 1;
  private isDrawing = false;
  /** When a frame was drawn last, and what waits for the time of the next. */
  private drawn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private rate: { time: number; step: number } | undefined;
  private readonly status = element('span', { className: 'status', role: 'status' });
  private readonly speed = element('span', { className: 'speed' });
  private readonly output = element('output', { className: 'values' });
  private readonly play = element('button', { type: 'button', className: 'play' });
  private readonly code = element('code');

  private readonly figure: Figure;
  private readonly root: HTMLElement;
  private readonly workerUrl: URL;

  constructor(figure: Figure, root: HTMLElement, workerUrl: URL) {
    this.figure = figure;
    this.root = root;
    this.workerUrl = workerUrl;
    this.settings = readState(figure, location.hash);
  }

  begin(): void {
    const { figure, root } = this;
    const views = element('div', { className: 'views' }, ...figure.views.map((view) => this.view(view)));
    const controls = element('div', { className: 'controls' });
    for (const [name, control] of Object.entries(figure.controls)) {
      const row = controlRow(figure.name, name, control, this.settings[name]!, (value) => this.set({ [name]: value }));
      this.rows.set(name, row);
      controls.append(row.element);
    }
    root
      .querySelector('.stage')!
      .replaceChildren(
        element('div', { className: 'pictures' }, views, this.output),
        element(
          'div',
          { className: 'side' },
          this.buttons(),
          controls,
          element('p', { className: 'state' }, this.status, this.speed),
        ),
      );
    root.append(this.program());
    // Pictures depend on their size and on the colours of the page.
    const redraw = (): void => this.paint();
    new ResizeObserver(redraw).observe(views);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
    document.addEventListener('themechange', redraw);
    addEventListener('hashchange', () => this.adopt(readState(figure, location.hash)));
    new IntersectionObserver(
      ([entry]) => {
        this.isVisible = entry!.isIntersecting;
        if (this.isVisible && !this.worker) this.start();
        this.schedule();
      },
      { rootMargin: '200px' },
    ).observe(root);
    this.tell();
  }

  private view({ name, label, aspect = 1, wide = false, least }: Figure['views'][number]): HTMLElement {
    const canvas = element('canvas', { role: 'img', ariaLabel: label });
    canvas.style.aspectRatio = `1 / ${aspect}`;
    if (least) canvas.style.minHeight = `${least}px`;
    this.plots[name] = new Plot(canvas);
    const { point } = this.figure;
    if (point) {
      const give = (event: PointerEvent): void => {
        const [x, y] = this.plots[name]!.at(event.offsetX, event.offsetY);
        const changed = this.figure.point!(name, x, y, this.settings);
        if (Object.keys(changed).length > 0) this.set(changed);
      };
      canvas.classList.add('touched');
      canvas.addEventListener('pointerdown', (event) => (canvas.setPointerCapture(event.pointerId), give(event)));
      canvas.addEventListener('pointermove', (event) => void (event.buttons & 1 && give(event)));
    }
    canvas.dataset['view'] = name;
    return element('figure', { className: wide ? 'view wide' : 'view' }, canvas, element('figcaption', {}, label));
  }

  private buttons(): HTMLElement {
    const button = (text: string, title: string, onclick: () => void): HTMLButtonElement =>
      element('button', { type: 'button', textContent: text, title, onclick });
    this.play.onclick = () => {
      if (this.isOver) this.start();
      this.isRunning = this.isOver ? true : !this.isRunning;
      this.schedule();
      this.tell();
    };
    const step = button('Step', 'One picture further', () => {
      this.isRunning = false;
      if (this.isOver) this.start();
      else this.due = 1;
      this.schedule();
      this.tell();
    });
    const reset = button('Reset', 'All settings as they were at first', () =>
      this.adopt(defaultsOf(this.figure), true),
    );
    const share = button('Share', 'Copies the address of this figure with its settings', async () => {
      const link = new URL(location.href);
      link.hash = writeState(this.figure, this.settings, '') || `#${this.figure.name}`;
      try {
        await navigator.clipboard.writeText(link.href);
        share.textContent = 'Link copied';
      } catch {
        // Without permission to copy, the link goes where it can be copied by hand.
        location.hash = link.hash;
        share.textContent = 'Link is in the address bar';
      }
      setTimeout(() => (share.textContent = 'Share'), 2000);
    });
    return element(
      'div',
      { className: 'buttons', role: 'group', ariaLabel: this.figure.title },
      this.play,
      step,
      reset,
      share,
    );
  }

  private program(): HTMLElement {
    const copy = element('button', { type: 'button', textContent: 'Copy' });
    copy.onclick = async () => {
      await navigator.clipboard.writeText(this.code.textContent ?? '');
      copy.textContent = 'Copied';
      setTimeout(() => (copy.textContent = 'Copy'), 2000);
    };
    const hint = 'The program that this figure runs. It runs as it stands in a project that has nabla.';
    const listing = element('pre', { tabIndex: 0 }, this.code);
    return element(
      'details',
      { className: 'code' },
      element('summary', {}, 'Show code'),
      element('p', {}, hint, ' ', copy),
      listing,
    );
  }

  private set(changed: Settings): void {
    Object.assign(this.settings, changed);
    for (const [name, value] of Object.entries(changed)) this.rows.get(name)?.show(value);
    history.replaceState(
      null,
      '',
      `${location.pathname}${location.search}${writeState(this.figure, this.settings, location.hash)}`,
    );
    const isLive = Object.keys(changed).every((name) => this.figure.controls[name]?.live);
    if (!this.worker) return;
    if (isLive && !this.isOver) this.send({ kind: 'change', run: this.run, settings: { ...this.settings } });
    else this.start();
    this.tell();
  }

  private adopt(settings: Settings, always = false): void {
    const isSame = Object.entries(settings).every(([name, value]) => this.settings[name] === value);
    if (isSame && !always) return;
    this.settings = {};
    this.set(settings);
    if (this.worker && !isSame) this.start();
    else if (always && this.worker) this.start();
  }

  private send(message: ToWorker): void {
    this.worker!.postMessage(message);
  }

  private start(): void {
    if (!this.worker) {
      this.worker = new Worker(this.workerUrl);
      this.worker.onmessage = ({ data }: MessageEvent<ToPage>) => this.receive(data);
      this.worker.onerror = (event) => this.show('error', event.message);
    }
    this.run++;
    this.waiting = [];
    this.due = 1;
    this.isOver = false;
    this.rate = undefined;
    this.send({ kind: 'start', run: this.run, figure: this.figure.name, settings: { ...this.settings } });
    this.tell();
  }

  private receive(message: ToPage): void {
    if (message.run !== this.run) return;
    if (message.kind === 'frame') {
      this.waiting.push(message.frame);
      this.schedule();
    } else if (message.kind === 'end') {
      this.isOver = true;
      this.tell();
    } else {
      this.isOver = true;
      this.waiting = [];
      this.show('error', message.message);
    }
  }

  private schedule(): void {
    const isWanted = this.isVisible && this.waiting.length > 0 && (this.isRunning || this.due > 0);
    if (!isWanted || this.isDrawing) return;
    const { pace = 0 } = this.figure;
    const early = this.due > 0 ? 0 : this.drawn + pace - performance.now();
    if (early > 0) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.schedule(), early);
      return;
    }
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.drawn = performance.now();
      const frame = this.isRunning || this.due > 0 ? this.waiting.shift() : undefined;
      if (!frame) return;
      this.due = 0;
      this.shown = frame;
      this.send({ kind: 'next', run: this.run });
      this.paint();
      this.measure(frame);
      this.tell();
      this.schedule();
    });
  }

  private paint(): void {
    const frame = this.shown;
    if (!frame) return;
    this.figure.draw(this.plots, frame);
    const { values } = frame;
    this.output.dataset['values'] = JSON.stringify(values);
    this.output.replaceChildren(
      ...Object.entries(values).map(([name, value]) =>
        element('span', {}, `${name} `, element('b', {}, typeof value === 'number' ? short(value) : value)),
      ),
    );
  }

  /** Steps a second, over the last one. */
  private measure({ values: { step } }: Frame): void {
    if (typeof step !== 'number') return;
    const now = performance.now();
    this.rate ??= { time: now, step };
    const seconds = (now - this.rate.time) / 1000;
    if (seconds < 1) return;
    const rate = (step - this.rate.step) / seconds;
    this.speed.textContent = `${Math.round(rate)} steps a second`;
    this.speed.dataset['rate'] = String(rate);
    this.rate = { time: now, step };
  }

  private tell(): void {
    this.code.textContent = programOf(this.figure, this.settings);
    const isDone = this.isOver && this.waiting.length === 0;
    if (this.root.dataset['state'] === 'error' && this.isOver) return;
    this.show(!this.shown ? 'loading' : isDone ? 'done' : this.isRunning ? 'running' : 'paused');
  }

  private show(state: 'loading' | 'running' | 'paused' | 'done' | 'error', text = ''): void {
    if (this.root.dataset['state'] !== state || text) {
      this.root.dataset['state'] = state;
      const words = { loading: 'Starting nabla…', running: 'Computing', paused: 'Paused', done: 'Done', error: text };
      this.status.textContent = words[state];
      this.play.textContent =
        state === 'running' || state === 'loading' ? 'Pause' : state === 'paused' ? 'Run' : 'Again';
    }
  }
}
