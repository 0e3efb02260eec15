// Program → one C translation unit, for GCC and Clang: vectors are the compilers' own vector types, of the width the
// program was scheduled for. Each kernel becomes a static function (equal ones the same), `run` calls those of some stages;
// whoever calls it puts a barrier after each stage. As in the other emitters everything is decided before; this file only prints.
// Input: a program in the loop IR. Output: source text that needs no header and no library.

import { InternalError } from '../../ir/errors.js';
import {
  ERROR_WORD,
  type Buffer,
  type Expr,
  type FloatType,
  type KernelFunction,
  type Program,
  type Slot,
  type Stmt,
  type ValueType,
  type Var,
  isFloat,
  scratchBytes,
  termsOf,
} from '../../loop/loop.js';
import { prelude } from './prelude.js';

export interface EmitOptions {
  /** Lanes of the widest vectors: those the program was scheduled for. */
  readonly lanes: number;
  /** Who does the first share of a kernel tells when it begins and ends. */
  readonly profile: boolean;
}

export function emitProgram(program: Program, { lanes, profile }: EmitOptions): string {
  const functions = new Map<string, string>(); // name by text, so that equal kernels are compiled once
  const texts: string[] = [];
  const printed = new Map<KernelFunction, string>();
  const names = program.kernels.map((kernel, i) => {
    const same = printed.get(kernel);
    if (same !== undefined) return same;
    const text = new KernelPrinter(kernel).print();
    const key = text.replaceAll(/\b[A-Za-z]\w*_(b?\d+)\b/g, '_$1'); // whatever its variables are called
    const name = functions.get(key) ?? `kernel${i}`;
    printed.set(kernel, name);
    if (functions.has(key)) return name;
    functions.set(key, name);
    texts.push(`static void ${name}${text}`);
    return name;
  });
  const usesDoubles = texts.some((text) => /\b(?:double|vd\d+|vl\d+)\b/.test(text));
  const usesNarrow = texts.some((text) => /\bunsigned (?:char|short)\b/.test(text));
  const streams = program.kernels.some(({ streamed }) => streamed !== undefined);
  return [prelude(lanes, { usesDoubles, usesNarrow, streams }), ...texts, runFunction(program, names, profile)].join(
    '\n',
  );
}

/** A kernel has reported an index out of range. */
const INDEX_ERROR = `*(const int *)(heap + table[${ERROR_WORD}]) != 0`;

/**
 * run(from, to, tid, threads, heap, table, arena, scratch, mark, sync) does a thread's share of the stages from … to − 1:
 * addresses are offsets from the start of the heap. `program` is all that a library exports.
 */
function runFunction({ kernels, stages }: Program, names: readonly string[], profile: boolean): string {
  const checked = stages.findIndex(({ isLastCheck }) => isLastCheck === true);
  const lines = stages.flatMap(({ calls, parts, isLastCheck }, stage) => [
    `  case ${stage}:`,
    ...(parts > 1 ? [`  for (int part = 0; part < ${parts}; part++) {`] : []),
    ...calls.map(({ kernel, slots }) => {
      const { name, buffers, scalars } = kernels[kernel];
      const operands = slots.map((slot, i) => {
        const scalar = scalars[i - buffers.length];
        return scalar === undefined ? pointer(slot, buffers[i]) : scalarOperand(slot, scalar);
      });
      const share = parts > 1 ? [`tid * ${parts} + part`, `threads * ${parts}`] : ['tid', 'threads'];
      const call = `  ${names[kernel]}(${[...share, 'scratch', ...operands].join(', ')}); /* ${name} */`;
      if (!profile) return call;
      return `  if (tid == 0) mark(sync, -1);\n${call}\n  if (tid == 0) mark(sync, ${kernel});`;
    }),
    ...(parts > 1 ? ['  }'] : []),
    `  if (to == ${stage + 1}) return; /* else fall through */`,
    ...(isLastCheck === true ? [`  if (${INDEX_ERROR}) return;`] : []),
  ]);
  return [
    'static void run(int from, int to, int tid, int threads, char *heap, const unsigned *table, unsigned arena, char *scratch,',
    '                void (*mark)(void *, int), void *sync) {',
    '  (void)table, (void)arena, (void)scratch, (void)mark, (void)sync;',
    // What comes after the last check does nothing where an index was out of range.
    ...(checked < 0 ? [] : [`  if (from > ${checked} && ${INDEX_ERROR}) return;`]),
    '  switch (from) {',
    ...lines,
    '  }',
    '}',
    '',
    'const struct {',
    '  int stages, kernels;',
    '  void (*run)(int, int, int, int, char *, const unsigned *, unsigned, char *, void (*)(void *, int), void *);',
    `} program = {${stages.length}, ${kernels.length}, run};`,
    '',
  ].join('\n');
}

