// What a run can be asked for, and what it does unasked. Free of the library, so that --help need not load it.

export interface Settings {
  readonly epochs: number;
  /** The peak of the one-cycle schedule. */
  readonly lr: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly device: string;
}

export const DEFAULTS: Settings = { epochs: 30, lr: 0.01, batchSize: 64, seed: 0, device: 'cpu' };
