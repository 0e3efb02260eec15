// A number that stands for a text, small enough to be compared in one word.

/** FNV-1a, 31 bits. */
export function digestOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 31)) & 0x7fffffff;
}
