// What a page of the site can run of the tour: examples that import what a page does not have are marked, and the worker of the examples
// has every module of the package that a page can have.
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(at(path), 'utf8');
const worker = read('site/page/example-worker.ts');
const known = new Set([...worker.matchAll(/^import \* as \w+ from '(nabla[\w/]*)'/gm)].map(([, name]) => name));

test('the examples have all of the package but what is for Node', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
  const published = Object.keys(exports).flatMap((name) =>
    name.endsWith('.json') ? [] : [name.replace(/^\./, 'nabla')],
  );
  expect(published.filter((name) => !known.has(name))).toEqual(['nabla/distributed']);
});

test('examples that import something else stand behind a comment that says so', () => {
  const wrong = readdirSync(at('docs'))
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) =>
      [...read(`docs/${name}`).matchAll(/(<!-- Node[^>]*-->\n+)?^```ts\n([\s\S]*?)^```$/gm)].flatMap(
        ([, mark, code]) => {
          const others = [...code!.matchAll(/^import .* from '([^']+)'/gm)]
            .map(([, from]) => from!)
            .filter((from) => !known.has(from));
          return others.length > 0 && mark === undefined ? [{ name, others }] : [];
        },
      ),
    );
  expect(wrong).toEqual([]);
});
