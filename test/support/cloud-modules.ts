// Preloaded into a child (`--import`): writes the path of every file of a cloud's SDK that is loaded to
// stderr, and hides the SDKs altogether when CLOUD_SDKS_HIDDEN is set, as if nobody had installed them.

import { registerHooks } from 'node:module'

const SDK = /^(?:@aws-sdk|@smithy|@google-cloud|google-gax|google-auth-library|@azure)\b/
const FILE = /\/node_modules\/(?:@aws-sdk|@smithy|@google-cloud|google-|@azure)/

registerHooks({
  resolve(specifier, context, next) {
    if (process.env['CLOUD_SDKS_HIDDEN'] === undefined || !SDK.test(specifier)) {
      return next(specifier, context)
    }
    const error = new Error(`Cannot find package '${specifier}'`)
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
  },
  load(url, context, next) {
    if (FILE.test(url)) process.stderr.write(`cloud module ${url}\n`)
    return next(url, context)
  },
})
