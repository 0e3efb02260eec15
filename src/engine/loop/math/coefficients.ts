// The constants of the functions, one row for each format of floats. Polynomials begin with the highest power.
// For float32 those of log, sin, cos, tanh and atan are those of S. Moshier's Cephes library (single precision), the one for
// erf is N. Juffa's, those for exp, sinh and asin are tools/polynomials/single.py's. For float64 all are tools/polynomials/double.py's.

import type { FloatType } from '../loop.js';

type Row<T> = Readonly<Record<FloatType, T>>;

/** ln 2 in two parts: products of the first with an exponent are exact. */
export const LN2: Row<{ readonly high: number; readonly low: number }> = {
  f32: { high: 0.693359375, low: -2.1219444e-4 },
  f64: { high: 0.6931471803691238, low: 1.9082149292705877e-10 },
};

/** Beyond these exp is 0 or infinite whatever its argument is, and from `certain` on e^x − 1 is −1. */
export const EXP_LIMITS: Row<{ readonly least: number; readonly most: number; readonly certain: number }> = {
  f32: { least: -104, most: 90, certain: -20 },
  f64: { least: -746, most: 711, certain: -40 },
};

/** (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2, for float32 to 4e-9 of e^r. */
export const EXP: Row<readonly number[]> = {
  f32: [1.381444163e-3, 8.368731476e-3, 4.166838527e-2, 1.666652113e-1, 4.999999404e-1],
  f64: [
    2.09147553258932e-9, 2.5105312729622103e-8, 2.755727347871858e-7, 2.755725517000089e-6, 2.480158732567746e-5,
    0.0001984126987500228, 0.0013888888888883711, 0.008333333333326084, 0.04166666666666667, 0.1666666666666667, 0.5,
  ],
};

/** (log(1 + r) − r + r²/2) / r³ for 1 + r between √½ and √2: for float32 alone. */
export const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];

/** 2·atanh(s)/s − 2 by s², in powers of s²: 2/3, 2/5, 2/7, … for |s| ≤ 0.1716. */
export const ATANH: Row<readonly number[]> = {
  f32: [0.2222222222, 0.2857142857, 0.4, 0.6666666667],
  f64: [
    0.13088034850927555, 0.13268638369266825, 0.15386244737621665, 0.18181795547521137, 0.22222222392581045,
    0.28571428570799784, 0.40000000000000885, 0.6666666666666666,
  ],
};

/** log2 e − 1; log10 2 and log10 e, each as a number of a few bits and the rest. */
export const LOGARITHMS = {
  log2e: 0.44269504088896344,
  log10two: {
    f32: { high: 0.30078125, low: Math.log10(2) - 0.30078125 },
    f64: { high: 0.3010299956640665, low: -8.532344317057107e-14 },
  },
  log10e: { high: 0.43359375, low: 0.0007007319032518276 },
} as const;

/** π/2 in parts whose products with a whole number are exact (of 12 bits, of 20 bits), and the rest. */
export const PI_HALF: Row<readonly number[]> = {
  f32: [1.5703125, 4.837512969970703125e-4, 7.549533620476723e-8, 2.5633440682570896e-12],
  f64: [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21],
};
/** Up to here the parts above are exact enough. */
export const MOST_ANGLE: Row<number> = { f32: 6000, f64: 1e6 };
/** What the format leaves out of π/2. */
export const PI_HALF_LOW: Row<number> = { f32: Math.PI / 2 - Math.fround(Math.PI / 2), f64: 6.123233995736766e-17 };

/** (sin r − r) / r³ for |r| ≤ π/4, in powers of r². */
export const SIN: Row<readonly number[]> = {
  f32: [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1],
  f64: [
    -7.586636882825159e-13, 1.6058530596645953e-10, -2.50521062259944e-8, 2.755731921932058e-6, -0.0001984126984126504,
    0.008333333333333331, -0.16666666666666666,
  ],
};
/** (cos r − 1 + r²/2) / r⁴ for |r| ≤ π/4, in powers of r². */
export const COS: Row<readonly number[]> = {
  f32: [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2],
  f64: [
    -1.138254464534925e-11, 2.087614504941318e-9, -2.755731726587808e-7, 2.48015872987544e-5, -0.0013888888888887389,
    0.041666666666666664,
  ],
};

