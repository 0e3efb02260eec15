// What every C program begins with: vector types up to the given number of lanes and the few operations that C has no sign
// for. Written with vector extensions, so that GCC and Clang choose the instructions, all but a choice that GCC makes badly.
// Nothing is included.

/** The narrowest vectors that a program uses. */
const FEWEST_LANES = 4;

/** What a program has of all that few programs have. */
interface Uses {
  readonly usesDoubles: boolean;
  readonly usesNarrow: boolean;
  /** Writes past the cache. */
  readonly streams: boolean;
}

export function prelude(lanes: number, { usesDoubles, usesNarrow, streams }: Uses): string {
  const widths: string[] = [];
  const fewest = usesDoubles ? Math.min(FEWEST_LANES, lanes / 2) : FEWEST_LANES;
  for (let n = lanes; n >= fewest; n /= 2) widths.push(vectors(n));
  if (usesNarrow) for (let n = lanes; n >= fewest; n /= 2) widths.push(narrowVectors(n));
  if (streams) widths.push(streaming(lanes));
  if (!usesDoubles) return SCALARS + widths.join('');
  const wide: string[] = [];
  for (let n = lanes / 2; n >= fewest; n /= 2) wide.push(doubleVectors(n));
  return SCALARS + widths.join('') + DOUBLE_SCALARS + wide.join('');
}

function vectors(lanes: number): string {
  const bytes = 4 * lanes;
  const [f, i, u] = [`vf${lanes}`, `vi${lanes}`, `vu${lanes}`]; // vectors of floats, of integers, of unsigned integers
  const each = (text: (lane: number) => string) => Array.from({ length: lanes }, (_, lane) => text(lane)).join(', ');
  const lanewise = (name: string, builtin: string) =>
    `static inline ${f} ${f}_${name}(${f} x) { return (${f}){${each((lane) => `${builtin}(x[${lane}])`)}}; }`;
  return `typedef float ${f} __attribute__((vector_size(${bytes})));
typedef int ${i} __attribute__((vector_size(${bytes})));
typedef unsigned ${u} __attribute__((vector_size(${bytes})));
typedef float ${f}u __attribute__((vector_size(${bytes}), aligned(4), may_alias));
typedef int ${i}u __attribute__((vector_size(${bytes}), aligned(4), may_alias));

static inline ${f} ${f}_splat(float x) { return (${f}){${each(() => 'x')}}; }
static inline ${i} ${i}_splat(int x) { return (${i}){${each(() => 'x')}}; }
static inline ${i} ${i}_select(${i} c, ${i} a, ${i} b) { return (c & a) | (~c & b); }
static inline ${f} ${f}_select(${i} c, ${f} a, ${f} b) { return (${f})${i}_select(c, (${i})a, (${i})b); }

static inline ${f} ${f}_abs(${f} x) { return (${f})((${i})x & ${i}_splat(0x7fffffff)); }
${lanewise('sqrt', '__builtin_sqrtf')}
${lanewise('floor', '__builtin_floorf')}
${lanewise('ceil', '__builtin_ceilf')}
${lanewise('trunc', '__builtin_truncf')}
${lanewise('nearest', '__builtin_rintf')}
static inline ${i} ${i}_abs(${i} x) { return ${i}_select(x < ${i}_splat(0), -x, x); }
static inline ${i} ${i}_min(${i} a, ${i} b) { return ${i}_select(a < b, a, b); }
static inline ${i} ${i}_max(${i} a, ${i} b) { return ${i}_select(a < b, b, a); }
${fma(lanes)}${any(lanes)}${choices(lanes)}${unless(lanes)}${scale(lanes)}static inline ${f} ${f}_min(${f} a, ${f} b) { return ${f}_select(a != a, a, ${f}_smaller(a, b)); }
static inline ${f} ${f}_max(${f} a, ${f} b) { return ${f}_select(a != a, a, ${f}_larger(a, b)); }

static inline ${i} ${i}_saturated(${f} x) {
  ${i} large = x >= 2147483648.0f, small = x <= -2147483648.0f, other = x != x;
  ${i} whole = __builtin_convertvector(${f}_select(large | small | other, ${f}_splat(0.0f), x), ${i});
  return ${i}_select(large, ${i}_splat(2147483647), ${i}_select(small, ${i}_splat(-2147483647 - 1), whole));
}
`;
}

