// The methods that the OpusDNS API knows; all others are refused (a TRACE would reflect the credential).

/** Upper-case names. */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])
