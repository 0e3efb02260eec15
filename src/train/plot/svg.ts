// Charts as SVG text. In: charts. Out: one picture with a panel for each, two to a row, and one legend.

import { checkHas, checkList } from '../../tensor/library.js';
import { drawArea } from './area.js';
import { type Axis, type Chart, type Series, isJoined, thinOut, xAxisOf, yAxisOf } from './chart.js';

/** Colours that the colour-blind can tell apart (Okabe and Ito 2008). */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#6B6B6B', '#000000'];
const PANEL = { width: 520, height: 330, left: 62, right: 18, top: 34, bottom: 44 };
const LEGEND_ROW = 20;
const CHARACTER = 6.6; // about the width of one at 12 pixels
const MOST_POINTS = 1600;
const MOST_DOTS = 40;

/** The picture of all charts, on white. */
export function chartSvg(charts: readonly Chart[]): string {
  checkList('chartSvg', 'the argument', charts, 'charts');
  for (const chart of charts)
    checkHas('chartSvg', 'a chart', chart, ['title', 'series'], 'Give what learningCurves() makes');
  const columns = Math.min(2, Math.max(1, charts.length));
  const rows = Math.max(1, Math.ceil(charts.length / columns));
  const width = columns * PANEL.width;
  const legend = drawLegend(charts, width);
  const height = rows * PANEL.height + legend.height;
  const panels = charts.map((chart, i) => {
    const [left, top] = [(i % columns) * PANEL.width, Math.floor(i / columns) * PANEL.height + legend.height];
    return `<g transform="translate(${left} ${top})">\n${drawPanel(chart)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    legend.text,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(chart: Chart): string {
  const { title, xLabel, series, log } = chart;
  const { width, height, left, right, top, bottom } = PANEL;
  const [w, h] = [width - left - right, height - top - bottom];
  const xAxis = xAxisOf(chart, 7);
  const yAxis = yAxisOf(chart, 5);
  const atX = (v: number) => round(left + xAxis.place(v) * w);
  const atY = (v: number) => round(top + (1 - yAxis.place(v)) * h);
  const lines: string[] = [
    `<text x="${left}" y="${top - 12}" font-size="14" font-weight="bold">${escapeMarkup(title)}${log ? ' (logarithmic)' : ''}</text>`,
  ];
  if (chart.area !== undefined) for (const line of drawArea(chart.area, atX, atY, COLOURS)) lines.push(line);
  for (const { at, label } of yAxis.ticks) {
    if (chart.area === undefined)
      lines.push(`<line x1="${left}" x2="${left + w}" y1="${atY(at)}" y2="${atY(at)}" stroke="#E4E4E4"/>`);
    lines.push(`<text x="${left - 8}" y="${atY(at) + 4}" text-anchor="end" fill="#444">${label}</text>`);
  }
  for (const { at, label } of xAxis.ticks) {
    lines.push(`<line x1="${atX(at)}" x2="${atX(at)}" y1="${top + h}" y2="${top + h + 4}" stroke="#888"/>`);
    lines.push(`<text x="${atX(at)}" y="${top + h + 18}" text-anchor="middle" fill="#444">${label}</text>`);
  }
  lines.push(`<path d="M${left} ${top}V${top + h}H${left + w}" fill="none" stroke="#888"/>`);
  lines.push(
    `<text x="${left + w / 2}" y="${height - 8}" text-anchor="middle" fill="#444">${escapeMarkup(xLabel)}</text>`,
  );
  if (chart.yLabel !== undefined) {
    const middle = top + h / 2;
    lines.push(
      `<text transform="rotate(-90 14 ${middle})" x="14" y="${middle}" text-anchor="middle" fill="#444">${escapeMarkup(chart.yLabel)}</text>`,
    );
  }
  for (const one of series) for (const line of drawSeries(one, yAxis, atX, atY)) lines.push(line);
  if (!series.some((s) => s.y.some((v) => Number.isFinite(yAxis.place(v)))))
    lines.push(`<text x="${left + w / 2}" y="${top + h / 2}" text-anchor="middle" fill="#888">no finite values</text>`);
  return `${lines.join('\n')}\n`;
}

const STROKES: Readonly<Record<Series['look'], string>> = {
  solid: 'stroke-width="2"',
  dashed: 'stroke-width="1.6" stroke-dasharray="5 4"',
  faint: 'stroke-width="1" stroke-opacity="0.3"',
  dots: 'stroke-width="5" stroke-linecap="round" stroke-dasharray="0 13"',
  points: 'stroke-width="6" stroke-linecap="round" stroke-dasharray="0 13"',
  crosses: '',
};

/** Points of a cloud beyond which every second, third, … one is enough. */
const MOST_MARKS = 4000;

function drawSeries(series: Series, axis: Axis, atX: (v: number) => number, atY: (v: number) => number): string[] {
  const colour = COLOURS[series.colour % COLOURS.length];
  if (series.look === 'points' || series.look === 'crosses') return drawMarks(series, colour, axis, atX, atY);
  const { x, y } = thinOut(series, MOST_POINTS);
  const lines: string[] = [];
  const dots: string[] = [];
  let path = '';
  let isAlone = true;
  const dot = (px: number, py: number) => `<circle cx="${px}" cy="${py}" r="2.6" fill="${colour}"/>`;
  const isShown = (i: number) => Number.isFinite(atX(x[i])) && Number.isFinite(axis.place(y[i])); // not beyond the ends
  x.forEach((value, i) => {
    if (!isShown(i)) return;
    const [px, py] = [atX(value), atY(y[i])];
    const begins = !isShown(i - 1);
    const ends = !isShown(i + 1);
    path += `${begins ? 'M' : 'L'}${px} ${py}`;
    isAlone = begins && ends;
    if (isAlone || !isJoined(series) || (series.look !== 'faint' && x.length <= MOST_DOTS)) dots.push(dot(px, py));
  });
  if (path !== '' && isJoined(series))
    lines.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-linejoin="round" ${STROKES[series.look]}/>`);
  for (const each of dots) lines.push(each);
  const { mark } = series;
  if (mark !== undefined && Number.isFinite(atX(series.x[mark])) && Number.isFinite(axis.place(series.y[mark]))) {
    const [px, py] = [atX(series.x[mark]), atY(series.y[mark])];
    lines.push(`<circle cx="${px}" cy="${py}" r="6" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
  }
  return lines;
}

/** A cloud of points, each with a light edge so that neighbours stay apart, or crosses, which stand out from one. */
function drawMarks(
  { x, y, look }: Series,
  colour: string,
  axis: Axis,
  atX: (v: number) => number,
  atY: (v: number) => number,
): string[] {
  const every = Math.ceil(x.length / MOST_MARKS);
  const lines: string[] = [];
  for (let i = 0; i < x.length; i += every) {
    const [px, py] = [atX(x[i]), atY(y[i])];
    if (!Number.isFinite(px) || !Number.isFinite(axis.place(y[i]))) continue;
    if (look === 'points') {
      lines.push(`<circle cx="${px}" cy="${py}" r="3" fill="${colour}" stroke="white" stroke-width="0.6"/>`);
      continue;
    }
    const cross = crossAt(px, py);
    lines.push(
      `<path d="${cross}" stroke="white" stroke-width="5"/><path d="${cross}" stroke="${colour}" stroke-width="2.6"/>`,
    );
  }
  return lines;
}

function crossAt(x: number, y: number): string {
  return `M${round(x - 5)} ${round(y - 5)}l10 10M${round(x + 5)} ${round(y - 5)}l-10 10`;
}

/** Every name once, with its line; in as many rows as are needed. */
function drawLegend(charts: readonly Chart[], width: number): { text: string; height: number } {
  const named = new Map<string, Series>();
  for (const one of charts.flatMap((c) => c.series)) if (!named.has(one.name)) named.set(one.name, one);
  const entries = [...named.values()];
  const marked = charts.some((c) => c.series.some((s) => s.mark !== undefined));
  let [x, y] = [PANEL.left, LEGEND_ROW];
  const parts: string[] = [];
  const place = (name: string, draw: (x: number, y: number) => string) => {
    const wide = 34 + name.length * CHARACTER + 18;
    if (x + wide > width && x > PANEL.left) [x, y] = [PANEL.left, y + LEGEND_ROW];
    parts.push(draw(x, y - 4), `<text x="${x + 34}" y="${y}">${escapeMarkup(name)}</text>`);
    x += wide;
  };
  for (const { name, colour, look } of entries) {
    const stroke = `stroke="${COLOURS[colour % COLOURS.length]}" ${STROKES[look]}`;
    if (look === 'crosses') place(name, (px, py) => `<path d="${crossAt(px + 13, py)}" stroke-width="2.6" ${stroke}/>`);
    else place(name, (px, py) => `<line x1="${px}" x2="${px + 26}" y1="${py}" y2="${py}" ${stroke}/>`);
  }
  if (marked) {
    place(
      'best',
      (px, py) => `<circle cx="${px + 13}" cy="${py}" r="6" fill="none" stroke="#444" stroke-width="1.5"/>`,
    );
  }
  return { text: parts.join('\n'), height: y + 6 };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text that is safe in SVG and HTML, in attributes too. */
export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
