// Dates as people write them, and the same as ISO 8601 has them: a small task of translation that is made on the spot.

import { HostRandom } from '../../tensor/host-random.js';
import { checkOptions, checkWhole, type OptionNames } from '../../tensor/library.js';
import type { SentencePairs } from './text-sets.js';

export interface DateOptions {
  /** Default 2000. */
  readonly samples?: number;
  /** Default 0. */
  readonly seed?: number;
}

const DATE_OPTIONS: OptionNames<DateOptions> = { samples: true, seed: true };

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

interface Parts {
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly weekday: number;
}

const two = (n: number): string => String(n).padStart(2, '0');
const ordinal = (n: number): string => {
  const last = n % 10;
  const isTeen = n > 10 && n < 14;
  return `${n}${last === 1 && !isTeen ? 'st' : last === 2 && !isTeen ? 'nd' : last === 3 && !isTeen ? 'rd' : 'th'}`;
};

const STYLES: readonly ((parts: Parts) => string)[] = [
  ({ day, month, year }) => `${day} ${MONTHS[month]} ${year}`,
  ({ day, month, year }) => `${MONTHS[month]} ${day}, ${year}`,
  ({ day, month, year }) => `${two(day)}.${two(month + 1)}.${year}`,
  ({ day, month, year }) => `the ${ordinal(day)} of ${MONTHS[month]} ${year}`,
  ({ day, month, year }) => `${day}-${MONTHS[month].slice(0, 3).toUpperCase()}-${two(year % 100)}`,
  ({ day, month, year, weekday }) => `${DAYS[weekday].slice(0, 3)}, ${day} ${MONTHS[month].slice(0, 3)} ${year}`,
];

/**
 * Dates from 1970 to 2069 in one of six styles ('Tue, 3 Mar 1998', 'the 3rd of March 1998', '3-MAR-98', …) with their ISO form ('1998-03-03'). The
 * same options give the same pairs.
 */
export function dates(options: DateOptions = {}): SentencePairs {
  checkOptions('dates', options, DATE_OPTIONS);
  const { samples = 2000, seed = 0 } = options;
  checkWhole('dates', 'samples', samples, 1);
  checkWhole('dates', 'seed', seed, -Infinity);
  const random = new HostRandom(seed, 0xda7e);
  const pairs = Array.from({ length: samples }, () => {
    const date = new Date(Date.UTC(1970, 0, 1 + random.below(36_525))); // a hundred years
    const parts = {
      day: date.getUTCDate(),
      month: date.getUTCMonth(),
      year: date.getUTCFullYear(),
      weekday: date.getUTCDay(),
    };
    return [STYLES[random.below(STYLES.length)](parts), date.toISOString().slice(0, 10)];
  });
  return { source: pairs.map(([text]) => text), target: pairs.map(([, text]) => text) };
}
