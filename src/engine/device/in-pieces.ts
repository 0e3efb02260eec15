// A program of several: the pieces of a graph that is too large for one (partition.ts), run one after the other,
// with memory for what they hand on, which is held from the piece that makes it to the last one that reads it.
// Input: pieces, and the device that compiles them. Output: an executable like any other.

import type { Pieces, Place } from '../compile/graph/partition.js';
import { formatShape } from '../ir/shape.js';
import type { Device, Executable, Graph } from './device.js';

export class PiecewiseExecutable implements Executable {
  readonly kernels: readonly string[];
  readonly watched: readonly number[] | undefined;
  readonly bytes: number;
  private readonly device: Device;
  private readonly pieces: Pieces;
  private readonly programs: readonly Executable[];
  private runs = 0;

  constructor(device: Device, pieces: Pieces, compile: (piece: Graph) => Executable) {
    this.device = device;
    this.pieces = pieces;
    this.programs = pieces.pieces.map((piece) => compile(piece.graph));
    this.kernels = this.programs.flatMap((p) => p.kernels);
    this.bytes = this.programs.reduce((sum, { bytes }) => sum + bytes, 0);
    const watched = new Set<number>();
    this.programs.forEach((program, i) => {
      for (const number of program.watched ?? []) {
        const { kind, index } = pieces.pieces[i].inputs[number];
        if (kind === 'input') watched.add(index);
      }
    });
    this.watched = watched.size === 0 ? undefined : [...watched];
  }

  run(
    inputs: readonly unknown[],
    scalars: ArrayLike<number>,
    outputs: readonly unknown[],
    states?: readonly string[],
  ): void {
    this.runs++;
    const { device, pieces } = this;
    const stateOf = new Map(this.watched?.map((number, i) => [number, states?.[i]]));
    const values = new Map<number, unknown>();
    const bufferAt = ({ kind, index }: Place): unknown => {
      if (kind !== 'value') return (kind === 'input' ? inputs : outputs)[index];
      let buffer = values.get(index);
      if (buffer === undefined) {
        const { size, dtype, op, shape } = pieces.values[index];
        values.set(index, (buffer = device.allocate(size, dtype, `${op} ${formatShape(shape)}`)));
      }
      return buffer;
    };
    try {
      pieces.pieces.forEach((piece, i) => {
        const program = this.programs[i];
        // What is handed on is another one in each run.
        const own = program.watched?.map((number) => {
          const { kind, index } = piece.inputs[number];
          return (kind === 'input' ? stateOf.get(index) : undefined) ?? `run ${this.runs}`;
        });
        program.run(
          piece.inputs.map(bufferAt),
          piece.scalars.map((number) => scalars[number]),
          piece.outputs.map(bufferAt),
          own,
        );
        for (const value of piece.lastOf) {
          device.free(values.get(value));
          values.delete(value);
        }
      });
    } finally {
      for (const buffer of values.values()) device.free(buffer);
    }
  }

  dispose(): void {
    for (const program of this.programs) program.dispose();
  }
}
