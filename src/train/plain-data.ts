// What plain data that came out of a file must look like, as small checks that are put together: records and checkpoints may
// be damaged, of another version, or made by anybody.
// Must not know: what the data mean.

export type Check = (value: unknown) => boolean;

export const isNumber: Check = (value) => typeof value === 'number';
export const isFinite: Check = (value) => Number.isFinite(value);
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isText: Check = (value) => typeof value === 'string';
export const isSwitch: Check = (value) => typeof value === 'boolean';
export const isAnything: Check = () => true;

/** A value of plain data for a message: texts as they are, anything else as JSON. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');

export const oneOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

export const nullOr = (check: Check): Check => oneOf((value) => value === null, check);

export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const recordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

/** An object with these fields, and, where they are there at all, those; others may be anything. */
export const fields =
  (needed: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) =>
    firstFault(value, needed, optional) === undefined;

/** The name of the first field that is missing or wrong, `''` for a value that is no object. */
export function firstFault(
  value: unknown,
  needed: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): string | undefined {
  if (!isObject(value)) return '';
  const has = (name: string): boolean => Object.hasOwn(value, name);
  return (
    Object.keys(needed).find((name) => !has(name) || !needed[name](value[name])) ??
    Object.keys(optional).find((name) => has(name) && !optional[name](value[name]))
  );
}
