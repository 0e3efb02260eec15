// What lies behind the series of a chart: a grid of numbers over the plane, as fields of a colour for each class, or as heights with
// contour lines. In: the grid, and where the axes put its corners. Out: lines of SVG.

export interface Area {
  /** Ends of the grid along each axis. */
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
  readonly columns: number;
  readonly rows: number;
  /** Row after row, the lowest first; each at the middle of its cell. */
  readonly values: ArrayLike<number>;
  /** 'classes': whole numbers, with the colours of the series; 'heights': dark below, light above. */
  readonly kind: 'classes' | 'heights';
  /** Contour lines at these heights. Default: none. */
  readonly levels?: readonly number[];
}

type Place = (value: number) => number;

export function drawArea(area: Area, atX: Place, atY: Place, colours: readonly string[]): string[] {
  const cells = area.kind === 'classes' ? classCells(area, atX, atY, colours) : heightCells(area, atX, atY);
  return [...cells, ...contourLines(area, atX, atY)];
}

/** Neighbouring cells of the same colour in a row are one rectangle. */
function runs(area: Area, atX: Place, atY: Place, keyOf: (value: number) => string | undefined): string[] {
  const { x, y, columns, rows, values } = area;
  const edgeX = (i: number): number => atX(x[0] + ((x[1] - x[0]) * i) / columns);
  const edgeY = (i: number): number => atY(y[0] + ((y[1] - y[0]) * i) / rows);
  const out: string[] = [];
  for (let r = 0; r < rows; r++) {
    const [top, bottom] = [edgeY(r + 1), edgeY(r)];
    for (let c = 0; c < columns;) {
      const key = keyOf(values[r * columns + c]);
      let end = c + 1;
      while (end < columns && keyOf(values[r * columns + end]) === key) end++;
      if (key !== undefined) {
        const [left, right] = [edgeX(c), edgeX(end)];
        out.push(
          `<rect x="${left}" y="${top}" width="${short(right - left)}" height="${short(bottom - top)}" fill="${key}"/>`,
        );
      }
      c = end;
    }
  }
  return out;
}

function classCells(area: Area, atX: Place, atY: Place, colours: readonly string[]): string[] {
  const colourOf = (value: number): string | undefined =>
    Number.isFinite(value) ? colours[Math.round(value) % colours.length] : undefined;
  return [`<g fill-opacity="0.22" shape-rendering="crispEdges">`, ...runs(area, atX, atY, colourOf), '</g>'];
}

const SHADES = 24;

function heightCells(area: Area, atX: Place, atY: Place): string[] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < area.values.length; i++) {
    const value = area.values[i];
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const colourOf = (value: number): string | undefined => {
    if (!Number.isFinite(value)) return undefined;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return shade(Math.round(share * SHADES) / SHADES);
  };
  return [`<g shape-rendering="crispEdges">`, ...runs(area, atX, atY, colourOf), '</g>'];
}

/** From a dark blue through grey to a light yellow: lightness grows evenly, and the colour-blind see it, too (after cividis). */
const STOPS = [
  [0, 51, 102],
  [72, 90, 120],
  [125, 124, 120],
  [190, 175, 110],
  [250, 232, 130],
];

function shade(share: number): string {
  const place = share * (STOPS.length - 1);
  const at = Math.min(Math.floor(place), STOPS.length - 2);
  const parts = STOPS[at].map((low, i) => Math.round(low + (STOPS[at + 1][i] - low) * (place - at)));
  return `rgb(${parts.join(',')})`;
}

/** Marching squares between the middles of cells: for each square the edges that the level crosses, joined in pairs. */
function contourLines(area: Area, atX: Place, atY: Place): string[] {
  const { x, y, columns, rows, values, levels = [] } = area;
  const middleX = (c: number): number => x[0] + ((x[1] - x[0]) * (c + 0.5)) / columns;
  const middleY = (r: number): number => y[0] + ((y[1] - y[0]) * (r + 0.5)) / rows;
  return levels.flatMap((level) => {
    let path = '';
    for (let r = 0; r + 1 < rows; r++) {
      for (let c = 0; c + 1 < columns; c++) {
        const corner = (dr: number, dc: number): number => values[(r + dr) * columns + c + dc] - level;
        const [a, b, d, e] = [corner(0, 0), corner(0, 1), corner(1, 1), corner(1, 0)];
        if (![a, b, d, e].every((v) => Number.isFinite(v))) continue;
        const crossings: [number, number][] = [];
        const cross = (from: number, to: number, point: (share: number) => [number, number]): void => {
          if (from < 0 !== to < 0) crossings.push(point(from / (from - to)));
        };
        cross(a, b, (s) => [c + s, r]);
        cross(b, d, (s) => [c + 1, r + s]);
        cross(d, e, (s) => [c + 1 - s, r + 1]);
        cross(e, a, (s) => [c, r + 1 - s]);
        for (let i = 0; i + 1 < crossings.length; i += 2) {
          const [from, to] = [crossings[i], crossings[i + 1]];
          path += `M${atX(middleX(from[0]))} ${atY(middleY(from[1]))}L${atX(middleX(to[0]))} ${atY(middleY(to[1]))}`;
        }
      }
    }
    return path === '' ? [] : [`<path d="${path}" fill="none" stroke="white" stroke-opacity="0.55" stroke-width="1"/>`];
  });
}

function short(value: number): number {
  return Math.round(value * 100) / 100;
}
