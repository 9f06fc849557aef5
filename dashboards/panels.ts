import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import type { DynamicConfigValue, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TextBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** One query and what its series are called. */
export interface Query {
  readonly expr: string
  /** Grafana's legend template, `{{provider}}`; the column's name in a table. */
  readonly legend: string
}

export interface PanelText {
  readonly title: string
  readonly description: string
  /** Of 24 columns. */
  readonly width: number
  readonly height?: number
}

export const SOURCE = { type: 'prometheus', uid: '${datasource}' }

/** Verdicts keep their colours on every panel, those of the status page. */
export const VERDICT_COLOURS: Readonly<Record<string, string>> = {
  inbox: '#0d8a6a',
  spam: '#e69f00',
  other: '#56b4e9',
  missing: '#c8421e',
  bounced: '#b8548c',
  rejected: '#6f4fa8',
  unknown: '#a3a9ae',
}

/** Lines over time. */
export function lines(text: PanelText, unit: string, queries: readonly Query[]): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(SOURCE)
    .span(text.width)
    .height(text.height ?? 8)
    .unit(unit)
    .min(0)
    .lineWidth(2)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
  for (const [index, query] of queries.entries()) panel.withTarget(overTime(query, index))
  return panel
}

/** Stacked bars over time: how many, and of what. */
export function bars(text: PanelText, queries: readonly Query[]): TimeseriesBuilder {
  return lines(text, 'short', queries)
    .drawStyle(GraphDrawStyle.Bars)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
    .fillOpacity(85)
    .lineWidth(0)
    .decimals(0)
}

/** One number of now. @param bad from which value it is bad, and whether that is above or below */
export function number(
  text: PanelText,
  unit: string,
  query: Query,
  bad: { readonly at: number; readonly when: 'above' | 'below' },
): Builder<Panel> {
  const [before, after] = bad.when === 'above' ? ['green', 'red'] : ['red', 'green']
  return new StatBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(SOURCE)
    .span(text.width)
    .height(text.height ?? 4)
    .unit(unit)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
        { value: null, color: before },
        { value: bad.at, color: after },
      ]),
    )
    .withTarget(instant(query, 0))
}

/** A column of a table. */
export interface Column extends Query {
  readonly unit: string
  readonly decimals?: number
  /** From which value on its cells are green; below they are red, and between them and `fair` yellow. */
  readonly good?: number
  readonly fair?: number
  /** From which value on its cells are red. */
  readonly bad?: number
}

/** A table: a row for every set of labels, a column for every query. */
export function table(text: PanelText, columns: readonly Column[]): Builder<Panel> {
  const panel = new TableBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(SOURCE)
    .span(text.width)
    .height(text.height ?? 8)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: Object.fromEntries(
          columns.map(({ legend }, index) => [`Value #${refId(index)}`, legend]),
        ),
      },
    })
  for (const [index, column] of columns.entries()) {
    panel.withTarget(instant(column, index).format(PromQueryFormat.Table))
    const properties: DynamicConfigValue[] = [
      { id: 'unit', value: column.unit },
      { id: 'decimals', value: column.decimals ?? 0 },
      ...colours(column),
    ]
    panel.overrideByName(column.legend, properties)
  }
  return panel
}

function colours({ good, fair = good, bad }: Column): DynamicConfigValue[] {
  const steps =
    good !== undefined
      ? [
          { value: null, color: 'red' },
          { value: fair, color: 'yellow' },
          { value: good, color: 'green' },
        ]
      : bad !== undefined
        ? [
            { value: null, color: 'transparent' },
            { value: bad, color: 'red' },
          ]
        : undefined
  if (steps === undefined) return []
  return [
    { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps } },
    { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
  ]
}

/** How values spread over time, from the buckets of a histogram. */
export function heat(text: PanelText, unit: string, expr: string): Builder<Panel> {
  return new HeatmapBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(SOURCE)
    .span(text.width)
    .height(text.height ?? 8)
    .calculate(false)
    .cellGap(1)
    .color(
      new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64),
    )
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .unit('short')
    .withTarget(overTime({ expr, legend: '{{le}}' }, 0).format(PromQueryFormat.Heatmap))
}

/** What was on and what was off, over time. @param names what the values 0 and 1 are called, and their colours */
export function onOff(
  text: PanelText,
  names: readonly [string, string],
  paints: readonly [string, string],
  query: Query,
): Builder<Panel> {
  return new TimelineBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(SOURCE)
    .span(text.width)
    .height(text.height ?? 8)
    .unit('short')
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .fillOpacity(80)
    .mappings([
      {
        type: MappingType.ValueToText,
        options: {
          '0': { text: names[0], color: paints[0], index: 0 },
          '1': { text: names[1], color: paints[1], index: 1 },
        },
      },
    ])
    .withTarget(overTime(query, 0))
}

/** Words, as Markdown. */
export function words(text: PanelText, content: string): Builder<Panel> {
  return new TextBuilder()
    .title(text.title)
    .description(text.description)
    .span(text.width)
    .height(text.height ?? 8)
    .mode(TextMode.Markdown)
    .content(content)
}

/** A query over the time shown. */
export function overTime({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId(index))
    .datasource(SOURCE)
    .expr(expr)
    .legendFormat(legend)
    .range()
}

function instant({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId(index))
    .datasource(SOURCE)
    .expr(expr)
    .legendFormat(legend)
    .instant()
}

function refId(index: number): string {
  return String.fromCodePoint(65 + index)
}
