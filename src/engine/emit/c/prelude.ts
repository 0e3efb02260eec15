// What every C program begins with: vector types of the given number of lanes and the few operations that C has no sign
// for. Written with vector extensions alone, so that GCC and Clang choose the instructions. Nothing is included.

export function prelude(lanes: number): string {
  const bytes = 4 * lanes;
  const each = (text: (i: number) => string) => Array.from({ length: lanes }, (_, i) => text(i)).join(', ');
  const lanewise = (name: string, builtin: string) =>
    `static inline vf vf_${name}(vf x) { return (vf){${each((i) => `${builtin}(x[${i}])`)}}; }`;
  return `typedef float vf __attribute__((vector_size(${bytes})));
typedef int vi __attribute__((vector_size(${bytes})));
typedef unsigned vu __attribute__((vector_size(${bytes})));
typedef float vfu __attribute__((vector_size(${bytes}), aligned(4), may_alias));
typedef int viu __attribute__((vector_size(${bytes}), aligned(4), may_alias));

static inline vf vf_splat(float x) { return (vf){${each(() => 'x')}}; }
static inline vi vi_splat(int x) { return (vi){${each(() => 'x')}}; }
static inline vi vi_select(vi c, vi a, vi b) { return (c & a) | (~c & b); }
static inline vf vf_select(vi c, vf a, vf b) { return (vf)vi_select(c, (vi)a, (vi)b); }

static inline int bits_of(float x) { int r; __builtin_memcpy(&r, &x, 4); return r; }
static inline float float_of(int x) { float r; __builtin_memcpy(&r, &x, 4); return r; }

static inline float f_abs(float x) { return __builtin_fabsf(x); }
static inline float f_sqrt(float x) { return __builtin_sqrtf(x); }
static inline float f_floor(float x) { return __builtin_floorf(x); }
static inline float f_ceil(float x) { return __builtin_ceilf(x); }
static inline float f_trunc(float x) { return __builtin_truncf(x); }
static inline float f_nearest(float x) { return __builtin_rintf(x); }
/* The processor stops the process at the smallest integer by −1; WebAssembly does not. */
static inline int i_div(int a, int b) { return b == -1 ? -a : a / b; }
static inline int i_rem(int a, int b) { return b == -1 ? 0 : a % b; }
static inline int i_abs(int x) { return x < 0 ? -x : x; }
static inline int i_min(int a, int b) { return a < b ? a : b; }
static inline int i_max(int a, int b) { return a < b ? b : a; }
/* NaN if either is NaN; of two zeros the one that fmin and fmax of IEEE 754 choose does not matter. */
static inline float f_min(float a, float b) { return a != a ? a : a < b ? a : b; }
static inline float f_max(float a, float b) { return a != a ? a : b < a ? a : b; }

static inline vf vf_abs(vf x) { return (vf)((vi)x & vi_splat(0x7fffffff)); }
${lanewise('sqrt', '__builtin_sqrtf')}
${lanewise('floor', '__builtin_floorf')}
${lanewise('ceil', '__builtin_ceilf')}
${lanewise('trunc', '__builtin_truncf')}
${lanewise('nearest', '__builtin_rintf')}
static inline vi vi_abs(vi x) { return vi_select(x < vi_splat(0), -x, x); }
static inline vi vi_min(vi a, vi b) { return vi_select(a < b, a, b); }
static inline vi vi_max(vi a, vi b) { return vi_select(a < b, b, a); }
static inline vf vf_min(vf a, vf b) { return vf_select(a != a, a, vf_select(a < b, a, b)); }
static inline vf vf_max(vf a, vf b) { return vf_select(a != a, a, vf_select(b < a, a, b)); }

/* To an integer: truncated, saturated, NaN becomes 0. */
static inline int int_saturated(float x) {
  return x != x ? 0 : x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : (int)x;
}
static inline vi vi_saturated(vf x) {
  vi large = x >= 2147483648.0f, small = x <= -2147483648.0f, other = x != x;
  vi whole = __builtin_convertvector(vf_select(large | small | other, vf_splat(0.0f), x), vi);
  return vi_select(large, vi_splat(2147483647), vi_select(small, vi_splat(-2147483647 - 1), whole));
}
`;
}
