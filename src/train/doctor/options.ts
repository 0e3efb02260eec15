// Settings of the doctor beside a training.

import type { OptionNames } from '../../tensor/library.js';

export interface DoctorOptions {
  /** Look into the first two steps, and then into every so many (and one more, in turn). Default 10. */
  readonly every?: number;
}

export const DOCTOR_OPTIONS: OptionNames<DoctorOptions> = { every: true };
