// The options of an optimiser, for the facts of a record.

/** Numbers and switches of a parameter group. */
export function plainOptions(group: object = {}): Record<string, number | boolean> {
  return Object.fromEntries(
    Object.entries(group).filter(([name, v]) => name !== 'lr' && (typeof v === 'number' || typeof v === 'boolean')),
  ) as Record<string, number | boolean>;
}