function pointer(slot: Slot, buffer: Buffer): string {
  const base = slot.kind === 'argument' ? `table[${slot.index}]` : 'arena';
  const address = (slot.offset ?? 0) === 0 ? base : `${base} + ${slot.offset}u`;
  return `(${elementType(buffer)} *)(heap + (unsigned)(${address}))`;
}

function scalarOperand(slot: Slot, { type }: Var): string {
  if (slot.kind !== 'argument') throw new InternalError('emit: a number of a kernel is no argument.');
  if (type === 'f64') return `double_at(table + ${slot.index})`;
  return type === 'f32' ? `float_of((int)table[${slot.index}])` : `(int)table[${slot.index}]`;
}

/** The C type of a scalar, and the letter that names of its functions and vectors are made of. */
const NAMES: Readonly<Record<ValueType, readonly [type: string, letter: string]>> = {
  f32: ['float', 'f'],
  f64: ['double', 'd'],
  i32: ['int', 'i'],
  i64: ['long long', 'l'],
  bool: ['int', 'i'],
  bool64: ['int', 'l'],
};

const NARROW = { u8: 'unsigned char', u16: 'unsigned short' } as const;
/** Names of their vectors that may lie anywhere in memory. */
const NARROW_VECTORS = { u8: 'vb', u16: 'vw' } as const;

function elementType({ type }: Buffer): string {
  return type === 'u8' || type === 'u16' ? NARROW[type] : NAMES[type][0];
}

/** Names of types: float, int, vf8 (vector of 8 floats), vi8 (vector of 8 ints; truth values are 0 and −1 there). */
function typeName(type: ValueType, lanes: number): string {
  return lanes === 1 ? NAMES[type][0] : `v${NAMES[type][1]}${lanes}`;
}

/** What the names of a type's functions begin with: f, i, vf8, vi8. */
function prefixOf(type: ValueType, lanes: number): string {
  return lanes === 1 ? NAMES[type][1] : typeName(type, lanes);
}

/** The type of a vector that may lie anywhere in memory. */
function loose(b: Buffer, lanes: number): string {
  const { type } = b;
  return type === 'u8' || type === 'u16' ? `${NARROW_VECTORS[type]}${lanes}u` : `${typeName(type, lanes)}u`;
}

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  part: '/',
  divs: '/',
  rems: '%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shrs: '>>',
};

const COMPARE: Readonly<Record<string, string>> = { eq: '==', ne: '!=', lt: '<', le: '<=' };

class KernelPrinter {
  private readonly kernel: KernelFunction;
  private readonly lines: string[] = [];
  private readonly numbers = new Map<string, number>();
  private indent = '  ';

  constructor(kernel: KernelFunction) {
    this.kernel = kernel;
  }

  /** Parameters and body. */
  print(): string {
    const { kernel } = this;
    const operands = [
      `int ${this.variable(kernel.tid)}`,
      `int ${this.variable(kernel.threads)}`,
      'char *scratch',
      ...kernel.buffers.map((b) => `${elementType(b)} *${this.bufferName(b)}`),
      ...kernel.scalars.map((v) => `${typeName(v.type, 1)} ${this.variable(v)}`),
    ];
    this.lines.push(`(${operands.join(', ')}) {`);
    this.line(`(void)${this.variable(kernel.tid)}, (void)${this.variable(kernel.threads)}, (void)scratch;`);
    let offset = 0;
    for (const b of kernel.scratch) {
      this.line(`${elementType(b)} *${this.bufferName(b)} = (${elementType(b)} *)(scratch + ${offset});`);
      offset += scratchBytes(b);
    }
    this.statements(kernel.body);
    if (kernel.streamed !== undefined) this.line('end_stream();');
    this.lines.push('}', '');
    return this.lines.join('\n');
  }