/** (sinh x − x) / x³ for |x| ≤ 1, in powers of x². */
export const SINH: Row<readonly number[]> = {
  f32: [2.816951337e-6, 1.983615948e-4, 8.3333496e-3, 1.666666716e-1],
  f64: [
    7.746178593018827e-13, 1.6057679623801638e-10, 2.5052117695907823e-8, 2.7557319191381816e-6, 0.00019841269841324198,
    0.008333333333333299, 0.16666666666666666,
  ],
};

/** (tanh x − x) / x³ for |x| ≤ 0.625, in powers of x²: for float32 alone. */
export const TANH = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

/** (asin s − s) / s³ for s ≤ ½, in powers of s². */
export const ASIN: Row<readonly number[]> = {
  f32: [4.216630757e-2, 2.41795145e-2, 4.547037557e-2, 7.495297492e-2, 1.66667521e-1],
  f64: [
    0.028757851367421566, -0.014851887071247204, 0.01740087944269402, 0.005457506718640358, 0.01032281435018578,
    0.011479177415184906, 0.013971212973552933, 0.017352392720869973, 0.02237217294214989, 0.030381944138531247,
    0.04464285714635543, 0.07499999999998433, 0.16666666666666669,
  ],
};

/** (atan r − r) / r³ for |r| ≤ √2 − 1, in powers of r². */
export const ATAN: Row<readonly number[]> = {
  f32: [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1],
  f64: [
    -0.019162068915902577, 0.03921955253255129, -0.05085030492810941, 0.058580687568615106, -0.06664502215671447,
    0.07692182535116648, -0.09090904549884611, 0.11111111014561013, -0.14285714284657894, 0.1999999999999548,
    -0.3333333333333333,
  ],
};
/** What the format leaves out of π/4. */
export const QUARTER_PI_LOW: Row<number> = { f32: -2.18556950834e-8, f64: 3.061616997868383e-17 };

/** erf x / x − 1 for |x| < 0.9277, in powers of x². */
export const ERF_SMALL: Row<readonly number[]> = {
  f32: [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1],
  f64: [
    -8.301543173016476e-10, 1.3967030202110836e-8, -1.6260554161849676e-7, 1.6453625250707517e-6,
    -1.4925194994444936e-5, 0.00012055316619329931, -0.0008548326635399813, 0.005223977619597729, -0.026866170644611227,
    0.11283791670952732, -0.3761263890318371, 0.1283791670955126,
  ],
};
/** e^(x²)·erfc x for x between 0.9277 and 6, in powers of (x − 2)/(x + 2): for float64 alone. */
export const ERFCX = [
  -1.0096513139664211e-6, 1.094111015970932e-6, 4.043123200504707e-6, 1.3659898187308694e-6, -1.402285642726489e-5,
  -2.7569217174820404e-5, 2.7531651852251848e-5, 0.0001743597437494049, 4.3555213418543796e-5, -0.0009819769346387187,
  -0.0008471432373543232, 0.006997461736270571, 0.003732892404087175, -0.07897858101569186, 0.24165819424246818,
  -0.42718584741395854, 0.25539567631050575,
];

/** 2/π without the point, in words of 24 bits: what angles up to the largest float64 can need. */
export const TWO_OVER_PI_WORDS = [
  10680707, 7228996, 1387004, 2578385, 16069853, 12639074, 9804092, 4427841, 16666979, 11263675, 12935607, 2387514,
  4345298, 14681673, 3074569, 13734428, 16653803, 1880361, 10960616, 8533493, 3062596, 8710556, 7349940, 6258241,
  3772886, 3769171, 3798172, 8675211, 12450088, 3874808, 9961438, 366607, 15675153, 9132554, 7151469, 3571407, 2607881,
  12013382, 4155038, 6285869, 7677882, 13102053, 15825725, 473591, 9065106, 15363067, 6271263, 9264392, 5636912,
];