/** What GCC calls the instruction that writes a vector past the cache. */
const X86_STREAMS: Readonly<Record<number, [macro: string, call: string]>> = {
  4: ['__SSE__', '__builtin_ia32_movntps(p, x)'],
  8: ['__AVX__', '__builtin_ia32_movntps256(p, x)'],
  16: ['__AVX512F__', '__builtin_ia32_movntps512(p, x)'],
};

/** Writes past the cache, where the vector does not lie across two lines; and what makes others see them. */
function streaming(lanes: number): string {
  const [f, i] = [`vf${lanes}`, `vi${lanes}`];
  const plain = `*(${f}u *)p = x`;
  const define = (write: string) =>
    `static inline void ${f}_stream(float *p, ${f} x) { if ((unsigned long)p % ${4 * lanes} == 0) ${write}; else ${plain}; }\n`;
  const [macro, call] = X86_STREAMS[lanes];
  return `#if defined(__clang__)
${define(`__builtin_nontemporal_store(x, (${f} *)p)`)}#elif defined(${macro})
${define(call)}#else
static inline void ${f}_stream(float *p, ${f} x) { ${plain}; }
#endif
static inline void ${i}_stream(int *p, ${i} x) { ${f}_stream((float *)p, (${f})x); }
#if defined(__SSE__)
static inline void end_stream(void) { __builtin_ia32_sfence(); }
#else
static inline void end_stream(void) {}
#endif
`;
}

/** What GCC calls the instruction for a multiply-add that rounds once. */
const FMA: Readonly<Record<number, readonly (readonly [macro: string, call: string])[]>> = {
  4: [
    ['__FMA__', '__builtin_ia32_vfmaddps(a, b, c)'],
    ['__aarch64__', '__builtin_aarch64_fmav4sf(a, b, c)'],
  ],
  8: [['__FMA__', '__builtin_ia32_vfmaddps256(a, b, c)']],
  16: [['__AVX512F__', '__builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4)']],
};

/** a · b + c, rounded once where the processor can. Compilers join no other products and sums: -ffp-contract=off. */
function fma(lanes: number): string {
  const f = `vf${lanes}`;
  const define = (value: string) => `static inline ${f} ${f}_fma(${f} a, ${f} b, ${f} c) { return ${value}; }\n`;
  const own = (FMA[lanes] ?? []).map(
    ([macro, call]) => `#elif defined(${macro}) && !defined(__clang__)\n${define(call)}`,
  );
  const clang = `#if FUSES && defined(__clang__)\n${define('__builtin_elementwise_fma(a, b, c)')}`;
  return `${clang}${own.join('')}#else\n${define('a * b + c')}#endif\n`;
}

/** What GCC calls the instructions for smaller and larger: its own selects are three instructions. */
const X86_CHOICES: Readonly<Record<number, [macro: string, call: (name: string) => string]>> = {
  4: ['__SSE2__', (name) => `__builtin_ia32_${name}ps(a, b)`],
  8: ['__AVX__', (name) => `__builtin_ia32_${name}ps256(a, b)`],
  16: ['__AVX512F__', (name) => `__builtin_ia32_${name}ps512_mask(a, b, a, (unsigned short)-1, 4)`],
};

/** What GCC calls the instructions that ask all lanes at once. */
const X86_ANY: Readonly<Record<number, [macro: string, call: string]>> = {
  4: ['__SSE2__', '__builtin_ia32_movmskps((vf4)x) != 0'],
  8: ['__AVX__', '__builtin_ia32_movmskps256((vf8)x) != 0'],
  16: ['__AVX512F__', '__builtin_ia32_ptestmd512(x, x, (unsigned short)-1) != 0'],
};

