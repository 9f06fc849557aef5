import type { LoginResult } from './principal.ts'
import type { SyncResult } from './source-sync.ts'
import type { AccountStatus, DirectoryStatus } from './status.ts'

/** What an administrator may ask of the directory. */
export type DirectoryRequest =
  | { readonly ask: 'status' }
  | { readonly ask: 'account'; readonly login: string }
  | { readonly ask: 'verify'; readonly login: string; readonly password: string }
  | { readonly ask: 'export' }
  | {
      readonly ask: 'sync'
      /** Read everything, whatever is known. */
      readonly full: boolean
      /** Believe what the guard has refused. */
      readonly accept: boolean
    }

/** What came of a comparison with one source. No entry is in it. */
export type Synced =
  | {
      readonly kind: 'synced'
      readonly source: string
      readonly changed: number
      readonly full: boolean
    }
  | {
      readonly kind: 'not-synced'
      readonly source: string
      readonly how: Exclude<SyncResult['kind'], 'synced'>
      readonly why: string
      /** Whether a request with `accept` would take it. */
      readonly acceptable: boolean
    }

/** What is answered, piece by piece. No hash and no password is in any of it. */
export type DirectoryAnswer =
  | {
      readonly kind: 'directory'
      readonly status: DirectoryStatus
      /** Milliseconds between comparisons. */
      readonly syncEvery: number
    }
  | { readonly kind: 'account'; readonly account: AccountStatus }
  | { readonly kind: 'unknown'; readonly login: string }
  | { readonly kind: 'verified'; readonly result: LoginResult['kind'] }
  | Synced
