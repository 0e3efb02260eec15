// The data of `nabla fit`: a CSV file, or a set of the package, as a table with names.

import {
  BREAST_CANCER,
  type Column,
  CsvTable,
  DIABETES,
  IRIS,
  WINE,
  blobs,
  breastCancer,
  circles,
  diabetes,
  digits,
  iris,
  moons,
  parseCsv,
  spirals,
  wine,
} from '../../data/index.js';
import { FormatError } from '../../index.js';
import { CliError } from '../errors.js';
import { oneLine } from '../printable.js';
import { readText } from '../run-folder.js';
import { SETS, type SetName } from './names.js';

export interface NamedTable {
  readonly name: string;
  readonly table: CsvTable;
  /** The target that a set has. */
  readonly target: string | undefined;
  /** Height and width, where rows are images. */
  readonly image?: readonly [number, number];
}

interface Source {
  readonly length: number;
  column(name: 'x' | 'y'): ArrayLike<number>;
}

interface Names {
  readonly features: readonly string[];
  readonly classes?: readonly string[];
  readonly target: string;
}

const plane = (classes: number): Names => ({
  features: ['x0', 'x1'],
  classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
  target: 'class',
});

const TABLES: Readonly<Record<SetName, () => readonly [Source, Names]>> = {
  iris: () => [iris(), { ...IRIS, target: 'species' }],
  wine: () => [wine(), { ...WINE, target: 'cultivar' }],
  'breast-cancer': () => [breastCancer(), { ...BREAST_CANCER, target: 'diagnosis' }],
  diabetes: () => [diabetes({ scaled: false }), { ...DIABETES, target: 'progression' }],
  digits: () => [
    digits(),
    {
      features: Array.from({ length: 64 }, (_, i) => `pixel ${Math.floor(i / 8)} ${i % 8}`),
      classes: Array.from({ length: 10 }, (_, i) => String(i)),
      target: 'digit',
    },
  ],
  moons: () => [moons({ samples: 400 }), plane(2)],
  circles: () => [circles({ samples: 400 }), plane(2)],
  blobs: () => [blobs({ samples: 400 }), plane(3)],
  spirals: () => [spirals(), plane(3)],
};

export function isSet(data: string): data is SetName {
  return (SETS as readonly string[]).includes(data);
}

/** The table that a name or a path stands for. Throws CliError where there is none. */
export function openTable(data: string): NamedTable {
  if (isSet(data)) return fromSet(data);
  const text = readText(data);
  try {
    const table = parseCsv(text, { delimiter: delimiterOf(text), path: data });
    if (table.length === 0) throw new CliError(`${data} has no rows below its header.`);
    const name = data.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
    return { name, table, target: undefined };
  } catch (error) {
    throw error instanceof FormatError ? new CliError(oneLine(error)) : error;
  }
}

/** The one that cuts the first line into the most pieces. */
function delimiterOf(text: string): string {
  const [header = ''] = text.split(/\r?\n/, 1);
  const count = (delimiter: string): number => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((a, b) => (count(b) > count(a) ? b : a));
}

function fromSet(set: SetName): NamedTable {
  const [source, { features, classes, target }] = TABLES[set]();
  const [x, y] = [source.column('x'), source.column('y')];
  const width = features.length;
  const columns = features.map((_, j): Column => ({
    kind: 'number',
    values: Float64Array.from({ length: source.length }, (__, i) => x[i * width + j]),
    missing: [],
  }));
  const targets: Column =
    classes === undefined
      ? { kind: 'number', values: Float64Array.from(y), missing: [] }
      : { kind: 'text', values: Array.from(y, (place) => classes[place]), missing: [] };
  const lines = Int32Array.from({ length: source.length }, (_, i) => i + 2);
  const table = new CsvTable([...features, target], [...columns, targets], lines, set);
  return { name: set, table, target, ...(set === 'digits' && { image: [8, 8] as const }) };
}