  private isStreamed(buffer: Buffer): boolean {
    return this.kernel.streamed?.includes(buffer) === true;
  }

  // Numbers count from 0 in each kernel: the same program always has the same text, which the cache goes by.

  private number(id: string): number {
    let n = this.numbers.get(id);
    if (n === undefined) this.numbers.set(id, (n = this.numbers.size));
    return n;
  }

  private variable(v: Var): string {
    return `${v.name.replaceAll(/\W/g, '_')}_${this.number(`v${v.id}`)}`;
  }

  private bufferName(b: Buffer): string {
    return `${b.name.replaceAll(/\W/g, '_')}_b${this.number(`b${b.id}`)}`;
  }

  private line(text: string): void {
    this.lines.push(this.indent + text);
  }

  private block(head: string, body: readonly Stmt[]): void {
    this.line(`${head} {`);
    const outer = this.indent;
    this.indent += '  ';
    this.statements(body);
    this.indent = outer;
    this.line('}');
  }

  private statements(list: readonly Stmt[]): void {
    for (const s of list) this.statement(s);
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'let':
        this.line(
          `${s.mutable ? '' : 'const '}${typeName(s.variable.type, s.variable.lanes)} ${this.variable(s.variable)} = ${this.expr(s.value)};`,
        );
        return;
      case 'set':
        this.line(`${this.variable(s.variable)} = ${this.expr(s.value)};`);
        return;
      case 'store':
        if (s.value.lanes > 1 && this.isStreamed(s.buffer)) {
          const name = typeName(s.value.type, s.value.lanes);
          this.line(`${name}_stream(${this.address(s.buffer, s.index).join(' + ')}, ${this.expr(s.value)});`);
        } else this.line(`${this.place(s.buffer, s.index, s.value.lanes)} = ${this.stored(s.buffer, s.value)};`);
        return;
      case 'prefetch':
        if (this.isStreamed(s.buffer)) return;
        this.line(`__builtin_prefetch(${this.address(s.buffer, s.index).join(' + ')}, ${s.isWritten ? 1 : 0});`);
        return;
      case 'if':
        this.block(`if (${this.expr(s.condition)})`, s.then);
        if (s.else.length > 0) this.block('else', s.else);
        return;
      case 'for': {
        const v = this.variable(s.variable);
        const isSimple = s.to.kind === 'const' || s.to.kind === 'var';
        const end = isSimple ? this.expr(s.to) : `end_${v}`;
        const from = `int ${v} = ${this.expr(s.from)}${isSimple ? '' : `, ${end} = ${this.expr(s.to)}`}`;
        this.block(`for (${from}; ${v} < ${end}; ${s.step === 1 ? `${v}++` : `${v} += ${s.step}`})`, s.body);
      }
    }
  }

  /** Bytes and words become integers. */
  private load(e: Expr & { kind: 'load' }): string {
    const isNarrow = e.buffer.type === 'u8' || e.buffer.type === 'u16';
    if (e.lanes === 1) return `${isNarrow ? '(int)' : ''}${this.place(e.buffer, e.index, 1)}`;
    const vector = `*(const ${loose(e.buffer, e.lanes)} *)(${this.address(e.buffer, e.index).join(' + ')})`;
    return isNarrow ? `__builtin_convertvector(${vector}, vi${e.lanes})` : vector;
  }

  /** What is written: of integers in bytes and words the low bits. */
  private stored(buffer: Buffer, value: Expr): string {
    const text = this.expr(value);
    if (value.lanes === 1 || (buffer.type !== 'u8' && buffer.type !== 'u16')) return text;
    return `__builtin_convertvector(${text}, ${loose(buffer, value.lanes)})`;
  }

  private place(buffer: Buffer, index: Expr, lanes: number): string {
    const [base, offset] = this.address(buffer, index);
    if (lanes === 1) return `${base}[${offset}]`;
    return `*(${loose(buffer, lanes)} *)(${base} + ${offset})`;
  }

  /** Terms are added to the pointer one by one, not to the integer: it moves with a loop, and constants become part of the instruction. */
  private address(buffer: Buffer, index: Expr): [base: string, offset: string] {
    const terms = termsOf(index).map((t) => this.expr(t));
    const offset = terms.pop() as string;
    return [terms.reduce((base, t) => `(${base} + ${t})`, this.bufferName(buffer)), offset];
  }

  private call(name: string, ...args: readonly Expr[]): string {
    return `${name}(${args.map((a) => this.expr(a)).join(', ')})`;
  }

  private expr(e: Expr): string {
    switch (e.kind) {
      case 'var':
        return this.variable(e);
      case 'const':
        return this.constant(e);
      case 'load':
        return this.load(e);
      case 'unary':
        if (e.op === 'neg') return `(-${this.expr(e.x)})`;
        if (e.op === 'not') return e.type === 'bool' && e.lanes === 1 ? `(!${this.expr(e.x)})` : `(~${this.expr(e.x)})`;
        if (e.op === 'any') return this.call(`${typeName(e.x.type, e.x.lanes)}_any`, e.x);
        return this.call(`${prefixOf(e.type, e.lanes)}_${e.op}`, e.x);
      case 'binary':
        return this.binary(e);
      case 'compare':
        if (e.op === 'ltu') return `((unsigned)${this.expr(e.a)} < (unsigned)${this.expr(e.b)})`;
        return `(${this.expr(e.a)} ${COMPARE[e.op]} ${this.expr(e.b)})`;
      case 'convert':
        return this.convert(e);
      case 'fma':
        return this.call(`${prefixOf(e.type, e.lanes)}_fma`, e.a, e.b, e.c);
      case 'select':
        if (e.lanes === 1) return `(${this.expr(e.condition)} ? ${this.expr(e.a)} : ${this.expr(e.b)})`;
        return this.choice(e) ?? this.call(`${prefixOf(e.type, e.lanes)}_select`, e.condition, e.a, e.b);
      case 'splat':
        if (e.type === 'bool' || e.type === 'bool64') return `${typeName(e.type, e.lanes)}_splat(-${this.expr(e.x)})`;
        return this.call(`${prefixOf(e.type, e.lanes)}_splat`, e.x);
      case 'pack': {
        const parts = e.parts.map((p) => (e.type === 'bool' ? `-${this.expr(p)}` : this.expr(p)));
        return `(${typeName(e.type, e.lanes)}){${parts.join(', ')}}`;
      }
      case 'extract':
        if (e.x.type === 'bool64') return `((int)${this.expr(e.x)}[${e.lane}] & 1)`;
        return e.type === 'bool' ? `(${this.expr(e.x)}[${e.lane}] & 1)` : `${this.expr(e.x)}[${e.lane}]`;
      case 'shuffle':
        return `__builtin_shufflevector(${this.expr(e.a)}, ${this.expr(e.b)}, ${e.pick.join(', ')})`;
    }
  }

  /** a < b ? a : b and a < b ? b : a of float vectors are instructions; so is a < b ? 0 : x on processors with masks. */
  private choice({ type, lanes, condition, a, b }: Expr & { kind: 'select' }): string | undefined {
    if (!isFloat(type) || condition.kind !== 'compare' || condition.op !== 'lt') return undefined;
    const vector = typeName(type, lanes);
    const [low, high, first, second] = [condition.a, condition.b, a, b].map((x) => this.expr(x));
    if (a.kind === 'const' && Object.is(a.value, 0) && condition.a.type === type)
      return `${vector}_unless(${low}, ${high}, ${second})`;
    if (low === first && high === second) return `${vector}_smaller(${first}, ${second})`;
    return low === second && high === first ? `${vector}_larger(${first}, ${second})` : undefined;
  }

  private binary(e: Expr & { kind: 'binary' }): string {
    if ((e.op === 'divs' || e.op === 'rems') && !(e.b.kind === 'const' && e.b.value > 0))
      return this.call(e.op === 'divs' ? 'i_div' : 'i_rem', e.a, e.b);
    const infix = INFIX[e.op];
    if (infix !== undefined) return `(${this.expr(e.a)} ${infix} ${this.expr(e.b)})`;
    if (e.op === 'min' || e.op === 'max' || e.op === 'scale')
      return this.call(`${prefixOf(e.type, e.lanes)}_${e.op}`, e.a, e.b);
    const wide = e.type === 'i64';
    const unsigned = e.lanes === 1 ? (wide ? 'unsigned long long' : 'unsigned') : `v${wide ? 'm' : 'u'}${e.lanes}`;
    const signed = typeName(e.type, e.lanes);
    if (e.op === 'shru') return `((${signed})((${unsigned})${this.expr(e.a)} >> ${this.expr(e.b)}))`;
    return `((int)((unsigned)${this.expr(e.a)} ${e.op === 'divu' ? '/' : '%'} (unsigned)${this.expr(e.b)}))`;
  }

  private convert(e: Expr & { kind: 'convert' }): string {
    const x = this.expr(e.x);
    const type = typeName(e.type, e.lanes);
    switch (e.op) {
      case 'i32.f32':
      case 'i32.f64':
      case 'f32.f64':
      case 'f64.f32':
        return e.lanes === 1 ? `((${type})${x})` : `__builtin_convertvector(${x}, ${type})`;
      case 'f32.i32':
        return `${type}_saturated(${x})`;
      case 'f64.i32':
        return `${type}_saturated_d(${x})`;
      case 'bits.f32.i32':
        return e.lanes === 1 ? `bits_of(${x})` : `((${type})${x})`;
      case 'bits.i32.f32':
        return e.lanes === 1 ? `float_of(${x})` : `((${type})${x})`;
      case 'bits.f64.i64':
        return e.lanes === 1 ? `bits_of_d(${x})` : `((${type})${x})`;
      case 'bits.i64.f64':
        return e.lanes === 1 ? `double_of(${x})` : `((${type})${x})`;
      case 'bool.bool64':
      case 'bool64.bool':
        return e.lanes === 1 ? x : `__builtin_convertvector(${x}, ${type})`;
      case 'bool.i32':
        return x;
    }
  }

  private constant({ type, lanes, value }: Expr & { kind: 'const' }): string {
    const isTruth = type === 'bool' || type === 'bool64';
    const safe = isFloat(type)
      ? floatText(value, type)
      : isTruth
        ? `${lanes > 1 ? -value : value | 0}`
        : integerText(value, type);
    const shown = safe.startsWith('-') ? `(${safe})` : safe;
    if (lanes === 1) return shown;
    return `${prefixOf(type, lanes)}_splat(${shown})`;
  }
}

function integerText(value: number, type: ValueType): string {
  if (type === 'i64') return value === -(2 ** 63) ? '(-9223372036854775807LL - 1)' : `${BigInt(value)}LL`;
  return (value | 0) === -0x80000000 ? '(-2147483647 - 1)' : `${value | 0}`;
}

function floatText(exact: number, type: FloatType): string {
  const isDouble = type === 'f64';
  const value = isDouble ? exact : Math.fround(exact); // a folded constant may lie beyond float32
  const builtin = (name: string): string => `__builtin_${name}${isDouble ? '' : 'f'}`;
  if (Number.isNaN(value)) return `${builtin('nan')}("")`;
  if (value === Infinity) return `${builtin('inf')}()`;
  if (value === -Infinity) return `(-${builtin('inf')}())`;
  const text = Object.is(value, -0) ? '-0' : value.toPrecision(isDouble ? 17 : 9);
  return `${/[.e]/.test(text) ? text : `${text}.0`}${isDouble ? '' : 'f'}`;
}
