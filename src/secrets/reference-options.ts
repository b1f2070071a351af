// The text forms of references to secrets, one line each, and how each is shown again. Forms are
// narrow, so that a secret pasted in place of a reference is refused and never shown as a name.

import type { Extraction } from './extraction.ts'

/** Times of a place that is asked over a network, or of a command. Milliseconds. */
export interface Times {
  /** Of one read. */
  readonly timeout: number
  /** After which it is read again. */
  readonly lifetime: number
}

interface Extracted {
  /** How the secret lies in what is read; absent when it is all of it. */
  readonly extract?: Extraction
}

/** The place of one secret. Holds no value. */
export type SecretReference = Extracted &
  (
    | { readonly kind: 'env'; readonly name: string }
    | { readonly kind: 'file'; readonly path: string }
    /** A file in systemd's credentials directory. */
    | { readonly kind: 'systemd'; readonly name: string }
    /** Absolute path of the program, then its arguments. */
    | ({ readonly kind: 'exec'; readonly argv: readonly string[] } & Times)
    /** API path below `/v1/`, `data/` included for version 2 of the engine. */
    | ({ readonly kind: 'vault'; readonly path: string; readonly version?: number } & Times)
    /** Name or ARN. */
    | ({ readonly kind: 'aws-sm'; readonly id: string } & Times)
    | ({ readonly kind: 'aws-ssm'; readonly name: string } & Times)
    /** `projects/…/secrets/…/versions/…`. */
    | ({ readonly kind: 'gcp'; readonly name: string } & Times)
    | ({
        readonly kind: 'azure'
        /** Origin of the key vault. */
        readonly vault: string
        readonly name: string
        readonly version?: string
      } & Times)
    | ({
        readonly kind: 'op'
        readonly vault: string
        readonly item: string
        readonly field: string
      } & Times)
    /** `key` of the Secret `name`; `namespace` undefined for the proxy's own. */
    | ({
        readonly kind: 'k8s'
        readonly namespace?: string
        readonly name: string
        readonly key: string
      } & Times)
  )

/** One of the kinds. */
export type ReferenceOf<Kind extends SecretReference['kind']> = Extract<
  SecretReference,
  { readonly kind: Kind }
>

/** For messages. */
export const EXAMPLES =
  'env:NAME (in capitals), file:/path, exec:/path, vault:path#field or another form'

type Parse = (parts: readonly (string | undefined)[], times: Times) => SecretReference | undefined

const FIELD = '(?:#([^#\\s]+))?'
const NAME = '[A-Za-z0-9_.-]+'

const FORMS: readonly (readonly [RegExp, Parse])[] = [
  [
    form(`env:([A-Z_][A-Z0-9_]*)${FIELD}`),
    ([name = '', field]) => ({ kind: 'env', name, ...fieldOf(field) }),
  ],
  [
    form(`file:(/[^#]+)${FIELD}`),
    ([path = '', field]) => ({ kind: 'file', path, ...fieldOf(field) }),
  ],
  [
    form(`systemd:(${NAME})${FIELD}`),
    ([name = '', field]) => ({ kind: 'systemd', name, ...fieldOf(field) }),
  ],
  [
    form('exec:(/.+)'),
    ([words = ''], times) => ({ kind: 'exec', argv: words.split(/ +/).filter(Boolean), ...times }),
  ],
  [
    form(`vault:([A-Za-z0-9_.~/-]*[A-Za-z0-9_.~-])(?:\\?version=(\\d{1,9}))?#([^#\\s]+)`),
    ([path = '', version, field], times) =>
      // An URL would resolve these away, to another path than the one that is written.
      path.split('/').some((part) => part === '' || part === '.' || part === '..')
        ? undefined
        : {
            kind: 'vault',
            path,
            ...(version === undefined ? {} : { version: Number(version) }),
            ...fieldOf(field),
            ...times,
          },
  ],
  [
    form(`aws-sm:([A-Za-z0-9/_+=.@:-]+)${FIELD}`),
    ([id = '', field], times) => ({ kind: 'aws-sm', id, ...fieldOf(field), ...times }),
  ],
  [
    form(`aws-ssm:([A-Za-z0-9/_.:-]+)${FIELD}`),
    ([name = '', field], times) => ({ kind: 'aws-ssm', name, ...fieldOf(field), ...times }),
  ],
  [
    form(
      `gcp:(projects/${NAME}/(?:locations/${NAME}/)?secrets/${NAME})(/versions/${NAME})?${FIELD}`,
    ),
    ([name = '', version = '/versions/latest', field], times) => ({
      kind: 'gcp',
      name: name + version,
      ...fieldOf(field),
      ...times,
    }),
  ],
  [
    form(`azure:(https://[A-Za-z0-9.:-]+)/secrets/([A-Za-z0-9-]+)(?:/([0-9a-f]{32}))?${FIELD}`),
    ([vault = '', name = '', version, field], times) => ({
      kind: 'azure',
      vault,
      name,
      ...(version === undefined ? {} : { version }),
      ...fieldOf(field),
      ...times,
    }),
  ],
  [
    form('op://([^/#]+)/([^/#]+)/([^#]+)'),
    ([vault = '', item = '', field = ''], times) => ({ kind: 'op', vault, item, field, ...times }),
  ],
  [
    form(`k8s:(?:([a-z0-9-]+)/)?([a-z0-9.-]+)#(${NAME})`),
    ([namespace, name = '', key = ''], times) => ({
      kind: 'k8s',
      ...(namespace === undefined ? {} : { namespace }),
      name,
      key,
      ...times,
    }),
  ],
]

function form(source: string): RegExp {
  return new RegExp(`^${source}$`)
}

function fieldOf(field: string | undefined): Extracted {
  return field === undefined ? {} : { extract: { field } }
}

/** The reference that `written` is, or `undefined`. `times` are for the kinds that have any. */
export function parseReference(written: string, times: Times): SecretReference | undefined {
  for (const [pattern, parse] of FORMS) {
    const match = pattern.exec(written)
    if (match !== null) return parse(match.slice(1), times)
  }
  return undefined
}

/** How a reference is shown in logs and errors. Arguments of a command are not: people put secrets there. */
export function referenceText(reference: SecretReference): string {
  const field = reference.extract?.field
  const end = field === undefined ? '' : `#${field}`
  switch (reference.kind) {
    case 'env':
    case 'systemd':
    case 'aws-ssm':
    case 'gcp':
      return `${reference.kind}:${reference.name}${end}`
    case 'file':
      return `file:${reference.path}${end}`
    case 'exec':
      return `exec:${reference.argv[0] ?? ''}${reference.argv.length > 1 ? ' …' : ''}${end}`
    case 'vault': {
      const { version } = reference
      return `vault:${reference.path}${version === undefined ? '' : `?version=${version}`}${end}`
    }
    case 'aws-sm':
      return `aws-sm:${reference.id}${end}`
    case 'azure': {
      const { vault, name, version } = reference
      return `azure:${vault}/secrets/${name}${version === undefined ? '' : `/${version}`}${end}`
    }
    case 'op':
      return `op://${reference.vault}/${reference.item}/${reference.field}`
    case 'k8s':
      return `k8s:${reference.namespace === undefined ? '' : `${reference.namespace}/`}${reference.name}#${reference.key}`
  }
}
