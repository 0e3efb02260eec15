// Drawing on a canvas in the coordinates of the data: heat maps, lines, dots, axes, words. Colours are those of the page, light or dark.
// It runs in a worker: what it knows of the page is a Look, which the page sends.

/** Corners of what is shown, in the coordinates of the data. */
export interface Box {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** Custom properties of the page's style that pictures are drawn in. */
export const COLOURS = [
  'page',
  'canvas',
  'ink',
  'muted',
  'rule',
  'accent',
  'good',
  'bad',
  'class-0',
  'class-1',
  'class-2',
  'class-3',
  'class-4',
];

/** How the page looks at present. */
export interface Look {
  readonly colours: Readonly<Record<string, string>>;
  /** Pixels of the screen in one of the page. */
  readonly ratio: number;
}

const MARGIN = { left: 40, right: 14, top: 10, bottom: 24 };

export class Plot {
  readonly context: OffscreenCanvasRenderingContext2D;
  /** In pixels of the page. */
  width = 0;
  height = 0;
  look: Look = { colours: {}, ratio: 1 };
  box: Box = { x0: 0, x1: 1, y0: 0, y1: 1 };
  private inner = { left: 0, top: 0, width: 0, height: 0 };
  /** Where pictures are put together before they are drawn, and dots as they were drawn once: hundreds of each are in a frame. */
  private readonly scratch = new OffscreenCanvas(1, 1);
  private readonly stamps = new Map<string, OffscreenCanvas>();
  private readonly canvas: OffscreenCanvas;

  constructor(canvas: OffscreenCanvas) {
    this.canvas = canvas;
    const context = canvas.getContext('2d');
    if (!context) throw new Error('This browser draws no canvas.');
    this.context = context;
  }

  /** Clears the canvas and says what part of the plane it shows; `axes` leave a margin for numbers. */
  begin(
    box: Box,
    {
      axes = false,
      inset = 0,
      left: margin = MARGIN.left,
      log = '',
    }: {
      readonly axes?: boolean;
      readonly inset?: number;
      readonly left?: number;
      /** Axes on which the data are decimal logarithms of what is written there. */
      readonly log?: '' | 'x' | 'y' | 'xy';
    } = {},
  ): void {
    const { canvas, context, ratio } = this;
    const [w, h] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.font = '12px system-ui, sans-serif';
    context.lineJoin = 'round';
    this.box = box;
    const { left, right, top, bottom } = axes
      ? { ...MARGIN, left: margin }
      : { left: inset, right: inset, top: inset, bottom: inset };
    this.inner = { left, top, width: this.width - left - right, height: this.height - top - bottom };
    if (axes) this.axes(log);
  }

  private get ratio(): number {
    return Math.min(3, this.look.ratio);
  }

  /** A custom property of the page's style. */
  colour(name: string): string {
    return this.look.colours[name] ?? '';
  }

  rgb(name: string): Rgb {
    const digits = this.colour(name).slice(1);
    const part = (i: number): number => Number.parseInt(digits.slice(i, i + 2), 16);
    return [part(0), part(2), part(4)];
  }

  x(value: number): number {
    return this.inner.left + ((value - this.box.x0) / (this.box.x1 - this.box.x0)) * this.inner.width;
  }

  y(value: number): number {
    return this.inner.top + ((this.box.y1 - value) / (this.box.y1 - this.box.y0)) * this.inner.height;
  }

  /** From the canvas's own pixels to the data. */
  at(px: number, py: number): [x: number, y: number] {
    const { x0, x1, y0, y1 } = this.box;
    const { left, top, width, height } = this.inner;
    return [x0 + ((px - left) / width) * (x1 - x0), y1 - ((py - top) / height) * (y1 - y0)];
  }

