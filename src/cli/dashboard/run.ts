// One run as it is followed: its record (metrics.jsonl) and event files, read as they grow. A record of a hundred thousand steps is
// read whole only when its curves are asked for; the list of runs takes its beginning and its end.

import { open, lstat, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFUSION, type Confusion, parseConfusion } from '../../train/confusion.js';
import { GRAPH, type ModelGraph, parseGraph } from '../../train/graph.js';
import { summariseRun } from '../../train/compare.js';
import { examine } from '../../train/doctor/diagnose.js';
import { type LoggedEvent, type LoggedValue, readEvents } from '../../train/logging/event-reader.js';
import type { EpochEvent, LayersEvent, RunEvent, StartEvent, StepEvent } from '../../train/record.js';
import { parseEvent } from '../../train/record.js';
import type { HistogramData, RunDetails, RunRow, SeriesData } from './api.js';
import { Axes } from './axes.js';
import { Series, visible } from './series.js';
import { Tail } from './tail.js';

export const RECORD = 'metrics.jsonl';
export const isEventFile = (name: string): boolean => name.includes('.tfevents.') || name.startsWith('events.out.');

/** Records up to here are read whole at once. */
const SMALL = 1 << 20;
/** Of longer ones, for the list: what is read of their beginning and of their end. */
const [HEAD, END] = [1 << 16, 1 << 18];
/** A confusion matrix or a graph beyond this is not read: whoever wrote it, no page shows it. */
const MOST_BYTES = 1 << 24;
/** Kept of each kind that is shown one at a time. */
const MOST_SHOWN = 200;
const MOST_POINTS = 1500;

const STEP = '{"event":"step"';
const LINE_END = 10;
const text = new TextDecoder();

interface Line {
  readonly chart: string;
  readonly part: string;
  readonly series: Series;
}

export class LiveRun {
  readonly id: number;
  readonly name: string;
  private readonly path: string;
  private readonly tails = new Map<string, Tail>();
  private lines = new Map<string, Line>();
  /** All events but those of steps. */
  private events: RunEvent[] = [];
  private logged = this.nothingLogged();
  private loggedSince = NaN;
  private confusion: Confusion | null = null;
  private graph: ModelGraph | null = null;
  private isWhole = false;
  private state = '';
  private fault: string | null = null;
  version = 0;

  constructor(id: number, name: string, path: string) {
    [this.id, this.name, this.path] = [id, name, path];
  }

  private nothingLogged() {
    return {
      histograms: new Map<string, HistogramData['steps'][number][]>(),
      images: new Map<string, Map<number, Uint8Array>>(),
      texts: new Map<string, { step: number; text: string }>(),
      graph: null as RunDetails['graph'],
    };
  }

