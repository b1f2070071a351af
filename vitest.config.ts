import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Much of the suite waits for sockets and clocks: a second worker takes a quarter off on two cores.
    maxWorkers: 2,
    reporters: ['default'],
  },
})
