import { LONGEST_NAME, type ApplicationPassword } from '../../account/application-password.ts'
import type { AccountView } from '../../account/self-service.ts'
import { HOUR } from '../../base/clock.ts'
import { html, type Html } from '../html.ts'
import { tokenField } from './form.ts'
import { clockTime, dayOf } from './words.ts'

/** The passwords that were made for single programs. */
export function programsSection(view: AccountView, now: number): Html {
  const { mayCreate, list } = view.applicationPasswords ?? { mayCreate: false, list: [] }
  return html`<section aria-labelledby="programs">
    <div class="title">
      <h2 id="programs">Passwords of single programs</h2>
      <p class="quiet">
        One for each program or device: if it is lost, you revoke that one, and the others go on.
      </p>
    </div>
    ${list === undefined ? html`<p class="notice">They cannot be shown at the moment. They work, or will again; try later.</p>` : programs(view, list, now)}
    ${mayCreate ? createForm(view) : html`<p class="quiet small">To make one, sign in with the password of your account in the directory.</p>`}
  </section>`
}

function programs(view: AccountView, list: readonly ApplicationPassword[], now: number): Html {
  if (list.length === 0) return html`<p class="quiet">You have none.</p>`
  const rows = list.map(({ id, name, createdAt, usedAt }) => {
    const used = usedAt === undefined ? 'never' : usedWords(usedAt, now)
    return html`<tr role="row">
      <th scope="row" role="rowheader">${name}</th>
      <td role="cell" data-label="Made">${dayOf(createdAt, now)}</td>
      <td role="cell" data-label="Last used">${used}</td>
      <td role="cell" class="act">
        <form method="post" action="/account/application-passwords/revoke">
          ${tokenField(view.session)}<input type="hidden" name="id" value="${id}" /><button>
            Revoke <span class="hidden">${name}</span>
          </button>
        </form>
      </td>
    </tr> `
  })
  return html`<table class="list" role="table">
    <caption class="hidden">
      Passwords of single programs
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        <th scope="col" role="columnheader">Name</th>
        <th scope="col" role="columnheader">Made</th>
        <th scope="col" role="columnheader">Last used</th>
        <th scope="col" role="columnheader"><span class="hidden">Revoke</span></th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows}
    </tbody>
  </table>`
}

/** It is written down once an hour at most. */
function usedWords(at: number, now: number): string {
  return now - at < HOUR ? 'within the hour' : clockTime(at, now)
}

function createForm(view: AccountView): Html {
  return html`<form class="inline" method="post" action="/account/application-passwords">
    ${tokenField(view.session)}
    <label
      >Name of the program
      <input
        name="name"
        maxlength="${LONGEST_NAME}"
        placeholder="laptop"
        autocomplete="off"
        required
    /></label>
    <button class="main">Make a password</button>
  </form>`
}
