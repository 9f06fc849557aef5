import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { testCertificates } from '../support/certificates.ts'
import { freePort } from '../support/ports.ts'
import { startLogins } from '../support/postfix-submission.ts'
import { startPostfix } from '../support/postfix.ts'
import { portOpen } from '../support/server-process.ts'
import { LOGIN, PASSWORD, SENDER, type Subject } from './subject.ts'

/**
 * Postfix as a submission server at its best: as many deliveries at once as we have, connections to the next hop kept,
 * and without its brake on what comes in while it delivers (`in_flow_delay`), which would cost it half of its rate.
 * It syncs each message to the disk before it answers, as we do.
 */
export async function startPostfixSubject(
  folder: string,
  nextHop: number,
  scheme: 'PLAIN' | 'SHA512-CRYPT',
): Promise<Subject> {
  await mkdir(folder, { recursive: true })
  const { certificate, key } = await (await testCertificates(folder)).issue('mail.example.org')
  const logins = await startLogins(join(folder, 'logins'), {
    login: LOGIN,
    password: PASSWORD,
    scheme,
  })
  const port = await freePort()
  const options = [
    'smtpd_sasl_auth_enable=yes',
    'smtpd_sasl_type=dovecot',
    `smtpd_sasl_path=${logins.socket}`,
    'smtpd_tls_security_level=encrypt',
    'smtpd_reject_unlisted_recipient=no',
    `smtpd_sender_login_maps=inline:{ {${SENDER}=${LOGIN}} }`,
    'smtpd_sender_restrictions=reject_sender_login_mismatch',
    'smtpd_recipient_restrictions=',
    'smtpd_relay_restrictions=permit_sasl_authenticated,reject',
  ]
  const lines = options.map(option => `  -o { ${option} }\n`).join('')
  const postfix = await startPostfix(folder, {
    hostname: 'mail.example.org',
    domains: [],
    tls: { certificate, key },
    services: `127.0.0.1:${port} inet n - n - - smtpd\n${lines}`,
    settings: {
      default_transport: 'smtp',
      relayhost: `[127.0.0.1]:${nextHop}`,
      message_size_limit: '52428800',
      in_flow_delay: '0',
      default_process_limit: '1100',
      default_destination_concurrency_limit: '50',
      initial_destination_concurrency: '50',
      smtp_connection_cache_destinations: '127.0.0.1',
      smtpd_client_connection_count_limit: '0',
      smtpd_tls_received_header: 'no',
    },
  })
  await portOpen(port, '127.0.0.1', new AbortController().signal)
  return {
    name: scheme === 'PLAIN' ? 'Postfix' : 'Postfix, sha512-crypt',
    port,
    pids: () => [postfix.pid, logins.pid],
    async stop() {
      await postfix.stop()
      await logins.stop()
    },
  }
}
