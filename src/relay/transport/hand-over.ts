import type { Recipient } from '../../mail/envelope.ts'
import type { AttemptLimit } from './attempt-limit.ts'
import type { HostJudge, HostResult } from './host-result.ts'
import type { SmtpClient } from './smtp-client.ts'
import { SmtpFault } from './smtp-fault.ts'
import { transact } from './transaction.ts'
import type { Consignment } from './transport.ts'

// RFC 5321 section 4.5.3.1.8: every server takes 100; with more, most answer 452 for the rest.
const RECIPIENTS = 100

/**
 * Hands a message over an open session, in as many transactions as its recipients need.
 *
 * @returns one result for each of `recipients`, in their order
 * @throws StaleConnection before anything was said, and what reading the body throws
 */
export async function handOver(
  client: SmtpClient,
  mail: Consignment,
  recipients: readonly Recipient[],
  judge: HostJudge,
  limit: AttemptLimit,
): Promise<readonly HostResult[]> {
  const release = client.wire.obey(limit.signal)
  judge.tls = client.wire.tls
  try {
    const results: HostResult[] = []
    while (results.length < recipients.length) {
      const batch = recipients.slice(results.length, results.length + RECIPIENTS)
      // RSET, since a transaction that was refused at RCPT is still open.
      if (results.length > 0 && !(await client.reset())) {
        const fault = limit.fault ?? new SmtpFault('lost', 'the server took no second transaction')
        results.push(...batch.map(() => judge.broken(fault)))
        continue
      }
      results.push(...(await transact(client, mail, batch, judge, limit.suspend)))
      limit.resume()
    }
    return results
  } finally {
    release()
  }
}
