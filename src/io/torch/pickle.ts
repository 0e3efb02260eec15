// Python's pickles, read as data. A pickle is a program for a small stack machine; here it may build values and nothing else:
// opcodes that are not in the table below, and names that the world does not know, end the reading. Nothing is ever called but
// what the world gives for a name. Opcodes 0 to 5 (PEP 307, 3154, 574), without those for extension registries, buffers
// outside of the file, and old classes.
// Bytes in, values out. Every length is checked against the bytes that are there; copying is bounded by their number.
// Must not know: PyTorch, NumPy, files.

import { FormatError } from '../../tensor/library.js';
import type { Fault } from '../formats/fault.js';
import { type OpenDict, PythonName, type TorchValue, isDict, isList } from './value.js';

/** A name that may be called: `torch.Size`, `collections.OrderedDict`. */
export class PythonFunction extends PythonName {
  readonly call: (args: readonly TorchValue[], machine: PickleCosts) => TorchValue;
  constructor(name: string, call: PythonFunction['call']) {
    super(name);
    this.call = call;
  }
}

/** A value that is complete only when its state comes (BUILD): what it becomes then takes its place. */
export class PendingValue extends PythonName {
  /** Where the memo has it. */
  readonly memoised: number[] = [];
  readonly build: (state: TorchValue) => TorchValue;
  constructor(name: string, build: PendingValue['build']) {
    super(name);
    this.build = build;
  }
}

export interface PickleCosts {
  /** Called before `count` items are copied, which a pickle can ask for again and again. Throws FormatError when it is too much. */
  spend(count: number): void;
  /** Throws the FormatError for what makes no sense here. */
  readonly fail: (what: string) => never;
  /** The same for what is right, and not read. */
  readonly refuse: (what: string) => never;
}

export interface PickleWorld {
  /** What a name stands for. Throws for what is not on the list of names. */
  find(module: string, name: string, at: number): PythonName;
  /** What stands outside of the pickle: a storage. */
  persistent(id: TorchValue, costs: PickleCosts): TorchValue;
  readonly fault: Fault;
  /** The beginning of messages, and the file: `loadTorch: model.pt`. */
  readonly where: string;
  readonly file: string | undefined;
}

/** The bytes ended before the pickle did: it may go on in bytes that have not been read yet. */
export class PickleCut extends Error {}

/** The value of the pickle that begins at `start`, and where it ends. Throws FormatError, and PickleCut. */
export function readPickle(bytes: Uint8Array, start: number, world: PickleWorld): { value: TorchValue; end: number } {
  return new Machine(bytes, start, world).run();
}

const STOP = 0x2e;
/** As Python: longer decimal numbers take too long to read. */
const MOST_DIGITS = 4300;
const MOST_INTEGER_BYTES = 256;

class Machine implements PickleCosts {
  readonly view: DataView;
  at: number;
  stack: TorchValue[] = [];
  /** Stacks below marks. */
  readonly marks: TorchValue[][] = [];
  readonly memo = new Map<number, TorchValue>();
  readonly bytes: Uint8Array;
  readonly world: PickleWorld;
  private budget: number;

