import type { LoadedRelay } from '../config/load-relay.ts'
import type { SubmissionOptions } from '../relay/submission/server.ts'

/** What clients may do, and what one of them may cost, as the configuration says it. */
export function submissionRules({
  config: { limits, submission },
}: Pick<LoadedRelay, 'config'>): Pick<
  SubmissionOptions,
  'bareNewlines' | 'nullReversePath' | 'limits'
> {
  return {
    bareNewlines: submission.bare_newlines,
    nullReversePath: submission.null_sender,
    limits: {
      messageBytes: limits.message_size,
      recipients: limits.recipients,
      connections: limits.connections,
      connectionsPerNetwork: limits.connections_per_network,
      memoryBytes: limits.memory,
      commandTime: limits.command_time,
      timeBeforeLogin: limits.login_time,
      minimumRate: limits.minimum_rate,
      wrongPasswords: limits.wrong_passwords,
      wrongLogins: limits.wrong_logins,
    },
  }
}
