/**
 * Text from a server without the addresses it repeats: replies and refusals name the mailbox they are about, and what
 * we report goes into logs.
 */
export function withoutAddresses(text: string): string {
  return text.replaceAll(/<?[^\s<>@]+@[^\s<>@]+\.[^\s<>@,;:)]+>?/g, '<address>')
}