  constructor(bytes: Uint8Array, start: number, world: PickleWorld) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.world = world;
    this.budget = 16 * bytes.length + 65_536;
  }

  run(): { value: TorchValue; end: number } {
    for (;;) {
      const code = this.bytes[this.take(1)];
      if (code === STOP) break;
      const operation = OPERATIONS[code];
      if (operation === undefined) return this.refuseCode(code);
      operation(this);
    }
    return { value: this.pop(), end: this.at };
  }

  readonly fail = (what: string): never => this.world.fault(what, this.at);

  readonly refuse = (what: string): never => {
    const { where, file } = this.world;
    throw new FormatError(`${where}: ${what} (at byte ${this.at} of the pickle).`, file, this.at);
  };

  private refuseCode(code: number): never {
    const name = REFUSED[code];
    const shown = `0x${code.toString(16).padStart(2, '0')}`;
    this.at--;
    if (name === undefined) return this.fail(`${shown} is no opcode of a pickle`);
    return this.refuse(`the pickle uses the opcode ${name}, which is not read, since data have no use for it`);
  }

  spend(count: number): void {
    this.budget -= count;
    if (this.budget < 0) this.fail('the pickle copies the same values again and again');
  }

  /** Where the next `count` bytes begin; they are behind it afterwards. */
  take(count: number): number {
    const begin = this.at;
    if (count > this.bytes.length - begin) throw new PickleCut();
    this.at += count;
    return begin;
  }

  /** A length that stands before bytes; 8 bytes of it may be absurd. */
  long(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  u8 = (): number => this.bytes[this.take(1)];
  u16 = (): number => this.view.getUint16(this.take(2), true);
  u32 = (): number => this.view.getUint32(this.take(4), true);

  content(length: number): Uint8Array {
    const begin = this.take(length);
    return this.bytes.subarray(begin, begin + length);
  }

  text(length: number): string {
    return UTF8.decode(this.content(length));
  }

  /** Up to the end of a line, which is behind it afterwards. */
  lineBytes(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleCut();
    const line = this.bytes.subarray(this.at, end);
    this.at = end + 1;
    return line;
  }

  line(): string {
    return UTF8.decode(this.lineBytes());
  }

  push(value: TorchValue): void {
    this.stack.push(value);
  }

  pop(): TorchValue {
    const value = this.stack.pop();
    return value === undefined ? this.fail('the stack is empty') : value;
  }

  top(): TorchValue {
    const value = this.stack.at(-1);
    return value === undefined ? this.fail('the stack is empty') : value;
  }

  /** What has been pushed since the last mark. */
  sinceMark(): TorchValue[] {
    const below = this.marks.pop();
    if (below === undefined) return this.fail('there is no mark');
    const items = this.stack;
    this.stack = below;
    return items;
  }

  /** As many of the top, the last one last. */
  popMany(count: number): TorchValue[] {
    if (this.stack.length < count) this.fail('the stack is empty');
    return this.stack.splice(this.stack.length - count);
  }

  remember(index: number): void {
    const value = this.top();
    this.memo.set(index, value);
    if (value instanceof PendingValue) value.memoised.push(index);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    this.push(value === undefined ? this.fail(`the memo has no ${index}`) : value);
  }

  list(): TorchValue[] {
    const value = this.top();
    if (!isList(value) || Object.isFrozen(value)) return this.fail('items are appended to what is no list');
    return value as TorchValue[]; // only tuples are not ours to change
  }

  dict(): OpenDict {
    const value = this.top();
    return isDict(value) ? (value as OpenDict) : this.fail('items are set in what is no dict');
  }

  setItems(items: readonly TorchValue[]): void {
    const dict = this.dict();
    if (items.length % 2 !== 0) this.fail('a key has no value');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  find(module: string, name: string): void {
    this.push(this.world.find(module, name, this.at));
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PythonFunction)) return this.fail(`${shownValue(callee)} cannot be called`);
    if (!isList(args)) return this.fail(`the arguments of ${callee.name} are no tuple`);
    this.push(callee.call(args, this));
  }

  /** Gives a value its state. */
  build(): void {
    const state = this.pop();
    const value = this.pop();
    if (value instanceof PendingValue) {
      const built = value.build(state);
      for (const index of value.memoised) this.memo.set(index, built);
      this.push(built);
      return;
    }
    this.push(value);
    if (value instanceof ObjectDict) this.setState(value, state);
    // What else has a state (the _metadata of a state dict, hooks of a tensor) is complete without it.
  }

  /** Attributes of an object; with slots, a pair of them. */
  private setState(object: OpenDict, state: TorchValue): void {
    const parts = isList(state) && state.length === 2 && state.every((s) => s === null || isDict(s)) ? state : [state];
    for (const part of parts) {
      if (part === null) continue;
      if (isDict(part)) {
        this.spend(part.size);
        for (const [key, item] of part) object.set(key, item);
      } else object.set('state', part);
    }
  }

  float(text: string): number {
    const value = { inf: Infinity, '-inf': -Infinity, nan: NaN }[text] ?? Number(text);
    return Number.isNaN(value) && text !== 'nan' ? this.fail(`'${text}' is no number`) : value;
  }

  integer(text: string): number | bigint {
    if (!/^[+-]?\d+$/.test(text) || text.length > MOST_DIGITS) this.fail('a whole number is not understood');
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  }

  /** Two's complement, the lowest byte first. */
  longInteger(length: number): number | bigint {
    if (length > MOST_INTEGER_BYTES) this.fail(`a whole number of ${length} bytes is not plausible`);
    const bytes = this.content(length);
    if (length === 0) return 0;
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** A text of Python 2, which may be bytes. */
  oldString(bytes: Uint8Array): void {
    try {
      this.push(STRICT_UTF8.decode(bytes));
    } catch {
      this.push(bytes); // not a text
    }
  }

  /** The text of Python 2 in quotes. */
  quoted(): Uint8Array {
    const line = this.lineBytes();
    const last = line.length - 1;
    if (last < 1 || line[0] !== line[last] || (line[0] !== 0x27 && line[0] !== 0x22))
      this.fail('a text is not understood');
    const out: number[] = [];
    for (let i = 1; i < last; i++) {
      if (line[i] !== BACKSLASH) out.push(line[i]);
      else if (line[i + 1] === 0x78) {
        out.push(Number.parseInt(String.fromCharCode(line[i + 2], line[i + 3]), 16) & 0xff);
        i += 3;
      } else out.push(ESCAPES[String.fromCharCode(line[++i])] ?? line[i]);
    }
    return Uint8Array.from(out);
  }

  checkProtocol(version: number): void {
    if (version > 5) this.fail(`protocol ${version} of pickles is not known`);
  }
}

