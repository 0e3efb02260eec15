// What a figure of the lab is: words, controls, pictures. Its numbers come from a module of compute/, which a worker runs.
// A definition touches no document: the builder reads it in Node, the page mounts it.

import type { Plot } from './plot.js';

export type Setting = number | string | boolean;
export type Settings = Record<string, Setting>;

/** What every frame carries: the numbers that are read out below the pictures, and printed by the program. */
export interface Frame {
  readonly values: Readonly<Record<string, number | string>>;
  /** For a control of blocks: what is said of each, and their program. */
  readonly notes?: readonly Note[] | undefined;
  readonly code?: string | undefined;
}

interface Labelled {
  readonly label: string;
  /** A change reaches the computation that is under way; without it a change begins anew. */
  readonly live?: boolean;
}

export interface Range extends Labelled {
  readonly kind: 'range';
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Of the number, or of its decimal logarithm where `log` is set. */
  readonly step: number;
  readonly log?: boolean;
}

export interface Choice extends Labelled {
  readonly kind: 'choice';
  readonly value: string;
  /** What is chosen, and how it is called. */
  readonly options: Readonly<Record<string, string>>;
}

export interface Check extends Labelled {
  readonly kind: 'check';
  readonly value: boolean;
}

export interface Text extends Labelled {
  readonly kind: 'text';
  readonly value: string;
  /** Several lines, up to 2000 characters; without it one of 200. */
  readonly long?: boolean;
}

/** Pixels of a picture of one's own: rows of red, green, blue as bytes in base64; '' for none. It stays in the page: no address has it. */
export interface Picture extends Labelled {
  readonly kind: 'picture';
  readonly value: '';
  /** What is shown without one. */
  readonly otherwise: string;
  /** Height and width to which it is cut and scaled. */
  readonly side: number;
}

/** The text of a CSV file of one's own; '' for none. It stays in the page: no address has it. */
export interface Table extends Labelled {
  readonly kind: 'table';
  readonly value: '';
  readonly otherwise: string;
  /** Bytes. */
  readonly most: number;
}

/** A list of blocks that are put together by dragging or by keys: its text has semicolons between them, and numbers behind their names. */
export interface Blocks extends Labelled {
  readonly kind: 'blocks';
  readonly value: string;
  /** What there is, and its numbers with what they are at first. */
  readonly palette: Readonly<
    Record<string, { readonly label: string; readonly numbers: Readonly<Record<string, number>> }>
  >;
  /** What a change of the blocks sets besides. */
  readonly besides?: Settings;
}

/** What a computation says of each of the blocks. */
export interface Note {
  readonly problem: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** The most characters of a text. */
export const lengthOf = ({ long }: Text): number => (long ? 2000 : 200);

export type Control = Range | Choice | Check | Text | Picture | Table | Blocks;

export interface View {
  readonly name: string;
  /** For who does not see the picture, and as its caption. */
  readonly label: string;
  /** Height over width. Default 1. */
  readonly aspect?: number;
  /** Takes the whole width of the figure. */
  readonly wide?: boolean;
  /** Least height in pixels, for a phone. */
  readonly least?: number;
  /** The same on a phone, where that is to be more. */
  readonly tall?: number;
}

export interface Figure<F extends Frame = Frame> {
  /** Also the name of the module in compute/. */
  readonly name: string;
  readonly title: string;
  /** A few sentences, in HTML. */
  readonly text: string;
  /** TeX. */
  readonly formula: string;
  readonly controls: Readonly<Record<string, Control>>;
  readonly views: readonly View[];
  /** Milliseconds for which a frame is seen at least. Default 0: as the screen refreshes. */
  readonly pace?: number;
  /** The text of the module in compute/. */
  readonly source: string;
  /** Draws a frame; called again when the size or the colours change. */
  draw(plots: Readonly<Record<string, Plot>>, frame: F): void;
  /** Settings that a click or drag at a place of a view sets, in the coordinates of its plot. */
  point?(view: string, x: number, y: number, settings: Settings): Settings;
}

export function defaultsOf({ controls }: Figure): Settings {
  return Object.fromEntries(Object.entries(controls).map(([name, { value }]) => [name, value]));
}

/** The program that the figure runs, to be pasted into a project that has nabla. */
export function programOf({ source }: Figure, settings: Settings): string {
  const object = Object.entries(settings).map(
    ([name, value]) =>
      `${name}: ${typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}'` : value}`,
  );
  return `${source.trimEnd()}\n\n// With the settings of the figure:\nconst settings: Settings = { ${object.join(', ')} };\nfor await (const { values } of run(settings)) console.log(JSON.stringify(values));\n`;
}
