// What may come from others (records, labels, names of files and metrics, messages of errors) as text that does nothing to a
// terminal: control characters and those that turn the direction of writing are shown by their number, as JSON writes them.

const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A piece of a line: line ends are shown by their number, too. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, escapeCharacter);
}

/** Lines: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replaceAll(CONTROL, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}

/** The same data with every text in it, the names of its fields included, as `printable` has it. */
export function printableData<T>(value: T): T {
  return clean(value) as T;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [printable(name), clean(part)]));
}

/** An error's message on one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.replaceAll(/\s+/g, (blank) => (blank.includes('\n') ? ' ' : blank)));
}