  /**
   * A map of rows × columns numbers, each −1 … 1 after `scale`, from the first of two colours over the background to the second; the first
   * row is the lowest. `smooth` blends between the numbers. `into` is where; default: everything.
   */
  heat(
    data: ArrayLike<number>,
    rows: number,
    columns: number,
    {
      scale = (v: number) => v,
      low = 'class-0',
      high = 'class-1',
      strength = 0.75,
      smooth = true,
      into = this.box,
    }: {
      readonly scale?: (value: number) => number;
      readonly low?: string;
      readonly high?: string;
      readonly strength?: number;
      readonly smooth?: boolean;
      readonly into?: Box;
    } = {},
  ): void {
    const [zero, minus, plus] = [this.rgb('canvas'), this.rgb(low), this.rgb(high)];
    const pixels = new ImageData(columns, rows);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const v = Math.max(-1, Math.min(1, scale(data[i * columns + j]!)));
        const to = v < 0 ? minus : plus;
        const at = 4 * ((rows - 1 - i) * columns + j);
        for (let c = 0; c < 3; c++) pixels.data[at + c] = zero[c]! + (to[c]! - zero[c]!) * Math.abs(v) * strength;
        pixels.data[at + 3] = 255;
      }
    }
    this.image(pixels, into, smooth);
  }

  /** A map of rows × columns numbers of classes, the first row the lowest. */
  classes(data: ArrayLike<number>, rows: number, columns: number, into: Box = this.box, strength = 0.4): void {
    const zero = this.rgb('canvas');
    const colours = [0, 1, 2, 3, 4].map((i) => this.rgb(`class-${i}`));
    const pixels = new ImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
      const to = colours[data[i]!] ?? zero;
      for (let c = 0; c < 3; c++) pixels.data[at + c] = zero[c]! + (to[c]! - zero[c]!) * strength;
      pixels.data[at + 3] = 255;
    }
    this.image(pixels, into, true);
  }

  image(pixels: ImageData, into: Box = this.box, smooth = false): void {
    const source = this.scratch;
    if (source.width !== pixels.width || source.height !== pixels.height)
      [source.width, source.height] = [pixels.width, pixels.height];
    source.getContext('2d')!.putImageData(pixels, 0, 0);
    this.context.imageSmoothingEnabled = smooth;
    this.context.imageSmoothingQuality = 'high';
    const [left, top] = [this.x(into.x0), this.y(into.y1)];
    this.context.drawImage(source, left, top, this.x(into.x1) - left, this.y(into.y0) - top);
  }

  line(
    points: Iterable<readonly [number, number]>,
    colour: string,
    { width = 2, dash = [] }: { readonly width?: number; readonly dash?: number[] } = {},
  ): void {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.inner.left - 1, this.inner.top - 1, this.inner.width + 2, this.inner.height + 2);
    context.clip();
    context.beginPath();
    // Beyond the picture a line goes on, but not to where a canvas loses count.
    for (const [x, y] of points)
      if (Number.isFinite(x) && Number.isFinite(y)) context.lineTo(clamp(this.x(x)), clamp(this.y(y)));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.restore();
  }

  dot(
    x: number,
    y: number,
    colour: string,
    { radius = 3.5, hollow = false }: { readonly radius?: number; readonly hollow?: boolean } = {},
  ): void {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    const stamp = this.stamp(colour, radius, hollow);
    const side = stamp.width / this.ratio;
    this.context.drawImage(stamp, clamp(this.x(x)) - side / 2, clamp(this.y(y)) - side / 2, side, side);
  }

  /** A circle around a place, its radius in pixels. */
  ring(x: number, y: number, colour: string, radius: number): void {
    const { context } = this;
    context.beginPath();
    context.arc(this.x(x), this.y(y), radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  }

  private stamp(colour: string, radius: number, hollow: boolean): OffscreenCanvas {
    const ground = this.colour('canvas');
    const key = `${colour} ${radius} ${hollow} ${ground} ${this.ratio}`;
    const found = this.stamps.get(key);
    if (found) return found;
    const side = 2 * Math.ceil((radius + 1.5) * this.ratio);
    const made = new OffscreenCanvas(side, side);
    const context = made.getContext('2d')!;
    context.scale(this.ratio, this.ratio);
    context.beginPath();
    context.arc(side / 2 / this.ratio, side / 2 / this.ratio, radius, 0, 2 * Math.PI);
    context.lineWidth = hollow ? 1.5 : 1;
    context.fillStyle = hollow ? ground : colour;
    context.strokeStyle = hollow ? colour : ground;
    context.fill();
    context.stroke();
    if (this.stamps.size > 100) this.stamps.clear(); // colours that are computed
    this.stamps.set(key, made);
    return made;
  }

  text(
    text: string,
    x: number,
    y: number,
    {
      align = 'left',
      colour = this.colour('ink'),
    }: { readonly align?: CanvasTextAlign; readonly colour?: string } = {},
  ): void {
    this.context.textAlign = align;
    this.context.textBaseline = 'middle';
    this.context.fillStyle = colour;
    this.context.fillText(text, this.x(x), this.y(y));
  }

  /** Words from x on that are cut where there is no more room, in pixels; in the font that is set. */
  fitted(text: string, x: number, y: number, room: number, colour: string): void {
    const { context } = this;
    let shown = text;
    while (shown.length > 1 && context.measureText(shown).width > room) shown = `${shown.slice(0, -2)}…`;
    this.text(shown, x, y, { colour });
  }

  /** A full rectangle with its lower left corner at x, y. */
  fill(x: number, y: number, width: number, height: number, colour: string): void {
    const [left, top] = [this.x(x), this.y(y + height)];
    this.context.fillStyle = colour;
    this.context.fillRect(left, top, this.x(x + width) - left, this.y(y) - top);
  }

  /** An empty rectangle with its lower left corner at x, y. */
  frame(x: number, y: number, width: number, height: number, colour: string, line: number): void {
    const [left, top] = [this.x(x), this.y(y + height)];
    this.context.strokeStyle = colour;
    this.context.lineWidth = line;
    const inside = line / 2; // beside each other, none covers another's edge
    this.context.strokeRect(left + inside, top + inside, this.x(x + width) - left - line, this.y(y) - top - line);
  }

  /** Words so many pixels below a place (above, if negative). */
  beside(text: string, x: number, y: number, down: number, colour: string): void {
    const { context } = this;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = colour;
    context.fillText(text, this.x(x), this.y(y) + down);
  }

  /** Words that are read from below to above. */
  upward(text: string, x: number, y: number, colour: string): void {
    const { context } = this;
    context.save();
    context.translate(this.x(x), this.y(y));
    context.rotate(-Math.PI / 2);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillStyle = colour;
    context.fillText(text, 0, 0);
    context.restore();
  }

  /** Nearly hides what lies where words will be written, to the left of a place or to its right. */
  ground(text: string, x: number, y: number, isLeft: boolean): void {
    const { context } = this;
    const width = context.measureText(text).width + 8;
    context.globalAlpha = 0.8;
    context.fillStyle = this.colour('canvas');
    context.fillRect(this.x(x) - (isLeft ? width - 4 : 4), this.y(y) - 8.5, width, 17);
    context.globalAlpha = 1;
  }

  /** Words that hide what lies behind them. */
  badge(text: string, x: number, y: number, colour: string): void {
    const { context } = this;
    const width = context.measureText(text).width + 8;
    context.fillStyle = this.colour('canvas');
    context.fillRect(this.x(x) - width / 2, this.y(y) - 8, width, 16);
    this.beside(text, x, y, 0, colour);
  }

  private axes(log: string): void {
    const { context, box, inner } = this;
    context.strokeStyle = this.colour('rule');
    context.lineWidth = 1;
    const muted = this.colour('muted');
    const text = (v: number, axis: string): string => (log.includes(axis) ? power(v) : short(v));
    for (const v of ticks(box.x0, box.x1, inner.width / 70, log.includes('x'))) {
      this.line([[v, box.y0], [v, box.y1]], this.colour('rule'), { width: 1 }); // prettier-ignore
      context.fillStyle = muted;
      context.textAlign = 'center';
      context.textBaseline = 'top';
      context.fillText(text(v, 'x'), this.x(v), inner.top + inner.height + 6);
    }
    for (const v of ticks(box.y0, box.y1, inner.height / 40, log.includes('y'))) {
      this.line([[box.x0, v], [box.x1, v]], this.colour('rule'), { width: 1 }); // prettier-ignore
      context.fillStyle = muted;
      context.textAlign = 'right';
      context.textBaseline = 'middle';
      context.fillText(text(v, 'y'), inner.left - 6, this.y(v));
    }
  }
}

const clamp = (pixel: number): number => Math.max(-1e4, Math.min(1e4, pixel));

/** Round numbers between two, about as many as asked for; whole ones where asked for. */
function ticks(from: number, to: number, count: number, whole = false): number[] {
  const rough = (to - from) / Math.max(1, count);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(whole ? 1 : 0, [1, 2, 5, 10].find((m) => m * power >= rough)! * power);
  const found: number[] = [];
  for (let v = Math.ceil(from / step) * step; v <= to + 1e-9 * step; v += step)
    found.push(Math.abs(v) < step / 2 ? 0 : v);
  return found;
}

/** A power of ten as people write it. */
function power(exponent: number): string {
  if (exponent >= -3 && exponent <= 4) return short(10 ** exponent);
  return `10${String(exponent).replace(/./g, (c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? '⁻')}`;
}

/** A number as people write it, four digits at most. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value === 0) return '0';
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
  return text.replace('-', '−');
}
