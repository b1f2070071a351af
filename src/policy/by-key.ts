// The order in which grants are printed: that of their texts, whatever the language of the machine.

/** Orders the entries of a map by their keys, as texts. */
export function byKey(
  [one]: readonly [string, unknown],
  [other]: readonly [string, unknown],
): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
