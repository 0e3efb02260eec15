// Values as Node prints them by console.log, on one line: what an example prints here is what its page says.

const NAME = /^[A-Za-z_$][\w$]*$/;
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

/** What console.log prints for these arguments. */
export function printed(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
}

export function inspect(value: unknown, seen: readonly object[] = []): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return describeFunction(value);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (seen.includes(value)) return '[Circular *1]';
  const custom = (value as { [CUSTOM]?: unknown })[CUSTOM];
  if (typeof custom === 'function') return String(custom.call(value, 0, {}, inspect));
  if (value instanceof Error) return value.stack ?? String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Promise) return 'Promise { <pending> }';
  const inner = [...seen, value];
  const name = value.constructor?.name ?? '[Object: null prototype]';
  if (Array.isArray(value)) return list(name === 'Array' ? '' : `${name}(${value.length}) `, value, inner);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const numbers = value as Float32Array;
    return list(`${name}(${numbers.length}) `, numbers, inner);
  }
  if (value instanceof Map) {
    const rows = Array.from(value, ([key, v]) => `${inspect(key, inner)} => ${inspect(v, inner)}`);
    return braces(`${name}(${value.size}) `, rows);
  }
  if (value instanceof Set)
    return braces(
      `${name}(${value.size}) `,
      Array.from(value, (v) => inspect(v, inner)),
    );
  const rows = Object.entries(value).map(([key, v]) => `${NAME.test(key) ? key : quote(key)}: ${inspect(v, inner)}`);
  return braces(name === 'Object' ? '' : `${name} `, rows);
}

function quote(text: string): string {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : '`';
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `${mark}${escaped}${mark}`;
}

function describeFunction(value: { readonly name: string; toString(): string }): string {
  const kind = value.toString().startsWith('class') ? 'class' : 'Function';
  return kind === 'class' ? `[class ${value.name}]` : `[Function: ${value.name || '(anonymous)'}]`;
}

function list(head: string, values: ArrayLike<unknown>, seen: readonly object[]): string {
  const shown = Array.from({ length: Math.min(100, values.length) }, (_, i) => inspect(values[i], seen));
  const rest = values.length - shown.length;
  if (rest > 0) shown.push(`... ${rest} more item${rest > 1 ? 's' : ''}`);
  return shown.length > 0 ? `${head}[ ${shown.join(', ')} ]` : `${head}[]`;
}

const braces = (head: string, rows: readonly string[]): string =>
  rows.length > 0 ? `${head}{ ${rows.join(', ')} }` : `${head}{}`;
