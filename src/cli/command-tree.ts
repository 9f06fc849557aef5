import type { Argument, Command, Option } from 'commander'

/** What a command line says of itself: completion and the manual are made of this, so they know every command. */
export interface CommandNode {
  /** Words below the program: `[]` for itself, `['queue', 'list']`. */
  readonly path: readonly string[]
  readonly description: string
  /** As after `Usage:`. */
  readonly usage: string
  readonly options: readonly OptionNode[]
  readonly parameters: readonly ParameterNode[]
  readonly below: readonly CommandNode[]
  /** What its help says after the list of options: exit codes, examples. */
  readonly notes: string
}

export interface ParameterNode {
  readonly name: string
  readonly description: string
  readonly values: Values
  readonly isMany: boolean
}

export interface OptionNode {
  /** `--state`, after its short form where it has one. */
  readonly flags: readonly string[]
  readonly description: string
  /** The word of its value; undefined for an option without one. */
  readonly takes: string | undefined
  readonly values: Values
  readonly isMany: boolean
  /** What holds without it, in words; '' where that is nothing. */
  readonly unless: string
}

/** What a shell can offer for a value. */
export type Values = 'file' | 'folder' | 'anything' | readonly string[]

/** Reads a command and all that is below it. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  return {
    path,
    description: command.description(),
    usage: `${['mailcanary', ...path].join(' ')} ${command.usage()}`.trim(),
    options: command.options.filter(({ hidden }) => !hidden).map(optionNode),
    parameters: command.registeredArguments.map(parameterNode),
    below: command.commands
      .map(inner => commandTree(inner, [...path, inner.name()]))
      .sort((a, b) => (a.path.join(' ') < b.path.join(' ') ? -1 : 1)),
    notes: notesOf(command),
  }
}

/** The node itself and all below it, a command before its own commands. */
export function allNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.below.flatMap(allNodes)]
}

function optionNode(option: Option): OptionNode {
  const { short, long, description, flags, defaultValueDescription } = option
  const takes = /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]/.exec(flags)?.[1]
  const unless: unknown = defaultValueDescription ?? option.defaultValue
  return {
    flags: [short, long].filter(flag => flag !== undefined && flag !== null),
    description,
    takes,
    values: valuesOf(takes ?? '', option.argChoices),
    // One that is collected has a function and says nothing of it; twice does no harm to the others.
    isMany: takes !== undefined && (option.variadic || option.parseArg !== undefined),
    unless: typeof unless === 'string' || typeof unless === 'number' ? String(unless) : '',
  }
}

function parameterNode(parameter: Argument): ParameterNode {
  const name = parameter.name()
  return {
    name,
    description: parameter.description,
    values: valuesOf(name, parameter.argChoices),
    isMany: parameter.variadic,
  }
}

function valuesOf(word: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return choices
  return word === 'file' || word === 'folder' ? word : 'anything'
}

/** Commander keeps what was added to a help to itself, and only prints it. */
function notesOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: chunk => (text += chunk) }).outputHelp()
  return text.slice(command.helpInformation().length).trim()
}
