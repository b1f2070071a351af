// What JSON and YAML call an object, among values that may be anything.

/** Whether `value` is an object of named members: neither null nor a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
