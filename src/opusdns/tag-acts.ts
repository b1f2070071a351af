// What `POST /v1/tags/objects` would do: it tags zones, domains and contacts by TypeID or by name.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { actOf } from './act.ts'
import type { ActList } from './act-list.ts'
import { domainReference, typeIdKind } from './body-name.ts'
import { filledListIn, shape, wordIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { operationNamed } from './operation-named.ts'

const TAG_OBJECTS = operationNamed('POST /v1/tags/objects')

/** The body. */
export const TAGGED_OBJECTS = shape('type:text objects:list add:list? remove:list? replace:list?')

/**
 * One act for each object. One that is named by its TypeID has no target, but for domains: whose it is
 * only OpusDNS knows.
 */
export function tagActs(body: Members, place: Place | undefined, list: ActList): void {
  const type = wordIn(body, 'type', place, ['DOMAIN', 'CONTACT', 'ZONE'])
  for (const [at, object] of filledListIn(body, 'objects', place).entries()) {
    if (typeof object !== 'string') {
      throw notUnderstood(within(within(place, 'objects'), at), 'It is no text.', 'Send text.')
    }
    const isName = typeIdKind(object) === undefined
    const zone = type === 'ZONE' && isName ? list.nameOf(object) : undefined
    const domain = type === 'DOMAIN' ? domainReference(object, list.nameOf) : undefined
    list.add(actOf(TAG_OBJECTS, { zone, domain }))
  }
}
