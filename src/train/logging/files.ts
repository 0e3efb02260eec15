// A run as text files: JSON lines with every event, and a CSV table with a row per epoch. A resumed run goes on in its
// file: what lies behind the point of resuming is cut off first, and so is a line that a crash has cut off.

import { filePath } from '../../io/path.js';
import { type EpochEvent, type RunEvent, type RunListener, formatEvent, parseEvent } from '../record.js';
import { ArgumentError, FormatError } from '../../tensor/library.js';

interface TextFile {
  append(text: string): void;
  flush(): void;
  close(): void;
}

/** Opens the file (an absolute path) with the lines that stay. */
async function openLines(path: string, keep: (lines: string[]) => string[]): Promise<TextFile> {
  const { continueFile, readLines } = await import('../node/append-file.js');
  return continueFile(path, keep(readLines(path)));
}

/** An event a line, as `parseEvent` reads them: the record that curves and tables are made of. */
export class JsonLinesLogger implements RunListener {
  readonly path: string;
  private readonly absolute: string;
  private file: TextFile | undefined;

  constructor(path: string) {
    this.path = path;
    this.absolute = filePath(path, 'JsonLinesLogger');
  }

  async onEvent(event: RunEvent): Promise<void> {
    if (event.event === 'start') {
      const step = event.resumedFrom;
      this.file?.close();
      this.file = await openLines(this.absolute, (lines) => {
        this.checkOwn(lines);
        return step === undefined ? [] : eventsUpTo(lines, step);
      });
      if (step !== undefined) return; // the file has its start already
    }
    this.file ??= await openLines(this.absolute, (lines) => this.checkOwn(lines));
    this.file.append(`${formatEvent(event)}\n`);
    if (event.event === 'epoch' || event.event === 'end') this.file.flush();
  }

  /** A file of something else is not overwritten: somebody has mistaken the path. Gives no lines. */
  private checkOwn(lines: readonly string[]): string[] {
    if (lines.some((line) => line.trim() !== '') && lines.every((line) => parseEvent(line) === undefined))
      throw new FormatError(`JsonLinesLogger: ${this.path} is no record of a run. Choose another path.`, this.path, 0);
    return [];
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}

/** Lines of events until the step, and those that are none: what cannot be read is not thereby to be removed. */
function eventsUpTo(lines: readonly string[], step: number): string[] {
  return lines.filter((line) => {
    const event = parseEvent(line);
    return event === undefined || (event.event !== 'end' && !('step' in event && event.step > step));
  });
}

/** A row per epoch: epoch, step, lr, seconds, samplesPerSecond, then train.loss, validation.loss and so on. */
export class CsvLogger implements RunListener {
  readonly path: string;
  private readonly absolute: string;
  private file: TextFile | undefined;
  private columns: string[] = [];
  private rows: string[][] = [];
  private resumedFrom: number | undefined;

  constructor(path: string) {
    this.path = path;
    this.absolute = filePath(path, 'CsvLogger');
  }

  async onEvent(event: RunEvent): Promise<void> {
    if (event.event === 'start') {
      this.close();
      this.resumedFrom = event.resumedFrom;
      [this.columns, this.rows] = [[], []];
    }
    if (event.event !== 'epoch') return;
    await this.begin();
    const cells = cellsOf(event);
    const fresh = [...cells.keys()].filter((name) => !this.columns.includes(name));
    for (const name of fresh) this.columns.push(name);
    const row = this.columns.map((name) => cells.get(name) ?? '');
    this.rows.push(row);
    if (fresh.length > 0) await this.rewrite();
    else this.file?.append(`${row.join()}\n`);
    this.file?.flush();
  }

  /** Takes up the rows of the run that goes on. */
  private async begin(): Promise<void> {
    if (this.file !== undefined) return;
    const { readLines } = await import('../node/append-file.js');
    const [head, ...lines] = readLines(this.absolute);
    const step = this.resumedFrom;
    if (head === undefined) return;
    if (!head.startsWith('epoch,step,'))
      throw new FormatError(`CsvLogger: ${this.path} is no table of this logger. Choose another path.`, this.path, 0);
    if (step === undefined) return;
    this.columns = head.split(',');
    this.rows = lines
      .map((line) => line.split(','))
      .filter((row) => row.length <= this.columns.length && Number(row[1]) <= step);
    await this.rewrite();
  }

  /** Columns that came later are empty in earlier rows. */
  private async rewrite(): Promise<void> {
    this.file?.close();
    const width = this.columns.length;
    const rows = this.rows.map((row) => [...row, ...new Array<string>(width - row.length).fill('')].join());
    this.file = await openLines(this.absolute, () => [this.columns.join(), ...rows]);
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}

function cellsOf({ epoch, step, lr, seconds, samplesPerSecond, train, validation }: EpochEvent): Map<string, string> {
  const cells = new Map(Object.entries({ epoch, step, lr, seconds, samplesPerSecond }));
  for (const [name, value] of Object.entries(train)) cells.set(`train.${name}`, value);
  for (const [name, value] of Object.entries(validation ?? {})) cells.set(`validation.${name}`, value);
  for (const name of cells.keys())
    if (/[",\n\r]/.test(name))
      throw new ArgumentError(`CsvLogger: a metric is called '${name}'. Use a name without commas.`);
  return new Map([...cells].map(([name, value]) => [name, String(value)]));
}
