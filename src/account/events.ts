/** Which password somebody came in with: the directory's own, or the one for mail. */
export type SignInWay = 'directory' | 'mail'

/** What the account page reports upwards. Fields that identify a person (`login`) are for debug level only. */
export type AccountEvent =
  | {
      /** A password was shown, to sign in or, once more, to change something. */
      readonly kind: 'account-sign-in'
      readonly login: string
      readonly way: SignInWay
      readonly result: 'accepted' | 'refused' | 'unavailable'
      readonly cause?: string
    }
  | {
      readonly kind: 'mail-password-change'
      readonly login: string
      /** `unknown`: the directory was asked and did not answer. */
      readonly result: 'changed' | 'refused' | 'unavailable' | 'unknown'
      readonly cause?: string
    }
  | {
      readonly kind: 'application-password'
      readonly login: string
      readonly action: 'created' | 'revoked'
    }
  | { readonly kind: 'account-fault'; readonly cause: string }

export type ReportAccountEvent = (event: AccountEvent) => void
