import { expect, test } from 'vitest';
import { RecentMap } from './recent-map.js';

test('what is used stays, what is not used is forgotten, and the size is bounded', () => {
  const map = new RecentMap<string, number>(10);
  map.set('used', 1);
  map.set('unused', 2);
  for (let i = 0; i < 1000; i++) {
    map.set(`k${i}`, i);
    expect(map.get('used')).toBe(1);
    expect(map.size).toBeLessThanOrEqual(20);
  }
  expect(map.get('unused')).toBeUndefined();
  expect(map.get('k999')).toBe(999);
});

test('an entry outlives as many newer ones as the capacity says', () => {
  const map = new RecentMap<number, number>(10);
  for (let i = 0; i < 100; i++) {
    map.set(i, i);
    for (let j = Math.max(0, i - 9); j <= i; j++) expect(map.get(j)).toBe(j);
  }
});
