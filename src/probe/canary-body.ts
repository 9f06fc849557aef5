import type { Random } from '../base/clock.ts'
import { formatDate } from '../mail/date.ts'
import { domainOf } from '../mail/envelope.ts'
import type { Content, Wording } from './content.ts'
import { pdfPage } from './pdf-page.ts'

/** The parts of a canary that its form decides. */
export interface CanaryBody {
  readonly subject: string
  readonly text: string
  readonly html?: string
  /** Message-IDs of the thread it belongs to, oldest first (RFC 5322 section 3.6.4). */
  readonly references?: readonly string[]
  readonly attachment?: { readonly name: string; readonly type: string; readonly octets: Buffer }
}

const HOUR = 3_600_000

/** Builds the parts of one canary. @param to whom it answers, in a reply */
export function canaryBody(
  content: Content,
  wording: Wording,
  options: { readonly to: string; readonly at: number; readonly random: Random },
): CanaryBody {
  const { subject, paragraphs } = wording
  const text = `${paragraphs.join('\n\n')}\n`
  switch (content.form) {
    case 'plain':
      return { subject, text }
    case 'html':
      return { subject, text, html: htmlOf(paragraphs) }
    case 'reply':
      return { subject: `Re: ${subject}`, ...answer(wording, text, options) }
    case 'attachment': {
      const name = `${subject.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'page'}.pdf`
      const octets = pdfPage([subject, '', ...wording.further])
      return { subject, text, attachment: { name, type: 'application/pdf', octets } }
    }
  }
}

/** What people write above, and the mail they got beneath, which went out some hours ago. */
function answer(
  wording: Wording,
  text: string,
  { to, at, random }: { readonly to: string; readonly at: number; readonly random: Random },
): Pick<CanaryBody, 'text' | 'references'> {
  const asked = at - Math.floor((1 + random() * 30) * HOUR)
  const quoted = wording.further.map(sentence => `> ${sentence}`).join('\n')
  const digits = Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
  return {
    text: `${text}\nOn ${formatDate(asked)}, ${to} wrote:\n${quoted}\n`,
    references: [`<${Math.floor(asked / 1_000)}.${digits}@${domainOf(to)}>`],
  }
}

function htmlOf(paragraphs: readonly string[]): string {
  const body = paragraphs.map(paragraph => `<p>${escaped(paragraph)}</p>`).join('\n')
  return `<!DOCTYPE html>
<html>
<head><meta charset="utf-8"></head>
<body>
${body}
</body>
</html>
`
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  }
  return text.replaceAll(/[&<>"]/g, character => entities[character] ?? '')
}
