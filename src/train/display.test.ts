// Values as notebooks show them: tables, pictures, charts, texts; what Deno's notebooks ask for; and what is refused.
import { describe, expect, test } from 'vitest';
import { tensor, zeros } from 'nabla';
import { Linear } from 'nabla/nn';
import { convergenceChart, display, toHtml, toPng } from 'nabla/train';

const sizeOf = (png: Uint8Array): number[] => {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

describe('toHtml', () => {
  test('a matrix is a table of its numbers, coloured by size', async () => {
    const html = await toHtml(
      tensor([
        [1, -2],
        [0.123456, 4],
      ]),
    );
    expect(html).toContain('float32 [2, 2]');
    expect([...html.matchAll(/>([^<>]+)<\/td>/g)].map(([, text]) => text)).toEqual(['1', '-2', '0.1235', '4']);
    expect(html).toContain('rgba(36,116,200,0.275)');
    expect(html).toContain('rgba(232,120,42,0.550)');
  });

  test('large tensors and many axes are cut, scalars and empty ones are shown', async () => {
    const html = await toHtml(zeros([3, 2, 20, 15]));
    expect(html.match(/<td/g)!.length).toBeLessThan(4 * 13 * 13 + 2);
    expect(html).toContain('[1, 1]');
    expect(html).toContain('… 2 more');
    expect(await toHtml(tensor(5))).toContain('>5</td>');
    expect(await toHtml(zeros([0, 3]))).toContain('[0, 3]');
    expect(await toHtml(tensor([NaN, Infinity]))).toMatch(/NaN.*Infinity/);
  });

  test('charts are SVG, models and plain values their text, escaped', async () => {
    expect(await toHtml(convergenceChart({ a: [3, 2, 1] }))).toMatch(/^<svg /);
    expect(await toHtml([convergenceChart({ a: [3, 2, 1] })])).toMatch(/^<svg /);
    expect(await toHtml(new Linear(2, 3))).toMatch(/^<pre>Linear/);
    expect(await toHtml('<b>')).toBe('<pre>&lt;b&gt;</pre>');
    expect(await toHtml({ a: [1] })).toContain('&quot;a&quot;');
  });

  test('pictures are in the page itself', async () => {
    expect(await toHtml(zeros([1, 4, 4]), { as: 'picture' })).toMatch(
      /^<img alt="\[1, 4, 4\]" src="data:image\/png;base64,iVBOR/,
    );
  });
});

test('toPng: one picture as large as asked, several side by side, bytes and floats', async () => {
  expect(sizeOf(await toPng(zeros([8, 6]), { scale: 2 }))).toEqual([12, 16]);
  expect(sizeOf(await toPng(zeros([4, 3, 8, 8]), { scale: 1, columns: 2 }))).toEqual([28, 28]);
  const floats = await toPng(tensor([[0, 1]]), { scale: 1 });
  expect(await toPng(tensor([[0, 255]], { dtype: 'int32' }), { scale: 1 })).toEqual(floats);
});

test('display is what a notebook of Deno asks a value for', async () => {
  const shown = display(tensor([1, 2])) as Record<symbol, () => Promise<Record<string, string>>>;
  const { 'text/html': html, 'text/plain': text } = await shown[Symbol.for('Jupyter.display')]!();
  expect([html.slice(0, 6), text]).toEqual(['<table', 'float32 [2]']);
});

test('what is refused, and how', async () => {
  await expect(toPng(zeros([2, 4, 4]))).rejects.toThrow(/^toPng: \[2, 4, 4\] is no picture/);
  await expect(toPng([[1]] as never)).rejects.toThrow(/^toPng: /);
  await expect(toPng(zeros([4, 4]).eq(0) as never)).rejects.toThrow(/^toPng: the tensor is bool/);
  await expect(toHtml(zeros([3]), { as: 'picture' })).rejects.toThrow(/^toHtml: \[3\] is no picture/);
  await expect(toHtml(3, { as: 'picture' })).rejects.toThrow(/^toHtml: /);
  await expect(toHtml(zeros([3]), { as: 'image' } as never)).rejects.toThrow(/^toHtml: .*image/);
  await expect(toPng(zeros([4, 4]), { scale: 0 })).rejects.toThrow(/^toPng: .*scale/);
  expect(() => display(undefined)).toThrow(/^display: there is no value/);
});