/** An object that is nothing but its attributes. */
export class ObjectDict extends Map<TorchValue, TorchValue> {}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, number | undefined>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };
const STRICT_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

const tuple = (items: readonly TorchValue[]): TorchValue => Object.freeze(items);

function shownValue(value: TorchValue): string {
  return value instanceof PythonName ? value.name : typeof value === 'string' ? JSON.stringify(value) : 'a value';
}

type Operation = (m: Machine) => void;

/** By the letters of Python's pickletools. */
const OPERATIONS: Readonly<Record<number, Operation | undefined>> = byCode({
  // stack and memo
  '(': (m) => (m.marks.push(m.stack), (m.stack = [])), // MARK
  '0': (m) => void (m.stack.length > 0 ? m.stack.pop() : m.sinceMark()), // POP
  '1': (m) => void m.sinceMark(), // POP_MARK
  '2': (m) => m.push(m.top()), // DUP
  p: (m) => m.remember(lineIndex(m)), // PUT
  q: (m) => m.remember(m.u8()), // BINPUT
  r: (m) => m.remember(m.u32()), // LONG_BINPUT
  '\x94': (m) => m.remember(m.memo.size), // MEMOIZE
  g: (m) => m.recall(lineIndex(m)), // GET
  h: (m) => m.recall(m.u8()), // BINGET
  j: (m) => m.recall(m.u32()), // LONG_BINGET
  // None, booleans, numbers
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  // INT: 00 and 01 are the booleans of protocol 0
  I: (m) => {
    const text = m.line();
    m.push(text === '01' ? true : text === '00' ? false : m.integer(text));
  },
  J: (m) => m.push(m.view.getInt32(m.take(4), true)), // BININT
  K: (m) => m.push(m.u8()), // BININT1
  M: (m) => m.push(m.u16()), // BININT2
  L: (m) => m.push(m.integer(m.line().replace(/L$/, ''))), // LONG
  '\x8a': (m) => m.push(m.longInteger(m.u8())), // LONG1
  '\x8b': (m) => m.push(m.longInteger(m.u32())), // LONG4
  F: (m) => m.push(m.float(m.line())), // FLOAT
  G: (m) => m.push(m.view.getFloat64(m.take(8), false)), // BINFLOAT
  // texts and bytes
  S: (m) => m.oldString(m.quoted()), // STRING
  T: (m) => m.oldString(m.content(m.u32())), // BINSTRING
  U: (m) => m.oldString(m.content(m.u8())), // SHORT_BINSTRING
  V: (m) => m.push(unescaped(m.lineBytes())), // UNICODE
  X: (m) => m.push(m.text(m.u32())), // BINUNICODE
  '\x8c': (m) => m.push(m.text(m.u8())), // SHORT_BINUNICODE
  '\x8d': (m) => m.push(m.text(m.long())), // BINUNICODE8
  B: (m) => m.push(m.content(m.u32())), // BINBYTES
  C: (m) => m.push(m.content(m.u8())), // SHORT_BINBYTES
  '\x8e': (m) => m.push(m.content(m.long())), // BINBYTES8
  '\x96': (m) => m.push(m.content(m.long())), // BYTEARRAY8
  // lists, tuples, dicts, sets
  ']': (m) => m.push([]), // EMPTY_LIST
  l: (m) => m.push(m.sinceMark()), // LIST
  a: (m) => {
    const item = m.pop(); // APPEND
    m.list().push(item);
  },
  e: (m) => {
    const items = m.sinceMark(); // APPENDS
    const list = m.list();
    for (const item of items) list.push(item);
  },
  ')': (m) => m.push(tuple([])), // EMPTY_TUPLE
  t: (m) => m.push(tuple(m.sinceMark())), // TUPLE
  '\x85': (m) => m.push(tuple(m.popMany(1))), // TUPLE1
  '\x86': (m) => m.push(tuple(m.popMany(2))), // TUPLE2
  '\x87': (m) => m.push(tuple(m.popMany(3))), // TUPLE3
  '}': (m) => m.push(new Map<TorchValue, TorchValue>()), // EMPTY_DICT
  d: (m) => {
    const items = m.sinceMark(); // DICT
    m.push(new Map<TorchValue, TorchValue>());
    m.setItems(items);
  },
  s: (m) => m.setItems(m.popMany(2)), // SETITEM
  u: (m) => m.setItems(m.sinceMark()), // SETITEMS
  '\x8f': (m) => m.push(new Set<TorchValue>()), // EMPTY_SET
  '\x90': (m) => {
    const items = m.sinceMark(); // ADDITEMS
    const set = m.top();
    if (!(set instanceof Set)) return m.fail('items are added to what is no set');
    for (const item of items) set.add(item);
  },
  '\x91': (m) => m.push(new Set(m.sinceMark())), // FROZENSET
  // names and what is made by them
  c: (m) => {
    const module = m.line(); // GLOBAL
    m.find(module, m.line());
  },
  '\x93': (m) => {
    const [module, name] = m.popMany(2); // STACK_GLOBAL
    if (typeof module !== 'string' || typeof name !== 'string') return m.fail('a name is no text');
    m.find(module, name);
  },
  R: (m) => m.reduce(), // REDUCE
  '\x81': (m) => m.reduce(), // NEWOBJ: the class called with the arguments
  '\x92': (m) => {
    const keywords = m.pop(); // NEWOBJ_EX
    if (!isDict(keywords) || keywords.size > 0) m.fail('an object is made with keyword arguments');
    m.reduce();
  },
  b: (m) => m.build(), // BUILD
  P: (m) => m.push(m.world.persistent(m.line(), m)), // PERSID
  Q: (m) => m.push(m.world.persistent(m.pop(), m)), // BINPERSID
  // the frame of it all
  '\x80': (m) => m.checkProtocol(m.u8()), // PROTO
  '\x95': (m) => void m.long(), // FRAME: how far the next stretch goes, for who reads from a stream
});

/** Known opcodes that a file of data has no use for. */
const REFUSED: Readonly<Record<number, string | undefined>> = byCode({
  '\x82': 'EXT1',
  '\x83': 'EXT2',
  '\x84': 'EXT4',
  i: 'INST',
  o: 'OBJ',
  '\x97': 'NEXT_BUFFER',
  '\x98': 'READONLY_BUFFER',
});

function byCode<T>(rows: Readonly<Record<string, T>>): Record<number, T | undefined> {
  return Object.fromEntries(Object.entries(rows).map(([letter, row]) => [letter.charCodeAt(0), row]));
}

function lineIndex(m: Machine): number {
  const text = m.line();
  return /^\d{1,10}$/.test(text) ? Number(text) : m.fail('a place in the memo is no number');
}

/** Python's raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX. */
function unescaped(line: Uint8Array): string {
  const text = latin1(line);
  return text.replaceAll(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Each byte as the character of its number. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