/** Whether a lane is true. */
function any(lanes: number): string {
  const define = (value: string) => `static inline int vi${lanes}_any(vi${lanes} x) { return ${value}; }\n`;
  const plain = define(`(${Array.from({ length: lanes }, (_, lane) => `x[${lane}]`).join(' | ')}) != 0`);
  const x86 = X86_ANY[lanes];
  return x86 === undefined ? plain : ifGnu(x86[0], define(x86[1]), plain);
}

/** smaller: a < b ? a : b; larger: a > b ? a : b; both b where one is NaN. */
function choices(lanes: number): string {
  const f = `vf${lanes}`;
  const define = (name: string, value: string) =>
    `static inline ${f} ${f}_${name}(${f} a, ${f} b) { return ${value}; }\n`;
  const plain = define('smaller', `${f}_select(a < b, a, b)`) + define('larger', `${f}_select(a > b, a, b)`);
  const x86 = X86_CHOICES[lanes];
  if (x86 === undefined) return plain;
  const [macro, call] = x86;
  const own = define('smaller', call('min')) + define('larger', call('max'));
  return ifGnu(macro, own, plain);
}

/** One definition for GCC and processors with an extension, and one for all others. */
function ifGnu(macro: string, own: string, plain: string): string {
  return `#if defined(${macro}) && defined(__GNUC__) && !defined(__clang__)\n${own}#else\n${plain}#endif\n`;
}

/** a < b ? 0 : x */
function unless(lanes: number): string {
  const [f, i] = [`vf${lanes}`, `vi${lanes}`];
  const define = (value: string) => `static inline ${f} ${f}_unless(${f} a, ${f} b, ${f} x) { return ${value}; }\n`;
  const plain = define(`(${f})(~(a < b) & (${i})x)`);
  if (lanes !== 16) return plain;
  const mask = `__builtin_ia32_cmpps512_mask(a, b, 21, (unsigned short)-1, 4)`; // not less, or not comparable
  return ifGnu('__AVX512F__', define(`__builtin_ia32_movaps512_mask(x, (${f}){0}, ${mask})`), plain);
}

/** a · 2^n, for b = 1.5 · 2²³ + 254 + n. */
function scale(lanes: number): string {
  const [f, i] = [`vf${lanes}`, `vi${lanes}`];
  const define = (body: string) => `static inline ${f} ${f}_scale(${f} a, ${f} b) { ${body} }\n`;
  const byBits = define(
    `${i} bits = (${i})b, half = (bits >> 1) << 23; return a * (${f})half * (${f})((bits << 23) - half);`,
  );
  if (lanes !== 16) return byBits;
  const call = `__builtin_ia32_scalefps512_mask(a, b - 12583166.0f, a, (unsigned short)-1, 4)`;
  return ifGnu('__AVX512F__', define(`return ${call};`), byBits);
}

const SCALARS = `static inline int bits_of(float x) { int r; __builtin_memcpy(&r, &x, 4); return r; }
static inline float float_of(int x) { float r; __builtin_memcpy(&r, &x, 4); return r; }

#if defined(__FMA__) || defined(__aarch64__)
#define FUSES 1
static inline float f_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
#define FUSES 0
static inline float f_fma(float a, float b, float c) { return a * b + c; }
#endif
static inline float f_abs(float x) { return __builtin_fabsf(x); }
static inline float f_sqrt(float x) { return __builtin_sqrtf(x); }
static inline float f_floor(float x) { return __builtin_floorf(x); }
static inline float f_ceil(float x) { return __builtin_ceilf(x); }
static inline float f_trunc(float x) { return __builtin_truncf(x); }
static inline float f_nearest(float x) { return __builtin_rintf(x); }
/* The processor stops the process at the smallest integer by −1; WebAssembly does not. */
static inline int i_div(int a, int b) { return b == -1 ? -a : a / b; }
static inline int i_rem(int a, int b) { return b == -1 ? 0 : a % b; }
/* Addresses computed from it are not kept in registers from before. */
static inline int i_same(int x) { __asm__ volatile("" : "+r"(x)); return x; }
/* a · 2^n, for b = 1.5 · 2²³ + 254 + n. */
static inline float f_scale(float a, float b) {
  int bits = bits_of(b), half = (int)((unsigned)(bits >> 1) << 23);
  return a * float_of(half) * float_of((int)((unsigned)bits << 23) - half);
}
static inline int i_abs(int x) { return x < 0 ? -x : x; }
static inline int i_min(int a, int b) { return a < b ? a : b; }
static inline int i_max(int a, int b) { return a < b ? b : a; }
/* NaN if either is NaN; of two zeros the one that fmin and fmax of IEEE 754 choose does not matter. */
static inline float f_min(float a, float b) { return a != a ? a : a < b ? a : b; }
static inline float f_max(float a, float b) { return a != a ? a : b < a ? a : b; }

/* To an integer: truncated, saturated, NaN becomes 0. */
static inline int int_saturated(float x) {
  return x != x ? 0 : x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : (int)x;
}

`;

