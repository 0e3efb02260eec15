// A small canvas for pictures of environments: shapes in the units of a world, painted over one another. Out: RGB pixels (with four
// samples a pixel, so that edges are smooth), or lines of Braille dots for a terminal.
// Must not know: environments.

import type { ImageBytes } from '../../io/png.js';
import { largest, smallest } from '../../tensor/extremes.js';

/** The part of the world that is seen, and the size of the picture in pixels. */
export interface Window {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Colour = readonly [red: number, green: number, blue: number];
export type Point = readonly [x: number, y: number];

/** Samples along a side of a pixel. */
const SAMPLES = 2;
const BACKGROUND: Colour = [255, 255, 255];
/** Characters in a line of text, and lines, at most; a character is 2 dots wide and 4 high. */
const COLUMNS = 60;
const ROWS = 16;
const BRAILLE = 0x2800;
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

export class Canvas {
  private readonly world: Window;
  private readonly columns: number;
  private readonly rows: number;
  /** RGB of each sample, row by row from the top. */
  private readonly samples: Uint8Array;

  constructor(world: Window, samples = SAMPLES) {
    this.world = world;
    this.columns = world.width * samples;
    this.rows = world.height * samples;
    this.samples = new Uint8Array(this.columns * this.rows * 3).fill(BACKGROUND[0]);
  }

  /** A canvas with a sample for each dot of the text; `ratio` is width by height. */
  static forText(world: Omit<Window, 'width' | 'height'>, ratio: number): Canvas {
    const rows = Math.min(ROWS, Math.max(1, Math.round((2 * COLUMNS) / ratio / 4)));
    const width = 2 * Math.min(COLUMNS, Math.round((4 * rows * ratio) / 2));
    const height = 4 * rows;
    return new Canvas({ ...world, width, height }, 1);
  }

  /** The inside of a polygon. */
  polygon(points: readonly Point[], colour: Colour): void {
    const corners = points.map((point) => this.place(point));
    const rows = corners.map(([, y]) => y);
    const [first, last] = [Math.max(0, Math.floor(smallest(rows))), Math.min(this.rows - 1, Math.ceil(largest(rows)))];
    for (let row = first; row <= last; row++) {
      const crossings: number[] = [];
      const y = row + 0.5;
      corners.forEach(([x1, y1], i) => {
        const [x2, y2] = corners[(i + 1) % corners.length];
        if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
      });
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2)
        for (let column = Math.round(crossings[i]); column < Math.round(crossings[i + 1]); column++)
          this.set(column, row, colour);
    }
  }

  rectangle(left: number, bottom: number, right: number, top: number, colour: Colour): void {
    this.polygon(
      [
        [left, bottom],
        [right, bottom],
        [right, top],
        [left, top],
      ],
      colour,
    );
  }

  /** A line through points, `width` wide in the units of the world. */
  line(points: readonly Point[], width: number, colour: Colour): void {
    for (let i = 1; i < points.length; i++) {
      const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
      const length = Math.hypot(x2 - x1, y2 - y1);
      if (length === 0) continue;
      const half = Math.max(width, this.dot()) / 2; // never thinner than a sample
      const [dx, dy] = [(-(y2 - y1) / length) * half, ((x2 - x1) / length) * half];
      this.polygon(
        [
          [x1 + dx, y1 + dy],
          [x2 + dx, y2 + dy],
          [x2 - dx, y2 - dy],
          [x1 - dx, y1 - dy],
        ],
        colour,
      );
    }
  }

  disc(x: number, y: number, radius: number, colour: Colour): void {
    const corners = Array.from({ length: 32 }, (_, i): Point => {
      const angle = (2 * Math.PI * i) / 32;
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    });
    this.polygon(corners, colour);
  }

  /** Means of the samples of each pixel: [3, height, width]. */
  image(): ImageBytes {
    const { width, height } = this.world;
    const side = this.columns / width;
    const data = new Uint8Array(3 * height * width);
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          let sum = 0;
          for (let j = 0; j < side; j++)
            for (let i = 0; i < side; i++)
              sum += this.samples[((y * side + j) * this.columns + x * side + i) * 3 + channel];
          data[(channel * height + y) * width + x] = Math.round(sum / (side * side));
        }
    return { data, shape: [3, height, width] };
  }

  /** A dot for each sample that is painted. */
  text(): string {
    const isPainted = (column: number, row: number): boolean => {
      const at = (row * this.columns + column) * 3;
      return BACKGROUND.some((level, channel) => this.samples[at + channel] !== level);
    };
    const lines = Array.from({ length: Math.ceil(this.rows / 4) }, (_, line) => {
      let text = '';
      for (let cell = 0; cell < this.columns / 2; cell++) {
        let dots = 0;
        for (let y = 0; y < 4; y++)
          for (let x = 0; x < 2; x++) if (isPainted(2 * cell + x, 4 * line + y)) dots |= DOTS[y][x];
        text += dots === 0 ? ' ' : String.fromCodePoint(BRAILLE + dots);
      }
      return text.trimEnd();
    });
    return lines.join('\n');
  }

  /** Width of a sample in the units of the world. */
  private dot(): number {
    return (this.world.right - this.world.left) / this.columns;
  }

  private place([x, y]: Point): Point {
    const { left, right, bottom, top } = this.world;
    return [((x - left) / (right - left)) * this.columns, ((top - y) / (top - bottom)) * this.rows];
  }

  private set(column: number, row: number, [red, green, blue]: Colour): void {
    if (column < 0 || column >= this.columns) return;
    const at = (row * this.columns + column) * 3;
    this.samples[at] = red;
    this.samples[at + 1] = green;
    this.samples[at + 2] = blue;
  }
}
