// The error function.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import { type Bind, abs, atMost, div, f, floatType, neg, polynomial, withSign } from './basics.js';
import { ERFCX, ERF_SMALL } from './coefficients.js';
import { exp } from './exp.js';

export function erf(x: Expr, bind: Bind): Expr {
  const t = bind('t', atMost(bind('a', abs(x)), 6)); // erf is 1 from 4 on
  const s = bind('s', L.mul(t, t));
  const large = floatType(x) === 'f64' ? largeDouble(x, t, s, bind) : largeSingle(x, t, s, bind);
  const small = L.fma(polynomial(s, ERF_SMALL[floatType(x)]), x, x);
  return L.select(L.compare('lt', t, f(x, 0.927734375)), small, L.select(L.compare('eq', x, x), large, x));
}

/** 1 − e^p(t) */
function largeSingle(x: Expr, t: Expr, s: Expr, bind: Bind): Expr {
  const low = L.fma(f(x, -3.88396438e-3), t, f(x, 2.42546219e-2));
  let r = L.fma(L.fma(f(x, -1.7285347e-5), t, f(x, 3.83197126e-4)), s, low);
  r = L.fma(r, t, f(x, -1.06777877e-1));
  r = L.fma(r, t, f(x, -6.34846687e-1));
  r = L.fma(r, t, f(x, -1.28717512e-1));
  r = bind('r', L.fma(r, t, neg(t)));
  return withSign(L.sub(f(x, 1), exp(r, bind, { least: -60, most: 0 })), x);
}

/** 1 − e^(−t²)·erfcx t */
function largeDouble(x: Expr, t: Expr, s: Expr, bind: Bind): Expr {
  const u = bind('u', div(L.sub(t, f(x, 2)), L.add(t, f(x, 2))));
  const complement = L.mul(exp(bind('square', neg(s)), bind, { least: -60, most: 0 }), polynomial(u, ERFCX));
  return withSign(L.sub(f(x, 1), complement), x);
}
