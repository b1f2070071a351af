// One line for each consumer, for `check`: how it is known, and what it may do.

import type { ConsumerSettings } from '../config/consumers.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import { grantOf } from '../policy/grants.ts'
import { moneyText } from '../policy/money.ts'

const GRANTS = 3
const LONGEST_GRANT = 100

/** `certbot: by 2 keys, mtls; acme: [example.com]`. Names no key and no secret. */
export function consumerLine(name: string, settings: ConsumerSettings): string {
  const { mode, dryRun, budget } = settings
  return [
    `${name}: by ${waysOf(settings).join(', ') || 'nothing: nobody is this consumer'}`,
    grantsText(settings),
    ...(mode === 'report' ? ['mode: report (what is denied passes)'] : []),
    ...(dryRun ? ['dry_run'] : []),
    ...(budget === undefined ? [] : [budgetText(budget)]),
  ].join('; ')
}

function waysOf({ keys, mtls, networks, sockets, anonymous }: ConsumerSettings): string[] {
  const counts = [
    ['key', keys.length],
    ['certificate name', mtls.length],
    ['network', networks.length],
    ['socket', sockets.length],
  ] as const
  return [
    ...counts
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}${count === 1 ? '' : 's'}`),
    ...(anonymous ? ['being on this machine'] : []),
  ]
}

function grantsText({ grants }: ConsumerSettings): string {
  if (grants.length === 0) return 'no grants'
  const texts = grants.slice(0, GRANTS).map((one) => {
    const { text } = grantOf(one)
    return text.length > LONGEST_GRANT ? `${text.slice(0, LONGEST_GRANT)}…` : text
  })
  const more = grants.length - texts.length
  return [...texts, ...(more > 0 ? [`and ${more} more grants`] : [])].join('; ')
}

function budgetText({ purchases, amount, per }: BudgetSettings): string {
  const most = amount === undefined ? '' : ` for ${moneyText(amount)}`
  return `budget: ${purchases} purchases${most} per ${per}`
}
