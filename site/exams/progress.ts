// What has been answered, kept in the browser.

/** `seen`: its way was looked at before it was answered. */
export type Mark = 'solved' | 'tried' | 'seen';

const KEY = 'nabla-exams';
const RANK: Readonly<Record<Mark, number>> = { tried: 0, seen: 1, solved: 2 };

export function readProgress(): Record<string, Mark> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const rows = found && typeof found === 'object' ? Object.entries(found) : [];
    return Object.fromEntries(rows.filter(([, mark]) => Object.hasOwn(RANK, String(mark)))) as Record<string, Mark>;
  } catch {
    return {}; // damaged, or storage is forbidden
  }
}

/** Keeps the better of what was and is; → what holds. */
export function mark(name: string, now: Mark): Mark {
  const all = readProgress();
  const before = Object.hasOwn(all, name) ? all[name] : undefined;
  const better = before && RANK[before] > RANK[now] ? before : now;
  all[name] = better;
  write(all);
  return better;
}

export function forget(prefix: string): void {
  write(Object.fromEntries(Object.entries(readProgress()).filter(([name]) => !name.startsWith(prefix))));
}

function write(all: Readonly<Record<string, Mark>>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is full or forbidden: marks last as long as the page.
  }
}
