// Whether two kernels are the same, whatever the numbers of their variables and buffers are.

import type { Buffer, Expr, KernelFunction, Stmt, Var } from './loop.js';

/** The first statement that is another one; undefined where there is none. */
export function differenceOf(a: KernelFunction, b: KernelFunction): string | undefined {
  const [x, y] = [textOf(a), textOf(b)].map((text) => text.split('\n'));
  const at = x.findIndex((line, i) => line !== y[i]);
  if (at >= 0) return `${y[at]}, not ${x[at]}`;
  return x.length === y.length ? undefined : `${y.length} lines, not ${x.length}`;
}

/** Everything that an emitter prints; variables and buffers by the order in which they are met. */
function textOf({
  name,
  buffers,
  scalars,
  scratch,
  tid,
  threads,
  body,
  isDivisible,
  shapes,
  flops,
  bytes,
}: KernelFunction): string {
  const numbers = new Map<string, number>();
  const number = (of: string): number => {
    const known = numbers.get(of) ?? numbers.size;
    numbers.set(of, known);
    return known;
  };
  const variable = ({ id, type, lanes }: Var): string => `v${number(`v${id}`)}:${type}${lanes}`;
  const buffer = ({ id, type, size, kind }: Buffer): string => `b${number(`b${id}`)}:${type}${kind}${size}`;
  const shared = new Map<Expr, string>();
  const expr = (e: Expr): string => {
    if (e.kind === 'var') return variable(e);
    let text = shared.get(e);
    if (text === undefined) {
      text = `(${Object.entries(e)
        .map(([key, x]) => (key === 'buffer' ? buffer(x as Buffer) : valueText(x)))
        .join()})`;
      shared.set(e, text);
    }
    return text;
  };
  const valueText = (x: unknown): string => {
    if (Array.isArray(x)) return `[${x.map(valueText).join()}]`;
    if (typeof x === 'object' && x !== null) return expr(x as Expr);
    return Object.is(x, -0) ? '-0' : String(x);
  };
  const statement = (s: Stmt): string =>
    `${Object.entries(s)
      .map(([key, x]) => {
        if (key === 'buffer') return buffer(x as Buffer);
        if (key === 'body' || key === 'then' || key === 'else') return `{${(x as Stmt[]).map(statement).join('\n')}}`;
        return valueText(x);
      })
      .join()}`;
  const head = [tid, threads, ...scalars].map(variable);
  return [
    name,
    isDivisible,
    shapes,
    flops,
    bytes,
    ...head,
    ...buffers.map(buffer),
    ...scratch.map(buffer),
    ...body.map(statement),
  ].join('\n');
}
