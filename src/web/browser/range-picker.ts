import { putInAddress, rangeInAddress } from './address.ts'
import { byId, el } from './dom.ts'
import { RANGES, type RangeName } from './status-data.ts'
import { RANGE_WORDS } from './words.ts'

/** Puts the ranges into the page. @param picked is told of another range, once it stands in the address */
export function showRanges(picked: (range: RangeName) => void): void {
  const now = rangeInAddress()
  for (const name of RANGES) {
    const input = el('input', { type: 'radio', name: 'range', value: name })
    input.checked = name === now
    input.addEventListener('change', () => {
      putInAddress({ range: name })
      picked(name)
    })
    const short = el('span', { 'aria-hidden': 'true', class: 'short' }, name)
    const long = el('span', { class: 'hidden' }, RANGE_WORDS[name])
    byId('ranges').append(el('label', {}, input, short, long))
  }
}
