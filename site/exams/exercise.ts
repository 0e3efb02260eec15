// What an exercise of the exams is: a question with numbers in it, and a program that answers it with nabla. No answer is written down:
// a worker computes it, with every step of the way, for the numbers of the exam and for others.

/** The numbers that a question names. */
export type Given = Readonly<Record<string, number>>;

/** Tells a step of the way and what it comes to: a tensor, a number, a list or words. */
export type Tell = (step: string, value?: unknown) => Promise<void>;

export type Answer =
  /** A number for each label, to so many decimals, or as near as `within`; default: whole numbers, or exact. */
  | {
      readonly kind: 'numbers';
      readonly labels: readonly string[];
      readonly decimals?: number;
      readonly within?: number;
    }
  /** One of several; the program gives its place. */
  | { readonly kind: 'choice'; readonly options: readonly string[] }
  /** All that hold; the program gives 1 or 0 for each. */
  | { readonly kind: 'ticks'; readonly options: readonly string[] };

export interface Exercise<G extends Given = Given> {
  /** Its number in the exam, and in the test of test/course. */
  readonly id: string;
  readonly title: string;
  readonly given: G;
  /** Other values that a number may have. Several are drawn together by their place, if `together` is set. */
  readonly vary?: { readonly [K in keyof G]?: readonly number[] };
  readonly together?: boolean;
  /** The question in HTML. */
  ask(given: G): string;
  readonly answer: Answer;
  /** Uses nothing of its module but imports of nabla: the page shows it as a program by itself, so exercises share no code. */
  solve(given: G, tell: Tell): Promise<readonly number[]>;
}

export interface Exam {
  readonly name: string;
  readonly title: string;
  readonly date: string;
  readonly exercises: readonly Exercise[];
  /** The text of its module. */
  readonly source: string;
}

/** Ties question, numbers and program together by their types. */
export const exercise = <G extends Given>(one: Exercise<G>): Exercise => one as Exercise;

/** The question in HTML, with the sign that is set for minus. */
export const questionOf = (exercise: Exercise, given: Given): string =>
  exercise.ask(given).replaceAll(/(?<![\w-])-(?=\d)/g, '−');

/** Another set of numbers for the question, drawn by `random` (0 ≤ r < 1); the same where nothing may vary. */
export function draw({ given, vary = {}, together = false }: Exercise, random: () => number): Given {
  const rows = Object.entries(vary) as [string, readonly number[]][];
  const shared = random();
  const drawn = rows.map(([name, values]) => {
    const place = together ? shared : random();
    return [name, values[Math.floor(place * values.length)]!] as const;
  });
  return { ...given, ...Object.fromEntries(drawn) };
}

/** A number as people type it: 0,5 or 2/3 or −1e-3; NaN for anything else. */
export function parseNumber(text: string): number {
  const plain = text.trim().replaceAll('−', '-').replace(/^\+/, '').replace(',', '.').replace('∞', 'Infinity');
  const [above, below, ...more] = plain.split('/').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (more.length > 0) return NaN;
  return below === undefined ? above! : above! / below;
}

/** Whether a given answer is the computed one, to the decimals that are asked for. */
export function isRight(answer: Answer, given: number, computed: number): boolean {
  if (given === computed) return true; // infinity, too
  const { decimals, within }: { decimals?: number; within?: number } = answer.kind === 'numbers' ? answer : {};
  const exact = 1e-5 * Math.max(1, Math.abs(computed));
  const tolerance = within ?? (decimals === undefined ? exact : 0.5 * 10 ** -decimals + 1e-6);
  return Math.abs(given - computed) <= tolerance;
}

/** The program of an exercise, to be pasted into a project that has nabla. */
export function programOf({ source }: Exam, { id }: Exercise, given: Given): string {
  const at = source.indexOf(`id: '${id}'`);
  const found = /^ {6}async solve\((.*), (\w+)\) (\{[\s\S]*?\n {6}\}),?$/m.exec(source.slice(at));
  if (at < 0 || !found) throw new Error(`The exercise ${id} has no program.`);
  const [, numbers, tell, body] = found;
  const text = body!.replaceAll(/^ {6}/gm, '');
  const imports = [...source.matchAll(/^import \{([^}]*)\} from '(nabla[\w/]*)';$/gm)].flatMap(([, names, from]) => {
    const all = names!.split(',').map((name) => name.replace('type ', '').trim());
    // What prints below asks whether something is a Tensor.
    const used = all.filter((name) => name === 'Tensor' || (name !== '' && new RegExp(`\\b${name}\\b`).test(text)));
    return used.length > 0 ? [`import { ${used.join(', ')} } from '${from}';`] : [];
  });
  const list = Object.entries(given).map(([name, value]) => `${name}: ${value}`);
  const [words, type] = ['(step: string, value?: unknown)', numbers === '_' ? 'object' : 'typeof given'];
  return `${imports.join('\n')}

const given = { ${list.join(', ')} };

async function solve(${numbers}: ${type}, ${tell}: ${words} => Promise<void>) ${text}

// What is a tensor prints its values.
const print = async (step: string, value?: unknown) =>
  console.log(step, value instanceof Tensor ? await value.array() : (value ?? ''));
console.log(await solve(given, print));
`;
}
