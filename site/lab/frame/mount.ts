// A figure in the page: makes its controls and canvases, starts its worker when it comes into sight, has a frame drawn each time the screen
// refreshes, and keeps the address in step with the settings. What it shows is also in attributes, for tests and other scripts:
// `data-state` (loading, running, paused, done, error) and, on the output, `data-values`.

import { type ControlRow, controlRow } from './controls.js';
import { element } from './element.js';
import { type Figure, type Frame, type Settings, defaultsOf, programOf } from './figure.js';
import type { ToPage, ToWorker } from './messages.js';
import type { Painter, Painting } from './painting.js';
import { short } from './plot.js';
import { readState, writeState } from './state.js';

export function mount(figure: Figure, root: HTMLElement, workerUrl: URL, painter: Painter): void {
  new Mounted(figure, root, workerUrl).begin(painter);
}

/** Browsers refuse addresses that change more often than a hundred times in ten seconds. */
const ADDRESS_PAUSE = 200;

/** Leaves what is as it should be: the page is laid out anew after every change. */
function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

class Mounted {
  private settings: Settings;
  private worker: Worker | undefined;
  private run = 0;
  private painting: Painting | undefined;
  private readonly canvases: Record<string, HTMLCanvasElement> = {};
  private readonly rows = new Map<string, ControlRow>();
  private waiting: Frame[] = [];
  /** What the painter has been given and not yet drawn. */
  private drawing: { readonly frame: Frame; readonly run: number } | undefined;
  private isShown = false;
  private isRunning = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  private isVisible = false;
  private isOver = false;
  /** Frames that are drawn even while paused. */
  private due = 1;
  private isDrawing = false;
  /** When a frame was given to be drawn last, and what waits for the time of the next. */
  private drawn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private addressTimer: ReturnType<typeof setTimeout> | undefined;
  private isAddressOld = false;
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

  begin(painter: Painter): void {
    const { figure, root } = this;
    const views = element('div', { className: 'views' }, ...figure.views.map((view) => this.view(view)));
    const controls = element('div', { className: 'controls' });
    for (const [name, control] of Object.entries(figure.controls)) {
      const row = controlRow(figure.name, name, control, this.settings[name]!, (value, besides) =>
        this.set({ ...besides, [name]: value }),
      );
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
    this.painting = painter.add(figure.name, this.canvases, {
      drawn: () => this.showDrawn(),
      set: (changed) => this.set(changed, true),
      failed: (message) => {
        this.show('error', message);
        reportError(new Error(message));
      },
    });
    this.painting.settings(this.settings);
    addEventListener('hashchange', () => this.adopt(readState(figure, location.hash)));
    new IntersectionObserver(
      ([entry]) => {
        this.isVisible = entry!.isIntersecting;
        if (this.isVisible && !this.worker) this.start();
        this.schedule();
      },
      { rootMargin: '200px' },
    ).observe(root);
    this.writeProgram();
    this.tell();
  }

  private view({ name, label, aspect = 1, wide = false, least, tall }: Figure['views'][number]): HTMLElement {
    const canvas = element('canvas', { role: 'img', ariaLabel: label });
    canvas.style.aspectRatio = `1 / ${aspect}`;
    if (tall) canvas.style.setProperty('--tall', `${tall}px`);
    if (least) canvas.style.minHeight = `${least}px`;
    this.canvases[name] = canvas;
    if (this.figure.point) {
      const give = (event: PointerEvent): void => this.painting?.point(name, [event.offsetX, event.offsetY]);
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

  /** `isKnown`: the painter has them already. */
  private set(changed: Settings, isKnown = false): void {
    Object.assign(this.settings, changed);
    for (const [name, value] of Object.entries(changed)) this.rows.get(name)?.show(value);
    if (!isKnown) this.painting?.settings(this.settings);
    this.writeAddress();
    this.writeProgram();
    const isLive = Object.keys(changed).every((name) => this.figure.controls[name]?.live);
    if (!this.worker) return;
    if (isLive && !this.isOver) this.send({ kind: 'change', run: this.run, settings: { ...this.settings } });
    else this.start();
    this.tell();
  }

  /** At once, and after more changes once more. */
  private writeAddress(): void {
    if (this.addressTimer !== undefined) {
      this.isAddressOld = true;
      return;
    }
    this.isAddressOld = false;
    const hash = writeState(this.figure, this.settings, location.hash);
    history.replaceState(null, '', `${location.pathname}${location.search}${hash}`);
    this.addressTimer = setTimeout(() => {
      this.addressTimer = undefined;
      if (this.isAddressOld) this.writeAddress();
    }, ADDRESS_PAUSE);
  }

  private writeProgram(): void {
    this.code.textContent = programOf(this.figure, this.settings);
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
      const frame = this.isRunning || this.due > 0 ? this.waiting.shift() : undefined;
      if (!frame) {
        this.isDrawing = false;
        return;
      }
      this.drawn = performance.now();
      this.due = 0;
      this.drawing = { frame, run: this.run };
      this.painting!.draw(frame);
      this.send({ kind: 'next', run: this.run });
    });
  }

  /** The painter has drawn what it was given: what stands beside the picture follows. */
  private showDrawn(): void {
    const { drawing } = this;
    this.isDrawing = false;
    if (drawing?.run === this.run) {
      this.isShown = true;
      this.write(drawing.frame);
      this.measure(drawing.frame);
      this.tell();
    }
    this.schedule();
  }

  private write(frame: Frame): void {
    for (const row of this.rows.values()) row.tell?.(frame);
    const { values } = frame;
    this.output.dataset['values'] = JSON.stringify(values);
    const entries = Object.entries(values);
    while (this.output.childElementCount > entries.length) this.output.lastElementChild!.remove();
    entries.forEach(([name, value], i) => {
      const text = typeof value === 'number' ? short(value) : value;
      const place = this.output.children[i];
      if (place) {
        setText(place.firstChild!, `${name} `);
        setText(place.lastChild!, text);
      } else this.output.append(element('span', {}, `${name} `, element('b', {}, text)));
    });
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
    const isDone = this.isOver && this.waiting.length === 0 && !this.isDrawing;
    if (this.root.dataset['state'] === 'error' && this.isOver) return;
    this.show(!this.isShown ? 'loading' : isDone ? 'done' : this.isRunning ? 'running' : 'paused');
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
