// Options objects of calls: names that no call knows are refused, with the name that was meant.
//   The call's name, what was passed, the table of known names in; an ArgumentError, or nothing, out.
// Must not know: which options there are. Each table stands beside the type whose names it holds.

import { ArgumentError } from './errors.js';
import { shown } from './shape.js';

/** The names of an options type. One that is missing, or one too many, does not compile. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/** Names from elsewhere (PyTorch, Keras, NumPy, habit), without capitals and underscores, and what they are here. */
const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    activationfn: ['activation'],
    alignment: ['alignCorners'],
    attentionmask: ['mask', 'attnMask'],
    attnmask: ['mask'],
    axis: ['dim'],
    axes: ['dims'],
    batch: ['batchSize'],
    beta1: ['betas'],
    beta2: ['betas'],
    bs: ['batchSize'],
    classweight: ['weight'],
    classweights: ['weight'],
    clipgradnorm: ['clipNorm'],
    clipgradvalue: ['clipValue'],
    collatefn: ['collate'],
    criterion: ['loss'],
    ddof: ['correction'],
    decay: ['weightDecay', 'decay'],
    dropoutp: ['dropout'],
    dropoutrate: ['dropout'],
    earlystop: ['earlyStopping'],
    epsilon: ['eps'],
    gradaccumulation: ['accumulate'],
    gradclip: ['clipNorm'],
    gradientclip: ['clipNorm'],
    hidden: ['hiddenSize', 'hidden'],
    ignorelabel: ['ignoreIndex'],
    keepdims: ['keepdim'],
    l2: ['weightDecay'],
    layers: ['numLayers'],
    learningrate: ['lr'],
    lossfn: ['loss'],
    lossfunction: ['loss'],
    lrscheduler: ['schedule'],
    maxepochs: ['epochs'],
    maxgradnorm: ['clipNorm'],
    maxnorm: ['clipNorm'],
    maxsteps: ['steps'],
    nepochs: ['epochs'],
    nesterovmomentum: ['nesterov'],
    normtype: ['p'],
    numclasses: ['classes'],
    numepochs: ['epochs'],
    numworkers: ['workers'],
    optim: ['optimizer'],
    optimiser: ['optimizer'],
    pad: ['padding'],
    padidx: ['paddingIdx'],
    posweights: ['posWeight'],
    prefetchfactor: ['prefetch'],
    rate: ['lr'],
    reduce: ['reduction'],
    scale: ['scaleFactor'],
    scheduler: ['schedule'],
    sizeaverage: ['reduction'],
    smoothing: ['labelSmoothing'],
    strides: ['stride'],
    testdata: ['test'],
    traindata: ['train'],
    trainloader: ['train'],
    type: ['dtype'],
    unbiased: ['correction'],
    usebias: ['bias'],
    valdata: ['validation'],
    validationdata: ['validation'],
    valloader: ['validation'],
    val: ['validation'],
    verbose: ['listeners'],
    wd: ['weightDecay'],
    weights: ['weight'],
  }),
);

/** As `checkOptions`, for options that cannot be left out; `example` shows one that is needed: `{ classes: 10 }`. */
export function checkNeededOptions(op: string, options: object | undefined, known: object, example: string): void {
  if (options === undefined) throw new ArgumentError(`${op}: the options are missing. Pass them: ${example}.`);
  checkOptions(op, options, known);
}

/**
 * Throws ArgumentError unless `options` is left out or an object with names of `known` alone. Costs a walk over the names
 * that were given.
 */
export function checkOptions(op: string, options: object | undefined, known: object): void {
  if (options === undefined) return;
  if (!isPlain(options)) throw noOptions(op, options, known);
  for (const name in options) if (!Object.hasOwn(known, name)) throw unknownOption(op, name, Object.keys(known));
}

function isPlain(options: unknown): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false;
  const prototype: unknown = Object.getPrototypeOf(options);
  if (prototype === Object.prototype || prototype === null) return true;
  // Objects of other realms, and of classes that somebody made for the purpose, are options as well.
  return (
    Object.prototype.toString.call(options) === '[object Object]' &&
    !('dtype' in options && 'shape' in options && 'node' in options)
  );
}

function noOptions(op: string, given: unknown, known: object): ArgumentError {
  const [first] = Object.keys(known);
  const isShort = typeof given === 'number' || typeof given === 'boolean' || typeof given === 'string';
  const value = isShort ? shown(given) : '…';
  return new ArgumentError(
    `${op}: ${describe(given)} is not an object of options. Write { ${first}: ${value} }, or leave it out.`,
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `the list [${value.length > 4 ? '…' : value.map(shown).join(', ')}]`;
  return shown(value);
}

function unknownOption(op: string, name: string, known: readonly string[]): ArgumentError {
  const meant = meantOption(name, known);
  const advice =
    meant !== undefined
      ? `Did you mean ${meant}?`
      : known.length === 0
        ? 'There are none.'
        : `There ${known.length === 1 ? 'is' : 'are'} ${listed(known)}.`;
  return new ArgumentError(`${op}: there is no option '${name}'. ${advice}`);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[_\-\s]/g, '');

/** The known name that was probably meant: written otherwise, called otherwise, or mistyped. */
export function meantOption(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name);
  const same = known.find((k) => plain(k) === wanted);
  if (same !== undefined) return same;
  const other = (OTHER_NAMES.get(wanted) ?? []).find((k) => known.includes(k));
  if (other !== undefined) return other;
  const most = wanted.length < 5 ? 1 : 2;
  const near = known
    .map((k) => ({ k, distance: editDistance(plain(k), wanted) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.k ?? known.find((k) => beginAlike(plain(k), wanted));
}

/** Two forms of a word: interpolate and interpolation. */
function beginAlike(a: string, b: string): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same >= 3 && same >= 0.7 * Math.min(a.length, b.length);
}

/** Letters to insert, to leave out, to change or to swap with their neighbour (Damerau and Levenshtein). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2] + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
