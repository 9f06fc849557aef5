import type { AccountView } from '../../account/self-service.ts'
import { html, NOTHING, type Html } from '../html.ts'
import { clockTime, troubles } from './words.ts'

/** What one may send, and how much of it is used. */
export function limitsSection({ mail }: AccountView): Html {
  return html`<section aria-labelledby="limits">
    <div class="title">
      <h2 id="limits">What you may send</h2>
      <p class="quiet">So that a stolen password cannot do much harm.</p>
    </div>
    ${mail === undefined ? html`<p class="notice">This cannot be shown at the moment; try later.</p>` : limits(mail)}
  </section>`
}

function limits({ over, uses, waiting }: NonNullable<AccountView['mail']>): Html {
  const limited = uses.filter(({ most }) => most !== Infinity)
  const rows = limited.map(
    ({ title, used, most }) =>
      html`<tr>
        <th scope="row">${title}</th>
        <td class="number">${used} of ${most}</td>
        <td class="gauge">
          <meter
            max="${most}"
            value="${used}"
            low="${most * 0.8}"
            high="${most * 0.95}"
            optimum="0"
            aria-hidden="true"
          ></meter>
        </td>
      </tr> `,
  )
  const then =
    over === 'hold'
      ? 'What is over a limit is taken and kept back until the people who run your mail have looked at it.'
      : 'What is over a limit is not taken: your program is told to try again later.'
  return html`${
      limited.length === 0
        ? html`<p>You may send as much as you like.</p>`
        : html`<table class="limits">
              <caption class="hidden">
                Used of what you may send
              </caption>
              <tbody>
                ${rows}
              </tbody>
            </table>
            <p class="quiet small">${then}</p>`
    }
    <p>${waitingSentence(waiting)}</p>`
}

function waitingSentence({
  queued,
  held,
  reasons,
  more,
}: NonNullable<AccountView['mail']>['waiting']): string {
  if (queued + held === 0) return 'Nothing of yours is waiting to be delivered.'
  const least = more ? 'at least ' : ''
  const waits = queued === 0 ? [] : [`${least}${queued} to be delivered`]
  const why = reasons.length === 0 ? '' : `, ${reasons.map(keptWords).join(' and ')}`
  const kept = held === 0 ? [] : [`${least}${held} kept back${why}`]
  return `Waiting of yours: ${[...waits, ...kept].join(', and ')}.`
}

/** A limit is the person's own business; which administrator holds what, and why, is not. */
function keptWords(reason: string): string {
  return reason.startsWith('over the ') ? reason : 'by the people who run your mail'
}

/** What was refused lately, with what to do about it. */
export function troubleSection(view: AccountView, now: number): Html {
  const rows = troubles(view).map(
    ({ at, to, meaning, said }) =>
      html`<li>
        <p>
          <time datetime="${new Date(at).toISOString()}">${clockTime(at, now)}</time
          >${to === '' ? NOTHING : html` to <strong>${to}</strong>`}
        </p>
        <p>${meaning}</p>
        <p class="quiet small said">${said}</p>
      </li> `,
  )
  return html`<section aria-labelledby="troubles">
    <div class="title">
      <h2 id="troubles">What did not get through</h2>
      <p class="quiet">
        Of the last days. The words below each are those of the server that said no.
      </p>
    </div>
    ${
      rows.length === 0
        ? html`<p class="quiet">Nothing that is known here.</p>`
        : html`<ol class="troubles">
            ${rows}
          </ol>`
    }
  </section>`
}
