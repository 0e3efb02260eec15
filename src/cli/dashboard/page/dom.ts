// Elements by one call, and asking the server.

type Child = Node | string | undefined;

interface Attributes {
  readonly attributes?: Readonly<Record<string, string>>;
}

type Properties<T> = Partial<Omit<T, 'attributes'>> & Attributes;

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties<HTMLElementTagNameMap[K]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const { attributes = {}, ...own }: Attributes = properties;
  const element = Object.assign(document.createElement(name), own);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Child[]
): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

const token = new URLSearchParams(location.search).get('token') ?? '';

export function address(path: string, query: Readonly<Record<string, string | number>> = {}): string {
  const search = new URLSearchParams({ token });
  for (const [key, value] of Object.entries(query)) search.set(key, String(value));
  return `${path}?${search.toString()}`;
}

/** Rejects with what the server says. */
export async function ask<T>(path: string, query: Readonly<Record<string, string | number>> = {}): Promise<T> {
  const response = await fetch(address(path, query));
  if (!response.ok) throw new Error((await response.text()).trim());
  return (await response.json()) as T;
}

/** Runs are told apart by these: distinct for those who do not tell red from green, too, in the first eight. */
const COLOURS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#d55e00',
  '#56b4e9',
  '#7a5cc9',
  '#8c8c1a',
  '#b23a48',
  '#3a8f8f',
  '#8f5b3a',
  '#5b6d8f',
];

export const colourOf = (id: number): string => COLOURS[(id - 1) % COLOURS.length];

/** A number in few characters. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

export function span(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
