// What every C program begins with: vector types up to the given number of lanes and the few operations that C has no sign
// for. Written with vector extensions, so that GCC and Clang choose the instructions, all but a choice that GCC makes badly.
// Nothing is included.

/** The narrowest vectors that a program uses. */
const FEWEST_LANES = 4;

export function prelude(lanes: number): string {
  const widths: string[] = [];
  for (let n = lanes; n >= FEWEST_LANES; n /= 2) widths.push(vectors(n));
  return SCALARS + widths.join('');
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