/** Vectors of bytes and of words, which are only loaded and stored. */
function narrowVectors(lanes: number): string {
  return `typedef unsigned char vb${lanes}u __attribute__((vector_size(${lanes}), aligned(1), may_alias));
typedef unsigned short vw${lanes}u __attribute__((vector_size(${2 * lanes}), aligned(2), may_alias));
`;
}

// ---------------------------------------------------------------- doubles, where a program has any

const X86_DOUBLES: Readonly<
  Record<number, { macro: string; any: string; choice: (name: string) => string; fused: readonly [string, string][] }>
> = {
  2: {
    macro: '__SSE2__',
    any: '__builtin_ia32_movmskpd((vd2)x) != 0',
    choice: (name) => `__builtin_ia32_${name}pd(a, b)`,
    fused: [
      ['__FMA__', '__builtin_ia32_vfmaddpd(a, b, c)'],
      ['__aarch64__', '__builtin_aarch64_fmav2df(a, b, c)'],
    ],
  },
  4: {
    macro: '__AVX__',
    any: '__builtin_ia32_movmskpd256((vd4)x) != 0',
    choice: (name) => `__builtin_ia32_${name}pd256(a, b)`,
    fused: [['__FMA__', '__builtin_ia32_vfmaddpd256(a, b, c)']],
  },
  8: {
    macro: '__AVX512F__',
    any: '__builtin_ia32_ptestmq512(x, x, (unsigned char)-1) != 0',
    choice: (name) => `__builtin_ia32_${name}pd512_mask(a, b, a, (unsigned char)-1, 4)`,
    fused: [['__AVX512F__', '__builtin_ia32_vfmaddpd512_mask(a, b, c, (unsigned char)-1, 4)']],
  },
};

