// Turns the TypeScript of examples into a script that a worker can run: types are taken out, `import … from 'nabla/nn'` asks a function.
import { transform } from 'sucrase';

/** The cells of a page as one program; `__cell(i)` is called where each begins. */
export function scriptOf(cells) {
  const program = cells.map((code, i) => `__cell(${i});\n${code}\n`).join('');
  // What should not compile says so in its page, and runs as it stands.
  return transform(program, { transforms: ['typescript', 'imports'], production: true, preserveDynamicImport: true })
    .code;
}
