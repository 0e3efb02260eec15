// `source:./x.ts` is the text of a module, by the builder (bundle.mjs).
declare module 'source:*' {
  const text: string;
  export default text;
}
