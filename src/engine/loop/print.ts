// Kernels as text, for NABLA_DEBUG and for the messages of the verifier: one statement a line, loops indented.
// Input: loop IR. Output: text that reads like C with vector types (`f32x4`). Nobody parses it.

import type { Expr, KernelFunction, Program, Stmt, Var } from './loop.js';

const INFIX: Record<string, string> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  divs: '/',
  rems: '%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shrs: '>>',
  shru: '>>>',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
};

export function typeText({ type, lanes }: Pick<Expr, 'type' | 'lanes'>): string {
  return lanes === 1 ? type : `${type}x${lanes}`;
}

function name(v: Var): string {
  return `${v.name}${v.id}`;
}

/** One expression on one line. */
export function printExpr(e: Expr): string {
  switch (e.kind) {
    case 'var':
      return name(e);
    case 'const':
      return e.lanes === 1 ? `${e.value}` : `${typeText(e)}(${e.value})`;
    case 'load':
      return `${e.buffer.name}[${printExpr(e.index)}${e.lanes > 1 ? ` : ${e.lanes}` : ''}]`;
    case 'unary':
      return `${e.op}(${printExpr(e.x)})`;
    case 'binary':
    case 'compare':
      return e.op in INFIX
        ? `(${printExpr(e.a)} ${INFIX[e.op]} ${printExpr(e.b)})`
        : `${e.op}(${printExpr(e.a)}, ${printExpr(e.b)})`;
    case 'convert':
      return `${e.op}(${printExpr(e.x)})`;
    case 'fma':
      return `fma(${printExpr(e.a)}, ${printExpr(e.b)}, ${printExpr(e.c)})`;
    case 'select':
      return `(${printExpr(e.condition)} ? ${printExpr(e.a)} : ${printExpr(e.b)})`;
    case 'splat':
      return `${typeText(e)}(${printExpr(e.x)})`;
    case 'pack':
      return `${typeText(e)}(${e.parts.map(printExpr).join(', ')})`;
    case 'extract':
      return `${printExpr(e.x)}.${e.lane}`;
    case 'shuffle':
      return `shuffle(${printExpr(e.a)}, ${printExpr(e.b)}, ${e.pick.join(' ')})`;
  }
}

function printStatements(statements: readonly Stmt[], indent: string, out: string[]): void {
  for (const s of statements) {
    switch (s.kind) {
      case 'for':
        out.push(
          `${indent}for ${name(s.variable)} = ${printExpr(s.from)} .. ${printExpr(s.to)}${s.step === 1 ? '' : ` step ${s.step}`} {`,
        );
        printStatements(s.body, `${indent}  `, out);
        out.push(`${indent}}`);
        break;
      case 'let':
        out.push(
          `${indent}${s.mutable ? 'mut ' : ''}${typeText(s.variable)} ${name(s.variable)} = ${printExpr(s.value)}`,
        );
        break;
      case 'set':
        out.push(`${indent}${name(s.variable)} = ${printExpr(s.value)}`);
        break;
      case 'store':
        out.push(`${indent}${s.buffer.name}[${printExpr(s.index)}] = ${printExpr(s.value)}`);
        break;
      case 'prefetch':
        out.push(`${indent}prefetch ${s.buffer.name}[${printExpr(s.index)}]`);
        break;
      case 'if':
        out.push(`${indent}if ${printExpr(s.condition)} {`);
        printStatements(s.then, `${indent}  `, out);
        if (s.else.length > 0) {
          out.push(`${indent}} else {`);
          printStatements(s.else, `${indent}  `, out);
        }
        out.push(`${indent}}`);
        break;
    }
  }
}

export function printKernel(kernel: KernelFunction): string {
  const operands = [
    ...kernel.buffers.map((b) => `${b.type}[${b.size}] ${b.name}`),
    ...kernel.scalars.map((v) => `${v.type} ${name(v)}`),
  ];
  const out = [`kernel ${kernel.name}(${operands.join(', ')}) {`];
  for (const b of kernel.scratch) out.push(`  scratch ${b.type}[${b.size}] ${b.name}`);
  printStatements(kernel.body, '  ', out);
  out.push('}');
  return out.join('\n');
}

/** All kernels, and which of them run between two barriers. */
export function printProgram(program: Program): string {
  const stages = program.stages.map(
    ({ calls, parts }, i) =>
      `stage ${i}${parts > 1 ? ` in ${parts} parts` : ''}: ${calls.map((c) => program.kernels[c.kernel].name).join(', ')}`,
  );
  return [...program.kernels.map(printKernel), ...stages].join('\n');
}
