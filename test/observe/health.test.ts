import { describe, expect, it } from 'vitest'

import { createHealth } from '../../src/observe/health.ts'

const well = { name: 'store', check: () => ({ ok: true, detail: 'open' }) }

describe('health', () => {
  it('is ready when every check is well, and lists them', async () => {
    const health = createHealth({ alive: [], ready: [well] })
    expect(await health.ready()).toEqual({
      ok: true,
      checks: [{ name: 'store', ok: true, detail: 'open' }],
    })
  })

  it('takes a check that throws for one that is not well', async () => {
    const broken = { name: 'directory', check: () => Promise.reject(new Error('no snapshot')) }
    const report = await createHealth({ alive: [well], ready: [broken] }).ready()
    expect(report.ok).toBe(false)
    expect(report.checks).toContainEqual({ name: 'directory', ok: false, detail: 'no snapshot' })
  })

  it('stays alive while it is not ready, so that nobody restarts it for a full disk', async () => {
    const full = { name: 'store', check: () => ({ ok: false, detail: 'disk full' }) }
    const health = createHealth({ alive: [], ready: [full] })
    expect((await health.alive()).ok).toBe(true)
    expect((await health.ready()).ok).toBe(false)
  })

  it('does not wait for ever for a check that hangs', async () => {
    const hung = { name: 'database', check: () => new Promise<never>(() => undefined) }
    const report = await createHealth({ alive: [], ready: [hung] }).ready()
    expect(report.checks).toEqual([{ name: 'database', ok: false, detail: 'no answer in time' }])
  })
})
