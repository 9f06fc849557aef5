import { resolve } from 'node:path'

import { createHealth } from '../../src/observe/health.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'
import { AdminServer, type AdminOptions } from '../../src/web/admin-server.ts'
import { RealMailTally } from '../../src/web/real-mail.ts'
import { PROVIDERS, realMailEvents, sampleStatus } from '../support/sample-history.ts'

export const pageFolder = resolve('src/web/page')

/** A message that was deferred once and then taken. */
function deferredMessage(id: string, at: number): MessageRecord {
  const entry = { at, domain: 'example.net', host: 'mx.example.net', tls: 'TLSv1.3', note: '' }
  return {
    message: {
      id,
      login: 'canary',
      acceptedAt: at,
      messageId: '',
      size: 900,
      envelope: { reversePath: '', recipients: [], eightBit: false, smtputf8: false },
    },
    recipients: [],
    timeline: [
      { ...entry, kind: 'accepted', host: '', reply: '', tls: '' },
      { ...entry, at: at + 250, kind: 'deferred', reply: '421 4.7.0 later' },
    ],
  }
}

/** The admin listener over a history, with an hour of real mail and the page's code out of a folder. */
export function pageServer(
  history: HistoryStore,
  browserCode: string,
  options: Partial<AdminOptions> = {},
): AdminServer {
  const real = new RealMailTally({ clock: Date.now, providers: PROVIDERS })
  for (const event of realMailEvents()) real.record(event)
  return new AdminServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    health: createHealth({ alive: [], ready: [] }),
    status: sampleStatus(history, Date.now, real),
    trace: async id => deferredMessage(id, Date.now() - 60_000),
    assets: { page: pageFolder, browser: browserCode },
    ...options,
  })
}
