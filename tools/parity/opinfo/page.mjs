// docs/operators.md: what has been compared, operator by operator, and what is not there.

import * as nabla from 'nabla';
import { absentReason } from './absent.mjs';
import { CALLS, NOTES } from './calls.mjs';

/** Where neither the text of a row nor PyTorch's name says it. */
const NAMES = {
  __getitem__: ['.index', 'maskedSelect'],
  'nn.functional.batch_norm': ['BatchNorm1d', 'BatchNorm2d', 'BatchNorm3d'],
  'nn.functional.instance_norm': ['InstanceNorm1d', 'InstanceNorm2d', 'InstanceNorm3d'],
};

/** PyTorch's name in camel case, where nabla has a function or a method of that name. */
function sameName(name) {
  const camel = name
    .split('.')
    .at(-1)
    .replaceAll(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  if (camel in nabla) return [camel];
  return camel in nabla.Tensor.prototype ? [`.${camel}`] : [];
}

/** The functions and methods that a row calls. */
function called(name) {
  const text = String(CALLS[name]);
  const linalg = [...text.matchAll(/\bl\.([a-z]\w*)\(/gi)].map(([, f]) => `\`linalg.${f}\``);
  if (linalg.length > 0) return [...new Set(linalg)].join(', ');
  const functions = [...text.matchAll(/\b(n|nn|F)\.([a-z]\w*)\(/gi)].map(([, from, f]) =>
    from === 'F' ? `functional.${f}` : f,
  );
  const methods = [...text.matchAll(/\b(?:input|other|x)\.(?!shape|dtype|rank|map)(\w+)/g)].map(([, f]) => `.${f}`);
  const found = [...new Set([...functions, ...methods])].filter((f) => f !== 'complex' || name === 'complex');
  const names = NAMES[name] ?? (found.length > 0 ? found : sameName(name));
  return names.map((f) => `\`${f}\``).join(', ') || 'the tensor itself';
}

function reasons({ name, rest }) {
  const kinds = new Map();
  for (const [text, count] of rest) {
    const short = text
      .replace(/^wrong: (result|gradient) \d+: element.*/, 'wrong: numbers')
      .replace(/^(refused|wrong): /, '');
    kinds.set(NOTES[name] ?? short, (kinds.get(NOTES[name] ?? short) ?? 0) + count);
  }
  return [...kinds].map(([text, count]) => `${count}: ${text.replaceAll('|', '\\|')}`).join('; ');
}

const DTYPES = { float32: 'f32', float64: 'f64', int32: 'i32', bool: 'bool' };

function row(operator) {
  const { name, samples, agreed, random, dtypes } = operator;
  const drawn = random === 0 ? '' : `${random} are random: shape and dtype alone. `;
  return `| \`${name}\` | ${called(name)} | ${Object.keys(dtypes)
    .map((d) => DTYPES[d])
    .join(', ')} | ${samples} | ${agreed} | ${drawn}${reasons(operator)} |`;
}

function absent(operators) {
  const byReason = new Map();
  for (const { name } of operators)
    byReason.set(absentReason(name), [...(byReason.get(absentReason(name)) ?? []), name]);
  return [...byReason].map(([reason, names]) => `| ${reason} | ${names.map((n) => `\`${n}\``).join(' ')} |`).join('\n');
}

export function page(operators, torch, tolerances) {
  const present = operators
    .filter((o) => o.present && o.samples > 0)
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const total = (key) => present.reduce((sum, o) => sum + o[key], 0);
  const share = (dtype) => {
    const counts = present.flatMap(({ dtypes }) => (dtype in dtypes ? [dtypes[dtype]] : []));
    const [all, agree] = [0, 1].map((k) => counts.reduce((sum, count) => sum + count[k], 0));
    return `${agree} of ${all} in ${dtype} (${((100 * agree) / all).toFixed(2)} %)`;
  };
  const whole = present.filter((o) => o.samples === o.agreed).length;
  const [relative, absolute] = tolerances.float32;
  const [relative64, absolute64] = tolerances.float64;
  return `# Operators beside PyTorch's

PyTorch tests its operators with samples of its own (OpInfo): tensors of many shapes, with all options. nabla is run on these samples, in
float32 and in float64, forward and backward, and the numbers are compared with those of PyTorch ${torch}. The list of operators is
PyTorch's, ${operators.length} names. ${present.length} of them are there, ${whole} of these agree in every sample; of ${total('samples')} samples
${total('agreed')} agree (${((100 * total('agreed')) / total('samples')).toFixed(2)} %): ${share('float32')}, ${share('float64')}, the others
of operators that have neither.

A number agrees that is within ${relative} of itself and ${absolute} of the largest of its tensor (float64: ${relative64} and ${absolute64}); shape and
dtype have to be the same, but for int64, which is int32 here, and complex numbers, which are pairs. Where PyTorch's float32 itself is
farther away from what float64 gives for the same inputs, float64's number serves. Gradients are those of a weighted sum of all results.

This page is made by the tools of the repository, which say how: \`tools/parity/opinfo/samples.py\` writes the samples, and
\`tools/parity/opinfo/compare.mjs\` runs them, on each tier. A few of each are part of the tests.

## What is there

| PyTorch | here | dtypes | samples | agree | the rest |
|---|---|---|---|---|---|
${present.map(row).join('\n')}

## What is not

| reason | operators |
|---|---|
${absent(operators.filter((o) => !present.includes(o)))}
`;
}
