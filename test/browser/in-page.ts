import axeCore from 'axe-core'
import type { Page } from 'playwright-core'

// What the functions below use of a browser; the tests themselves have no DOM, and are checked without its types.
interface Box {
  readonly textContent: string
  readonly parentElement: Box | null
  readonly dataset: Record<string, string>
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string }>
}
interface Canvas extends Box {
  readonly width: number
  readonly height: number
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, w: number, h: number): { readonly data: Uint8ClampedArray }
  }
}
declare const document: {
  readonly documentElement: { readonly scrollWidth: number }
  querySelectorAll<T extends Box>(selector: string): Iterable<T>
}
declare const navigator: { readonly clipboard: { readText(): Promise<string> } }
declare function getComputedStyle(box: Box): {
  readonly color: string
  readonly backgroundColor: string
}

/** How wide the page is; more than the window means that it scrolls sideways. */
export async function widthOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth)
}

/** What was copied last; the context has to have the right to read it. */
export async function clipboardOf(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText())
}

/** Marks every row of every table: those that were made anew have lost the mark. */
export async function markRows(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const row of document.querySelectorAll('tr')) row.dataset['marked'] = 'yes'
  })
}

/** For every chart, whether anything was painted. */
export async function drawnCharts(page: Page): Promise<boolean[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<Canvas>('canvas')].map(canvas =>
      canvas
        .getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some(octet => octet !== 0),
    ),
  )
}

/** Texts with less contrast than WCAG 2.2, 1.4.3 asks of ordinary text: 4.5. */
export async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const channels = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = (colour: string): number => {
      const [r = 0, g = 0, b = 0] = channels(colour).map(value => {
        const share = value / 255
        return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const paperOf = (box: Box): string => {
      for (let at: Box | null = box; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor
        if ((channels(colour)[3] ?? 1) > 0) return colour
      }
      return 'rgb(255, 255, 255)'
    }
    const holdsText = (box: Box): boolean =>
      [...box.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '')
    return [...document.querySelectorAll('p, li, td, th, h1, h2, a, span, strong, button, time')]
      .filter(holdsText)
      .flatMap(box => {
        const ink = luminance(getComputedStyle(box).color)
        const paper = luminance(paperOf(box))
        const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)
        return contrast < 4.5 ? [`${box.textContent.slice(0, 30)}: ${contrast.toFixed(2)}`] : []
      })
  })
}

interface AxeViolation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}
declare const axe: {
  run(options: object): Promise<{ readonly violations: readonly AxeViolation[] }>
}

/**
 * What axe finds against WCAG 2.2, levels A and AA, and its own best practices, each with an example of where. The
 * page's policy forbids foreign code; the browser's own tools are let in.
 */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axeCore.source)
  const violations = await page.evaluate(async () => {
    const found = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return found.violations
  })
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html ?? ''}`)
}
