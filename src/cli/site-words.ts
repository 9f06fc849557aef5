import type { SiteState } from '../app/queue-control.ts'
import { printable } from '../mail/reply.ts'
import { amount } from './table.ts'
import { whenNext } from './times.ts'

/** How mail goes to a provider, or to a host that is of none: `gmail: 2 of 5 connections in use`. */
export function siteLine(site: SiteState, now: number): string {
  const { connections, name, pausedUntil, running } = site
  const slowed = site.level > 0 || pausedUntil > 0
  const use =
    connections === undefined
      ? `${amount(running, 'connection')} in use`
      : `${running} of ${amount(connections, 'connection')} in use`
  const rate =
    site.messagesPerMinute === undefined
      ? ''
      : `at most ${amount(site.messagesPerMinute, 'message')} a minute`
  const parts = [
    pausedUntil > now ? `paused, next mail ${whenNext(pausedUntil, now)}` : '',
    use,
    rate,
    slowed ? `since it said: ${printable(site.reply)}` : '',
  ]
  return `${slowed ? 'SLOWED: ' : ''}${name}: ${parts.filter(part => part !== '').join(', ')}`
}
