// What the dashboard's server and its page say to each other: plain JSON. Numbers that are not finite are null.

import type { Confusion } from '../../train/confusion.js';
import type { CheckEvent, LayersEvent, NoticeEvent } from '../../train/record.js';
import type { Diagnosis } from '../../train/doctor/diagnose.js';

/** A row of the list of runs. */
export interface RunRow {
  readonly id: number;
  readonly name: string;
  /** Grows when the files of the run do. */
  readonly version: number;
  readonly task: string;
  readonly status: string;
  /** ISO 8601, '' where it is not known. */
  readonly started: string;
  readonly epochs: number;
  readonly plannedEpochs: number | null;
  readonly seconds: number;
  readonly parameters: number | null;
  /** Best value of each metric on validation data, or on training data where there are no others. */
  readonly best: Readonly<Record<string, number | null>>;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Why its files could not be read, if so. */
  readonly fault: string | null;
}

export interface RunList {
  readonly folder: string;
  /** Of all of it: a page that knows it need not ask for the rows. */
  readonly version: number;
  readonly runs: readonly RunRow[];
}

/** Where a value stands on each of the axes. */
export interface SeriesData {
  readonly run: number;
  /** `loss`, `accuracy`, `lr`, or the tag of an event file. */
  readonly chart: string;
  /** `step`, `train`, `validation`: the lines of a chart. */
  readonly part: string;
  readonly step: readonly number[];
  readonly epoch: readonly (number | null)[];
  /** Seconds since the run began. */
  readonly seconds: readonly (number | null)[];
  readonly value: readonly (number | null)[];
  /** How many values there are: those above are fewer where they would be too many to see. */
  readonly count: number;
}

export interface HistogramData {
  readonly tag: string;
  readonly steps: readonly {
    readonly step: number;
    readonly limits: readonly number[];
    readonly counts: readonly number[];
  }[];
}

/** Nodes with the names of those before them; a module's are below its name: layer1/0/conv. */
export type GraphData = readonly {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** Of its result. */
  readonly shape?: readonly number[];
}[];

/** Of an epoch. */
export interface ResourceData {
  readonly step: number;
  readonly seconds?: number;
  readonly samplesPerSecond?: number;
  readonly waiting?: number;
  readonly communication?: number;
  readonly tensorBytes?: number;
  readonly processBytes?: number;
}

export interface RunDetails {
  readonly id: number;
  readonly config: unknown;
  readonly layers: readonly LayersEvent[];
  readonly network: readonly { readonly name: string; readonly kind: string }[];
  /** The newest of its event files, or what its graph.json has. */
  readonly graph: GraphData | null;
  readonly confusion: Confusion | null;
  readonly resources: readonly ResourceData[];
  readonly notices: readonly NoticeEvent[];
  readonly checks: readonly CheckEvent[];
  readonly diagnoses: readonly Diagnosis[];
  readonly examined: readonly string[];
  readonly test: Readonly<Record<string, number>> | null;
  readonly histograms: readonly HistogramData[];
  readonly images: readonly { readonly tag: string; readonly steps: readonly number[] }[];
  readonly texts: readonly { readonly tag: string; readonly step: number; readonly text: string }[];
}
