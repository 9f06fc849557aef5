import type { Check } from '../check.ts'
import { ADDRESSES } from './addresses.ts'
import { AUTH } from './auth.ts'
import { CONNECTION } from './connection.ts'
import { CONTENT } from './content.ts'
import { TRANSFER } from './data.ts'
import { ENVELOPE } from './envelope.ts'
import { IDENTITY } from './identity.ts'
import { PARAMETERS } from './parameters.ts'
import { PIPELINING } from './pipelining.ts'
import { SESSION } from './session.ts'
import { TLS } from './tls.ts'

/** Every check of a submission server that needs no more than its port and a login. */
export const CHECKS: readonly Check[] = [
  ...CONNECTION,
  ...SESSION,
  ...TLS,
  ...AUTH,
  ...IDENTITY,
  ...ENVELOPE,
  ...ADDRESSES,
  ...PARAMETERS,
  ...TRANSFER,
  ...CONTENT,
  ...PIPELINING,
]
