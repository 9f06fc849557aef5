import type { Session } from '../../../base/postgres.ts'
import { domainOf } from '../../../mail/envelope.ts'
import { fromNotify } from '../rows.ts'
import type { NewMessage, TimelineEntry } from '../store.ts'

/** Makes a message exist. Takes part in a transaction, after the body has been written in it. */
export async function putMessage(
  session: Session,
  message: NewMessage,
  body: { readonly id: string; readonly size: number },
): Promise<void> {
  const { envelope, acceptedAt, hold, login } = message
  const { recipients } = envelope
  const [row] = await session.rows<{ key: number }>(
    `insert into message (id, reverse_path, eight_bit, smtputf8, ret, envid, login,
        accepted_at, message_id, size, body)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning key`,
    [
      message.id,
      envelope.reversePath,
      envelope.eightBit ? 1 : 0,
      envelope.smtputf8 ? 1 : 0,
      envelope.ret ?? null,
      envelope.envid ?? null,
      login,
      acceptedAt,
      message.messageId,
      body.size,
      body.id,
    ],
  )
  const key = row?.key ?? 0
  const domains = recipients.map(({ address }) => domainOf(address))
  const deliveries = await session.rows<{ id: number; domain: string }>(
    `insert into delivery (message, domain, login, state, kept, due_at, ready_at)
      select $1, domain, $3, $4, $5, $6, $6 from unnest($2::text[]) as domain
      returning id, domain`,
    [
      key,
      [...new Set(domains)],
      login,
      hold === undefined ? 'queued' : 'held',
      hold ?? '',
      acceptedAt,
    ],
  )
  const byDomain = new Map(deliveries.map(({ id, domain }) => [domain, id]))
  await session.run(
    `insert into recipient (message, position, delivery, address, notify, orcpt, state)
      select $1, position - 1, delivery, address, notify, orcpt, 'queued'
      from unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
        with ordinality as list (delivery, address, notify, orcpt, position)`,
    [
      key,
      domains.map(domain => byDomain.get(domain) ?? 0),
      recipients.map(({ address }) => address),
      recipients.map(({ notify }) => fromNotify(notify)),
      recipients.map(({ orcpt }) => orcpt ?? null),
    ],
  )
  const note = hold === undefined ? '' : `held: ${hold}`
  await addToTimeline(session, key, [{ at: acceptedAt, kind: 'accepted', note }])
}

/** Takes part in a transaction. What is left out is ''. */
export async function addToTimeline(
  session: Session,
  message: number,
  entries: readonly (Partial<TimelineEntry> & Pick<TimelineEntry, 'at' | 'kind'>)[],
): Promise<void> {
  await session.run(
    `insert into timeline (message, at, kind, domain, host, reply, tls, note, recipients)
      select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::text[], $8::text[], $9::text[])`,
    [
      message,
      entries.map(({ at }) => at),
      entries.map(({ kind }) => kind),
      entries.map(({ domain = '' }) => domain),
      entries.map(({ host = '' }) => host),
      entries.map(({ reply = '' }) => reply),
      entries.map(({ tls = '' }) => tls),
      entries.map(({ note = '' }) => note),
      entries.map(({ recipients }) => (recipients ? JSON.stringify(recipients) : null)),
    ],
  )
}
