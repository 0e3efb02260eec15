// What is in an ONNX model: where it comes from, what it takes and gives, its operators, its weights, and what stands in the way.

import { NablaError } from '../../index.js';
import { type OnnxContents, inspectOnnx } from '../../onnx/index.js';
import { problemText } from '../../onnx/error.js';
import type { Dimension } from '../../onnx/graph/graph.js';
import { largest } from '../../tensor/extremes.js';
import type { InspectOptions } from '../commands/inspect.js';
import { CliError } from '../errors.js';
import { oneLine, printable, printableData } from '../printable.js';
import { type Terminal, bytes, grouped } from '../terminal.js';

export async function inspectOnnxFile(path: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  if (options.key !== undefined || options.stats) throw new CliError('--key and --stats are for files of weights.');
  const contents = await inspectOnnx(path).catch((error: unknown) => {
    throw error instanceof NablaError ? new CliError(oneLine(error)) : error;
  });
  if (options.json) printJson(contents, terminal);
  else printText(path, contents, terminal);
}

function printJson(contents: OnnxContents, terminal: Terminal): void {
  const { opsets, weights, ...rest } = contents;
  const line = (value: unknown): void => terminal.line(JSON.stringify(printableData(value)));
  line({ format: 'onnx', ...rest, opsets: Object.fromEntries(opsets) });
  for (const weight of weights.filter(({ role }) => role !== 'setting')) line(weight);
}

/** float32 [batch, 3, ?] */
function typeText(type: string | undefined, shape: readonly Dimension[] | undefined): string {
  return `${type ?? 'any'} ${shape === undefined ? 'of any rank' : `[${shape.map((n) => n ?? '?').join(', ')}]`}`;
}

function table(terminal: Terminal, rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, i) => largest(rows.map((row) => row[i].length))) ?? [];
  for (const row of rows)
    terminal.line(row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]))).join('  '));
}

function printText(path: string, contents: OnnxContents, terminal: Terminal): void {
  const { style } = terminal;
  const { producer, irVersion, opsets, problems } = contents;
  const versions = [...opsets].map(([domain, version]) =>
    domain === '' ? `opset ${version}` : `${domain} ${version}`,
  );
  const from = producer === '' ? '' : `, by ${printable(producer)}`;
  terminal.line(
    `${style.bold(printable(path))}  ONNX (IR ${irVersion}, ${versions.map(printable).join(', ')})${from}, ${bytes(contents.bytes)}`,
  );
  terminal.line();
  const values = [
    ...contents.inputs.map((value) => ['input', value] as const),
    ...contents.outputs.map((value) => ['output', value] as const),
  ];
  table(
    terminal,
    values.map(([what, { name, type, shape }]) => [what, printable(name), printable(typeText(type, shape))]),
  );
  terminal.line();
  table(
    terminal,
    contents.operators.map(({ operator, count, isKnown }) => [
      printable(operator),
      String(count),
      isKnown ? '' : style.red('nabla does not have it'),
    ]),
  );
  const learned = contents.weights.filter(({ role }) => role === 'parameter');
  const numbers = learned.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const size = contents.weights.reduce((sum, weight) => sum + weight.bytes, 0);
  const nodes = contents.operators.reduce((sum, { count }) => sum + count, 0);
  terminal.line();
  terminal.line(
    `${grouped(nodes)} nodes, ${grouped(numbers)} parameters in ${grouped(learned.length)} tensors, ${bytes(size)} of constants`,
  );
  if (problems.length === 0) {
    terminal.line(style.green('nabla runs it.'));
    return;
  }
  terminal.line(style.red('nabla cannot run it:'));
  for (const problem of problems) terminal.line(`  ${printable(problemText(problem))}`);
}
