import { expect, test } from 'vitest'

import { listQuery } from '../../src/proxy/list-query.ts'

const SCOPE = { member: 'name', sees: () => false } as const

test('thousands of top-level domains, and an international name, cost little for each element', () => {
  const tlds = Array.from({ length: 4000 }, (_, at) => `tld=t${at}`)
  const query = listQuery(
    `?${tlds.join('&')}&search=${encodeURIComponent('ü.'.repeat(100))}`,
    SCOPE,
  )
  const before = process.cpuUsage()
  for (let at = 0; at < 200_000; at += 1) {
    if (query?.wants(`n${at}.deep.down.example`, '') !== false) throw new Error('it is not wanted')
  }
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000)
})

test('of several top-level domains each is wanted, with any number of labels', () => {
  const query = listQuery('?tld=com&tld=co.uk&tld=.org&tld=B%C3%BCcher', SCOPE)
  const names = ['a.com', 'a.co.uk', 'a.b.org', 'a.uk', 'com', 'a.xcom', 'a.com.net']
  expect(names.filter((name) => query?.wants(name, ''))).toEqual(['a.com', 'a.co.uk', 'a.b.org'])
  expect(query?.wants('a.xn--bcher-kva', '')).toBe(true)
  expect(query?.of(2)).toBe('?page=2&page_size=1000')
})