  /** Looks at its files; true when there is something new. Never throws: what cannot be read is `fault` of the row. */
  async refresh(): Promise<boolean> {
    try {
      const files = await this.files();
      const state = files.map(({ name, size, changed }) => `${name} ${size} ${changed}`).join('\n');
      if (state === this.state) return false;
      this.state = state;
      this.fault = null;
      const size = files.reduce((sum, file) => sum + file.size, 0);
      if (this.isWhole || size <= SMALL) await this.readWhole();
      else await this.glance();
    } catch (error) {
      const fault =
        (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'its files are gone' : String((error as Error).message);
      if (fault === this.fault) return false;
      [this.fault, this.state] = [fault, ''];
    }
    this.version++;
    return true;
  }

  /** Regular files only: a link may lead out of the folder. */
  private async files(): Promise<{ name: string; size: number; changed: number }[]> {
    const names = (await readdir(this.path))
      .filter((name) => name === RECORD || name === CONFUSION || name === GRAPH || isEventFile(name))
      .toSorted();
    const found = [];
    for (const name of names) {
      const stat = await lstat(join(this.path, name));
      if (stat.isFile()) found.push({ name, size: stat.size, changed: stat.mtimeMs });
    }
    return found;
  }

  private async readWhole(): Promise<void> {
    if (!this.isWhole) this.forget();
    this.isWhole = true;
    [this.confusion, this.graph] = [null, null];
    for (const { name, size } of await this.files()) {
      if (name === CONFUSION || name === GRAPH) {
        await this.readJson(name, size);
        continue;
      }
      let tail = this.tails.get(name);
      if (tail === undefined) this.tails.set(name, (tail = new Tail(join(this.path, name))));
      const use =
        name === RECORD ? (bytes: Uint8Array) => this.useRecord(bytes) : (bytes: Uint8Array) => this.useLog(bytes);
      await tail.read(use, () => this.forget());
    }
  }

  private async readJson(name: typeof CONFUSION | typeof GRAPH, size: number): Promise<void> {
    if (size > MOST_BYTES) this.fault = `${name} is too large to be shown`;
    else
      try {
        const content = await readFile(join(this.path, name), 'utf8');
        if (name === GRAPH) this.graph = parseGraph(content);
        else this.confusion = parseConfusion(content);
      } catch (error) {
        this.fault = (error as Error).message; // what else there is of the run is shown
      }
  }

  private forget(): void {
    this.lines = new Map();
    this.events = [];
    this.logged = this.nothingLogged();
    this.loggedSince = NaN;
    this.tails.clear();
  }

  /** What the list needs of a long record. */
  private async glance(): Promise<void> {
    const file = await open(join(this.path, RECORD), 'r');
    try {
      const { size } = await file.stat();
      const part = async (at: number, length: number): Promise<string[]> => {
        const bytes = new Uint8Array(Math.min(length, size - at));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
        return text.decode(bytes.subarray(0, bytesRead)).split('\n');
      };
      const lines = [...(await part(0, HEAD)).slice(0, -1), ...(await part(Math.max(0, size - END), END)).slice(1)];
      this.events = lines.filter((line) => !line.startsWith(STEP)).flatMap((line) => parseEvent(line) ?? []);
    } finally {
      await file.close();
    }
  }

  private useRecord(bytes: Uint8Array): number {
    const end = bytes.lastIndexOf(LINE_END) + 1;
    for (const line of text.decode(bytes.subarray(0, end)).split('\n')) {
      if (line.startsWith(STEP)) this.useStep(line);
      else {
        const event = parseEvent(line);
        if (event !== undefined) this.useEvent(event);
      }
    }
    return end;
  }

  /** Most lines of a record are these. */
  private useStep(line: string): void {
    let event: Partial<Record<keyof StepEvent, unknown>>;
    try {
      event = JSON.parse(line) as typeof event;
    } catch {
      return; // damaged, as a crash may leave it
    }
    const step = Number(event.step);
    if (!Number.isSafeInteger(step)) return;
    this.line('loss', 'step').push(step, Number(event.loss));
    if (event.lr !== undefined) this.line('lr', 'step').push(step, Number(event.lr));
    if (event.gradNorm !== undefined) this.line('gradient norm', 'step').push(step, Number(event.gradNorm));
  }

  private useEvent(event: RunEvent): void {
    if (event.event === 'step') return;
    if (event.event === 'epoch') {
      for (const part of ['train', 'validation'] as const)
        for (const [name, value] of Object.entries(event[part] ?? {})) this.line(name, part).push(event.step, value);
      if (event.samplesPerSecond > 0) this.line('samples per second', 'train').push(event.step, event.samplesPerSecond);
    }
    this.events.push(event);
  }

  private useLog(bytes: Uint8Array): number {
    const { events, used, isDamaged } = readEvents(bytes);
    for (const event of events) this.useLogged(event);
    if (isDamaged) this.fault = 'an event file is damaged: what follows the damage is not shown';
    return isDamaged ? bytes.length : used;
  }

  private useLogged({ time, step, values, isRestart, graph }: LoggedEvent): void {
    if (graph !== undefined) this.logged.graph = graph;
    if (isRestart) for (const { series } of this.lines.values()) series.cutFrom(step);
    if (values.length > 0 && Number.isNaN(this.loggedSince)) this.loggedSince = time;
    const hasRecord = this.events.length > 0; // nabla's logger writes the same values to both
    for (const value of values) {
      if (value.kind === 'scalar') {
        if (!hasRecord) this.line(value.tag, '').push(step, value.value, time - this.loggedSince);
      } else this.keep(step, value);
    }
  }

  private keep(step: number, value: Exclude<LoggedValue, { kind: 'scalar' }>): void {
    const { histograms, images, texts } = this.logged;
    if (value.kind === 'text') texts.set(value.tag, { step, text: value.text });
    else if (value.kind === 'image') {
      let ofTag = images.get(value.tag);
      if (ofTag === undefined) images.set(value.tag, (ofTag = new Map()));
      ofTag.set(step, value.png.slice());
      if (ofTag.size > MOST_SHOWN) ofTag.delete(ofTag.keys().next().value as number);
    } else {
      let ofTag = histograms.get(value.tag);
      if (ofTag === undefined) histograms.set(value.tag, (ofTag = []));
      ofTag.push({ step, limits: [value.min, ...value.limits.slice(0, -1)], counts: value.counts });
      if (ofTag.length > MOST_SHOWN) ofTag.shift();
    }
  }

  private line(chart: string, part: string): Series {
    const key = `${part}\n${chart}`;
    let line = this.lines.get(key);
    if (line === undefined) this.lines.set(key, (line = { chart, part, series: new Series() }));
    return line.series;
  }

  private starts(): StartEvent | undefined {
    return this.events.findLast((event): event is StartEvent => event.event === 'start');
  }

  row(): RunRow {
    const start = this.starts();
    const { run, settings } = (start?.config ?? {}) as { run?: unknown; settings?: unknown };
    const { status, epochs, plannedEpochs, seconds, parameters, best } = summariseRun(this.events);
    const isLog = this.events.length === 0 && this.lines.size > 0;
    return {
      id: this.id,
      name: this.name,
      version: this.version,
      task: typeof run === 'string' ? run : '',
      status: isLog ? 'event file' : status,
      started: start?.time ?? (Number.isNaN(this.loggedSince) ? '' : new Date(this.loggedSince * 1000).toISOString()),
      epochs,
      plannedEpochs: plannedEpochs ?? null,
      seconds,
      parameters: parameters ?? null,
      best: isLog
        ? this.lastOfLog()
        : Object.fromEntries(Object.entries(best).map(([name, { value }]) => [name, value])),
      settings: plainSettings(settings),
      fault: this.fault,
    };
  }

  private lastOfLog(): Record<string, number | null> {
    const lines = [...this.lines.values()].filter(({ part }) => part === '');
    return Object.fromEntries(lines.map(({ chart, series }) => [chart, finite(series.value.at(-1) ?? NaN)]));
  }

  /** Reads all of a long record: its curves are asked for. */
  async whole(): Promise<void> {
    if (this.isWhole || this.fault !== null) return;
    try {
      await this.readWhole();
    } catch {
      this.state = ''; // the next refresh says what it is
    }
  }

  series(from: number, to: number): SeriesData[] {
    const axes = new Axes(this.events.filter((event): event is EpochEvent => event.event === 'epoch'));
    return [...this.lines.values()].map(({ chart, part, series }) => {
      const { step, value, seconds } = series;
      const places = visible(step, value, MOST_POINTS, from, to);
      return {
        run: this.id,
        chart,
        part,
        count: series.count,
        step: places.map((i) => step[i]),
        value: places.map((i) => finite(value[i])),
        epoch: places.map((i) => finite(axes.epoch(step[i]))),
        seconds: places.map((i) => finite(Number.isNaN(seconds[i]) ? axes.seconds(step[i]) : seconds[i])),
      };
    });
  }

  details(): RunDetails {
    const { histograms, images, texts, graph } = this.logged;
    const start = this.starts();
    const { diagnoses, examined } = examine([...this.events, ...this.steps()].toSorted(byStep));
    const end = this.events.findLast((event) => event.event === 'end');
    return {
      id: this.id,
      config: start?.config ?? null,
      network: start?.facts.layers ?? [],
      layers: thinned(this.events.filter((event): event is LayersEvent => event.event === 'layers')),
      graph: graph ?? this.graph,
      confusion: this.confusion,
      resources: this.events
        .filter((event) => event.event === 'epoch')
        .map(({ step, seconds, samplesPerSecond, waiting, communication, tensorBytes, processBytes }) => ({
          step,
          seconds,
          samplesPerSecond,
          waiting,
          communication,
          tensorBytes,
          processBytes,
        })),
      notices: this.events.filter((event) => event.event === 'notice').slice(-MOST_SHOWN),
      checks: this.events.filter((event) => event.event === 'check').slice(-MOST_SHOWN),
      diagnoses,
      examined,
      test: end?.event === 'end' ? (end.test ?? null) : null,
      histograms: [...histograms].map(([tag, steps]) => ({ tag, steps })),
      images: [...images].map(([tag, ofTag]) => ({ tag, steps: [...ofTag.keys()] })),
      texts: [...texts].map(([tag, { step, text: content }]) => ({ tag, step, text: content })),
    };
  }

  /** A PNG or JPEG from an event file. */
  image(tag: string, step: number): Uint8Array | undefined {
    return this.logged.images.get(tag)?.get(step);
  }

  /** The doctor reads losses and rates step by step. */
  private steps(): StepEvent[] {
    const loss = this.lines.get('step\nloss')?.series;
    if (loss === undefined) return [];
    const lr = this.lines.get('step\nlr')?.series.value;
    const norms = this.lines.get('step\ngradient norm')?.series;
    const hasNorms = norms?.count === loss.count;
    return Array.from({ length: loss.count }, (_, i): StepEvent => ({
      event: 'step',
      step: loss.step[i],
      epoch: 1,
      loss: loss.value[i],
      lr: lr?.[i] ?? NaN,
      ...(hasNorms && { gradNorm: norms.value[i] }),
    }));
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What an event says of a step comes after it; what begins a run first, what ends it last. */
function byStep(a: RunEvent, b: RunEvent): number {
  const place = (event: RunEvent): number =>
    event.event === 'start' || event.event === 'check' ? -1 : event.event === 'end' ? Infinity : event.step;
  const [first, second] = [place(a), place(b)];
  return first === second ? Number(a.event !== 'step') - Number(b.event !== 'step') : first - second;
}

/** Of many looks into the layers so many that they can be told apart. */
function thinned(events: readonly LayersEvent[]): LayersEvent[] {
  const stride = Math.ceil(events.length / MOST_SHOWN);
  return events.filter((_, i) => i % stride === 0 || i === events.length - 1);
}

/** Settings that a table can hold. */
function plainSettings(settings: unknown): RunRow['settings'] {
  if (typeof settings !== 'object' || settings === null) return {};
  const plain = Object.entries(settings).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(plain) as RunRow['settings'];
}
