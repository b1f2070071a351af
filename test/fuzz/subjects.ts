// All that is fuzzed.

import { configSubject } from './config.ts'
import { echoSubject } from './echo.ts'
import { pathSubject } from './path.ts'
import { repliesSubject } from './replies.ts'
import { requestsSubject } from './requests.ts'
import type { Subject } from './subject.ts'
import { tokenSubject } from './token.ts'

/** In the order in which they run. */
export const SUBJECTS: readonly Subject[] = [
  pathSubject,
  configSubject,
  tokenSubject,
  echoSubject,
  requestsSubject,
  repliesSubject,
]
