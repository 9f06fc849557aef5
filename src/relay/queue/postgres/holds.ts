import type { Session } from '../../../base/postgres.ts'
import type { HoldTarget, Operator, StandingHold } from '../operations.ts'
import type { HoldRow } from '../standing.ts'

/** What must not be leased now. */
export interface KeptBack {
  readonly everything: boolean
  readonly domains: readonly string[]
  readonly logins: readonly string[]
}

/** Those that stand, and those that stood, oldest first. */
export function allHolds(session: Session): Promise<HoldRow[]> {
  return session.rows<HoldRow>(
    'select kind, value, set_at, set_by, lifted_at, lifted_by from standing_hold order by id',
  )
}

export async function standingHolds(session: Session): Promise<HoldRow[]> {
  return (await allHolds(session)).filter(({ lifted_at }) => lifted_at === null)
}

export function keptBack(standing: readonly HoldRow[]): KeptBack {
  const of = (kind: HoldTarget['kind']): string[] =>
    standing.filter(hold => hold.kind === kind).map(({ value }) => value)
  const [domains, logins] = [of('destination'), of('login')]
  // A kind that we do not know may mean anything: it holds everything.
  return { everything: domains.length + logins.length < standing.length, domains, logins }
}

/** @returns false if it stands already */
export async function setHold(
  session: Session,
  { kind, value }: HoldTarget,
  { by, at }: Operator,
): Promise<boolean> {
  const set = await session.run(
    `insert into standing_hold (kind, value, set_at, set_by) values ($1, $2, $3, $4)
      on conflict (kind, value) where lifted_at is null do nothing`,
    [kind, value, at, by],
  )
  return set === 1
}

/** @returns false if there is none */
export async function liftHold(
  session: Session,
  { kind, value }: HoldTarget,
  { by, at }: Operator,
): Promise<boolean> {
  const lifted = await session.run(
    `update standing_hold set lifted_at = $1, lifted_by = $2
      where kind = $3 and value = $4 and lifted_at is null`,
    [at, by, kind, value],
  )
  return lifted === 1
}

/** The holds that stand, and how much each keeps back. */
export function holdsWithAmounts(session: Session): Promise<StandingHold[]> {
  return session.rows<StandingHold>(
    `select kind, value, set_by as by, set_at as at, (
        select count(*) from delivery where state = 'queued' and (
          kind = 'destination' and domain = value or kind = 'login' and login = value
          or kind not in ('destination', 'login'))
      ) as deliveries
      from standing_hold where lifted_at is null order by id`,
  )
}
