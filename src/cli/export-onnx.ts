// `nabla convert … out.onnx`: a network of a run folder, of a folder of transformers', or one by name with weights, as an ONNX model.

import { type AnyTensor, NablaError, disposeDevices, zeros } from '../index.js';
import { exportOnnx } from '../onnx/index.js';
import { CliError } from './errors.js';
import { headOf, isOnnx } from './file-head.js';
import { type Network, type NetworkOptions, networkKindOf, openNetwork, weightsAlone } from './networks/network.js';
import { writeOutput } from './output-file.js';
import { oneLine, printable, printableData } from './printable.js';
import { bytes, terminalOf } from './terminal.js';

export interface ExportOptions extends NetworkOptions {
  readonly opset?: number;
  /** Make a convolution and the batch norm behind it one. */
  readonly foldNorms?: true;
  readonly json?: true;
}

/** What a size that may be any is in the example; forward is gone through at up to three times of it as well, which a short context has to hold. */
const EXAMPLE: Readonly<Record<string, number>> = { batch: 2, length: 3 };

export async function convertToOnnx(from: string, to: string, options: ExportOptions): Promise<void> {
  const kind = networkKindOf(from);
  if (kind === undefined) {
    if (isOnnx(headOf(from), from)) throw new CliError(`${from} is an ONNX model already.`);
    throw weightsAlone(from, `convert resnet18 ${to}`);
  }
  try {
    const network = await openNetwork(kind, from, options);
    const file = await exported(network, options);
    await writeOutput(to, file);
    tell(network, to, file.length, options);
  } finally {
    await disposeDevices();
  }
}

async function exported({ what, module, inputs }: Network, { opset, foldNorms }: ExportOptions): Promise<Uint8Array> {
  const example = inputs.map(({ shape, dtype }): AnyTensor =>
    zeros(
      shape.map((n) => (typeof n === 'number' ? n : (EXAMPLE[n] ?? 2))),
      { dtype },
    ),
  );
  const dynamic = Object.fromEntries(
    inputs.map(({ name, shape }) => [
      name,
      Object.fromEntries(shape.flatMap((n, axis) => (typeof n === 'string' ? [[axis, n] as const] : []))),
    ]),
  );
  try {
    return await exportOnnx(module, example, {
      dynamic,
      inputNames: inputs.map(({ name }) => name),
      ...(opset !== undefined && { opset }),
      ...(foldNorms && { foldBatchNorm: true }),
    });
  } catch (error) {
    throw error instanceof NablaError ? new CliError(`${what} cannot become an ONNX model: ${oneLine(error)}`) : error;
  }
}

function tell({ what, inputs }: Network, to: string, size: number, { json }: ExportOptions): void {
  const terminal = terminalOf(process.stdout);
  if (json) {
    const described = inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    terminal.line(
      JSON.stringify(printableData({ out: to, format: 'onnx', bytes: size, from: what, inputs: described })),
    );
    return;
  }
  const list = inputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`);
  terminal.line(`${printable(to)}: ${printable(what)}; takes ${printable(list.join(', '))}; ${bytes(size)}`);
}
