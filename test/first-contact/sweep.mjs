// What the sweeps of wrong kinds of arguments share: the wrong values, how an argument is described, and the sweep.

import * as nabla from 'nabla';
import * as nn from 'nabla/nn';

const { NablaError, zeros } = nabla;

export const WRONG = {
  list: [
    [1, 2],
    [3, 4],
  ],
  number: 2.5,
  string: 'abc',
  undefined: undefined,
  null: null,
  boolean: true,
  object: {},
  function: () => 1,
  promise: Promise.resolve(zeros([2])),
  module: new nn.Linear(2, 2),
  tensor: zeros([7]),
  tensors: [zeros([7])],
  float32array: new Float32Array(2),
  class: nn.Linear,
};

/** An argument: a good value, and the kinds that may be one as well. */
export const argument =
  (...kinds) =>
  (value) => ({ value, kinds });
export const T = argument('tensor');
export const Optional = argument('tensor', 'undefined');
export const Operand = argument('tensor', 'number');
export const N = argument('number');
export const NumberOr = argument('number', 'undefined', 'null');
export const I = argument();
export const Whole = argument('undefined', 'null');
export const Dims = argument('undefined', 'number');
export const Shape = argument();
export const List = argument('tensors');
export const Flag = argument(
  'boolean',
  'undefined',
  'number',
  'string',
  'null',
  'list',
  'object',
  'function',
  'promise',
  'module',
  'tensor',
  'tensors',
  'float32array',
  'class',
);
export const Options = argument('object', 'undefined');

/** What a call does: 'fine', or what it throws, at once or when awaited. */
export async function faultOf(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The message begins with the call's name; a variant of a call may go by the call's. */
function isTold(name, message) {
  const parts = [name, name.split(/[,:] /)[0].split('.').at(-1)];
  const [, who] = /^([\w. ]+?)(?::| needs| is)/.exec(message) ?? [];
  return who !== undefined && (parts.some((part) => part.startsWith(who)) || ALIASES[parts[1]]?.includes(who) === true);
}

const ALIASES = {
  index: ['indexSelect'],
  setDevice: ['device'],
  softmin: ['softmax'],
  maxPool1dWithIndices: ['maxPool1d'],
  maxPool2dWithIndices: ['maxPool2d'],
  column: ['csv'],
  numbers: ['column', 'csv'],
  classes: ['column', 'csv'],
  classification: ['column', 'csv', 'classification'],
  regression: ['column', 'csv'],
  complete: ['column', 'csv'],
  fit: ['csv', 'column', 'TableEncoder'],
  of: ['Vocabulary'],
  decode: ['Vocabulary'],
  get: ['dataset'],
  batch: ['dataset'],
  gather: ['dataset'],
  addScalar: ['SummaryWriter'],
  addText: ['SummaryWriter'],
  addHistogram: ['SummaryWriter'],
  formatSafetensors: ['safetensors'],
  saveSafetensors: ['safetensors', 'toSafetensors'],
  toSafetensors: ['safetensors'],
  fromSafetensors: ['safetensors'],
  parseCsv: ['csv'],
  parseIdx: ['idx'],
  parseNpz: ['zip'],
  gunzip: ['gzip'],
  readText: ['read'],
  readBytes: ['read'],
  readCsv: ['read'],
  registerForwardHook: ['Linear'],
  registerForwardPreHook: ['Linear'],
  registerFullBackwardHook: ['Linear'],
  kFold: ['kFold'],
  Trainer: ['ReduceLROnPlateau', 'WeightAverage', 'manualSeed', 'resume'],
};

/** Faults of a call whose arguments are replaced one by one, as lines of text. */
export async function sweep(name, call, args) {
  const lines = [];
  const good = await faultOf(() => call(...args.map(({ value }) => value)));
  if (good !== undefined) lines.push(`${name}: good arguments: ${good.stack.split('\n').slice(0, 3).join(' | ')}`);
  for (const [i, { kinds }] of args.entries()) {
    for (const [kind, value] of Object.entries(WRONG)) {
      const given = args.map((a, j) => (j === i ? value : a.value));
      const fault = await faultOf(() => call(...given));
      const where = `${name}, argument ${i} a ${kind}`;
      if (fault === undefined) {
        if (!kinds.includes(kind)) lines.push(`${where}: nothing is said`);
      } else if (/^E[A-Z]+$/.test(fault.code)) {
        continue; // the file system's own words
      } else if (!(fault instanceof NablaError) || fault.name === 'InternalError') {
        lines.push(`${where}: ${fault.name}: ${fault.message} (${fault.stack.split('\n')[1]?.trim()})`);
      } else if (!kinds.includes(kind) && !isTold(name, fault.message)) {
        lines.push(`${where}: is not told who says it: ${fault.message}`);
      }
    }
  }
  return lines;
}