function doubleVectors(lanes: number): string {
  const bytes = 8 * lanes;
  const [d, l, m, i] = ['vd', 'vl', 'vm', 'vi'].map((name) => `${name}${lanes}`);
  const each = (text: (lane: number) => string) => Array.from({ length: lanes }, (_, lane) => text(lane)).join(', ');
  const lanewise = (name: string, builtin: string) =>
    `static inline ${d} ${d}_${name}(${d} x) { return (${d}){${each((lane) => `${builtin}(x[${lane}])`)}}; }`;
  const x86 = X86_DOUBLES[lanes];
  const defineAny = (value: string) => `static inline int ${l}_any(${l} x) { return ${value}; }\n`;
  const plainAny = defineAny(`(${Array.from({ length: lanes }, (_, lane) => `x[${lane}]`).join(' | ')}) != 0`);
  const define = (name: string, value: string) =>
    `static inline ${d} ${d}_${name}(${d} a, ${d} b) { return ${value}; }\n`;
  const plain = define('smaller', `${d}_select(a < b, a, b)`) + define('larger', `${d}_select(a > b, a, b)`);
  const own = define('smaller', x86.choice('min')) + define('larger', x86.choice('max'));
  const defineFma = (value: string) => `static inline ${d} ${d}_fma(${d} a, ${d} b, ${d} c) { return ${value}; }\n`;
  const fused = x86.fused.map(([macro, call]) => `#elif defined(${macro}) && !defined(__clang__)\n${defineFma(call)}`);
  return `typedef double ${d} __attribute__((vector_size(${bytes})));
typedef long long ${l} __attribute__((vector_size(${bytes})));
typedef unsigned long long ${m} __attribute__((vector_size(${bytes})));
typedef double ${d}u __attribute__((vector_size(${bytes}), aligned(4), may_alias));

static inline ${d} ${d}_splat(double x) { return (${d}){${each(() => 'x')}}; }
static inline ${l} ${l}_splat(long long x) { return (${l}){${each(() => 'x')}}; }
static inline ${l} ${l}_select(${l} c, ${l} a, ${l} b) { return (c & a) | (~c & b); }
static inline ${d} ${d}_select(${l} c, ${d} a, ${d} b) { return (${d})${l}_select(c, (${l})a, (${l})b); }

static inline ${d} ${d}_abs(${d} x) { return (${d})((${l})x & ${l}_splat(0x7fffffffffffffffLL)); }
static inline ${l} ${l}_abs(${l} x) { return ${l}_select(x < ${l}_splat(0), -x, x); }
${lanewise('sqrt', '__builtin_sqrt')}
${lanewise('floor', '__builtin_floor')}
${lanewise('ceil', '__builtin_ceil')}
${lanewise('trunc', '__builtin_trunc')}
${lanewise('nearest', '__builtin_rint')}
#if FUSES && defined(__clang__)
${defineFma('__builtin_elementwise_fma(a, b, c)')}${fused.join('')}#else
${defineFma('a * b + c')}#endif
${ifGnu(x86.macro, defineAny(x86.any), plainAny)}${ifGnu(x86.macro, own, plain)}
static inline ${d} ${d}_unless(${d} a, ${d} b, ${d} x) { return (${d})(~(a < b) & (${l})x); }
static inline ${d} ${d}_min(${d} a, ${d} b) { return ${d}_select(a != a, a, ${d}_smaller(a, b)); }
static inline ${d} ${d}_max(${d} a, ${d} b) { return ${d}_select(a != a, a, ${d}_larger(a, b)); }
static inline ${i} ${i}_saturated_d(${d} x) {
  ${l} large = x >= 2147483647.0, small = x <= -2147483648.0, other = x != x;
  ${i} whole = __builtin_convertvector(${d}_select(large | small | other, ${d}_splat(0.0), x), ${i});
  return ${i}_select(__builtin_convertvector(large, ${i}), ${i}_splat(2147483647),
    ${i}_select(__builtin_convertvector(small, ${i}), ${i}_splat(-2147483647 - 1), whole));
}
`;
}

const DOUBLE_SCALARS = `static inline double double_at(const unsigned *at) { double r; __builtin_memcpy(&r, at, 8); return r; }
static inline long long bits_of_d(double x) { long long r; __builtin_memcpy(&r, &x, 8); return r; }
static inline double double_of(long long x) { double r; __builtin_memcpy(&r, &x, 8); return r; }
#if FUSES
static inline double d_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
static inline double d_fma(double a, double b, double c) { return a * b + c; }
#endif
static inline double d_abs(double x) { return __builtin_fabs(x); }
static inline double d_sqrt(double x) { return __builtin_sqrt(x); }
static inline double d_floor(double x) { return __builtin_floor(x); }
static inline double d_ceil(double x) { return __builtin_ceil(x); }
static inline double d_trunc(double x) { return __builtin_trunc(x); }
static inline double d_nearest(double x) { return __builtin_rint(x); }
static inline double d_min(double a, double b) { return a != a ? a : a < b ? a : b; }
static inline double d_max(double a, double b) { return a != a ? a : b < a ? a : b; }
static inline long long l_abs(long long x) { return x < 0 ? -x : x; }
static inline int int_saturated_d(double x) {
  return x != x ? 0 : x >= 2147483647.0 ? 2147483647 : x <= -2147483648.0 ? -2147483647 - 1 : (int)x;
}

`;
