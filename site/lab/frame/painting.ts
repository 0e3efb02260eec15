// The page's side of the painter: one worker draws all figures of a page; here are the canvases that it was given, their sizes and the
// page's colours, as they change.

import type { Frame, Settings } from './figure.js';
import type { FromPainter, Sizes, ToPainter } from './messages.js';
import { COLOURS } from './plot.js';

export interface PaintingEvents {
  drawn(): void;
  /** What a touch of the picture has set. */
  set(settings: Settings): void;
  failed(message: string): void;
}

export class Painter {
  private readonly worker: Worker;
  private readonly paintings = new Map<string, PaintingEvents>();

  constructor(url: URL) {
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromPainter>) => {
      const events = this.paintings.get(data.figure);
      if (data.kind === 'drawn') events?.drawn();
      else if (data.kind === 'set') events?.set(data.settings);
      else events?.failed(data.message);
    };
    this.worker.onerror = (event) => {
      for (const events of this.paintings.values()) events.failed(event.message || 'the script that draws is missing');
    };
    const look = (): void => this.look();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', look);
    document.addEventListener('themechange', look);
    addEventListener('resize', look); // also when the page is magnified
    look();
  }

  send(message: ToPainter, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  /** Gives the canvases of a figure to the worker. */
  add(figure: string, canvases: Readonly<Record<string, HTMLCanvasElement>>, events: PaintingEvents): Painting {
    this.paintings.set(figure, events);
    return new Painting(this, figure, canvases);
  }

  private look(): void {
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.send({ kind: 'look', look: { colours, ratio: devicePixelRatio || 1 } });
  }
}

export class Painting {
  private readonly painter: Painter;
  private readonly figure: string;

  constructor(painter: Painter, figure: string, canvases: Readonly<Record<string, HTMLCanvasElement>>) {
    [this.painter, this.figure] = [painter, figure];
    const given = Object.fromEntries(
      Object.entries(canvases).map(([name, canvas]) => [name, canvas.transferControlToOffscreen()]),
    );
    painter.send({ kind: 'canvases', figure, canvases: given }, Object.values(given));
    const names = new Map(Object.entries(canvases).map(([name, canvas]) => [canvas, name]));
    const observer = new ResizeObserver((entries) => {
      const sizes: Sizes = Object.fromEntries(
        entries.map(({ target, contentRect }) => [names.get(target as HTMLCanvasElement)!, [contentRect.width, contentRect.height]]), // prettier-ignore
      );
      painter.send({ kind: 'sizes', figure, sizes });
    });
    for (const canvas of names.keys()) observer.observe(canvas);
  }

  draw(frame: Frame): void {
    this.painter.send({ kind: 'draw', figure: this.figure, frame });
  }

  settings(settings: Settings): void {
    this.painter.send({ kind: 'settings', figure: this.figure, settings: { ...settings } });
  }

  point(view: string, at: readonly [number, number]): void {
    this.painter.send({ kind: 'point', figure: this.figure, view, at });
  }
}
