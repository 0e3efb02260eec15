// Arcs: what sine, cosine and tangent are of.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import { type Bind, abs, div, f, floatType, polynomial, withSign } from './basics.js';
import { ASIN, ATAN, PI_HALF_LOW, QUARTER_PI_LOW } from './coefficients.js';

/** Of a = |x|: whether it is above ½, and asin a if it is not, else half of acos a, as asin √((1 − a)/2). */
function reduceAsin(x: Expr, bind: Bind): { far: Expr; y: Expr } {
  const a = bind('a', abs(x));
  const far = bind('far', L.compare('lt', f(x, 0.5), a));
  const z = bind('z', L.select(far, L.mul(L.sub(f(x, 1), a), f(x, 0.5)), L.mul(a, a)));
  const s = bind('s', L.select(far, L.unary('sqrt', z), a));
  return { far, y: bind('y', L.fma(L.mul(polynomial(z, ASIN[floatType(x)]), z), s, s)) };
}

export function asin(x: Expr, bind: Bind): Expr {
  const { far, y } = reduceAsin(x, bind);
  const beyond = L.add(L.sub(f(x, Math.PI / 2), L.add(y, y)), f(x, PI_HALF_LOW[floatType(x)]));
  return withSign(L.select(far, beyond, y), x);
}

export function acos(x: Expr, bind: Bind): Expr {
  const { far, y } = reduceAsin(x, bind);
  const twice = L.add(y, y);
  const isNegative = L.compare('lt', x, f(x, 0));
  const beyond = L.select(isNegative, L.add(L.sub(f(x, Math.PI), twice), f(x, 2 * PI_HALF_LOW[floatType(x)])), twice);
  const middle = L.sub(f(x, Math.PI / 2), L.sub(withSign(y, x), f(x, PI_HALF_LOW[floatType(x)])));
  return L.select(far, beyond, middle);
}

export function atan(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  const far = bind('far', L.compare('lt', f(x, 2.414213562373095), a));
  const middle = bind('middle', L.compare('lt', f(x, 0.4142135623730951), a));
  const shifted = L.select(middle, div(L.sub(a, f(x, 1)), L.add(a, f(x, 1))), a);
  const r = bind('r', L.select(far, div(f(x, -1), a), shifted));
  const base = L.select(far, f(x, Math.PI / 2), L.select(middle, f(x, Math.PI / 4), f(x, 0)));
  const z = bind('z', L.mul(r, r));
  const low = L.select(
    far,
    f(x, 2 * QUARTER_PI_LOW[floatType(x)]),
    L.select(middle, f(x, QUARTER_PI_LOW[floatType(x)]), f(x, 0)),
  );
  const value = L.add(base, L.add(L.fma(L.mul(polynomial(z, ATAN[floatType(x)]), z), r, low), r));
  return L.select(L.compare('eq', x, x), withSign(value, x), x);
}
